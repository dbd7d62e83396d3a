// Records of the protocol out of the JSON of the HTTP API, and permissions into it (spec HA 2).

import type { ClientDetails, ClientHeader } from "../../protocol/records/client-header.ts";
import type { ClusterMetadata } from "../../protocol/records/cluster-metadata.ts";
import type { ConsumerGroupDetails, ConsumerGroupHeader } from "../../protocol/records/consumer-group.ts";
import {
  CompressionCode,
  NodeRoleCode,
  NodeStatusCode,
  type Transport,
  UserStatusCode,
} from "../../protocol/records/enumerations.ts";
import type { Permissions } from "../../protocol/records/permissions.ts";
import type { Stats } from "../../protocol/records/stats.ts";
import type { StreamDetails } from "../../protocol/records/stream-details.ts";
import type { StreamHeader } from "../../protocol/records/stream-header.ts";
import type { TopicDetails } from "../../protocol/records/topic-details.ts";
import type { TopicHeader } from "../../protocol/records/topic-header.ts";
import type { UserDetails, UserHeader } from "../../protocol/records/user-header.ts";
import type { JsonObject } from "./json.ts";

export function streamHeader(json: JsonObject): StreamHeader {
  return {
    id: json.number("id"),
    createdAtMicros: json.bigint("created_at"),
    topicsCount: json.number("topics_count"),
    sizeBytes: json.size("size"),
    messagesCount: json.bigint("messages_count"),
    name: json.text("name"),
  };
}

export function streamDetails(json: JsonObject): StreamDetails {
  return { ...streamHeader(json), topics: json.list("topics").map(topicHeader) };
}

export function topicHeader(json: JsonObject): TopicHeader {
  return {
    id: json.number("id"),
    createdAtMicros: json.bigint("created_at"),
    partitionsCount: json.number("partitions_count"),
    messageExpiryMicros: json.bigint("message_expiry"),
    compression: json.oneOf("compression_algorithm", CompressionCode),
    maxTopicSizeBytes: json.bigint("max_topic_size"),
    replicationFactor: json.number("replication_factor"),
    sizeBytes: json.size("size"),
    messagesCount: json.bigint("messages_count"),
    name: json.text("name"),
  };
}

export function topicDetails(json: JsonObject): TopicDetails {
  const partitions = json.list("partitions").map((partition) => ({
    id: partition.number("id"),
    createdAtMicros: partition.bigint("created_at"),
    segmentsCount: partition.number("segments_count"),
    currentOffset: partition.bigint("current_offset"),
    sizeBytes: partition.size("size"),
    messagesCount: partition.bigint("messages_count"),
  }));
  return { ...topicHeader(json), partitions };
}

export function groupHeader(json: JsonObject): ConsumerGroupHeader {
  return {
    id: json.number("id"),
    partitionsCount: json.number("partitions_count"),
    membersCount: json.number("members_count"),
    name: json.text("name"),
  };
}

export function groupDetails(json: JsonObject): ConsumerGroupDetails {
  const members = json.list("members").map((member) => ({
    id: member.number("id"),
    partitions: member.numbers("partitions"),
  }));
  return { ...groupHeader(json), members };
}

const transports: Readonly<Record<string, Transport>> = { tcp: "tcp", quic: "quic", http: "http", ws: "websocket" };

export function clientHeader(json: JsonObject): ClientHeader {
  return {
    clientId: json.number("client_id"),
    userId: json.numberOrNull("user_id"),
    transport: transports[json.text("transport")] ?? "http",
    address: json.text("address"),
    consumerGroupsCount: json.number("consumer_groups_count"),
  };
}

export function clientDetails(json: JsonObject): ClientDetails {
  const consumerGroups = json.list("consumer_groups").map((group) => ({
    streamId: group.number("stream_id"),
    topicId: group.number("topic_id"),
    groupId: group.number("group_id"),
  }));
  return { ...clientHeader(json), consumerGroups };
}

export function clusterMetadata(json: JsonObject): ClusterMetadata {
  const nodes = json.list("nodes").map((node) => {
    const endpoints = node.object("endpoints");
    return {
      name: node.text("name"),
      ip: node.text("ip"),
      tcpPort: endpoints.number("tcp"),
      quicPort: endpoints.number("quic"),
      httpPort: endpoints.number("http"),
      websocketPort: endpoints.number("websocket"),
      role: node.oneOf("role", NodeRoleCode),
      status: node.oneOf("status", NodeStatusCode),
    };
  });
  return { name: json.text("name"), nodes };
}

export function stats(json: JsonObject): Stats {
  return {
    processId: json.number("process_id"),
    cpuUsagePercent: json.numberOrNull("cpu_usage") ?? Number.NaN,
    totalCpuUsagePercent: json.numberOrNull("total_cpu_usage") ?? Number.NaN,
    memoryUsageBytes: json.size("memory_usage"),
    totalMemoryBytes: json.size("total_memory"),
    availableMemoryBytes: json.size("available_memory"),
    runTimeMicros: json.bigint("run_time"),
    startTimeMicros: json.bigint("start_time"),
    readBytes: json.size("read_bytes"),
    writtenBytes: json.size("written_bytes"),
    messagesSizeBytes: json.size("messages_size_bytes"),
    streamsCount: json.number("streams_count"),
    topicsCount: json.number("topics_count"),
    partitionsCount: json.number("partitions_count"),
    segmentsCount: json.number("segments_count"),
    messagesCount: json.bigint("messages_count"),
    clientsCount: json.number("clients_count"),
    consumerGroupsCount: json.number("consumer_groups_count"),
    hostname: json.text("hostname"),
    osName: json.text("os_name"),
    osVersion: json.text("os_version"),
    kernelVersion: json.text("kernel_version"),
    serverVersion: json.text("iggy_server_version"),
    serverSemver: json.numberOrNull("iggy_server_semver") ?? 0,
    cacheMetrics: json
      .object("cache_metrics")
      .entries()
      .map(([place, metric]) => {
        const [streamId = 0, topicId = 0, partitionId = 0] = place.split("-").map(Number);
        const hitRatio = metric.numberOrNull("hit_ratio") ?? Number.NaN;
        return {
          streamId,
          topicId,
          partitionId,
          hits: metric.bigint("hits"),
          misses: metric.bigint("misses"),
          hitRatio,
        };
      }),
    threadsCount: json.number("threads_count"),
    freeDiskSpaceBytes: json.size("free_disk_space"),
    totalDiskSpaceBytes: json.size("total_disk_space"),
  };
}

export function userHeader(json: JsonObject): UserHeader {
  return {
    id: json.number("id"),
    createdAtMicros: json.bigint("created_at"),
    status: json.oneOf("status", UserStatusCode),
    username: json.text("username"),
  };
}

export function userDetails(json: JsonObject): UserDetails {
  const permissions = json.objectOrNull("permissions");
  return { ...userHeader(json), permissions: permissions && permissionsOf(permissions) };
}

function permissionsOf(json: JsonObject): Permissions {
  const global = json.object("global");
  const streams = json.objectOrNull("streams")?.entries() ?? [];
  return {
    global: {
      manageServers: global.boolean("manage_servers"),
      readServers: global.boolean("read_servers"),
      manageUsers: global.boolean("manage_users"),
      readUsers: global.boolean("read_users"),
      manageStreams: global.boolean("manage_streams"),
      readStreams: global.boolean("read_streams"),
      manageTopics: global.boolean("manage_topics"),
      readTopics: global.boolean("read_topics"),
      pollMessages: global.boolean("poll_messages"),
      sendMessages: global.boolean("send_messages"),
    },
    streams: streams.map(([streamId, stream]) => ({
      streamId: Number(streamId),
      manageStream: stream.boolean("manage_stream"),
      readStream: stream.boolean("read_stream"),
      manageTopics: stream.boolean("manage_topics"),
      readTopics: stream.boolean("read_topics"),
      pollMessages: stream.boolean("poll_messages"),
      sendMessages: stream.boolean("send_messages"),
      topics: (stream.objectOrNull("topics")?.entries() ?? []).map(([topicId, topic]) => ({
        topicId: Number(topicId),
        manageTopic: topic.boolean("manage_topic"),
        readTopic: topic.boolean("read_topic"),
        pollMessages: topic.boolean("poll_messages"),
        sendMessages: topic.boolean("send_messages"),
      })),
    })),
  };
}

/** `manageServers` as `manage_servers`, for all flags. */
function flagsJson(flags: object): Record<string, boolean> {
  const entries = Object.entries(flags).filter(([, value]) => typeof value === "boolean");
  return Object.fromEntries(
    entries.map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  );
}

/** Null without any. */
export function permissionsJson(permissions: Permissions | undefined) {
  if (permissions === undefined) return null;
  const { global, streams } = permissions;
  const streamsJson = streams.map((stream) => {
    const topics = stream.topics.map((topic) => [topic.topicId, flagsJson(topic)]);
    return [stream.streamId, { ...flagsJson(stream), topics: Object.fromEntries(topics) }];
  });
  return { global: flagsJson(global), streams: Object.fromEntries(streamsJson) };
}
