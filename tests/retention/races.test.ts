// Everything that removes messages at once with everything that adds and reads them, over the smallest segments.
import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../../src/client/index.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { checkCounters, cleanedOften, range, reader, send, streamName, unlimited } from "./support.ts";

const servers = useServers();
setDefaultTimeout(300_000);

function errorsIn(log: string): string[] {
  return log.split("\n").filter((line) => line.includes(" ERROR "));
}

test.each([
  "memory",
  "sync",
])("readers get whole, ascending offsets, no request fails, and counters agree (acknowledge = %s)", async (acknowledge) => {
  const server = await servers.start({
    shards: 2,
    env: {
      ...cleanedOften,
      IGGY_DATA_MAINTENANCE_MESSAGES_INTERVAL: "1ms",
      IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: acknowledge,
      IGGY_SYSTEM_PARTITION_MESSAGES_REQUIRED_TO_SAVE: "3",
    },
  });
  const client = await server.connect();
  const others = await Promise.all(range(0, 6).map(() => server.connect()));
  await client.createStream(streamName);
  const limited = { partitionsCount: 3, maxTopicSizeBytes: 10_000n };
  await client.createTopic(streamName, { name: "limited", ...limited, messageExpiryMicros: 20_000n });
  await client.createTopic(streamName, { name: "unlimited", partitionsCount: 1, maxTopicSizeBytes: unlimited });
  await client.createTopic(streamName, { name: "purged", ...limited });
  let isProducing = true;

  const follow = async (own: Client, topic: string, partitionId: number): Promise<number> => {
    let nextOffset = 0;
    let count = 0;
    for (let isLast = false; !isLast; ) {
      isLast = !isProducing;
      const strategy = { kind: "offset", value: BigInt(nextOffset) } as const;
      const request = { consumer: reader, stream: streamName, topic, partitionId, strategy, count: 20 };
      const { messages } = await own.pollMessages(request);
      const offsets = messages.map(({ offset }) => Number(offset));
      const first = offsets[0] ?? nextOffset;
      expect(first).toBeGreaterThanOrEqual(nextOffset);
      expect(offsets).toEqual(range(first, first + offsets.length));
      nextOffset = first + offsets.length;
      count += offsets.length;
    }
    return count;
  };
  const whileProducing = async (work: () => Promise<void>): Promise<void> => {
    while (isProducing) await work();
  };
  const produce = async (): Promise<void> => {
    for (const index of range(0, 60)) {
      for (const topic of ["limited", "purged"]) await send(client, { topic, partitionId: index % 3 }, 1);
      await send(client, { topic: "unlimited", partitionId: 0 }, 1);
    }
    isProducing = false;
  };
  const temporary = async (own: Client): Promise<void> => {
    await own.createTopic(streamName, { name: "temporary", ...limited });
    for (const partitionId of [0, 1, 2]) await send(own, { topic: "temporary", partitionId }, 8);
    await own.deletePartitions(streamName, "temporary", 1);
    await own.deleteTopic(streamName, "temporary");
  };
  const [, seen] = await Promise.all([
    produce(),
    follow(others[0]!, "limited", 0),
    follow(others[1]!, "unlimited", 0),
    whileProducing(() => others[2]!.deleteSegments(streamName, "unlimited", 0, 1)),
    whileProducing(() => others[3]!.purgeTopic(streamName, "purged")),
    whileProducing(() => temporary(others[4]!)),
    whileProducing(async () => void (await others[5]!.getStats())),
  ]);
  expect(seen).toBeGreaterThan(0);
  expect(errorsIn(server.log)).toEqual([]);
  await client.deleteTopic(streamName, "limited");
  await eventually(
    "the cleaner has nothing more to remove",
    async () => (await client.getTopic(streamName, "purged"))!.sizeBytes,
    (sizeBytes) => sizeBytes < 9000n,
  );
  for (const topic of ["unlimited", "purged"]) {
    for (const { id } of (await client.getTopic(streamName, topic))!.partitions) {
      await client.flushUnsavedBuffer(streamName, topic, id, false);
    }
  }
  const totals = await checkCounters(client, server);
  for (const own of [client, ...others]) await own.close();
  await server.restart();
  const after = await server.connect();
  expect(await checkCounters(after, server)).toEqual(totals);
  await expect(after.getTopic(streamName, "temporary")).resolves.toBeUndefined();
  await after.close();
  await server.stop();
});

test.each([
  "write",
  "sync",
])("a purge that meets a deletion brings nothing back (acknowledge = %s)", async (acknowledge) => {
  const env = { IGGY_SYSTEM_SEGMENT_SIZE: "512", IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: acknowledge };
  const server = await servers.start({ shards: 2, env });
  const [client, other] = [await server.connect(), await server.connect()];
  await client.createStream(streamName);
  for (let round = 0; round < 15; round++) {
    const { id } = await client.createTopic(streamName, { name: "met", partitionsCount: 3 });
    // Segments are being sealed: a purge has to wait for their syncs.
    await Promise.all(range(0, 6).map((index) => send(client, { topic: "met", partitionId: index % 3 }, 4)));
    const purge = client.purgeTopic(streamName, "met").catch((error: unknown) => error);
    await other.deleteTopic(streamName, "met");
    const refusal = await purge;
    if (refusal !== undefined) expect(refusal).toMatchObject({ errorName: "TopicIdNotFound" });
    expect(id).toBe(0);
    expect(readdirSync(join(server.dataPath, "streams/0/topics"))).toEqual([]);
    expect(await checkCounters(client, server)).toEqual({ messagesCount: 0, sizeBytes: 0, segmentsCount: 0 });
  }
  expect(errorsIn(server.log)).toEqual([]);
  await client.close();
  await other.close();
  await server.stop();
});
