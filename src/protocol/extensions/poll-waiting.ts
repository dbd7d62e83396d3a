// 200,001 poll that waits (docs/protocol-extensions.md).
//
//   request                                        reply
//   poll              as 100 poll messages         ending             u8
//   wait              u32, ms                      assignment number  u64; 0: not of a group's member
//   bytes max         u32; 0: as many as a         partition ids      flag u8; if 1 count u32, u32 each
//                     reply holds                  polled             as the reply of 100
//   known assignment  u64; 0: none
//   positions         count u32, then
//                     partition id u32, offset u64
//
// A member that names no partition asks for all of its own; each is read from its position, or as the strategy says. A single
// consumer that names none asks for those with positions.

import { type Codec, countedListCodec, recordCodec } from "../codec.ts";
import {
  type PolledMessages,
  type PollMessagesRequest,
  pollMessagesReplyCodec,
  pollMessagesRequestCodec,
} from "../message/poll-messages.ts";
import { enumerationCodec, flaggedCodec, u32Codec, u64Codec } from "../primitives.ts";

/** Where a consumer goes on in a partition. */
export type PartitionPosition = { readonly partitionId: number; readonly offset: bigint };

type Waiting = {
  /** More than `waitMsMax` is that. */
  readonly waitMs: number;
  /** Most bytes of messages, unless one has more; 0: as many as a reply holds. */
  readonly bytesMax: number;
  /** Number of the assignment that the member knows; 0: it does not care. */
  readonly knownAssignment: bigint;
  readonly positions: readonly PartitionPosition[];
};

export type PollWaitingRequest = PollMessagesRequest & Waiting;

/** Longest wait, ms. */
export const waitMsMax = 30_000;

/** Most partitions that one poll reads and waits for, and most positions in it. */
export const waitPartitionsMax = 1024;

const waitingCodec = recordCodec<Waiting>({
  waitMs: u32Codec,
  bytesMax: u32Codec,
  knownAssignment: u64Codec,
  positions: countedListCodec(recordCodec<PartitionPosition>({ partitionId: u32Codec, offset: u64Codec })),
});

export const pollWaitingRequestCodec: Codec<PollWaitingRequest> = {
  encode(writer, request) {
    pollMessagesRequestCodec.encode(writer, request);
    waitingCodec.encode(writer, request);
  },
  decode(reader) {
    const poll = pollMessagesRequestCodec.decode(reader);
    return { ...poll, ...waitingCodec.decode(reader) };
  },
};

/** Why the poll was answered when it was. */
export const PollEndingCode = {
  /** There are messages. */
  messages: 0,
  /** The time is over. */
  timeOver: 1,
  /** Another request came behind it, or the connection or the server ends. */
  overtaken: 2,
  /** The member has another assignment than it knows, or than when the poll came; or the partition is not its own. */
  assignmentChanged: 3,
  /** The partition was purged, or ends before the position: offsets have begun anew. */
  offsetsReset: 4,
  /** It did not wait: for none was asked, more wait than may, or the transport cannot. */
  notWaited: 5,
} as const;
export type PollEnding = keyof typeof PollEndingCode;

/** Partition of a reply that is about none. */
export const noPartitionId = 2 ** 32 - 1;

/** What stands in a reply before the poll's own. */
export type PollWaitingHead = {
  readonly ending: PollEnding;
  /** Opaque: the same number is the same assignment. 0: the poll is not one of a group's member. */
  readonly assignmentNumber: bigint;
  /** All partitions of the member, in the order in which it got them; undefined where it knows the number already. */
  readonly partitionIds: readonly number[] | undefined;
};

export type PollWaitingReply = PollWaitingHead & { readonly polled: PolledMessages };

const head = {
  ending: enumerationCodec(PollEndingCode),
  assignmentNumber: u64Codec,
  partitionIds: flaggedCodec(countedListCodec(u32Codec)),
};

export const pollWaitingHeadCodec: Codec<PollWaitingHead> = recordCodec<PollWaitingHead>(head);

/** For clients and tests: the server writes what is behind the head by positions. */
export const pollWaitingReplyCodec: Codec<PollWaitingReply> = recordCodec<PollWaitingReply>({
  ...head,
  polled: pollMessagesReplyCodec,
});
