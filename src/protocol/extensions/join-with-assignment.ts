// 200,003 join with assignment (docs/protocol-extensions.md). Request: as 604 join consumer group. Reply: assignment number u64,
// count u32, partition ids u32 each.

import { type Codec, countedListCodec, recordCodec } from "../codec.ts";
import { joinConsumerGroupRequestCodec } from "../group/join-consumer-group.ts";
import { u32Codec, u64Codec } from "../primitives.ts";

/** What a member of a group may poll. */
export type MemberAssignment = {
  /** Opaque: the same number is the same assignment. Never 0. */
  readonly assignmentNumber: bigint;
  /** In the order in which the member got them, without those that wait to be moved to another. */
  readonly partitionIds: readonly number[];
};

export const joinWithAssignmentRequestCodec = joinConsumerGroupRequestCodec;

export const joinWithAssignmentReplyCodec: Codec<MemberAssignment> = recordCodec<MemberAssignment>({
  assignmentNumber: u64Codec,
  partitionIds: countedListCodec(u32Codec),
});
