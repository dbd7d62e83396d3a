// Streams, topics and partitions with the names and units of the HTTP API (spec HA 2.2 to 2.4).

import type { PartitionRecord } from "../../protocol/records/partition-record.ts";
import type { StreamDetails } from "../../protocol/records/stream-details.ts";
import type { StreamHeader } from "../../protocol/records/stream-header.ts";
import type { TopicDetails } from "../../protocol/records/topic-details.ts";
import type { TopicHeader } from "../../protocol/records/topic-header.ts";
import { sizeText } from "../../protocol/size-text.ts";

export function streamDocument(stream: StreamHeader) {
  return {
    id: stream.id,
    created_at: stream.createdAtMicros,
    name: stream.name,
    size: sizeText(stream.sizeBytes),
    messages_count: stream.messagesCount,
    topics_count: stream.topicsCount,
  };
}

export function streamDetailsDocument(stream: StreamDetails) {
  return { ...streamDocument(stream), topics: stream.topics.map(topicDocument) };
}

export function topicDocument(topic: TopicHeader) {
  return {
    id: topic.id,
    created_at: topic.createdAtMicros,
    name: topic.name,
    size: sizeText(topic.sizeBytes),
    message_expiry: topic.messageExpiryMicros,
    compression_algorithm: topic.compression,
    max_topic_size: topic.maxTopicSizeBytes,
    replication_factor: topic.replicationFactor,
    messages_count: topic.messagesCount,
    partitions_count: topic.partitionsCount,
  };
}

export function topicDetailsDocument(topic: TopicDetails) {
  return { ...topicDocument(topic), partitions: topic.partitions.map(partitionDocument) };
}

function partitionDocument(partition: PartitionRecord) {
  return {
    id: partition.id,
    created_at: partition.createdAtMicros,
    segments_count: partition.segmentsCount,
    current_offset: partition.currentOffset,
    size: sizeText(partition.sizeBytes),
    messages_count: partition.messagesCount,
  };
}
