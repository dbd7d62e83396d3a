// Retention by age (spec SB 5.1; the suite message_cleanup_scenario of spec SB 15).
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Client } from "../../src/client/index.ts";
import type { Consumer } from "../../src/protocol/consumer.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { type TestServer, useServers } from "../support/server.ts";
import {
  checkCounters,
  cleanedOften,
  cleanerPassed,
  never,
  partitionPath,
  poll,
  range,
  readable,
  segmentStarts,
  send,
  startCleaned,
  startsWith,
  storeOffset,
  streamName,
} from "./support.ts";

const servers = useServers();
setDefaultTimeout(300_000);
const expiryMicros = 80_000n;
const anHourMicros = 3_600_000_000n;

describe.each([2])("with %d shards", (shards) => {
  let server: TestServer;
  let client: Client;

  beforeAll(async () => {
    const env = { IGGY_SYSTEM_TOPIC_MESSAGE_EXPIRY: `${expiryMicros / 1000n}ms` };
    ({ server, client } = await startCleaned(servers, shards, expiryMicros, env));
  });

  afterAll(async () => {
    await client.close();
    await server.stop();
  });

  async function topicWith(name: string, messageExpiryMicros: bigint, partitionsCount = 1): Promise<number> {
    const topic = await client.createTopic(streamName, { name, partitionsCount, messageExpiryMicros });
    return topic.id;
  }

  test("sealed segments go when their newest message is old enough; never and a longer age keep theirs", async () => {
    const shortId = await topicWith("short", expiryMicros, 2);
    await topicWith("by default", 0n);
    await topicWith("long", anHourMicros);
    await topicWith("never", never);
    for (const partitionId of [0, 1]) await send(client, { topic: "short", partitionId }, 7);
    for (const topic of ["by default", "long", "never"]) await send(client, { topic, partitionId: 0 }, 7);
    // Polling does not apply the expiry: a segment of two messages is there as a whole or not at all.
    const seen = await readable(client, { topic: "short", partitionId: 0 });
    expect([0, 2, 4, 6]).toContain(seen[0]!);

    for (const partitionId of [0, 1]) await startsWith(client, { topic: "short", partitionId }, 6);
    await startsWith(client, { topic: "by default", partitionId: 0 }, 6);
    await cleanerPassed(client);
    expect(await readable(client, { topic: "long", partitionId: 0 })).toEqual(range(0, 7));
    expect(await readable(client, { topic: "never", partitionId: 0 })).toEqual(range(0, 7));
    for (const partitionId of [0, 1]) {
      expect(await readable(client, { topic: "short", partitionId })).toEqual([6]);
      expect(segmentStarts(partitionPath(server, shortId, partitionId))).toEqual([6]);
    }
    await checkCounters(client, server);
  });

  test("the active segment stays, however old; the next message seals it, and then it goes", async () => {
    const address = { topic: "active", partitionId: 0 };
    const topicId = await topicWith("active", expiryMicros);
    await send(client, address, 1);
    await cleanerPassed(client);
    const [only] = await poll(client, address);
    expect(BigInt(Date.now()) * 1000n - only!.timestampMicros).toBeGreaterThan(expiryMicros);
    expect(only!.offset).toBe(0n);
    await send(client, address, 1); // goes into the full segment, which is sealed by it
    await cleanerPassed(client);
    expect(segmentStarts(partitionPath(server, topicId, 0))).toEqual([2]);
    expect(await client.getTopic(streamName, "active")).toMatchObject({ messagesCount: 0n, sizeBytes: 0n });
    expect(await poll(client, address)).toEqual([]);
    await send(client, address, 1);
    expect(await readable(client, address)).toEqual([2]);
  });

  test("offsets go on, and a consumer that was behind jumps to the first message that is left", async () => {
    const address = { topic: "jump", partitionId: 0 };
    const late: Consumer = { kind: "consumer", id: nameId("late") };
    await topicWith("jump", expiryMicros);
    await send(client, address, 5);
    await startsWith(client, address, 4);
    await client.updateTopic(streamName, "jump", { name: "jump", messageExpiryMicros: never });
    await storeOffset(client, address, 1n, late); // behind what is left: allowed
    await send(client, address, 1);
    const offsetsOf = async (strategy: NonNullable<Parameters<typeof poll>[2]>) =>
      (await poll(client, address, strategy, late)).map(({ offset }) => Number(offset));
    expect(await offsetsOf({ kind: "offset", value: 0n })).toEqual([4, 5]);
    expect(await offsetsOf({ kind: "next" })).toEqual([4, 5]);
    expect(await offsetsOf({ kind: "last" })).toEqual([4, 5]);
    expect(await offsetsOf({ kind: "timestamp", value: 0n })).toEqual([4, 5]);
    expect(await offsetsOf({ kind: "offset", value: 6n })).toEqual([]);
    expect(await client.getConsumerOffset({ consumer: late, stream: streamName, ...address })).toEqual({
      partitionId: 0,
      currentOffset: 5n,
      storedOffset: 1n,
    });
    await client.deleteConsumerOffset({ consumer: late, stream: streamName, ...address });
  });

  test("a stored offset keeps what is not read: it holds back until it moves or is deleted, of consumers and groups", async () => {
    const address = { topic: "barrier", partitionId: 0 };
    const consumer: Consumer = { kind: "consumer", id: nameId("slow") };
    const group: Consumer = { kind: "group", id: nameId("workers") };
    const topicId = await topicWith("barrier", never);
    await client.createConsumerGroup(streamName, "barrier", "workers");
    await client.joinConsumerGroup(streamName, "barrier", "workers");
    await send(client, address, 11);
    await storeOffset(client, address, 2n, consumer);
    await storeOffset(client, address, 5n, group);
    await client.updateTopic(streamName, "barrier", { name: "barrier", messageExpiryMicros: expiryMicros });
    const starts = async () => {
      await cleanerPassed(client);
      return segmentStarts(partitionPath(server, topicId, 0));
    };
    expect(await starts()).toEqual([2, 4, 6, 8, 10]); // the segment of 2 and 3 is read by half
    await storeOffset(client, address, 3n, consumer);
    expect(await starts()).toEqual([4, 6, 8, 10]);
    await client.deleteConsumerOffset({ consumer, stream: streamName, ...address });
    expect(await starts()).toEqual([6, 8, 10]); // the group has read up to 5
    await server.logged("segment kept, a consumer has not read it");
    await client.deleteConsumerGroup(streamName, "barrier", "workers");
    expect(await starts()).toEqual([10]);
    expect(await client.getTopic(streamName, "barrier")).toMatchObject({ messagesCount: 1n, sizeBytes: 1000n });
  });

  test("after a restart everything counts as before, and the cleaner goes on where it was", async () => {
    const address = { topic: "restart", partitionId: 0 };
    const topicId = await topicWith("restart", expiryMicros, 2);
    await send(client, address, 9);
    await startsWith(client, address, 8);
    await cleanerPassed(client);
    await client.updateTopic(streamName, "never", { name: "never", messageExpiryMicros: 0n });
    await startsWith(client, { topic: "never", partitionId: 0 }, 6);
    const before = await checkCounters(client, server);
    await client.close();
    await server.restart({ env: { IGGY_SYSTEM_TOPIC_MESSAGE_EXPIRY: "1 h" } });
    client = await server.connect();
    // The server's default was resolved once: it does not change for topics that are there (spec SB 13, trap 12).
    for (const topic of ["by default", "never"]) {
      expect((await client.getTopic(streamName, topic))!.messageExpiryMicros).toBe(expiryMicros);
    }
    expect(await checkCounters(client, server)).toEqual(before);
    expect(await readable(client, address)).toEqual([8]);
    await send(client, address, 2); // the second finds the segment full, and seals it
    expect(segmentStarts(partitionPath(server, topicId, 0))).toContain(10);
    await startsWith(client, address, 10);
  });
});

test("nothing goes while the cleaner is off", async () => {
  const server = await servers.start({
    env: { ...cleanedOften, IGGY_DATA_MAINTENANCE_MESSAGES_CLEANER_ENABLED: "false" },
  });
  const client = await server.connect();
  await client.createStream(streamName);
  await client.createTopic(streamName, { name: "kept", partitionsCount: 1, messageExpiryMicros: 1n });
  await send(client, { topic: "kept", partitionId: 0 }, 7);
  await Bun.sleep(200); // ten intervals of the cleaner
  expect(await readable(client, { topic: "kept", partitionId: 0 })).toEqual(range(0, 7));
  await client.close();
  await server.stop();
});
