import { expect, test } from "bun:test";
import { FramePace } from "../../src/transport/frame-pace.ts";
import { heldFrameMs, slowestBytesPerMs, stalledFrameMs } from "../../src/transport/session-limits.ts";

const mebibyte = 1024 * 1024;

test("a burst is no credit: what stands still is too slow ten seconds later", () => {
  const pace = new FramePace();
  pace.begin(0);
  expect(pace.isTooSlow(1000, 0, 250 * mebibyte)).toBe(false);
  expect(pace.isTooSlow(1000 + stalledFrameMs - 1, 0, 250 * mebibyte)).toBe(false);
  expect(pace.isTooSlow(1000 + stalledFrameMs, 0, 250 * mebibyte)).toBe(true);
});

test("the slowest pace is enough, for a minute in which others wait", () => {
  const pace = new FramePace();
  pace.begin(0);
  const shortSinceMs = 200_000;
  for (let nowMs = 1000; nowMs < shortSinceMs + heldFrameMs; nowMs += 1000) {
    expect(pace.isTooSlow(nowMs, shortSinceMs, nowMs * slowestBytesPerMs)).toBe(false);
  }
  expect(pace.isTooSlow(shortSinceMs + heldFrameMs, shortSinceMs, 300_000 * slowestBytesPerMs)).toBe(true);
  // One that had to wait itself begins anew.
  pace.begin(shortSinceMs + heldFrameMs, 300_000 * slowestBytesPerMs);
  expect(pace.isTooSlow(shortSinceMs + heldFrameMs + 1000, shortSinceMs, 301_000 * slowestBytesPerMs)).toBe(false);
});
