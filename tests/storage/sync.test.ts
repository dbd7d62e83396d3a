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

describe("a partition that is deleted while a sync is under way, whose deletion a power loss may take back", () => {
  const refused = ({ status, ...outcome }: PromiseSettledResult<void>) =>
    status === "rejected" && "reason" in outcome && (outcome.reason as IggyError).errorName;

  test("answers the sends that it covered; refuses those that it did not, and all when it fails", async () => {
    for (const fails of [false, true]) {
      const disk = new SlowSyncs();
      const partition = makeHarness(disk, { acknowledge: "sync" }).open();
      const covered = partition.append(makeBatch([40_000]));
      const waiting = partition.append(makeBatch([40_000])); // written, and waits for the next sync
      const outcomes = Promise.allSettled([covered, waiting]);
      partition.abandon();
      disk.isSlow = false;
      disk.fails = (operation) => fails && operation === "sync";
      await disk.endSyncs();
      expect((await outcomes).map(refused)).toEqual([fails && "CannotSyncFile", "CannotSyncFile"]);
      expect(partition.isFenced).toBe(false);
      expect(disk.openCount).toBe(0);
    }
  });

  test("refuses a flush that was to sync; the saver and a close have nothing to keep", async () => {
    for (const kind of ["flush", "save", "close"] as const) {
      const disk = new SlowSyncs();
      const harness = makeHarness(disk, { enforceFsync: true });
      const partition = harness.open();
      await partition.append(makeBatch([40_000]));
      const done = kind === "flush" ? partition.flush(true) : partition[kind]();
      const outcome = Promise.allSettled([done]);
      await Bun.sleep(0);
      partition.abandon();
      disk.fails = (operation) => operation === "sync";
      await disk.endSyncs();
      expect((await outcome).map(refused)).toEqual([kind === "flush" && "CannotSyncFile"]);
    }
  });

  test("refuses offsets that were to be durable when they are answered", async () => {
    const disk = new SlowSyncs();
    const harness = makeHarness(disk, { persistsOffsets: true });
    const partition = harness.open();
    await appendNow(harness, partition, [1, 2]);
    partition.storeOffset({ kind: "consumer", id: 1 }, 0);
    const first = partition.offsetsDurable();
    await Bun.sleep(0);
    partition.storeOffset({ kind: "consumer", id: 1 }, 1);
    const next = partition.offsetsDurable();
    const outcomes = Promise.allSettled([first, next].map((promise) => promise!));
    partition.abandon();
    disk.isSlow = false;
    await disk.endSyncs();
    expect((await outcomes).map(refused)).toEqual(["CannotSyncFile", "CannotSyncFile"]);
  });
});
