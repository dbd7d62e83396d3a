// Topics and their partitions (spec BP 4.8, SB 5).
import {
  entriesById,
  findStream,
  findTopic,
  requireCreatedPartitionsCount,
  requireDeletedPartitionsCount,
  requireTopicPartitionsCount,
  type TopicSettings,
} from "../../metadata/index.ts";
import { type Compression, CompressionCode, compressionOf } from "../../protocol/records/enumerations.ts";
import type { TopicDetails } from "../../protocol/records/topic-details.ts";
import { command } from "../command.ts";
import { topicDetails, topicHeader } from "../views.ts";

interface TopicFields {
  readonly name: string;
  readonly compressionCode: number;
  readonly messageExpiryMicros: bigint;
  readonly maxTopicSizeBytes: bigint;
  readonly replicationFactor: number;
}

function settingsOf(request: TopicFields): TopicSettings {
  const compression: Compression = compressionOf(request.compressionCode);
  return {
    name: request.name,
    compression: CompressionCode[compression],
    messageExpiryMicros: request.messageExpiryMicros,
    maxTopicSizeBytes: request.maxTopicSizeBytes,
    replicationFactor: request.replicationFactor,
  };
}

export const topicCommands = [
  command("getTopic", ({ shard }, _session, request) => {
    const stream = findStream(shard.state, request.stream);
    const topic = stream && findTopic(stream, request.topic);
    return stream && topic && topicDetails(shard.counters, stream.id, topic);
  }),

  command("getTopics", ({ shard }, _session, request) => {
    const stream = findStream(shard.state, request.stream);
    return stream && entriesById(stream.topics).map((topic) => topicHeader(shard.counters, stream.id, topic));
  }),

  command("createTopic", async ({ shard }, _session, request): Promise<TopicDetails | undefined> => {
    requireTopicPartitionsCount(request.partitionsCount); // 2015 before anything else (spec BP 4.8)
    const { stream, partitionsCount } = request;
    const settings = settingsOf(request);
    const event = await shard.control({ kind: "createTopic", request: { stream, partitionsCount, ...settings } });
    if (event.kind !== "topicCreated") return undefined;
    const createdAtMicros = BigInt(event.createdAtMicros);
    const partitions = Array.from({ length: event.partitionsCount }, (_, id) => ({
      id,
      createdAtMicros,
      segmentsCount: 0, // as the original answers, although the partitions have their first segment
      currentOffset: 0n,
      sizeBytes: 0n,
      messagesCount: 0n,
    }));
    return {
      id: event.topicId,
      createdAtMicros,
      partitionsCount: event.partitionsCount,
      messageExpiryMicros: event.messageExpiryMicros,
      compression: event.compression === CompressionCode.gzip ? "gzip" : "none",
      maxTopicSizeBytes: event.maxTopicSizeBytes,
      replicationFactor: event.replicationFactor,
      sizeBytes: 0n,
      messagesCount: 0n,
      name: event.name,
      partitions,
    };
  }),

  command("updateTopic", async ({ shard }, _session, request) => {
    const { stream, topic } = request;
    await shard.control({ kind: "updateTopic", request: { stream, topic, ...settingsOf(request) } });
    return undefined;
  }),

  command("deleteTopic", async ({ shard }, _session, request) => {
    await shard.control({ kind: "deleteTopic", request });
    return undefined;
  }),

  command("purgeTopic", async ({ shard }, _session, request) => {
    await shard.control({ kind: "purgeTopic", request });
    return undefined;
  }),

  command("createPartitions", async ({ shard }, _session, { stream, topic, partitionsCount }) => {
    requireCreatedPartitionsCount(partitionsCount);
    await shard.control({ kind: "createPartitions", request: { stream, topic, count: partitionsCount } });
    return undefined;
  }),

  command("deletePartitions", async ({ shard }, _session, { stream, topic, partitionsCount }) => {
    requireDeletedPartitionsCount(partitionsCount);
    await shard.control({ kind: "deletePartitions", request: { stream, topic, count: partitionsCount } });
    return undefined;
  }),
];
