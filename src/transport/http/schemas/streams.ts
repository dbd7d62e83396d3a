// Streams, topics and partitions as JSON (spec HA 2.2 to 2.4).
import { Type as t } from "@sinclair/typebox";
import type { PartitionRecord } from "../../../protocol/records/partition-record.ts";
import type { StreamHeader } from "../../../protocol/records/stream-header.ts";
import { sizeText } from "../../../protocol/size-text.ts";
import type {
  SegmentHolderView,
  ShownStreamDetails,
  ShownTopicDetails,
  ShownTopicHeader,
} from "../../../server/index.ts";
import { jsonInteger } from "../json/values.ts";
import { nullable, object, oneOfTexts, optional, sizeString, timestamp, u8, u32, u32Text, u64 } from "./kinds.ts";
import { givenOptions, shownOptionsJson, shownOptionsSchema } from "./options.ts";

const compression = oneOfTexts(["none", "gzip"]);

const partition = t.Object({
  id: u32,
  created_at: timestamp,
  segments_count: u32,
  current_offset: u64,
  size: sizeString,
  messages_count: u64,
});

const topicFields = {
  id: u32,
  created_at: timestamp,
  name: t.String(),
  size: sizeString,
  message_expiry: u64,
  compression_algorithm: compression,
  max_topic_size: u64,
  replication_factor: t.Optional(u8),
  messages_count: u64,
  partitions_count: u32,
  options: t.Optional(shownOptionsSchema),
};

export const segmentHolderSchema = t.Object({
  partition_id: u32,
  kind: oneOfTexts(["consumer", "consumer_group"]),
  consumer_id: u32,
  name: t.Union([t.String(), t.Null()], {
    description: "Of a group, and of a single consumer that gave one; else it is known by its number.",
  }),
  stored_offset: u64,
  segments_count: u32,
});

const streamFields = {
  id: u32,
  created_at: timestamp,
  name: t.String(),
  size: sizeString,
  messages_count: u64,
  topics_count: u32,
  options: t.Optional(shownOptionsSchema),
};

export const topicHeaderSchema = t.Object(topicFields);
export const topicDetailsSchema = t.Object({ ...topicFields, partitions: t.Array(partition) });
export const streamHeaderSchema = t.Object(streamFields);
export const streamDetailsSchema = t.Object({ ...streamFields, topics: t.Array(topicHeaderSchema) });

export const streamParams = object({ stream_id: t.String() });
export const topicParams = object({ stream_id: t.String(), topic_id: t.String() });
export const partitionParams = object({ stream_id: t.String(), topic_id: t.String(), partition_id: u32Text });

export const nameBody = object({ name: t.String(), options: givenOptions });

const anyCaseCompression = t.String({
  pattern: "^(?:[Nn][Oo][Nn][Ee]|[Gg][Zz][Ii][Pp])$",
  description: "`none` or `gzip`, in any case.",
});

const topicBody = { name: t.String(), replication_factor: optional(u8), options: givenOptions };

export const createTopicBody = object({
  ...topicBody,
  partitions_count: u32,
  compression_algorithm: anyCaseCompression,
  message_expiry: u64,
  max_topic_size: u64,
});
/** What is null stays as it is. */
export const updateTopicBody = object({
  ...topicBody,
  compression_algorithm: nullable(anyCaseCompression),
  message_expiry: nullable(u64),
  max_topic_size: nullable(u64),
});

export const createPartitionsBody = object({ partitions_count: u32 });
export const deletePartitionsQuery = object({ partitions_count: u32Text });
export const deleteSegmentsQuery = object({ segments_count: u32Text });

/** `isOf09`: for whom they are (spec P9 12). To clients of 0.8 every answer is as ever. */
export function streamHeaderJson(stream: StreamHeader, isOf09: boolean) {
  return { ...streamFieldsJson(stream), ...noOptionsJson(isOf09) };
}

/** Streams and users have none. */
export function noOptionsJson(isOf09: boolean) {
  return isOf09 ? { options: {} } : {};
}

function streamFieldsJson(stream: StreamHeader) {
  return {
    id: stream.id,
    created_at: jsonInteger(stream.createdAtMicros),
    name: stream.name,
    size: sizeText(stream.sizeBytes),
    messages_count: jsonInteger(stream.messagesCount),
    topics_count: stream.topicsCount,
  };
}

export function streamDetailsJson(stream: ShownStreamDetails, isOf09: boolean) {
  const topics = stream.topics.map((topic) => topicHeaderJson(topic, isOf09));
  return { ...streamFieldsJson(stream), topics, ...noOptionsJson(isOf09) };
}

export function topicHeaderJson(topic: ShownTopicHeader, isOf09: boolean) {
  return { ...topicFieldsJson(topic, isOf09), ...topicOptionsJson(topic, isOf09) };
}

function topicOptionsJson({ options }: ShownTopicHeader, isOf09: boolean) {
  return isOf09 ? { options: shownOptionsJson(options) } : {};
}

function topicFieldsJson(topic: ShownTopicHeader, isOf09: boolean) {
  return {
    id: topic.id,
    created_at: jsonInteger(topic.createdAtMicros),
    name: topic.name,
    size: sizeText(topic.sizeBytes),
    message_expiry: jsonInteger(topic.messageExpiryMicros),
    compression_algorithm: topic.compression,
    max_topic_size: jsonInteger(topic.maxTopicSizeBytes),
    ...(isOf09 ? {} : { replication_factor: topic.replicationFactor }),
    messages_count: jsonInteger(topic.messagesCount),
    partitions_count: topic.partitionsCount,
  };
}

export function segmentHolderJson(holder: SegmentHolderView) {
  return {
    partition_id: holder.partitionId,
    kind: holder.kind === "group" ? "consumer_group" : "consumer",
    consumer_id: holder.consumerId,
    name: holder.groupName ?? holder.consumerName ?? null,
    stored_offset: holder.storedOffset,
    segments_count: holder.segmentsCount,
  };
}

export function topicDetailsJson(topic: ShownTopicDetails, isOf09: boolean) {
  const partitions = topic.partitions.map(partitionJson);
  return { ...topicFieldsJson(topic, isOf09), partitions, ...topicOptionsJson(topic, isOf09) };
}

function partitionJson(partition: PartitionRecord) {
  return {
    id: partition.id,
    created_at: jsonInteger(partition.createdAtMicros),
    segments_count: partition.segmentsCount,
    current_offset: jsonInteger(partition.currentOffset),
    size: sizeText(partition.sizeBytes),
    messages_count: jsonInteger(partition.messagesCount),
  };
}
