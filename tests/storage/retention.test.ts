import { describe, expect, test } from "bun:test";
import { appendNow, directory, makeHarness, offsetsOf, range } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

const consumer = { kind: "consumer", id: 5 } as const;
const group = { kind: "group", id: 1 } as const;

/** Segments 0, 2, 4 and 6 of two messages each; the last one is active and holds one. */
async function filled() {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk, { segmentSizeBytes: 100 });
  const partition = harness.open();
  for (let number = 0; number < 7; number++) await appendNow(harness, partition, [36], number);
  expect(partition.counters.segmentsCount).toBe(4);
  return { disk, harness, partition };
}

describe("removing the oldest segments", () => {
  test("takes that many, files and counters with them; messages keep their offsets", async () => {
    const { disk, partition } = await filled();
    expect(partition.removeOldestSegments(2)).toBe(2);
    expect(disk.list(directory).filter((name) => name.endsWith(".log")).length).toBe(2);
    expect(disk.list(directory).filter((name) => name.endsWith(".index")).length).toBe(2);
    expect(partition.counters).toEqual({
      segmentsCount: 2,
      currentOffset: 6,
      hasMessages: true,
      sizeBytes: 300,
      messagesCount: 3,
    });
    expect(await offsetsOf(partition, { kind: "offset", offset: 0 }, 10)).toEqual([4, 5, 6]);
    await partition.close();
    const reopened = makeHarness(disk).open();
    expect(await offsetsOf(reopened, { kind: "first" }, 10)).toEqual([4, 5, 6]);
  });

  test("none for 0; never the active one, however many are asked for", async () => {
    const { harness, partition } = await filled();
    expect(partition.removeOldestSegments(0)).toBe(0);
    expect(partition.removeOldestSegments(100)).toBe(3);
    expect(partition.removeOldestSegments(100)).toBe(0);
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([6]);
    await appendNow(harness, partition, [1], 7);
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([6, 7]);
  });

  test("a consumer or group that has not read a segment to its end keeps it, with a warning", async () => {
    const { harness, partition } = await filled();
    partition.storeOffset(consumer, 6);
    partition.storeOffset(group, 2);
    expect(partition.removeOldestSegments(100)).toBe(1);
    expect(partition.oldestRemovableSegment()).toBeUndefined();
    const kept = harness.logged.filter((line) => line.includes("segment kept"));
    expect(kept.length).toBeGreaterThan(0);
    for (const line of kept) expect(line).toContain('"group":1,"storedOffset":2,"segments":2');
    partition.storeOffset(group, 3);
    expect(partition.removeOldestSegments(100)).toBe(1);
    partition.deleteOffset(group);
    expect(partition.removeOldestSegments(100)).toBe(1);
  });

  test("who keeps segments is told once it was tried, and until it has read the oldest one", async () => {
    const { partition } = await filled();
    partition.storeOffset(consumer, 0);
    partition.storeOffset(group, 2);
    expect(partition.segmentHolder).toBeUndefined();
    partition.removeOldestSegments(1);
    expect(partition.segmentHolder).toEqual({ ...consumer, storedOffset: 0, segmentsCount: 3 });
    partition.storeOffset(consumer, 1);
    expect(partition.segmentHolder).toBeUndefined();
    partition.removeOldestSegments(100);
    expect(partition.segmentHolder).toEqual({ ...consumer, storedOffset: 1, segmentsCount: 2 });
    partition.storeOffset(consumer, 6);
    expect(partition.segmentHolder).toEqual({ ...group, storedOffset: 2, segmentsCount: 2 });
    partition.deleteOffset(group);
    expect(partition.segmentHolder).toBeUndefined();
  });

  test("when all that is left is an empty active segment, offsets go on behind it", async () => {
    const { disk, harness, partition } = await filled();
    await appendNow(harness, partition, [36], 7);
    expect(partition.removeOldestSegments(100)).toBe(4);
    expect(partition.counters).toMatchObject({ currentOffset: 7, hasMessages: true, messagesCount: 0, sizeBytes: 0 });
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([]);
    await partition.close();
    const again = makeHarness(disk);
    const reopened = again.open();
    expect(reopened.counters.currentOffset).toBe(7);
    await appendNow(again, reopened, [1], 8);
    expect(await offsetsOf(reopened, { kind: "first" }, 10)).toEqual([8]);
  });
});

test("expired segments are those whose newest message is old enough", async () => {
  const { harness, partition } = await filled();
  const oldest = partition.oldestRemovableSegment();
  if (oldest === undefined) throw new Error("expected a removable segment");
  expect(oldest.sizeBytes).toBe(200);
  expect(oldest.endOffset).toBe(2);
  expect(oldest.lastTimestampMicros).toBeGreaterThan(oldest.firstTimestampMicros);
  harness.clock.micros = oldest.lastTimestampMicros + 10_000_000 - 1000; // the clock steps by 1000
  expect(partition.removeExpiredSegments(10_000_001)).toBe(0);
  harness.clock.micros = oldest.lastTimestampMicros + 10_000_000 - 1000;
  expect(partition.removeExpiredSegments(10_000_000)).toBe(1);
  harness.clock.micros += 1e12;
  expect(partition.removeExpiredSegments(10_000_000)).toBe(2);
  expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([6]);
});

test("a segment of one message takes its message off the count (spec SB 13, trap 28)", async () => {
  const disk = new MemoryDisk();
  const first = makeHarness(disk);
  const partition = first.open();
  await appendNow(first, partition, [36]);
  await partition.close();
  disk.open(`${directory}/00000000000000000001.log`, "create").close();
  const reopened = makeHarness(disk).open();
  expect(reopened.counters).toMatchObject({ segmentsCount: 2, messagesCount: 1, sizeBytes: 100 });
  expect(reopened.oldestRemovableSegment()).toMatchObject({ sizeBytes: 100, endOffset: 1 });
  expect(reopened.removeOldestSegments(1)).toBe(1);
  expect(reopened.counters).toMatchObject({ segmentsCount: 1, messagesCount: 0, sizeBytes: 0, currentOffset: 0 });
});

test("what expired is removed in steps where a count is given", async () => {
  const { harness, partition } = await filled();
  harness.clock.micros += 1e12;
  expect(partition.removeExpiredSegments(1, 0)).toBe(0);
  expect(partition.removeExpiredSegments(1, 2)).toBe(2);
  expect(partition.removeExpiredSegments(1, 2)).toBe(1);
});

test("a cleaner that asks again and again is told of a blocked segment once, a command each time", async () => {
  const { harness, partition } = await filled();
  partition.storeOffset(consumer, 0);
  const warnings = () => harness.logged.filter((line) => line.includes("segment kept")).length;
  for (let round = 0; round < 3; round++) expect(partition.oldestRemovableSegment()).toBeUndefined();
  harness.clock.micros += 1e12;
  expect(partition.removeExpiredSegments(1)).toBe(0);
  expect(warnings()).toBe(1);
  for (let round = 0; round < 2; round++) expect(partition.removeOldestSegments(2)).toBe(0);
  expect(warnings()).toBe(3);
});

test("a read under way keeps its file, and one that waits for a check goes on with what is left", async () => {
  const { disk, partition } = await filled();
  const result = await partition.read({ kind: "first" }, 1);
  partition.removeOldestSegments(1);
  const [part] = result.parts;
  if (part?.kind !== "file") throw new Error("expected a file part");
  expect(part.file.read(new Uint8Array(100), part.position)).toBe(100);
  result.release();
  await partition.close();
  const reopened = makeHarness(disk).open();
  const reading = offsetsOf(reopened, { kind: "first" }, 10);
  reopened.removeOldestSegments(1);
  expect(await reading).toEqual(range(4, 7));
});

test("an index whose log is gone is removed at the next open", async () => {
  const { disk, partition } = await filled();
  await partition.close();
  disk.remove(`${directory}/00000000000000000000.log`);
  makeHarness(disk).open();
  expect(disk.exists(`${directory}/00000000000000000000.index`)).toBe(false);
});

describe("a removal that fails half-way", () => {
  const log0 = `${directory}/00000000000000000000.log`;
  const index0 = `${directory}/00000000000000000000.index`;

  test("leaves the segment as it was where the log cannot go: listed, read and checked, also after a restart", async () => {
    const { disk, partition } = await filled();
    await partition.close();
    const harness = makeHarness(disk, { segmentSizeBytes: 100 });
    const reopened = harness.open(); // nothing is checked yet
    disk.fails = (operation, path) => operation === "remove" && path === log0 && "EPERM";
    expect(() => reopened.removeOldestSegments(2)).toThrow();
    expect(reopened.counters).toMatchObject({ segmentsCount: 4, messagesCount: 7 });
    expect(await offsetsOf(reopened, { kind: "first" }, 10)).toEqual(range(0, 7));
    expect(await offsetsOf(makeHarness(disk.copy()).open(), { kind: "first" }, 10)).toEqual(range(0, 7));
    disk.fails = () => false;
    expect(reopened.removeOldestSegments(2)).toBe(2);
    expect(await offsetsOf(reopened, { kind: "first" }, 10)).toEqual(range(4, 7));
  });

  test("takes the segment away with its log; an index that stays is no segment, and goes at the next start", async () => {
    const { disk, harness, partition } = await filled();
    disk.fails = (operation, path) => operation === "remove" && path === index0;
    expect(partition.removeOldestSegments(1)).toBe(1);
    expect(partition.counters.segmentsCount).toBe(3);
    expect(await offsetsOf(partition, { kind: "offset", offset: 0 }, 10)).toEqual(range(2, 7));
    expect(harness.logged.some((line) => line.includes("index of a removed segment"))).toBe(true);
    disk.fails = () => false;
    await partition.close();
    const reopened = makeHarness(disk).open();
    expect(await offsetsOf(reopened, { kind: "first" }, 10)).toEqual(range(2, 7));
    expect(disk.exists(index0)).toBe(false);
  });
});
