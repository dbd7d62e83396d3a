// Reads over damaged messages and wrong index rows: what was hit is left out, nothing else, and no read goes on for ever.

import { describe, expect, test } from "bun:test";
import type { Partition, StorageOptions } from "../../src/storage/index.ts";
import { appendNow, directory, type Harness, makeBatch, makeHarness, offsetsOf, poll, range } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

const log0 = `${directory}/00000000000000000000.log`;
const index0 = `${directory}/00000000000000000000.index`;
const consumer = { kind: "consumer", id: 3 } as const;

/** Messages of 80 bytes; the first nine are in a sealed segment, the rest in the active one. */
async function closed(count = 12, options: Partial<StorageOptions> = {}): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk, { segmentSizeBytes: 640, ...options });
  const partition = harness.open();
  for (let number = 0; number < count; number++) await appendNow(harness, partition, [16], number);
  await partition.close();
  return disk;
}

function flip(disk: MemoryDisk, path: string, at: number, bit = 1): void {
  const bytes = disk.read(path);
  bytes[at]! ^= bit;
  disk.put(path, bytes);
}

function reopen(disk: MemoryDisk, options: Partial<StorageOptions> = {}): { harness: Harness; partition: Partition } {
  const harness = makeHarness(disk, { segmentSizeBytes: 640, ...options });
  harness.clock.micros += 1e9;
  return { harness, partition: harness.open() };
}

/** What a consumer sees that always goes on behind the last answer, by the offset that the answer says. */
async function consume(partition: Partition, countMax: number): Promise<number[]> {
  const seen: number[] = [];
  for (let offset = 0; ; ) {
    const result = await partition.read({ kind: "offset", offset }, countMax);
    result.release();
    if (result.messagesCount + result.skippedCount === 0) return seen;
    expect(result.lastOffset).toBeGreaterThanOrEqual(offset);
    const first = result.lastOffset + 1 - result.messagesCount;
    if (result.messagesCount > 0) seen.push(...range(first, result.lastOffset + 1));
    offset = result.lastOffset + 1;
  }
}

const errors = (harness: Harness) => harness.logged.filter((line) => line.startsWith("error"));

describe("one flipped bit in an active segment", () => {
  test("costs one message, however much follows; a stored offset stays", async () => {
    for (const acknowledge of ["write", "sync", "memory"] as const) {
      const disk = new MemoryDisk();
      const writer = makeHarness(disk, { acknowledge });
      const partition = writer.open();
      const appended = partition.append(makeBatch(Array.from({ length: 5000 }, () => 100)));
      writer.endTurn();
      await appended;
      partition.storeOffset(consumer, 4900);
      await partition.close();
      flip(disk, log0, 10 * 164 + 100);
      const { harness, partition: opened } = reopen(disk, { acknowledge });
      expect(await consume(opened, 1000)).toEqual(range(0, 5000).filter((offset) => offset !== 10));
      expect(opened.getOffset(consumer)).toBe(4900);
      expect(disk.read(log0).byteLength).toBe(5000 * 164);
      expect(errors(harness)).toHaveLength(1);
      await appendNow(harness, opened, [1]);
      expect(opened.counters.currentOffset).toBe(5000);
    }
  });

  test("costs one message in any field of its header, also without index and checkpoint", async () => {
    for (const isAlone of [false, true]) {
      for (const hit of [9, 10, 11]) {
        for (let bit = 0; bit < 80 * 8; bit++) {
          const disk = await closed();
          flip(disk, `${directory}/00000000000000000009.log`, (hit - 9) * 80 + (bit >> 3), 1 << (bit & 7));
          if (isAlone) {
            disk.remove(`${directory}/00000000000000000009.index`);
            disk.remove(`${directory}/checkpoint`);
          }
          const { partition, harness } = reopen(disk);
          expect(await consume(partition, 100)).toEqual(range(0, 12).filter((offset) => offset !== hit));
          await appendNow(harness, partition, [1]);
          expect(`${partition.counters.currentOffset} ${hit} ${bit}`).toBe(`12 ${hit} ${bit}`);
        }
      }
    }
  });
});

describe("a poll", () => {
  test("that starts at damage begins behind it; one before it ends there; what commits goes past it", async () => {
    const disk = await closed();
    for (const hit of [3, 4]) flip(disk, log0, hit * 80 + 70);
    const { harness, partition } = reopen(disk);
    expect(await offsetsOf(partition, { kind: "offset", offset: 1 }, 100)).toEqual([1, 2]);
    const behind = await partition.read({ kind: "offset", offset: 3 }, 2);
    behind.release();
    expect(behind).toMatchObject({ messagesCount: 2, skippedCount: 2, lastOffset: 6, currentOffset: 11 });
    expect(await offsetsOf(partition, { kind: "offset", offset: 4 }, 100)).toEqual(range(5, 12));
    expect(await consume(partition, 1)).toEqual([0, 1, 2, ...range(5, 12)]);
    partition.storeOffset(consumer, 2);
    expect(await offsetsOf(partition, { kind: "next", consumer }, 1)).toEqual([5]);
    expect(await offsetsOf(partition, { kind: "last" }, 9)).toEqual(range(5, 12));
    expect(errors(harness)).toHaveLength(1);
  });

  test("goes on in the next segment, and says how far it went where nothing is left", async () => {
    const disk = await closed();
    for (const hit of [7, 8]) flip(disk, log0, hit * 80 + 70);
    for (const hit of [10, 11]) flip(disk, `${directory}/00000000000000000009.log`, (hit - 9) * 80 + 70);
    const counted: (readonly [string, number | undefined])[] = [];
    const harness = makeHarness(disk, { segmentSizeBytes: 640 });
    harness.clock.micros += 1e9;
    Object.assign(harness.context, { count: (key: string, by?: number) => counted.push([key, by]) });
    const partition = harness.open();
    expect(await offsetsOf(partition, { kind: "offset", offset: 7 }, 100)).toEqual([9]);
    const end = await partition.read({ kind: "offset", offset: 10 }, 100);
    expect(end).toMatchObject({ messagesCount: 0, skippedCount: 2, lastOffset: 11, sizeBytes: 0 });
    expect(await offsetsOf(partition, { kind: "last" }, 1)).toEqual([]);
    await appendNow(harness, partition, [1]);
    expect(await offsetsOf(partition, { kind: "offset", offset: 10 }, 100)).toEqual([12]);
    expect(counted).toEqual([
      ["damagedMessages", 2],
      ["damagedMessages", 2],
    ]);
  });
});

describe("a sealed segment", () => {
  test("that is scanned at the start hides no more than the damaged message", async () => {
    for (const [name, options, isIndexLost] of [
      ["not scanned", {}, false],
      ["validate_checksum", { validateChecksum: true }, false],
      ["index lost", {}, true],
    ] as const) {
      const disk = new MemoryDisk();
      const writer = makeHarness(disk, { segmentSizeBytes: 100_000 });
      const partition = writer.open();
      for (let number = 0; number < 30; number++) {
        await appendNow(
          writer,
          partition,
          Array.from({ length: 100 }, () => 60),
          number,
        );
      }
      await partition.close();
      flip(disk, log0, 10 * 124 + 64);
      if (isIndexLost) disk.remove(index0);
      const { partition: opened } = reopen(disk, options);
      const wanted = range(0, 3000).filter((offset) => offset !== 10);
      expect(`${name}: ${await consume(opened, 500)}`).toBe(`${name}: ${wanted}`);
    }
  });

  test("with a wrong row in its index returns every message, wherever reads begin and whatever was read before", async () => {
    for (const cacheIndexes of ["all", "open_segment", "none"] as const) {
      for (let row = 0; row < 9; row++) {
        for (let bit = 0; bit < 128; bit += 3) {
          const disk = await closed(12, { cacheIndexes });
          const index = disk.read(index0);
          flip(disk, index0, row * 16 + (bit >> 3), 1 << (bit & 7));
          const { partition } = reopen(disk, { cacheIndexes });
          expect(await offsetsOf(partition, { kind: "offset", offset: 5 }, 2)).toEqual([5, 6]);
          for (const first of [1, row, Math.max(0, row - 1), 0]) {
            const seen = await poll(partition, { kind: "offset", offset: first }, 5);
            expect(seen.offsets).toEqual(range(first, Math.min(12, first + 5)));
          }
          expect(await consume(partition, 100)).toEqual(range(0, 12));
          expect(Buffer.compare(disk.read(index0), index)).toBe(0);
        }
      }
    }
  });

  test("answers reads by time by the times of its messages, not those of a wrong row", async () => {
    for (let row = 0; row < 9; row++) {
      for (let bit = 0; bit < 64; bit++) {
        const disk = await closed();
        const { messages } = await poll(reopen(disk.copy()).partition, { kind: "first" }, 100);
        flip(disk, index0, row * 16 + 8 + (bit >> 3), 1 << (bit & 7));
        for (const wanted of [0, 4, row]) {
          const { partition } = reopen(disk.copy());
          const from = { kind: "timestamp", timestampMicros: messages[wanted]!.timestampMicros } as const;
          expect(`${await offsetsOf(partition, from, 1)} ${row} ${bit}`).toBe(`${wanted} ${row} ${bit}`);
        }
      }
    }
  });

  test("with a damaged message and wrong rows on both sides of it is repaired; no read goes on for ever", async () => {
    for (const bits of [
      [1 * 16 + 4, 6 * 16 + 5],
      [2 * 16 + 5, 3 * 16 + 4],
      [4 * 16 + 6, 7 * 16 + 7],
    ]) {
      const disk = await closed();
      const index = disk.read(index0);
      flip(disk, log0, 3 * 80 + 70);
      for (const at of bits) flip(disk, index0, at, 0x20);
      const { harness, partition } = reopen(disk);
      expect(await offsetsOf(partition, { kind: "offset", offset: 3 }, 1)).toEqual([4]);
      expect(await offsetsOf(partition, { kind: "offset", offset: 2 }, 6)).toEqual([2]);
      expect(await consume(partition, 4)).toEqual([0, 1, 2, ...range(4, 12)]);
      expect(Buffer.compare(disk.read(index0), index)).toBe(0);
      expect(errors(harness)).toHaveLength(1);
    }
  });

  test("whose index cannot be repaired, or whose files are gone, ends a read with 10002", async () => {
    const disk = await closed();
    flip(disk, index0, 2 * 16 + 5);
    const { partition } = reopen(disk);
    disk.fails = (operation, path) => operation === "write" && path === index0;
    await expect(Promise.resolve(partition.read({ kind: "first" }, 5))).rejects.toMatchObject({ code: 10002 });
    disk.fails = () => false;
    expect(await offsetsOf(partition, { kind: "first" }, 5)).toEqual(range(0, 5));
    const { partition: other } = reopen(disk);
    disk.fails = (operation, path) => operation === "remove" && path.startsWith(directory);
    expect(() => other.removeOldestSegments(1)).toThrow();
    expect(await offsetsOf(other, { kind: "first" }, 5)).toEqual(range(0, 5));
  });
});

test("what of a message is damaged, its offset is not given again, also where it was the last one", async () => {
  for (const [path, hits] of [
    [`${directory}/00000000000000000009.log`, [10, 11]],
    [`${directory}/00000000000000000009.log`, [9, 10, 11]],
  ] as const) {
    for (const isIndexLost of [false, true]) {
      const disk = await closed();
      const log = disk.read(path);
      for (const hit of hits) log.fill(0xee, (hit - 9) * 80, (hit - 9) * 80 + 64);
      disk.put(path, log);
      if (isIndexLost) disk.remove(path.replace(".log", ".index"));
      const { harness, partition } = reopen(disk);
      expect(disk.read(path).byteLength).toBe(240);
      await appendNow(harness, partition, [1]);
      expect(partition.counters.currentOffset).toBeGreaterThanOrEqual(12);
      const next = partition.counters.currentOffset;
      expect(await consume(partition, 7)).toEqual([...range(0, hits[0]), next]);
      await partition.close();
      expect(await consume(reopen(disk).partition, 7)).toEqual([...range(0, hits[0]), next]);
    }
  }
});
