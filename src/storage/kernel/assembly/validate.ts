// The check of a client's batch, in the order of the original: for each message first its row, then the message between
// its rows, then what must not go down; the sum of the sizes last (spec BP 4.5 step 9, SB 4.1).

import {
  messageHeaderSizeBytes,
  messageHeadersLength,
  messageOffset,
  messagePayloadLength,
  payloadMaxBytes,
  rowEndPosition,
  rowRelativeOffset,
  rowSizeBytes,
  rowTimestamp,
  userHeadersMaxBytes,
} from "./layout";

const ok: i32 = 0;
const invalidMessagesCount: i32 = 4009;
const tooBigUserHeaders: i32 = 4017;
const tooBigMessagePayload: i32 = 4022;
const nonZeroOffset: i32 = 4031;
const nonZeroTimestamp: i32 = 4032;
const missingIndex: i32 = 4033;
const invalidMessagesSize: i32 = 4036;
const invalidOffset: i32 = 4100;
const cannotReadIndexPosition: i32 = 10011;

/** 0 or the error code. Reads only the given rows and messages, whatever they hold. */
export function validate(rows: usize, count: u32, messages: usize, sizeBytes: u32): i32 {
  if (count == 0) return invalidMessagesCount;
  const lastRow = rows + <usize>(count - 1) * rowSizeBytes;
  let start: u32 = 0;
  let previousOffset: u64 = 0;
  let sumBytes: u64 = 0;
  let row = rows;
  while (true) {
    if (load<u32>(row, rowRelativeOffset) != 0) return nonZeroOffset;
    if (load<u64>(row, rowTimestamp) != 0) return nonZeroTimestamp;

    // The last message ends where the area ends, whatever its row says.
    const rowEnd = load<u32>(row, rowEndPosition);
    const end = row == lastRow ? sizeBytes : rowEnd;
    if (end > sizeBytes || start > end) return missingIndex;
    const roomBytes: u64 = end - start;
    if (roomBytes < messageHeaderSizeBytes) return missingIndex;
    const message = messages + start;
    const headersLength = load<u32>(message, messageHeadersLength);
    const payloadLength = load<u32>(message, messagePayloadLength);
    const messageBytes: u64 = messageHeaderSizeBytes + <u64>payloadLength + <u64>headersLength;
    if (messageBytes > roomBytes) return missingIndex;
    if (payloadLength > payloadMaxBytes) return tooBigMessagePayload;
    if (headersLength > userHeadersMaxBytes) return tooBigUserHeaders;

    const offset = load<u64>(message, messageOffset);
    if (offset < previousOffset) return invalidOffset;
    // Only the last row can get here with a position that goes down: the others bound their messages.
    if (rowEnd < start) return cannotReadIndexPosition;

    previousOffset = offset;
    sumBytes += messageBytes;
    start = rowEnd;
    if (row == lastRow) break;
    row += rowSizeBytes;
  }
  return sumBytes == <u64>sizeBytes ? ok : invalidMessagesSize;
}
