import { expect, test } from "bun:test";
import { createSystemClock, monotonicClock, systemClock } from "../../src/platform/clock.ts";

test("the system clock counts whole microseconds and agrees with Date", () => {
  const before = Date.now();
  const micros = systemClock.nowMicros();
  expect(Number.isSafeInteger(micros)).toBe(true);
  // It may be two milliseconds away from the wall clock, and the wall clock has whole ones.
  expect(micros / 1000).toBeGreaterThan(before - 3);
  expect(micros / 1000).toBeLessThan(Date.now() + 3);
});

test("the system clock is finer than a millisecond", () => {
  const times = new Set<number>();
  for (let reading = 0; reading < 20_000; reading++) times.add(systemClock.nowMicros() % 1000);
  expect(times.size).toBeGreaterThan(10);
});

test("between two steps of the wall clock, time goes on by the fine clock", () => {
  let fineMs = 100;
  const clock = createSystemClock(
    () => 5_000,
    () => fineMs,
  );
  expect(clock.nowMicros()).toBe(5_000_000);
  fineMs += 0.25;
  expect(clock.nowMicros()).toBe(5_000_250);
});

test.each([3_600_000, -3_600_000, 5, -5])("a wall clock set by %d ms is followed", (stepMs) => {
  let wallMs = 1_750_000_000_000;
  let fineMs = 0;
  const clock = createSystemClock(
    () => wallMs,
    () => fineMs,
  );
  wallMs += stepMs;
  fineMs += 1;
  expect(Math.abs(clock.nowMicros() - wallMs * 1000)).toBeLessThanOrEqual(2000);
  fineMs += 0.5;
  expect(Math.abs(clock.nowMicros() - wallMs * 1000)).toBeLessThanOrEqual(2000);
});

test("a fine clock that drifts stays within two milliseconds of the wall clock", () => {
  let wallMs = 1_750_000_000_000;
  let fineMs = 0;
  const clock = createSystemClock(
    () => Math.floor(wallMs),
    () => fineMs,
  );
  for (let step = 0; step < 10_000; step++) {
    wallMs += 1;
    fineMs += 1.01;
    expect(Math.abs(clock.nowMicros() - wallMs * 1000)).toBeLessThanOrEqual(2000);
  }
});

test("the clock for ages does not notice that the time is set", () => {
  const now = Date.now;
  const before = monotonicClock.nowMicros();
  Date.now = () => now() + 3_600_000;
  const after = monotonicClock.nowMicros();
  const set = systemClock.nowMicros();
  Date.now = now;
  expect(after).toBeGreaterThanOrEqual(before);
  expect(after - before).toBeLessThan(60e6);
  expect(set - before).toBeGreaterThan(3_000e6);
});
