// Retention by size (spec SB 5.1; the suite message_cleanup_scenario of spec SB 15). A topic of three partitions, whose
// segments hold two messages each, filled in turns: message m is in partition m % 3.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Client } from "../../src/client/index.ts";
import { eventually } from "../support/process-facts.ts";
import { type TestServer, useServers } from "../support/server.ts";
import {
  checkCounters,
  cleanerPassed,
  never,
  partitionPath,
  range,
  readable,
  reader,
  segmentStarts,
  send,
  startCleaned,
  storeOffset,
  streamName,
  unlimited,
} from "./support.ts";

const servers = useServers();
setDefaultTimeout(300_000);
const partitionIds = [0, 1, 2];
/** Clocks of shards may differ by so much. */
const clockSkewMs = 4;
const expiryMicros = 40_000n;

describe.each([1, 2])("with %d shards", (shards) => {
  let server: TestServer;
  let client: Client;

  beforeAll(async () => {
    const env = { IGGY_SYSTEM_TOPIC_MAX_SIZE: "10000" };
    ({ server, client } = await startCleaned(servers, shards, expiryMicros, env));
  });

  afterAll(async () => {
    await client.close();
    await server.stop();
  });

  async function filledTopic(name: string, messagesCount: number, maxTopicSizeBytes = unlimited): Promise<number> {
    const topic = await client.createTopic(streamName, { name, partitionsCount: 3, maxTopicSizeBytes });
    await fill(name, messagesCount);
    return topic.id;
  }

  async function fill(topic: string, messagesCount: number): Promise<void> {
    for (const index of range(0, messagesCount)) {
      // What is six messages older is older on every shard's clock.
      if (index % 6 === 0) await Bun.sleep(clockSkewMs);
      await send(client, { topic, partitionId: index % 3 }, 1);
    }
  }

  function limit(name: string, maxTopicSizeBytes: bigint, messageExpiryMicros = never): Promise<void> {
    return client.updateTopic(streamName, name, { name, maxTopicSizeBytes, messageExpiryMicros });
  }

  async function sizeOf(topic: string): Promise<number> {
    return Number((await client.getTopic(streamName, topic))!.sizeBytes);
  }

  /** Below 90 % of 10,000. */
  async function smallEnough(topic: string): Promise<void> {
    await eventually(
      `${topic} is small enough`,
      () => sizeOf(topic),
      (sizeBytes) => sizeBytes < 9000,
    );
  }

  function firstOffsets(topic: string): Promise<(number | undefined)[]> {
    return Promise.all(partitionIds.map(async (partitionId) => (await readable(client, { topic, partitionId }))[0]));
  }

  /** Of partitions of several shards: which of messages that are as old as their clocks can tell goes first is open. */
  function asFarAsClocksTell(offsets: readonly (number | undefined)[]): (number | undefined)[] {
    return shards === 1 ? [...offsets] : offsets.toSorted((left = 0, right = 0) => right - left);
  }

  test("from 90 % of the limit on the oldest segments go, in the order of their messages over all partitions", async () => {
    const topicId = await filledTopic("limited", 30);
    await limit("limited", 10_000n);
    // 30,000 bytes; eleven segments less are 8,000: four of partition 0, four of 1, three of 2.
    await smallEnough("limited");
    await cleanerPassed(client);
    const firsts = await firstOffsets("limited");
    expect(asFarAsClocksTell(firsts)).toEqual([8, 8, 6]);
    expect(await sizeOf("limited")).toBe(8000);
    for (const partitionId of partitionIds) {
      const first = firsts[partitionId]!;
      expect(segmentStarts(partitionPath(server, topicId, partitionId))).toEqual(first === 6 ? [6, 8, 10] : [8, 10]);
      expect(await readable(client, { topic: "limited", partitionId })).toEqual(range(first, 10));
    }
    await checkCounters(client, server);

    // One message more makes it 9,000, which is 90 %: the one that is left of the oldest goes.
    await send(client, { topic: "limited", partitionId: 0 }, 1);
    await smallEnough("limited");
    expect(await firstOffsets("limited")).toEqual([8, 8, 8]);
    expect(await sizeOf("limited")).toBe(7000);
  });

  test("below 90 % nothing goes; sends into a topic over its limit are accepted, and active segments stay", async () => {
    await filledTopic("below", 8, 10_000n);
    // The limit is that of the smallest segment; each partition has one segment, which is the active one.
    await client.createTopic(streamName, { name: "tiny", partitionsCount: 3, maxTopicSizeBytes: 512n });
    for (const partitionId of partitionIds) await send(client, { topic: "tiny", partitionId }, 1);
    await cleanerPassed(client);
    expect(await firstOffsets("below")).toEqual([0, 0, 0]);
    expect(await sizeOf("below")).toBe(8000);
    expect(await firstOffsets("tiny")).toEqual([0, 0, 0]);
    await send(client, { topic: "tiny", partitionId: 1 }, 4);
    await cleanerPassed(client);
    expect(await firstOffsets("tiny")).toEqual([0, 4, 0]);
    await expect(
      client.createTopic(streamName, { name: "smaller", partitionsCount: 1, maxTopicSizeBytes: 511n }),
    ).rejects.toMatchObject({ errorName: "InvalidTopicSize", code: 1019 });
  });

  test("the server's default limits a topic that asks for it", async () => {
    await filledTopic("by default", 30, 0n);
    expect((await client.getTopic(streamName, "by default"))!.maxTopicSizeBytes).toBe(10_000n);
    await smallEnough("by default");
    // However the passes fell between the sends: no more than needed went, and the oldest first.
    expect(await sizeOf("by default")).toBeGreaterThanOrEqual(7000);
    const [most, middle, least] = asFarAsClocksTell(await firstOffsets("by default"));
    expect([most, middle]).toEqual([8, 8]);
    expect([6, 8]).toContain(least!);
  });

  test("a partition that a consumer blocks keeps its messages; the next oldest of others go", async () => {
    await filledTopic("blocked", 30);
    await storeOffset(client, { topic: "blocked", partitionId: 1 }, 2n);
    await limit("blocked", 10_000n);
    await smallEnough("blocked");
    await cleanerPassed(client);
    // Partition 1 has read up to 2: its first segment went. The others give all that is sealed.
    expect(await sizeOf("blocked")).toBe(8000);
    expect(await firstOffsets("blocked")).toEqual([undefined, 2, undefined]);
    await client.deleteConsumerOffset({ consumer: reader, stream: streamName, topic: "blocked", partitionId: 1 });
    await send(client, { topic: "blocked", partitionId: 0 }, 1);
    await eventually(
      "what was kept goes",
      () => firstOffsets("blocked"),
      ([, first]) => first === 4,
    );
  });

  test("age and size together: each removes what the other would leave", async () => {
    const aMinuteMicros = 60_000_000n;
    await filledTopic("both", 12);
    await limit("both", 14_000n, expiryMicros); // 90 % are 12,600
    await eventually(
      "what is old goes, though the topic is small",
      () => sizeOf("both"),
      (sizeBytes) => sizeBytes === 0,
    );
    await limit("both", unlimited, aMinuteMicros);
    await fill("both", 30);
    await limit("both", 10_000n, aMinuteMicros);
    await smallEnough("both");
    expect(asFarAsClocksTell(await firstOffsets("both"))).toEqual([12, 12, 10]);
  });

  test("after a restart sizes and limits are as before, and the cleaner goes on", async () => {
    const before = await checkCounters(client, server);
    await client.close();
    await server.restart();
    client = await server.connect();
    expect(await firstOffsets("below")).toEqual([0, 0, 0]);
    expect(await checkCounters(client, server)).toEqual(before);
    for (const index of range(0, 2)) await send(client, { topic: "below", partitionId: index }, 1);
    await smallEnough("below");
    expect(await firstOffsets("below")).toEqual([2, 0, 0]);
  });
});
