// Stamping of a valid batch, in place: what the server decides goes into the messages, and the client's rows become
// rows of the segment's index file (spec SB 3.2, 3.3, 4.2).

import {
  messageChecksum,
  messageHeaderSizeBytes,
  messageHeadersLength,
  messageId,
  messageOffset,
  messagePayloadLength,
  messageReserved,
  messageTimestamp,
  rowEndPosition,
  rowRelativeOffset,
  rowSizeBytes,
  rowTimestamp,
} from "./layout";
import { writeUuid } from "./random";
import { xxh3 } from "./xxh3";

/**
 * Returns how many bytes of messages were stamped; fewer than `sizeBytes` when the batch was not valid. Sizes come from
 * the message headers and never from the client's rows, whose last one may say anything.
 */
export function stamp(
  rows: usize,
  count: u32,
  messages: usize,
  sizeBytes: u32,
  firstOffset: f64,
  segmentStartOffset: f64,
  segmentPosition: f64,
  timestampMicros: f64,
): u32 {
  const timestamp = <u64>timestampMicros;
  let offset = <u64>firstOffset;
  let relativeOffset = <u32>(offset - <u64>segmentStartOffset);
  let rowEnd = <u32>(<u64>segmentPosition);
  let row = rows;
  let doneBytes: u32 = 0;
  for (let left = count; left != 0; left--) {
    const leftBytes: u64 = sizeBytes - doneBytes;
    if (leftBytes < messageHeaderSizeBytes) break;
    const message = messages + doneBytes;
    const messageBytes: u64 =
      messageHeaderSizeBytes +
      <u64>load<u32>(message, messagePayloadLength) +
      <u64>load<u32>(message, messageHeadersLength);
    if (messageBytes > leftBytes) break;

    if ((load<u64>(message, messageId) | load<u64>(message, messageId + 8)) == 0) writeUuid(message + messageId);
    store<u64>(message, offset, messageOffset);
    store<u64>(message, timestamp, messageTimestamp);
    store<u64>(message, 0, messageReserved);
    store<u64>(message, xxh3(message + messageId, <u32>messageBytes - <u32>messageId), messageChecksum);

    doneBytes += <u32>messageBytes;
    rowEnd += <u32>messageBytes;
    store<u32>(row, relativeOffset, rowRelativeOffset);
    store<u32>(row, rowEnd, rowEndPosition);
    store<u64>(row, timestamp, rowTimestamp);
    row += rowSizeBytes;
    relativeOffset++;
    offset++;
  }
  return doneBytes;
}
