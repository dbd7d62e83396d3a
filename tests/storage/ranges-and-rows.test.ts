import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FileCache } from "../../src/storage/file-cache.ts";
import { RowBlock, rowsPerChunk } from "../../src/storage/row-block.ts";
import { RowRanges } from "../../src/storage/row-ranges.ts";
import { SegmentIndex } from "../../src/storage/segment-index.ts";
import { VerifiedRanges } from "../../src/storage/verified-ranges.ts";
import { range } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

/** Rows whose fields all follow from their number. */
function makeRows(from: number, to: number): Uint8Array {
  const view = new DataView(new ArrayBuffer((to - from) * 16));
  for (let row = from; row < to; row++) {
    view.setUint32((row - from) * 16, row, true);
    view.setUint32((row - from) * 16 + 4, (row + 1) * 10, true);
    view.setBigUint64((row - from) * 16 + 8, BigInt(Math.floor(row / 3) * 1000), true);
  }
  return new Uint8Array(view.buffer);
}

describe("verified ranges", () => {
  test("never claim a byte that was not added, and forget only when there are many", () => {
    const span = fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 15 }));
    fc.assert(
      fc.property(fc.array(span, { maxLength: 40 }), fc.integer({ min: 0, max: 80 }), (spans, tailPosition) => {
        const ranges = new VerifiedRanges(tailPosition);
        const model = new Set<number>();
        for (const [start, size] of spans) {
          ranges.add(start, start + size);
          for (const byte of range(start, start + size)) model.add(byte);
          expect(ranges.contains(start, start + size)).toBe(true);
        }
        for (let start = 0; start < 80; start++) {
          for (const size of [1, 3, 20]) {
            const all = range(start, start + size).every((byte) => model.has(byte) || byte >= tailPosition);
            if (ranges.contains(start, start + size)) expect(all).toBe(true);
            else if (spans.length <= 8) expect(all).toBe(false);
          }
        }
      }),
    );
  });

  test("nothing is verified after clear", () => {
    const ranges = new VerifiedRanges(10);
    ranges.clear();
    expect(ranges.contains(20, 30)).toBe(false);
    ranges.add(20, 30);
    expect(ranges.contains(20, 30)).toBe(true);
    expect(ranges.contains(20, 31)).toBe(false);
  });
});

describe("row ranges", () => {
  test("know exactly the rows that were added, and count those that are new", () => {
    const span = fc.tuple(fc.nat(60), fc.nat(12));
    fc.assert(
      fc.property(fc.array(span, { maxLength: 30 }), (spans) => {
        const ranges = new RowRanges();
        const model = new Set<number>();
        for (const [start, size] of spans) {
          const fresh = range(start, start + size).filter((row) => !model.has(row));
          expect(ranges.add(start, start + size)).toBe(fresh.length);
          for (const row of fresh) model.add(row);
        }
        for (const row of range(0, 80)) {
          const end = range(row, 81).find((later) => !model.has(later));
          expect(ranges.endFrom(row)).toBe(end!);
          const first = range(row, 81).find((later) => model.has(later));
          expect(ranges.firstFrom(row)).toBe(first ?? Number.POSITIVE_INFINITY);
        }
      }),
    );
  });
});

describe("row block", () => {
  test("rows appended in any portions, cut back anywhere, are the rows that were given", () => {
    const step = fc.tuple(fc.integer({ min: 0, max: 6000 }), fc.integer({ min: 0, max: 5000 }));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9000 }), fc.array(step, { maxLength: 6 }), (start, steps) => {
        const block = new RowBlock();
        let end = start;
        for (const [count, cut] of steps) {
          block.append(end, makeRows(end, end + count), 0, count);
          end += count;
          end = Math.max(start, end - cut);
          block.truncate(end);
        }
        if (end > start) {
          expect(Buffer.compare(Buffer.concat(block.views(start, end)), makeRows(start, end))).toBe(0);
        }
        expect(block.chunkOf(end)).toBeUndefined();
        if (start > 0) expect(block.chunkOf(start - 1)).toBeUndefined();
      }),
      { numRuns: 30 },
    );
  });
});

describe.each([true, false])("segment index, keeping rows: %p", (keep) => {
  function makeIndex() {
    const disk = new MemoryDisk();
    const files = new FileCache(disk, 10);
    const index = new SegmentIndex(files, "", "0.index", keep);
    files.create(index.file);
    return { disk, index };
  }

  test("rows are found whether they wait, are in the file, or were there before", () => {
    const { disk, index } = makeIndex();
    const total = 2 * rowsPerChunk + 500;
    disk.put("/1.index", makeRows(0, rowsPerChunk + 100));
    const reopened = new SegmentIndex(new FileCache(disk, 10), "", "1.index", keep);
    reopened.adopt(rowsPerChunk + 100);
    for (const tested of [index, reopened]) {
      for (let row = tested.rowsCount; row < total; ) {
        const count = Math.min(700, total - row);
        tested.append(makeRows(row, row + count), 0, count);
        row += count;
        if (row % 1400 === 0) tested.writeUpTo(row);
      }
      for (const row of [0, 1, 99, rowsPerChunk - 1, rowsPerChunk, rowsPerChunk + 99, rowsPerChunk + 100, total - 1]) {
        expect(tested.endPosition(row)).toBe((row + 1) * 10);
        expect(tested.startPosition(row)).toBe(row * 10);
        expect(tested.relativeOffset(row)).toBe(row);
        expect(tested.timestampMicros(row)).toBe(Math.floor(row / 3) * 1000);
      }
      tested.writeUpTo(total);
      expect(tested.pendingBytes(total)).toBe(0);
    }
    expect(Buffer.compare(disk.read("/0.index"), makeRows(0, total))).toBe(0);
    expect(Buffer.compare(disk.read("/1.index"), makeRows(0, total))).toBe(0);
  });

  test("searches by time and by position", () => {
    const { index } = makeIndex();
    index.append(makeRows(0, 100), 0, 100);
    index.writeUpTo(50);
    expect(index.firstRowAtOrAfter(0, 100)).toBe(0);
    expect(index.firstRowAtOrAfter(1, 100)).toBe(3);
    expect(index.firstRowAtOrAfter(10_000, 100)).toBe(30);
    expect(index.firstRowAtOrAfter(1e9, 100)).toBe(100);
    expect(index.firstRowAtOrAfter(10_000, 20)).toBe(20);
    expect(index.lastRowEndingBy(95, 0, 100)).toBe(8);
    expect(index.lastRowEndingBy(100, 0, 100)).toBe(9);
    expect(index.lastRowEndingBy(5, 40, 100)).toBe(40);
  });
});
