// Where a partition lives. The number of shards and this hash are the whole placement: nothing is stored.

/** Stream, topic and partition id as one number (spec SB 2.2): 12, 12 and 20 bits, exact in a double. */
export function partitionKeyOf(streamId: number, topicId: number, partitionId: number): number {
  return streamId * 2 ** 32 + topicId * 2 ** 20 + partitionId;
}

/** Ids inside a key. */
export function splitPartitionKey(key: number): { streamId: number; topicId: number; partitionId: number } {
  const low = key % 2 ** 32;
  return { streamId: Math.floor(key / 2 ** 32), topicId: Math.floor(low / 2 ** 20), partitionId: low % 2 ** 20 };
}

/** Shard that owns a partition: Murmur3 (32 bits, seed 0) of the key's eight bytes, upper half, modulo (spec SB 2.2). */
export function ownerShardOf(key: number, shardCount: number): number {
  if (shardCount === 1) return 0;
  let hash = mixBlock(0, key % 2 ** 32);
  hash = mixBlock(hash, Math.floor(key / 2 ** 32));
  hash ^= 8;
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return (hash >>> 16) % shardCount;
}

function mixBlock(hash: number, block: number): number {
  let mixed = Math.imul(block | 0, 0xcc9e2d51);
  mixed = (mixed << 15) | (mixed >>> 17);
  const next = hash ^ Math.imul(mixed, 0x1b873593);
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0;
}
