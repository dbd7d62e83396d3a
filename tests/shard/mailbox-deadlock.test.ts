// Two shards that need each other: each has a batch for the other that waits for room, and a poll that commits and is
// answered only when metadata have changed, which takes a request in either direction.
import { afterEach, expect, test } from "bun:test";
import { ownerShardOf, partitionKeyOf } from "../../src/shard/index.ts";
import { makeBatch } from "../storage/harness.ts";
import { append } from "./append.ts";
import { startShards, type TestShard, type TestShards } from "./setup.ts";

const named = (value: string) => ({ kind: "string", value }) as const;
const stream = named("orders");
const settings = { compression: 1, messageExpiryMicros: 0n, maxTopicSizeBytes: 0n, replicationFactor: 1 } as const;
const waitMs = 20_000;

let running: TestShards;

afterEach(() => running.close());

/** As one batch in memory of its own. */
function appendLarge(shard: TestShard, partitionKey: number, payloadSizes: readonly number[]): Promise<void> {
  const batch = makeBatch(payloadSizes);
  const { messagesCount, messagesPosition, messagesSizeBytes } = batch;
  const large = new SharedArrayBuffer(batch.memory.byteLength);
  const memory = new Uint8Array(large);
  memory.set(batch.memory);
  const buffer = {
    memory,
    position: 0,
    sizeBytes: memory.byteLength,
    address: 0,
    large,
    slotClass: -1,
    grantedBytes: 0,
  };
  const place = { buffer, rowsPosition: 0, messagesCount, messagesPosition, messagesSizeBytes };
  return shard.shard.append(partitionKey, place);
}

test.each([
  { sizes: "below the limit of a mailbox", payloadSizes: [60_000_000] },
  { sizes: "above the limit of a mailbox", payloadSizes: [60_000_000, 10_000_000] },
])("batches $sizes in both directions, commits and metadata between them: everything ends", async ({
  payloadSizes,
}) => {
  running = startShards();
  const [zero, one] = running.shards;
  await zero.shard.control({ kind: "createStream", request: { name: "orders" } });
  for (const name of ["t0", "t1"]) {
    await zero.shard.control({ kind: "createTopic", request: { stream, name, partitionsCount: 2, ...settings } });
    await zero.shard.control({ kind: "createGroup", request: { stream, topic: named(name), name: "g" } });
    const target = { stream, topic: named(name), group: named("g") };
    await zero.shard.control({ kind: "joinGroup", request: target, clientId: 101 });
  }
  const ofOne = partitionKeyOf(0, 0, 1);
  const ofZero = partitionKeyOf(0, 1, 1);
  expect([ownerShardOf(ofOne, 2), ownerShardOf(ofZero, 2)]).toEqual([1, 0]);
  await append(zero, ofOne, [10]);
  await append(zero, ofZero, [10]);
  const poll = async (from: TestShard, partitionKey: number, autoCommit: boolean) => {
    const consumer = { kind: "group", id: 0 } as const;
    const request = { partitionKey, from: { kind: "first" }, countMax: 10, autoCommit, consumer } as const;
    (await from.shard.read({ ...request, memberClientId: 101 })).release();
  };
  await poll(zero, ofOne, false);
  await poll(one, ofZero, false);
  for (const name of ["t0", "t1"]) {
    const target = { stream, topic: named(name), group: named("g") };
    await zero.shard.control({ kind: "joinGroup", request: target, clientId: 102 });
  }

  const work: Readonly<Record<string, Promise<unknown>>> = {
    "poll with commit from shard 0": poll(zero, ofOne, true),
    "poll with commit from shard 1": poll(one, ofZero, true),
    "large batch from shard 0": appendLarge(zero, ofOne, payloadSizes),
    "large batch from shard 1": appendLarge(one, ofZero, payloadSizes),
    "change of the metadata from shard 1": one.shard.control({ kind: "createStream", request: { name: "later" } }),
    "small batch from shard 0": append(zero, ofOne, [10]),
    "question about clients from shard 0": zero.shard.clients(),
  };
  const unfinished = new Set(Object.keys(work));
  const all = Promise.all(Object.entries(work).map(([name, done]) => done.then(() => unfinished.delete(name))));
  await Promise.race([all, Bun.sleep(waitMs)]);
  expect([...unfinished]).toEqual([]);
}, 120_000);
