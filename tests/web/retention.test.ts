// Limits as people choose them and as the broker takes them, and what would go with them.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  choiceOf,
  foresee,
  limitOf,
  type Segment,
  sizeUnits,
  timeUnits,
  unlimited,
} from "../../src/web/data/retention.ts";

describe("a limit", () => {
  test("that is whole in some unit is the same after it was shown, any other is rounded up", () => {
    for (const units of [timeUnits, sizeUnits]) {
      const least = Object.values(units).reduce((left, right) => (left < right ? left : right));
      const value = fc.bigInt({ min: 0n, max: 10n ** 6n }).map((times) => times * least);
      fc.assert(fc.property(value, (given) => expect(limitOf(choiceOf(given, units), units)).toBe(given)));
      fc.assert(
        fc.property(fc.bigInt({ min: 1n, max: 10n ** 18n }), (given) => {
          const shown = limitOf(choiceOf(given, units), units)!;
          expect(shown).toBeGreaterThanOrEqual(given);
          expect(shown - given).toBeLessThan(least);
        }),
      );
      expect(limitOf(choiceOf(unlimited, units), units)).toBe(unlimited);
    }
  });

  test.each(["", "0", "-1", "1.5", "ten", "99999999999999999999"])("written as %p is none", (amount) => {
    expect(limitOf({ kind: "limit", amount, unit: "days" }, timeUnits)).toBeUndefined();
  });

  test("is read in its unit", () => {
    expect(limitOf({ kind: "limit", amount: "7", unit: "days" }, timeUnits)).toBe(604_800_000_000n);
    expect(choiceOf(90n * 60_000_000n, timeUnits)).toEqual({ kind: "limit", amount: "90", unit: "minutes" });
    expect(choiceOf(1024n ** 3n, sizeUnits)).toEqual({ kind: "limit", amount: "1", unit: "GB" });
  });
});

describe("what would go", () => {
  const full = (lastMicros: bigint, bytes = 100n): Segment => ({ messages: 10n, bytes, lastMicros, isSealed: true });
  const open: Segment = { messages: 1n, bytes: 5n, lastMicros: 0n, isSealed: false };
  const nothing = { segments: 0, messages: 0n, bytes: 0n };
  const limits = { nowMicros: 1_000n, expiry: 300n, limit: unlimited, sizeBytes: 505n };

  test("is full and too old, of each partition the oldest", () => {
    const partitions = [[full(100n), full(750n), full(800n), open], [full(701n), open], [open], []];
    expect(foresee(partitions, limits)).toEqual({
      expired: { segments: 1, messages: 10n, bytes: 100n },
      surplus: nothing,
      nextMicros: 701n + 300n,
    });
    expect(foresee(partitions, { ...limits, nowMicros: 1_001n }).expired.segments).toBe(2);
    expect(foresee([[open], [open]], limits)).toEqual({ expired: nothing, surplus: nothing, nextMicros: undefined });
    // A segment behind one that stays stays, too.
    expect(foresee([[full(900n), full(100n)]], limits).expired).toEqual(nothing);
  });

  test("for its size is the oldest of all, until the topic is small enough", () => {
    const partitions = [
      [full(100n), full(300n), open],
      [full(200n, 50n), open],
    ];
    const forecast = (limit: bigint, expiry = unlimited) =>
      foresee(partitions, { nowMicros: 1_000n, expiry, limit, sizeBytes: 260n });
    expect(forecast(260n).surplus).toEqual(nothing);
    expect(forecast(160n).surplus).toEqual({ segments: 1, messages: 10n, bytes: 100n });
    expect(forecast(159n).surplus).toEqual({ segments: 2, messages: 20n, bytes: 150n });
    // What is being written to stays, however large the topic is.
    expect(forecast(1n).surplus).toEqual({ segments: 3, messages: 30n, bytes: 250n });
    // What is too old goes first, and makes it smaller.
    expect(forecast(160n, 800n)).toMatchObject({ expired: { segments: 2 }, surplus: nothing, nextMicros: 1_100n });
  });
});
