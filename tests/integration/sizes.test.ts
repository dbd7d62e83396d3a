// Messages and segments of every size, and offsets over restarts (the suites message_size_scenario,
// single_message_per_batch_scenario, read_during_persistence_scenario, segment_rotation_race_scenario and
// restart_offset_skip_scenario of spec SB 15).
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../../src/client/index.ts";
import type { MessageToSend } from "../../src/protocol/message/send-messages.ts";
import { messageHeaderBytes } from "../../src/protocol/message-layout.ts";
import type { PollingStrategy } from "../../src/protocol/polling-strategy.ts";
import { type ServerOptions, type TestServer, useServers } from "../support/server.ts";

const servers = useServers();
setDefaultTimeout(300_000);
const utf8 = new TextEncoder();
const target = { stream: "orders", topic: "eu" };
const payloadBytesMax = 64_000_000;
const userHeadersBytesMax = 100_000;

function consumerNumber(value: number) {
  return { kind: "consumer", id: { kind: "numeric", value } } as const;
}

async function startWith(options: ServerOptions = {}, partitionsCount = 1) {
  const server = await servers.start(options);
  const client = await server.connect();
  await client.createStream("orders");
  await client.createTopic("orders", { name: "eu", partitionsCount });
  return { server, client };
}

function send(client: Client, messages: readonly MessageToSend[], partitionId = 0): Promise<void> {
  return client.sendMessages({ ...target, partitioning: { kind: "partition", partitionId }, messages });
}

function sendText(client: Client, text: string, partitionId = 0): Promise<void> {
  return send(client, [{ payload: utf8.encode(text) }], partitionId);
}

async function poll(
  client: Client,
  strategy: PollingStrategy = { kind: "first", value: 0n },
  { count = 10_000, partitionId = 0, consumer = 1, autoCommit = false } = {},
) {
  const request = { ...target, consumer: consumerNumber(consumer), partitionId, strategy, count, autoCommit };
  return (await client.pollMessages(request)).messages;
}

async function texts(client: Client, ...rest: Parameters<typeof poll> extends [unknown, ...infer R] ? R : never) {
  return (await poll(client, ...rest)).map(({ payload }) => new TextDecoder().decode(payload));
}

const next = { kind: "next", value: 0n } as const;

/** A payload that differs at every place and from message to message. */
function patterned(sizeBytes: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  const words = new Uint32Array(bytes.buffer, 0, Math.floor(sizeBytes / 4));
  for (let index = 0; index < words.length; index++) words[index] = (index + seed) * 2_654_435_761;
  return bytes;
}

async function restarted(server: TestServer, client: Client, options: ServerOptions = {}): Promise<Client> {
  await client.close();
  await server.restart(options);
  return server.connect();
}

test.each([
  2,
])("payloads up to 10 MB and 100,000 bytes of user headers come back as sent (%d shards)", async (shards) => {
  const { server, client } = await startWith({ shards });
  const sizes = [
    [1, 0],
    [0, 1],
    [4096, 17],
    [100_000, userHeadersBytesMax],
    [1_000_000, 4],
    [10_000_000, userHeadersBytesMax],
  ] as const;
  const messages = sizes.map(([payloadBytes, userHeadersBytes], index) => ({
    payload: patterned(payloadBytes, index),
    userHeaders: patterned(userHeadersBytes, index + 100),
  }));
  for (const message of messages) await send(client, [message]);
  await send(client, messages);
  const digestsOf = (list: readonly MessageToSend[]) =>
    list.map(({ payload, userHeaders = new Uint8Array(0) }) => [
      payload.byteLength,
      Bun.hash(payload),
      Bun.hash(userHeaders),
    ]);
  const totalBytes = sizes.reduce((sum, [payload, userHeaders]) => sum + messageHeaderBytes + payload + userHeaders, 0);
  expect(Number((await client.getStream("orders"))!.sizeBytes)).toBe(2 * totalBytes);
  const log = Bun.file(join(server.dataPath, "streams/0/topics/0/partitions/0/00000000000000000000.log"));
  expect(log.size).toBe(2 * totalBytes);
  const expected = digestsOf([...messages, ...messages]);
  expect(digestsOf(await poll(client))).toEqual(expected);
  const after = await restarted(server, client);
  expect(digestsOf(await poll(after))).toEqual(expected);
  expect(digestsOf(await poll(after, { kind: "offset", value: 5n }, { count: 1 }))).toEqual([expected[5]!]);
  await after.close();
  await server.stop();
});

test("what is too large or too little is refused by number, and the connection goes on", async () => {
  const { server, client } = await startWith();
  const refused = async (messages: readonly MessageToSend[]): Promise<unknown> => {
    const thrown: unknown = await send(client, messages).catch((error: unknown) => error);
    return thrown instanceof Error && "code" in thrown ? thrown.code : thrown;
  };
  const small = { payload: utf8.encode("small") };
  expect(await refused([])).toBe(4009);
  expect(await refused([{ ...small, userHeaders: new Uint8Array(userHeadersBytesMax + 1) }])).toBe(4017);
  expect(await refused([small, { payload: new Uint8Array(payloadBytesMax + 1) }])).toBe(4022);
  // Nothing of a refused batch is there; the largest message that is allowed is.
  expect(await poll(client)).toEqual([]);
  const largest = patterned(payloadBytesMax, 7);
  await send(client, [small, { payload: largest }]);
  const [, polled] = await poll(client);
  expect(polled!.payload.byteLength).toBe(payloadBytesMax);
  expect(Bun.hash(polled!.payload)).toBe(Bun.hash(largest));
  await client.close();
  await server.stop();
});

test.each(["memory", "write"])("many batches of one message, over restarts (acknowledge = %s)", async (acknowledge) => {
  const env = {
    IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: acknowledge,
    IGGY_SYSTEM_PARTITION_MESSAGES_REQUIRED_TO_SAVE: "100",
    IGGY_SYSTEM_SEGMENT_SIZE: "16 KiB",
    IGGY_MESSAGE_SAVER_INTERVAL: "20ms",
  };
  const { server, client } = await startWith({ shards: 2, env });
  const sent: string[] = [];
  let current = client;
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < 150; index++) {
      const text = `${round}-${index}`;
      await sendText(current, text);
      sent.push(text);
    }
    expect(await texts(current)).toEqual(sent);
    current = await restarted(server, current);
    const messages = await poll(current);
    expect(messages.map(({ offset }) => Number(offset))).toEqual(sent.map((_, index) => index));
    expect(messages.map(({ payload }) => new TextDecoder().decode(payload))).toEqual(sent);
  }
  await current.close();
  await server.stop();
});

test("readers miss nothing while the saver writes and segments change under them", async () => {
  const env = {
    IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: "memory",
    IGGY_SYSTEM_PARTITION_MESSAGES_REQUIRED_TO_SAVE: "37",
    IGGY_SYSTEM_SEGMENT_SIZE: "8 KiB",
    IGGY_MESSAGE_SAVER_INTERVAL: "1ms",
  };
  const { server, client } = await startWith({ shards: 2, env });
  const readers = await Promise.all([1, 2, 3].map(() => server.connect()));
  const count = 1000;
  let acknowledged = 0;
  const produce = async () => {
    for (let start = 0; start < count; start += 5) {
      await send(
        client,
        Array.from({ length: 5 }, (_, index) => ({ payload: utf8.encode(`${start + index}`) })),
      );
      acknowledged = start + 5;
    }
  };
  const consume = async (reader: Client, consumer: number) => {
    const seen: number[] = [];
    while (seen.length < count) {
      const mustSee = acknowledged - seen.length;
      const messages = await poll(reader, next, {
        count: 1 + ((seen.length * consumer) % 60),
        consumer,
        autoCommit: true,
      });
      if (mustSee > 0) expect(messages.length).toBeGreaterThan(0); // visible as soon as it is acknowledged
      for (const { offset, payload } of messages) {
        expect(Number(offset)).toBe(seen.length);
        expect(new TextDecoder().decode(payload)).toBe(`${seen.length}`);
        seen.push(Number(offset));
      }
    }
  };
  await Promise.all([produce(), ...readers.map((reader, index) => consume(reader, index + 1))]);
  for (const reader of readers) await reader.close();
  await client.close();
  await server.stop();
});

test("producers at once over the smallest segments: no message is lost, doubled or out of its producer's order", async () => {
  const { server, client } = await startWith({ shards: 2, env: { IGGY_SYSTEM_SEGMENT_SIZE: "512" } }, 2);
  const producers = await Promise.all(Array.from({ length: 8 }, () => server.connect()));
  const countEach = 100;
  await Promise.all(
    producers.map(async (producer, number) => {
      for (let index = 0; index < countEach; index++) await sendText(producer, `${number}:${index}`, number % 2);
      await producer.close();
    }),
  );
  const check = async (reader: Client) => {
    for (const partitionId of [0, 1]) {
      const messages = await poll(reader, undefined, { partitionId });
      expect(messages.map(({ offset }) => Number(offset))).toEqual(messages.map((_, index) => index));
      const received = messages.map(({ payload }) => new TextDecoder().decode(payload));
      for (let number = partitionId; number < producers.length; number += 2) {
        const own = received.filter((text) => text.startsWith(`${number}:`));
        expect(own).toEqual(Array.from({ length: countEach }, (_, index) => `${number}:${index}`));
      }
      expect(received).toHaveLength(4 * countEach);
      const names = readdirSync(join(server.dataPath, `streams/0/topics/0/partitions/${partitionId}`));
      const segments = names.filter((name) => name.endsWith(".log")).length;
      expect(segments).toBeGreaterThan(20);
      expect((await reader.getTopic("orders", "eu"))!.partitions[partitionId]!.segmentsCount).toBe(segments);
    }
  };
  await check(client);
  const after = await restarted(server, client);
  await check(after);
  await after.close();
  await server.stop();
});

describe("offsets over restarts", () => {
  test("go on behind the last message, of none, one and many; consumers neither skip nor repeat", async () => {
    const { server, client } = await startWith({ shards: 2 }, 3);
    await sendText(client, "one", 1);
    for (let index = 0; index < 5; index++) await sendText(client, `m${index}`, 2);
    expect(await texts(client, next, { partitionId: 1, autoCommit: true })).toEqual(["one"]);
    expect(await texts(client, next, { partitionId: 2, count: 3, autoCommit: true })).toEqual(["m0", "m1", "m2"]);

    const after = await restarted(server, client);
    expect(await poll(after, next, { partitionId: 1 })).toEqual([]);
    for (const partitionId of [0, 1, 2]) await sendText(after, "new", partitionId);
    const lastOffsets = (await after.getTopic("orders", "eu"))!.partitions.map(({ currentOffset }) => currentOffset);
    expect(lastOffsets).toEqual([0n, 1n, 5n]);
    expect(await texts(after, next, { partitionId: 0, autoCommit: true })).toEqual(["new"]);
    expect(await texts(after, next, { partitionId: 1, autoCommit: true })).toEqual(["new"]);
    expect(await texts(after, next, { partitionId: 2, autoCommit: true })).toEqual(["m3", "m4", "new"]);
    await after.close();
    await server.stop();
  });

  test("a stored offset ahead of what a crash left is no trap: the consumer gets every new message", async () => {
    const env = { IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: "memory", IGGY_MESSAGE_SAVER_ENABLED: "false" };
    const { server, client } = await startWith({ env });
    for (let index = 0; index < 3; index++) await sendText(client, `saved${index}`);
    await client.flushUnsavedBuffer("orders", "eu", 0, true);
    for (let index = 0; index < 3; index++) await sendText(client, `lost${index}`);
    expect(await poll(client, next, { autoCommit: true })).toHaveLength(6); // stores 5
    await server.kill();
    await client.close();
    await server.restart();
    const after = await server.connect();
    expect(await texts(after)).toEqual(["saved0", "saved1", "saved2"]);
    expect(await poll(after, next, { autoCommit: true })).toEqual([]);
    const sent: string[] = [];
    for (let index = 0; index < 5; index++) {
      await sendText(after, `new${index}`);
      sent.push(`new${index}`);
    }
    const messages = await poll(after, next, { autoCommit: true });
    expect(messages.map(({ offset }) => Number(offset))).toEqual([3, 4, 5, 6, 7]);
    expect(messages.map(({ payload }) => new TextDecoder().decode(payload))).toEqual(sent);
    await after.close();
    await server.stop();
  });
});
