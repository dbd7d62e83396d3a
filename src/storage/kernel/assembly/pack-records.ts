// Stored messages become batch records of 0.9, for a poll (spec P9 8.2, 8.4, 8.5). A record's extent is found first, from
// the message headers alone: its count, length and smallest origin timestamp stand in front of its frames.

import {
  frameChecksum,
  frameHeaderSizeBytes,
  frameHeadersLength,
  frameId,
  frameOffsetDelta,
  framePayloadLength,
  frameReserved,
  frameTimestampDelta,
  messageHeaderSizeBytes,
  messageHeadersLength,
  messageId,
  messageOffset,
  messageOriginTimestamp,
  messagePayloadLength,
  messageTimestamp,
  recordBaseOffset,
  recordBaseTimestamp,
  recordChecksum,
  recordHeaderSizeBytes,
  recordLength,
  recordMessagesCount,
  recordOriginTimestamp,
  recordPartitionId,
  recordReserved,
} from "./layout";
import { moveFrameData } from "./frame-data";
import { addMessageChecksum, beginRecordChecksum, clearHeader, endRecordChecksum } from "./record-checksum";

/** What a delta of 32 bits can say, µs. */
const originSpanMax: u64 = 0xffffffff;

/** Of a record and of its first frame. With them in front of the messages, data lies far enough behind its place (`moveFrameData`). */
const recordHeadersBytes: usize = <usize>(recordHeaderSizeBytes + frameHeaderSizeBytes);

/** Bytes by which a message is longer than its frame. */
const shrinkBytes: u64 = messageHeaderSizeBytes - frameHeaderSizeBytes;

// The extent of the record that `findRecord` found.
let extentCount: u32 = 0;
let extentBytes: u64 = 0;
let extentFramesBytes: u64 = 0;
let extentOriginTimestamp: u64 = 0;

// The answer of `packRecords` has three numbers; two of them are fetched by their own calls.
let writtenBytes: u32 = 0;
let messagesCount: u32 = 0;

/** How many bytes the last `packRecords` wrote. */
export function packedBytes(): u32 {
  return writtenBytes;
}

/** How many messages the last `packRecords` wrote. */
export function packedMessages(): u32 {
  return messagesCount;
}

/** Returns how many bytes of messages were used. Records in front of the messages may run into those that are used. */
export function packRecords(
  messages: usize,
  sizeBytes: u32,
  target: usize,
  targetBytesMax: u32,
  partitionId: u32,
): u32 {
  let usedBytes: u32 = 0;
  writtenBytes = 0;
  messagesCount = 0;
  const isInPlace = target <= messages;
  while (findRecord(messages + usedBytes, sizeBytes - usedBytes, targetBytesMax - writtenBytes)) {
    // Each frame is shorter than its message: if the first one leaves its message alone, all do.
    if (isInPlace && target + writtenBytes + recordHeadersBytes > messages + usedBytes) break;
    writeRecord(messages + usedBytes, target + writtenBytes, partitionId);
    usedBytes += <u32>extentBytes;
    writtenBytes += <u32>(recordHeaderSizeBytes + extentFramesBytes);
    messagesCount += extentCount;
  }
  return usedBytes;
}

/** Size of the records of all whole messages; reads message headers only. */
export function measureRecords(messages: usize, sizeBytes: u32): f64 {
  let usedBytes: u32 = 0;
  let recordsBytes: u64 = 0;
  while (findRecord(messages + usedBytes, sizeBytes - usedBytes, u64.MAX_VALUE)) {
    usedBytes += <u32>extentBytes;
    recordsBytes += recordHeaderSizeBytes + extentFramesBytes;
  }
  return <f64>recordsBytes;
}

/** Whether a record begins at `messages`: at least one whole message whose frame fits. Sets the extent. */
function findRecord(messages: usize, sizeBytes: u32, targetBytesMax: u64): bool {
  extentCount = 0;
  if (<u64>sizeBytes < messageHeaderSizeBytes || targetBytesMax < recordHeaderSizeBytes) return false;
  const framesBytesMax = targetBytesMax - recordHeaderSizeBytes;
  const timestamp = load<u64>(messages, messageTimestamp);
  let offset = load<u64>(messages, messageOffset);
  let originMin = load<u64>(messages, messageOriginTimestamp);
  let originMax = originMin;
  let count: u32 = 0;
  let usedBytes: u64 = 0;
  let framesBytes: u64 = 0;
  while (usedBytes + messageHeaderSizeBytes <= <u64>sizeBytes) {
    const message = messages + <usize>usedBytes;
    const messageBytes: u64 =
      messageHeaderSizeBytes +
      <u64>load<u32>(message, messagePayloadLength) +
      <u64>load<u32>(message, messageHeadersLength);
    if (messageBytes > <u64>sizeBytes - usedBytes) break;
    const grownBytes = framesBytes + messageBytes - shrinkBytes;
    if (grownBytes > framesBytesMax) break;
    if (load<u64>(message, messageTimestamp) != timestamp || load<u64>(message, messageOffset) != offset) break;
    const origin = load<u64>(message, messageOriginTimestamp);
    const min = origin < originMin ? origin : originMin;
    const max = origin > originMax ? origin : originMax;
    if (max - min > originSpanMax) break;

    originMin = min;
    originMax = max;
    framesBytes = grownBytes;
    usedBytes += messageBytes;
    offset++;
    count++;
  }
  extentCount = count;
  extentBytes = usedBytes;
  extentFramesBytes = framesBytes;
  extentOriginTimestamp = originMin;
  return count != 0;
}

/** Writes the record of the extent, which begins at `messages`. */
function writeRecord(messages: usize, header: usize, partitionId: u32): void {
  const baseOffset = load<u64>(messages, messageOffset);
  const baseTimestamp = load<u64>(messages, messageTimestamp);
  writeFields(header, partitionId, baseOffset, baseTimestamp);
  beginRecordChecksum(header, extentCount);
  let message = messages;
  let frame = header + <usize>recordHeaderSizeBytes;
  for (let delta: u32 = 0; delta < extentCount; delta++) {
    const headersLength = load<u32>(message, messageHeadersLength);
    const payloadLength = load<u32>(message, messagePayloadLength);
    const dataBytes: usize = <usize>headersLength + <usize>payloadLength;
    const frameBytes = <usize>frameHeaderSizeBytes + dataBytes;
    store<u64>(frame, load<u64>(message, messageId), frameId);
    store<u64>(frame, load<u64>(message, messageId + 8), frameId + 8);
    store<u32>(frame, delta, frameOffsetDelta);
    store<u32>(
      frame,
      <u32>(load<u64>(message, messageOriginTimestamp) - extentOriginTimestamp),
      frameTimestampDelta,
    );
    store<u32>(frame, headersLength, frameHeadersLength);
    store<u32>(frame, payloadLength, framePayloadLength);
    store<u64>(frame, 0, frameReserved);
    const checksum = moveFrameData(frame, message + <usize>messageHeaderSizeBytes, <u32>dataBytes);
    store<u64>(frame, checksum, frameChecksum);
    addMessageChecksum(checksum);
    message += <usize>messageHeaderSizeBytes + dataBytes;
    frame += frameBytes;
  }
  const checksum = endRecordChecksum();
  // Again: the checksums of the messages were gathered there.
  writeFields(header, partitionId, baseOffset, baseTimestamp);
  store<u64>(header, checksum, recordChecksum);
  store<u32>(header, extentCount, recordMessagesCount);
  clearHeader(header, recordReserved);
}

/** The fields in front of the checksum. */
function writeFields(header: usize, partitionId: u32, baseOffset: u64, baseTimestamp: u64): void {
  store<u64>(header, partitionId, recordPartitionId);
  store<u64>(header, baseOffset, recordBaseOffset);
  store<u64>(header, baseTimestamp, recordBaseTimestamp);
  store<u64>(header, extentOriginTimestamp, recordOriginTimestamp);
  store<u64>(header, recordHeaderSizeBytes + extentFramesBytes, recordLength);
}
