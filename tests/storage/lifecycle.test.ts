import { describe, expect, test } from "bun:test";
import type { Acknowledge } from "../../src/storage/index.ts";
import { appendNow, directory, makeBatch, makeHarness, offsetsOf, poll, range } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

const consumer = { kind: "consumer", id: 5 } as const;
const levels: Acknowledge[] = ["memory", "write", "sync"];

describe("close and reopen", () => {
  test.each(levels)("level %s: everything is there, and appends go on", async (acknowledge) => {
    const disk = new MemoryDisk();
    let count = 0;
    for (let round = 0; round < 4; round++) {
      const harness = makeHarness(disk, { acknowledge, segmentSizeBytes: 700 });
      const partition = harness.open();
      expect(partition.counters.messagesCount).toBe(count);
      for (let batch = 0; batch < 3; batch++) {
        await appendNow(harness, partition, [100, 50], count);
        count += 2;
      }
      expect(await offsetsOf(partition, { kind: "first" }, 100)).toEqual(range(0, count));
      await partition.close();
    }
    expect(count).toBe(24);
  });

  test("a clean close leaves a checkpoint, logs and indexes are synced, no file is open", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk);
    const partition = harness.open();
    await appendNow(harness, partition, [100]);
    await partition.close();
    expect(disk.exists(`${directory}/checkpoint`)).toBe(true);
    expect(disk.syncs.some((path) => path.endsWith(".log"))).toBe(true);
    expect(disk.syncs.some((path) => path.endsWith(".index"))).toBe(true);
    expect(disk.openCount).toBe(0);
    disk.syncs.length = 0;
    await makeHarness(disk).open().close();
    expect(disk.syncs).toEqual([]);
  });

  test("without a close: what was acknowledged at write level is there", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { segmentSizeBytes: 1000 });
    const partition = harness.open();
    for (let number = 0; number < 20; number++) await appendNow(harness, partition, [100], number);
    const reopened = makeHarness(disk, { segmentSizeBytes: 1000 }).open();
    expect(await offsetsOf(reopened, { kind: "first" }, 100)).toEqual(range(0, 20));
    expect(reopened.counters).toEqual({ ...partition.counters });
  });

  test("a failed write at close is reported, and the files are closed", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { acknowledge: "memory" });
    const partition = harness.open();
    await appendNow(harness, partition, [100]);
    disk.freeBytes = 0;
    expect(partition.close()).rejects.toThrow("Cannot append to file");
    await Bun.sleep(1);
    expect(disk.openCount).toBe(0);
  });
});

describe("recovery", () => {
  test("only the log behind the checkpoint is scanned, less 1 MiB; validateChecksum scans all", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { segmentSizeBytes: 1e9 });
    const partition = harness.open();
    for (let number = 0; number < 60; number++) await partition.append(makeBatch([50_000], number));
    await partition.close();
    for (const [validateChecksum, least, most] of [
      [false, 1_000_000, 1_200_000],
      [true, 3_000_000, 3_300_000],
    ] as const) {
      let scannedBytes = 0;
      const counting = makeHarness(disk, { validateChecksum });
      const { kernel } = counting.context.scanMemory.recoveryRegion;
      const scan = kernel.scan.bind(kernel);
      kernel.scan = (...args) => {
        const result = scan(...args);
        scannedBytes += result.validBytes;
        return result;
      };
      expect(await offsetsOf(counting.open(), { kind: "last" }, 1)).toEqual([59]);
      expect(scannedBytes).toBeGreaterThanOrEqual(least);
      expect(scannedBytes).toBeLessThanOrEqual(most);
    }
  });

  test("bytes that were not scanned are checked before the first read returns them, and only then", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { segmentSizeBytes: 1e9 });
    const partition = harness.open();
    for (let number = 0; number < 60; number++) await partition.append(makeBatch([50_000], number));
    await partition.close();
    const log = disk.read(`${directory}/00000000000000000000.log`);
    log[10 * 50_064 + 1000]! ^= 1;
    disk.put(`${directory}/00000000000000000000.log`, log);
    const reopened = makeHarness(disk).open();
    const first = reopened.read({ kind: "offset", offset: 2 }, 3);
    expect(first).toBeInstanceOf(Promise);
    (await first).release();
    expect(reopened.read({ kind: "offset", offset: 3 }, 2)).not.toBeInstanceOf(Promise);
    expect(await offsetsOf(reopened, { kind: "offset", offset: 5 }, 100)).toEqual(range(5, 10));
    expect(await offsetsOf(reopened, { kind: "offset", offset: 10 }, 100)).toEqual(range(11, 60));
  });

  test("a message larger than the scan memory is recovered and verified", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { segmentSizeBytes: 100_000 }, 8192);
    const partition = harness.open();
    for (const [number, size] of [100, 60_000, 10, 70_000, 5, 80_000, 3].entries()) {
      await appendNow(harness, partition, [size], number);
    }
    const before = await poll(partition, { kind: "first" }, 100);
    const crashed = makeHarness(disk.copy(), {}, 8192).open();
    expect(Buffer.compare((await poll(crashed, { kind: "first" }, 100)).bytes, before.bytes)).toBe(0);
    await partition.close();
    const reopened = makeHarness(disk, {}, 8192).open();
    expect(Buffer.compare((await poll(reopened, { kind: "first" }, 100)).bytes, before.bytes)).toBe(0);
  });

  test("two reads that need checking at once do not disturb each other, nor an open meanwhile", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { segmentSizeBytes: 3000 }, 8192);
    const partition = harness.open();
    for (let number = 0; number < 100; number++) await appendNow(harness, partition, [100], number);
    await partition.close();
    const again = makeHarness(disk, { segmentSizeBytes: 3000 }, 8192);
    const reopened = again.open();
    const reads = [0, 40, 20, 60].map((offset) => offsetsOf(reopened, { kind: "offset", offset }, 50));
    again.open(`${directory}-other`);
    expect(await Promise.all(reads)).toEqual(
      [0, 40, 20, 60].map((offset) => range(offset, Math.min(100, offset + 50))),
    );
  });

  test("segments that overlap: the later one wins, offsets do not repeat", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk);
    const partition = harness.open();
    await appendNow(harness, partition, [10, 10, 10]);
    await partition.close();
    const other = new MemoryDisk();
    const otherHarness = makeHarness(other, { segmentSizeBytes: 1 });
    const otherPartition = otherHarness.open();
    await appendNow(otherHarness, otherPartition, [20]);
    await appendNow(otherHarness, otherPartition, [20]);
    await appendNow(otherHarness, otherPartition, [30]);
    await otherPartition.close();
    const name = `${directory}/00000000000000000002`;
    disk.put(`${name}.log`, other.read(`${name}.log`));
    const reopened = makeHarness(disk).open();
    const { messages } = await poll(reopened, { kind: "first" }, 100);
    expect(messages.map((message) => message.payload.byteLength)).toEqual([10, 10, 30]);
  });

  test("a directory that the disk cannot read is an error, not an empty partition", () => {
    const disk = new MemoryDisk();
    disk.put(`${directory}/00000000000000000000.log`, new Uint8Array(10));
    disk.fails = (operation) => operation === "open";
    expect(() => makeHarness(disk).open()).toThrow("EIO");
  });
});

describe("purge", () => {
  test.each(levels)("level %s: messages and offsets are gone, offsets start at 0", async (acknowledge) => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { acknowledge, segmentSizeBytes: 500 });
    const partition = harness.open();
    for (let number = 0; number < 10; number++) await appendNow(harness, partition, [100], number);
    partition.storeOffset(consumer, 5);
    await partition.purge();
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([]);
    expect(partition.getOffset(consumer)).toBeUndefined();
    expect(partition.counters).toEqual({
      segmentsCount: 1,
      currentOffset: 0,
      hasMessages: false,
      sizeBytes: 0,
      messagesCount: 0,
    });
    await appendNow(harness, partition, [7]);
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([0]);
    await partition.close();
    const reopened = makeHarness(disk, { acknowledge }).open();
    expect(await offsetsOf(reopened, { kind: "first" }, 10)).toEqual([0]);
    expect(disk.list(directory).filter((name) => name.endsWith(".log"))).toEqual(["00000000000000000000.log"]);
  });

  test("appends that wait are answered, reads that are being checked end with what is there", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { acknowledge: "sync", segmentSizeBytes: 500 });
    const partition = harness.open();
    for (let number = 0; number < 10; number++) await appendNow(harness, partition, [100], number);
    await partition.close();
    const again = makeHarness(disk, { acknowledge: "sync", segmentSizeBytes: 500 });
    const reopened = again.open();
    const reading = offsetsOf(reopened, { kind: "first" }, 10);
    const waiting = reopened.append(makeBatch([1]));
    const purged = reopened.purge();
    await Promise.all([waiting, purged]);
    expect((await reading).length).toBeLessThanOrEqual(10);
    await appendNow(again, reopened, [1]);
    expect(await offsetsOf(reopened, { kind: "first" }, 10)).toEqual([0]);
    expect(reopened.isFenced).toBe(false);
  });

  test("a reader may finish with the files of purged messages", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk);
    const partition = harness.open();
    await appendNow(harness, partition, [100]);
    const result = await partition.read({ kind: "first" }, 10);
    await partition.purge();
    const [part] = result.parts;
    if (part?.kind !== "file") throw new Error("expected a file part");
    expect(part.file.read(new Uint8Array(part.sizeBytes), part.position)).toBe(164);
    result.release();
    result.release();
    expect(disk.openCount).toBe(2);
  });
});

test("few files stay open however many partitions are used, and all of them answer", async () => {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk, { openFilesMax: 10, segmentSizeBytes: 500 });
  const partitions = range(0, 40).map((id) => harness.open(`/data/partitions/${id}`));
  for (let round = 0; round < 5; round++) {
    for (const partition of partitions) {
      await appendNow(harness, partition, [150], round);
      partition.storeOffset(consumer, round);
      expect(disk.openCount).toBeLessThanOrEqual(10);
    }
  }
  for (const partition of partitions) {
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual(range(0, 5));
    await partition.save();
    expect(disk.openCount).toBeLessThanOrEqual(10);
  }
  for (const partition of partitions) await partition.close();
  expect(disk.openCount).toBe(0);
});

test("files of unreleased results stay open over the limit and close afterwards", async () => {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk, { openFilesMax: 2 });
  const results = [];
  for (let id = 0; id < 5; id++) {
    const partition = harness.open(`/data/partitions/${id}`);
    await appendNow(harness, partition, [10], id);
    results.push(await partition.read({ kind: "first" }, 1));
  }
  expect(disk.openCount).toBeGreaterThanOrEqual(5);
  for (const result of results) {
    const [part] = result.parts;
    if (part?.kind !== "file") throw new Error("expected a file part");
    expect(part.file.read(new Uint8Array(74), 0)).toBe(74);
    result.release();
  }
  expect(disk.openCount).toBeLessThanOrEqual(2);
});
