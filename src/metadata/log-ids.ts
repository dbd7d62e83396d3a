/**
 * Numbers of streams, topics, partitions and groups are given again; log ids are not. The id of a partition's log is made
 * from a base of 96 random bits, one for all partitions of a creation or purge, so that it costs the metadata nothing for
 * each partition. 24 lower-case hex digits each.
 */

/** Steps of the topic in the part of the id that tells partitions of one base apart: 20 bits are the partition's. */
const topicStep = 2 ** 20;
/** Hex digits before that part. */
const fixedDigits = 16;

/** Bytes of a base, and of the id of a group. */
export const logIdBytes = 12;

/** Id of the log of one partition; undefined where an older version made the partition. */
export function logIdOf(logBase: string | undefined, topicId: number, partitionId: number): string | undefined {
  if (logBase === undefined) return undefined;
  const low = (Number.parseInt(logBase.slice(fixedDigits), 16) ^ (topicId * topicStep + partitionId)) >>> 0;
  return logBase.slice(0, fixedDigits) + low.toString(16).padStart(8, "0");
}
