// 200,004 subscribe, 200,005 add credit, 200,006 unsubscribe (docs/protocol-extensions.md).
//
//   subscribe                                       add credit              unsubscribe
//   poll             as 100 poll messages           subscription id  u32    subscription id  u32
//   subscription id  u32                            credit           u32
//   credit           u32, bytes of messages
//
// The reply to the first is the current offset of the partition, u64; those to the others are empty. What comes then are pushes
// (pushes.ts).

import { type Codec, emptyCodec, recordCodec } from "../codec.ts";
import { type PollMessagesRequest, pollMessagesRequestCodec } from "../message/poll-messages.ts";
import { u32Codec, u64Codec } from "../primitives.ts";

type Credit = {
  /** Chosen by the client; one open subscription of a connection has it. */
  readonly subscriptionId: number;
  /** Bytes of messages that the client takes, or takes beyond those that it has said before. */
  readonly credit: number;
};

/** `count`: most messages of one push; 0: as many as fit. */
export type SubscribeRequest = PollMessagesRequest & Credit;

export type SubscribeReply = { readonly currentOffset: bigint };

export type AddCreditRequest = Credit;

export type UnsubscribeRequest = { readonly subscriptionId: number };

/** Most subscriptions of one connection, those that follow partitions included. */
export const subscriptionsPerConnectionMax = 1024;

/** Most bytes of messages in a push, unless one message has more. */
export const pushBytesMax = 1024 * 1024;

/** More credit than this is this much. */
export const creditBytesMax = 2 ** 32 - 1;

const creditCodec = recordCodec<Credit>({ subscriptionId: u32Codec, credit: u32Codec });

export const subscribeRequestCodec: Codec<SubscribeRequest> = {
  encode(writer, request) {
    pollMessagesRequestCodec.encode(writer, request);
    creditCodec.encode(writer, request);
  },
  decode(reader) {
    const poll = pollMessagesRequestCodec.decode(reader);
    return { ...poll, ...creditCodec.decode(reader) };
  },
};

export const subscribeReplyCodec: Codec<SubscribeReply> = recordCodec<SubscribeReply>({ currentOffset: u64Codec });

export const addCreditRequestCodec: Codec<AddCreditRequest> = creditCodec;

export const addCreditReplyCodec = emptyCodec;

export const unsubscribeRequestCodec: Codec<UnsubscribeRequest> = recordCodec<UnsubscribeRequest>({
  subscriptionId: u32Codec,
});

export const unsubscribeReplyCodec = emptyCodec;
