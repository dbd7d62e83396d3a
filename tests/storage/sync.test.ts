import { describe, expect, test } from "bun:test";
import { IggyError } from "../../src/protocol/errors.ts";
import { appendNow, directory, makeBatch, makeHarness, offsetsOf } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

const log0 = `${directory}/00000000000000000000.log`;

/** Syncs of logs end when the test says so; counts those that are under way for each file. */
class SlowSyncs extends MemoryDisk {
  #waiting: (() => void)[] = [];
  isSlow = true;

  override check(operation: string, path: string): void {
    super.check(operation, path);
    if (operation === "sync" && this.isSlow) this.syncGate = new Promise((resolve) => this.#waiting.push(resolve));
  }

  get underWay(): number {
    return this.#waiting.length;
  }

  async endSyncs(): Promise<void> {
    for (const resolve of this.#waiting.splice(0)) resolve();
    await Bun.sleep(0);
  }
}

describe("behind producers that never pause, level sync", () => {
  test.each(["flush", "purge"] as const)("a %s ends with the syncs of what was there before it", async (kind) => {
    const disk = new SlowSyncs();
    const harness = makeHarness(disk, { acknowledge: "sync" });
    const partition = harness.open();
    const answers: Promise<void>[] = [partition.append(makeBatch([40_000]))];
    let isDone = false;
    const done = (kind === "flush" ? partition.flush(false) : partition.purge()).then(() => {
      isDone = true;
    });
    let rounds = 0;
    for (; rounds < 20 && !isDone; rounds++) {
      answers.push(partition.append(makeBatch([40_000]))); // always one that waits
      await disk.endSyncs();
    }
    expect(rounds).toBeLessThan(5);
    disk.isSlow = false;
    await disk.endSyncs();
    await done;
    await Promise.all(answers);
    expect(partition.isFenced).toBe(false);
  });
});

test("of one file there is one sync at a time, and its failure is told to all who wait for it", async () => {
  const disk = new SlowSyncs();
  const harness = makeHarness(disk, { acknowledge: "sync", segmentSizeBytes: 1000 });
  const partition = harness.open();
  const appended = partition.append(makeBatch([40_000]));
  const next = partition.append(makeBatch([40_000])); // seals the segment, which wants to be synced as well
  const settled = Promise.allSettled([appended, next, partition.flush(true)]);
  expect(disk.underWay).toBe(1);
  disk.fails = (operation, path) => operation === "sync" && path === log0;
  await disk.endSyncs();
  for (const failure of await settled) {
    const error = failure.status === "rejected" ? failure.reason : undefined;
    expect(error instanceof IggyError && error.errorName).toBe("CannotSyncFile");
  }
  expect(partition.isFenced).toBe(true);
  disk.fails = () => false;
  disk.isSlow = false;
  await partition.close();
});

test("a sync of purged messages that fails is nobody's failure", async () => {
  const disk = new SlowSyncs();
  const harness = makeHarness(disk, { acknowledge: "sync" });
  const partition = harness.open();
  const first = partition.append(makeBatch([40_000]));
  const purged = partition.purge();
  const late = partition.append(makeBatch([40_000])); // written before the purge comes to its turn
  await disk.endSyncs();
  await first;
  disk.fails = (operation, path) => operation === "sync" && path === log0 && disk.underWay > 0;
  await purged;
  disk.isSlow = false;
  await disk.endSyncs();
  disk.fails = () => false;
  await late;
  await appendNow(harness, partition, [1]);
  expect(partition.isFenced).toBe(false);
  expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([0]);
});
