import { describe, expect, test } from "bun:test";
import { forgetTurns, type GroupTurns, lastPolled, notePolled, takeTurn } from "../../src/server/group-turns.ts";

const key = { streamId: 0, topicId: 1, groupId: 2 };

function take(turns: GroupTurns, partitions: readonly number[], count: number): (number | undefined)[] {
  return Array.from({ length: count }, () => takeTurn(turns, key, partitions));
}

describe("turns", () => {
  test("go round the partitions in the order of the list", () => {
    expect(take(new Map(), [4, 0, 7], 7)).toEqual([4, 0, 7, 4, 0, 7, 4]);
  });

  test("stay within a list that has become shorter, and reach what is new in a longer one", () => {
    const turns: GroupTurns = new Map();
    take(turns, [0, 1, 2, 3], 3);
    expect(take(turns, [0, 1], 2)).toEqual([1, 0]);
    expect(new Set(take(turns, [0, 1, 2, 3, 4], 5))).toEqual(new Set([0, 1, 2, 3, 4]));
  });

  test("are not taken where there is nothing to poll", () => {
    const turns: GroupTurns = new Map();
    take(turns, [0, 1, 2], 2);
    expect(take(turns, [], 3)).toEqual([undefined, undefined, undefined]);
    expect(lastPolled(turns, key)).toBe(1);
    expect(takeTurn(turns, key, [0, 1, 2])).toBe(2);
  });

  test("go on past 2^32 polls", () => {
    const turns: GroupTurns = new Map([["0/1/2", { count: 2 ** 32 - 1, lastPartitionId: 0 }]]);
    expect(take(turns, [0, 1], 3)).toEqual([1, 0, 1]);
  });

  test.each([
    { ...key, streamId: 1 },
    { ...key, topicId: 2 },
    { ...key, groupId: 0 },
    { streamId: 0, topicId: 12, groupId: 2 },
  ])("of one group are not those of %j", (other) => {
    const turns: GroupTurns = new Map();
    take(turns, [0, 1, 2], 2);
    expect(takeTurn(turns, other, [0, 1, 2])).toBe(0);
    expect(takeTurn(turns, key, [0, 1, 2])).toBe(2);
    forgetTurns(turns, other);
    expect(lastPolled(turns, key)).toBe(2);
  });

  test("begin anew for a member that comes again", () => {
    const turns: GroupTurns = new Map();
    take(turns, [0, 1, 2], 2);
    forgetTurns(turns, key);
    expect(lastPolled(turns, key)).toBeUndefined();
    expect(takeTurn(turns, key, [0, 1, 2])).toBe(0);
  });

  test("survive the way to another shard", () => {
    const turns: GroupTurns = new Map();
    take(turns, [0, 1, 2], 2);
    const moved = structuredClone(turns);
    expect(lastPolled(moved, key)).toBe(1);
    expect(takeTurn(moved, key, [0, 1, 2])).toBe(2);
  });
});

describe("the partition polled last", () => {
  test("is none before the first poll", () => {
    expect(lastPolled(new Map(), key)).toBeUndefined();
  });

  test("stays the same one when the list changes", () => {
    const turns: GroupTurns = new Map();
    take(turns, [5, 6, 7, 8], 3);
    expect(lastPolled(turns, key)).toBe(7);
    takeTurn(turns, key, [6]);
    expect(lastPolled(turns, key)).toBe(6);
  });

  test("may have been named by the poll, which takes no turn", () => {
    const turns: GroupTurns = new Map();
    take(turns, [0, 1, 2], 1);
    notePolled(turns, key, 2);
    expect(lastPolled(turns, key)).toBe(2);
    expect(takeTurn(turns, key, [0, 1, 2])).toBe(1);
    expect(lastPolled(turns, key)).toBe(1);
  });
});
