import { describe, expect, test } from "bun:test";
import type { Connection } from "../../src/client/index.ts";
import { bunTcpTransport } from "../../src/client/transports/tcp-bun.ts";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { decodePolledMessages } from "../../src/protocol/message/poll-messages.ts";
import { encodeSendMessages } from "../../src/protocol/message/send-messages.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { descriptorCount, eventually } from "../support/process-facts.ts";
import { type TestServer, useServers } from "../support/server.ts";

const servers = useServers();
const consumer = { kind: "consumer", id: nameId("reader") } as const;
const stream = nameId("orders");
const topic = nameId("eu");

async function login(server: TestServer): Promise<Connection> {
  const connection = await bunTcpTransport.open({ host: server.host, port: server.port, connectTimeoutMs: 10_000 });
  const request = { username: "iggy", password: "iggy", version: undefined, context: undefined };
  await connection.request(CommandCode.loginUser, encode(commandCodecs.loginUser.request, request));
  return connection;
}

function sendPayload(partitionId: number, text: string): Uint8Array {
  return encodeSendMessages({
    stream,
    topic,
    partitioning: { kind: "partition", partitionId },
    messages: [{ payload: new TextEncoder().encode(text) }],
  });
}

function pollPayload(partitionId: number, offset: number, count: number): Uint8Array {
  const strategy = { kind: "offset", value: BigInt(offset) } as const;
  const request = { consumer, stream, topic, partitionId, strategy, count, autoCommit: false };
  return encode(commandCodecs.pollMessages.request, request);
}

function textsOf(reply: Uint8Array): string[] {
  return decodePolledMessages(reply).messages.map(({ payload }) => new TextDecoder().decode(payload));
}

describe.each([1, 2])("pipelined requests, %d shard(s)", (shards) => {
  test("are carried out and answered in their order, whatever they are", async () => {
    const server = await servers.start({ shards });
    const connection = await login(server);
    const createTopic = encode(commandCodecs.createTopic.request, {
      stream,
      partitionsCount: 2,
      compressionCode: 1,
      messageExpiryMicros: 0n,
      maxTopicSizeBytes: 0n,
      replicationFactor: 1,
      name: "eu",
    });
    // All of them leave before the first reply.
    const replies = await Promise.all([
      connection.request(CommandCode.createStream, encode(commandCodecs.createStream.request, { name: "orders" })),
      connection.request(CommandCode.createTopic, createTopic),
      ...Array.from({ length: 200 }, (_, index) =>
        connection.request(CommandCode.sendMessages, sendPayload(index % 2, `m${index}`)),
      ),
      connection.request(CommandCode.pollMessages, pollPayload(0, 0, 1000)),
      connection.request(CommandCode.pollMessages, pollPayload(1, 0, 1000)),
    ]);
    const even = Array.from({ length: 100 }, (_, index) => `m${2 * index}`);
    const odd = Array.from({ length: 100 }, (_, index) => `m${2 * index + 1}`);
    expect(textsOf(replies.at(-2)!)).toEqual(even);
    expect(textsOf(replies.at(-1)!)).toEqual(odd);
    connection.close();
    await server.stop();
  });
});

describe.each([true, false])("connections over two shards, tcp.socket_migration = %p", (migration) => {
  test("lose and double nothing, keep their session and leak no descriptor", async () => {
    const server = await servers.start({ shards: 2, env: { IGGY_TCP_SOCKET_MIGRATION: String(migration) } });
    const admin = await server.connect();
    await admin.createStream("orders");
    await admin.createTopic("orders", { name: "eu", partitionsCount: 8 });
    const descriptorsBefore = descriptorCount(server.pid);

    const clientsCount = 40;
    const sendsPerClient = 250;
    const lastClientId: number[] = [];
    let state = 12_345;
    const next = (limit: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % limit;
    };
    const acknowledged = new Set<string>();
    const work = async (client: number) => {
      const connection = await login(server);
      const me = () => connection.request(CommandCode.getMe, new Uint8Array(0));
      const first = await me();
      let partitionId = client % 8;
      for (let sent = 0; sent < sendsPerClient; ) {
        // Runs on one partition make a connection move; now and then it goes elsewhere.
        if (next(20) === 0) partitionId = next(8);
        const burst = Math.min(1 + next(8), sendsPerClient - sent);
        const texts = Array.from({ length: burst }, (_, index) => `c${client}-${sent + index}`);
        await Promise.all(
          texts.map((text) => connection.request(CommandCode.sendMessages, sendPayload(partitionId, text))),
        );
        for (const text of texts) acknowledged.add(text);
        sent += burst;
      }
      expect(await me()).toEqual(first);
      lastClientId.push(client);
      connection.close();
    };
    await Promise.all(Array.from({ length: clientsCount }, (_, client) => work(client)));

    const found: string[] = [];
    for (let partitionId = 0; partitionId < 8; partitionId++) {
      const polled = await admin.pollMessages({
        consumer,
        stream: "orders",
        topic: "eu",
        partitionId,
        strategy: { kind: "first", value: 0n },
        count: 100_000,
      });
      found.push(...polled.messages.map(({ payload }) => new TextDecoder().decode(payload)));
    }
    expect(found.length).toBe(clientsCount * sendsPerClient);
    expect(new Set(found)).toEqual(acknowledged);
    expect(lastClientId).toHaveLength(clientsCount);
    await eventually(
      "only the admin is left",
      () => admin.getClients(),
      (clients) => clients.length === 1,
    );
    expect((await admin.getStats()).clientsCount).toBe(1);
    // Files of partitions stay open; sockets do not.
    await eventually(
      "descriptors are given back",
      () => descriptorCount(server.pid),
      (count) => count <= descriptorsBefore + 8 * 2,
    );
    await admin.close();
    await server.stop();
    expect(server.log).not.toMatch(/ ERROR /);
  }, 120_000);
});
