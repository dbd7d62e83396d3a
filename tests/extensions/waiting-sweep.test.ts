// Connections that are cut, closed and moved while their polls wait, and a server that is killed meanwhile: nothing is left of
// them, and whoever stays gets every message.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { Client } from "../../src/client/index.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { ExtensionCode } from "../../src/protocol/extensions/codes.ts";
import { pollWaitingReplyCodec } from "../../src/protocol/extensions/poll-waiting.ts";
import { encodeRequestFrame } from "../../src/protocol/frame.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { QuicClient } from "../transport/quic-client.ts";
import { freshTopic, metric, payloadsOf, send, waitingCount, waitOptions, waitRequest } from "./support.ts";

const servers = useServers();

/** Logs in with a token, which costs the server nothing. */
function makeToken(admin: Client): Promise<string> {
  return admin.createPersonalAccessToken("sweep", 0n);
}

function pollFrame(topic: string, partitionId: number): Uint8Array {
  return encodeRequestFrame(ExtensionCode.pollWaiting, waitRequest(topic, { partitionId }));
}

/** A socket that has written these bytes; it may be cut at any time. */
async function cutOff(server: TestServer, bytes: Uint8Array): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host: server.host, port: server.port }, resolve);
  socket.once("error", reject);
  await promise;
  socket.on("error", () => undefined); // it is cut on purpose
  socket.write(bytes);
  return socket;
}

describe.each([1, 2])("%d shard(s)", (shards) => {
  test("a connection that is cut behind any byte of what it sends leaves nothing behind", async () => {
    const server = await servers.start({ shards });
    const admin = await server.connect();
    const topic = await freshTopic(admin, 2);
    const login = encodeRequestFrame(
      CommandCode.loginWithPersonalAccessToken,
      encode(commandCodecs.loginWithPersonalAccessToken.request, { token: await makeToken(admin) }),
    );
    const poll = pollFrame(topic, 1);
    const bytes = Buffer.concat([login, poll, encodeRequestFrame(CommandCode.ping, new Uint8Array(0)), poll]);
    for (let end = login.byteLength; end <= bytes.byteLength; end++) {
      const socket = await cutOff(server, bytes.subarray(0, end));
      if (end % 3 === 0) socket.destroy();
      else if (end % 3 === 1) socket.resetAndDestroy();
      else socket.end(() => socket.destroy());
    }
    await waitingCount(server, 0);
    expect((await admin.getClients()).length).toBeGreaterThanOrEqual(1);
    await send(admin, topic, 1, "still here");
    expect(payloadsOf(await admin.pollWaiting(waitOptions(topic, { partitionId: 1 })))).toEqual(["still here"]);
    await server.stop();
    expect(server.log).not.toMatch(/ ERROR /);
  });

  test("connections that come and go around one that stays: it gets every message, in order", async () => {
    const server = await servers.start({ shards });
    const admin = await server.connect();
    const topic = await freshTopic(admin, 2);
    const connectOver = (index: number) => {
      const transport = index % 2 === 0 ? "tcp" : "websocket";
      return server.connect({ transport, port: server.portOf(transport) });
    };
    const count = 100;
    const readers = await Promise.all([0, 1, 2, 3].map(connectOver));
    const read = async (client: Client, partitionId: number): Promise<string[]> => {
      const seen: string[] = [];
      while (seen.length < count) {
        const strategy = { kind: "offset", value: BigInt(seen.length) } as const;
        seen.push(...payloadsOf(await client.pollWaiting(waitOptions(topic, { partitionId, strategy }))));
      }
      return seen;
    };
    const reading = readers.map((client, index) => read(client, index >> 1));
    const guests = await Promise.all(Array.from({ length: 30 }, (_, index) => connectOver(index)));
    for (let number = 0; number < count; number++) {
      for (const partitionId of [0, 1]) await send(admin, topic, partitionId, `message ${number}`);
      const guest = guests[number % guests.length]!;
      // Some wait and are closed, some are told, some are overtaken.
      const options = waitOptions(topic, {
        partitionId: number % 2,
        strategy: { kind: "offset", value: BigInt(number + 1) },
      });
      if (number < 60) {
        guest.pollWaiting(options).catch((error: { code: number }) => expect(error.code).toBe(8));
        if (number % 3 === 0) await guest.ping();
        if (number >= 30) guest.close();
      }
    }
    const expected = Array.from({ length: count }, (_, number) => `message ${number}`);
    for (const seen of await Promise.all(reading)) expect(seen).toEqual(expected);
    for (const client of [...guests, ...readers]) client.close();
    await waitingCount(server, 0);
    await server.stop();
    expect(server.log).not.toMatch(/ ERROR /);
  });
});

test("a connection moves to the shard of what it polls between two polls, and waits there", async () => {
  const server = await servers.start({ shards: 2 });
  const admin = await server.connect();
  const topic = await freshTopic(admin, 2);
  const clients = await Promise.all([server.connect(), server.connect()]);
  for (const [partitionId, client] of clients.entries()) {
    for (let round = 0; round < 10; round++) {
      const strategy = { kind: "offset", value: BigInt(round) } as const;
      const waiting = client.pollWaiting(waitOptions(topic, { partitionId, strategy }));
      await waitingCount(server, 1);
      await send(admin, topic, partitionId, `${round}`);
      expect(payloadsOf(await waiting)).toEqual([`${round}`]);
    }
  }
  // From either shard one of the two had to move, unless each was where it belongs from the start.
  const before = await metric(server, "whippet_moved_connections_total");
  for (const [index, client] of clients.entries()) {
    for (let round = 0; round < 10; round++) {
      await client.pollWaiting(waitOptions(topic, { partitionId: 1 - index, waitMs: 0 }));
    }
  }
  expect(await metric(server, "whippet_moved_connections_total")).toBeGreaterThan(before);
  const waits = clients.map((client, index) => {
    const strategy = { kind: "offset", value: 10n } as const;
    return client.pollWaiting(waitOptions(topic, { partitionId: 1 - index, strategy }));
  });
  await waitingCount(server, 2);
  await send(admin, topic, 0, "last");
  await send(admin, topic, 1, "last");
  for (const reply of await Promise.all(waits)) expect(payloadsOf(reply)).toEqual(["last"]);
  for (const client of clients) client.close();
  await waitingCount(server, 0);
});

test("a server that is killed while polls wait starts again with all messages", async () => {
  const server = await servers.start({ shards: 2 });
  const admin = await server.connect();
  const topic = await freshTopic(admin, 2);
  for (const partitionId of [0, 1]) await send(admin, topic, partitionId, "kept");
  const clients = await Promise.all(Array.from({ length: 10 }, () => server.connect()));
  const strategy = { kind: "offset", value: 1n } as const;
  const outcomes = clients.map((client, index) =>
    client
      .pollWaiting(waitOptions(topic, { partitionId: index % 2, strategy }))
      .catch(({ code }: { code: number }) => code),
  );
  await waitingCount(server, 10);
  await server.kill();
  for (const outcome of await Promise.all(outcomes)) expect(outcome).toBe(8);
  await server.restart();
  const again = await server.connect();
  expect(payloadsOf(await again.pollWaiting(waitOptions(topic)))).toEqual(["kept"]);
  again.close();
});

test("over QUIC it is answered without waiting, and the probe says so; receipts and assignments come there too", async () => {
  const server = await servers.start({ env: { IGGY_QUIC_ENABLED: "true" } });
  const admin = await server.connect();
  const topic = await freshTopic(admin, 2);
  const certPem = readFileSync(join(server.dataPath, "certificates/cert.pem"), "utf8");
  const client = new QuicClient(servers.makeDirectory());
  try {
    await client.open("a", { port: server.portOf("quic"), certPem });
    await client.login("a");
    const { payload } = await client.request("a", ExtensionCode.getFeatures);
    const text = new TextDecoder().decode(payload);
    expect(text).not.toContain("long-poll");
    expect(text).toContain("send-receipts");
    const reply = await client.request("a", ExtensionCode.pollWaiting, pollFrame(topic, 0).subarray(8));
    expect(decode(pollWaitingReplyCodec, reply.payload).ending).toBe("notWaited");
  } finally {
    await client.stop();
  }
});
