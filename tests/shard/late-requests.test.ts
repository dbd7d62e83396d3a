// What arrives or ends late: its partition has been purged or deleted, and its number given to another one, or its group has.
// Nothing of it may reach what took the place.
import { afterEach, expect, test } from "bun:test";
import { IggyError } from "../../src/protocol/errors.ts";
import { createCipher } from "../../src/security/encryption.ts";
import { ownerShardOf, partitionKeyOf, type ShardRead } from "../../src/shard/index.ts";
import { append } from "./append.ts";
import { type ShardsOptions, startShards, type TestShard, type TestShards } from "./setup.ts";

const named = (value: string) => ({ kind: "string", value }) as const;
const stream = named("orders");
const topic = named("paid");
const group = named("billing");
const settings = { compression: 1, messageExpiryMicros: 0n, maxTopicSizeBytes: 0n, replicationFactor: 1 } as const;
const memberClientId = 101;
/** Of shard 0 and of shard 1. */
const keys = [partitionKeyOf(0, 0, 0), partitionKeyOf(0, 0, 1)] as const;
const encryption = {
  cipher: createCipher(Buffer.alloc(32, 5).toString("base64")),
  makeSeed: () => new Uint8Array(32).fill(3),
};

let running: TestShards;

afterEach(() => running.close());

async function start(options: ShardsOptions = {}): Promise<readonly [TestShard, TestShard]> {
  running = startShards(options);
  expect(keys.map((key) => ownerShardOf(key, 2))).toEqual([0, 1]);
  const [zero] = running.shards;
  await zero.shard.control({ kind: "createStream", request: { name: "orders" } });
  await createTopic(zero);
  return running.shards;
}

async function createTopic({ shard, state }: TestShard): Promise<void> {
  await shard.control({ kind: "createTopic", request: { stream, name: "paid", partitionsCount: 2, ...settings } });
  expect([...state.streams.byId.get(0)!.topics.byId.keys()]).toEqual([0]);
}

async function createGroup({ shard, state }: TestShard): Promise<void> {
  await shard.control({ kind: "createGroup", request: { stream, topic, name: "billing" } });
  expect([...state.streams.byId.get(0)!.topics.byId.get(0)!.groups.byId.keys()]).toEqual([0]);
  await shard.control({ kind: "joinGroup", request: { stream, topic, group }, clientId: memberClientId });
}

async function replaceTopic(zero: TestShard): Promise<void> {
  await zero.shard.control({ kind: "deleteTopic", request: { stream, topic } });
  await createTopic(zero);
}

const storedOffset = async ({ shard }: TestShard, partitionKey: number, kind: "consumer" | "group", id: number) =>
  (await shard.offset({ operation: "get", partitionKey, consumer: { kind, id } })).storedOffset;

test("requests that are under way while their topic is replaced are refused", async () => {
  const [zero, one] = await start();
  await append(zero, keys[1], [10, 10]);
  const consumer = { kind: "consumer", id: 7 } as const;
  const release = (read: ShardRead) => read.release();
  const requests = {
    append: () => append(zero, keys[1], [10, 10, 10]),
    read: () => {
      const request = { partitionKey: keys[1], from: { kind: "first" }, countMax: 10, autoCommit: true } as const;
      return Promise.resolve(zero.shard.read({ ...request, consumer })).then(release);
    },
    offset: () =>
      Promise.resolve(zero.shard.offset({ operation: "store", partitionKey: keys[1], consumer, offset: 0 })),
    flush: () => zero.shard.flush(keys[1], false),
    deleteSegments: () => zero.shard.deleteSegments(keys[1], 1),
    oldestSegment: () => Promise.resolve(zero.shard.oldestSegment({ partitionKey: keys[1] })),
  };
  for (const kind of Object.keys(requests) as (keyof typeof requests)[]) {
    const sendOn = zero.hold(kind);
    const answer = requests[kind]().then(
      () => "done",
      (error: unknown) => (error instanceof IggyError ? error.code : error),
    );
    await replaceTopic(zero);
    await append(one, keys[1], [10]);
    sendOn();
    expect({ kind, answer: await answer }).toEqual({ kind, answer: 3007 });
    expect(zero.shard.counters.partition(keys[1]).messagesCount).toBe(1);
    expect(await storedOffset(zero, keys[1], "consumer", 7)).toBeUndefined();
  }
});

test("a batch that is under way while its topic is purged is appended after the purge", async () => {
  const [zero] = await start();
  const sendOn = zero.hold("append");
  const answer = append(zero, keys[1], [10, 10, 10]);
  await zero.shard.control({ kind: "purgeTopic", request: { stream, topic } });
  sendOn();
  await answer;
  expect(zero.shard.counters.partition(keys[1]).messagesCount).toBe(3);
});

const changes: Readonly<Record<string, (zero: TestShard) => Promise<unknown>>> = {
  "its topic is purged": (zero) => zero.shard.control({ kind: "purgeTopic", request: { stream, topic } }),
  "its stream is purged": (zero) => zero.shard.control({ kind: "purgeStream", request: { stream } }),
  "its topic is replaced by another": replaceTopic,
};

test.each(
  Object.keys(changes).flatMap((change) => [0, 1].map((owner) => ({ change, owner }))),
)("a poll that ends after $change stores no offset (owner: shard $owner)", async ({ change, owner }) => {
  const [zero] = await start({ encryption });
  const partitionKey = keys[owner]!;
  const from = running.shards[owner]!;
  await append(zero, partitionKey, [1000, 1000, 1000]);
  const request = { partitionKey, from: { kind: "first" }, countMax: 10, autoCommit: true } as const;
  const reading = from.shard.read({ ...request, consumer: { kind: "consumer", id: 7 } });
  expect(reading).toBeInstanceOf(Promise);
  const changing = changes[change]!(zero);
  const read = await reading;
  expect(read.messagesCount).toBe(3);
  read.release();
  await changing;
  await append(zero, partitionKey, [1000, 1000, 1000, 1000]);
  expect(await storedOffset(zero, partitionKey, "consumer", 7)).toBeUndefined();
});

test("a poll that ends after its group is replaced by another stores no offset", async () => {
  const [zero] = await start({ encryption });
  await createGroup(zero);
  await append(zero, keys[0], [1000, 1000, 1000]);
  const request = { partitionKey: keys[0], from: { kind: "next" }, countMax: 10, autoCommit: true } as const;
  const consumer = { kind: "group", id: 0 } as const;
  const reading = zero.shard.read({ ...request, from: { kind: "next", consumer }, consumer, memberClientId });
  const changing = zero.shard
    .control({ kind: "deleteGroup", request: { stream, topic, group } })
    .then(() => createGroup(zero));
  (await reading).release();
  await changing;
  expect(await storedOffset(zero, keys[0], "group", 0)).toBeUndefined();
});
