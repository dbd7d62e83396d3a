// What a broker sends to a subscriber without being asked (docs/protocol-extensions.md): a frame as that of a reply, with a
// number of `PushCode` in the place of the status. The first four bytes of the payload say whose it is.
//
//   messages   subscription id u32, then as the reply of 100
//   end        subscription id u32, ending u8, error code u32; 0: none
//   partitions subscription id u32, number u64, count u32, partition ids u32 each

import { type Codec, countedListCodec, recordCodec } from "../codec.ts";
import { type PolledMessages, pollMessagesReplyCodec } from "../message/poll-messages.ts";
import { enumerationCodec, u32Codec, u64Codec } from "../primitives.ts";
import type { MemberAssignment } from "./join-with-assignment.ts";

/** Size of what stands in a push before all else. */
export const subscriptionIdBytes = 4;

/** Why a subscription is over; the numbers are those of the endings of polls that wait, as far as they have them. */
export const SubscriptionEndingCode = {
  /** The partition does not belong to the member any more, or waits to be moved. */
  assignmentChanged: 3,
  /** The partition was purged, or ends before the position: offsets have begun anew. */
  offsetsReset: 4,
  /** Its code says why. */
  error: 6,
} as const;
export type SubscriptionEnding = keyof typeof SubscriptionEndingCode;

export type MessagesPush = { readonly subscriptionId: number; readonly polled: PolledMessages };

export type EndPush = {
  readonly subscriptionId: number;
  readonly ending: SubscriptionEnding;
  /** 0 but for the ending `error`. */
  readonly errorCode: number;
};

export type PartitionsPush = MemberAssignment & { readonly subscriptionId: number };

/** For clients and tests: the server writes the messages by positions. */
export const messagesPushCodec: Codec<MessagesPush> = recordCodec<MessagesPush>({
  subscriptionId: u32Codec,
  polled: pollMessagesReplyCodec,
});

export const endPushCodec: Codec<EndPush> = recordCodec<EndPush>({
  subscriptionId: u32Codec,
  ending: enumerationCodec(SubscriptionEndingCode),
  errorCode: u32Codec,
});

export const partitionsPushCodec: Codec<PartitionsPush> = recordCodec<PartitionsPush>({
  subscriptionId: u32Codec,
  assignmentNumber: u64Codec,
  partitionIds: countedListCodec(u32Codec),
});
