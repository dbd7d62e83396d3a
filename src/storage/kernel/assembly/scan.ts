// Walk over the bytes of a segment log: which messages are whole, unbroken and consecutive, and the index rows that they
// should have. Recovery and the check of disk reads use it (spec SB 3.7).

import {
  messageChecksum,
  messageHeaderSizeBytes,
  messageHeadersLength,
  messageId,
  messageOffset,
  messagePayloadLength,
  messageTimestamp,
  rowEndPosition,
  rowRelativeOffset,
  rowSizeBytes,
  rowTimestamp,
} from "./layout";
import { xxh3 } from "./xxh3";

/** Why the walk stopped. The same numbers stand in `wasm-batch-kernel.ts`. */
const stopEnd: u32 = 0;
const stopIncomplete: u32 = 1;
const stopCorrupt: u32 = 2;
const stopFull: u32 = 3;

// The answer has three numbers; two of them are fetched by their own calls, which costs less than a pair on the heap.
let stop: u32 = 0;
let validBytes: u32 = 0;

/** Why the last scan stopped. */
export function scanStop(): u32 {
  return stop;
}

/** How many bytes the last scan found valid. */
export function scanValidBytes(): u32 {
  return validBytes;
}

/** Returns the number of valid messages. Reads only the given bytes, writes only `rowsMax` rows, whatever the bytes are. */
export function scan(
  messages: usize,
  sizeBytes: u32,
  firstOffset: f64,
  segmentStartOffset: f64,
  segmentPosition: f64,
  rows: usize,
  rowsMax: u32,
): u32 {
  let offset = <u64>firstOffset;
  let relativeOffset = <u32>(offset - <u64>segmentStartOffset);
  let rowEnd = <u32>(<u64>segmentPosition);
  let row = rows;
  let count: u32 = 0;
  let doneBytes: u32 = 0;
  stop = stopEnd;
  while (doneBytes < sizeBytes) {
    if (count == rowsMax) {
      stop = stopFull;
      break;
    }
    const leftBytes: u64 = sizeBytes - doneBytes;
    if (leftBytes < messageHeaderSizeBytes) {
      stop = stopIncomplete;
      break;
    }
    const message = messages + doneBytes;
    // Before the length: a header of garbage should not look like a message whose rest is still to come.
    if (load<u64>(message, messageOffset) != offset) {
      stop = stopCorrupt;
      break;
    }
    const messageBytes: u64 =
      messageHeaderSizeBytes +
      <u64>load<u32>(message, messagePayloadLength) +
      <u64>load<u32>(message, messageHeadersLength);
    if (messageBytes > leftBytes) {
      stop = stopIncomplete;
      break;
    }
    if (load<u64>(message, messageChecksum) != xxh3(message + messageId, <u32>messageBytes - <u32>messageId)) {
      stop = stopCorrupt;
      break;
    }
    doneBytes += <u32>messageBytes;
    rowEnd += <u32>messageBytes;
    store<u32>(row, relativeOffset, rowRelativeOffset);
    store<u32>(row, rowEnd, rowEndPosition);
    store<u64>(row, load<u64>(message, messageTimestamp), rowTimestamp);
    row += rowSizeBytes;
    relativeOffset++;
    offset++;
    count++;
  }
  validBytes = doneBytes;
  return count;
}
