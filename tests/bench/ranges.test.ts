import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { addRange, compareRanges, type OffsetRange } from "../../src/bench/ranges.ts";

function rangesOf(...polls: readonly [partitionId: number, firstOffset: number, endOffset: number][]): OffsetRange[] {
  const ranges: OffsetRange[] = [];
  for (const poll of polls) addRange(ranges, ...poll);
  return ranges;
}

test("polls that continue each other are one run, for each partition", () => {
  expect(rangesOf([0, 0, 5], [1, 0, 3], [0, 5, 9], [1, 4, 6])).toEqual([
    { partitionId: 0, firstOffset: 0, endOffset: 9 },
    { partitionId: 1, firstOffset: 0, endOffset: 3 },
    { partitionId: 1, firstOffset: 4, endOffset: 6 },
  ]);
});

describe("the members' runs compared", () => {
  test("are fine if each message came once, to whomever", () => {
    const ranges = [...rangesOf([0, 0, 5], [0, 9, 12], [1, 0, 2]), ...rangesOf([0, 5, 9], [1, 2, 3])];
    expect(compareRanges(ranges)).toEqual({ gaps: 0, duplicates: 0 });
  });

  test("show what no member got", () => {
    expect(compareRanges([...rangesOf([0, 2, 5]), ...rangesOf([0, 8, 9], [3, 1, 2])])).toEqual({
      gaps: 6,
      duplicates: 0,
    });
  });

  test("show what came twice, also from runs inside others", () => {
    const ranges = [...rangesOf([0, 0, 10]), ...rangesOf([0, 3, 5]), ...rangesOf([0, 8, 12])];
    expect(compareRanges(ranges)).toEqual({ gaps: 0, duplicates: 4 });
  });

  test("count as a plain count of every offset does", () => {
    const run = fc.tuple(fc.nat(2), fc.nat(30), fc.integer({ min: 1, max: 10 }));
    fc.assert(
      fc.property(fc.array(run, { maxLength: 12 }), (runs) => {
        const times = new Map<number, Map<number, number>>();
        const ranges = runs.map(([partitionId, firstOffset, count]) => {
          const counts = times.get(partitionId) ?? new Map<number, number>();
          times.set(partitionId, counts);
          for (let index = 0; index < count; index++) {
            counts.set(firstOffset + index, (counts.get(firstOffset + index) ?? 0) + 1);
          }
          return { partitionId, firstOffset, endOffset: firstOffset + count };
        });
        let gaps = 0;
        let duplicates = 0;
        for (const counts of times.values()) {
          gaps += Math.max(...counts.keys()) + 1 - counts.size;
          for (const count of counts.values()) duplicates += count - 1;
        }
        expect(compareRanges(ranges)).toEqual({ gaps, duplicates });
      }),
    );
  });
});
