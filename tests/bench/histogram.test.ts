import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Histogram, relativeErrorMax } from "../../src/bench/histogram.ts";

const percents = [0, 1, 25, 50, 90, 99, 99.9, 100];

/** Nearest rank on the sorted values. */
function exactPercentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length - 1e-9)) - 1]!;
}

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

const micros = fc.oneof(
  fc.nat(300),
  fc.nat(100_000),
  fc.integer({ min: 0, max: 2 ** 31 }),
  fc.integer({ min: 2 ** 31, max: 2 ** 32 - 1 }),
);
const someValues = fc.array(micros, { minLength: 1, maxLength: 300 });

describe("percentiles", () => {
  test("are never below the exact ones and at most the stated error above", () => {
    fc.assert(
      fc.property(someValues, (values) => {
        const histogram = histogramOf(values);
        const sorted = values.toSorted((a, b) => a - b);
        for (const percent of percents) {
          const exact = exactPercentile(sorted, percent);
          const found = histogram.percentileMicros(percent);
          expect(found).toBeGreaterThanOrEqual(exact);
          expect(found).toBeLessThanOrEqual(exact * (1 + relativeErrorMax));
        }
      }),
    );
  });

  test("up to 255 µs are exact", () => {
    for (let value = 0; value < 256; value++) {
      expect(histogramOf([value, 100_000]).percentileMicros(50)).toBe(value);
    }
  });

  test("count, minimum, maximum and mean are exact", () => {
    fc.assert(
      fc.property(someValues, (values) => {
        const histogram = histogramOf(values);
        expect(histogram.count).toBe(values.length);
        expect(histogram.minMicros).toBe(Math.min(...values));
        expect(histogram.maxMicros).toBe(Math.max(...values));
        expect(histogram.meanMicros).toBeCloseTo(values.reduce((a, b) => a + b, 0) / values.length, 3);
      }),
    );
  });
});

test("histograms that are added up are the histogram of all values", () => {
  fc.assert(
    fc.property(fc.array(someValues, { maxLength: 5 }), (groups) => {
      const merged = new Histogram();
      for (const values of groups) merged.merge(JSON.parse(JSON.stringify(histogramOf(values).toData())));
      expect(merged.toData()).toEqual(histogramOf(groups.flat()).toData());
    }),
  );
});

test("an empty histogram is all zeros", () => {
  const empty = new Histogram();
  empty.merge(new Histogram().toData());
  expect([empty.count, empty.minMicros, empty.maxMicros, empty.meanMicros, empty.percentileMicros(99)]).toEqual([
    0, 0, 0, 0, 0,
  ]);
});

test("values outside the range count as its ends", () => {
  const histogram = histogramOf([-5, 2 ** 40]);
  expect([histogram.minMicros, histogram.maxMicros]).toEqual([0, 2 ** 32 - 1]);
});
