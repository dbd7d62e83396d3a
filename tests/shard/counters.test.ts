import { heapStats } from "bun:jsc";
import { beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Counters, createSharedCounters } from "../../src/shard/counters.ts";
import { ownerShardOf, partitionKeyOf } from "../../src/shard/placement.ts";
import type { Task } from "./counters-program.ts";

const shardCount = 2;
let replicas: Counters[];

beforeEach(() => {
  const shared = createSharedCounters();
  replicas = Array.from({ length: shardCount }, () => new Counters(shared));
});

/** As every shard does it when an event says that a partition is there or gone. */
function add(key: number): void {
  for (const [shardId, replica] of replicas.entries())
    replica.addPartition(key, ownerShardOf(key, shardCount) === shardId);
}

function remove(key: number): void {
  for (const replica of replicas) replica.removePartition(key);
}

function numbersOf(key: number) {
  return {
    segmentsCount: 1,
    currentOffset: key * 3,
    hasMessages: key % 2 === 1,
    sizeBytes: key * 100,
    messagesCount: key,
  };
}

describe("partition counters", () => {
  test("what the owner writes every shard reads", () => {
    for (let key = 0; key < 20; key++) add(key);
    for (let key = 0; key < 20; key++) replicas[ownerShardOf(key, shardCount)]!.setPartition(key, numbersOf(key));
    for (const replica of replicas) {
      for (let key = 0; key < 20; key++) expect(replica.partition(key)).toEqual(numbersOf(key));
    }
  });

  test("a slot that is used again starts at zero", () => {
    add(5);
    replicas[ownerShardOf(5, shardCount)]!.setPartition(5, numbersOf(5));
    remove(5);
    add(9);
    const zero = { segmentsCount: 0, currentOffset: 0, hasMessages: false, sizeBytes: 0, messagesCount: 0 };
    for (const replica of replicas) expect(replica.partition(9)).toEqual(zero);
  });

  test("offsets and sizes are exact up to 2^53", () => {
    add(1);
    const large = { ...numbersOf(1), currentOffset: 2 ** 53 - 1, sizeBytes: 2 ** 53 - 3 };
    replicas[0]!.setPartition(1, large);
    expect(replicas[1]!.partition(1)).toEqual(large);
  });

  test("replicas that follow the same events agree, whatever these are", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 200 }), (keys) => {
        const shared = createSharedCounters();
        replicas = [new Counters(shared), new Counters(shared)];
        const present = new Set<number>();
        for (const key of keys) {
          // The second time a key comes it goes away.
          if (present.delete(key)) remove(key);
          else {
            present.add(key);
            add(key);
            replicas[ownerShardOf(key, shardCount)]!.setPartition(key, numbersOf(key));
          }
        }
        for (const key of present) {
          for (const replica of replicas) expect(replica.partition(key)).toEqual(numbersOf(key));
        }
      }),
      { numRuns: 30 },
    );
  });

  test("a key that is not there is a fault", () => {
    expect(() => replicas[0]!.partition(3)).toThrow("has a slot");
    add(3);
    expect(() => replicas[0]!.addPartition(3, true)).toThrow("one slot");
    remove(3);
    expect(() => replicas[0]!.removePartition(3)).toThrow("has a slot");
  });
});

describe("the turn of balanced sends", () => {
  const topicKey = partitionKeyOf(1, 2, 0);

  test("is one for all shards and goes round", () => {
    for (const [shardId, replica] of replicas.entries()) replica.addTopic(topicKey, shardId === 0);
    const turns = Array.from({ length: 9 }, (_, index) => replicas[index % 2]!.nextBalancedPartition(topicKey, 3));
    expect(turns).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2]);
  });

  test("starts at 0 for a topic that takes the slot of another", () => {
    for (const [shardId, replica] of replicas.entries()) replica.addTopic(topicKey, shardId === 0);
    for (let count = 0; count < 4; count++) replicas[1]!.nextBalancedPartition(topicKey, 3);
    for (const replica of replicas) replica.removeTopic(topicKey);
    const next = partitionKeyOf(3, 0, 0);
    for (const [shardId, replica] of replicas.entries()) replica.addTopic(next, shardId === 0);
    expect(replicas[1]!.nextBalancedPartition(next, 3)).toBe(0);
  });
});

test("client ids are unique over all shards, and never 0", () => {
  const ids = Array.from({ length: 100 }, (_, index) => replicas[index % 2]!.nextClientId());
  expect(new Set(ids).size).toBe(100);
  expect(ids).not.toContain(0);
});

describe("the memory of the counters", () => {
  test("counts to the heap of a thread only as far as it is used", () => {
    const before = heapStats().extraMemorySize;
    const shared = createSharedCounters();
    const counters = new Counters(shared);
    expect(shared.partitions.byteLength).toBe(0);
    for (let key = 0; key < 4096; key++) counters.addPartition(key, true);
    expect(shared.partitions.byteLength).toBe(4096 * 40);
    counters.addPartition(4096, true);
    expect(shared.partitions.byteLength).toBe(2 * 4096 * 40);
    // Made whole they would count 46 MB; the slots of topics, 4 MB, the runtime counts whole all the same.
    expect(heapStats().extraMemorySize - before).toBeLessThan(16 * 1024 * 1024);
  });

  test("grows whichever thread gets there first", async () => {
    const shared = createSharedCounters();
    const threads = 3;
    const count = 50_000;
    const workers = Array.from(
      { length: threads },
      () => new Worker(new URL("./counters-program.ts", import.meta.url)),
    );
    const done = workers.map(
      (worker, thread) =>
        new Promise<void>((resolve, reject) => {
          worker.onmessage = () => resolve();
          worker.onerror = ({ message }) => reject(new Error(message));
          worker.postMessage({ shared, count, threads, thread } satisfies Task);
        }),
    );
    await Promise.all(done);
    for (const worker of workers) worker.terminate();
    const reader = new Counters(shared);
    for (let key = 0; key < count; key++) reader.addPartition(key, false);
    for (let key = 0; key < count; key++) {
      const { currentOffset, hasMessages } = reader.partition(key);
      if (currentOffset !== key || !hasMessages) throw new Error(`partition ${key} has offset ${currentOffset}`);
    }
    expect(shared.topics.byteLength).toBe(Math.ceil(count / 4096) * 4096 * 4);
  });
});
