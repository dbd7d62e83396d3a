// The door of the storage layer: everything that other layers may use of it.

export { createStorageContext, type StorageContextOptions } from "./context.ts";
export type { BatchKernel, PackResult, ScanResult, ScanStop } from "./kernel/batch-kernel.ts";
export { JsBatchKernel } from "./kernel/js-batch-kernel.ts";
export { kernelReservedBytes, WasmBatchKernel } from "./kernel/wasm-batch-kernel.ts";
export { readMarkedLogId } from "./mark.ts";
export { legacyLogId } from "./mark-format.ts";
export { Partition } from "./partition.ts";
export type { GroupView, PartitionView, SegmentView } from "./partition-view.ts";
export { type PartitionPoint, type PointSegment, pointName } from "./point.ts";
export type { RemovableSegment, SegmentHolder } from "./retention.ts";
export type { ScanMemoryOptions } from "./scan-memory.ts";
export type {
  Acknowledge,
  ConsumerKey,
  DeduplicationOptions,
  DirectoryRemoval,
  EncryptionOptions,
  IncomingBatch,
  MessageCipher,
  PartitionCounters,
  PartitionIdentity,
  ReadFrom,
  ReadPart,
  ReadResult,
  StorageContext,
  StorageCounter,
  StorageLog,
  StorageOptions,
} from "./types.ts";
