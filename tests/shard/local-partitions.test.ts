import { describe, expect, test } from "bun:test";
import { apply, createState, type MetadataEvent, type MetadataState } from "../../src/metadata/index.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { u64Max } from "../../src/protocol/limits.ts";
import { createClientCounts } from "../../src/shard/client-counts.ts";
import { Counters, LocalPartitions, partitionKeyOf, type SharedCounters, Watch } from "../../src/shard/index.ts";
import { createWaitCounts } from "../../src/shard/wait-counts.ts";
import type { StorageOptions } from "../../src/storage/index.ts";
import { appendNow, makeBatch, makeHarness } from "../storage/harness.ts";
import { MemoryDisk } from "../storage/memory-disk.ts";
import { makePaths } from "./setup.ts";

const paths = makePaths("/data");
const count = 100;
const broken = 41;
const directory = paths.partitionDirectory(0, 0, broken);
const first = "0123456789abcdef00000000";
const second = "fedcba987654321000000000";

const settings = {
  name: "topic",
  createdAtMicros: 1,
  compression: 1,
  replicationFactor: 1,
  messageExpiryMicros: u64Max,
  maxTopicSizeBytes: u64Max,
} as const;

function stateWith(partitionsCount: number): MetadataState {
  const state = createState();
  apply(state, { kind: "streamCreated", streamId: 0, name: "stream", createdAtMicros: 1 });
  apply(state, { kind: "topicCreated", streamId: 0, topicId: 0, partitionsCount, logBase: first, ...settings });
  return state;
}

/** Memory for so many partitions: making all of it takes its time. */
function makeCounters(partitionsMax: number): Counters {
  const shared: SharedCounters = {
    partitions: new SharedArrayBuffer(partitionsMax * 5 * 8),
    topics: new SharedArrayBuffer(8 * 4),
    process: new SharedArrayBuffer(8),
    clients: createClientCounts(),
    waits: createWaitCounts(1),
    subscriptions: createWaitCounts(1),
  };
  return new Counters(shared);
}

function start(disk: MemoryDisk, state: MetadataState, partitionsMax = count, options: Partial<StorageOptions> = {}) {
  const harness = makeHarness(disk, options);
  const counters = makeCounters(partitionsMax);
  const partitions = new LocalPartitions({ shardId: 0, shardCount: 1, storage: harness.context, counters, paths });
  partitions.open(state);
  const at = (partitionId: number, error?: "CannotAppendToFile") =>
    partitions.require(partitionKeyOf(0, 0, partitionId), error);
  const follow = async (event: MetadataEvent) => {
    apply(state, event);
    await partitions.follow(event);
  };
  return { harness, counters, partitions, at, follow, state };
}

function codeOf(work: () => unknown): number {
  try {
    work();
    return 0;
  } catch (thrown) {
    if (thrown instanceof IggyError) return thrown.code;
    throw thrown;
  }
}

/** A hundred partitions with a message each. */
async function written(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const { harness, at } = start(disk, stateWith(count));
  for (let partitionId = 0; partitionId < count; partitionId++) await appendNow(harness, at(partitionId), [10]);
  return disk;
}

describe("a partition whose files cannot be read", () => {
  test.each([
    "EIO",
    "EMFILE",
    "EACCES",
  ])("%s: is closed with its error; the others are served, and it comes back", async (code) => {
    const disk = await written();
    let isBroken = true;
    disk.fails = (operation, path) =>
      isBroken && operation === "open" && path.startsWith(directory) && path.endsWith(".log") && code;
    const { harness, partitions, counters, at } = start(disk, stateWith(count));
    expect([...partitions.all]).toHaveLength(count - 1);
    expect(codeOf(() => at(broken))).toBe(10002);
    expect(codeOf(() => at(broken, "CannotAppendToFile"))).toBe(10005);
    expect(partitions.find(partitionKeyOf(0, 0, broken))).toBeUndefined();
    expect(counters.partition(partitionKeyOf(0, 0, broken)).messagesCount).toBe(0);
    await appendNow(harness, at(broken + 1), [10]);
    const errors = () => harness.logged.filter((line) => line.startsWith("error"));
    expect(errors()).toHaveLength(1);
    expect(errors()[0]).toContain(directory);

    isBroken = false;
    expect(codeOf(() => at(broken))).toBe(10002); // not at every request
    harness.clock.micros += 2_000_000;
    partitions.retryClosed();
    expect(at(broken).counters.messagesCount).toBe(1);
    await appendNow(harness, at(broken), [10]);
    expect(counters.partition(partitionKeyOf(0, 0, broken)).messagesCount).toBe(2);
  });

  test("is tried again by a request, less and less often, also after the clock was set back", async () => {
    const disk = await written();
    let opened = 0;
    disk.fails = (operation, path) => {
      if (operation !== "open" || !path.startsWith(directory) || !path.endsWith(".log")) return false;
      opened++;
      return "EIO";
    };
    const { harness, at } = start(disk, stateWith(count));
    expect(opened).toBe(1);
    for (let second = 0; second < 60; second++) {
      harness.clock.micros += 1_000_000;
      expect(codeOf(() => at(broken))).toBe(10002);
    }
    expect(opened).toBeLessThan(10);
    harness.clock.micros -= 3_600_000_000;
    disk.fails = () => false;
    expect(codeOf(() => at(broken))).toBe(0);
  });

  test("is empty after a purge, at once or when the disk lets it; and gone after a deletion", async () => {
    const disk = await written();
    let isBroken = true;
    disk.fails = (operation, path) => isBroken && operation !== "list" && path.startsWith(directory) && "EIO";
    const { harness, at, follow, partitions } = start(disk, stateWith(count));
    const purge = (removalId: number) =>
      follow({ kind: "topicPurged", streamId: 0, topicId: 0, logBase: second, removalId });
    expect(codeOf(() => at(broken))).toBe(10002);
    expect(
      await purge(1).then(
        () => 0,
        (thrown: IggyError) => thrown.code,
      ),
    ).toBe(10008);
    expect(at(0).counters.messagesCount).toBe(0);
    expect(codeOf(() => at(broken))).toBe(10002);
    isBroken = false;
    harness.clock.micros += 60_000_000;
    expect(at(broken).counters.messagesCount).toBe(0);

    await follow({ kind: "partitionsDeleted", streamId: 0, topicId: 0, count: count - broken });
    expect(codeOf(() => at(broken))).toBe(3007);
    expect([...partitions.all]).toHaveLength(broken);
  });
});

describe("the files of a partition", () => {
  test("are those of its log: what an earlier one with its number left is taken away", async () => {
    const disk = await written();
    const { at, follow, harness } = start(disk, stateWith(count));
    await follow({ kind: "partitionsDeleted", streamId: 0, topicId: 0, count: 1, removalId: 1 });
    await follow({ kind: "partitionsDeleted", streamId: 0, topicId: 0, count: 1 });
    // Their directories are still there when the next ones are made: one is known as deleted, the other to nobody.
    await follow({
      kind: "partitionsCreated",
      streamId: 0,
      topicId: 0,
      count: 2,
      createdAtMicros: 2,
      logBase: second,
    });
    expect([at(98).counters.messagesCount, at(99).counters.messagesCount]).toEqual([0, 0]);
    const partitionsDirectory = paths.partitionsDirectory(0, 0);
    expect(disk.list(`${partitionsDirectory}/lost+found`)).toEqual(["98-1"]);
    expect(harness.logged.filter((line) => line.startsWith("warn"))).toHaveLength(1);
  });

  test("are adopted where an older version made them", async () => {
    const disk = new MemoryDisk();
    const old = makeHarness(disk);
    await appendNow(old, old.open(paths.partitionDirectory(0, 0, 0)), [10, 10]);
    const state = createState();
    apply(state, { kind: "streamCreated", streamId: 0, name: "stream", createdAtMicros: 1 });
    apply(state, { kind: "topicCreated", streamId: 0, topicId: 0, partitionsCount: 1, ...settings });
    expect(start(disk, state).at(0).counters.messagesCount).toBe(2);
  });
});

test("the offset of a deleted group is nobody's, when its file cannot be removed, and after a restart", async () => {
  const disk = await written();
  const world = start(disk, stateWith(count));
  const group = { kind: "group", id: 0 } as const;
  const key = { streamId: 0, topicId: 0, groupId: 0 };
  await world.follow({ kind: "groupCreated", ...key, name: "old", logId: first });
  for (const partitionId of [0, 1]) world.at(partitionId).storeOffset(group, 0);
  let isBroken = true;
  disk.fails = (operation, path) => isBroken && operation === "remove" && path.includes("/groups/") && "EIO";
  await world.follow({ kind: "groupDeleted", ...key });
  expect(codeOf(() => world.at(0).deleteGroupOffsets(0))).toBe(3011);
  await world.follow({ kind: "groupCreated", ...key, name: "new", logId: second });
  expect(world.at(0).getOffset(group)).toBeUndefined();
  // Partition 1 is not asked at all: a kill came before it.
  for (const disks of [disk.copy(), disk]) {
    const again = start(disks, world.state);
    expect([again.at(0).getOffset(group), again.at(1).getOffset(group)]).toEqual([undefined, undefined]);
  }
  isBroken = false;
  const last = start(disk, world.state);
  last.at(1).storeOffset(group, 0);
  expect(start(disk, world.state).at(1).getOffset(group)).toBe(0);
});

test("a purge that one disk refuses is done for the others, and for that one by the saver or the next start", async () => {
  const disk = await written();
  let isBroken = true;
  disk.fails = (operation, path) => isBroken && operation === "rename" && path === directory && "EPERM";
  const { at, follow, state, harness } = start(disk, stateWith(count));
  const purged = follow({ kind: "topicPurged", streamId: 0, topicId: 0, logBase: second, removalId: 1 });
  expect(
    await purged.then(
      () => 0,
      (thrown: IggyError) => thrown.code,
    ),
  ).toBe(10008);
  expect([at(0).counters.messagesCount, at(broken).counters.messagesCount]).toEqual([0, 1]);
  const code = await appendNow(harness, at(broken), [10]).then(
    () => 0,
    (thrown: IggyError) => thrown.code,
  );
  expect(code).not.toBe(0);

  isBroken = false;
  expect(start(disk.copy(), state).at(broken).counters.messagesCount).toBe(0);
  await at(broken).save();
  expect(at(broken).counters.messagesCount).toBe(0);
  await appendNow(harness, at(broken), [10]);
  expect(start(disk, state).at(broken).counters.messagesCount).toBe(1);
});

test("a log that names more partitions than there is room for opens all but those", () => {
  const { partitions, counters, at, harness } = start(new MemoryDisk(), stateWith(count), count - 3);
  expect([...partitions.all]).toHaveLength(count - 3);
  expect(at(96).counters.messagesCount).toBe(0);
  for (const partitionId of [97, 98, 99]) {
    expect(codeOf(() => at(partitionId))).toBe(10002);
    expect(counters.partition(partitionKeyOf(0, 0, partitionId)).messagesCount).toBe(0);
  }
  harness.clock.micros += 3_600_000_000;
  partitions.retryClosed();
  expect(codeOf(() => at(97))).toBe(10002);
});

test("at level sync who waits is told when the sync is done, not when the message is written", async () => {
  const disk = new MemoryDisk();
  const { harness, partitions, at } = start(disk, stateWith(1), 1, { acknowledge: "sync" });
  const told: string[] = [];
  const watch = new Watch(partitionKeyOf(0, 0, 0), { changed: (_watch, change) => void told.push(change) });
  partitions.watches.add(watch);
  const gate = Promise.withResolvers<void>();
  disk.syncGate = gate.promise;
  const appended = at(0).append(makeBatch([40_000]));
  harness.endTurn();
  await Bun.sleep(5);
  expect(at(0).counters.messagesCount).toBe(0);
  expect(told).toEqual([]);
  gate.resolve();
  await appended;
  expect(told).toEqual(["messages"]);
  expect(partitions.watches.count).toBe(0);
});
