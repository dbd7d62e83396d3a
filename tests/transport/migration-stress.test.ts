// 200 connections over two shards that do everything at once: pipelined sends, polls and offsets on random partitions, and
// ends of every kind. With migration the connections move to the shard of their partition, without it their requests are
// forwarded; a client cannot tell. WHIPPET_STRESS_SECONDS makes the traffic longer, WHIPPET_STRESS_SEED repeats a run.
import { describe, expect, test } from "bun:test";
import { nameId } from "../../src/protocol/identifier.ts";
import { descriptorCount, eventually } from "../support/process-facts.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { freshMetrics } from "./fresh-metrics.ts";
import { StressConnection, type StressRequest } from "./stress-connection.ts";
import { StressRecord } from "./stress-record.ts";

const servers = useServers();
const trafficMs = Number(process.env.WHIPPET_STRESS_SECONDS ?? 4) * 1000;
const givenSeed = process.env.WHIPPET_STRESS_SEED;
const connectionsCount = 200;
const partitionsCount = 8;
/** Messages that every partition has before: offsets that may be stored. */
const preloaded = 50;
const reader = { kind: "consumer", id: nameId("reader") } as const;

type Random = (limit: number) => number;

/** Uniform whole numbers below `limit` (xorshift). */
function randomFrom(seed: number): Random {
  let state = seed >>> 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** Descriptors that are no files of partitions: those stay open for the next use, up to a limit of their own. */
function otherDescriptors({ pid, dataPath }: TestServer): number {
  return descriptorCount(pid, (path) => path.startsWith(`${dataPath}/streams/`));
}

async function countersOf(server: TestServer): Promise<{ moved: number; forwarded: number }> {
  const text = await freshMetrics(server);
  const sumOf = (name: string) =>
    [...text.matchAll(new RegExp(`^${name}\\{shard="\\d+"\\} (\\d+)$`, "gm"))].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
  return {
    moved: sumOf("whippet_moved_connections_total"),
    forwarded: sumOf("whippet_forwarded_requests_total"),
  };
}

async function prepare(server: TestServer) {
  const admin = await server.connect();
  await admin.createStream("orders");
  await admin.createTopic("orders", { name: "eu", partitionsCount });
  await admin.createConsumerGroup("orders", "eu", "workers");
  const messages = Array.from({ length: preloaded }, () => ({ payload: new TextEncoder().encode("before") }));
  for (let partitionId = 0; partitionId < partitionsCount; partitionId++) {
    const partitioning = { kind: "partition", partitionId } as const;
    await admin.sendMessages({ stream: "orders", topic: "eu", partitioning, messages });
    await admin.storeConsumerOffset({ stream: "orders", topic: "eu", consumer: reader, partitionId, offset: 0n });
  }
  return admin;
}

/** One connection from its login to its end. */
async function live(server: TestServer, name: string, random: Random, record: StressRecord, untilMs: number) {
  const connection = await StressConnection.open(server, name);
  const isMember = random(12) === 0;
  if (isMember) await connection.joinGroup("workers");
  const identity = await connection.identity();
  expect(identity).toMatchObject({ userId: 0, address: connection.address, consumerGroupsCount: isMember ? 1 : 0 });
  const sequences = new Array<number>(partitionsCount).fill(0);
  const stored = new Map<number, number>();
  let partitionId = random(partitionsCount);

  const makeRequest = (): StressRequest => {
    if (random(12) === 0) partitionId = random(partitionsCount);
    const target = partitionId;
    const kind = random(20);
    if (kind < 12) {
      const first = sequences[target]!;
      const count = 1 + random(3);
      sequences[target] = first + count;
      const texts = Array.from({ length: count }, (_, index) => `${name}/${target}/${first + index}`);
      for (const text of texts) record.sent(text);
      return connection.send(target, texts, random(10) === 0 ? 20_000 : 0, () => record.acknowledged(texts));
    }
    if (kind < 15) return connection.poll(target, random(preloaded), 1 + random(10));
    if (kind < 17) {
      const offset = random(preloaded);
      stored.set(target, offset);
      return connection.storeOffset(target, offset);
    }
    if (kind < 19) return connection.readOffset(target, stored.get(target));
    return connection.me(identity.clientId);
  };

  const burstsMax = 1 + random(16);
  for (let burst = 0; burst < burstsMax && performance.now() < untilMs; burst++) {
    await connection.exchange(Array.from({ length: 1 + random(12) }, makeRequest));
  }
  const last = Array.from({ length: 1 + random(20) }, makeRequest);
  switch (random(4)) {
    case 0:
      await connection.exchange(last);
      expect(await connection.identity()).toEqual(identity);
      return connection.destroy();
    case 1:
      return await connection.halfClose(last);
    case 2:
      return connection.reset(last);
    default:
      return connection.stopInsideFrame(last, random);
  }
}

describe.each([true, false])("200 connections over two shards, tcp.socket_migration = %p", (migration) => {
  test(
    "lose, double and mix up nothing, and leave nothing behind",
    async () => {
      const seed = givenSeed === undefined ? (Math.random() * 2 ** 32) >>> 0 : Number(givenSeed);
      console.log(`migration stress: WHIPPET_STRESS_SEED=${seed}`);
      const server = await servers.start({ shards: 2, env: { IGGY_TCP_SOCKET_MIGRATION: String(migration) } });
      const admin = await prepare(server);
      await countersOf(server);
      const descriptorsBefore = otherDescriptors(server);
      const record = new StressRecord();
      const untilMs = performance.now() + trafficMs;
      const work = async (index: number) => {
        const random = randomFrom(seed + index * 7919);
        let lives = 0;
        do await live(server, `${index}-${lives++}`, random, record, untilMs);
        while (performance.now() < untilMs);
        return lives;
      };
      const lives = await Promise.all(Array.from({ length: connectionsCount }, (_, index) => work(index)));
      await eventually(
        "only the admin is listed",
        () => admin.getClients(),
        (clients) => clients.length === 1,
      );
      expect((await admin.getStats()).clientsCount).toBe(1);
      // The end of a connection reaches the groups on every shard a little later.
      await eventually(
        "the group is empty",
        () => admin.getConsumerGroup("orders", "eu", "workers"),
        (group) => group?.membersCount === 0,
      );

      for (let partitionId = 0; partitionId < partitionsCount; partitionId++) {
        for (let offset = preloaded; ; ) {
          const polled = await admin.pollMessages({
            ...{ consumer: reader, stream: "orders", topic: "eu", partitionId, count: 10_000 },
            strategy: { kind: "offset", value: BigInt(offset) },
          });
          if (polled.messages.length === 0) break;
          record.found(partitionId, offset, polled.messages);
          offset += polled.messages.length;
        }
      }
      record.check();
      await eventually(
        "descriptors are given back",
        () => otherDescriptors(server),
        (count) => count <= descriptorsBefore,
      );
      const { moved, forwarded } = await countersOf(server);
      const livesCount = lives.reduce((sum, count) => sum + count, 0);
      console.log(
        `migration stress: ${livesCount} connections, ${record.summary}, moved ${moved}, forwarded ${forwarded}`,
      );
      // How many depends on how much the machine gets done in that time.
      if (migration) expect(moved).toBeGreaterThan(connectionsCount / 10);
      else expect(moved).toBe(0);
      expect(forwarded).toBeGreaterThan(connectionsCount);
      await admin.close();
      await server.stop();
      expect(server.log).not.toMatch(/ ERROR /);
    },
    240_000 + 3 * trafficMs,
  );
});

test("a connection that goes back and forth settles where it is, and is forwarded from there", async () => {
  const server = await servers.start({ shards: 2 });
  const admin = await prepare(server);
  const connection = await StressConnection.open(server, "hopper");
  const identity = await connection.identity();
  const runLength = 8;
  const hop = async (rounds: number) => {
    for (let index = 0; index < rounds * runLength; index++) {
      const partitionId = Math.floor(index / runLength) % 2;
      await connection.exchange([connection.send(partitionId, [`${index}`], 0, () => undefined)]);
    }
  };
  await hop(10);
  const settled = await countersOf(server);
  // The first move takes a run of 4, the second one of 8, the third one of 16, which never comes.
  expect(settled.moved).toBeGreaterThanOrEqual(1);
  expect(settled.moved).toBeLessThanOrEqual(2);
  await hop(20);
  const later = await countersOf(server);
  expect(later.moved).toBe(settled.moved);
  expect(later.forwarded - settled.forwarded).toBeGreaterThanOrEqual(10 * runLength);
  expect(await connection.identity()).toEqual(identity);
  // Work that stays in one place is worth a move again.
  for (const partitionId of [0, 1]) {
    for (let index = 0; index < 64; index++) {
      await connection.exchange([connection.send(partitionId, [`${index}`], 0, () => undefined)]);
    }
  }
  expect((await countersOf(server)).moved).toBeGreaterThan(settled.moved);
  connection.destroy();
  await admin.close();
  await server.stop();
}, 120_000);
