// Deduplication from outside (spec SB 4.4 as recommended there): duplicates are taken out first, then offsets are given, so
// that there are neither gaps nor overlaps (spec SB 13, trap 18), also in partitions that are made while the server runs.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Client } from "../../src/client/index.ts";
import { eventually } from "../support/process-facts.ts";
import { type ServerOptions, useServers } from "../support/server.ts";

const servers = useServers();
setDefaultTimeout(120_000);
const utf8 = new TextEncoder();
const consumer = { kind: "consumer", id: { kind: "numeric", value: 1 } } as const;
const target = { stream: "orders", topic: "eu" };

function deduplicating(options: Readonly<Record<string, string>> = {}): NonNullable<ServerOptions["env"]> {
  const named = Object.entries(options).map(([key, value]) => [`IGGY_SYSTEM_MESSAGE_DEDUPLICATION_${key}`, value]);
  return { IGGY_SYSTEM_MESSAGE_DEDUPLICATION_ENABLED: "true", ...Object.fromEntries(named) };
}

async function startWith(options: ServerOptions, partitionsCount = 1) {
  const server = await servers.start(options);
  const client = await server.connect();
  await client.createStream("orders");
  await client.createTopic("orders", { name: "eu", partitionsCount });
  return { server, client };
}

/** One batch; each message is its id, and its payload is `label` and the id. */
function send(client: Client, ids: readonly bigint[], label = "", partitionId = 0): Promise<void> {
  const messages = ids.map((id) => ({ id, payload: utf8.encode(`${label}${id}`) }));
  return client.sendMessages({ ...target, partitioning: { kind: "partition", partitionId }, messages });
}

/** The payloads in order; fails where the offsets are not 0, 1, 2, … and the partition does not end behind them. */
async function stored(client: Client, partitionId = 0): Promise<string[]> {
  const strategy = { kind: "first", value: 0n } as const;
  const { messages, currentOffset } = await client.pollMessages({
    ...target,
    consumer,
    partitionId,
    strategy,
    count: 1000,
  });
  expect(messages.map(({ offset }) => Number(offset))).toEqual(messages.map((_, index) => index));
  expect(Number(currentOffset)).toBe(Math.max(0, messages.length - 1));
  const partition = (await client.getTopic("orders", "eu"))!.partitions[partitionId]!;
  expect(Number(partition.messagesCount)).toBe(messages.length);
  expect(Number(partition.sizeBytes)).toBe(messages.reduce((sum, { payload }) => sum + 64 + payload.byteLength, 0));
  return messages.map(({ payload }) => new TextDecoder().decode(payload));
}

const bigId = 2n ** 128n - 1n;

describe.each([
  ["memory", 1],
  ["write", 2],
  ["sync", 1],
])("acknowledge = %s, %d shard(s)", (acknowledge, shards) => {
  test("duplicates are left out of a batch and of later ones; what is left has consecutive offsets", async () => {
    const env = { ...deduplicating(), IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: acknowledge };
    const { server, client } = await startWith({ shards, env }, 2);
    await send(client, [1n, 2n, 1n, 3n, 3n, 2n, bigId], "a");
    await send(client, [3n, 4n, bigId, 5n, 1n], "b");
    await send(client, [1n, 2n, 3n], "c"); // nothing is left: still a success
    await send(client, [6n], "d");
    const first = ["a1", "a2", "a3", `a${bigId}`, "b4", "b5", "d6"];
    expect(await stored(client)).toEqual(first);
    await server.logged("duplicate messages dropped");

    // Without an id of its own a message is never a duplicate.
    await send(client, [0n, 7n, 0n, 7n, 0n], "e");
    expect(await stored(client)).toEqual([...first, "e0", "e7", "e0", "e0"]);
    // Each partition has its own filter.
    await send(client, [1n, 1n, 2n], "f", 1);
    expect(await stored(client, 1)).toEqual(["f1", "f2"]);

    // Many batches of one connection under way: their order counts.
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => send(client, [100n, BigInt(101 + index)], `${index}:`, 1)),
    );
    expect(await stored(client, 1)).toEqual([
      "f1",
      "f2",
      "0:100",
      ...Array.from({ length: 50 }, (_, n) => `${n}:${n + 101}`),
    ]);
    // A purge forgets the ids: what comes again is new.
    await client.purgeTopic("orders", "eu");
    await send(client, [1n, 2n], "g");
    expect(await stored(client)).toEqual(["g1", "g2"]);

    // What is repeated after a restart is known.
    await client.close();
    await server.restart();
    const after = await server.connect();
    await send(after, [2n, 2n, 3n], "h");
    expect(await stored(after)).toEqual(["g1", "g2", "h3"]);
    // So it is after a kill: of what the level says is there.
    await server.kill();
    await server.restart();
    const killed = await server.connect();
    await send(killed, [2n, 3n, 4n], "i");
    const isKept = acknowledge !== "memory";
    expect(await stored(killed)).toEqual(["g1", "g2", isKept ? "h3" : "i3", "i4"]);
    await killed.close();
    await server.stop();
  });
});

test("two connections that send the same messages at once: each is stored once", async () => {
  const { server, client } = await startWith({ shards: 2, env: deduplicating() });
  const other = await server.connect();
  const ids = Array.from({ length: 200 }, (_, index) => BigInt(index + 1));
  const portions = Array.from({ length: 20 }, (_, index) => ids.slice(index * 10, index * 10 + 10));
  await Promise.all([client, other].flatMap((sender) => portions.map((portion) => send(sender, portion))));
  expect(await stored(client)).toEqual(ids.map(String));
  await other.close();
  await client.close();
  await server.stop();
});

test("partitions and topics that are made while the server runs have a filter", async () => {
  const { server, client } = await startWith({ shards: 2, env: deduplicating() });
  await client.createPartitions("orders", "eu", 2);
  for (const partitionId of [0, 1, 2]) {
    await send(client, [1n, 2n, 2n], "a", partitionId);
    await send(client, [2n, 3n], "b", partitionId);
    expect(await stored(client, partitionId)).toEqual(["a1", "a2", "b3"]);
  }
  await client.close();
  await server.stop();
});

test("an id is known for the configured time, and the newest `max_entries` ids are known", async () => {
  const { server, client } = await startWith({ env: deduplicating({ EXPIRY: "150ms", MAX_ENTRIES: "3" }) });
  const startedAtMs = performance.now();
  await send(client, [1n]);
  await send(client, [1n]);
  // Where the machine was slow the second one may have come too late to be a duplicate.
  if (performance.now() - startedAtMs < 100) expect(await stored(client)).toEqual(["1"]);
  const count = (await stored(client)).length;
  await eventually(
    "the id is forgotten",
    async () => {
      await send(client, [1n]);
      return (await stored(client)).length;
    },
    (length) => length > count,
  );
  expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(149);
  await client.close();
  await server.restart({ env: deduplicating({ EXPIRY: "1 h", MAX_ENTRIES: "3" }) });
  const again = await server.connect();
  await again.purgeTopic("orders", "eu");
  await send(again, [1n, 2n, 3n], "a");
  await send(again, [1n, 4n], "b"); // 1 is known; 4 takes the place of the oldest, which is 1
  await send(again, [3n, 1n], "c"); // 3 is known, 1 not any more
  expect(await stored(again)).toEqual(["a1", "a2", "a3", "b4", "c1"]);
  await again.close();
  await server.stop();
});

test("works with encryption, and is off by default", async () => {
  const encryption = {
    IGGY_SYSTEM_ENCRYPTION_ENABLED: "true",
    IGGY_SYSTEM_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString("base64"),
  };
  const { server, client } = await startWith({ env: { ...deduplicating(), ...encryption } });
  await send(client, [1n, 2n, 1n], "a");
  await send(client, [2n, 3n], "b");
  const strategy = { kind: "first", value: 0n } as const;
  const { messages } = await client.pollMessages({ ...target, consumer, partitionId: 0, strategy, count: 10 });
  expect(messages.map(({ id, offset }) => [id, offset])).toEqual([
    [1n, 0n],
    [2n, 1n],
    [3n, 2n],
  ]);
  await client.close();
  await server.restart({ env: { IGGY_SYSTEM_MESSAGE_DEDUPLICATION_ENABLED: undefined } });
  const plain = await server.connect();
  await plain.purgeTopic("orders", "eu");
  await send(plain, [1n, 1n]);
  await send(plain, [1n]);
  const again = await plain.pollMessages({ ...target, consumer, partitionId: 0, strategy, count: 10 });
  expect(again.messages.map(({ id }) => id)).toEqual([1n, 1n, 1n]);
  await plain.close();
  await server.stop();
});
