// The door of the shard layer.
export { type BackupPoint, BackupPoints } from "./backup-points.ts";
export { Cleaner } from "./cleaner.ts";
export type { ControlCommand } from "./control-commands.ts";
export { ControlPlane } from "./control-plane.ts";
export { Counters, createSharedCounters, type SharedCounters } from "./counters.ts";
export { TakenDirectories } from "./directories.ts";
export { arenaFrameBytesMax, type FrameBuffer, FrameMemory } from "./frame-memory.ts";
export type {
  BoundPorts,
  FromShard,
  RootCredentials,
  ShardSetup,
  ShardStart,
  TlsCertificates,
  ToShard,
} from "./lifecycle.ts";
export { LocalPartitions } from "./local-partitions.ts";
export { createLoopMemory, LoopPulse, type LoopReport, LoopWatch, type OwnWork } from "./loop-watch.ts";
export { tidyStreams } from "./lost-and-found.ts";
export type { Port } from "./mailbox.ts";
export type { MovedConnection, ReplyPart } from "./messages.ts";
export { PackedRecords } from "./packed-records.ts";
export { type PartitionChange, Watch, type Watcher } from "./partition-watches.ts";
export { type DataPaths, dataPaths } from "./paths.ts";
export { ownerShardOf, partitionKeyOf, splitPartitionKey } from "./placement.ts";
export { ReplyReader } from "./reply-reader.ts";
export {
  compareConsumers,
  type GroupPartitionReport,
  lagRow,
  type PartitionOffsetsReport,
  type PartitionReport,
} from "./reports.ts";
export { type BatchPlace, Shard } from "./shard.ts";
export type { PlacedRead, ShardRead } from "./shard-read.ts";
export { durationBoundsMs, type HeldPartition, type ShardStatistics, Statistics } from "./statistics.ts";
export { arenaBytesMax, createArena, Supervisor } from "./supervisor.ts";
