import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ownerShardOf, partitionKeyOf, splitPartitionKey } from "../../src/shard/placement.ts";

const ids = fc.record({
  streamId: fc.integer({ min: 0, max: 4095 }),
  topicId: fc.integer({ min: 0, max: 4095 }),
  partitionId: fc.integer({ min: 0, max: 1_048_575 }),
});

describe("partition keys", () => {
  test("12, 12 and 20 bits", () => {
    expect(partitionKeyOf(0, 0, 0)).toBe(0);
    expect(partitionKeyOf(1, 2, 3)).toBe(Number((1n << 32n) | (2n << 20n) | 3n));
    expect(partitionKeyOf(4095, 4095, 1_048_575)).toBe(2 ** 44 - 1);
  });

  test("can be taken apart again, and follow each other within a topic", () => {
    fc.assert(
      fc.property(ids, ({ streamId, topicId, partitionId }) => {
        const key = partitionKeyOf(streamId, topicId, partitionId);
        expect(splitPartitionKey(key)).toEqual({ streamId, topicId, partitionId });
        expect(partitionKeyOf(streamId, topicId, 0) + partitionId).toBe(key);
      }),
    );
  });
});

/** How many of these partitions each shard owns, smallest first. */
function loads(keys: readonly number[], shardCount: number): number[] {
  const counts = new Array<number>(shardCount).fill(0);
  for (const key of keys) counts[ownerShardOf(key, shardCount)]!++;
  return counts.sort((a, b) => a - b);
}

const indexes = (count: number) => Array.from({ length: count }, (_, index) => index);

describe("owners", () => {
  test("are shards that exist, the same each time", () => {
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 128 }), ({ streamId, topicId, partitionId }, shardCount) => {
        const owner = ownerShardOf(partitionKeyOf(streamId, topicId, partitionId), shardCount);
        expect(Number.isInteger(owner) && owner >= 0 && owner < shardCount).toBe(true);
        expect(ownerShardOf(partitionKeyOf(streamId, topicId, partitionId), shardCount)).toBe(owner);
      }),
    );
  });

  describe.each([2, 3, 4, 6, 8, 16])("of %d shards share evenly", (shardCount) => {
    test.each([
      ["the partitions of one topic", (index: number) => partitionKeyOf(3, 5, index)],
      ["topics of one partition", (index: number) => partitionKeyOf(3, index, 0)],
      ["streams with one topic of one partition", (index: number) => partitionKeyOf(index, 0, 0)],
    ] as const)("%s", (_, keyOf) => {
      for (const count of [shardCount, 2 * shardCount, 10 * shardCount]) {
        expect(loads(indexes(count).map(keyOf), shardCount)).toEqual(new Array(shardCount).fill(count / shardCount));
      }
    });

    test("a mixture of streams, topics and partitions", () => {
      const keys = indexes(16_000).map((index) =>
        partitionKeyOf(index % 10, Math.floor(index / 10) % 40, Math.floor(index / 400)),
      );
      const [least, most] = [loads(keys, shardCount)[0]!, loads(keys, shardCount).at(-1)!];
      expect(most - least).toBeLessThan(0.1 * (16_000 / shardCount));
    });
  });
});
