// How far a consumer is behind in a partition.

import type { Client } from "../../client/index.bun.ts";
import type { Consumer } from "../../protocol/consumer.ts";
import type { PartitionRecord } from "../../protocol/records/partition-record.ts";
import { numberText } from "../output/words.ts";
import type { TopicPlace } from "./places.ts";

export interface Lag {
  /** Undefined: none is stored. */
  readonly committed: bigint | undefined;
  /** Offset of the last message; undefined in a partition that never had one. */
  readonly head: bigint | undefined;
  /** Messages that are still to come. */
  readonly lag: bigint;
}

/** Where a partition ends, and how far a stored offset is behind. */
export function lagOf({ currentOffset, messagesCount }: PartitionRecord, committed: bigint | undefined): Lag {
  const head = messagesCount === 0n && currentOffset === 0n ? undefined : currentOffset;
  if (head === undefined) return { committed, head, lag: 0n };
  // Without an offset the messages that are there are to come.
  const lag = committed === undefined ? messagesCount : head > committed ? head - committed : 0n;
  return { committed, head, lag };
}

/** The stored offset of a consumer in each of the partitions. */
export async function committedOffsets(
  client: Client,
  { stream, topic }: TopicPlace,
  consumer: Consumer,
  partitions: readonly PartitionRecord[],
): Promise<readonly (bigint | undefined)[]> {
  const offsets = partitions.map(({ id }) => client.getConsumerOffset({ stream, topic, consumer, partitionId: id }));
  return (await Promise.all(offsets)).map((offset) => offset?.storedOffset);
}

/** – for what is not there. */
export function offsetText(offset: bigint | undefined): string {
  return offset === undefined ? "–" : numberText(offset);
}
