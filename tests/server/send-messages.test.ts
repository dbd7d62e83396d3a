import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { IggyError } from "../../src/protocol/errors.ts";
import { encodeSendMessages } from "../../src/protocol/message/send-messages.ts";
import type { Partitioning } from "../../src/protocol/partitioning.ts";
import { type Session, sendMessages } from "../../src/server/index.ts";
import { ownerShardOf, partitionKeyOf } from "../../src/shard/index.ts";
import { startShards, type TestShards } from "../shard/setup.ts";
import { makeSession } from "./setup.ts";

const partitionsCount = 3;
const named = (value: string) => ({ kind: "string", value }) as const;
const settings = { compression: 1, messageExpiryMicros: 0n, maxTopicSizeBytes: 0n, replicationFactor: 1 } as const;
const key = (text: string): Partitioning => ({ kind: "key", key: new TextEncoder().encode(text) });
const balanced: Partitioning = { kind: "balanced" };

let running: TestShards;
let session: Session;

beforeEach(async () => {
  running = startShards();
  session = makeSession(0);
  const { shard } = running.shards[0];
  await shard.control({ kind: "createStream", request: { name: "orders" } });
  for (const [name, count] of [
    ["paid", partitionsCount],
    ["empty", 0],
  ] as const) {
    const request = { stream: named("orders"), name, partitionsCount: count, ...settings };
    await shard.control({ kind: "createTopic", request });
  }
});
afterEach(() => running.close());

/** Sends one message from a shard, or this payload; the code of the error, 0 for success. */
async function send(
  partitioning: Partitioning,
  options: { topic?: string; stream?: string; payload?: Uint8Array; from?: 0 | 1 } = {},
) {
  const { topic = "paid", stream = "orders", from = 0 } = options;
  const messages = [{ payload: new Uint8Array(10) }];
  const payload =
    options.payload ?? encodeSendMessages({ stream: named(stream), topic: named(topic), partitioning, messages });
  const { shard, frames } = running.shards[from];
  const buffer = frames.allocate(payload.byteLength)!;
  buffer.memory.set(payload, buffer.position);
  try {
    await sendMessages(shard, session, buffer);
    return 0;
  } catch (error) {
    if (error instanceof IggyError) return error.code;
    throw error;
  } finally {
    frames.release(buffer);
  }
}

function counts(): number[] {
  const { counters } = running.shards[0].shard;
  return Array.from({ length: partitionsCount }, (_, id) => counters.partition(partitionKeyOf(0, 0, id)).messagesCount);
}

describe("the partition", () => {
  test("is the one that is named", async () => {
    expect(await send({ kind: "partition", partitionId: 2 })).toBe(0);
    expect(counts()).toEqual([0, 0, 1]);
  });

  test("goes round for balanced sends, whichever shard they come from", async () => {
    for (let count = 0; count < 6; count++) expect(await send(balanced, { from: count % 2 === 0 ? 0 : 1 })).toBe(0);
    expect(counts()).toEqual([2, 2, 2]);
  });

  // The vectors of spec BP 8, modulo 3.
  test.each([
    ["a", 0],
    ["key-1", 1],
    ["user-42", 2],
    ["order-000001", 2],
  ])("follows from the key %s, as the SDKs compute it", async (text, partitionId) => {
    await send(key(text));
    await send(key(text), { from: 1 });
    const expected = [0, 0, 0];
    expected[partitionId] = 2;
    expect(counts()).toEqual(expected);
  });
});

describe("a send is refused", () => {
  test("with 1009, 2010 and 3007 for what does not exist", async () => {
    expect(await send(balanced, { stream: "none" })).toBe(1009);
    expect(await send(balanced, { topic: "none" })).toBe(2010);
    expect(await send({ kind: "partition", partitionId: 3 })).toBe(3007);
  });

  test("by a topic without partitions, for balanced sends and for keys", async () => {
    expect(await send(balanced, { topic: "empty" })).toBe(2010);
    expect(await send(key("a"), { topic: "empty" })).toBe(2010);
    expect(await send({ kind: "partition", partitionId: 0 }, { topic: "empty" })).toBe(3007);
  });

  test("for its batch before its stream is looked up", async () => {
    const payload = encodeSendMessages({
      stream: named("none"),
      topic: named("none"),
      partitioning: balanced,
      messages: [{ payload: new Uint8Array(10) }],
    });
    // The first index row, right behind the metadata: a relative offset that is not 0.
    const rowsPosition = 4 + new DataView(payload.buffer).getUint32(0, true);
    payload[rowsPosition] = 1;
    expect(await send(balanced, { payload })).toBe(4031);
  });

  test("with an error of the table, cut anywhere", async () => {
    const payload = encodeSendMessages({
      stream: named("orders"),
      topic: named("paid"),
      partitioning: key("k"),
      messages: [{ payload: new Uint8Array(5) }, { payload: new Uint8Array(9) }],
    });
    for (let end = 0; end < payload.byteLength; end++) {
      const code = await send(balanced, { payload: payload.slice(0, end) });
      expect(code).toBeGreaterThan(1);
    }
    expect(counts()).toEqual([0, 0, 0]);
    expect(await send(balanced, { payload })).toBe(0);
  });
});

describe("a connection that changes its target", () => {
  /** A send whose metadata has `extraBytes` behind the count, which is legal. */
  function encodeSend(topic: string, partitionId: number, extraBytes = 0): Uint8Array {
    const plain = encodeSendMessages({
      stream: named("orders"),
      topic: named(topic),
      partitioning: { kind: "partition", partitionId },
      messages: [{ payload: new Uint8Array(10) }],
    });
    const metadataBytes = new DataView(plain.buffer).getUint32(0, true);
    const payload = new Uint8Array(plain.byteLength + extraBytes);
    payload.set(plain.subarray(0, 4 + metadataBytes));
    payload.set(plain.subarray(4 + metadataBytes), 4 + metadataBytes + extraBytes);
    new DataView(payload.buffer).setUint32(0, metadataBytes + extraBytes, true);
    return payload;
  }

  test.each([0, 1, 3, 300])("is followed, with %d bytes behind the count of every other send", async (extraBytes) => {
    for (let count = 0; count < 5; count++) {
      expect(await send(balanced, { payload: encodeSend("paid", 0) })).toBe(0);
      expect(await send(balanced, { payload: encodeSend("paid", 1, extraBytes) })).toBe(0);
    }
    expect(counts()).toEqual([5, 5, 0]);
  });

  test("is not led astray by what happened to the topic in between", async () => {
    const { shard } = running.shards[1];
    const target = { stream: named("orders"), topic: named("paid") };
    expect(await send({ kind: "partition", partitionId: 2 })).toBe(0);
    await shard.control({ kind: "deletePartitions", request: { ...target, count: 1 } });
    expect(await send({ kind: "partition", partitionId: 2 })).toBe(3007);
    await shard.control({ kind: "deleteTopic", request: target });
    expect(await send({ kind: "partition", partitionId: 0 })).toBe(2010);
    await shard.control({
      kind: "createTopic",
      request: { stream: named("orders"), name: "paid", partitionsCount, ...settings },
    });
    expect(await send({ kind: "partition", partitionId: 0 })).toBe(0);
    await shard.control({ kind: "updateTopic", request: { ...target, ...settings, name: "renamed" } });
    expect(await send({ kind: "partition", partitionId: 0 })).toBe(2010);
    expect(await send({ kind: "partition", partitionId: 1 }, { topic: "renamed" })).toBe(0);
    expect(counts()).toEqual([1, 1, 0]);
  });

  test("sends where each head says, whatever came before", async () => {
    const expected = [0, 0, 0];
    const choices = [
      balanced,
      key("a"),
      key("key-1"),
      ...[0, 1, 2].map((id) => ({ kind: "partition", partitionId: id }) as const),
    ];
    const keyed: Record<number, number> = { 1: 0, 2: 1 };
    let turn = 0;
    for (let count = 0; count < 300; count++) {
      const choice = (count * 7 + Math.floor(count / 11)) % choices.length;
      const partitionId = choice === 0 ? turn++ % partitionsCount : (keyed[choice] ?? choice - 3);
      expected[partitionId]!++;
      expect(await send(choices[choice]!, { from: count % 2 === 0 ? 0 : 1 })).toBe(0);
    }
    expect(counts()).toEqual(expected);
  });
});

test("sends that name a partition of the other shard pull the connection there", async () => {
  const partitionId = [0, 1, 2].find((id) => ownerShardOf(partitionKeyOf(0, 0, id), 2) === 1)!;
  for (let count = 0; count < 4; count++) {
    expect(session.affinity.target()).toBeUndefined();
    await send({ kind: "partition", partitionId });
  }
  expect(session.affinity.target()).toBe(1);
});
