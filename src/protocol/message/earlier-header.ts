// Messages as clients of Iggy 0.6 and earlier write them: the header has 56 bytes, without the reserved field at the end.
import { readU32 } from "../byte-reader.ts";
import { IndexRowLayout, indexRowBytes, MessageLayout } from "../message-layout.ts";

const earlierHeaderBytes = 56;

/** A batch whose checks failed. The rows lie before the messages, which end at `end`. */
export interface RefusedBatch {
  readonly rowsPosition: number;
  readonly messagesCount: number;
  readonly messagesPosition: number;
  readonly end: number;
}

/** Whether every message of the batch has the earlier header and exactly the size that it announces. */
export function hasEarlierHeaders(memory: Uint8Array, batch: RefusedBatch): boolean {
  const { rowsPosition, messagesCount, messagesPosition, end } = batch;
  let start = messagesPosition;
  for (let index = 0; index < messagesCount; index++) {
    if (end - start < earlierHeaderBytes) return false;
    const payloadBytes = readU32(memory, start + MessageLayout.payloadLength);
    start += earlierHeaderBytes + payloadBytes + readU32(memory, start + MessageLayout.userHeadersLength);
    const row = rowsPosition + indexRowBytes * index;
    const isLast = index === messagesCount - 1;
    if (!isLast && readU32(memory, row + IndexRowLayout.endPosition) !== start - messagesPosition) return false;
  }
  return messagesCount > 0 && start === end;
}
