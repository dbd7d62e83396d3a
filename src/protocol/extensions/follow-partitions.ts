// 200,007 follow partitions (docs/protocol-extensions.md).
//
//   request                               reply
//   subscription id  u32                  number         u64
//   consumer         kind u8, identifier  partition ids  count u32, u32 each
//   stream           identifier
//   topic            identifier
//
// The same comes as a push (pushes.ts) whenever it has changed.

import { type Codec, recordCodec } from "../codec.ts";
import { type Consumer, consumerCodec } from "../consumer.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import { u32Codec } from "../primitives.ts";
import { joinWithAssignmentReplyCodec, type MemberAssignment } from "./join-with-assignment.ts";

export type FollowPartitionsRequest = {
  readonly subscriptionId: number;
  /** A group: what its member, the client, may poll. Else: all partitions of the topic. */
  readonly consumer: Consumer;
  readonly stream: Identifier;
  readonly topic: Identifier;
};

export const followPartitionsRequestCodec: Codec<FollowPartitionsRequest> = recordCodec<FollowPartitionsRequest>({
  subscriptionId: u32Codec,
  consumer: consumerCodec,
  stream: identifierCodec,
  topic: identifierCodec,
});

export const followPartitionsReplyCodec: Codec<MemberAssignment> = joinWithAssignmentReplyCodec;
