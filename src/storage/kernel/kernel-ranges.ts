import { assert } from "../../platform/assert.ts";
import { indexRowBytes } from "../../protocol/message-layout.ts";

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
