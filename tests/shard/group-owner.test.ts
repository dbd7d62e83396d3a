// What the owner of a partition does for groups, over two shards: members ask on either, and both hold half of the partitions.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { requireGroup } from "../../src/metadata/index.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { GroupOwner } from "../../src/shard/group-owner.ts";
import { ownerShardOf, partitionKeyOf } from "../../src/shard/index.ts";
import type { Partition } from "../../src/storage/index.ts";
import { eventually } from "../support/process-facts.ts";
import { append } from "./append.ts";
import { startShards, type TestShard, type TestShards } from "./setup.ts";

const named = (value: string) => ({ kind: "string", value }) as const;
const stream = named("orders");
const topic = named("paid");
const group = named("billing");
const target = { stream, topic, group };
const settings = { compression: 1, messageExpiryMicros: 0n, maxTopicSizeBytes: 0n, replicationFactor: 1 } as const;
const consumer = { kind: "group", id: 0 } as const;
const ana = 101;
const ben = 102;
const cleo = 103;

let running: TestShards;
let shards: TestShards["shards"];

beforeEach(async () => {
  running = startShards();
  shards = running.shards;
  await shards[0].shard.control({ kind: "createStream", request: { name: "orders" } });
  const topicRequest = { stream, name: "paid", partitionsCount: 4, ...settings };
  await shards[0].shard.control({ kind: "createTopic", request: topicRequest });
  await shards[0].shard.control({ kind: "createGroup", request: { stream, topic, name: "billing" } });
});

afterEach(async () => {
  await running.close();
  expect(shards.flatMap(({ failures }) => failures).filter((one) => !(one instanceof IggyError))).toEqual([]);
});

const keyOf = (partitionId: number) => partitionKeyOf(0, 0, partitionId);

const join = (from: TestShard, clientId: number) =>
  from.shard.control({ kind: "joinGroup", request: target, clientId });

const leave = (from: TestShard, clientId: number) =>
  from.shard.control({ kind: "leaveGroup", request: target, clientId });

/** Partitions of each member, as this shard sees them. */
const listsOf = ({ state }: TestShard) =>
  requireGroup(state, target).group.members.map(({ partitions }) => [...partitions].sort((a, b) => a - b));

/** Waits until both shards say that the partitions are given out like this. */
const settled = (expected: number[][]) =>
  eventually(
    `the lists ${JSON.stringify(expected)}`,
    () => shards.map(listsOf),
    (seen) => seen.every((lists) => JSON.stringify(lists) === JSON.stringify(expected)),
  );

/** All that was started is over: a report of an owner would have been carried out by now. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Bun.sleep(2);
}

async function poll(from: TestShard, clientId: number, partitionId: number, autoCommit = false, countMax = 10) {
  const request = { partitionKey: keyOf(partitionId), from: { kind: "next", consumer }, countMax } as const;
  const read = await from.shard.read({ ...request, autoCommit, consumer, memberClientId: clientId });
  read.release();
  return read.messagesCount;
}

const store = (from: TestShard, clientId: number, partitionId: number, offset: number) =>
  from.shard.offset({
    operation: "store",
    partitionKey: keyOf(partitionId),
    consumer,
    memberClientId: clientId,
    offset,
  });

async function stored(partitionId: number): Promise<number | undefined> {
  const request = { operation: "get", partitionKey: keyOf(partitionId), consumer, memberClientId: undefined } as const;
  return (await shards[0].shard.offset(request)).storedOffset;
}

async function codeOf(work: () => unknown): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    if (error instanceof IggyError) return error.code;
    throw error;
  }
}

/** A partition of each shard. */
const owned = [0, 1].map(
  (shardId) => [0, 1, 2, 3].find((id) => ownerShardOf(partitionKeyOf(0, 0, id), 2) === shardId)!,
);

describe.each([0, 1] as const)("members on shard %d", (shardId) => {
  test("are served what is theirs, whichever shard owns it, and nobody else is", async () => {
    await join(shards[shardId], ana);
    for (const partitionId of owned) {
      await append(shards[0], keyOf(partitionId), [10, 20]);
      expect(await poll(shards[shardId], ana, partitionId)).toBe(2);
      expect(await codeOf(() => poll(shards[shardId], ben, partitionId))).toBe(3022);
      expect(await codeOf(() => store(shards[shardId], ben, partitionId, 0))).toBe(3022);
      expect(await stored(partitionId)).toBeUndefined();
      await store(shards[shardId], ana, partitionId, 1);
      expect(await stored(partitionId)).toBe(1);
    }
  });

  test("get a partition at once that was never polled, on both shards", async () => {
    await join(shards[shardId], ana);
    await join(shards[1 - shardId]!, ben);
    await settled([[0, 1, 2], [3]]);
  });

  test("wait for a commit of what was polled, by the command or by the poll", async () => {
    await append(shards[0], keyOf(3), [10, 20, 30]);
    await append(shards[0], keyOf(2), [10]);
    await join(shards[shardId], ana);
    expect(await poll(shards[shardId], ana, 3)).toBe(3);
    expect(await poll(shards[shardId], ana, 2)).toBe(1);
    await join(shards[1 - shardId]!, ben);
    await join(shards[1 - shardId]!, cleo);
    await quiet();
    expect(listsOf(shards[0])).toEqual([[0, 1, 2, 3], [], []]);
    expect(await codeOf(() => poll(shards[1 - shardId]!, ben, 3))).toBe(3022);

    await store(shards[shardId], ana, 3, 1);
    await quiet();
    expect(listsOf(shards[0])).toEqual([[0, 1, 2, 3], [], []]);
    await store(shards[shardId], ana, 3, 2);
    await settled([[0, 1, 2], [3], []]);
    expect(await codeOf(() => store(shards[shardId], ana, 3, 2))).toBe(3022);

    expect(await poll(shards[shardId], ana, 2, true)).toBe(1);
    await settled([[0, 1], [3], [2]]);
  });

  test("after a move by force the old member is refused, and what it did not commit comes again", async () => {
    await append(shards[0], keyOf(3), [10, 20, 30]);
    await join(shards[shardId], ana);
    await poll(shards[shardId], ana, 3);
    await join(shards[1 - shardId]!, ben);
    await quiet();
    expect(listsOf(shards[0])).toEqual([[0, 1, 2, 3], []]);
    await shards[0].shard.control({ kind: "timeOutRevocations", timeoutMicros: 0 });
    await settled([[0, 1, 2], [3]]);
    expect(await codeOf(() => store(shards[shardId], ana, 3, 2))).toBe(3022);
    expect(await poll(shards[1 - shardId]!, ben, 3)).toBe(3);
  });
});

test.each([
  "stored again",
  "deleted",
] as const)("a partition moves at once whose polled messages are committed, also if its offset is %s since", async (what) => {
  await append(shards[0], keyOf(3), [10, 20, 30]);
  await join(shards[0], ana);
  await poll(shards[0], ana, 3, true);
  const request = { partitionKey: keyOf(3), consumer, memberClientId: ana } as const;
  if (what === "deleted") await shards[0].shard.offset({ operation: "delete", ...request });
  else await store(shards[0], ana, 3, 0);
  await join(shards[1], ben);
  await settled([[0, 1, 2], [3]]);
  expect(await poll(shards[1], ben, 3)).toBe(what === "deleted" ? 3 : 2);
});

test("a commit counts for its partition only", async () => {
  for (const partitionId of [2, 3]) await append(shards[0], keyOf(partitionId), [10]);
  await join(shards[0], ana);
  for (const partitionId of [2, 3]) await poll(shards[0], ana, partitionId);
  await join(shards[0], ben);
  await store(shards[0], ana, 2, 0);
  await quiet();
  await settled([[0, 1, 2, 3], []]);
});

test("what a member polled that has left holds nobody up", async () => {
  for (const partitionId of [0, 1, 2, 3]) await append(shards[0], keyOf(partitionId), [10]);
  await join(shards[0], ana);
  await join(shards[1], ben);
  await settled([[0, 1, 2], [3]]);
  for (const partitionId of [0, 1, 2]) await poll(shards[0], ana, partitionId);
  await leave(shards[0], ana);
  await join(shards[1], cleo);
  await settled([[3], [0, 1, 2]]); // cleo has the free slot
});

test("what another member polled before the partition came to its source holds nobody up", async () => {
  for (const partitionId of [0, 1, 2, 3]) await append(shards[0], keyOf(partitionId), [10]);
  await join(shards[0], ana);
  for (const partitionId of [0, 1, 2, 3]) await poll(shards[0], ana, partitionId);
  await join(shards[1], ben);
  await join(shards[1], cleo);
  await quiet();
  expect(listsOf(shards[0])).toEqual([[0, 1, 2, 3], [], []]);
  await leave(shards[1], cleo); // everything is given out anew: 1 and 3 go to ben, who has polled neither
  expect(listsOf(shards[0])).toEqual([
    [0, 2],
    [1, 3],
  ]);
  // Fair is 1 and the rest goes to ana: ben gives its last one, which ana polled and can not commit any more.
  await join(shards[0], cleo);
  await settled([[0, 2], [1], [3]]);
});

test("a purge leaves nothing to wait for", async () => {
  for (const partitionId of owned) await append(shards[0], keyOf(partitionId), [10]);
  await append(shards[0], keyOf(3), [10]);
  await join(shards[0], ana);
  await poll(shards[0], ana, 3);
  await join(shards[1], ben);
  await quiet();
  expect(listsOf(shards[0])).toEqual([[0, 1, 2, 3], []]);
  await shards[1].shard.control({ kind: "purgeTopic", request: { stream, topic } });
  await settled([[0, 1, 2], [3]]);
});

test("the offsets of a group go with it, on both shards, and its successor waits for nothing", async () => {
  for (const partitionId of [0, 1, 2, 3]) await append(shards[0], keyOf(partitionId), [10, 20]);
  await join(shards[0], ana);
  for (const partitionId of [0, 1, 2, 3]) {
    await poll(shards[0], ana, partitionId);
    await store(shards[0], ana, partitionId, 0);
  }
  await shards[1].shard.control({ kind: "deleteGroup", request: target });
  expect(await codeOf(() => poll(shards[0], ana, 0))).toBe(3022);
  await shards[1].shard.control({ kind: "createGroup", request: { stream, topic, name: "billing" } });
  for (const partitionId of [0, 1, 2, 3]) expect(await stored(partitionId)).toBeUndefined();
  await join(shards[0], ana);
  await join(shards[1], ben);
  await settled([[0, 1, 2], [3]]);
});

test("polls of partitions that are deleted are forgotten with them", async () => {
  for (const partitionId of [2, 3]) await append(shards[0], keyOf(partitionId), [10]);
  await join(shards[0], ana);
  for (const partitionId of [2, 3]) await poll(shards[0], ana, partitionId);
  await shards[0].shard.control({ kind: "deletePartitions", request: { stream, topic, count: 2 } });
  await shards[1].shard.control({ kind: "createPartitions", request: { stream, topic, count: 2 } });
  await join(shards[1], ben);
  await settled([[0, 1, 2], [3]]);
});

test("an offset file that cannot be removed does not keep those of other partitions, and nobody is refused", () => {
  const tried: number[] = [];
  const failures: unknown[] = [];
  const failure = new IggyError("CannotDeleteConsumerOffsetFile", ["/offsets/groups/0"]);
  const find = (key: number) =>
    ({
      clearLastPolled: () => undefined,
      deleteGroupOffsets: (groupId: number) => {
        expect(groupId).toBe(0);
        tried.push(key);
        if (key === keyOf(1)) throw failure;
      },
    }) as unknown as Partition;
  const owner = new GroupOwner({
    state: shards[0].state,
    partitions: { find, require: find },
    complete: () => Promise.resolve(),
    onFailure: (thrown) => failures.push(thrown),
  });
  owner.follow({ kind: "groupDeleted", streamId: 0, topicId: 0, groupId: 0 });
  expect(tried).toEqual([0, 1, 2, 3].map(keyOf));
  expect(failures).toEqual([failure]);
});
