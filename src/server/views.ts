// Records of replies, made from this shard's copy of the metadata and the shared counters.
import { entriesById, type Stream, shownOptions, type Topic, type TopicOptionDefaults } from "../metadata/index.ts";
import type { PartitionRecord } from "../protocol/records/partition-record.ts";
import type { StreamHeader } from "../protocol/records/stream-header.ts";
import { type Counters, partitionKeyOf, type Shard } from "../shard/index.ts";
import type { ShownStreamDetails, ShownTopicDetails, ShownTopicHeader } from "./command-values.ts";

export interface Totals {
  segmentsCount: number;
  sizeBytes: number;
  messagesCount: number;
}

/** Sums over every partition of a topic. */
export function topicTotals(counters: Counters, streamId: number, topic: Topic): Totals {
  const totals: Totals = { segmentsCount: 0, sizeBytes: 0, messagesCount: 0 };
  for (let partitionId = 0; partitionId < topic.partitions.length; partitionId++) {
    addTo(totals, counters.partition(partitionKeyOf(streamId, topic.id, partitionId)));
  }
  return totals;
}

export function streamTotals(counters: Counters, stream: Stream): Totals {
  const totals: Totals = { segmentsCount: 0, sizeBytes: 0, messagesCount: 0 };
  for (const topic of stream.topics.byId.values()) addTo(totals, topicTotals(counters, stream.id, topic));
  return totals;
}

/** Sums over everything, and how much there is. */
export function allTotals({ state, counters }: Shard): Totals & {
  readonly topicsCount: number;
  readonly partitionsCount: number;
  readonly consumerGroupsCount: number;
} {
  const totals: Totals = { segmentsCount: 0, sizeBytes: 0, messagesCount: 0 };
  let topicsCount = 0;
  let partitionsCount = 0;
  let consumerGroupsCount = 0;
  for (const stream of state.streams.byId.values()) {
    addTo(totals, streamTotals(counters, stream));
    topicsCount += stream.topics.byId.size;
    for (const topic of stream.topics.byId.values()) {
      partitionsCount += topic.partitions.length;
      consumerGroupsCount += topic.groups.byId.size;
    }
  }
  return { ...totals, topicsCount, partitionsCount, consumerGroupsCount };
}

function addTo(totals: Totals, more: Totals): void {
  totals.segmentsCount += more.segmentsCount;
  totals.sizeBytes += more.sizeBytes;
  totals.messagesCount += more.messagesCount;
}

export function streamHeader(counters: Counters, stream: Stream): StreamHeader {
  const totals = streamTotals(counters, stream);
  return {
    id: stream.id,
    createdAtMicros: BigInt(stream.createdAtMicros),
    topicsCount: stream.topics.byId.size,
    sizeBytes: BigInt(totals.sizeBytes),
    messagesCount: BigInt(totals.messagesCount),
    name: stream.name,
  };
}

export function streamDetails(counters: Counters, stream: Stream, defaults: TopicOptionDefaults): ShownStreamDetails {
  const topics = entriesById(stream.topics).map((topic) => topicHeader(counters, stream.id, topic, defaults));
  return { ...streamHeader(counters, stream), topics };
}

export function topicHeader(
  counters: Counters,
  streamId: number,
  topic: Topic,
  defaults: TopicOptionDefaults,
): ShownTopicHeader {
  const totals = topicTotals(counters, streamId, topic);
  return {
    id: topic.id,
    createdAtMicros: BigInt(topic.createdAtMicros),
    partitionsCount: topic.partitions.length,
    messageExpiryMicros: topic.messageExpiryMicros,
    compression: topic.compression === 2 ? "gzip" : "none",
    maxTopicSizeBytes: topic.maxTopicSizeBytes,
    replicationFactor: topic.replicationFactor,
    sizeBytes: BigInt(totals.sizeBytes),
    messagesCount: BigInt(totals.messagesCount),
    name: topic.name,
    options: shownOptions(topic, defaults),
  };
}

export function topicDetails(
  counters: Counters,
  streamId: number,
  topic: Topic,
  defaults: TopicOptionDefaults,
): ShownTopicDetails {
  const partitions = topic.partitions.map(({ createdAtMicros }, id): PartitionRecord => {
    const partition = counters.partition(partitionKeyOf(streamId, topic.id, id));
    return {
      id,
      createdAtMicros: BigInt(createdAtMicros),
      segmentsCount: partition.segmentsCount,
      currentOffset: BigInt(partition.currentOffset),
      sizeBytes: BigInt(partition.sizeBytes),
      messagesCount: BigInt(partition.messagesCount),
    };
  });
  return { ...topicHeader(counters, streamId, topic, defaults), partitions };
}
