// What a read of a partition gives to whoever asked for it on this shard.
import type { ReadResult } from "../storage/index.ts";
import type { ReplyPart } from "./messages.ts";
import { lastOffsetOf, toReplyPart } from "./partition-owner.ts";

/** The outcome of a read, to be sent and then released. */
export interface ShardRead {
  readonly currentOffset: number;
  readonly messagesCount: number;
  readonly sizeBytes: number;
  readonly parts: readonly ReplyPart[];
  release(): void;
}

/** The same for whoever reads on behind it. */
export interface PlacedRead extends ShardRead {
  /** Of the messages and of those that are left out since they are damaged; -1: there are none. */
  readonly lastOffset: number;
  /** Of the partition: another one after a purge. */
  readonly epoch: number;
}

/** Of a read of a partition that this shard owns. */
export function toShardRead(result: ReadResult): PlacedRead {
  return {
    currentOffset: result.currentOffset,
    messagesCount: result.messagesCount,
    lastOffset: lastOffsetOf(result),
    epoch: result.epoch,
    sizeBytes: result.sizeBytes,
    parts: result.parts.map(toReplyPart),
    release: () => result.release(),
  };
}
