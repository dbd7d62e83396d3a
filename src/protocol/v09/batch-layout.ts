// Byte positions of what 0.9 sends, stores and polls: batch records of a header and message frames (spec P9 8.1, 8.2, 8.4),
// and the head of a send. Sends and polls read and write them without a codec; batch-record.ts has them as objects.

import { ByteReader, readU32 } from "../byte-reader.ts";
import { writeU32 } from "../byte-writer.ts";
import { IggyError } from "../errors.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import { pollReplyHeadBytes } from "../message-layout.ts";
import { type Partitioning, partitioningCodec } from "../partitioning.ts";

/** Header of a batch record. */
export const BatchHeaderLayout = {
  /** u64; 0 from a producer. */
  partitionId: 0,
  /** u64; 0 from a producer. */
  baseOffset: 8,
  /** u64, µs; 0 from a producer, then the server time of every message of the record. */
  baseTimestamp: 16,
  /** u64, µs; smallest client time of the record. */
  originTimestamp: 24,
  /** u64; header and frames. */
  batchLength: 32,
  /** u64; XXH3-64 of `batchChecksumFieldsBytes` of header fields and of the stored checksums of all messages. */
  checksum: 40,
  /** u32; at least 1. */
  messagesCount: 48,
  /** 204 bytes; 0 */
  reserved: 52,
} as const;

/** Size of a batch header. */
export const batchHeaderBytes = 256;

/** Size of the header fields that the batch checksum covers, packed: five u64 and the count. */
export const batchChecksumFieldsBytes = 44;

/** Inside one message frame; the user headers follow the payload. */
export const MessageFrameLayout = {
  /** u64; XXH3-64 of every byte from `checksumStart` to the end of the frame. */
  checksum: 0,
  /** First byte that the checksum covers. */
  checksumStart: 8,
  /** u128; made by the producer. */
  id: 8,
  /** u32; offset of the message less base offset of the record. */
  offsetDelta: 24,
  /** u32, µs; client time of the message less that of the record. */
  timestampDelta: 28,
  /** u32 */
  userHeadersLength: 32,
  /** u32 */
  payloadLength: 36,
  /** u64; 0 */
  reserved: 40,
  /** Start of the payload. */
  payload: 48,
} as const;

/** Size of the header of a message frame. */
export const messageFrameBytes = 48;

/** Largest span of client times in one record: what a delta can say. */
export const timestampDeltaMaxMicros = 2 ** 32 - 1;

/** The head of a poll reply is that of 0.8 (`PollReplyLayout`); behind it come records. */
export { PollReplyLayout, pollReplyHeadBytes } from "../message-layout.ts";

/** Partition id of a poll reply that says: sync the group again (spec P9 9.4). */
export const syncMark = 2 ** 32 - 1;

/** The answer to a poll of a partition that the member does not own: the mark, current offset 0, no messages. */
export function encodeFencedPoll(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(pollReplyHeadBytes).fill(0xff, 0, 4);
}

/** Inside the reply to a send: one confirmation (spec P9 8.3). */
export const SendReplyLayout = {
  /** u32; 1 */
  confirmationsCount: 0,
  /** u32 */
  streamId: 4,
  /** u32 */
  topicId: 8,
  /** u32 */
  partitionId: 12,
  /** u64; offset of the first message. */
  baseOffset: 16,
} as const;

/** Size of the reply to a send. */
export const sendReplyBytes = 24;

/** Writes the reply to a send at `position` of `target`; `baseOffset` is a whole number below 2^53. */
export function writeSendReply(
  target: Uint8Array,
  position: number,
  streamId: number,
  topicId: number,
  partitionId: number,
  baseOffset: number,
): void {
  writeU32(target, position + SendReplyLayout.confirmationsCount, 1);
  writeU32(target, position + SendReplyLayout.streamId, streamId);
  writeU32(target, position + SendReplyLayout.topicId, topicId);
  writeU32(target, position + SendReplyLayout.partitionId, partitionId);
  writeU32(target, position + SendReplyLayout.baseOffset, baseOffset % 2 ** 32);
  writeU32(target, position + SendReplyLayout.baseOffset + 4, Math.floor(baseOffset / 2 ** 32));
}

/** Where a batch goes, how many messages it has, and where its header stands; frames follow to the end of the body. */
export type SendHead09 = {
  readonly stream: Identifier;
  readonly topic: Identifier;
  readonly partitioning: Partitioning;
  readonly messagesCount: number;
  readonly batchPosition: number;
};

/**
 * Reads the head of a send whose body lies in `bytes` from `position` to `end`, and holds it against the batch header.
 * `elsewhereBytes`: what of the body follows behind `end`, in another memory. Nothing is copied: a partitioning key is a
 * view. Errors (spec P9 7.2, 8.2): InvalidCommand (3) for metadata that do not decode or are not used up, for two counts
 * that differ and for a batch length that is not that of the rest; InvalidMessagesCount (4009) for no messages. Frames,
 * reserved bytes and checksums are not looked at.
 */
export function readSendHead09(bytes: Uint8Array, position: number, end: number, elsewhereBytes = 0): SendHead09 {
  const body = new ByteReader(bytes, position, end);
  const metadataBytes = body.u32();
  const batchPosition = body.position + metadataBytes;
  if (batchPosition + batchHeaderBytes > body.end) throw new IggyError("InvalidCommand");
  const metadata = readMetadata(new ByteReader(bytes, body.position, batchPosition));

  const { messagesCount } = metadata;
  const batchCount = readU32(bytes, batchPosition + BatchHeaderLayout.messagesCount);
  if (batchCount !== messagesCount) throw new IggyError("InvalidCommand");
  if (messagesCount === 0) throw new IggyError("InvalidMessagesCount");
  const lengthLow = readU32(bytes, batchPosition + BatchHeaderLayout.batchLength);
  const lengthHigh = readU32(bytes, batchPosition + BatchHeaderLayout.batchLength + 4);
  if (lengthHigh !== 0 || lengthLow !== body.end + elsewhereBytes - batchPosition)
    throw new IggyError("InvalidCommand");
  return { ...metadata, batchPosition };
}

/** Whatever is wrong with the metadata is one error: a layout that does not fit (spec P9 8.2). */
function readMetadata(reader: ByteReader): Omit<SendHead09, "batchPosition"> {
  try {
    const stream = identifierCodec.decode(reader);
    const topic = identifierCodec.decode(reader);
    const partitioning = partitioningCodec.decode(reader);
    const messagesCount = reader.u32();
    if (reader.remaining !== 0) throw new IggyError("InvalidCommand");
    return { stream, topic, partitioning, messagesCount };
  } catch (cause) {
    throw new IggyError("InvalidCommand", [], { cause });
  }
}
