// Clients that come and do not log in: who keeps its place, who loses it, and when.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { encodeRequestFrame } from "../../src/protocol/frame.ts";
import { numericId } from "../../src/protocol/identifier.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { Caller } from "../commands/caller.ts";
import { eventually } from "../support/process-facts.ts";
import { encodeFrame, Opcode, RawWebSocket } from "../support/raw-websocket.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";
import { freshMetrics } from "../transport/fresh-metrics.ts";
import { IdleFlood } from "./idle-flood.ts";

const servers = useServers();

type Transport = "tcp" | "websocket";

/** From 127.0.0.`host`. */
function open(server: TestServer, host = 1, transport: Transport = "tcp"): Promise<WireClient> {
  const place = { host: server.host, port: server.portOf(transport) };
  return WireClient.connect(place, "sdk", { transport, localAddress: `127.0.0.${host}` });
}

/** One after the other, each answered once, so that the server has seen them in this order. */
async function openMany(count: number, one: () => Promise<WireClient>): Promise<WireClient[]> {
  const clients: WireClient[] = [];
  for (let index = 0; index < count; index++) {
    const client = await one();
    clients.push(client);
    await client.request(CommandCode.ping);
  }
  return clients;
}

/** Which of them the server has closed, when they are `count`. */
async function closedOf(clients: readonly WireClient[], count: number): Promise<number[]> {
  const closed = () => clients.flatMap((client, index) => (client.hasEnded ? [index] : []));
  await eventually("closed clients", closed, (found) => found.length >= count);
  for (const client of clients) if (!client.hasEnded) await client.request(CommandCode.ping);
  return closed();
}

async function metric(server: TestServer, name: string): Promise<number> {
  const text = await freshMetrics(server);
  const values = [...text.matchAll(new RegExp(`^whippet_${name}_total\\{.*\\} (\\d+)$`, "gm"))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

describe.each(["tcp", "websocket"] as const)("over %s", (transport) => {
  test("clients that are not logged in make room for newer ones; who is logged in stays", async () => {
    const server = await servers.start({ env: { IGGY_CONNECTIONS_MAX_WITHOUT_LOGIN: "10" } });
    const known = await open(server, 1, transport);
    await known.login();
    const silent = await openMany(30, () => open(server, 1, transport));
    expect(await closedOf(silent, 20)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    const late = await open(server, 1, transport);
    await late.login();
    await known.request(CommandCode.ping);
    expect(await metric(server, "closed_before_login")).toBe(21);
    expect(await metric(server, "refused_connections")).toBe(0);
    // Now and then, not for each of them.
    await server.logged("closed a client that is not logged in, to make room");
    expect(server.log.split("to make room for another").length).toBeLessThan(10);
    for (const client of [...silent, known, late]) client.close();
  });

  test("clients whose login has ended make room, too", async () => {
    const server = await servers.start({ env: { IGGY_CONNECTIONS_MAX_WITHOUT_LOGIN: "5" } });
    const root = await Caller.withPassword(server, "iggy", "iggy");
    const user = { username: "somebody", password: "secret", statusCode: 1, permissions: undefined };
    const { id } = await root.content("createUser", user);
    const ended = await openMany(5, () => open(server));
    for (const client of ended) await client.login("somebody", "secret");
    await root.value("deleteUser", { user: numericId(id) });
    const newer = await openMany(3, () => open(server));
    expect(await closedOf([...ended, ...newer], 3)).toHaveLength(3);
    for (const client of newer) expect(client.hasEnded).toBe(false);
    for (const client of [...ended, ...newer]) client.close();
    root.close();
    await server.stop();
  });

  test("the limit of one address concerns nobody else", async () => {
    const env = { IGGY_CONNECTIONS_MAX_WITHOUT_LOGIN_PER_ADDRESS: "3", IGGY_CONNECTIONS_MAX_PER_ADDRESS: "5" };
    const server = await servers.start({ env });
    // A WebSocket of the tests has no choice of its address.
    const place = { host: server.host, port: server.portOf(transport) };
    const here = () => WireClient.connect(place, "sdk", { transport });
    const others = await openMany(3, () => open(server, 2));
    const silent = await openMany(5, here);
    expect(await closedOf(silent, 2)).toEqual([0, 1]);
    for (const client of silent.slice(2)) await client.login();
    const more = await openMany(2, here);
    for (const client of more) await client.login();
    const refused = await here().catch(() => undefined);
    await refused?.ended();
    await server.logged(/refused a client: there are too many.*key=connections\.max_per_address/);
    expect(await closedOf([...silent.slice(2), ...more, ...others], 0)).toEqual([]);
    expect(await metric(server, "refused_connections")).toBe(1);
    more[0]?.close();
    await eventually(
      "room",
      async () => {
        const next = await here().catch(() => undefined);
        const isIn = await next?.login().then(
          () => true,
          () => false,
        );
        next?.close();
        return isIn === true;
      },
      (isIn) => isIn,
    );
    for (const client of [...silent, ...others, ...more]) client.close();
  });
});

test("a client makes room on whichever shard it is, for one that logs in too", async () => {
  const server = await servers.start({ shards: 2, env: { IGGY_CONNECTIONS_MAX_WITHOUT_LOGIN: "1" } });
  // The newcomer is at the shard of the other for every second one, as chance has it. Where two come in at once at both shards,
  // each may be told to make room for the other: then it comes again.
  const comeIn = async (): Promise<WireClient> => {
    const client = await open(server);
    const isIn = await client.request(CommandCode.ping).then(
      () => true,
      () => false,
    );
    return isIn ? client : comeIn();
  };
  const silent: WireClient[] = [];
  for (let index = 0; index < 30; index++) silent.push(await comeIn());
  await closedOf(silent.slice(0, -1), 29);
  const late = await open(server);
  await late.login();
  expect(await metric(server, "refused_connections")).toBe(0);
  expect(await metric(server, "closed_before_login")).toBeGreaterThanOrEqual(30);
  for (const client of [...silent, late]) client.close();
});

test("5,000 clients that say nothing hold every place of two shards, and whoever can log in gets in at the first try", async () => {
  const server = await servers.start({ shards: 2, env: { IGGY_CONNECTIONS_MAX: "2000" } });
  const flood = new IdleFlood({
    ...{ transport: "tcp", host: server.host, port: server.port },
    ...{ perSecond: 2000, addressesCount: 100 },
  });
  const flooding = flood.open(5000);
  const known: WireClient[] = [];
  for (let index = 0; index < 20; index++) {
    const client = await open(server, 1 + index);
    await client.login();
    known.push(client);
  }
  await flooding;
  const late = await open(server, 200);
  await late.login();
  for (const client of [...known, late]) await client.request(CommandCode.ping);
  await eventually(
    "no more than may be without a login",
    () => flood.heldCount,
    (count) => count <= 1000,
  );
  expect(await metric(server, "refused_connections")).toBe(0);
  flood.close();
  for (const client of [...known, late]) client.close();
}, 300_000);

test("by default clients may stay without a login", async () => {
  const server = await servers.start({ shards: 2 });
  const silent = await openMany(50, () => open(server));
  expect(await closedOf(silent, 0)).toEqual([]);
  for (const client of silent) await client.login();
  for (const client of silent) client.close();
});

// These wait for limits of time, each at a server of its own.

test.concurrent.each([
  "tcp",
  "websocket",
] as const)("a limit of time closes who has not logged in, pings or not, and who has logged out, over %s", async (transport) => {
  const server = await servers.start({ env: { IGGY_CONNECTIONS_LOGIN_TIMEOUT: "5 s" } });
  const [known, out, silent] = await Promise.all([1, 2, 3].map(() => open(server, 1, transport)));
  await known!.login();
  await out!.login();
  await silent!.ended();
  await known!.request(CommandCode.ping);
  await out!.request(CommandCode.logoutUser);
  await out!.ended();
  await known!.request(CommandCode.ping);
  expect(await metric(server, "closed_before_login")).toBe(2);
  await server.logged("closed clients that did not log in within connections.login_timeout");
  known!.close();
});

test.concurrent("a TLS handshake that does not end is closed; a client that has ended its own stays without a login", async () => {
  const env = { IGGY_TCP_TLS_ENABLED: "true", IGGY_CONNECTIONS_TLS_HANDSHAKE_TIMEOUT: "5 s" };
  const server = await servers.start({ env });
  const ca = readFileSync(join(server.dataPath, "certificates/cert.pem"), "utf8");
  const client = await WireClient.connect(server, "sdk", { ca });
  const silent = connect({ host: server.host, port: server.port });
  const half = connect({ host: server.host, port: server.port }, () => half.write(Buffer.from("160301020001", "hex")));
  await Promise.all([silent, half].map((socket) => new Promise((resolve) => socket.on("close", resolve).resume())));
  await client.request(CommandCode.ping);
  expect(await metric(server, "closed_before_login")).toBe(2);
  client.close();
});

describe("a WebSocket message before a login", () => {
  const messageBytes = 8 * 1024 * 1024;
  const unfinished = [
    encodeFrame(Opcode.binary, new Uint8Array(messageBytes)).subarray(0, -1),
    encodeFrame(Opcode.binary, new Uint8Array(messageBytes), { isFinal: false }),
  ] as const;

  test("that does not end is not held, whether it is one frame or many", async () => {
    const server = await servers.start();
    const place = { host: server.host, port: server.portOf("websocket") };
    const calm = await open(server, 1, "websocket");
    const known = await open(server, 1, "websocket");
    await known.login();
    const hoarders = await Promise.all(unfinished.map(() => RawWebSocket.connect(place)));
    // Behind a message that is whole.
    for (const [index, socket] of hoarders.entries()) {
      socket.sendBinary(calm.frame(CommandCode.ping));
      socket.write(unfinished[index]!);
    }
    known.write(known.frame(CommandCode.ping).subarray(0, 3));
    await Promise.all(hoarders.map((socket) => socket.ended));
    known.write(known.frame(CommandCode.ping).subarray(3));
    expect((await known.receive())?.status).toBe(0);
    await calm.request(CommandCode.ping);
    expect(await metric(server, "closed_before_login")).toBe(hoarders.length);
    expect(server.log.match(/closed a client that sent too much before a login/g)).toHaveLength(1);
    calm.close();
    known.close();
  }, 60_000);

  test("that is whole ends its connection where it was larger than any login: the runtime keeps its room", async () => {
    const server = await servers.start();
    const [calm, hoarder] = [await open(server, 1, "websocket"), await open(server, 1, "websocket")];
    hoarder.write(hoarder.frame(CommandCode.getStreams, new Uint8Array(1024 * 1024)));
    await hoarder.ended();
    const talker = await RawWebSocket.connect({ host: server.host, port: server.portOf("websocket") });
    talker.write(encodeFrame(Opcode.text, new Uint8Array(1024 * 1024).fill(65)));
    await talker.ended;
    expect(await metric(server, "closed_before_login")).toBe(2);
    for (let count = 0; count < 3; count++) {
      expect((await calm.request(CommandCode.getStreams, new Uint8Array(300 * 1024))).status).toBe(40);
    }
    await calm.login();
    expect((await calm.request(CommandCode.getStreams, new Uint8Array(1024 * 1024))).status).toBe(0);
    calm.close();
  }, 60_000);

  const request = { username: "iggy", password: "iggy", version: undefined, context: undefined };
  const login = encodeRequestFrame(CommandCode.loginUser, encode(commandCodecs.loginUser.request, request), "sdk");

  /** The statuses of what is answered from now on. */
  function statusesOf(socket: RawWebSocket): number[] {
    const statuses: number[] = [];
    socket.onFrame = ({ opcode, payload }) => {
      if (opcode === Opcode.binary) statuses.push(Buffer.from(payload).readUInt32LE(0));
    };
    return statuses;
  }

  test("may follow a login whose turn has not come: nothing is read before it is known who sent it", async () => {
    const server = await servers.start();
    const place = { host: server.host, port: server.portOf("websocket") };
    const large = encodeRequestFrame(CommandCode.getStreams, new Uint8Array(2 * 1024 * 1024), "sdk");
    const bytes = Buffer.concat([login, large].map((frame) => encodeFrame(Opcode.binary, frame)));
    // Passwords are checked one after the other, so that many of these wait for longer than the looks are apart.
    const sockets = await Promise.all(Array.from({ length: 30 }, () => RawWebSocket.connect(place)));
    const statuses = sockets.map(statusesOf);
    for (const socket of sockets) socket.write(bytes);
    await eventually(
      "both answers, or the end, of each",
      () => sockets.filter(({ hasEnded }, index) => !hasEnded && statuses[index]!.length < 2).length,
      (count) => count === 0,
    );
    expect(statuses).toEqual(sockets.map(() => [0, 0]));
    expect(await metric(server, "closed_before_login")).toBe(0);
    for (const socket of sockets) socket.destroy();
  }, 120_000);

  test("that is large and begins with a login ends its connection where that login fails", async () => {
    const server = await servers.start();
    const place = { host: server.host, port: server.portOf("websocket") };
    const wrong = encode(commandCodecs.loginUser.request, { ...request, password: "wrong" });
    const ping = encodeRequestFrame(CommandCode.ping, new Uint8Array(0), "sdk");
    const pings = Array.from({ length: 100_000 }, () => ping);
    const message = (payload: Uint8Array) =>
      Buffer.concat([encodeRequestFrame(CommandCode.loginUser, payload, "sdk"), ...pings]);
    const [stranger, known] = await Promise.all([RawWebSocket.connect(place), RawWebSocket.connect(place)]);
    const replies = statusesOf(known);
    stranger.sendBinary(message(wrong));
    known.sendBinary(message(encode(commandCodecs.loginUser.request, request)));
    await stranger.ended;
    await eventually(
      "replies",
      () => replies.length,
      (length) => length === 1 + pings.length,
    );
    expect(await metric(server, "closed_before_login")).toBe(1);
    known.destroy();
  }, 60_000);

  test("may be as large as anybody's for a client that has logged in, however slowly it comes", async () => {
    const server = await servers.start();
    const place = { host: server.host, port: server.portOf("websocket") };
    const socket = await RawWebSocket.connect(place);
    const replies = statusesOf(socket);
    socket.sendBinary(login);
    const answered = (count: number) =>
      eventually(
        "replies",
        () => replies.length,
        (length) => length === count,
      );
    await answered(1);
    // Many requests in one message.
    const ping = encodeRequestFrame(CommandCode.ping, new Uint8Array(0), "sdk");
    socket.write(encodeFrame(Opcode.binary, new Uint8Array(0), { isFinal: false }));
    const pings = Buffer.concat(Array.from({ length: 100_000 }, () => ping));
    const half = pings.length / 2;
    socket.write(encodeFrame(Opcode.continuation, pings.subarray(0, half), { isFinal: false }));
    await Bun.sleep(1200); // two looks at what is held
    expect(socket.hasEnded).toBe(false);
    socket.write(encodeFrame(Opcode.continuation, pings.subarray(half)));
    await answered(100_001);
    expect(new Set(replies)).toEqual(new Set([0]));
    socket.destroy();
  }, 60_000);
});
