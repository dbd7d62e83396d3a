// What fails is counted where operators look.
import { expect, test } from "bun:test";
import { Partition } from "../../src/storage/partition.ts";
import { makeBatch, makeHarness } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

test("a refused write and a fence are counted", async () => {
  const disk = new MemoryDisk();
  const { context, endTurn } = makeHarness(disk, { acknowledge: "sync" });
  const counted: string[] = [];
  const partition = Partition.open({ ...context, count: (key) => void counted.push(key) }, "/data/p", () => undefined);
  const outcome = (work: Promise<void>) =>
    work.then(
      () => "done",
      (error: { errorName: string }) => error.errorName,
    );
  disk.fails = (operation) => operation === "write";
  const refused = outcome(partition.append(makeBatch([10])));
  endTurn();
  expect(await refused).toBe("CannotAppendToFile");
  expect(counted).toEqual(["refusedWrites"]);
  disk.fails = (operation) => operation === "sync";
  const unsynced = outcome(partition.append(makeBatch([10])));
  endTurn();
  expect(await unsynced).toBe("CannotSyncFile");
  expect(counted).toEqual(["refusedWrites", "fencedPartitions"]);
});
