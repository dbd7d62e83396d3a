// One topic per question: messages of known sizes, what the disk holds of them, and what every counter says about them.
import { expect } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../../src/client/index.ts";
import type { Consumer } from "../../src/protocol/consumer.ts";
import { numericId } from "../../src/protocol/identifier.ts";
import type { PolledMessage } from "../../src/protocol/message/poll-messages.ts";
import { MessageLayout, messageHeaderBytes } from "../../src/protocol/message-layout.ts";
import { eventually } from "../support/process-facts.ts";
import type { ServerOptions, TestServer, TestServers } from "../support/server.ts";

export const streamName = "orders";
export const never = 2n ** 64n - 1n;
export const unlimited = 2n ** 64n - 1n;
/** What a message of `send` takes on the disk. */
export const messageBytes = 1000;
export const reader: Consumer = { kind: "consumer", id: numericId(1) };

/** The smallest segments that there are, each of two messages of `send`; the cleaner is on. */
export const cleanedOften: NonNullable<ServerOptions["env"]> = {
  IGGY_DATA_MAINTENANCE_MESSAGES_CLEANER_ENABLED: "true",
  IGGY_DATA_MAINTENANCE_MESSAGES_INTERVAL: "20ms",
  IGGY_SYSTEM_SEGMENT_SIZE: "512",
};

export interface PartitionAddress {
  /** `streamName` if not given. */
  readonly stream?: string;
  readonly topic: string;
  readonly partitionId: number;
}

/** Sends messages one by one, each written before the next: where segments end follows from that (spec SB 3.6). */
export async function send(
  client: Client,
  { stream = streamName, topic, partitionId }: PartitionAddress,
  count: number,
): Promise<void> {
  const messages = [{ payload: new Uint8Array(messageBytes - messageHeaderBytes) }];
  const partitioning = { kind: "partition", partitionId } as const;
  for (let left = count; left > 0; left--) {
    await client.sendMessages({ stream, topic, partitioning, messages });
  }
}

export async function poll(
  client: Client,
  { stream = streamName, topic, partitionId }: PartitionAddress,
  strategy: { readonly kind: "offset" | "timestamp" | "first" | "last" | "next"; readonly value?: bigint } = {
    kind: "first",
  },
  consumer = reader,
): Promise<readonly PolledMessage[]> {
  const request = { consumer, stream, topic, partitionId, count: 1000 };
  const { messages } = await client.pollMessages({ ...request, strategy: { value: 0n, ...strategy } });
  return messages;
}

/** Numbers of the messages that a poll from the first one gives. */
export async function readable(client: Client, address: PartitionAddress): Promise<number[]> {
  return (await poll(client, address)).map(({ offset }) => Number(offset));
}

export function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

export function storeOffset(
  client: Client,
  { stream = streamName, topic, partitionId }: PartitionAddress,
  offset: bigint,
  consumer = reader,
): Promise<void> {
  return client.storeConsumerOffset({ consumer, stream, topic, partitionId, offset });
}

/** Waits until the partition starts with the message `firstOffset`. */
export async function startsWith(client: Client, address: PartitionAddress, firstOffset: number): Promise<void> {
  const what = `${address.topic}/${address.partitionId} starts with ${firstOffset}`;
  await eventually(
    what,
    async () => (await readable(client, address))[0],
    (first) => first === firstOffset,
  );
}

/** Made after the topics of `streamName`, so that a pass of the cleaner comes to it after them. */
const canaryStream = "canary";

/** For `cleanerPassed`: with the expiry of the topics in question. */
async function createCanary(client: Client, messageExpiryMicros: bigint, shards: number): Promise<void> {
  await client.createStream(canaryStream);
  await client.createTopic(canaryStream, { name: "canary", partitionsCount: shards, messageExpiryMicros });
}

/** A server whose cleaner comes often, with an empty stream and the canary. */
export async function startCleaned(
  servers: TestServers,
  shards: number,
  messageExpiryMicros: bigint,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly server: TestServer; readonly client: Client }> {
  const server = await servers.start({ shards, env: { ...cleanedOften, ...env } });
  const client = await server.connect();
  await client.createStream(streamName);
  await createCanary(client, messageExpiryMicros, shards);
  return { server, client };
}

/**
 * Waits until the cleaner of every shard has passed over everything that is old enough now: until all that is sent now to
 * the canary, which is younger and comes last, is removed.
 */
export async function cleanerPassed(client: Client): Promise<void> {
  const topic = await client.getTopic(canaryStream, "canary");
  if (topic === undefined) throw new Error("there is no canary");
  const addressOf = (partitionId: number) => ({ stream: canaryStream, topic: "canary", partitionId });
  // Four messages seal two segments, and nothing is left behind them.
  for (const { id } of topic.partitions) await send(client, addressOf(id), 4);
  for (const { id } of topic.partitions) {
    await eventually(
      `the cleaner passes over partition ${id} of the canary`,
      () => readable(client, addressOf(id)),
      (offsets) => offsets.length === 0,
    );
  }
}

export function partitionPath(server: TestServer, topicId: number, partitionId: number, streamId = 0): string {
  return join(server.dataPath, `streams/${streamId}/topics/${topicId}/partitions/${partitionId}`);
}

/** Start offset of each segment on the disk, ascending; fails where a log has no index, or an index no log. */
export function segmentStarts(directory: string): number[] {
  if (!existsSync(directory)) return [];
  const startsOf = (extension: string) =>
    readdirSync(directory)
      .filter((name) => name.endsWith(extension))
      .map((name) => {
        expect(name).toMatch(/^\d{20}\./);
        return Number(name.slice(0, 20));
      })
      .toSorted((left, right) => left - right);
  const starts = startsOf(".log");
  expect(startsOf(".index")).toEqual(starts);
  return starts;
}

export interface SegmentOnDisk {
  readonly startOffset: number;
  readonly sizeBytes: number;
  readonly messagesCount: number;
}

/** What the logs of a partition hold, by the lengths in the messages themselves. */
export function segmentsOnDisk(directory: string): SegmentOnDisk[] {
  return segmentStarts(directory).map((startOffset) => {
    const bytes = readFileSync(join(directory, `${String(startOffset).padStart(20, "0")}.log`));
    let messagesCount = 0;
    for (let position = 0; position < bytes.byteLength; messagesCount++) {
      expect(Number(bytes.readBigUInt64LE(position + MessageLayout.offset))).toBe(startOffset + messagesCount);
      const userHeadersBytes = bytes.readUInt32LE(position + MessageLayout.userHeadersLength);
      position += messageHeaderBytes + bytes.readUInt32LE(position + MessageLayout.payloadLength) + userHeadersBytes;
    }
    return { startOffset, sizeBytes: bytes.byteLength, messagesCount };
  });
}

export interface Totals {
  readonly messagesCount: number;
  readonly sizeBytes: number;
  readonly segmentsCount: number;
}

function sumOf(totals: readonly Totals[]): Totals {
  const sum = { messagesCount: 0, sizeBytes: 0, segmentsCount: 0 };
  for (const { messagesCount, sizeBytes, segmentsCount } of totals) {
    sum.messagesCount += messagesCount;
    sum.sizeBytes += sizeBytes;
    sum.segmentsCount += segmentsCount;
  }
  return sum;
}

/**
 * Checks that partitions, topics, streams and statistics agree with each other and with the files, and that the list of
 * topics and streams says what their details say; returns the statistics. Nothing may change meanwhile.
 */
export async function checkCounters(client: Client, server: TestServer): Promise<Totals> {
  const streamTotals: Totals[] = [];
  for (const { topicsCount: _, ...header } of await client.getStreams()) {
    const stream = await client.getStream(header.id);
    expect(stream).toMatchObject(header);
    expect(await client.getTopics(header.id)).toEqual(stream!.topics);
    const topicTotals: Totals[] = [];
    for (const topicHeader of stream!.topics) {
      const topic = await client.getTopic(header.id, topicHeader.id);
      expect(topic).toMatchObject(topicHeader);
      const partitionTotals = topic!.partitions.map((partition) => {
        const segments = segmentsOnDisk(partitionPath(server, topic!.id, partition.id, header.id));
        const counted = {
          messagesCount: Number(partition.messagesCount),
          sizeBytes: Number(partition.sizeBytes),
          segmentsCount: partition.segmentsCount,
        };
        const onDisk = sumOf(segments.map((segment) => ({ ...segment, segmentsCount: 1 })));
        // A partition that was never written has a segment, but no file yet.
        expect(counted).toEqual({ ...onDisk, segmentsCount: Math.max(1, onDisk.segmentsCount) });
        const last = segments.at(-1);
        const end = last === undefined ? 0 : last.startOffset + last.messagesCount;
        expect(Number(partition.currentOffset)).toBe(Math.max(0, end - 1));
        return counted;
      });
      const topicTotal = sumOf(partitionTotals);
      expect([Number(topic!.messagesCount), Number(topic!.sizeBytes)]).toEqual([
        topicTotal.messagesCount,
        topicTotal.sizeBytes,
      ]);
      topicTotals.push(topicTotal);
    }
    const streamTotal = sumOf(topicTotals);
    expect([Number(stream!.messagesCount), Number(stream!.sizeBytes)]).toEqual([
      streamTotal.messagesCount,
      streamTotal.sizeBytes,
    ]);
    streamTotals.push(streamTotal);
  }
  const total = sumOf(streamTotals);
  const { messagesCount, messagesSizeBytes, segmentsCount } = await client.getStats();
  expect({ messagesCount: Number(messagesCount), sizeBytes: Number(messagesSizeBytes), segmentsCount }).toEqual(total);
  return total;
}
