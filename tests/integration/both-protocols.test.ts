// Clients of 0.8 and of 0.9 over one log: what one sends the other reads, byte for byte, whatever the sizes.
import { describe, expect, test } from "bun:test";
import type { Client } from "../../src/client/index.ts";
import { seededRandom } from "../../src/platform/random.ts";
import { requestFrame } from "../protocol/v09/support.ts";
import type { RecordMessage, StoredMessage } from "../storage/kernel/records.ts";
import { buildRecord } from "../storage/kernel/records.ts";
import { Client09, sendBody09 } from "../support/client-09.ts";
import { type TestServer, useServers } from "../support/server.ts";

const servers = useServers();
const stream = { kind: "string", value: "both" } as const;
const topic = { kind: "string", value: "topic" } as const;
const originMicros = 1_700_000_000_000_000n;

/** Messages of these payload sizes; ids, times and bytes by seed. */
function messagesOf(sizes: readonly number[], seed: number): RecordMessage[] {
  const random = seededRandom(seed);
  return sizes.map((size, index) => {
    const bytes = (count: number) => Uint8Array.from({ length: count }, () => random.u32() & 0xff);
    // One random run, repeated: megabytes of random bytes take their time.
    const pattern = bytes(251);
    const payload = new Uint8Array(size);
    for (let at = 0; at < size; at += pattern.length) payload.set(pattern.subarray(0, size - at), at);
    const key = Uint8Array.from([2, 1, 0, 0, 0, 107, 1, 3, 0, 0, 0, ...bytes(3)]);
    return {
      id: (BigInt(seed) << 64n) | BigInt(index + 1),
      payload,
      userHeaders: index % 3 === 0 ? key : new Uint8Array(0),
      originTimestamp: originMicros + BigInt(index) * 1_000n,
    };
  });
}

/** What readers of either protocol see of a message. */
function seen({ id, payload, userHeaders, originTimestamp, offset }: Omit<StoredMessage, "timestamp">): string {
  const hash = Bun.hash.xxHash3(payload);
  return `${offset} ${id} ${originTimestamp} ${payload.byteLength} ${hash} ${userHeaders.toHex()}`;
}

function expected(messages: readonly RecordMessage[], firstOffset = 0): string[] {
  return messages.map((message, index) => seen({ ...message, offset: BigInt(firstOffset + index) }));
}

async function prepared(server: TestServer): Promise<Client> {
  const client = await server.connect();
  await client.createStream("both");
  await client.createTopic("both", { name: "topic", partitionsCount: 4 });
  return client;
}

async function read08(client: Client, partitionId: number, count: number): Promise<string[]> {
  const strategy = { kind: "offset", value: 0n } as const;
  const consumer = { kind: "consumer", id: { kind: "numeric", value: 1 } } as const;
  const polled = await client.pollMessages({ consumer, stream: "both", topic: "topic", partitionId, strategy, count });
  return polled.messages.map(({ id, payload, userHeaders, originTimestampMicros, offset }) =>
    seen({ id, payload, userHeaders, originTimestamp: originTimestampMicros, offset }),
  );
}

async function read09(client: Client09, partitionId: number, count: number): Promise<string[]> {
  const { messages } = await client.poll(stream, topic, partitionId, { kind: "offset", value: 0n }, count);
  return messages.map(seen);
}

async function send08(client: Client, partitionId: number, messages: readonly RecordMessage[]): Promise<void> {
  await client.sendMessages({
    stream: "both",
    topic: "topic",
    partitioning: { kind: "partition", partitionId },
    messages: messages.map(({ id, payload, userHeaders, originTimestamp }) => ({
      id,
      payload,
      userHeaders,
      originTimestampMicros: originTimestamp,
    })),
  });
}

const mebibyte = 1024 * 1024;
/** Batches: small ones, empty payloads, a piece of a reply and a bit, one message larger than a piece, larger than the arena. */
const batches: readonly (readonly number[])[] = [
  [5],
  [0, 0, 0],
  Array.from({ length: 300 }, (_, index) => (index * 37) % 2000),
  Array.from({ length: 1500 }, () => 1000),
  [3 * mebibyte, 10, 2 * mebibyte],
  [9 * mebibyte],
];

describe.each([
  { shards: 1, env: {} },
  { shards: 2, env: {} },
  {
    shards: 1,
    env: {
      IGGY_SYSTEM_ENCRYPTION_ENABLED: "true",
      IGGY_SYSTEM_ENCRYPTION_KEY: "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=",
    },
  },
  { shards: 1, env: { IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: "memory" } },
  { shards: 1, env: { IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: "sync" } },
])("$shards shard(s), $env", (options) => {
  test("what one protocol sends the other reads, mixed in one partition and after a restart", async () => {
    const server = await servers.start(options);
    let client = await prepared(server);
    let later = await Client09.login(server.portOf("tcp"));
    const all: RecordMessage[] = [];
    for (const [index, sizes] of batches.entries()) {
      const messages = messagesOf(sizes, index + 1);
      const partitionId = 1;
      if (index % 2 === 0) expect(await later.send(stream, topic, partitionId, messages)).toBe(BigInt(all.length));
      else await send08(client, partitionId, messages);
      all.push(...messages);
    }
    expect(await read09(later, 1, 5000)).toEqual(expected(all));
    expect(await read08(client, 1, 5000)).toEqual(expected(all));
    // One by one: each is a part of a record, or of a batch.
    for (const offset of [0, 3, 4, 10, 303, 304, 1803, 1804, 1806]) {
      const polled = await later.poll(stream, topic, 1, { kind: "offset", value: BigInt(offset) }, 1);
      expect(polled.messages.map(seen)).toEqual(expected(all).slice(offset, offset + 1));
      expect(polled.partitionId).toBe(1);
    }
    client.close();
    later.close();
    await server.restart();
    client = await server.connect();
    later = await Client09.login(server.portOf("tcp"));
    expect(await read09(later, 1, 5000)).toEqual(expected(all));
    expect(await read08(client, 1, 5000)).toEqual(expected(all));
    client.close();
    later.close();
  }, 120_000);
});

test("sends behind sends are answered in order, each with the place of its messages", async () => {
  const server = await servers.start({ shards: 2 });
  const client = await prepared(server);
  const { wire } = await Client09.login(server.portOf("tcp"));
  const sendsCount = 50;
  for (let number = 1; number <= sendsCount; number++) {
    const record = buildRecord(messagesOf([number, 1], number));
    const body = sendBody09(stream, topic, 2, 2, record);
    wire.send(requestFrame({ operation: 160, session: 1n, request: BigInt(number), body }));
  }
  for (let number = 1; number <= sendsCount; number++) {
    const frame = (await wire.receive()) as Uint8Array;
    const view = new DataView(frame.buffer);
    expect([view.getBigUint64(200, true), view.getUint32(216, true), view.getBigUint64(256 + 16, true)]).toEqual([
      BigInt(number),
      0,
      BigInt(2 * (number - 1)),
    ]);
  }
  client.close();
  wire.close();
}, 60_000);

test("a reply of many pieces comes whole", async () => {
  const server = await servers.start();
  const client = await prepared(server);
  const later = await Client09.login(server.portOf("tcp"));
  const messages = messagesOf(
    Array.from({ length: 4000 }, () => 2000),
    7,
  );
  for (let start = 0; start < messages.length; start += 500) {
    await later.send(stream, topic, 0, messages.slice(start, start + 500));
  }
  expect(await read09(later, 0, 10_000)).toEqual(expected(messages));
  client.close();
  later.close();
}, 60_000);

test("a configured cluster is for clients of 0.8: those of 0.9 would ask its nodes where to poll", async () => {
  const server = await servers.start({ env: { IGGY_CLUSTER_ENABLED: "true" } });
  const client = await server.connect();
  const later = await Client09.login(server.portOf("tcp"));
  const namesOf = (metadata: { readonly nodes: readonly { readonly name: string }[] } | undefined) =>
    metadata?.nodes.map(({ name }) => name);
  expect(namesOf(await client.getClusterMetadata())).toEqual(["iggy-node-1", "iggy-node-2"]);
  expect(namesOf(await later.request("getClusterMetadata", undefined))).toEqual(["iggy-node-1"]);
  client.close();
  later.close();
}, 60_000);

test("a topic has segments of its own size, also after a restart", async () => {
  const server = await servers.start({ shards: 2 });
  const client = await prepared(server);
  const option = { key: "segment_size", kind: 2, value: new TextEncoder().encode("1 MiB") };
  let later = await Client09.login(server.portOf("tcp"));
  await later.request("createTopic", { stream, partitionsCount: 1, name: "small", options: [option] });
  const small = { kind: "string", value: "small" } as const;
  const messages = messagesOf(
    Array.from({ length: 1000 }, () => 1000),
    1,
  );
  const segmentsCounts = async () => {
    const topics = await Promise.all([small, topic].map((one) => client.getTopic("both", one.value)));
    return topics.map((details) => details?.partitions[0]?.segmentsCount);
  };
  for (let batch = 0; batch < 3; batch++) {
    await later.send(stream, small, 0, messages);
    await later.send(stream, topic, 0, messages);
  }
  expect(await segmentsCounts()).toEqual([2, 1]);
  client.close();
  later.close();
  await server.restart();
  later = await Client09.login(server.portOf("tcp"));
  for (let batch = 0; batch < 3; batch++) await later.send(stream, small, 0, messages);
  const details = await later.request("getTopic", { stream, topic: small });
  expect(details?.partitions[0]?.segmentsCount).toBe(4);
  expect(details?.options?.explicit).toEqual([
    { key: "segment_size", kind: 12, value: new Uint8Array([0, 0, 16, 0, 0, 0, 0, 0]) },
  ]);
  later.close();
}, 60_000);
