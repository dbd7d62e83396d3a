// 100 poll messages (spec BP 4.5).
//
//   request                                   reply
//   consumer     kind u8, identifier           0   4  partition id
//   stream       identifier                    4   8  current offset of the partition
//   topic        identifier                   12   4  messages count
//   partition    optional partition id        16   n  messages (spec BP 3.7), ascending offsets, no index rows
//   strategy     kind u8, value u64
//   count        u32; 0 is legal
//   auto commit  u8, not 0 = true
//
// The server writes its replies by positions (message-layout.ts); the reply codec is for clients and tests.

import { type Codec, decode, decodeItems, recordCodec } from "../codec.ts";
import { type Consumer, consumerCodec } from "../consumer.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import { optionalPartitionCodec } from "../optional-partition.ts";
import { type PollingStrategy, pollingStrategyCodec } from "../polling-strategy.ts";
import { booleanCodec, u32Codec } from "../primitives.ts";

export type PollMessagesRequest = {
  readonly consumer: Consumer;
  readonly stream: Identifier;
  readonly topic: Identifier;
  /** undefined: the first partition for a single consumer, the next own one for a group. */
  readonly partitionId: number | undefined;
  readonly strategy: PollingStrategy;
  readonly count: number;
  readonly autoCommit: boolean;
};

export const pollMessagesRequestCodec: Codec<PollMessagesRequest> = recordCodec<PollMessagesRequest>({
  consumer: consumerCodec,
  stream: identifierCodec,
  topic: identifierCodec,
  partitionId: optionalPartitionCodec,
  strategy: pollingStrategyCodec,
  count: u32Codec,
  autoCommit: booleanCodec,
});

/** A message as it was stored. `payload` and `userHeaders` are views of the reply. */
export type PolledMessage = {
  readonly checksum: bigint;
  readonly id: bigint;
  readonly offset: bigint;
  /** Server time of the append. */
  readonly timestampMicros: bigint;
  /** Client time. */
  readonly originTimestampMicros: bigint;
  /** 0, except in messages whose sender wrote something else; clients may ignore it. */
  readonly reserved: bigint;
  readonly payload: Uint8Array;
  /** Encoded header map (user-headers.ts); empty without headers. */
  readonly userHeaders: Uint8Array;
};

export type PolledMessages = {
  readonly partitionId: number;
  readonly currentOffset: bigint;
  readonly messages: readonly PolledMessage[];
};

const polledMessageCodec: Codec<PolledMessage> = {
  encode(writer, message) {
    writer.u64(message.checksum);
    writer.u128(message.id);
    writer.u64(message.offset);
    writer.u64(message.timestampMicros);
    writer.u64(message.originTimestampMicros);
    writer.u32(message.userHeaders.length);
    writer.u32(message.payload.length);
    writer.u64(message.reserved);
    writer.bytes(message.payload);
    writer.bytes(message.userHeaders);
  },
  decode(reader) {
    const checksum = reader.u64();
    const id = reader.u128();
    const offset = reader.u64();
    const timestampMicros = reader.u64();
    const originTimestampMicros = reader.u64();
    const userHeadersLength = reader.u32();
    const payloadLength = reader.u32();
    const reserved = reader.u64();
    const payload = reader.bytes(payloadLength);
    const userHeaders = reader.bytes(userHeadersLength);
    return { checksum, id, offset, timestampMicros, originTimestampMicros, reserved, payload, userHeaders };
  },
};

export type PollMessagesReply = PolledMessages;

/** Reads exactly as many messages as the head says; a message that is cut is InvalidCommand (3). */
export const pollMessagesReplyCodec: Codec<PollMessagesReply> = {
  encode(writer, polled) {
    writer.u32(polled.partitionId);
    writer.u64(polled.currentOffset);
    writer.u32(polled.messages.length);
    for (const message of polled.messages) polledMessageCodec.encode(writer, message);
  },
  decode(reader) {
    const partitionId = reader.u32();
    const currentOffset = reader.u64();
    const messages = decodeItems(polledMessageCodec, reader, reader.u32());
    return { partitionId, currentOffset, messages };
  },
};

/** Messages of a poll reply as objects with views of `bytes`. */
export function decodePolledMessages(bytes: Uint8Array): PolledMessages {
  return decode(pollMessagesReplyCodec, bytes);
}
