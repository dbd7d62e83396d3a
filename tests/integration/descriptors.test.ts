// A process with few file descriptors: many partitions do not keep clients out, nor many clients partitions from their files.
import { describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import type { IggyClient } from "../../src/client/index.ts";
import { readDescriptorLimit, shareDescriptors } from "../../src/process/descriptors.ts";
import { codeOf } from "../support/error-code.ts";
import { descriptorCount, eventually } from "../support/process-facts.ts";
import { type TestServer, useServers } from "../support/server.ts";

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
async function sendToAll(client: IggyClient, partitionsCount: number): Promise<number[]> {
  const messages = [{ payload: new Uint8Array(100) }];
  const codes: number[] = [];
  for (let partitionId = 0; partitionId < partitionsCount; partitionId++) {
    const partitioning = { kind: "partition", partitionId } as const;
    const code = await codeOf(client.sendMessages({ stream: "s", topic: "t", partitioning, messages }));
    if (code !== 0) codes.push(code);
  }
  return codes;
}

async function makeTopic(client: IggyClient, partitionsCount: number): Promise<void> {
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
    const { filesPerShard, connections } = shareDescriptors(limit, shardCount);
    expect(filesPerShard * shardCount + connections).toBeLessThanOrEqual(limit - 64 - 8 * shardCount);
    expect(filesPerShard).toBeGreaterThanOrEqual(8);
    expect(filesPerShard * shardCount).toBeLessThanOrEqual(3072);
    expect(connections).toBeGreaterThanOrEqual(80);
  });

  test("where the system knows no limit, connections have none", () => {
    expect(shareDescriptors(Number.POSITIVE_INFINITY, 2)).toEqual({ filesPerShard: 1536, connections: Infinity });
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
  const late = await server.connect();
  expect(await sendToAll(late, 80)).toEqual([]);
  await Promise.all([client.close(), late.close()]);
  await server.stop();
}, 300_000);

test("HTTP connections that take every descriptor end nothing, also while the line of resources is due", async () => {
  const server = await startWithLimit(200, { IGGY_SYSTEM_LOGGING_SYSINFO_PRINT_INTERVAL: "100 ms" });
  const client = await server.connect();
  const sockets = Array.from({ length: 300 }, () => {
    const socket = connect({ host: server.host, port: server.portOf("http") });
    return socket.on("error", () => undefined);
  });
  await server.logged("the line of resources failed"); // no descriptor is left
  await client.ping();
  for (const socket of sockets) socket.destroy();
  await eventually(
    "HTTP answers again",
    () =>
      fetch(`http://${server.host}:${server.portOf("http")}/ping`).then(
        (answer) => answer.status,
        () => 0,
      ),
    (status) => status === 200,
  );
  expect(server.hasEnded).toBe(false);
  await client.close();
  await server.stop();
}, 300_000);
