// Two shards, connected as in the server: whichever is asked, the owner of the partition does the work.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readSync } from "node:fs";
import { findStream, findTopic } from "../../src/metadata/index.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { ownerShardOf, partitionKeyOf, type ShardRead } from "../../src/shard/index.ts";
import { makeBatch, parseMessages } from "../storage/harness.ts";
import { eventually } from "../support/process-facts.ts";
import { startShards, type TestShard, type TestShards } from "./setup.ts";

const partitionsCount = 4;
const named = (value: string) => ({ kind: "string", value }) as const;
const settings = {
  compression: 1,
  messageExpiryMicros: 0n,
  maxTopicSizeBytes: 0n,
  replicationFactor: 1,
} as const;
const consumer = { kind: "consumer", id: 7 } as const;

let running: TestShards;
let shards: TestShards["shards"];
/** Keys of the topic's partitions. */
let keys: number[];

beforeEach(async () => {
  running = startShards();
  shards = running.shards;
  await shards[1].shard.control({ kind: "createStream", request: { name: "orders" } });
  await createTopic(shards[1], "paid");
  keys = Array.from({ length: partitionsCount }, (_, partitionId) => partitionKeyOf(0, 0, partitionId));
});

afterEach(() => running.close());

function createTopic(from: TestShard, name: string) {
  const request = { stream: named("orders"), name, partitionsCount, ...settings };
  return from.shard.control({ kind: "createTopic", request });
}

/** Appends through `from`, from its frame memory, as a connection there would; the offset of the first message. */
async function append(from: TestShard, key: number, payloadSizes: readonly number[], firstNumber = 0): Promise<number> {
  const batch = makeBatch(payloadSizes, firstNumber);
  const buffer = from.frames.allocate(batch.memory.byteLength)!;
  from.frames.reserve(buffer, batch.memory.byteLength);
  buffer.memory.set(batch.memory, buffer.position);
  const place = {
    buffer,
    rowsPosition: buffer.position,
    messagesCount: batch.messagesCount,
    messagesPosition: buffer.position + batch.messagesPosition,
    messagesSizeBytes: batch.messagesSizeBytes,
  };
  const { rowsPosition, messagesCount, messagesPosition, messagesSizeBytes } = place;
  const kernel = from.shard.kernelOf(buffer);
  expect(kernel.validate(rowsPosition, messagesCount, messagesPosition, messagesSizeBytes)).toBe(0);
  const offset = await from.shard.appendAt(key, place);
  from.frames.release(buffer);
  return offset;
}

function bytesOf(read: ShardRead): Uint8Array {
  const parts = read.parts.map((part) => {
    if (part.kind === "bytes") return part.bytes;
    const bytes = new Uint8Array(part.sizeBytes);
    expect(readSync(part.fd, bytes, 0, part.sizeBytes, part.position)).toBe(part.sizeBytes);
    return bytes;
  });
  return new Uint8Array(Buffer.concat(parts));
}

async function payloadsOf(from: TestShard, key: number): Promise<number[][]> {
  const read = await from.shard.read({
    partitionKey: key,
    from: { kind: "first" },
    countMax: 100,
    autoCommit: false,
    consumer,
  });
  const messages = parseMessages(bytesOf(read));
  read.release();
  expect(messages.map(({ offset }) => offset)).toEqual(messages.map((_, index) => index));
  expect(read.messagesCount).toBe(messages.length);
  return messages.map(({ payload }) => [...payload]);
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

/** A partition that the given shard does not own. */
function foreignKey(shardId: number): number {
  return keys.find((key) => ownerShardOf(key, 2) !== shardId)!;
}

describe("metadata", () => {
  test("is the same on both shards when the command is answered, whichever was asked", async () => {
    for (const from of shards) {
      const event = await createTopic(from, `from ${from.shard.shardId}`);
      expect(event.kind).toBe("topicCreated");
      for (const { state } of shards) {
        const topic = findTopic(findStream(state, named("orders"))!, named(`from ${from.shard.shardId}`));
        expect(topic!.partitions).toHaveLength(partitionsCount);
      }
      expect(shards[1].state.streams).toEqual(shards[0].state.streams);
    }
  });

  test("a refused command gives its error on both shards and changes nothing", async () => {
    for (const { shard } of shards) {
      expect(await codeOf(() => shard.control({ kind: "createStream", request: { name: "orders" } }))).toBe(1012);
      expect(await codeOf(() => shard.control({ kind: "deleteStream", request: { stream: named("none") } }))).toBe(
        1009,
      );
    }
    for (const { state } of shards) expect(state.streams.byId.size).toBe(1);
  });

  test("commands from both shards at once get ids of their own", async () => {
    const events = await Promise.all(
      Array.from({ length: 20 }, (_, index) => createTopic(shards[index % 2]!, `topic ${index}`)),
    );
    const ids = events.map((event) => (event.kind === "topicCreated" ? event.topicId : -1));
    expect(new Set(ids).size).toBe(20);
    expect(shards[1].state.streams).toEqual(shards[0].state.streams);
  });

  test("what was deleted is gone on both shards, and its successor starts empty", async () => {
    for (const key of keys) await append(shards[0], key, [10]);
    const request = { stream: named("orders"), topic: named("paid") };
    await shards[1].shard.control({ kind: "deleteTopic", request });
    for (const { shard } of shards) {
      for (const key of keys) {
        const read = { partitionKey: key, from: { kind: "first" }, countMax: 1, autoCommit: false, consumer } as const;
        expect(await codeOf(() => shard.read(read))).toBe(3007);
      }
    }
    await createTopic(shards[0], "again");
    for (const from of shards) for (const key of keys) expect(await payloadsOf(from, key)).toEqual([]);
  });

  test("a purge empties partitions of both shards", async () => {
    for (const key of keys) await append(shards[0], key, [10]);
    await shards[1].shard.control({ kind: "purgeTopic", request: { stream: named("orders"), topic: named("paid") } });
    for (const from of shards) for (const key of keys) expect(await payloadsOf(from, key)).toEqual([]);
  });
});

describe("messages", () => {
  test("are appended by and read from either shard", async () => {
    expect(new Set(keys.map((key) => ownerShardOf(key, 2))).size).toBe(2);
    for (const key of keys) {
      await append(shards[0], key, [3, 0], 10);
      await append(shards[1], key, [2], 30);
    }
    for (const from of shards) {
      for (const key of keys) expect(await payloadsOf(from, key)).toEqual([[10, 10, 10], [], [30, 30]]);
      for (const key of keys) expect(from.shard.counters.partition(key).messagesCount).toBe(3);
    }
  });

  test("get offsets, which an append from either shard can tell", async () => {
    for (const key of keys) {
      expect(await append(shards[0], key, [3, 0])).toBe(0);
      expect(await append(shards[1], key, [2])).toBe(2);
      expect(await append(shards[0], key, [2])).toBe(3);
    }
  });

  test("in memory of their own, too", async () => {
    for (const from of shards) await append(from, foreignKey(from.shard.shardId), [9 * 1024 * 1024]);
    for (const from of shards) {
      const [payload] = await payloadsOf(from, foreignKey(from.shard.shardId));
      expect(payload).toHaveLength(9 * 1024 * 1024);
    }
  });

  test("pipelined from both shards keep the order of each", async () => {
    const key = keys[0]!;
    const sends = Array.from({ length: 60 }, (_, index) => append(shards[index % 2]!, key, [1], index));
    await Promise.all(sends);
    const numbers = (await payloadsOf(shards[1], key)).map(([number]) => number!);
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, index) => index));
    for (const parity of [0, 1]) {
      const own = numbers.filter((number) => number % 2 === parity);
      expect(own).toEqual(own.toSorted((a, b) => a - b));
    }
  });

  test("are refused by a promise, never by a throw, and so are other requests", async () => {
    for (const { shard, frames } of shards) {
      const buffer = frames.allocate(64)!;
      const place = { buffer, rowsPosition: 0, messagesCount: 1, messagesPosition: 16, messagesSizeBytes: 48 };
      for (const key of keys.map((_, index) => partitionKeyOf(0, 0, partitionsCount + index))) {
        const answers = [shard.append(key, place), shard.appendAt(key, place), shard.deleteSegments(key, 1)];
        for (const answer of answers) expect(await codeOf(() => answer)).toBe(3007);
      }
      frames.release(buffer);
    }
  });

  test("of a partition that is not there are PartitionNotFound on either shard", async () => {
    for (const from of shards) {
      for (let partitionId = partitionsCount; partitionId < partitionsCount + 2; partitionId++) {
        expect(await codeOf(() => append(from, partitionKeyOf(0, 0, partitionId), [1]))).toBe(3007);
      }
    }
  });
});

describe("leases", () => {
  test("keep the file of a forwarded read open until it is released, even when the topic goes", async () => {
    const key = foreignKey(0);
    const owner = shards[1];
    await append(shards[0], key, [100], 5);
    const read = await shards[0].shard.read({
      partitionKey: key,
      from: { kind: "first" },
      countMax: 1,
      autoCommit: false,
      consumer,
    });
    expect(read.parts.some((part) => part.kind === "file")).toBe(true);
    await shards[0].shard.control({ kind: "deleteTopic", request: { stream: named("orders"), topic: named("paid") } });
    expect(owner.storage.files.openCount).toBe(1);
    expect(parseMessages(bytesOf(read))[0]!.payload).toEqual(new Uint8Array(100).fill(5));
    read.release();
    await eventually(
      "the owner has closed it",
      () => owner.storage.files.openCount,
      (count) => count === 0,
    );
    expect(shards[0].sent.filter(({ kind }) => kind === "release")).toHaveLength(1);
  });

  test("are not made for a read of nothing", async () => {
    const request = {
      partitionKey: foreignKey(0),
      from: { kind: "first" },
      countMax: 1,
      autoCommit: false,
      consumer,
    } as const;
    const read = await shards[0].shard.read(request);
    read.release();
    expect(shards[0].sent.filter(({ kind }) => kind === "release")).toEqual([]);
  });
});

describe("offsets and flushes", () => {
  test("an error of the owner arrives with its text", async () => {
    for (const { shard, ...from } of shards) {
      const partitionKey = foreignKey(shard.shardId);
      await append({ shard, ...from }, partitionKey, [1]);
      let text = "";
      try {
        await shard.offset({ operation: "store", partitionKey, consumer, offset: 77 });
      } catch (error) {
        text = String(error);
      }
      expect(text).toMatch(/\b77\b/);
    }
  });

  test("go to the owner", async () => {
    for (const { shard, ...from } of shards) {
      const partitionKey = foreignKey(shard.shardId);
      await append({ shard, ...from }, partitionKey, [1, 1, 1]);
      const stored = await shard.offset({ operation: "store", partitionKey, consumer, offset: 1 });
      expect(stored).toEqual({ currentOffset: 2, storedOffset: 1 });
      const other = shards[1 - shard.shardId]!.shard;
      expect(await other.offset({ operation: "get", partitionKey, consumer })).toEqual(stored);
      expect((await shard.offset({ operation: "delete", partitionKey, consumer })).storedOffset).toBeUndefined();
      expect(await codeOf(() => shard.offset({ operation: "delete", partitionKey, consumer }))).toBe(3021);
      await shard.flush(partitionKey, true);
      await shard.flush(partitionKey, false);
    }
  });

  test("a read that commits stores the offset of its last message at the owner", async () => {
    const partitionKey = foreignKey(0);
    await append(shards[0], partitionKey, [1, 1, 1, 1]);
    const next = { partitionKey, from: { kind: "next", consumer }, countMax: 3, autoCommit: true, consumer } as const;
    for (const expected of [3, 1, 0]) {
      const read = await shards[0].shard.read(next);
      expect(read.messagesCount).toBe(expected);
      read.release();
    }
    const { storedOffset } = await shards[1].shard.offset({ operation: "get", partitionKey, consumer });
    expect(storedOffset).toBe(3);
  });
});

test("the clients of both shards are listed on either", async () => {
  const common = {
    userId: 0,
    transport: "tcp",
    address: "127.0.0.1:1",
    consumerGroupsCount: 0,
    consumerGroups: [],
  } as const;
  shards[0].clients.push({ ...common, clientId: 1 });
  shards[1].clients.push({ ...common, clientId: 2 }, { ...common, clientId: 3 });
  for (const { shard } of shards) {
    expect((await shard.clients()).map(({ clientId }) => clientId).toSorted()).toEqual([1, 2, 3]);
  }
});

test("a connection moves with its state", async () => {
  const moved = { fd: 11, state: { session: { clientId: 4 }, unread: new Uint8Array([1, 2]) } };
  shards[0].shard.moveConnection(1, moved);
  await eventually(
    "its arrival",
    () => shards[1].adopted.length,
    (count) => count > 0,
  );
  expect(shards[1].adopted).toEqual([moved]);
  expect(shards[0].shard.remoteOwnerOf(foreignKey(0))).toBe(1);
  expect(shards[1].shard.remoteOwnerOf(foreignKey(0))).toBeUndefined();
});
