// Traps of spec SB 13 that show when the server is started again, or with another configuration.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Client, TopicOptions } from "../../src/client/index.ts";
import { u64Max } from "../../src/protocol/limits.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";

const servers = useServers();
const payload = new Uint8Array(300);
const consumer = { kind: "consumer", id: { kind: "string", value: "reader" } } as const;
const smallSegments = { IGGY_SYSTEM_SEGMENT_SIZE: "1024" };

async function createTopic(client: Client, options: TopicOptions): Promise<void> {
  if ((await client.getStream("orders")) === undefined) await client.createStream("orders");
  await client.createTopic("orders", { partitionsCount: 1, ...options });
}

async function send(client: Client, topic: string, count: number): Promise<void> {
  const partitioning = { kind: "partition", partitionId: 0 } as const;
  for (let number = 0; number < count; number++) {
    await client.sendMessages({ stream: "orders", topic, partitioning, messages: [{ payload }] });
  }
}

async function offsets(client: Client, topic: string): Promise<number[]> {
  const strategy = { kind: "first", value: 0n } as const;
  const polled = await client.pollMessages({ consumer, stream: "orders", topic, partitionId: 0, strategy, count: 100 });
  return polled.messages.map(({ offset }) => Number(offset));
}

async function segmentsCount(client: Client, topic: string): Promise<number> {
  return (await client.getTopic("orders", topic))!.partitions[0]!.segmentsCount;
}

function sizeOf(path: string): number {
  return readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
}

describe("limits of a topic", () => {
  test("server defaults are those of its creation or update, also for the cleaner after a restart (traps 12, 13, 25, 26)", async () => {
    const server = await servers.start({ env: smallSegments });
    const before = await server.connect();
    await createTopic(before, { name: "defaults", messageExpiryMicros: 0n, maxTopicSizeBytes: 0n });
    await createTopic(before, { name: "short", messageExpiryMicros: 1n });
    for (const topic of ["defaults", "short"]) await send(before, topic, 10);
    await Bun.sleep(100);
    // The cleaner is off: what has expired is still there.
    expect(await offsets(before, "short")).toHaveLength(10);
    await before.close();

    await server.restart({
      env: {
        IGGY_SYSTEM_TOPIC_MESSAGE_EXPIRY: "7 days",
        IGGY_SYSTEM_TOPIC_MAX_SIZE: "2 GiB",
        IGGY_DATA_MAINTENANCE_MESSAGES_CLEANER_ENABLED: "true",
        IGGY_DATA_MAINTENANCE_MESSAGES_INTERVAL: "50ms",
      },
    });
    const after = await server.connect();
    await eventually(
      "expired segments are removed",
      () => segmentsCount(after, "short"),
      (count) => count === 1,
    );
    expect(await offsets(after, "short")).not.toContain(0); // the active segment stays
    expect(await offsets(after, "defaults")).toHaveLength(10);
    expect(await after.getTopic("orders", "defaults")).toMatchObject({
      messageExpiryMicros: u64Max,
      maxTopicSizeBytes: u64Max,
    });
    await after.updateTopic("orders", "defaults", {
      name: "defaults",
      messageExpiryMicros: 0n,
      maxTopicSizeBytes: 0n,
    });
    expect(await after.getTopic("orders", "defaults")).toMatchObject({
      messageExpiryMicros: 7n * 86_400_000_000n,
      maxTopicSizeBytes: 2n * 1024n ** 3n,
    });
    await after.close();
    await server.stop();
    expect(server.log).not.toMatch(/ ERROR /);
  }, 120_000);
});

test("deleted segments stay deleted and leave no entry in the metadata log (trap 15)", async () => {
  const server = await servers.start({ env: smallSegments });
  const before = await server.connect();
  await createTopic(before, { name: "eu" });
  await send(before, "eu", 10);
  expect(await segmentsCount(before, "eu")).toBeGreaterThan(2);
  const metadataBytes = sizeOf(join(server.dataPath, "state"));
  await before.deleteSegments("orders", "eu", 0, 1);
  expect(sizeOf(join(server.dataPath, "state"))).toBe(metadataBytes);
  const left = await offsets(before, "eu");
  expect(left.length).toBeLessThan(10);
  await before.close();
  await server.restart();
  const after = await server.connect();
  expect(await offsets(after, "eu")).toEqual(left);
  await after.close();
  await server.stop();
}, 120_000);

test("a partition whose directory is missing is empty, and takes messages (trap 14)", async () => {
  const server = await servers.start();
  const before = await server.connect();
  await createTopic(before, { name: "eu" });
  await createTopic(before, { name: "us" });
  for (const topic of ["eu", "us"]) await send(before, topic, 2);
  await before.close();
  await server.stop();
  const directory = join(server.dataPath, "streams/0/topics/0/partitions/0");
  expect(existsSync(directory)).toBe(true);
  rmSync(directory, { recursive: true });
  await server.restart();
  const after = await server.connect();
  expect(await offsets(after, "eu")).toEqual([]);
  expect(await offsets(after, "us")).toEqual([0, 1]);
  await send(after, "eu", 1);
  expect(await offsets(after, "eu")).toEqual([0]);
  await after.close();
  await server.stop();
}, 120_000);

test("deduplication holds for partitions that are created while the server runs (trap 18)", async () => {
  const server = await servers.start({ env: { IGGY_SYSTEM_MESSAGE_DEDUPLICATION_ENABLED: "true" } });
  const client = await server.connect();
  await createTopic(client, { name: "eu" });
  await client.createPartitions("orders", "eu", 1);
  for (const id of [7n, 7n, 8n, 7n]) {
    const partitioning = { kind: "partition", partitionId: 1 } as const;
    await client.sendMessages({ stream: "orders", topic: "eu", partitioning, messages: [{ id, payload }] });
  }
  expect((await client.getTopic("orders", "eu"))!.partitions[1]).toMatchObject({
    messagesCount: 2n,
    currentOffset: 1n,
  });
  await client.close();
  await server.stop();
}, 120_000);

test("the port is fixed, HTTP is off, and current_config.toml is written (trap 65); runtime and logs are our own (traps 64, 66)", async () => {
  const server = await servers.start();
  writeFileSync(join(server.dataPath, "runtime/leftover"), "x");
  mkdirSync(join(server.directory, "logs"));
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  await server.restart({
    env: {
      IGGY_TCP_ADDRESS: `127.0.0.1:${port}`,
      IGGY_HTTP_ENABLED: "false",
      IGGY_QUIC_ENABLED: "false",
      IGGY_WEBSOCKET_ENABLED: "false",
    },
  });
  expect(server.port).toBe(port);
  expect(readdirSync(join(server.dataPath, "runtime"))).toEqual(["current_config.toml"]);
  expect(readdirSync(join(server.directory, "logs"))).toEqual([]);
  expect(readdirSync(join(server.dataPath, "logs"))).toContain("iggy-server.log");
  await server.stop();
}, 120_000);
