import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { apply, createState, type MetadataEvent } from "../../src/metadata/index.ts";
import { u64Max } from "../../src/protocol/limits.ts";
import { Cleaner, type CleanerReport } from "../../src/shard/cleaner.ts";
import {
  Counters,
  createSharedCounters,
  LocalPartitions,
  ownerShardOf,
  partitionKeyOf,
  type SharedCounters,
} from "../../src/shard/index.ts";
import { answerOldestSegment, deleteSegments, type OldestSegmentRequest } from "../../src/shard/retention.ts";
import type { Partition } from "../../src/storage/index.ts";
import { appendNow, makeHarness } from "../storage/harness.ts";
import { MemoryDisk } from "../storage/memory-disk.ts";
import { makePaths } from "./setup.ts";

/** A message of 36 bytes takes 100 in the log, and a segment of this size two of them. */
const segmentSizeBytes = 100;
const messageBytes = 100;
const segmentBytes = 2 * messageBytes;
const consumer = { kind: "consumer", id: 5 } as const;
const paths = makePaths("/data");

interface TopicLimits {
  readonly partitionsCount: number;
  readonly messageExpiryMicros?: bigint;
  readonly maxTopicSizeBytes?: bigint;
}

/** The memory is virtual until it is used, but making it takes its time: one for all tests, each with slots of its own. */
const shared: SharedCounters = createSharedCounters();

/** Shards over one disk, each with a cleaner; they take turns like shards in threads of their own. */
function makeWorld(shardCount: number, topics: readonly TopicLimits[]) {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk, { segmentSizeBytes });
  const state = createState();
  const events: MetadataEvent[] = [
    { kind: "streamCreated", streamId: 0, name: "stream", createdAtMicros: 1 },
    ...topics.map((limits, topicId): MetadataEvent => {
      const unlimited = { messageExpiryMicros: u64Max, maxTopicSizeBytes: u64Max };
      const settings = { compression: 1, replicationFactor: 1, createdAtMicros: 1, ...unlimited, ...limits } as const;
      return { kind: "topicCreated", streamId: 0, topicId, name: `topic ${topicId}`, ...settings };
    }),
  ];
  for (const event of events) apply(state, event);
  const logged: string[] = [];
  const note = (message: string, fields?: object) => void logged.push(`${message} ${JSON.stringify(fields ?? {})}`);
  const asked: OldestSegmentRequest[] = [];
  const shards = Array.from({ length: shardCount }, (_, shardId) => {
    const counters = new Counters(shared);
    const partitions = new LocalPartitions({ shardId, shardCount, storage: harness.context, counters, paths });
    partitions.open(state);
    const cleaner: Cleaner = new Cleaner({
      shardId,
      shardCount,
      state,
      counters,
      partitions,
      oldestSegment: async (request) => {
        asked.push(request);
        const owner = shards[ownerShardOf(request.partitionKey, shardCount)]!;
        if (owner.partitions !== partitions) await Bun.sleep(0);
        return answerOldestSegment(owner.partitions.require(request.partitionKey), request);
      },
      log: { info: note, error: note },
    });
    return { counters, partitions, cleaner };
  });
  const partition = (topicId: number, partitionId: number): Partition => {
    const key = partitionKeyOf(0, topicId, partitionId);
    return shards[ownerShardOf(key, shardCount)]!.partitions.require(key);
  };
  return {
    disk,
    harness,
    shards,
    logged,
    asked,
    partition,
    async fill(topicId: number, partitionId: number, count: number): Promise<void> {
      for (let number = 0; number < count; number++) await appendNow(harness, partition(topicId, partitionId), [36]);
    },
    follow: async (event: MetadataEvent): Promise<void> => {
      apply(state, event);
      await Promise.all(shards.map(({ partitions }) => partitions.follow(event)));
    },
    /** A pass of every shard, all at the same time. */
    async clean(): Promise<CleanerReport> {
      const sum: CleanerReport = { expiredSegments: 0, expiredBytes: 0, surplusSegments: 0, surplusBytes: 0 };
      for (const report of await Promise.all(shards.map(({ cleaner }) => cleaner.run()))) {
        if (report === undefined) throw new Error("expected a report");
        for (const name of Object.keys(sum) as (keyof CleanerReport)[]) sum[name] += report[name];
      }
      return sum;
    },
    sizeOf(topicId: number): number {
      const { length } = state.streams.byId.get(0)!.topics.byId.get(topicId)!.partitions;
      const sizes = Array.from({ length }, (_, partitionId) => partition(topicId, partitionId).counters.sizeBytes);
      return sizes.reduce((sum, size) => sum + size, 0);
    },
  };
}

const nothing = { expiredSegments: 0, expiredBytes: 0, surplusSegments: 0, surplusBytes: 0 };

describe("expiry", () => {
  test("removes the sealed segments that are old enough from every partition of every shard, never the active one", async () => {
    const world = makeWorld(2, [
      { partitionsCount: 3, messageExpiryMicros: 10_000_000n },
      { partitionsCount: 1 },
      { partitionsCount: 1, messageExpiryMicros: u64Max - 1n },
    ]);
    for (const partitionId of [0, 1, 2]) await world.fill(0, partitionId, 5);
    for (const topicId of [1, 2]) await world.fill(topicId, 0, 5);
    expect(await world.clean()).toEqual(nothing);
    expect(world.logged).toEqual([]);
    world.harness.clock.micros += 11_000_000;
    await world.fill(0, 1, 3); // seals one more, which is young
    expect(await world.clean()).toEqual({ ...nothing, expiredSegments: 6, expiredBytes: 6 * segmentBytes });
    expect([0, 1, 2].map((partitionId) => world.partition(0, partitionId).counters.messagesCount)).toEqual([1, 4, 1]);
    expect([1, 2].map((topicId) => world.partition(topicId, 0).counters.messagesCount)).toEqual([5, 5]);
    expect(world.logged.length).toBe(2); // one line for each shard
    expect(world.logged.every((line) => line.startsWith("removed old segments {"))).toBe(true);
    expect(await world.clean()).toEqual(nothing);
  });

  test("leaves what a consumer has not read, says so once, and removes it when it has", async () => {
    const world = makeWorld(1, [{ partitionsCount: 1, messageExpiryMicros: 1n }]);
    await world.fill(0, 0, 7);
    world.partition(0, 0).storeOffset(consumer, 2);
    expect((await world.clean()).expiredSegments).toBe(1);
    for (let pass = 0; pass < 3; pass++) expect(await world.clean()).toEqual(nothing);
    expect(world.harness.logged.filter((line) => line.includes("segment kept")).length).toBe(1);
    world.partition(0, 0).storeOffset(consumer, 3);
    expect((await world.clean()).expiredSegments).toBe(1);
    world.partition(0, 0).deleteOffset(consumer);
    expect((await world.clean()).expiredSegments).toBe(1);
  });

  test("touches neither disk nor other shards where there is nothing to remove", async () => {
    const limits = { messageExpiryMicros: 1_000_000_000n, maxTopicSizeBytes: 1_000_000n };
    const world = makeWorld(2, [
      { partitionsCount: 4, ...limits },
      { partitionsCount: 2, ...limits },
    ]);
    for (const partitionId of [0, 1, 2]) await world.fill(0, partitionId, 5);
    const operations: string[] = [];
    world.disk.fails = (operation) => operations.push(operation) < 0;
    expect(await world.clean()).toEqual(nothing);
    expect(operations).toEqual([]);
    expect(world.asked).toEqual([]);
  });
});

describe("size", () => {
  test("from 90 % of the limit on, the oldest segments go until it is less", async () => {
    const world = makeWorld(1, [{ partitionsCount: 1, maxTopicSizeBytes: 1001n }]);
    await world.fill(0, 0, 9);
    expect(await world.clean()).toEqual({ ...nothing, surplusSegments: 1, surplusBytes: segmentBytes });
    expect(world.partition(0, 0).counters).toMatchObject({ messagesCount: 7, sizeBytes: 700 });
    await world.fill(0, 0, 1);
    expect(await world.clean()).toEqual(nothing); // 800 of 900
    await world.fill(0, 0, 2);
    expect((await world.clean()).surplusSegments).toBe(1);
  });

  test("is that of all partitions; the oldest of all goes first, wherever it is, and no more than needed", async () => {
    const world = makeWorld(2, [{ partitionsCount: 3, maxTopicSizeBytes: 2000n }]);
    for (const partitionId of [1, 2, 0]) await world.fill(0, partitionId, 7);
    expect(await world.clean()).toEqual({ ...nothing, surplusSegments: 2, surplusBytes: 2 * segmentBytes });
    expect([0, 1, 2].map((partitionId) => world.partition(0, partitionId).counters.messagesCount)).toEqual([7, 3, 7]);
    await world.fill(0, 0, 4);
    expect((await world.clean()).surplusSegments).toBe(2);
    expect([0, 1, 2].map((partitionId) => world.partition(0, partitionId).counters.messagesCount)).toEqual([11, 1, 5]);
  });

  test("a partition that a consumer blocks, and active segments, are passed over", async () => {
    const world = makeWorld(2, [{ partitionsCount: 3, maxTopicSizeBytes: 1000n }]);
    for (const partitionId of [0, 1, 2]) await world.fill(0, partitionId, 4);
    world.partition(0, 0).storeOffset(consumer, 0);
    await world.clean();
    expect([0, 1, 2].map((partitionId) => world.partition(0, partitionId).counters.messagesCount)).toEqual([4, 0, 4]);
    await world.fill(0, 2, 20);
    await world.clean();
    expect([0, 1, 2].map((partitionId) => world.partition(0, partitionId).counters.messagesCount)).toEqual([4, 0, 4]);
  });

  test("nothing that may go is left: the topic stays too large", async () => {
    const world = makeWorld(1, [{ partitionsCount: 2, maxTopicSizeBytes: 100n }]);
    await world.fill(0, 0, 5);
    expect((await world.clean()).surplusSegments).toBe(2);
    expect(world.sizeOf(0)).toBe(100);
    expect(await world.clean()).toEqual(nothing);
  });

  test("any sends, limits and offsets, on any number of shards: what goes is what one cleaner of all would remove", async () => {
    const send = fc.record({ partitionId: fc.nat({ max: 4 }), count: fc.integer({ min: 1, max: 5 }) });
    const given = fc.record({
      shardCount: fc.integer({ min: 1, max: 4 }),
      sends: fc.array(send, { minLength: 1, maxLength: 12 }),
      limitBytes: fc.integer({ min: 1, max: 4000 }),
      blocked: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(given, async ({ shardCount, sends, limitBytes, blocked }) => {
        const world = makeWorld(shardCount, [{ partitionsCount: 5, maxTopicSizeBytes: BigInt(limitBytes) }]);
        for (const { partitionId, count } of sends) await world.fill(0, partitionId, count);
        blocked.forEach((isBlocked, partitionId) => {
          const { hasMessages } = world.partition(0, partitionId).counters;
          if (isBlocked && hasMessages) world.partition(0, partitionId).storeOffset(consumer, 0);
        });

        // Messages in the order of time, two to a segment; a segment is sealed when the message after it comes.
        const sealed: { partitionId: number; firstMessage: number }[] = [];
        const firstMessages: number[][] = [[], [], [], [], []];
        let message = 0;
        for (const { partitionId, count } of sends) {
          for (let sent = 0; sent < count; sent++) firstMessages[partitionId]!.push(message++);
        }
        firstMessages.forEach((messages, partitionId) => {
          for (let start = 0; start + 2 <= messages.length; start += 2) {
            sealed.push({ partitionId, firstMessage: messages[start]! });
          }
        });
        const removable = sealed.filter(({ partitionId }) => !blocked[partitionId]);
        removable.sort((left, right) => left.firstMessage - right.firstMessage);
        const messagesLeft = firstMessages.map((messages) => messages.length);
        let sizeBytes = message * messageBytes;
        while (sizeBytes >= Math.floor((limitBytes * 9) / 10)) {
          const next = removable.shift();
          if (next === undefined) break;
          messagesLeft[next.partitionId]! -= 2;
          sizeBytes -= segmentBytes;
        }

        await world.clean();
        const counts = messagesLeft.map((_, partitionId) => world.partition(0, partitionId).counters.messagesCount);
        expect(counts).toEqual(messagesLeft);
      }),
      { numRuns: 100 },
    );
  });
});

describe("a pass", () => {
  test("does expiry first, then size", async () => {
    const world = makeWorld(1, [{ partitionsCount: 2, messageExpiryMicros: 1_000_000n, maxTopicSizeBytes: 1000n }]);
    await world.fill(0, 1, 5);
    world.harness.clock.micros += 2_000_000;
    await world.fill(0, 0, 9);
    expect(await world.clean()).toEqual({
      expiredSegments: 2,
      expiredBytes: 2 * segmentBytes,
      surplusSegments: 1,
      surplusBytes: segmentBytes,
    });
  });

  test("goes on where a file cannot be removed, with a line in the log, and tries again next time", async () => {
    const world = makeWorld(2, [{ partitionsCount: 2, messageExpiryMicros: 1n, maxTopicSizeBytes: 500n }]);
    for (const partitionId of [0, 1]) await world.fill(0, partitionId, 5);
    world.disk.fails = (operation, path) => operation === "remove" && path.includes("/partitions/1/");
    expect((await world.clean()).expiredSegments).toBe(2);
    expect(world.logged.filter((line) => line.startsWith("a segment could not be removed")).length).toBe(2);
    expect(world.logged.join()).toContain('"partitionId":1');
    world.disk.fails = () => false;
    expect((await world.clean()).expiredSegments).toBe(2);
  });

  test.each([
    ["expired", { messageExpiryMicros: 1n }],
    ["surplus", { maxTopicSizeBytes: 1n }],
  ])("lets others run between any two removals of %s segments, and ends there when it is stopped", async (_, limits) => {
    const world = makeWorld(1, [{ partitionsCount: 1, ...limits }]);
    await world.fill(0, 0, 41);
    const { cleaner } = world.shards[0]!;
    const { counters } = world.partition(0, 0);
    const pass = cleaner.run();
    const counts: number[] = [];
    for (let turn = 0; turn < 6; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      counts.push(counters.segmentsCount);
    }
    expect(counts.every((count, turn) => turn === 0 || counts[turn - 1]! - count === 1)).toBe(true);
    expect(await cleaner.run()).toBeUndefined();
    await cleaner.stop();
    expect(counters.segmentsCount).toBeGreaterThan(10);
    const report = await pass;
    expect(report && report.expiredSegments + report.surplusSegments).toBe(21 - counters.segmentsCount);
    expect(await cleaner.run()).toBeUndefined();
  });

  test("goes past topics and partitions that are deleted meanwhile", async () => {
    const limits = { partitionsCount: 4, messageExpiryMicros: 1_000_000n, maxTopicSizeBytes: 500n };
    const world = makeWorld(2, [limits, limits, limits]);
    for (const topicId of [0, 1, 2]) {
      for (const partitionId of [0, 1, 2, 3]) await world.fill(topicId, partitionId, 7);
    }
    const passes = world.clean();
    await world.follow({ kind: "partitionsDeleted", streamId: 0, topicId: 0, count: 2 });
    await Bun.sleep(0);
    await world.follow({ kind: "topicDeleted", streamId: 0, topicId: 1 });
    await Bun.sleep(0);
    await world.follow({ kind: "topicPurged", streamId: 0, topicId: 0 });
    expect((await passes).surplusSegments).toBeGreaterThan(0);
    expect(world.logged.filter((line) => !line.startsWith("removed old segments"))).toEqual([]);
    expect(world.sizeOf(0)).toBe(0);
    expect(world.sizeOf(2)).toBeLessThan(450);
    await world.follow({ kind: "streamDeleted", streamId: 0 });
    expect(await world.clean()).toEqual(nothing);
  });

  test("over 40,000 partitions takes many turns", async () => {
    const limits = { partitionsCount: 10, messageExpiryMicros: 1n, maxTopicSizeBytes: 1n };
    const topics = Array.from({ length: 4000 }, () => limits);
    const world = makeWorld(1, topics);
    await world.fill(17, 3, 3);
    let turns = 0;
    let isDone = false;
    const count = () => {
      turns++;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    const report = await world.clean();
    isDone = true;
    expect(report.expiredSegments).toBe(1);
    expect(turns).toBeGreaterThan(80);
  });
});

describe("deleting segments by command", () => {
  test("takes as many of the oldest as asked for, or as there are; 0 is none", async () => {
    const world = makeWorld(1, [{ partitionsCount: 1 }]);
    await world.fill(0, 0, 9);
    const partition = world.partition(0, 0);
    expect(await deleteSegments(partition, 0)).toBe(0);
    expect(await deleteSegments(partition, 2)).toBe(2);
    expect(partition.counters).toMatchObject({ segmentsCount: 3, messagesCount: 5, currentOffset: 8 });
    partition.storeOffset(consumer, 5);
    expect(await deleteSegments(partition, 4_294_967_295)).toBe(1);
    expect(world.harness.logged.some((line) => line.startsWith("warn segment kept"))).toBe(true);
    partition.deleteOffset(consumer);
    expect(await deleteSegments(partition, 4_294_967_295)).toBe(1);
    expect(partition.counters).toMatchObject({ segmentsCount: 1, messagesCount: 1 });
  });

  test("a partition that is closed meanwhile loses no more", async () => {
    const world = makeWorld(1, [{ partitionsCount: 1 }]);
    await world.fill(0, 0, 9);
    const deleting = deleteSegments(world.partition(0, 0), 100);
    await world.partition(0, 0).close();
    expect(await deleting).toBe(1);
  });
});

test("the oldest segment is removed only where it is still the one that was meant", async () => {
  const world = makeWorld(1, [{ partitionsCount: 1 }]);
  await world.fill(0, 0, 5);
  const partition = world.partition(0, 0);
  const partitionKey = partitionKeyOf(0, 0, 0);
  const looked = answerOldestSegment(partition, { partitionKey });
  expect(looked).toMatchObject({ isRemoved: false, oldest: { endOffset: 2, sizeBytes: segmentBytes } });
  const missed = answerOldestSegment(partition, { partitionKey, removeEndingAt: 4 });
  expect(missed).toEqual(looked);
  const removed = answerOldestSegment(partition, { partitionKey, removeEndingAt: 2 });
  expect(removed).toMatchObject({ isRemoved: true, oldest: { endOffset: 4 } });
  expect(answerOldestSegment(partition, { partitionKey, removeEndingAt: 2 }).isRemoved).toBe(false);
  expect(answerOldestSegment(partition, { partitionKey, removeEndingAt: 4 })).toEqual({
    isRemoved: true,
    oldest: undefined,
  });
  expect(structuredClone(looked)).toEqual(looked);
});
