// Whether a position lies behind the end of its partition, which readers can have come to only before a purge.
import { findPartition, type MetadataState } from "../../metadata/index.ts";
import { type Shard, splitPartitionKey } from "../../shard/index.ts";
import type { ReadFrom } from "../../storage/index.ts";

/** `currentOffset`: of the partition, as a read from there has found it. */
export function isBehindEnd(shard: Shard, partitionKey: number, from: ReadFrom, currentOffset: number): boolean {
  if (from.kind !== "offset" || from.offset <= currentOffset) return false;
  if (from.offset > currentOffset + 1) return true;
  // At a head of 0 there may be one message or none.
  return from.offset === 1 && isThere(shard.state, partitionKey) && !shard.counters.partition(partitionKey).hasMessages;
}

/** Whether the partition exists, as this shard knows it. */
export function isThere(state: MetadataState, partitionKey: number): boolean {
  const { streamId, topicId, partitionId } = splitPartitionKey(partitionKey);
  const topic = state.streams.byId.get(streamId)?.topics.byId.get(topicId);
  return topic !== undefined && findPartition(topic, partitionId) !== undefined;
}
