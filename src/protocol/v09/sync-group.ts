// 606 sync group (spec P9 9.2). Request: stream, topic, group, each an identifier. Reply: generation u64, count u32, partition
// ids u32 each; empty if the client is no member.

import { type Codec, countedListCodec, recordCodec } from "../codec.ts";
import { u32Codec, u64Codec } from "../primitives.ts";
import { type GroupTarget, groupTargetCodec } from "../targets.ts";

export type SyncGroupRequest = GroupTarget;

export const syncGroupRequestCodec = groupTargetCodec;

export type SyncGroupReply = {
  /** Grows with every change of the group's assignment; 1 after the first join. */
  readonly generation: bigint;
  /** Partitions that the member may poll: not those pending revocation. */
  readonly partitionIds: readonly number[];
};

export const syncGroupReplyCodec: Codec<SyncGroupReply> = recordCodec<SyncGroupReply>({
  generation: u64Codec,
  partitionIds: countedListCodec(u32Codec),
});
