// A process with few file descriptors: many partitions do not keep clients out, nor many clients partitions from their files.
import { describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import type { Client } from "../../src/client/index.ts";
import { readDescriptorLimit, shareDescriptors } from "../../src/process/descriptors.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { tooMany } from "../../src/transport/runtime-connections.ts";
import { codeOf } from "../support/error-code.ts";
import { descriptorCount, eventually } from "../support/process-facts.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";

const servers = useServers();
const saverMs = 200;

/** With descriptors for nothing but `limit` files, connections and all else together. */
function startWithLimit(limit: number, env: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  return servers.start({
    shards: 2,
    launcher: ["sh", "-c", `ulimit -n ${limit}; exec "$@"`, "sh"],
    env: { IGGY_MESSAGE_SAVER_INTERVAL: `${saverMs} ms`, ...env },
  });
}

/** One message for each partition; the codes of those that were refused. */
async function sendToAll(client: Client, partitionsCount: number): Promise<number[]> {
  const messages = [{ payload: new Uint8Array(100) }];
  const codes: number[] = [];
  for (let partitionId = 0; partitionId < partitionsCount; partitionId++) {
    const partitioning = { kind: "partition", partitionId } as const;
    const code = await codeOf(client.sendMessages({ stream: "s", topic: "t", partitioning, messages }));
    if (code !== 0) codes.push(code);
  }
  return codes;
}

async function makeTopic(client: Client, partitionsCount: number): Promise<void> {
  await client.createStream("s");
  await client.createTopic("s", { name: "t", partitionsCount });
}

describe("the shares of descriptors", () => {
  test.each([
    { limit: 256, shardCount: 1 },
    { limit: 256, shardCount: 2 },
    { limit: 1024, shardCount: 1 },
    { limit: 1024, shardCount: 8 },
    { limit: 4096, shardCount: 2 },
    { limit: 4096, shardCount: 64 },
    { limit: 20_000, shardCount: 4 },
    { limit: 1_048_576, shardCount: 64 },
  ])("$limit for $shardCount shards leave something for everything", ({ limit, shardCount }) => {
    const { filesPerShard, clients, http, handshakesPerShard } = shareDescriptors(limit, shardCount);
    const connections = clients + http + handshakesPerShard * shardCount;
    expect(filesPerShard * shardCount + connections).toBeLessThanOrEqual(limit - 64 - 8 * shardCount);
    expect(http).toBeGreaterThanOrEqual(16);
    expect(handshakesPerShard).toBeGreaterThanOrEqual(4);
    expect(filesPerShard).toBeGreaterThanOrEqual(8);
    expect(filesPerShard * shardCount).toBeLessThanOrEqual(3072);
    expect(connections).toBeGreaterThanOrEqual(80);
  });

  test("where the system knows no limit, connections have none", () => {
    expect(shareDescriptors(Number.POSITIVE_INFINITY, 2)).toEqual({
      filesPerShard: 1536,
      clients: Infinity,
      http: Infinity,
      handshakesPerShard: Infinity,
    });
  });

  test.skipIf(process.platform !== "linux")("the limit of this process is known", () => {
    expect(readDescriptorLimit()).toBeGreaterThanOrEqual(64);
    expect(Number.isInteger(readDescriptorLimit())).toBe(true);
  });
});

test("700 partitions under a limit of 1,024 take messages, and clients still come in", async () => {
  const server = await startWithLimit(1024);
  const client = await server.connect();
  await makeTopic(client, 700);
  for (let round = 0; round < 3; round++) {
    expect(await sendToAll(client, 700)).toEqual([]);
    await Bun.sleep(saverMs * 2);
  }
  const others = await Promise.all(Array.from({ length: 100 }, () => server.connect()));
  for (const other of others) await other.ping();
  expect(await sendToAll(others[0]!, 700)).toEqual([]);
  expect(server.log).not.toContain("fenced");
  expect(server.log).not.toContain("failed");
  await Promise.all([client, ...others].map((each) => each.close()));
  await server.stop();
}, 300_000);

test("a flood of connections is refused; partitions go on, and afterwards everybody can come in", async () => {
  const server = await startWithLimit(200);
  const client = await server.connect();
  await makeTopic(client, 80);
  let closedCount = 0;
  const flood: Socket[] = Array.from({ length: 400 }, () => {
    const socket = connect(server.port, server.host);
    socket.on("error", () => undefined);
    socket.on("close", () => closedCount++);
    return socket;
  });
  await eventually(
    "refusals",
    () => closedCount,
    (count) => count >= 300,
  );
  for (let round = 0; round < 3; round++) {
    expect(await sendToAll(client, 80)).toEqual([]);
    await Bun.sleep(saverMs * 2);
  }
  expect(descriptorCount(server.pid)).toBeLessThan(200);
  await server.logged("closed a client that is not logged in, to make room for another");
  expect(server.log.split("to make room for another").length).toBeLessThan(10);
  await client.ping();
  expect(server.log).not.toContain("fenced");
  for (const socket of flood) socket.destroy();
  await eventually(
    "room again",
    () => descriptorCount(server.pid),
    (count) => count < 130,
  );
  // Connections of the flood that the system still holds are accepted a moment later, and newcomers make room for them.
  const late = await eventually(
    "a client that gets in",
    () => server.connect().catch(() => undefined),
    (connected) => connected !== undefined,
  );
  expect(await sendToAll(late!, 80)).toEqual([]);
  await Promise.all([client.close(), late!.close()]);
  await server.stop();
}, 300_000);

/** Connections that send this and then nothing. */
class Held {
  closedCount = 0;
  readonly #sockets: readonly Socket[];

  constructor(server: TestServer, port: number, count: number, head: string | Buffer) {
    this.#sockets = Array.from({ length: count }, () => {
      const socket = connect({ host: server.host, port }, () => socket.write(head));
      socket.on("close", () => this.closedCount++).on("error", () => undefined);
      return socket.on("end", () => socket.destroy()).resume();
    });
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

const request = "GET /ping HTTP/1.1\r\nhost: localhost\r\n\r\n";
const half = request.slice(0, 10);
const floodCount = 300;
const moreCount = 60;
/** What a limit of 200 leaves for HTTP, and more than for handshakes. */
const heldMax = 15;
const halfHello = Buffer.from("160301020001", "hex");

test.each([
  { what: "HTTP connections that send nothing", transport: "http", head: "" },
  { what: "HTTP connections that stop in a request", transport: "http", head: half },
  { what: "HTTP connections that stay after a request", transport: "http", head: request },
  { what: "WebSocket handshakes that do not end", transport: "websocket", head: half },
  { what: "TLS handshakes that do not end, of HTTPS,", transport: "http", head: halfHello, isTls: true },
] as const)("$what leave descriptors for everybody else, also while they come", async ({
  transport,
  head,
  ...rest
}) => {
  const isTls = "isTls" in rest;
  const server = await startWithLimit(200, {
    IGGY_SYSTEM_LOGGING_SYSINFO_PRINT_INTERVAL: "100 ms",
    IGGY_HTTP_TLS_ENABLED: String(isTls),
  });
  const client = await server.connect();
  await makeTopic(client, 40);
  const flood = new Held(server, server.portOf(transport), floodCount, head);
  await server.logged(/closed connections without a request to make room .*key=connections\.max_(http|handshakes)/);
  await eventually(
    "what is too many has gone",
    () => flood.closedCount,
    (count) => count >= floodCount - heldMax,
  );
  // While those that are left stay.
  expect(await sendToAll(client, 40)).toEqual([]);
  const url = `${isTls ? "https" : "http"}://${server.host}:${server.portOf("http")}/ping`;
  expect((await fetch(url, { tls: { rejectUnauthorized: false } })).status).toBe(200);
  const others = await Promise.all(Array.from({ length: 10 }, () => server.connect()));
  const websocket = await WireClient.connect({ host: server.host, port: server.portOf("websocket") }, "sdk", {
    transport: "websocket",
  });
  await websocket.login();
  // One that is known is none of those that are too many.
  const more = new Held(server, server.portOf(transport), moreCount, head);
  await eventually(
    "more are closed",
    () => flood.closedCount + more.closedCount,
    (count) => count >= floodCount + moreCount - heldMax,
  );
  await websocket.request(CommandCode.ping);
  flood.end();
  more.end();
  websocket.close();
  await Promise.all([client, ...others].map((each) => each.close()));
  expect(server.hasEnded).toBe(false);
  await server.stop();
}, 300_000);

test("idle connections of an address with many make room, and the one that has been idle for longest first", () => {
  const of = (host: string, idle: readonly number[]) =>
    idle.map((idleMs, port) => ({ peer: `${host}:${port}`, idleMs }));
  const connections = [...of("10.0.0.1", [5, 9, 7, 8]), ...of("10.0.0.2", [100]), ...of("[2001:db8::1]", [1, 2])];
  const ended = (max: number) => tooMany(connections, max).map(({ idleMs }) => idleMs);
  expect(ended(7)).toEqual([]);
  expect(ended(6)).toEqual([9]);
  expect(ended(5)).toEqual([9, 8]);
  expect(ended(3).toSorted((left, right) => left - right)).toEqual([2, 7, 8, 9]);
  expect(ended(0)).toHaveLength(7);
});
