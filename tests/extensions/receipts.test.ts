// The send that says where its messages are, over TCP and WebSocket, to partitions of this shard and of another.
import { beforeAll, describe, expect, test } from "bun:test";
import type { Client } from "../../src/client/index.ts";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { ExtensionCode } from "../../src/protocol/extensions/codes.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { sendMessagesRequestCodec } from "../../src/protocol/message/send-messages.ts";
import type { Partitioning } from "../../src/protocol/partitioning.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";
import { freshTopic, metric, streamName, text, waitOptions } from "./support.ts";

const servers = useServers();
let server: TestServer;
let admin: Client;

beforeAll(async () => {
  server = await servers.start({ shards: 2 });
  admin = await server.connect();
});

const messages = (...payloads: string[]) => payloads.map((payload) => ({ payload: text.encode(payload) }));

describe.each(["tcp", "websocket"] as const)("over %s", (transport) => {
  const connect = (to = server) => to.connect({ transport, port: to.portOf(transport) });

  test("the receipt has the partition and the offset of the first message", async () => {
    const client = await connect();
    const topic = await freshTopic(admin, 2);
    for (const partitionId of [0, 1]) {
      const partitioning = { kind: "partition", partitionId } as const;
      const target = { stream: streamName, topic, partitioning };
      expect(await client.sendWithReceipt({ ...target, messages: messages("a", "b") })).toEqual({
        partitionId,
        firstOffset: 0n,
      });
      await client.sendMessages({ ...target, messages: messages("c") });
      expect(await client.sendWithReceipt({ ...target, messages: messages("d") })).toEqual({
        partitionId,
        firstOffset: 3n,
      });
    }
    client.close();
  });

  test("where the server chooses the partition, the receipt tells which, and the messages are there", async () => {
    const client = await connect();
    const topic = await freshTopic(admin, 5);
    const ways: Partitioning[] = [{ kind: "balanced" }, { kind: "key", key: text.encode("ann") }];
    for (let round = 0; round < 20; round++) {
      const payload = `message ${round}`;
      const partitioning = ways[round % 2]!;
      const receipt = await client.sendWithReceipt({
        stream: streamName,
        topic,
        partitioning,
        messages: messages(payload),
      });
      const strategy = { kind: "offset", value: receipt.firstOffset } as const;
      const { polled } = await client.pollWaiting(
        waitOptions(topic, { partitionId: receipt.partitionId, strategy, count: 1, waitMs: 0 }),
      );
      expect(new TextDecoder().decode(polled.messages[0]!.payload)).toBe(payload);
    }
    client.close();
  });

  test("sends of both kinds behind each other are answered in order, each in its own way", async () => {
    const topic = await freshTopic(admin, 1);
    const client = await WireClient.connect({ host: server.host, port: server.portOf(transport) }, "sdk", {
      transport,
    });
    await client.login();
    const payload = encode(sendMessagesRequestCodec, {
      stream: nameId(streamName),
      topic: nameId(topic),
      partitioning: { kind: "partition", partitionId: 0 },
      messages: messages("x", "y"),
    });
    const plain = client.frame(CommandCode.sendMessages, payload);
    const withReceipt = client.frame(ExtensionCode.sendWithReceipt, payload);
    client.write(plain, withReceipt, withReceipt, plain, withReceipt);
    const replies = await client.receiveMany(5);
    expect(replies.map(({ status }) => status)).toEqual([0, 0, 0, 0, 0]);
    const offsets = replies.map(({ payload }) =>
      payload.byteLength === 0 ? undefined : Buffer.from(payload).readUInt32LE(4),
    );
    expect(offsets).toEqual([undefined, 2, 4, undefined, 8]);
    client.close();
  });

  test("refusals are those of a send, without a receipt; the connection goes on", async () => {
    const client = await connect();
    const send = (changes: object) =>
      client.sendWithReceipt({ stream: streamName, topic: "none", messages: messages("a"), ...changes }).then(
        () => 0,
        (error: { code: number }) => error.code,
      );
    const topic = await freshTopic(admin, 1);
    expect(await send({})).toBe(2010);
    expect(await send({ stream: "none" })).toBe(1009);
    expect(await send({ topic, partitioning: { kind: "partition", partitionId: 4 } })).toBe(3007);
    expect(await send({ topic })).toBe(0);
    client.close();
  });

  test("a repeat that is dropped has the offset of the next message", async () => {
    const other = await servers.start({ env: { IGGY_SYSTEM_MESSAGE_DEDUPLICATION_ENABLED: "true" } });
    const client = await connect(other);
    const topic = await freshTopic(client, 1);
    const batch = { stream: streamName, topic, messages: [{ id: 7n, payload: text.encode("once") }] };
    expect((await client.sendWithReceipt(batch)).firstOffset).toBe(0n);
    expect((await client.sendWithReceipt(batch)).firstOffset).toBe(1n);
    client.close();
  });
});

test("a send with receipt is counted as a send", async () => {
  const topic = await freshTopic(admin, 1);
  const count = () => metric(server, 'whippet_command_duration_seconds_count{command="send_messages"}');
  const before = await count();
  await admin.sendWithReceipt({ stream: streamName, topic, messages: messages("a") });
  expect(await count()).toBe(before + 1);
});
