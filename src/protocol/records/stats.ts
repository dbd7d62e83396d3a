// Stats (spec BP 3.21): a numeric block of 108 bytes, five `str32`, then semver, cache metrics (counted), threads and disk
// space. The order of the fields below is the order on the wire.

import { countedListCodec, recordCodec } from "../codec.ts";
import { f32Codec, longStringCodec, u32Codec, u64Codec } from "../primitives.ts";

/** 32 bytes per partition; the list is empty in 0.8.0. */
export type CacheMetric = {
  readonly streamId: number;
  readonly topicId: number;
  readonly partitionId: number;
  readonly hits: bigint;
  readonly misses: bigint;
  readonly hitRatio: number;
};

export type Stats = {
  readonly processId: number;
  readonly cpuUsagePercent: number;
  readonly totalCpuUsagePercent: number;
  readonly memoryUsageBytes: bigint;
  readonly totalMemoryBytes: bigint;
  readonly availableMemoryBytes: bigint;
  readonly runTimeMicros: bigint;
  readonly startTimeMicros: bigint;
  readonly readBytes: bigint;
  readonly writtenBytes: bigint;
  readonly messagesSizeBytes: bigint;
  readonly streamsCount: number;
  readonly topicsCount: number;
  readonly partitionsCount: number;
  readonly segmentsCount: number;
  readonly messagesCount: bigint;
  readonly clientsCount: number;
  readonly consumerGroupsCount: number;
  readonly hostname: string;
  readonly osName: string;
  readonly osVersion: string;
  readonly kernelVersion: string;
  readonly serverVersion: string;
  /** 8000 for 0.8.0; 0 = unknown. */
  readonly serverSemver: number;
  readonly cacheMetrics: readonly CacheMetric[];
  readonly threadsCount: number;
  readonly freeDiskSpaceBytes: bigint;
  readonly totalDiskSpaceBytes: bigint;
};

const cacheMetricCodec = recordCodec<CacheMetric>({
  streamId: u32Codec,
  topicId: u32Codec,
  partitionId: u32Codec,
  hits: u64Codec,
  misses: u64Codec,
  hitRatio: f32Codec,
});

export const statsCodec = recordCodec<Stats>({
  processId: u32Codec,
  cpuUsagePercent: f32Codec,
  totalCpuUsagePercent: f32Codec,
  memoryUsageBytes: u64Codec,
  totalMemoryBytes: u64Codec,
  availableMemoryBytes: u64Codec,
  runTimeMicros: u64Codec,
  startTimeMicros: u64Codec,
  readBytes: u64Codec,
  writtenBytes: u64Codec,
  messagesSizeBytes: u64Codec,
  streamsCount: u32Codec,
  topicsCount: u32Codec,
  partitionsCount: u32Codec,
  segmentsCount: u32Codec,
  messagesCount: u64Codec,
  clientsCount: u32Codec,
  consumerGroupsCount: u32Codec,
  hostname: longStringCodec,
  osName: longStringCodec,
  osVersion: longStringCodec,
  kernelVersion: longStringCodec,
  serverVersion: longStringCodec,
  serverSemver: u32Codec,
  cacheMetrics: countedListCodec(cacheMetricCodec),
  threadsCount: u32Codec,
  freeDiskSpaceBytes: u64Codec,
  totalDiskSpaceBytes: u64Codec,
});
