import { expect, test } from "bun:test";
import fc from "fast-check";
import { isStale } from "../../src/server/heartbeat.ts";
import { Sessions } from "../../src/server/index.ts";
import { startShards } from "../shard/setup.ts";

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

test("after a pause of the process the pings that wait are read before anybody is dropped", async () => {
  const shards = startShards();
  const clock = { micros: heartbeatMicros, nowMicros: () => clock.micros };
  const onFailure = (error: unknown) => {
    throw error;
  };
  const sessions = new Sessions({ shard: shards.shards[0].shard, clock, onFailure });
  const [pings, silent] = ["a:1", "a:2"].map((address) => sessions.open("tcp", address));
  expect(sessions.dropStale(intervalMicros)).toBe(0);
  clock.micros += 9_000_000;
  expect(sessions.dropStale(intervalMicros)).toBe(0);
  sessions.pinged(pings!);
  clock.micros += intervalMicros;
  expect(sessions.dropStale(intervalMicros)).toBe(1);
  expect([pings!, silent!].map(({ isRecordGone }) => isRecordGone)).toEqual([false, true]);
  await shards.close();
});
