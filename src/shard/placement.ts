// Where a partition lives. The number of shards and this hash are the whole placement: nothing is stored.

/** Steps between streams and topics: primes above any number of shards, so that they share no factor with it. */
const streamStep = 1009;
const topicStep = 887;

/** Stream, topic and partition id as one number (spec SB 2.2): 12, 12 and 20 bits, exact in a double. */
export function partitionKeyOf(streamId: number, topicId: number, partitionId: number): number {
  return streamId * 2 ** 32 + topicId * 2 ** 20 + partitionId;
}

/** Ids inside a key. */
export function splitPartitionKey(key: number): { streamId: number; topicId: number; partitionId: number } {
  const low = key % 2 ** 32;
  return { streamId: Math.floor(key / 2 ** 32), topicId: Math.floor(low / 2 ** 20), partitionId: low % 2 ** 20 };
}

/**
 * Shard that owns a partition. Neighbouring ids go to neighbouring shards, so that the few streams and partitions that most
 * installations have are spread evenly; the original's hash (spec SB 2.2) puts seven of the first eight streams on one of
 * two shards. Clients cannot see the placement.
 */
export function ownerShardOf(key: number, shardCount: number): number {
  if (shardCount === 1) return 0;
  const low = key % 2 ** 32;
  const topicId = Math.floor(low / 2 ** 20);
  return (Math.floor(key / 2 ** 32) * streamStep + topicId * topicStep + (low - topicId * 2 ** 20)) % shardCount;
}
