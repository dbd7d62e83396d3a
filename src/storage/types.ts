// What the storage layer takes and gives; no behaviour.

import type { Clock } from "../platform/clock.ts";
import type { Disk, DiskFile } from "../platform/disk.ts";
import type { FileCache } from "./file-cache.ts";
import type { BatchKernel } from "./kernel/batch-kernel.ts";
import type { ScanMemory } from "./scan-memory.ts";

/** When an append is answered: taken into memory, written to the log file, or durable on the disk. */
export type Acknowledge = "memory" | "write" | "sync";

export interface StorageOptions {
  readonly acknowledge: Acknowledge;
  /** Soft limit (spec SB 3.6). */
  readonly segmentSizeBytes: number;
  readonly cacheIndexes: "all" | "open_segment" | "none";
  /** Memory level only: the journal is written when it holds this many messages (spec SB 3.4). */
  readonly messagesRequiredToSave: number;
  /** Memory level only: the same in bytes. */
  readonly bytesRequiredToSave: number;
  /** Whether `save` also syncs, at every level. The thresholds of the memory level never do (spec SB 3.4). */
  readonly enforceFsync: boolean;
  /** Whether every message is checked when a partition opens, not only the tail. */
  readonly validateChecksum: boolean;
  /** Whether stored and deleted offsets are answered when they are durable, whatever the level; not if absent (spec P9 11.2). */
  readonly persistsOffsets?: boolean | undefined;
  /** Most files that one shard keeps open. */
  readonly openFilesMax: number;
  /** Most single consumers, and most groups, whose offset one partition keeps; absent: no limit. */
  readonly consumerOffsetsMax?: number | undefined;
  /** Whether messages whose id was taken lately are dropped (spec SB 4.4). */
  readonly deduplication?: DeduplicationOptions | undefined;
}

export interface DeduplicationOptions {
  /** Ids remembered per partition; 0 and more than 1,048,576 mean 1,048,576. The oldest make room for new ones. */
  readonly maxEntries: number;
  /** How long an id is remembered; 0 for as long as there is room. */
  readonly expiryMicros: number;
}

/** AES-256-GCM with one key (spec SB 4.9); other layers bring it. */
export interface MessageCipher {
  /** Bytes that encryption adds. */
  readonly overheadBytes: number;
  /** Nonce, ciphertext and tag, as bytes of their own. */
  encrypt(bytes: Uint8Array): Uint8Array;
  /** The clear bytes; undefined when they were encrypted with another key, or not at all, or changed since. */
  decrypt(bytes: Uint8Array): Uint8Array | undefined;
}

export interface EncryptionOptions {
  readonly cipher: MessageCipher;
  /** 32 random bytes, for the ids of messages that come without one. */
  readonly makeSeed: () => Uint8Array;
}

export interface StorageLog {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** What storage counts; other layers bring the counters. */
export type StorageCounter =
  | "damagedMessages"
  | "setAside"
  | "fencedPartitions"
  | "refusedWrites"
  | "closedPartitions"
  | "repairedIndexes";

/** What the partitions of one shard share. Made by `createStorageContext`. */
export interface StorageContext {
  readonly disk: Disk;
  readonly clock: Clock;
  /** What nobody sets, for ages where the other was wrong; `clock` if not given. */
  readonly elapsed?: Clock | undefined;
  readonly options: StorageOptions;
  readonly files: FileCache;
  readonly scanMemory: ScanMemory;
  readonly log: StorageLog;
  /** Something happened `by` times, once when it is not said, for the metrics; absent where nobody counts. */
  readonly count?: ((key: StorageCounter, by?: number) => void) | undefined;
  /** Runs `flush` once at the end of this turn of the event loop. */
  readonly schedule: (flush: () => void) => void;
  /** Set where payloads and user headers are encrypted on the disk. */
  readonly encryption?: EncryptionOptions | undefined;
  /** Where directories go that are taken away; without it (tests) beside the directory of the partition. */
  readonly directories?: DirectoryRemoval | undefined;
}

/** Takes whole directories away in one step, so that their names are free at once; other layers bring it. */
export interface DirectoryRemoval {
  /**
   * Renames the directory, durably; what is in it is deleted later, also after a restart. Throws `DiskError`: then it is
   * where it was.
   */
  remove(directory: string): void;
  /** Renames it to a place where an operator finds it, durably; nothing deletes it. The same errors. */
  setAside(directory: string): void;
}

/** What the metadata says of one partition. Without it nothing of what lies in the directory is questioned. */
export interface PartitionIdentity {
  /** 24 lower-case hex digits, made when the partition was created or purged; undefined where an older version made it. */
  readonly logId: string | undefined;
  /** Whether a deletion or purge of the log with this id was logged, whose files may still be there. */
  isRemoved(logId: string): boolean;
  /** Log id of a group of the topic; undefined where an older version made the group, null where there is no such group. */
  groupLogId(groupNumber: number): string | undefined | null;
}

/**
 * A batch that `kernel.validate` accepted. The memory belongs to the partition until the promise of `append` settles:
 * the batch is stamped in place, and its bytes go from there to the disk.
 */
export interface IncomingBatch {
  readonly kernel: BatchKernel;
  /** The kernel's whole memory; the positions below are into it. */
  readonly memory: Uint8Array;
  readonly rowsPosition: number;
  readonly messagesCount: number;
  readonly messagesPosition: number;
  readonly messagesSizeBytes: number;
  /**
   * Set by the append, before it settles: offset of the first message. Where every message repeats one that is there already
   * (deduplication) it is that of the message that comes next.
   */
  firstOffset?: number;
}

export interface ConsumerKey {
  readonly kind: "consumer" | "group";
  readonly id: number;
  /** Of a single consumer that goes by one: the id is its hash (spec BP 3.3). For people only. */
  readonly name?: string | undefined;
}

/** Where a read starts (spec SB 4.6). */
export type ReadFrom =
  | { readonly kind: "offset"; readonly offset: number }
  | { readonly kind: "timestamp"; readonly timestampMicros: number }
  | { readonly kind: "first" }
  | { readonly kind: "last" }
  | { readonly kind: "next"; readonly consumer: ConsumerKey };

/** A run of whole messages: part of a file, or bytes that nobody changes any more. */
export type ReadPart =
  | { readonly kind: "file"; readonly file: DiskFile; readonly position: number; readonly sizeBytes: number }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array };

export interface ReadResult {
  /** Last offset that readers may see; 0 while nothing was ever written. */
  readonly currentOffset: number;
  readonly messagesCount: number;
  /** Messages that were left out since they are damaged or could not be decrypted (spec SB 4.9). */
  readonly skippedCount: number;
  /** Of the messages and of those left out: where a reader goes on. Meaningful when there is one of either. */
  readonly lastOffset: number;
  readonly sizeBytes: number;
  readonly parts: readonly ReadPart[];
  /** Of the partition when it was read: what is stored because of this read does not reach past a purge. */
  readonly epoch: number;
  /** Ends the use of the parts; their files may close then. Calling it twice is fine. */
  release(): void;
}

/** Changed in place: whoever needs the difference keeps the old numbers. */
export interface PartitionCounters {
  segmentsCount: number;
  /** Last offset that readers may see; 0 while nothing was ever written. */
  currentOffset: number;
  /** Whether offset `currentOffset` was ever given (spec SB 4.2, never-written flag). */
  hasMessages: boolean;
  sizeBytes: number;
  messagesCount: number;
}
