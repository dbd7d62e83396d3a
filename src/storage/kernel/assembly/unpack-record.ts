// A batch of a 0.9 producer becomes a batch of 0.8 messages, in place (spec P9 8.2, 8.5): checked frame by frame, moved
// down over the frames that are done, with the rows that a client of 0.8 would have sent.

import {
  frameChecksum,
  frameHeaderSizeBytes,
  frameHeadersLength,
  frameId,
  framePayloadLength,
  frameReserved,
  frameTimestampDelta,
  messageChecksum,
  messageHeaderSizeBytes,
  messageHeadersLength,
  messageId,
  messageOffset,
  messageOriginTimestamp,
  messagePayloadLength,
  messageReserved,
  messageTimestamp,
  payloadMaxBytes,
  recordBaseOffset,
  recordBaseTimestamp,
  recordChecksum,
  recordHeaderSizeBytes,
  recordLength,
  recordMessagesCount,
  recordOriginTimestamp,
  recordPartitionId,
  recordReserved,
  rowEndPosition,
  rowRelativeOffset,
  rowSizeBytes,
  rowTimestamp,
  userHeadersMaxBytes,
} from "./layout";
import { addMessageChecksum, beginRecordChecksum, clearHeader, endRecordChecksum } from "./record-checksum";
import { xxh3 } from "./xxh3";

const ok: i32 = 0;
/** The caller's areas are too small for the count; the same number stands in `wasm-batch-kernel.ts`. */
const noRoom: i32 = -1;
const invalidCommand: i32 = 3;
const invalidMessagesCount: i32 = 4009;
const tooBigUserHeaders: i32 = 4017;
const tooBigMessagePayload: i32 = 4022;
const invalidMessageChecksum: i32 = 4027;
const invalidBatchChecksum: i32 = 4039;

/** 0, an error code, or `noRoom`. The header is as before when the call returns; it is written to in between. */
export function unpackRecord(header: usize, frames: usize, framesBytes: u32, rows: usize, messages: usize): i32 {
  const count = load<u32>(header, recordMessagesCount);
  if (count == 0) return invalidMessagesCount;
  const length = load<u64>(header, recordLength);
  if (length != recordHeaderSizeBytes + <u64>framesBytes || !isReservedZero(header)) return invalidCommand;
  // Before anything is counted on: from here on the count is as small as the bytes that came.
  if (<u64>count * frameHeaderSizeBytes > <u64>framesBytes) return invalidCommand;
  const rowsBytes = <u64>count * <u64>rowSizeBytes;
  const growthBytes = <u64>count * (messageHeaderSizeBytes - frameHeaderSizeBytes);
  if (<u64>rows + rowsBytes > <u64>messages || <u64>messages + growthBytes > <u64>frames) return noRoom;

  const partitionId = load<u64>(header, recordPartitionId);
  const baseOffset = load<u64>(header, recordBaseOffset);
  const baseTimestamp = load<u64>(header, recordBaseTimestamp);
  const originTimestamp = load<u64>(header, recordOriginTimestamp);
  const checksum = load<u64>(header, recordChecksum);
  beginRecordChecksum(header, count);
  let code = moveFrames(frames, framesBytes, count, originTimestamp, rows, messages);
  if (code == ok && endRecordChecksum() != checksum) code = invalidBatchChecksum;
  store<u64>(header, partitionId, recordPartitionId);
  store<u64>(header, baseOffset, recordBaseOffset);
  store<u64>(header, baseTimestamp, recordBaseTimestamp);
  store<u64>(header, originTimestamp, recordOriginTimestamp);
  store<u64>(header, length, recordLength);
  store<u64>(header, checksum, recordChecksum);
  store<u32>(header, count, recordMessagesCount);
  clearHeader(header, recordReserved);
  return code;
}

function isReservedZero(header: usize): bool {
  let bits: u64 = load<u32>(header, recordReserved);
  for (let at = recordReserved + 4; at < <usize>recordHeaderSizeBytes; at += 8) bits |= load<u64>(header + at);
  return bits == 0;
}

/**
 * Message i ends 16 × (count − 1 − i) bytes or more before frame i, so a write never reaches a frame that is still to be
 * read; frame i itself is read before it is written over.
 */
function moveFrames(
  frames: usize,
  framesBytes: u32,
  count: u32,
  originTimestamp: u64,
  rows: usize,
  messages: usize,
): i32 {
  let frame = frames;
  let leftBytes: u64 = framesBytes;
  let message = messages;
  let row = rows;
  for (let left = count; left != 0; left--) {
    if (leftBytes < frameHeaderSizeBytes) return invalidCommand;
    const headersLength = load<u32>(frame, frameHeadersLength);
    const payloadLength = load<u32>(frame, framePayloadLength);
    const dataBytes: u64 = <u64>headersLength + <u64>payloadLength;
    const frameBytes = frameHeaderSizeBytes + dataBytes;
    if (frameBytes > leftBytes || load<u64>(frame, frameReserved) != 0) return invalidCommand;
    if (payloadLength > payloadMaxBytes) return tooBigMessagePayload;
    if (headersLength > userHeadersMaxBytes) return tooBigUserHeaders;
    const checksum = xxh3(frame + frameId, <u32>frameBytes - <u32>frameId);
    if (load<u64>(frame, frameChecksum) != checksum) return invalidMessageChecksum;
    addMessageChecksum(checksum);

    const idLow = load<u64>(frame, frameId);
    const idHigh = load<u64>(frame, frameId + 8);
    const timestampDelta: u64 = load<u32>(frame, frameTimestampDelta);
    memory.copy(
      message + <usize>messageHeaderSizeBytes,
      frame + <usize>frameHeaderSizeBytes,
      <usize>dataBytes,
    );
    store<u64>(message, 0, messageChecksum);
    store<u64>(message, idLow, messageId);
    store<u64>(message, idHigh, messageId + 8);
    store<u64>(message, 0, messageOffset);
    store<u64>(message, 0, messageTimestamp);
    store<u64>(message, originTimestamp + timestampDelta, messageOriginTimestamp);
    store<u32>(message, headersLength, messageHeadersLength);
    store<u32>(message, payloadLength, messagePayloadLength);
    store<u64>(message, 0, messageReserved);

    frame += <usize>frameBytes;
    leftBytes -= frameBytes;
    message += <usize>(messageHeaderSizeBytes + dataBytes);
    store<u32>(row, 0, rowRelativeOffset);
    store<u32>(row, <u32>(message - messages), rowEndPosition);
    store<u64>(row, 0, rowTimestamp);
    row += rowSizeBytes;
  }
  return leftBytes == 0 ? ok : invalidCommand;
}
