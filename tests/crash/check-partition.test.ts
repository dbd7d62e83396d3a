// The check of the crash tests sees what it is for: each kind of fault in what a partition holds, and no fault where there
// is none.
import { describe, expect, test } from "bun:test";
import { checkPartition } from "./check-partition.ts";
import { Call, type Cut, PartitionHistory, possibleValues } from "./history.ts";
import { type FoundMessage, keyOf } from "./payload.ts";

const mark = 7;

function call(askedAt: number, answeredAt: number): Call {
  const result = new Call(askedAt);
  result.answeredAt = answeredAt;
  result.answeredMs = answeredAt;
  return result;
}

function cut(at: number): Cut {
  return { at, durableBeforeMs: Number.POSITIVE_INFINITY, isPowerLoss: false };
}

/** A partition of one producer: sends of two messages, asked at 10, 20, … and answered five later. */
function partitionWith(sendsCount: number): PartitionHistory {
  const partition = new PartitionHistory(0, mark, call(1, 2), false);
  for (let send = 0; send < sendsCount; send++) {
    const firstNumber = partition.take(1, 2);
    const at = (send + 1) * 10;
    partition.sends.push({ producer: 1, firstNumber, count: 2, purgesBefore: 0, call: call(at, at + 5) });
  }
  return partition;
}

function messages(first: number, count: number, more: Partial<FoundMessage> = {}): FoundMessage[] {
  return Array.from({ length: count }, (_, index) => {
    const number = first + index;
    return { offset: number, number, producer: 1, mark, purgesBefore: 0, ...more };
  });
}

describe("what a partition holds", () => {
  test("is right with everything answered, and with or without what was only asked for", () => {
    const partition = partitionWith(3);
    for (const count of [4, 5, 6]) expect(checkPartition(partition, messages(0, count), count, cut(32))).toEqual([]);
    expect(checkPartition(partition, messages(0, 6), 6, cut(35))).toEqual([]);
    expect(checkPartition(partition, [], 0, cut(9))).toEqual([]);
  });

  test("is wrong where an answered message is missing", () => {
    const partition = partitionWith(3);
    expect(checkPartition(partition, messages(0, 5), 5, cut(35))).toHaveLength(1);
    expect(checkPartition(partition, [], 0, cut(35))).toHaveLength(1);
    const hole = [...messages(0, 2), ...messages(4, 2).map((one) => ({ ...one, offset: one.offset - 2 }))];
    expect(checkPartition(partition, hole, 4, cut(35))).toHaveLength(2);
  });

  test("is wrong with a message that was not sent by then, or to another partition", () => {
    const partition = partitionWith(3);
    expect(checkPartition(partition, messages(0, 6), 6, cut(25)).length).toBeGreaterThan(0);
    expect(checkPartition(partition, messages(0, 6, { mark: 8 }), 6, cut(35)).length).toBeGreaterThan(0);
  });

  test("is wrong with a message twice, out of order, or at an offset that another has", () => {
    const partition = partitionWith(2);
    const twice = [...messages(0, 4), { ...messages(3, 1)[0]!, offset: 4 }];
    expect(checkPartition(partition, twice, 5, cut(35))).toHaveLength(1);
    const shifted = messages(0, 4).map((one) => ({ ...one, offset: one.offset - (one.number > 1 ? 1 : 0) }));
    expect(checkPartition(partition, shifted, 5, cut(35)).length).toBeGreaterThan(0);
  });

  test("has no hole, but where nothing was answered before power was lost", () => {
    const partition = partitionWith(3);
    const hole = [...messages(0, 4), ...messages(5, 1)];
    expect(checkPartition(partition, hole, 6, cut(32))).toHaveLength(1);
    expect(checkPartition(partition, hole, 6, { ...cut(32), isPowerLoss: true })).toEqual([]);
    expect(checkPartition(partition, hole, 6, { ...cut(35), isPowerLoss: true })).toHaveLength(1);
    expect(checkPartition(partition, messages(0, 4), 4, cut(32))).toEqual([]);
  });

  test("is empty after a purge, and never holds what was purged", () => {
    const partition = partitionWith(2);
    partition.purge(call(40, 45));
    expect(checkPartition(partition, [], 0, cut(45))).toEqual([]);
    expect(checkPartition(partition, [], 0, cut(42))).toEqual([]);
    expect(checkPartition(partition, messages(0, 4), 4, cut(42))).toEqual([]);
    expect(checkPartition(partition, messages(0, 4), 4, cut(45)).length).toBeGreaterThan(0);
    expect(checkPartition(partition, [], 0, cut(39))).toHaveLength(1);
  });

  test("begins behind a removed segment, neither before nor later", () => {
    const partition = partitionWith(4);
    partition.segmentDeletions.push({ call: call(50, 55), firstOffset: 4, isEmpty: false });
    expect(checkPartition(partition, messages(4, 4), 8, cut(55))).toEqual([]);
    expect(checkPartition(partition, messages(0, 8), 8, cut(52))).toEqual([]);
    expect(checkPartition(partition, messages(0, 8), 8, cut(55))).toHaveLength(1);
    expect(checkPartition(partition, messages(6, 2), 8, cut(55)).length).toBeGreaterThan(0);
    expect(checkPartition(partition, [], 8, cut(55)).length).toBeGreaterThan(0);
  });

  test("may be empty under a size limit, and goes on at the offset that follows", () => {
    const partition = new PartitionHistory(0, mark, call(1, 2), true);
    partition.sends.push({ producer: 1, firstNumber: 0, count: 6, purgesBefore: 0, call: call(10, 15) });
    expect(checkPartition(partition, [], 6, cut(15))).toEqual([]);
    expect(checkPartition(partition, messages(4, 2), 6, cut(15))).toEqual([]);
    expect(checkPartition(partition, [], 0, cut(15))).toHaveLength(1);
    expect(checkPartition(partition, messages(4, 1), 5, cut(15))).toHaveLength(1);
  });

  test("keeps what an earlier crash left, and goes on behind it", () => {
    const partition = partitionWith(0);
    partition.found = new Map(messages(0, 3).map((message) => [message.offset, keyOf(message)]));
    partition.foundEnd = 3;
    expect(checkPartition(partition, messages(0, 3), 3, cut(5))).toEqual([]);
    expect(checkPartition(partition, messages(0, 2), 2, cut(5))).toHaveLength(1);
    const changed = [messages(1, 1)[0]!, messages(0, 1)[0]!, messages(2, 1)[0]!].map((one, offset) => ({
      ...one,
      offset,
    }));
    expect(checkPartition(partition, changed, 3, cut(5)).length).toBeGreaterThan(0);
  });
});

test("a setting is what was answered last, or what was asked for since; before it is durable also what was before", () => {
  const settings = [
    { value: 1, call: call(10, 15), isDurableAtOnce: false },
    { value: 2, call: call(20, 25), isDurableAtOnce: false },
    { value: 3, call: call(30, 35), isDurableAtOnce: false },
  ];
  expect(possibleValues(settings, cut(9))).toEqual([undefined]);
  expect(possibleValues(settings, cut(32))).toEqual([2, 3]);
  expect(possibleValues(settings, { at: 32, durableBeforeMs: 20, isPowerLoss: true })).toEqual([1, 2, 3]);
});
