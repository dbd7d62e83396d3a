import { describe, expect, test } from "bun:test";
import { BusyPoll } from "../../src/transport/busy-poll.ts";

describe("a shard is shared", () => {
  test("never by one client alone, however fast it is", () => {
    const busyPoll = new BusyPoll();
    for (let nowMs = 10; nowMs < 20; nowMs += 0.03) expect(busyPoll.isShared(7, nowMs)).toBe(false);
  });

  test("by two clients that take turns within a millisecond", () => {
    const busyPoll = new BusyPoll();
    expect(busyPoll.isShared(1, 10)).toBe(false);
    expect(busyPoll.isShared(2, 10.3)).toBe(true);
    expect(busyPoll.isShared(2, 10.6)).toBe(true);
    expect(busyPoll.isShared(1, 10.9)).toBe(true);
  });

  test("no longer when one of them has been quiet for a millisecond", () => {
    const busyPoll = new BusyPoll();
    busyPoll.isShared(1, 10);
    busyPoll.isShared(2, 10.3);
    expect(busyPoll.isShared(2, 11.2)).toBe(true);
    expect(busyPoll.isShared(2, 11.4)).toBe(false);
  });

  test("not by clients that are far apart", () => {
    const busyPoll = new BusyPoll();
    for (let turn = 0; turn < 20; turn++) expect(busyPoll.isShared(1 + (turn % 2), 10 + 2 * turn)).toBe(false);
  });
});

describe("a processor is contended", () => {
  test("not while it comes back at once", () => {
    const busyPoll = new BusyPoll();
    for (let nowMs = 10; nowMs < 20; nowMs += 0.1) {
      busyPoll.noteYield(nowMs, nowMs + 0.05);
      expect(busyPoll.isContended(nowMs + 0.05)).toBe(false);
    }
  });

  test("for 200 ms after somebody kept it for longer", () => {
    const busyPoll = new BusyPoll();
    busyPoll.noteYield(10, 13);
    expect(busyPoll.isContended(13)).toBe(true);
    expect(busyPoll.isContended(212.9)).toBe(true);
    expect(busyPoll.isContended(213)).toBe(false);
  });
});
