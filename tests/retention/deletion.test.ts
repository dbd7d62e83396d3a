// What is deleted by command: segments, all messages, partitions, topics, streams (spec SB 5.2 to 5.4; the suites
// purge_delete_scenario and stream_size_validation_scenario of spec SB 15). Segments of 5 KiB take seven messages each.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../../src/client/index.ts";
import type { Consumer } from "../../src/protocol/consumer.ts";
import { nameId, numericId } from "../../src/protocol/identifier.ts";
import { xxHash32 } from "../../src/protocol/xxhash32.ts";
import { eventually } from "../support/process-facts.ts";
import { type TestServer, useServers } from "../support/server.ts";
import {
  checkCounters,
  partitionPath,
  poll,
  range,
  readable,
  reader,
  type SegmentOnDisk,
  segmentStarts,
  segmentsOnDisk,
  send,
  storeOffset,
  streamName,
} from "./support.ts";

const servers = useServers();
setDefaultTimeout(300_000);

describe.each([2])("with %d shards", (shards) => {
  let server: TestServer;
  let client: Client;

  beforeAll(async () => {
    server = await servers.start({ shards, env: { IGGY_SYSTEM_SEGMENT_SIZE: "5 KiB" } });
    client = await server.connect();
    await client.createStream(streamName);
  });

  afterAll(async () => {
    await client.close();
    await server.stop();
  });

  async function restart({ isKilled = false } = {}): Promise<void> {
    if (isKilled) await server.kill();
    await client.close();
    await server.restart();
    client = await server.connect();
  }

  async function createTopic(topic: string, partitionsCount = 1) {
    const { id } = await client.createTopic(streamName, { name: topic, partitionsCount });
    const address = { topic, partitionId: 0 };
    return { topicId: id, address, directory: partitionPath(server, id, 0) };
  }

  test("segments end at exact borders, and the oldest are deleted, as many as asked for", async () => {
    const { address, directory } = await createTopic("borders");
    await send(client, address, 25);
    const segment = (startOffset: number, messagesCount: number): SegmentOnDisk => {
      return { startOffset, messagesCount, sizeBytes: messagesCount * 1000 };
    };
    const all = [segment(0, 7), segment(7, 7), segment(14, 7), segment(21, 4)];
    expect(segmentsOnDisk(directory)).toEqual(all);

    await client.deleteSegments(streamName, "borders", 0, 0);
    expect(segmentsOnDisk(directory)).toEqual(all);
    await client.deleteSegments(streamName, "borders", 0, 1);
    expect(segmentsOnDisk(directory)).toEqual(all.slice(1));
    expect(await readable(client, address)).toEqual(range(7, 25));
    await checkCounters(client, server);

    await restart();
    expect(segmentsOnDisk(directory)).toEqual(all.slice(1));
    expect(await readable(client, address)).toEqual(range(7, 25));
    await checkCounters(client, server);

    await client.deleteSegments(streamName, "borders", 0, 1000); // more than there are; the active one stays
    expect(segmentsOnDisk(directory)).toEqual(all.slice(3));
    await client.deleteSegments(streamName, "borders", 0, 1);
    expect(segmentsOnDisk(directory)).toEqual(all.slice(3));
    expect(await checkCounters(client, server)).toEqual({ messagesCount: 4, sizeBytes: 4000, segmentsCount: 1 });
    await send(client, address, 1);
    expect((await poll(client, address, { kind: "last", value: 0n })).at(-1)!.offset).toBe(25n);
    await client.deleteTopic(streamName, "borders");
  });

  test("a segment that a consumer or a group has not read to its end stays, and so does all behind it", async () => {
    const { address, directory, topicId } = await createTopic("barrier", 2);
    const slow: Consumer = { kind: "consumer", id: nameId("slow") };
    const group: Consumer = { kind: "group", id: numericId(0) };
    await client.createConsumerGroup(streamName, "barrier", "workers");
    await client.joinConsumerGroup(streamName, "barrier", "workers");
    await send(client, address, 25);
    await send(client, { ...address, partitionId: 1 }, 25);
    await storeOffset(client, address, 5n);
    await storeOffset(client, address, 24n, slow);
    await storeOffset(client, address, 13n, group);
    const deleteAll = () => client.deleteSegments(streamName, "barrier", 0, 10);

    await deleteAll();
    expect(segmentStarts(directory)).toEqual([0, 7, 14, 21]);
    await storeOffset(client, address, 6n); // the last one of the first segment
    await deleteAll();
    expect(segmentStarts(directory)).toEqual([7, 14, 21]);
    await storeOffset(client, address, 24n); // now the group is last
    await deleteAll();
    expect(segmentStarts(directory)).toEqual([14, 21]);
    await server.logged("segment kept, a consumer has not read it");
    await client.deleteConsumerGroup(streamName, "barrier", "workers");
    await storeOffset(client, address, 0n); // may go backwards, also behind what is left
    await deleteAll();
    expect(segmentStarts(directory)).toEqual([14, 21]);
    await client.deleteConsumerOffset({ consumer: reader, stream: streamName, ...address });
    await deleteAll();
    expect(segmentStarts(directory)).toEqual([21]);
    // Offsets of one partition say nothing about the next.
    expect(segmentStarts(partitionPath(server, topicId, 1))).toEqual([0, 7, 14, 21]);
    await checkCounters(client, server);
    await client.deleteTopic(streamName, "barrier");
  });

  test("segments of what does not exist: 1009, 2010, 3007", async () => {
    await createTopic("exists");
    const errorOf = async (stream: string, topic: string, partitionId: number): Promise<unknown> => {
      const error: unknown = await client.deleteSegments(stream, topic, partitionId, 1).catch((thrown) => thrown);
      return error instanceof Error && "code" in error ? error.code : error;
    };
    expect(await errorOf("nowhere", "exists", 0)).toBe(1009);
    expect(await errorOf(streamName, "nothing", 0)).toBe(2010);
    expect(await errorOf(streamName, "exists", 1)).toBe(3007);
    await client.deleteTopic(streamName, "exists");
  });

  test("a purge leaves one empty segment, clears offsets, keeps groups and members, and counts from 0", async () => {
    const { address, directory, topicId } = await createTopic("purged", 2);
    const other = await createTopic("other");
    await client.createConsumerGroup(streamName, "purged", "workers");
    await client.joinConsumerGroup(streamName, "purged", "workers");
    const named: Consumer = { kind: "consumer", id: nameId("named") };
    const group: Consumer = { kind: "group", id: nameId("workers") };
    for (const partitionId of [0, 1]) await send(client, { ...address, partitionId }, 10);
    await send(client, other.address, 3);
    for (const consumer of [reader, named, group]) await storeOffset(client, address, 4n, consumer);
    expect(readdirSync(join(directory, "offsets/consumers")).toSorted()).toEqual(
      ["1", String(xxHash32(new TextEncoder().encode("named")))].toSorted(),
    );
    expect(readdirSync(join(directory, "offsets/groups"))).toEqual(["0"]);
    const before = await checkCounters(client, server);
    expect(before).toEqual({ messagesCount: 23, sizeBytes: 23_000, segmentsCount: 5 });

    await client.purgeTopic(streamName, "purged");
    const isPurged = async () => {
      for (const partitionId of [0, 1]) {
        const path = partitionPath(server, topicId, partitionId);
        expect(segmentsOnDisk(path).filter(({ sizeBytes }) => sizeBytes > 0)).toEqual([]);
        expect(await readable(client, { ...address, partitionId })).toEqual([]);
        for (const consumer of [reader, named, group]) {
          const offset = await client.getConsumerOffset({ consumer, stream: streamName, topic: "purged", partitionId });
          expect(offset).toBeUndefined();
        }
        for (const kind of ["consumers", "groups"]) {
          const offsets = join(path, "offsets", kind);
          expect(existsSync(offsets) ? readdirSync(offsets) : []).toEqual([]);
        }
      }
      expect(await checkCounters(client, server)).toEqual({ messagesCount: 3, sizeBytes: 3000, segmentsCount: 3 });
    };
    await isPurged();
    await restart({ isKilled: true });
    await isPurged();
    await client.joinConsumerGroup(streamName, "purged", "workers");
    await client.purgeTopic(streamName, "purged");
    expect((await client.getConsumerGroup(streamName, "purged", "workers"))!.membersCount).toBe(1);
    await restart();
    await isPurged();
    await expect(storeOffset(client, address, 0n)).rejects.toMatchObject({ code: 4100 }); // empty again
    await send(client, address, 2);
    expect(await readable(client, address)).toEqual([0, 1]);

    await client.purgeStream(streamName);
    expect(await checkCounters(client, server)).toEqual({ messagesCount: 0, sizeBytes: 0, segmentsCount: 3 });
    await send(client, other.address, 1);
    expect(await readable(client, other.address)).toEqual([0]);
    await client.deleteTopic(streamName, "purged");
    await client.deleteTopic(streamName, "other");
  });

  test("partitions, topics and streams go with their directories, and with their share of every counter", async () => {
    const kept = await createTopic("kept", 4);
    const gone = await createTopic("gone", 2);
    await client.createStream("second");
    const second = await client.createTopic("second", { name: "t", partitionsCount: 2 });
    for (const partitionId of range(0, 4)) await send(client, { ...kept.address, partitionId }, partitionId + 1);
    for (const partitionId of [0, 1]) {
      await send(client, { ...gone.address, partitionId }, 8);
      await send(client, { stream: "second", topic: "t", partitionId }, 8);
    }
    await storeOffset(client, gone.address, 1n);
    const topics = join(server.dataPath, "streams/0/topics");
    expect((await checkCounters(client, server)).messagesCount).toBe(42);

    await client.deletePartitions(streamName, "kept", 3); // from the highest id down
    expect(readdirSync(join(topics, String(kept.topicId), "partitions"))).toEqual(["0"]);
    expect(await checkCounters(client, server)).toMatchObject({ messagesCount: 33, sizeBytes: 33_000 });
    await client.createPartitions(streamName, "kept", 1);
    expect(await readable(client, { topic: "kept", partitionId: 1 })).toEqual([]);
    await send(client, { topic: "kept", partitionId: 1 }, 1);
    expect(await readable(client, { topic: "kept", partitionId: 1 })).toEqual([0]);

    await client.deleteTopic(streamName, "gone");
    expect(readdirSync(topics)).not.toContain(String(gone.topicId));
    expect(await checkCounters(client, server)).toMatchObject({ messagesCount: 18, sizeBytes: 18_000 });
    await client.deleteStream("second");
    const streams = join(server.dataPath, "streams");
    expect(readdirSync(streams).filter((name) => name !== ".removed")).toEqual(["0"]);
    await eventually(
      "what was removed is gone",
      async () => readdirSync(join(streams, ".removed")),
      (names) => names.length === 0,
    );
    expect(second.partitions).toHaveLength(2);
    const left = await checkCounters(client, server);
    expect(left).toMatchObject({ messagesCount: 2, sizeBytes: 2000 });

    await restart();
    expect(await checkCounters(client, server)).toEqual(left);
    // The ids are used again, and nothing of what had them comes back.
    expect((await createTopic("again")).topicId).toBe(gone.topicId);
    expect(await readable(client, { topic: "again", partitionId: 0 })).toEqual([]);
    const offset = await client.getConsumerOffset({ consumer: reader, stream: streamName, topic: "again" });
    expect(offset).toBeUndefined();
  });
});
