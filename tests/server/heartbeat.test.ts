import { expect, test } from "bun:test";
import fc from "fast-check";
import { isStale } from "../../src/server/heartbeat.ts";

const intervalMicros = 5_000_000;
const heartbeatMicros = 1_750_000_000_000_000;

test.each([
  [0, false],
  [5_000_000, false],
  [6_000_000, false],
  [6_000_001, true],
  [3_600_000_000, true],
])("a last ping %d µs ago at an interval of 5 s: stale is %p", (ageMicros, expected) => {
  expect(isStale({ heartbeatMicros }, heartbeatMicros + ageMicros, intervalMicros)).toBe(expected);
});

test("a clock that was set back makes nobody stale", () => {
  expect(isStale({ heartbeatMicros }, heartbeatMicros - 3_600_000_000, intervalMicros)).toBe(false);
});

test("the border is a whole number of microseconds, rounded down, for any interval", () => {
  expect(isStale({ heartbeatMicros: 0 }, 1, 1)).toBe(false);
  expect(isStale({ heartbeatMicros: 0 }, 2, 1)).toBe(true);
  expect(isStale({ heartbeatMicros: 0 }, 8, 7)).toBe(false);
  expect(isStale({ heartbeatMicros: 0 }, 9, 7)).toBe(true);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e12 }), fc.nat({ max: 2e12 }), (interval, ageMicros) => {
      const stale = isStale({ heartbeatMicros }, heartbeatMicros + ageMicros, interval);
      expect(stale).toBe(BigInt(ageMicros) > (BigInt(interval) * 12n) / 10n);
    }),
  );
});
