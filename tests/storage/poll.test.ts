import { describe, expect, test } from "bun:test";
import type { Acknowledge, Partition, ReadFrom } from "../../src/storage/index.ts";
import { appendNow, directory, type Harness, makeBatch, makeHarness, offsetsOf, poll, range, see } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

const consumer = { kind: "consumer", id: 5 } as const;

/** Batches of 3, 1 and 4 messages: offsets 0 to 7, three times. */
async function filled(acknowledge: Acknowledge): Promise<{ harness: Harness; partition: Partition }> {
  const harness = makeHarness(new MemoryDisk(), { acknowledge });
  const partition = harness.open();
  await appendNow(harness, partition, [10, 20, 30], 0);
  await appendNow(harness, partition, [40], 3);
  await appendNow(harness, partition, [50, 60, 70, 80], 4);
  return { harness, partition };
}

describe.each(["memory", "write", "sync"] as const)("poll at level %s", (acknowledge) => {
  test.each<[string, ReadFrom, number, number[]]>([
    ["offset in the middle", { kind: "offset", offset: 2 }, 3, [2, 3, 4]],
    ["offset 0, count above what is there", { kind: "offset", offset: 0 }, 0xffffffff, range(0, 8)],
    ["offset = current offset", { kind: "offset", offset: 7 }, 10, [7]],
    ["offset behind the current offset", { kind: "offset", offset: 8 }, 10, []],
    ["offset far behind", { kind: "offset", offset: 2 ** 52 }, 10, []],
    ["count 0", { kind: "offset", offset: 0 }, 0, []],
    ["first", { kind: "first" }, 2, [0, 1]],
    ["last", { kind: "last" }, 3, [5, 6, 7]],
    ["last with a count above what is there", { kind: "last" }, 100, range(0, 8)],
    ["next without a stored offset", { kind: "next", consumer }, 2, [0, 1]],
    ["timestamp 0", { kind: "timestamp", timestampMicros: 0 }, 2, [0, 1]],
    ["timestamp in the future", { kind: "timestamp", timestampMicros: 2 ** 52 }, 10, []],
  ])("%s", async (_, from, countMax, offsets) => {
    const { partition } = await filled(acknowledge);
    const seen = await poll(partition, from, countMax);
    expect(seen.offsets).toEqual(offsets);
    expect(seen.currentOffset).toBe(7);
    for (const message of seen.messages) expect(message.payload.every((byte) => byte === message.offset)).toBe(true);
  });

  test("next continues behind the stored offset, and at the end returns none", async () => {
    const { partition } = await filled(acknowledge);
    partition.storeOffset(consumer, 4);
    expect(await offsetsOf(partition, { kind: "next", consumer }, 10)).toEqual([5, 6, 7]);
    partition.storeOffset(consumer, 7);
    expect(await offsetsOf(partition, { kind: "next", consumer }, 10)).toEqual([]);
  });

  test("a timestamp hit starts at the first message of its batch, one between two batches at the later one", async () => {
    const { partition } = await filled(acknowledge);
    const { messages } = await poll(partition, { kind: "first" }, 100);
    const times = messages.map((message) => message.timestampMicros);
    expect(new Set(times).size).toBe(3);
    for (const [offset, timestampMicros] of times.entries()) {
      const first = times.indexOf(timestampMicros);
      expect(await offsetsOf(partition, { kind: "timestamp", timestampMicros }, 1)).toEqual([first]);
      const after = times.findIndex((time) => time > timestampMicros);
      const expected = after === -1 ? [] : [after];
      expect(await offsetsOf(partition, { kind: "timestamp", timestampMicros: timestampMicros + 1 }, 1)).toEqual(
        expected,
      );
      expect(offset).toBeGreaterThanOrEqual(first);
    }
  });

  test("an empty partition answers every strategy with nothing", async () => {
    const partition = makeHarness(new MemoryDisk(), { acknowledge }).open();
    const strategies: ReadFrom[] = [
      { kind: "offset", offset: 0 },
      { kind: "timestamp", timestampMicros: 0 },
      { kind: "first" },
      { kind: "last" },
      { kind: "next", consumer },
    ];
    for (const from of strategies) {
      const seen = await poll(partition, from, 10);
      expect(seen.offsets).toEqual([]);
      expect(seen.currentOffset).toBe(0);
    }
    expect(partition.counters).toEqual({
      segmentsCount: 1,
      currentOffset: 0,
      hasMessages: false,
      sizeBytes: 0,
      messagesCount: 0,
    });
  });

  test("a tail read is synchronous", async () => {
    const { partition } = await filled(acknowledge);
    const result = partition.read({ kind: "last" }, 1);
    if (result instanceof Promise) throw new Error("waited");
    expect(see(result).offsets).toEqual([7]);
  });
});

test("a read has no more bytes than it may, and one message at least", async () => {
  const { partition } = await filled("write");
  const whole = await partition.read({ kind: "first" }, 100);
  const bounds = [0, 1, 100, whole.sizeBytes - 1, whole.sizeBytes, whole.sizeBytes * 2];
  for (const bytesMax of bounds) {
    const read = await partition.read({ kind: "first" }, 100, bytesMax);
    expect(read.messagesCount).toBeGreaterThan(0);
    if (read.messagesCount > 1) expect(read.sizeBytes).toBeLessThanOrEqual(bytesMax);
    expect(read.lastOffset).toBe(read.messagesCount - 1);
    const isWhole = bytesMax >= whole.sizeBytes;
    expect(read.messagesCount === whole.messagesCount).toBe(isWhole);
    read.release();
  }
  whole.release();
});

test("times never go back inside a partition", async () => {
  const { harness, partition } = await filled("write");
  harness.clock.micros -= 10_000_000;
  await appendNow(harness, partition, [1]);
  const { messages } = await poll(partition, { kind: "first" }, 100);
  const times = messages.map((message) => message.timestampMicros);
  expect(times).toEqual(times.toSorted((left, right) => left - right));
});

describe("reads over several segments", () => {
  test.each([
    "all",
    "open_segment",
    "none",
  ] as const)("cache_indexes %s: every start and count", async (cacheIndexes) => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { segmentSizeBytes: 1000, cacheIndexes });
    const partition = harness.open();
    for (let number = 0; number < 12; number++) await appendNow(harness, partition, [236], number);
    expect(partition.counters.segmentsCount).toBe(3);
    const whole = (await poll(partition, { kind: "first" }, 100)).bytes;
    await partition.close();
    const reopened = makeHarness(disk, { segmentSizeBytes: 1000, cacheIndexes }).open();
    for (let start = 0; start < 12; start++) {
      for (const count of [1, 2, 5, 12]) {
        const seen = await poll(reopened, { kind: "offset", offset: start }, count);
        expect(seen.offsets).toEqual(range(start, Math.min(12, start + count)));
        expect(Buffer.compare(seen.bytes, whole.subarray(start * 300, start * 300 + seen.bytes.byteLength))).toBe(0);
      }
    }
  });

  test("a request below the first segment starts there and still returns up to count", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { segmentSizeBytes: 500 });
    const partition = harness.open();
    for (let number = 0; number < 7; number++) await appendNow(harness, partition, [236], number);
    await partition.close();
    disk.remove(`${directory}/00000000000000000000.log`);
    const reopened = makeHarness(disk, { segmentSizeBytes: 500 }).open();
    expect(await offsetsOf(reopened, { kind: "offset", offset: 0 }, 3)).toEqual([3, 4, 5]);
    expect(await offsetsOf(reopened, { kind: "first" }, 2)).toEqual([3, 4]);
    expect(await offsetsOf(reopened, { kind: "last" }, 100)).toEqual([3, 4, 5, 6]);
    expect(await offsetsOf(reopened, { kind: "timestamp", timestampMicros: 0 }, 1)).toEqual([3]);
  });
});

test("memory level: one read joins file and journal", async () => {
  const harness = makeHarness(new MemoryDisk(), { acknowledge: "memory" });
  const partition = harness.open();
  await appendNow(harness, partition, [10, 10, 10]);
  await partition.flush(false);
  await appendNow(harness, partition, [10, 10], 3);
  await appendNow(harness, partition, [10], 5);
  const result = await partition.read({ kind: "offset", offset: 1 }, 4);
  expect(result.parts.map((part) => part.kind)).toEqual(["file", "bytes"]);
  expect(see(result).offsets).toEqual([1, 2, 3, 4]);
  expect(await offsetsOf(partition, { kind: "offset", offset: 4 }, 10)).toEqual([4, 5]);
});

test("write level: messages are not visible before they are written", async () => {
  const harness = makeHarness(new MemoryDisk());
  const partition = harness.open();
  const appended = partition.append(makeBatch([10]));
  expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([]);
  harness.endTurn();
  await appended;
  expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([0]);
});
