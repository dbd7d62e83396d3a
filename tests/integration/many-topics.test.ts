// A broker with 40,000 partitions: what it costs to have them, and that all of them can be used. The figures are printed.
import { expect, test } from "bun:test";
import type { Client } from "../../src/client/index.ts";
import { seededRandom } from "../../src/platform/random.ts";
import { descriptorCount, growsLessThan, residentBytes } from "../support/process-facts.ts";
import { expectQuick } from "../support/quiet-machine.ts";
import { type TestServer, useServers } from "../support/server.ts";

const streamsCount = 4; // a stream holds at most 4,096 topics
const topicsCount = 10_000;
const partitionsPerTopic = 4;
const touchedCount = 6000;
const clientsCount = 8;

const servers = useServers();
const payload = new TextEncoder().encode("one message");
const consumer = { kind: "consumer", id: { kind: "numeric", value: 1 } } as const;

function placeOf(topicNumber: number): { readonly stream: string; readonly topic: string } {
  return { stream: `stream-${topicNumber % streamsCount}`, topic: `topic-${topicNumber}` };
}

/** Creates all topics one after the other; the time of each, in ms, ascending. */
async function createAll(client: Client): Promise<number[]> {
  const timesMs: number[] = [];
  for (let number = 0; number < streamsCount; number++) await client.createStream(`stream-${number}`);
  for (let number = 0; number < topicsCount; number++) {
    const { stream, topic } = placeOf(number);
    const startMs = performance.now();
    await client.createTopic(stream, { name: topic, partitionsCount: partitionsPerTopic });
    timesMs.push(performance.now() - startMs);
  }
  return timesMs.toSorted((left, right) => left - right);
}

/** Sends to partitions all over the broker and reads each message back. */
async function touch(server: TestServer, seed: number): Promise<void> {
  const random = seededRandom(seed);
  let left = touchedCount;
  const work = async () => {
    const client = await server.connect();
    while (left-- > 0) {
      const { stream, topic } = placeOf(random.u32() % topicsCount);
      const partitionId = random.u32() % partitionsPerTopic;
      await client.sendMessages({
        stream,
        topic,
        partitioning: { kind: "partition", partitionId },
        messages: [{ payload }],
      });
      const { messages } = await client.pollMessages({
        consumer,
        stream,
        topic,
        partitionId,
        strategy: { kind: "last", value: 0n },
        count: 1,
      });
      expect(messages.map((message) => new TextDecoder().decode(message.payload))).toEqual(["one message"]);
    }
    await client.close();
  };
  await Promise.all(Array.from({ length: clientsCount }, work));
}

test("10,000 topics with 4 partitions each", async () => {
  const server = await servers.start({ shards: 2 });
  const client = await server.connect();
  const timesMs = await createAll(client);
  await touch(server, 1);
  const openFiles = descriptorCount(server.pid);
  const stats = await client.getStats();
  expect(stats.partitionsCount).toBe(topicsCount * partitionsPerTopic);
  expect(stats.messagesCount).toBe(BigInt(touchedCount));
  await client.close();

  await server.stop();
  const startMs = performance.now();
  await server.restart();
  const restartMs = performance.now() - startMs;
  const memoryBytes = residentBytes(server.pid);
  await growsLessThan(600e6, () => residentBytes(server.pid), 0);
  await touch(server, 2);

  const createP99Ms = timesMs[Math.floor(timesMs.length * 0.99)]!;
  console.info(
    `10,000 x 4: create p99 ${createP99Ms.toFixed(1)} ms, start ${Math.round(restartMs)} ms, ` +
      `${Math.round(memoryBytes / 1e6)} MB, ${openFiles} open files`,
  );
  expectQuick("create p99", createP99Ms, 20);
  expectQuick("start", restartMs, 10_000);
  expect(openFiles).toBeLessThan(4096);
  expect(descriptorCount(server.pid)).toBeLessThan(4096);
}, 600_000);
