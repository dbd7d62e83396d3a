import { describe, expect, test } from "bun:test";
import { Affinity } from "../../src/server/affinity.ts";

/** Requests in a row for shard 1 until the connection should move; undefined after `most`. */
function runUntilMove(affinity: Affinity, most: number): number | undefined {
  for (let count = 1; count <= most; count++) {
    affinity.note(1);
    if (affinity.target() !== undefined) return count;
  }
  return undefined;
}

describe("a connection", () => {
  test("moves after a few requests in a row for one other shard", () => {
    const affinity = new Affinity(0);
    expect(affinity.target()).toBeUndefined();
    expect(runUntilMove(affinity, 100)).toBe(4);
    expect(affinity.target()).toBe(1);
  });

  test("stays while its requests are for its own shard, or go back and forth", () => {
    const affinity = new Affinity(0);
    for (let count = 0; count < 1000; count++) {
      affinity.note(undefined);
      expect(affinity.target()).toBeUndefined();
    }
    for (let count = 0; count < 1000; count++) {
      affinity.note([1, 2, undefined][count % 3]);
      expect(affinity.target()).toBeUndefined();
    }
  });

  test("one request elsewhere starts the count again", () => {
    for (const interruption of [undefined, 2]) {
      const affinity = new Affinity(0);
      for (let count = 0; count < 3; count++) affinity.note(1);
      affinity.note(interruption);
      expect(affinity.target()).toBeUndefined();
      expect(runUntilMove(affinity, 100)).toBe(4);
    }
  });

  test("needs twice the run after each move, up to a bound", () => {
    expect([1, 2, 3, 10].map((moves) => runUntilMove(new Affinity(moves), 100_000))).toEqual([8, 16, 32, 4096]);
    for (const moves of [14, 20, 1000, 1_000_000_000]) expect(runUntilMove(new Affinity(moves), 100_000)).toBe(65_536);
  });

  test("that could not move stays for good", () => {
    const affinity = new Affinity(0);
    runUntilMove(affinity, 100);
    affinity.stay();
    expect(affinity.target()).toBeUndefined();
    expect(runUntilMove(affinity, 100_000)).toBeUndefined();
  });
});
