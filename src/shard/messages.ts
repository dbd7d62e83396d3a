// What shards say to each other: one request and one reply type per kind, plain data only (a test sends each through
// structuredClone). Megabytes do not travel: a batch is a place in shared memory, a read is a place in an open file.
import type { MetadataEvent } from "../metadata/index.ts";
import type { ErrorName, ErrorParams } from "../protocol/errors.ts";
import type { ClientDetails } from "../protocol/records/client-header.ts";
import type { ConsumerKey, ReadFrom } from "../storage/index.ts";
import type { BackupPoint } from "./backup-points.ts";
import type { ControlCommand } from "./control-commands.ts";
import type { LinkedPartitions, LinkRequest } from "./linked-partitions.ts";
import type { PartitionChange } from "./partition-watches.ts";
import type { ReportReply, ReportRequest } from "./reports.ts";
import type { OldestSegmentReply, OldestSegmentRequest } from "./retention.ts";
import type { ShardStatistics } from "./statistics.ts";

/** A request for a partition that another shard owns. */
export type Forwarded<Request> = Request & {
  /**
   * When the partition was created that the sender means: by the time the request arrives or has room to be sent, its number
   * may be another partition's. Undefined: the sender knows no such partition.
   */
  readonly createdAtMicros: number | undefined;
};

/** Where a batch lies in a memory. */
export interface BatchPosition {
  readonly rowsPosition: number;
  readonly messagesCount: number;
  readonly messagesPosition: number;
  readonly messagesSizeBytes: number;
}

/** A validated batch in the memory of the shard that received it, which keeps it until the reply. */
export interface AppendRequest extends BatchPosition {
  readonly partitionKey: number;
  /** The reply is the offset of the first message. */
  readonly wantsOffset: boolean;
  /** The batch lies in this shard's arena, or in `large`. */
  readonly arenaShardId: number;
  readonly large: SharedArrayBuffer | undefined;
}

export interface ReadRequest {
  readonly partitionKey: number;
  readonly from: ReadFrom;
  readonly countMax: number;
  /** Most bytes of messages, unless one has more; absent: what a reply of 0.8 may have. */
  readonly bytesMax?: number | undefined;
  readonly consumer: ConsumerKey;
  /** The offset of the last message is stored for the consumer (spec SB 4.7). */
  readonly autoCommit: boolean;
  /** The client that reads as a member of the group; undefined for a single consumer. */
  readonly memberClientId?: number | undefined;
  /** It is not served a partition that waits to be moved, as it speaks 0.9 (spec P9 9.4). */
  readonly isFenced?: boolean;
}

/** Part of an open file of this process, or bytes. */
export type ReplyPart =
  | { readonly kind: "file"; readonly fd: number; readonly position: number; readonly sizeBytes: number }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array };

export interface ReadReply {
  readonly currentOffset: number;
  readonly messagesCount: number;
  readonly lastOffset: number;
  readonly epoch: number;
  readonly sizeBytes: number;
  readonly parts: readonly ReplyPart[];
  /** To be sent back with `release` when the parts have been sent. 0: nothing to release. */
  readonly leaseId: number;
}

export type OffsetRequest = {
  readonly partitionKey: number;
  readonly consumer: ConsumerKey;
  /** The client that acts as a member of the group: only the owner of the partition may. Undefined: anyone. */
  readonly memberClientId?: number | undefined;
} & (
  | { readonly operation: "store"; readonly offset: number }
  | { readonly operation: "get" }
  | { readonly operation: "delete" }
);

export interface OffsetReply {
  readonly currentOffset: number;
  readonly storedOffset: number | undefined;
}

export interface DeleteSegmentsRequest {
  readonly partitionKey: number;
  readonly count: number;
}

/** Makes a point, says that it is still copied, or removes it. */
export type BackupRequest =
  | { readonly action: "make" }
  | { readonly action: "keep" | "remove"; readonly pointId: string };

export interface FlushRequest {
  readonly partitionKey: number;
  readonly fsync: boolean;
}

/** Requests between shards. */
export interface ShardRequests {
  append: { request: Forwarded<AppendRequest>; reply: number | undefined };
  read: { request: Forwarded<ReadRequest>; reply: ReadReply };
  offset: { request: Forwarded<OffsetRequest>; reply: OffsetReply };
  /** From the shard that keeps a topic below its size limit. */
  oldestSegment: { request: Forwarded<OldestSegmentRequest>; reply: OldestSegmentReply };
  /** How many of the oldest segments were removed. */
  deleteSegments: { request: Forwarded<DeleteSegmentsRequest>; reply: number };
  flush: { request: Forwarded<FlushRequest>; reply: undefined };
  /** To shard 0, the only writer of metadata. */
  control: { request: ControlCommand; reply: MetadataEvent | undefined };
  /** From shard 0: answered when the event is applied and its effects on partitions are done. */
  apply: { request: MetadataEvent; reply: undefined };
  /** To shard 0: answered when all metadata that were changed before are durable. */
  syncMetadata: { request: undefined; reply: undefined };
  /** To shard 0: points for backups. */
  backup: { request: BackupRequest; reply: BackupPoint | undefined };
  /** From shard 0: what the partitions hold goes into a point. */
  link: { request: LinkRequest; reply: LinkedPartitions };
  clients: { request: undefined; reply: readonly ClientDetails[] };
  /** Cuts the connection of this client, if it is one of the shard's; whether it is. */
  disconnectClient: { request: number; reply: boolean };
  /** Closes a client that is not logged in, of this source or of the one with the most; whether there was one. */
  makeRoom: { request: string | undefined; reply: boolean };
  /** From shard 0, for metrics. */
  statistics: { request: undefined; reply: ShardStatistics };
  /** From shard 0, for who looks. */
  report: { request: ReportRequest; reply: ReportReply };
}

export type ShardRequestKind = keyof ShardRequests;
export type RequestOf<K extends ShardRequestKind> = ShardRequests[K]["request"];
export type ReplyOf<K extends ShardRequestKind> = ShardRequests[K]["reply"];

/** A connection between two requests. The transport alone knows what `state` is: plain data. */
export interface MovedConnection {
  /** A duplicate of the descriptor, which the receiver owns. */
  readonly fd: number;
  readonly state: unknown;
}

/** About somebody who waits for a partition (watches.ts). */
export type WatchMessage =
  | { readonly kind: "watch"; readonly watchId: number; readonly partitionKey: number }
  | { readonly kind: "unwatch"; readonly watchId: number }
  /** The one answer to a watch, and its end. */
  | { readonly kind: "changed"; readonly watchId: number; readonly change: PartitionChange };

/** One message on the wire between two shards. */
export type ShardMessage =
  | WatchMessage
  | { readonly kind: "request"; readonly requestId: number; readonly name: ShardRequestKind; readonly body: unknown }
  | { readonly kind: "reply"; readonly requestId: number; readonly body: unknown }
  | {
      readonly kind: "failure";
      readonly requestId: number;
      readonly errorName: ErrorName;
      readonly params: ErrorParams;
    }
  | { readonly kind: "release"; readonly leaseId: number }
  | { readonly kind: "adopt"; readonly connection: MovedConnection };
