import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LoginThrottle } from "../../src/server/login-throttle.ts";

const start = 1_750_000_000_000;

function failTimes(throttle: LoginThrottle, address: string, count: number, nowMs = start): void {
  for (let failure = 0; failure < count; failure++) throttle.failed(address, nowMs);
}

describe("the delay", () => {
  test("is none for three failures, then 100 ms, twice as much for each, and 5 s at most", () => {
    const throttle = new LoginThrottle();
    const delays = Array.from({ length: 13 }, () => {
      const delayMs = throttle.delayMs("10.0.0.1", start);
      throttle.failed("10.0.0.1", start);
      return delayMs;
    });
    expect(delays).toEqual([0, 0, 0, 0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  });

  test("is that of the address alone", () => {
    const throttle = new LoginThrottle();
    failTimes(throttle, "10.0.0.1", 20);
    failTimes(throttle, "[::1]", 4);
    expect(throttle.delayMs("10.0.0.1", start)).toBe(5000);
    expect(throttle.delayMs("[::1]", start)).toBe(100);
    expect(throttle.delayMs("10.0.0.2", start)).toBe(0);
  });

  test("falls with each quiet minute, and is gone after two, however many failures there were", () => {
    const throttle = new LoginThrottle();
    failTimes(throttle, "a", 1000);
    expect(throttle.delayMs("a", start + 59_999)).toBe(5000);
    expect(throttle.delayMs("a", start + 60_000)).toBe(200);
    expect(throttle.delayMs("a", start + 119_999)).toBe(200);
    expect(throttle.delayMs("a", start + 120_000)).toBe(0);
    throttle.failed("a", start + 60_000);
    expect(throttle.delayMs("a", start + 60_000)).toBe(400);
    expect(throttle.delayMs("a", start + 24 * 3_600_000)).toBe(0);
  });

  test("does not fall when the clock is set back", () => {
    const throttle = new LoginThrottle();
    failTimes(throttle, "a", 5);
    expect(throttle.delayMs("a", start - 3_600_000)).toBe(200);
  });

  test("is gone after a success", () => {
    const throttle = new LoginThrottle();
    failTimes(throttle, "a", 9);
    throttle.succeeded("a");
    expect(throttle.delayMs("a", start)).toBe(0);
    expect(throttle.size).toBe(0);
    throttle.succeeded("never seen");
  });
});

describe("the table", () => {
  test("remembers 10,000 addresses; the one that failed longest ago makes room", () => {
    const throttle = new LoginThrottle();
    for (let address = 0; address < 10_000; address++) failTimes(throttle, `${address}`, 4);
    throttle.failed("0", start); // not the oldest any more
    expect(throttle.size).toBe(10_000);
    throttle.failed("new", start);
    expect(throttle.size).toBe(10_000);
    expect(throttle.delayMs("1", start)).toBe(0);
    expect(throttle.delayMs("0", start)).toBe(200);
    expect(throttle.delayMs("2", start)).toBe(100);
    for (let address = 0; address < 20_000; address++) throttle.failed(`other-${address}`, start);
    expect(throttle.size).toBe(10_000);
  });
});

test("any failures, successes and pauses: delays are within bounds, grow only by failures and are free after a success", () => {
  const step = fc.record({
    address: fc.constantFrom("a", "b", "c"),
    kind: fc.constantFrom("failed", "failed", "failed", "succeeded", "pause"),
    pauseMs: fc.nat({ max: 200_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const throttle = new LoginThrottle();
      const failures = new Map<string, number>();
      let nowMs = start;
      for (const { address, kind, pauseMs } of steps) {
        const before = throttle.delayMs(address, nowMs);
        if (kind === "pause") nowMs += pauseMs;
        if (kind === "succeeded") {
          throttle.succeeded(address);
          failures.set(address, 0);
        }
        if (kind === "failed") {
          throttle.failed(address, nowMs);
          failures.set(address, (failures.get(address) ?? 0) + 1);
        }
        const after = throttle.delayMs(address, nowMs);
        if (kind === "failed") {
          expect(after).toBeGreaterThanOrEqual(before);
          if (before > 0 && before < 5000) expect(after).toBe(Math.min(5000, 2 * before));
        } else expect(after).toBeLessThanOrEqual(before);
        if (kind === "succeeded" || (failures.get(address) ?? 0) <= 3) expect(after).toBe(0);
        expect(after === 0 || (after >= 100 && after <= 5000)).toBe(true);
      }
    }),
  );
});
