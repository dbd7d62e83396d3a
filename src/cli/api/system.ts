// Clients and figures of the server with the names and units of the HTTP API (spec HA 2.1).

import type { ClientDetails, ClientHeader } from "../../protocol/records/client-header.ts";
import type { Transport } from "../../protocol/records/enumerations.ts";
import type { Stats } from "../../protocol/records/stats.ts";
import { sizeText } from "../../protocol/size-text.ts";

const transports: Readonly<Record<Transport, string>> = { tcp: "tcp", quic: "quic", http: "http", websocket: "ws" };

/** How a client is connected, as the HTTP API and the original's CLI call it. */
export function transportText(transport: Transport): string {
  return transports[transport];
}

export function clientDocument(client: ClientHeader) {
  return {
    client_id: client.clientId,
    user_id: client.userId ?? null,
    address: client.address,
    transport: transportText(client.transport),
    consumer_groups_count: client.consumerGroupsCount,
  };
}

export function clientDetailsDocument(client: ClientDetails) {
  const groups = client.consumerGroups.map(({ streamId, topicId, groupId }) => ({
    stream_id: streamId,
    topic_id: topicId,
    group_id: groupId,
  }));
  return { ...clientDocument(client), consumer_groups: groups };
}

/** A 32-bit float as the shortest number that is the same one. */
export function shortFloat(value: number): number | null {
  if (!Number.isFinite(value)) return null;
  const single = Math.fround(value);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) === single) return short;
  }
  return Number(single.toPrecision(9));
}

export function statsDocument(stats: Stats) {
  return {
    process_id: stats.processId,
    cpu_usage: shortFloat(stats.cpuUsagePercent),
    total_cpu_usage: shortFloat(stats.totalCpuUsagePercent),
    memory_usage: sizeText(stats.memoryUsageBytes),
    total_memory: sizeText(stats.totalMemoryBytes),
    available_memory: sizeText(stats.availableMemoryBytes),
    run_time: stats.runTimeMicros,
    start_time: stats.startTimeMicros,
    read_bytes: sizeText(stats.readBytes),
    written_bytes: sizeText(stats.writtenBytes),
    messages_size_bytes: sizeText(stats.messagesSizeBytes),
    streams_count: stats.streamsCount,
    topics_count: stats.topicsCount,
    partitions_count: stats.partitionsCount,
    segments_count: stats.segmentsCount,
    messages_count: stats.messagesCount,
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
        { hits: metric.hits, misses: metric.misses, hit_ratio: shortFloat(metric.hitRatio) },
      ]),
    ),
    threads_count: stats.threadsCount,
    free_disk_space: sizeText(stats.freeDiskSpaceBytes),
    total_disk_space: sizeText(stats.totalDiskSpaceBytes),
  };
}
