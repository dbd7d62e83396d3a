import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Failures } from "../../../src/server/logins/failures.ts";

const start = 1_000_000;
const brake = { freeFailures: 3, firstDelayMs: 100, delayMsMax: 5000 };

function failTimes(failures: Failures, key: string, count: number, nowMs = start): void {
  for (let failure = 0; failure < count; failure++) failures.failed(key, nowMs);
}

describe("the delay", () => {
  test("is none for three failures, then 100 ms, twice as much for each, and never above the longest", () => {
    const failures = new Failures(brake);
    const delays = Array.from({ length: 13 }, () => {
      const delayMs = failures.delayMs("a", start);
      expect(failures.readyAtMs("a", start)).toBe(delayMs === 0 ? 0 : start + delayMs);
      failures.failed("a", start);
      return delayMs;
    });
    expect(delays).toEqual([0, 0, 0, 0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  });

  test("is that of the key alone, and is counted from its last failure", () => {
    const failures = new Failures(brake);
    failTimes(failures, "a", 20);
    failTimes(failures, "b", 4, start + 50);
    expect(failures.readyAtMs("a", start + 1000)).toBe(start + 5000);
    expect(failures.readyAtMs("b", start + 1000)).toBe(start + 150);
    expect(failures.readyAtMs("c", start + 1000)).toBe(0);
  });

  test("falls with each quiet minute, and is gone after a few, however many failures there were", () => {
    const failures = new Failures(brake);
    failTimes(failures, "a", 1000);
    expect(failures.delayMs("a", start + 59_999)).toBe(5000);
    expect(failures.delayMs("a", start + 60_000)).toBe(200);
    expect(failures.delayMs("a", start + 119_999)).toBe(200);
    expect(failures.delayMs("a", start + 120_000)).toBe(0);
    failures.failed("a", start + 60_000);
    expect(failures.delayMs("a", start + 60_000)).toBe(400);
    expect(failures.delayMs("a", start + 24 * 3_600_000)).toBe(0);
  });

  test("is gone when its key is forgotten", () => {
    const failures = new Failures(brake);
    failTimes(failures, "a", 9);
    failures.forget("a");
    expect(failures.delayMs("a", start)).toBe(0);
    expect(failures.size).toBe(0);
    failures.forget("never seen");
  });
});

test("10,000 keys are remembered; the one that failed longest ago makes room", () => {
  const failures = new Failures(brake);
  for (let key = 0; key < 10_000; key++) failTimes(failures, `${key}`, 4);
  failures.failed("0", start); // not the oldest any more
  failures.failed("new", start);
  expect(failures.size).toBe(10_000);
  expect(failures.delayMs("1", start)).toBe(0);
  expect(failures.delayMs("0", start)).toBe(200);
  expect(failures.delayMs("2", start)).toBe(100);
});

test("any failures and pauses: delays are within bounds, and grow only by failures", () => {
  const step = fc.record({
    key: fc.constantFrom("a", "b", "c"),
    kind: fc.constantFrom("failed", "failed", "failed", "pause"),
    pauseMs: fc.nat({ max: 200_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const failures = new Failures(brake);
      let nowMs = start;
      for (const { key, kind, pauseMs } of steps) {
        const before = failures.delayMs(key, nowMs);
        if (kind === "pause") nowMs += pauseMs;
        else failures.failed(key, nowMs);
        const after = failures.delayMs(key, nowMs);
        if (kind === "failed" && before > 0 && before < 5000) expect(after).toBe(Math.min(5000, 2 * before));
        if (kind === "failed") expect(after).toBeGreaterThanOrEqual(before);
        else expect(after).toBeLessThanOrEqual(before);
        expect(after === 0 || (after >= 100 && after <= 5000)).toBe(true);
      }
    }),
  );
});
