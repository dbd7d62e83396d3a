// What a member of a group may poll, with a number by which it knows whether that has changed (docs/protocol-extensions.md).
import { type ConsumerGroup, type GroupMember, pollablePartitions } from "../../metadata/index.ts";

export interface Assignment {
  /** The same number, in one membership, is the same list, and nobody else had any of it in between. */
  readonly number: bigint;
  /** In the order in which the member got them, without those that wait to be moved. */
  readonly partitionIds: readonly number[];
}

/**
 * The group's generation, which grows with whatever is given out differently, and a hash of the list: where a partition moves
 * within the same generation, as at a join (spec P9 9.2), the hash tells.
 */
export function assignmentOf({ generation }: ConsumerGroup, member: GroupMember): Assignment {
  const partitionIds = [...pollablePartitions(member)];
  return { number: (BigInt(generation) << 32n) | BigInt(hashOf(partitionIds)), partitionIds };
}

/** Whether a member has other partitions now than in `assignment`. */
export function hasOthers(assignment: Assignment, member: GroupMember): boolean {
  const now = pollablePartitions(member);
  const { partitionIds } = assignment;
  return now.length !== partitionIds.length || now.some((id, index) => id !== partitionIds[index]);
}

function hashOf(partitionIds: readonly number[]): number {
  return Bun.hash.xxHash32(Uint32Array.from(partitionIds));
}
