// Clients that do what the SDKs do not: send before they log in, ask for much and read nothing, hop between shards.
import { describe, expect, test } from "bun:test";
import { decodeStrict, encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { errorCodes } from "../../src/protocol/errors.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { decodePolledMessages } from "../../src/protocol/message/poll-messages.ts";
import { encodeSendMessages } from "../../src/protocol/message/send-messages.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { growsLessThan, residentBytes } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";

const servers = useServers();
const stream = nameId("orders");
const topic = nameId("eu");
const unauthenticated = { status: errorCodes.Unauthenticated, payload: new Uint8Array(0) };
const success = { status: 0, payload: new Uint8Array(0) };

function sendPayload(partitionId: number, payloads: readonly Uint8Array[]): Uint8Array {
  const messages = payloads.map((payload) => ({ payload }));
  return encodeSendMessages({ stream, topic, partitioning: { kind: "partition", partitionId }, messages });
}

function pollPayload(partitionId: number, count: number): Uint8Array {
  const consumer = { kind: "consumer", id: nameId("reader") } as const;
  const strategy = { kind: "first", value: 0n } as const;
  const request = { consumer, stream, topic, partitionId, strategy, count, autoCommit: false };
  return encode(commandCodecs.pollMessages.request, request);
}

/** Everything that needs a login, by its code, with a payload that decodes. */
const needsLogin: readonly (readonly [number, Uint8Array])[] = [
  [CommandCode.getStats, new Uint8Array(0)],
  [CommandCode.getMe, new Uint8Array(0)],
  [CommandCode.getClients, new Uint8Array(0)],
  [CommandCode.getStreams, new Uint8Array(0)],
  [CommandCode.createStream, encode(commandCodecs.createStream.request, { name: "orders" })],
  [CommandCode.logoutUser, new Uint8Array(0)],
  [CommandCode.pollMessages, pollPayload(0, 1)],
  [CommandCode.sendMessages, sendPayload(0, [new Uint8Array(10)])],
];

describe.each(["sdk", "page"] as const)("before the login, with %s frames", (frames) => {
  test("every command gets 40, ping gets 0, and nothing is carried out", async () => {
    const server = await servers.start();
    const client = await WireClient.connect(server, frames);
    expect(await client.request(CommandCode.ping)).toEqual(success);
    for (const [code, payload] of needsLogin) expect(await client.request(code, payload)).toEqual(unauthenticated);
    await client.login();
    expect(await client.request(CommandCode.getStreams)).toEqual(success);
    client.close();
    await server.stop();
  });

  test("a send is read to its end and answered 40; what follows in the same write is understood", async () => {
    const server = await servers.start();
    const client = await WireClient.connect(server, frames);
    // Frames of pings inside the payload: a server that lost its place would answer them.
    const decoy = Buffer.concat(Array.from({ length: 1000 }, () => client.frame(CommandCode.ping)));
    const sends = [1, 100, 1_000_000].map((sizeBytes) => sendPayload(0, [decoy, new Uint8Array(sizeBytes)]));
    client.write(
      client.frame(CommandCode.ping),
      ...sends.map((payload) => client.frame(CommandCode.sendMessages, payload)),
      client.frame(CommandCode.ping),
      client.frame(CommandCode.getMe),
    );
    const replies = await client.receiveMany(6);
    expect(replies).toEqual([success, unauthenticated, unauthenticated, unauthenticated, success, unauthenticated]);
    await client.login();
    expect((await client.request(CommandCode.getMe)).status).toBe(0);
    expect(client.waitingReplies).toBe(0);
    client.close();
    await server.stop();
  });
});

test.each([1, 2])("a client that reads nothing costs no memory and holds nobody up (%d shards)", async (shards) => {
  const server = await servers.start({ shards });
  const other = await server.connect();
  await other.createStream("orders");
  const { partitions } = await other.createTopic("orders", { name: "eu", partitionsCount: 2 });
  expect(partitions).toHaveLength(2);
  const batch = Array.from({ length: 64 }, () => new Uint8Array(16_384).fill(7));
  const messages = batch.map((payload) => ({ payload }));
  const batchesCount = 8;
  for (const partitionId of [0, 1]) {
    for (let index = 0; index < batchesCount; index++) {
      await other.sendMessages({ ...{ stream, topic, messages }, partitioning: { kind: "partition", partitionId } });
    }
  }
  const pollsPerClient = 100;
  const askedBytes = 4 * pollsPerClient * batchesCount * batch.length * batch[0]!.length;
  expect(askedBytes).toBeGreaterThan(3e9);

  const idle = await Promise.all(Array.from({ length: 4 }, () => WireClient.connect(server)));
  for (const client of idle) await client.login();
  const beforeBytes = residentBytes(server.pid);
  for (const [index, client] of idle.entries()) {
    client.pauseReading();
    const poll = client.frame(CommandCode.pollMessages, pollPayload(index % 2, 100_000));
    client.write(...Array.from({ length: pollsPerClient }, () => poll));
  }
  // The others are served all the while, and the server's memory stays far below what was asked for.
  for (let served = 0; served < 200; served++) {
    await other.sendMessages({
      ...{ stream, topic, messages: [{ payload: new Uint8Array(1) }] },
      partitioning: { kind: "partition", partitionId: served % 2 },
    });
  }
  await growsLessThan(64 * 1024 * 1024, () => residentBytes(server.pid), beforeBytes);

  // One of them reads after all: its replies are whole and in order.
  const [late, ...rest] = idle;
  for (const client of rest) client.close();
  late!.resumeReading();
  for (let index = 0; index < 5; index++) {
    const reply = await late!.receive();
    expect(reply?.status).toBe(0);
    expect(decodePolledMessages(reply!.payload).messages.length).toBeGreaterThanOrEqual(batchesCount * batch.length);
  }
  late!.close();
  await other.close();
  await server.stop();
  expect(server.log).not.toMatch(/ ERROR /);
}, 120_000);

test("clients that hop between shards are listed once each, with their user, while they hop", async () => {
  const server = await servers.start({ shards: 2 });
  const admin = await server.connect();
  await admin.createStream("orders");
  await admin.createTopic("orders", { name: "eu", partitionsCount: 8 });
  const clients = await Promise.all(Array.from({ length: 12 }, () => WireClient.connect(server)));
  for (const client of clients) await client.login();
  const known = await admin.getClients();
  const expected = known.map(({ clientId, userId, address }) => ({ clientId, userId, address }));
  expect(expected.map(({ address }) => address)).toEqual(expect.arrayContaining(clients.map(({ address }) => address)));
  expect(new Set(expected.map(({ clientId }) => clientId)).size).toBe(clients.length + 1);

  let isHopping = true;
  const hop = async (client: WireClient, first: number) => {
    const me = decodeStrict(commandCodecs.getMe.reply, (await client.request(CommandCode.getMe)).payload);
    for (let round = 0; round < 20; round++) {
      const send = client.frame(CommandCode.sendMessages, sendPayload((first + round) % 8, [new Uint8Array(8)]));
      client.write(...Array.from({ length: 10 }, () => send));
      for (const reply of await client.receiveMany(10)) expect(reply).toEqual(success);
    }
    expect(decodeStrict(commandCodecs.getMe.reply, (await client.request(CommandCode.getMe)).payload)).toEqual(me);
    expect({ userId: me.userId, address: me.address }).toEqual({ userId: 0, address: client.address });
  };
  const hopping = Promise.all(clients.map(hop)).finally(() => {
    isHopping = false;
  });
  let listings = 0;
  const missing: number[] = [];
  while (isHopping) {
    const listed = await admin.getClients();
    listings++;
    expect(new Set(listed.map(({ clientId }) => clientId)).size).toBe(listed.length);
    for (const { clientId, userId } of listed)
      expect(expected).toContainEqual(expect.objectContaining({ clientId, userId }));
    if (listed.length < expected.length) missing.push(expected.length - listed.length);
  }
  await hopping;
  expect(listings).toBeGreaterThan(0);
  expect(missing).toEqual([]);
  const after = (await admin.getClients()).map(({ clientId, userId, address }) => ({ clientId, userId, address }));
  expect(after.toSorted((a, b) => a.clientId - b.clientId)).toEqual(
    expected.toSorted((a, b) => a.clientId - b.clientId),
  );
  const stored = (await admin.getTopic("orders", "eu"))!.messagesCount;
  expect(stored).toBe(BigInt(clients.length * 20 * 10));
  for (const client of clients) client.close();
  await admin.close();
  await server.stop();
  expect(server.log).not.toMatch(/ ERROR /);
}, 120_000);
