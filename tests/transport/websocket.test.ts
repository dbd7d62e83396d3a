// WebSocket against the running server (spec BP 2.5).
import { describe, expect, test } from "bun:test";
import { webSocketTransport } from "../../src/client/transports/websocket.ts";
import { decodeStrict, encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { errorCodes } from "../../src/protocol/errors.ts";
import { encodeRequestFrame } from "../../src/protocol/frame.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { decodePolledMessages } from "../../src/protocol/message/poll-messages.ts";
import { encodeSendMessages } from "../../src/protocol/message/send-messages.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { connectClient } from "../support/client.ts";
import { eventually, growsLessThan, residentBytes } from "../support/process-facts.ts";
import {
  encodeFrame,
  HandshakeRefusedError,
  Opcode,
  RawWebSocket,
  type ReceivedFrame,
} from "../support/raw-websocket.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";

const servers = useServers();
const mebibyte = 1024 * 1024;
const stream = nameId("orders");
const topic = nameId("eu");
const ping = encodeRequestFrame(CommandCode.ping, new Uint8Array(0), "sdk");
const pong = new Uint8Array(8);

const login = encodeRequestFrame(
  CommandCode.loginUser,
  encode(commandCodecs.loginUser.request, {
    username: "iggy",
    password: "iggy",
    version: undefined,
    context: undefined,
  }),
  "sdk",
);

function sendFrame(payloads: readonly Uint8Array[]): Uint8Array {
  const messages = payloads.map((payload) => ({ payload }));
  const partitioning = { kind: "partition", partitionId: 0 } as const;
  return encodeRequestFrame(
    CommandCode.sendMessages,
    encodeSendMessages({ stream, topic, partitioning, messages }),
    "sdk",
  );
}

function pollFrame(count: number): Uint8Array {
  const request = {
    consumer: { kind: "consumer", id: nameId("reader") },
    stream,
    topic,
    partitionId: 0,
    strategy: { kind: "first", value: 0n },
    count,
    autoCommit: false,
  } as const;
  return encodeRequestFrame(CommandCode.pollMessages, encode(commandCodecs.pollMessages.request, request), "sdk");
}

async function prepare(server: TestServer, messages: readonly Uint8Array[] = []): Promise<void> {
  const client = await server.connect();
  await client.createStream("orders");
  await client.createTopic("orders", { name: "eu", partitionsCount: 1 });
  for (const payload of messages) {
    const partitioning = { kind: "partition", partitionId: 0 } as const;
    await client.sendMessages({ stream: "orders", topic: "eu", partitioning, messages: [{ payload }] });
  }
  client.close();
}

function placeOf(server: TestServer) {
  return { host: server.host, port: server.portOf("websocket") };
}

/** A connection that keeps every frame of the server. */
async function openRaw(server: TestServer): Promise<{ socket: RawWebSocket; frames: ReceivedFrame[] }> {
  const socket = await RawWebSocket.connect(placeOf(server));
  const frames: ReceivedFrame[] = [];
  socket.onFrame = (frame) => frames.push(frame);
  return { socket, frames };
}

/** One that has logged in: `frames` begins with the reply. */
async function openLoggedIn(server: TestServer): ReturnType<typeof openRaw> {
  const raw = await openRaw(server);
  raw.socket.sendBinary(login);
  await eventually(
    "login",
    () => raw.frames.length,
    (count) => count === 1,
  );
  return raw;
}

/** One that has asked for 16 MiB and does not read them. */
async function openUnread() {
  const server = await servers.start();
  await prepare(
    server,
    Array.from({ length: 16 }, () => new Uint8Array(mebibyte)),
  );
  const raw = await openLoggedIn(server);
  raw.socket.pause();
  raw.socket.sendBinary(pollFrame(16));
  return { server, ...raw };
}

const statuses = (frames: readonly ReceivedFrame[]) =>
  frames.map(({ opcode, payload }) => (opcode === Opcode.binary ? Buffer.from(payload).readUInt32LE(0) : -1));

describe("a stream of bytes", () => {
  test("a request may come in any number of messages, and a message may hold any number of requests", async () => {
    const server = await servers.start();
    await prepare(server);
    const bytes = Buffer.concat([login, ping, sendFrame([new Uint8Array(300)]), pollFrame(10), ping]);
    for (const size of [1, 7, 8, 100, 333, bytes.length]) {
      const { socket, frames } = await openRaw(server);
      for (let start = 0; start < bytes.length; start += size) socket.sendBinary(bytes.subarray(start, start + size));
      await eventually(
        "five replies",
        () => frames.length,
        (count) => count === 5,
      );
      expect(statuses(frames)).toEqual([0, 0, 0, 0, 0]);
      socket.destroy();
    }
    await server.stop();
    expect(server.log).not.toMatch(/ERROR/);
  });

  test("fragments of a message are its bytes; the first message decides the kind of frames", async () => {
    const server = await servers.start();
    const { socket, frames } = await openRaw(server);
    const page = encodeRequestFrame(CommandCode.ping, new Uint8Array(0), "page");
    socket.write(encodeFrame(Opcode.binary, page.subarray(0, 3), { isFinal: false }));
    socket.write(encodeFrame(Opcode.ping, Uint8Array.of(7)));
    socket.write(encodeFrame(Opcode.continuation, page.subarray(3)));
    await eventually(
      "pong and reply",
      () => frames.length,
      (count) => count === 2,
    );
    expect(frames).toEqual([
      { opcode: Opcode.pong, payload: Buffer.of(7) },
      { opcode: Opcode.binary, payload: Buffer.from(pong) },
    ]);
    socket.destroy();
    await server.stop();
  });

  test("text, pongs and empty messages are ignored", async () => {
    const server = await servers.start();
    const { socket, frames } = await openRaw(server);
    socket.write(encodeFrame(Opcode.text, new TextEncoder().encode("hello")));
    socket.write(encodeFrame(Opcode.pong, Uint8Array.of(1)));
    socket.sendBinary(new Uint8Array(0));
    socket.sendBinary(ping.subarray(0, 5));
    socket.write(encodeFrame(Opcode.text, ping.subarray(5)));
    socket.sendBinary(ping.subarray(5));
    await eventually(
      "a reply",
      () => frames.length,
      (count) => count > 0,
    );
    expect(frames).toEqual([{ opcode: Opcode.binary, payload: Buffer.from(pong) }]);
    socket.destroy();
    await server.stop();
  });

  test("a reply is one message, a large one several with the same bytes", async () => {
    const server = await servers.start();
    const payloads = Array.from({ length: 5 }, (_, index) => new Uint8Array(mebibyte).fill(index + 1));
    await prepare(server, payloads);
    const { socket, frames } = await openRaw(server);
    socket.sendBinary(login);
    socket.sendBinary(pollFrame(1));
    await eventually(
      "two replies",
      () => frames.length,
      (count) => count === 2,
    );
    socket.sendBinary(pollFrame(5));
    const received = () => frames.slice(2).reduce((sum, { payload }) => sum + payload.length, 0);
    await eventually("all bytes", received, (sum) => sum > 5 * mebibyte);
    expect(frames.length).toBeGreaterThan(3);
    const reply = Buffer.concat(frames.slice(2).map(({ payload }) => payload));
    expect(reply.readUInt32LE(4)).toBe(reply.length - 8);
    const { messages } = decodePolledMessages(reply.subarray(8));
    for (const [index, { payload }] of messages.entries()) {
      expect(Buffer.compare(payload, payloads[index]!)).toBe(0);
    }
    expect(messages).toHaveLength(5);
    socket.destroy();
    await server.stop();
  });
});

describe("the handshake", () => {
  const refused = async (server: TestServer, headers: Record<string, string>) => {
    try {
      (await RawWebSocket.connect({ ...placeOf(server), headers })).destroy();
    } catch (error) {
      if (error instanceof HandshakeRefusedError) return error.status;
      throw error;
    }
    return 101;
  };

  test("any path, query and sub-protocol will do", async () => {
    const server = await servers.start();
    const headers = { "Sec-WebSocket-Protocol": "mqtt" };
    const socket = await RawWebSocket.connect({ ...placeOf(server), path: "/a/b?c=d", headers });
    socket.destroy();
    await server.stop();
  });

  test("pages of other origins get 403, unless they are listed", async () => {
    const server = await servers.start({ env: { IGGY_WEBSOCKET_ALLOWED_ORIGINS: "[https://app.example.com]" } });
    const { host, port } = placeOf(server);
    expect(await refused(server, {})).toBe(101);
    expect(await refused(server, { Origin: `http://${host}:${port}` })).toBe(101);
    expect(await refused(server, { Origin: "https://app.example.com" })).toBe(101);
    expect(await refused(server, { Origin: "https://evil.example" })).toBe(403);
    expect(await refused(server, { Origin: "null" })).toBe(403);
    await server.stop();
  });

  test("what is no WebSocket client is told so", async () => {
    const server = await servers.start();
    const { host, port } = placeOf(server);
    const response = await fetch(`http://${host}:${port}/`);
    expect(response.status).toBe(426);
    expect(response.headers.get("upgrade")).toBe("websocket");
    expect(await refused(server, { "Sec-WebSocket-Key": "" })).toBe(400);
    await server.stop();
  });

  test("websocket.enabled = false: nothing listens", async () => {
    const server = await servers.start({ env: { IGGY_WEBSOCKET_ENABLED: "false" } });
    expect(() => server.portOf("websocket")).toThrow();
    await server.stop();
  });
});

describe("sessions", () => {
  test("a client is listed with its transport and address, on every shard, until it leaves", async () => {
    const server = await servers.start({ shards: 2 });
    const admin = await server.connect();
    const clients: WireClient[] = [];
    for (let index = 0; index < 6; index++) {
      clients.push(await WireClient.connect(placeOf(server), "sdk", { transport: "websocket" }));
    }
    await clients[0]!.login();
    const me = decodeStrict(commandCodecs.getMe.reply, (await clients[0]!.request(CommandCode.getMe)).payload);
    expect(me).toMatchObject({ transport: "websocket", userId: 0, address: clients[0]!.address });
    const listed = (await admin.getClients()).filter(({ transport }) => transport === "websocket");
    expect(listed.map(({ address }) => address).toSorted()).toEqual(clients.map(({ address }) => address).toSorted());
    expect((await admin.getStats()).clientsCount).toBe(7);
    for (const client of clients) client.close();
    await eventually(
      "one client",
      () => admin.getClients(),
      (left) => left.length === 1,
    );
    admin.close();
    await server.stop();
  });

  test("at shutdown a client gets status 8 and a Close frame without a code", async () => {
    const server = await servers.start();
    const { socket, frames } = await openLoggedIn(server);
    await server.stop();
    await socket.ended;
    expect(statuses(frames)).toEqual([0, errorCodes.Disconnected, -1]);
    expect(socket.closeCode).toBe(1005);
  });

  test("the client library works over it, reconnects included", async () => {
    const server = await servers.start({ shards: 2 });
    await prepare(server);
    const client = await server.connect({ transport: "websocket", port: server.portOf("websocket") });
    const messages = Array.from({ length: 1000 }, (_, index) => ({ payload: new Uint8Array(1000).fill(index) }));
    const partitioning = { kind: "partition", partitionId: 0 } as const;
    for (let round = 0; round < 20; round++) {
      await client.sendMessages({ stream: "orders", topic: "eu", partitioning, messages });
    }
    const polled = await client.pollMessages({
      consumer: { kind: "consumer", id: { kind: "numeric", value: 1 } },
      stream: "orders",
      topic: "eu",
      partitionId: 0,
      strategy: { kind: "offset", value: 0n },
      count: 20_000,
    });
    expect(polled.messages.map(({ offset }) => Number(offset))).toEqual([...Array(20_000).keys()]);
    expect(polled.messages.every(({ payload }, index) => payload[999] === (index % 1000) % 256)).toBe(true);
    client.close();
    await server.stop();
    await expect(client.ping()).rejects.toThrow();
    const refused = connectClient({ ...placeOf(server), transport: "websocket", reconnect: false });
    await expect(refused).rejects.toMatchObject({ errorName: "CannotEstablishConnection" });
  });

  test("requests in flight when the server stops are rejected", async () => {
    const server = await servers.start();
    const { host, port } = placeOf(server);
    const connection = await webSocketTransport.open({ host, port, connectTimeoutMs: 10_000 });
    expect(await connection.request(CommandCode.ping, new Uint8Array(0))).toEqual(new Uint8Array(0));
    await server.stop();
    await connection.closed;
    await expect(connection.request(CommandCode.ping, new Uint8Array(0))).rejects.toMatchObject({
      errorName: "Disconnected",
    });
  });
});

describe("limits", () => {
  test("a message over websocket.max_message_size ends its connection, one below it does not", async () => {
    const server = await servers.start({ env: { IGGY_WEBSOCKET_MAX_MESSAGE_SIZE: "1 MiB" } });
    await prepare(server);
    const { socket, frames } = await openRaw(server);
    socket.sendBinary(login);
    socket.sendBinary(sendFrame([new Uint8Array(900_000)]));
    await eventually(
      "two replies",
      () => frames.length,
      (count) => count === 2,
    );
    const large = sendFrame([new Uint8Array(1_500_000)]);
    socket.sendBinary(large.subarray(0, 1_000_000));
    socket.sendBinary(large.subarray(1_000_000));
    await eventually(
      "three replies",
      () => frames.length,
      (count) => count === 3,
    );
    expect(statuses(frames)).toEqual([0, 0, 0]);
    socket.sendBinary(large);
    await socket.ended;
    expect(statuses(frames).slice(3)).not.toContain(0);
    await server.stop();
    expect(server.log).not.toMatch(/ERROR/);
  });

  test("frames without a mask end the connection", async () => {
    const server = await servers.start();
    const { socket, frames } = await openRaw(server);
    socket.write(encodeFrame(Opcode.binary, ping, { isMasked: false }));
    socket.write(encodeFrame(Opcode.binary, ping, { isMasked: false }));
    await socket.ended;
    expect(statuses(frames)).not.toContain(0);
    await server.stop();
  });

  test("a client that reads nothing and goes on sending is held up, then closed with 1013 past 64 MiB", async () => {
    const { server, socket } = await openUnread();
    await Bun.sleep(100);
    // The reply does not fit into the sockets' buffers: what follows waits, and it is more than may wait.
    socket.sendBinary(Buffer.concat(Array.from({ length: 1000 }, () => ping)));
    socket.sendBinary(sendFrame([new Uint8Array(64 * mebibyte - 1000)]));
    await eventually(
      "the message has left",
      () => socket.unsentBytes,
      (count) => count === 0,
    );
    await eventually(
      "a warning",
      () => server.log,
      (log) => log.includes("more than its connection may hold"),
    );
    socket.resume();
    await socket.ended;
    expect(socket.closeCode).toBe(1013);
    await server.stop();
  }, 300_000);
});

describe("readers that do not read", () => {
  test("20 clients that ask for 6 GB leave the server's memory flat, and others are served", async () => {
    const server = await servers.start();
    await prepare(
      server,
      Array.from({ length: 30 }, () => new Uint8Array(mebibyte)),
    );
    const clients: WireClient[] = [];
    for (let index = 0; index < 20; index++) {
      const client = await WireClient.connect(placeOf(server), "sdk", { transport: "websocket" });
      await client.login();
      client.pauseReading();
      clients.push(client);
    }
    const before = residentBytes(server.pid);
    for (const client of clients) for (let index = 0; index < 10; index++) client.write(pollFrame(30));
    await Bun.sleep(500);
    const calm = await WireClient.connect(placeOf(server), "sdk", { transport: "websocket" });
    await calm.login();
    expect((await calm.request(CommandCode.ping)).status).toBe(0);
    // A message of 1.25 MiB each, and the runtime's own needs.
    await growsLessThan(20 * 1.25 * mebibyte + 24 * mebibyte, () => residentBytes(server.pid), before);
    clients[0]!.resumeReading();
    const replies = await clients[0]!.receiveMany(10);
    expect(replies.every(({ payload }) => payload.length > 30 * mebibyte)).toBe(true);
    for (const client of [...clients, calm]) client.close();
    await server.stop();
    expect(server.log).not.toMatch(/ERROR/);
  }, 300_000);

  test("a client that sends 200 MB behind a reply that it does not read is held up at its own socket", async () => {
    const { server, socket, frames } = await openUnread();
    const before = residentBytes(server.pid);
    const batch = sendFrame(Array.from({ length: 100 }, () => new Uint8Array(1000)));
    const encoded = encodeFrame(Opcode.binary, batch);
    for (let index = 0; index < 2000; index++) socket.write(encoded);
    await Bun.sleep(500);
    expect(socket.unsentBytes).toBeGreaterThan(150_000_000);
    await growsLessThan(24 * mebibyte, () => residentBytes(server.pid), before);
    socket.resume();
    await eventually(
      "all replies",
      () => statuses(frames).filter((status) => status === 0).length,
      (count) => count >= 2001,
    );
    socket.destroy();
    await server.stop();
    expect(server.log).not.toMatch(/ERROR/);
  }, 300_000);

  test("pings that nobody reads the answers of take no memory", async () => {
    const server = await servers.start();
    const { socket } = await openRaw(server);
    socket.pause();
    const before = residentBytes(server.pid);
    const flood = Buffer.concat(Array.from({ length: 1000 }, () => encodeFrame(Opcode.ping, new Uint8Array(125))));
    for (let index = 0; index < 400; index++) socket.write(flood);
    await eventually(
      "the server has read them",
      () => socket.unsentBytes,
      (count) => count === 0,
    );
    await growsLessThan(24 * mebibyte, () => residentBytes(server.pid), before);
    socket.destroy();
    await server.stop();
    expect(server.log).not.toMatch(/ERROR/);
  }, 300_000);
});
