// The end of a log that takes appends, where no whole message is left: which of it are messages, damaged, whose offsets
// stay taken, and which is what a crash left of a write, so that the next append takes its place. Nothing is cut that was
// durable, and what is cut is kept beside the log.

import { DiskError, type DiskFile, freePath } from "../platform/disk.ts";
import { IndexRowLayout, messageHeaderBytes } from "../protocol/message-layout.ts";
import { tailCopyBytes } from "./limits.ts";
import { type DamagedPlace, findCorrectedEnd, findOwnEnd, type ReadRequest } from "./resync.ts";
import { rowSizeBytes } from "./row-block.ts";
import type { ScanRegion } from "./scan-memory.ts";
import type { Segment } from "./segment.ts";
import type { StorageContext } from "./types.ts";

export interface LogTail {
  /** Messages that are damaged and stay. */
  readonly damagedCount: number;
  /** Where they end; the rest of the file is no message. */
  readonly end: number;
}

/** Does the reading that a search asks for, at once. Throws `DiskError`. */
export function searchNow<T>(file: DiskFile, search: Generator<ReadRequest, T, number>): T {
  let step = search.next();
  while (step.done !== true) step = search.next(file.read(step.value.target, step.value.position));
  return step.value;
}

/**
 * Says what the log is behind `place`, where there is no whole message any more. `durableBytes`: up to where it was synced,
 * which may be behind its end. Throws `DiskError`.
 */
export function examineTail(
  file: DiskFile,
  segment: Segment,
  place: DamagedPlace,
  region: ScanRegion,
  durableBytes: number,
): LogTail {
  const firstRow = place.offset - segment.startOffset;
  const { end } = place;
  let row = firstRow;
  let position = place.position;
  while (position < end) {
    const here: DamagedPlace = { ...place, position, offset: segment.startOffset + row };
    const messageEnd = endOfDamaged(file, here, region);
    if (messageEnd === undefined) break;
    position = messageEnd;
    row++;
  }
  if (durableBytes > end) {
    // The file is shorter than it was: what the index has up to there was given to messages.
    const rowsEnd = rowBehind(segment, row, durableBytes) ?? (position < end ? row + 1 : row);
    return { damagedCount: rowsEnd - firstRow, end };
  }
  if (position >= durableBytes) return { damagedCount: row - firstRow, end: position };
  // Nothing tells how many messages these were. No offset that one may have had is given again.
  const possibleCount = Math.max(1, Math.floor((durableBytes - position) / messageHeaderBytes));
  return { damagedCount: row + possibleCount - firstRow, end: durableBytes };
}

/** The end of a damaged message that is there to its end, by the best that is known of it; undefined for anything else. */
function endOfDamaged(file: DiskFile, place: DamagedPlace, region: ScanRegion): number | undefined {
  const { position, end } = place;
  const isPossible = (at: number) => at >= position + messageHeaderBytes && at <= end;
  const own = searchNow(file, findOwnEnd(place, region));
  if (own !== undefined && isPossible(own)) {
    const next = { ...place, position: own, offset: place.offset + 1 };
    if (own === end || searchNow(file, findOwnEnd(next, region)) !== undefined) return own;
  }
  const corrected = searchNow(file, findCorrectedEnd(place, region));
  if (corrected !== undefined) return corrected;
  const stored = place.storedEnd(place.offset - place.segmentStartOffset);
  if (stored !== undefined && isPossible(stored)) return stored;
  return own !== undefined && isPossible(own) ? own : undefined;
}

/** The row behind the last one, from `row` on, that the stored index has with the end `position`; undefined if none has. */
function rowBehind(segment: Segment, row: number, position: number): number | undefined {
  const bytes = new Uint8Array(1024 * rowSizeBytes);
  const view = new DataView(bytes.buffer);
  for (let first = row; ; ) {
    const count = segment.index.readStored(first, bytes);
    if (count === 0) return undefined;
    for (let at = 0; at < count; at++) {
      const base = at * rowSizeBytes;
      if (view.getUint32(base + IndexRowLayout.relativeOffset, true) !== first + at) return undefined;
      if (view.getUint32(base + IndexRowLayout.endPosition, true) === position) return first + at + 1;
    }
    first += count;
  }
}

/**
 * Copies the log from `start` to `end` into a file beside it, where these are not zeros only; says where in the log of the
 * process. A disk that does not take the copy must not keep the partition shut: that is reported as well.
 */
export function keepAside(context: StorageContext, segment: Segment, start: number, end: number): void {
  const { disk, files, log } = context;
  const file = files.pin(segment.log);
  try {
    const usedEnd = endOfUsed(file, start, end);
    const fields = { path: segment.log.path, position: start, logSizeBytes: end };
    if (usedEnd === start) {
      log.warn("log cut behind its last message, the rest was zeros", fields);
      return;
    }
    const path = freePath(disk, `${segment.log.path}.damaged`);
    try {
      copy(context, file, path, start, usedEnd);
      log.warn("log cut behind its last message, what was cut is kept", { ...fields, keptIn: path });
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      log.error("log cut behind its last message, what was cut could not be kept", {
        ...fields,
        error: error.message,
      });
    }
  } finally {
    files.unpin(segment.log);
  }
}

/** End of the last byte of `start` to `end` that is not 0; `start` if all are. */
function endOfUsed(file: DiskFile, start: number, end: number): number {
  const bytes = new Uint8Array(Math.min(tailCopyBytes, end - start));
  let usedEnd = start;
  for (let position = start; position < end; position += bytes.byteLength) {
    const got = file.read(bytes.subarray(0, Math.min(bytes.byteLength, end - position)), position);
    let last = got - 1;
    while (last >= 0 && bytes[last] === 0) last--;
    if (last >= 0) usedEnd = position + last + 1;
  }
  return usedEnd;
}

function copy({ disk, files }: StorageContext, file: DiskFile, path: string, start: number, end: number): void {
  const bytes = new Uint8Array(Math.min(tailCopyBytes, end - start));
  const target = files.withRoom(() => disk.open(path, "create"));
  try {
    for (let position = start; position < end; ) {
      const got = file.read(bytes.subarray(0, Math.min(bytes.byteLength, end - position)), position);
      if (got === 0) break;
      target.write([bytes.subarray(0, got)], position - start);
      position += got;
    }
    target.syncNow();
  } finally {
    target.close();
  }
}
