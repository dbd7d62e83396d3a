import { assert } from "../../platform/assert.ts";
import { indexRowBytes } from "../../protocol/message-layout.ts";
import { batchHeaderBytes } from "../../protocol/v09/batch-layout.ts";

/** Asserts that the rows and the messages lie inside the memory, between `firstPosition` and `memoryBytes`. */
export function assertRanges(
  firstPosition: number,
  memoryBytes: number,
  rowsPosition: number,
  rowsCount: number,
  messagesPosition: number,
  messagesSizeBytes: number,
): void {
  const rowsSizeBytes = rowsCount * indexRowBytes;
  assert(isInside(rowsPosition, rowsSizeBytes, firstPosition, memoryBytes), "index rows lie inside the memory");
  assert(isInside(messagesPosition, messagesSizeBytes, firstPosition, memoryBytes), "messages lie inside the memory");
}

/**
 * Asserts that a record's header and frames lie inside the memory and apart, and rows, messages and frames in this order:
 * what is known before the record's count is.
 */
export function assertUnpackRanges(
  firstPosition: number,
  memoryBytes: number,
  headerPosition: number,
  framesPosition: number,
  framesBytes: number,
  rowsPosition: number,
  messagesPosition: number,
): void {
  assert(isInside(headerPosition, batchHeaderBytes, firstPosition, memoryBytes), "the header lies inside the memory");
  assert(isInside(framesPosition, framesBytes, firstPosition, memoryBytes), "frames lie inside the memory");
  assert(isInside(rowsPosition, 0, firstPosition, messagesPosition), "index rows lie before the messages");
  assert(isInside(messagesPosition, 0, firstPosition, framesPosition), "messages begin before the frames");
  const isApart = headerPosition + batchHeaderBytes <= rowsPosition || headerPosition >= framesPosition + framesBytes;
  assert(isApart, "the header lies outside the rows, messages and frames");
}

/** Asserts that stored messages and the place for their records lie inside the memory, and that the partition is a u32. */
export function assertPackRanges(
  firstPosition: number,
  memoryBytes: number,
  messagesPosition: number,
  sizeBytes: number,
  targetPosition: number,
  targetBytesMax: number,
  partitionId: number,
): void {
  assert(isInside(messagesPosition, sizeBytes, firstPosition, memoryBytes), "messages lie inside the memory");
  assert(isInside(targetPosition, targetBytesMax, firstPosition, memoryBytes), "records lie inside the memory");
  const isApart = targetPosition <= messagesPosition || targetPosition >= messagesPosition + sizeBytes;
  assert(isApart, "records begin in front of the messages or behind them");
  assert(partitionId >>> 0 === partitionId, "a partition id has 32 bits");
}

function isInside(position: number, sizeBytes: number, firstPosition: number, memoryBytes: number): boolean {
  return (
    Number.isSafeInteger(position) &&
    Number.isSafeInteger(sizeBytes) &&
    sizeBytes >= 0 &&
    position >= firstPosition &&
    position + sizeBytes <= memoryBytes
  );
}

/** Asserts what the conversion to 64 bits relies on, and that the segment does not start behind its first message. */
export function assertPlace(firstOffset: number, segmentStartOffset: number, segmentPosition: number): void {
  assert(
    Number.isSafeInteger(firstOffset) &&
      Number.isSafeInteger(segmentStartOffset) &&
      segmentStartOffset >= 0 &&
      firstOffset >= segmentStartOffset,
    "offsets are whole numbers, not before the start of their segment",
  );
  assert(Number.isSafeInteger(segmentPosition) && segmentPosition >= 0, "a segment position is a whole number");
}

/** Asserts that a time in µs is a whole number below 2^53. */
export function assertTimestamp(timestampMicros: number): void {
  assert(Number.isSafeInteger(timestampMicros) && timestampMicros >= 0, "a timestamp is a whole number of µs");
}
