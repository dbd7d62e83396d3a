// Points over time in the page: what the broker sent, carried on with what it says now.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { continued, niceMax, type Points, pointsOf } from "../../src/web/data/series.ts";

const startMs = 1_000_000;
const reachMs = 60_000;

function pointsWith(values: readonly (number | null)[], name = "clients"): Points {
  return { startMs, stepMs: 10_000, series: { [name]: values }, gaps: [] };
}

test("what the broker sends is in microseconds, as text", () => {
  const reply = {
    start: "1700000000000000",
    step: "5000000",
    series: { a: [1, null] },
    gaps: [["1", "2000"]],
  } as const;
  expect(pointsOf(reply)).toEqual({
    startMs: 1_700_000_000_000,
    stepMs: 5000,
    series: { a: [1, null] },
    gaps: [[0.001, 2]],
  });
});

describe("a sample", () => {
  test("behind the last point is a point, and what was not measured between is unknown", () => {
    const { series } = continued(pointsWith([1, 2]), startMs + 40_000, { clients: 9 }, reachMs);
    expect(series.clients).toEqual([1, 2, null, null, 9]);
  });

  test("within the last point makes its mean with those that came before, of a percentile the highest", () => {
    expect(continued(pointsWith([1, 2]), startMs + 15_000, { clients: 4 }, reachMs).series.clients).toEqual([1, 3]);
    const slow = pointsWith([1, 2], "p99.send");
    expect(continued(slow, startMs + 15_000, { "p99.send": 1 }, reachMs).series["p99.send"]).toEqual([1, 2]);
    expect(continued(slow, startMs + 15_000, { "p99.send": null }, reachMs).series["p99.send"]).toEqual([1, 2]);
  });

  test("takes what is older than the range away, and one of before the first point changes nothing", () => {
    const before = pointsWith([1, 2, 3]);
    const after = continued(before, startMs + 75_000, { clients: 8 }, reachMs);
    expect([after.startMs, after.series.clients]).toEqual([startMs + 10_000, [2, 3, null, null, null, null, 8]]);
    expect(continued(before, startMs - 1, { clients: 8 }, reachMs)).toBe(before);
  });

  test("after sample leaves as many points as the range has", () => {
    const steps = fc.array(fc.integer({ min: 1, max: 30_000 }), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (given) => {
        let points = pointsWith([0]);
        let atMs = startMs;
        for (const step of given) {
          atMs += step;
          points = continued(points, atMs, { clients: 1 }, reachMs);
          expect(points.startMs + points.series.clients!.length * points.stepMs).toBeGreaterThan(atMs);
        }
        expect(points.series.clients!.length).toBeLessThanOrEqual(reachMs / points.stepMs + 1);
      }),
    );
  });
});

test("an axis ends at a round number that nothing is above, and that is not far above", () => {
  const most = fc.double({ min: 1e-6, max: 1e15, noNaN: true });
  fc.assert(
    fc.property(most, fc.boolean(), (value, isBinary) => {
      const end = niceMax(value, isBinary);
      expect(end).toBeGreaterThanOrEqual(value * (1 - 1e-9));
      if (value >= 1) expect(end).toBeLessThanOrEqual(value * 2.5 * (1 + 1e-9));
      const digits = isBinary ? Math.log2(end) % 1 : Number(end.toExponential(6).split("e")[0]);
      expect(isBinary ? [0] : [1, 2, 5]).toContain(digits);
    }),
  );
  expect(niceMax(0, false)).toBe(1);
});
