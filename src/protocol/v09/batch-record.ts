// Batch records as objects (spec P9 8.2), and the bodies of sends and polls that carry them: for clients, tools and tests. The
// server works on the bytes (batch-layout.ts). Checksums are values here: they are neither made nor checked.

import { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { type Codec, countedListCodec, listCodec, recordCodec } from "../codec.ts";
import { IggyError } from "../errors.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import { type Partitioning, partitioningCodec } from "../partitioning.ts";
import { u32Codec, u64Codec } from "../primitives.ts";
import { BatchHeaderLayout, batchHeaderBytes, messageFrameBytes, readSendHead09 } from "./batch-layout.ts";

/** A message of a record. `payload` and `userHeaders` are views of what was read. */
export type MessageFrame = {
  readonly checksum: bigint;
  readonly id: bigint;
  readonly offsetDelta: number;
  readonly timestampDeltaMicros: number;
  readonly payload: Uint8Array;
  readonly userHeaders: Uint8Array;
};

/** A record; its length and count follow from the messages. */
export type BatchRecord = {
  readonly partitionId: bigint;
  readonly baseOffset: bigint;
  readonly baseTimestampMicros: bigint;
  readonly originTimestampMicros: bigint;
  readonly checksum: bigint;
  readonly messages: readonly MessageFrame[];
};

const batchReservedBytes = batchHeaderBytes - BatchHeaderLayout.reserved;

function sizeOf({ payload, userHeaders }: MessageFrame): number {
  return messageFrameBytes + payload.length + userHeaders.length;
}

function writeFrame(writer: ByteWriter, frame: MessageFrame): void {
  writer.u64(frame.checksum);
  writer.u128(frame.id);
  writer.u32(frame.offsetDelta);
  writer.u32(frame.timestampDeltaMicros);
  writer.u32(frame.userHeaders.length);
  writer.u32(frame.payload.length);
  writer.u64(0n);
  writer.bytes(frame.payload);
  writer.bytes(frame.userHeaders);
}

function readFrame(reader: ByteReader): MessageFrame {
  const checksum = reader.u64();
  const id = reader.u128();
  const offsetDelta = reader.u32();
  const timestampDeltaMicros = reader.u32();
  const userHeadersLength = reader.u32();
  const payloadLength = reader.u32();
  if (reader.u64() !== 0n) throw new IggyError("InvalidCommand");
  const payload = reader.bytes(payloadLength);
  const userHeaders = reader.bytes(userHeadersLength);
  return { checksum, id, offsetDelta, timestampDeltaMicros, payload, userHeaders };
}

/**
 * One record. InvalidCommand (3) where the frames do not fill the batch exactly, their number is not the count, or a reserved
 * byte is not 0.
 */
export const batchRecordCodec: Codec<BatchRecord> = {
  encode(writer, record) {
    writer.u64(record.partitionId);
    writer.u64(record.baseOffset);
    writer.u64(record.baseTimestampMicros);
    writer.u64(record.originTimestampMicros);
    let batchBytes = batchHeaderBytes;
    for (const message of record.messages) batchBytes += sizeOf(message);
    writer.u64(BigInt(batchBytes));
    writer.u64(record.checksum);
    writer.u32(record.messages.length);
    writer.bytes(new Uint8Array(batchReservedBytes));
    for (const message of record.messages) writeFrame(writer, message);
  },
  decode(reader) {
    const partitionId = reader.u64();
    const baseOffset = reader.u64();
    const baseTimestampMicros = reader.u64();
    const originTimestampMicros = reader.u64();
    const framesBytes = reader.u64() - BigInt(batchHeaderBytes);
    const checksum = reader.u64();
    const messagesCount = reader.u32();
    const reserved = reader.bytes(batchReservedBytes);
    if (reserved.some((byte) => byte !== 0)) throw new IggyError("InvalidCommand");
    if (framesBytes < 0n || framesBytes > BigInt(reader.remaining)) throw new IggyError("InvalidCommand");
    const frames = new ByteReader(reader.bytes(Number(framesBytes)));
    const messages: MessageFrame[] = [];
    while (frames.remaining > 0) messages.push(readFrame(frames));
    if (messages.length !== messagesCount) throw new IggyError("InvalidCommand");
    return { partitionId, baseOffset, baseTimestampMicros, originTimestampMicros, checksum, messages };
  },
};

export type SendMessagesRequest09 = {
  readonly stream: Identifier;
  readonly topic: Identifier;
  readonly partitioning: Partitioning;
  readonly record: BatchRecord;
};

/** Body of a send (spec P9 8.1), to the end. */
export const sendMessagesRequestCodec09: Codec<SendMessagesRequest09> = {
  encode(writer, { stream, topic, partitioning, record }) {
    const start = writer.position;
    writer.u32(0);
    identifierCodec.encode(writer, stream);
    identifierCodec.encode(writer, topic);
    partitioningCodec.encode(writer, partitioning);
    writer.u32(record.messages.length);
    writer.patchU32(start, writer.position - start - 4);
    batchRecordCodec.encode(writer, record);
  },
  decode(reader) {
    const body = reader.bytes(reader.remaining);
    const { stream, topic, partitioning, batchPosition } = readSendHead09(body, 0, body.length);
    const record = batchRecordCodec.decode(new ByteReader(body, batchPosition));
    return { stream, topic, partitioning, record };
  },
};

/** Where a send has gone. */
export type SendConfirmation = {
  readonly streamId: number;
  readonly topicId: number;
  readonly partitionId: number;
  /** Offset of the first message. */
  readonly baseOffset: bigint;
};

/** Reply to a send: a count, which is 1, and the confirmations (spec P9 8.3). */
export const sendMessagesReplyCodec09: Codec<readonly SendConfirmation[]> = countedListCodec(
  recordCodec<SendConfirmation>({
    streamId: u32Codec,
    topicId: u32Codec,
    partitionId: u32Codec,
    baseOffset: u64Codec,
  }),
);

export type PolledRecords = {
  readonly partitionId: number;
  readonly currentOffset: bigint;
  readonly records: readonly BatchRecord[];
};

const recordsCodec = listCodec(batchRecordCodec);

/**
 * Reply to a poll (spec P9 8.4): the head of 0.8, then records to the end. The count is the sum over the records when writing,
 * and not looked at when reading, as in the clients.
 */
export const pollMessagesReplyCodec09: Codec<PolledRecords> = {
  encode(writer, { partitionId, currentOffset, records }) {
    writer.u32(partitionId);
    writer.u64(currentOffset);
    writer.u32(records.reduce((count, record) => count + record.messages.length, 0));
    recordsCodec.encode(writer, records);
  },
  decode(reader) {
    const partitionId = reader.u32();
    const currentOffset = reader.u64();
    reader.u32();
    return { partitionId, currentOffset, records: recordsCodec.decode(reader) };
  },
};
