// Stats, cluster, clients and snapshots as JSON (spec HA 2.1).
import { Type as t } from "@sinclair/typebox";
import type { ClientDetails, ClientHeader } from "../../../protocol/records/client-header.ts";
import type { ClusterMetadata } from "../../../protocol/records/cluster-metadata.ts";
import type { Transport } from "../../../protocol/records/enumerations.ts";
import type { Stats } from "../../../protocol/records/stats.ts";
import { sizeText } from "../../../protocol/size-text.ts";
import { jsonFloat, jsonInteger } from "../json/values.ts";
import { nullable, object, oneOfTexts, sizeString, timestamp, u16, u32, u32Text, u64 } from "./kinds.ts";

const float = nullable(t.Number());

export const statsSchema = t.Object({
  process_id: u32,
  cpu_usage: float,
  total_cpu_usage: float,
  memory_usage: sizeString,
  total_memory: sizeString,
  available_memory: sizeString,
  run_time: u64,
  start_time: timestamp,
  read_bytes: sizeString,
  written_bytes: sizeString,
  messages_size_bytes: sizeString,
  streams_count: u32,
  topics_count: u32,
  partitions_count: u32,
  segments_count: u32,
  messages_count: u64,
  clients_count: u32,
  consumer_groups_count: u32,
  hostname: t.String(),
  os_name: t.String(),
  os_version: t.String(),
  kernel_version: t.String(),
  iggy_server_version: t.String(),
  iggy_server_semver: nullable(u32),
  cache_metrics: t.Record(t.String(), t.Object({ hits: u64, misses: u64, hit_ratio: float })),
  threads_count: u32,
  free_disk_space: sizeString,
  total_disk_space: sizeString,
});

export const clusterSchema = t.Object({
  name: t.String(),
  nodes: t.Array(
    t.Object({
      name: t.String(),
      ip: t.String(),
      endpoints: t.Object({ tcp: u16, quic: u16, http: u16, websocket: u16 }),
      role: oneOfTexts(["leader", "follower"]),
      status: oneOfTexts(["healthy", "starting", "stopping", "unreachable", "maintenance", "unknown"]),
    }),
  ),
});

const clientFields = {
  client_id: u32,
  user_id: nullable(u32),
  address: t.String(),
  transport: oneOfTexts(["tcp", "quic", "ws", "http"]),
  consumer_groups_count: u32,
};

export const clientHeaderSchema = t.Object(clientFields);
export const clientDetailsSchema = t.Object({
  ...clientFields,
  consumer_groups: t.Array(t.Object({ stream_id: u32, topic_id: u32, group_id: u32 })),
});
export const clientParams = object({ client_id: u32Text });

/** Names of the codes in a body, exact (spec HA 1.6). */
export const snapshotCompressions = {
  Stored: "stored",
  Deflated: "deflated",
  Bzip2: "bzip2",
  Zstd: "zstd",
  Lzma: "lzma",
  Xz: "xz",
} as const;

export const snapshotTypes = {
  FilesystemOverview: "filesystemOverview",
  ProcessList: "processList",
  ResourceUsage: "resourceUsage",
  Test: "test",
  ServerLogs: "serverLogs",
  ServerConfig: "serverConfig",
  All: "all",
} as const;

export const snapshotBody = object({
  compression: oneOfTexts(Object.keys(snapshotCompressions) as (keyof typeof snapshotCompressions)[]),
  snapshot_types: t.Array(oneOfTexts(Object.keys(snapshotTypes) as (keyof typeof snapshotTypes)[]), { maxItems: 255 }),
});

const transportNames: Readonly<Record<Transport, string>> = { tcp: "tcp", quic: "quic", http: "http", websocket: "ws" };

export function clientHeaderJson(client: ClientHeader) {
  return {
    client_id: client.clientId,
    user_id: client.userId ?? null,
    address: client.address,
    transport: transportNames[client.transport],
    consumer_groups_count: client.consumerGroupsCount,
  };
}

export function clientDetailsJson(client: ClientDetails) {
  const groups = client.consumerGroups.map(({ streamId, topicId, groupId }) => ({
    stream_id: streamId,
    topic_id: topicId,
    group_id: groupId,
  }));
  return { ...clientHeaderJson(client), consumer_groups: groups };
}

export function clusterJson({ name, nodes }: ClusterMetadata) {
  return {
    name,
    nodes: nodes.map((node) => ({
      name: node.name,
      ip: node.ip,
      endpoints: { tcp: node.tcpPort, quic: node.quicPort, http: node.httpPort, websocket: node.websocketPort },
      role: node.role,
      status: node.status,
    })),
  };
}

export function statsJson(stats: Stats) {
  return {
    process_id: stats.processId,
    cpu_usage: jsonFloat(stats.cpuUsagePercent),
    total_cpu_usage: jsonFloat(stats.totalCpuUsagePercent),
    memory_usage: sizeText(stats.memoryUsageBytes),
    total_memory: sizeText(stats.totalMemoryBytes),
    available_memory: sizeText(stats.availableMemoryBytes),
    run_time: jsonInteger(stats.runTimeMicros),
    start_time: jsonInteger(stats.startTimeMicros),
    read_bytes: sizeText(stats.readBytes),
    written_bytes: sizeText(stats.writtenBytes),
    messages_size_bytes: sizeText(stats.messagesSizeBytes),
    streams_count: stats.streamsCount,
    topics_count: stats.topicsCount,
    partitions_count: stats.partitionsCount,
    segments_count: stats.segmentsCount,
    messages_count: jsonInteger(stats.messagesCount),
    clients_count: stats.clientsCount,
    consumer_groups_count: stats.consumerGroupsCount,
    hostname: stats.hostname,
    os_name: stats.osName,
    os_version: stats.osVersion,
    kernel_version: stats.kernelVersion,
    iggy_server_version: stats.serverVersion,
    iggy_server_semver: stats.serverSemver === 0 ? null : stats.serverSemver,
    cache_metrics: Object.fromEntries(
      stats.cacheMetrics.map((metric) => [
        `${metric.streamId}-${metric.topicId}-${metric.partitionId}`,
        { hits: jsonInteger(metric.hits), misses: jsonInteger(metric.misses), hit_ratio: jsonFloat(metric.hitRatio) },
      ]),
    ),
    threads_count: stats.threadsCount,
    free_disk_space: sizeText(stats.freeDiskSpaceBytes),
    total_disk_space: sizeText(stats.totalDiskSpaceBytes),
  };
}
