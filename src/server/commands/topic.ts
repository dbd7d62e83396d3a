// Topics, their partitions and segments (spec BP 4.8, SB 5). What is missing is answered before what is not allowed
// (spec SB 7.3).
import {
  entriesById,
  findPartition,
  findStream,
  findTopic,
  noTopicOptions,
  requireCreatedPartitionsCount,
  requireDeletedPartitionsCount,
  requireStream,
  requireTopic,
  requireTopicPartitionsCount,
  shownOptions,
  type TopicChange,
  type TopicOptions,
  type TopicSettings,
  type TopicTarget,
} from "../../metadata/index.ts";
import { IggyError } from "../../protocol/errors.ts";
import type { Operation } from "../../protocol/permissions.ts";
import { CompressionCode, compressionOf } from "../../protocol/records/enumerations.ts";
import { partitionKeyOf } from "../../shard/index.ts";
import { actorOf } from "../audit.ts";
import { command } from "../command.ts";
import type { RequestOf, ShownTopicDetails } from "../command-values.ts";
import type { ServerContext } from "../context.ts";
import { requireRight } from "../rights.ts";
import type { Session } from "../session.ts";
import { readTopicOptions } from "../topic-options.ts";
import { topicDetails, topicHeader } from "../views.ts";

type TopicRequest = RequestOf<"createTopic"> | RequestOf<"updateTopic">;

/** Before anything else (spec P9 11.2): UnsupportedOptionKey (4041), InvalidOptionValue (4042). */
function optionsOf(command: "create" | "update", { options }: TopicRequest): TopicOptions | undefined {
  return options && readTopicOptions(options, command);
}

/**
 * What a request says of a topic: in its options if it has any, else in its fields; undefined: nothing. Errors:
 * InvalidCommand (3) for a compression that is none.
 */
function settingsOf(request: TopicRequest, options: TopicOptions | undefined): TopicChange {
  const { name } = request;
  if (options === undefined) {
    const { compressionCode, messageExpiryMicros, maxTopicSizeBytes, replicationFactor } = request;
    const compression = compressionCode === undefined ? undefined : CompressionCode[compressionOf(compressionCode)];
    return { name, compression, messageExpiryMicros, maxTopicSizeBytes, replicationFactor };
  }
  const { compression_algorithm: compression, message_expiry: expiry, max_topic_size: maxSize } = options;
  return {
    name,
    compression: compression === undefined ? undefined : CompressionCode[compression === "gzip" ? "gzip" : "none"],
    messageExpiryMicros: typeof expiry === "bigint" ? expiry : undefined,
    maxTopicSizeBytes: typeof maxSize === "bigint" ? maxSize : undefined,
    options,
  };
}

/** Where nothing is said, it is as the server is configured. */
function newTopicOf({ compression, messageExpiryMicros, maxTopicSizeBytes, ...rest }: TopicChange): TopicSettings {
  return {
    ...rest,
    compression: compression ?? CompressionCode.none,
    messageExpiryMicros: messageExpiryMicros ?? 0n,
    maxTopicSizeBytes: maxTopicSizeBytes ?? 0n,
    replicationFactor: rest.replicationFactor ?? 1,
  };
}

/** Throws 1009, 2010, then 41. */
function requireTopicRight(
  { shard }: ServerContext,
  session: Session,
  operation: Operation,
  target: TopicTarget,
): void {
  const { stream, topic } = requireTopic(shard.state, target.stream, target.topic);
  requireRight(shard, session, operation, stream.id, topic.id);
}

export const topicCommands = [
  command("getTopic", ({ shard, topicDefaults }, session, request) => {
    const stream = findStream(shard.state, request.stream);
    const topic = stream && findTopic(stream, request.topic);
    if (!stream || !topic) return undefined;
    requireRight(shard, session, "getTopic", stream.id, topic.id);
    return topicDetails(shard.counters, stream.id, topic, topicDefaults);
  }),

  command("getTopics", ({ shard, topicDefaults }, session, request) => {
    const stream = findStream(shard.state, request.stream);
    if (stream === undefined) return undefined;
    requireRight(shard, session, "getTopics", stream.id);
    return entriesById(stream.topics).map((topic) => topicHeader(shard.counters, stream.id, topic, topicDefaults));
  }),

  command("createTopic", async (context, session, request): Promise<ShownTopicDetails> => {
    const { shard, topicDefaults } = context;
    const { stream, partitionsCount } = request;
    const options = optionsOf("create", request);
    requireTopicPartitionsCount(partitionsCount); // 2015 before anything else of 0.8 (spec BP 4.8)
    const settings = newTopicOf(settingsOf(request, options));
    requireRight(shard, session, "createTopic", requireStream(shard.state, stream).id);
    const event = await shard.control({ kind: "createTopic", request: { stream, partitionsCount, ...settings } });
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
      options: shownOptions({ ...event, options: event.options ?? noTopicOptions }, topicDefaults),
      partitions,
    };
  }),

  command("updateTopic", async (context, session, request) => {
    const { stream, topic } = request;
    const settings = settingsOf(request, optionsOf("update", request));
    requireTopicRight(context, session, "updateTopic", request);
    await context.shard.control({ kind: "updateTopic", request: { stream, topic, ...settings } });
    return undefined;
  }),

  command("deleteTopic", async (context, session, request) => {
    requireTopicRight(context, session, "deleteTopic", request);
    await context.shard.control({ kind: "deleteTopic", request });
    return undefined;
  }),

  command("purgeTopic", async (context, session, request) => {
    requireTopicRight(context, session, "purgeTopic", request);
    await context.shard.control({ kind: "purgeTopic", request });
    return undefined;
  }),

  command("createPartitions", async (context, session, { stream, topic, partitionsCount }) => {
    requireCreatedPartitionsCount(partitionsCount);
    requireTopicRight(context, session, "createPartitions", { stream, topic });
    await context.shard.control({ kind: "createPartitions", request: { stream, topic, count: partitionsCount } });
    return undefined;
  }),

  command("deletePartitions", async (context, session, { stream, topic, partitionsCount }) => {
    requireDeletedPartitionsCount(partitionsCount);
    requireTopicRight(context, session, "deletePartitions", { stream, topic });
    await context.shard.control({ kind: "deletePartitions", request: { stream, topic, count: partitionsCount } });
    return undefined;
  }),

  command("deleteSegments", async (context, session, request) => {
    const { shard, auditLog } = context;
    const { stream, topic } = requireTopic(shard.state, request.stream, request.topic);
    if (findPartition(topic, request.partitionId) === undefined) {
      throw new IggyError("PartitionNotFound", [request.partitionId, topic.id, stream.id]);
    }
    requireRight(shard, session, "deleteSegments", stream.id, topic.id);
    const { partitionId, segmentsCount: asked } = request;
    const removed = await shard.deleteSegments(partitionKeyOf(stream.id, topic.id, partitionId), asked);
    // Besides the active one, which never goes.
    const staying = shard.counters.partition(partitionKeyOf(stream.id, topic.id, partitionId)).segmentsCount - 1;
    if (removed < asked && staying > 0) {
      // A success all the same (spec SB 5.2). Which consumer keeps them is in the line of the partition's owner.
      const place = { streamId: stream.id, topicId: topic.id, partitionId };
      const counts = { asked, removed, staying };
      auditLog.warn("fewer segments deleted than asked", { ...place, ...counts, ...actorOf(context, session) });
    }
    return undefined;
  }),
];
