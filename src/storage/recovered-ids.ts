// The ids that the partition took before this process began, read from the end of its log: a message that is repeated after
// a restart is known (a deliberate difference: the original forgets, spec SB 4.4).

import { MessageLayout, messageHeaderBytes } from "../protocol/message-layout.ts";
import type { IdFilter } from "./id-filter.ts";
import { recoveredIdsReadBytes } from "./limits.ts";
import type { PartitionLog } from "./partition-log.ts";
import type { Segment } from "./segment.ts";

interface SegmentRows {
  readonly segment: Segment;
  readonly firstRow: number;
  readonly rowsEnd: number;
}

/** A message of a segment, and where in its log it starts. */
interface Place {
  readonly row: number;
  readonly position: number;
}

/**
 * Adds to the empty `filter` the ids of the last messages, oldest first, each as old as its message: as many as it holds,
 * and of these those that have not expired at `nowMicros`. A damaged message is left out: nobody can read it, so it may come
 * again. Ends early when the partition is purged, deleted or closed. Rejects with `DiskError`, or with
 * `CannotReadIndexPosition` where an index has no row that it should have.
 */
export async function addRecoveredIds(filter: IdFilter, log: PartitionLog, nowMicros: number): Promise<void> {
  const { epoch } = log;
  const bytes = new Uint8Array(recoveredIdsReadBytes);
  for (const { segment, firstRow, rowsEnd } of lastRows(filter, log, nowMicros)) {
    const isGone = () => log.epoch !== epoch || log.isClosed || segment.isRemoved;
    let place: Place = { row: firstRow, position: segment.index.startPosition(firstRow) };
    while (place.row < rowsEnd && !isGone()) {
      const got = await readAt(log, segment, place, bytes);
      if (isGone()) break;
      place =
        got < messageHeaderBytes
          ? placeByIndex(segment, place.row, place.position)
          : addIds(filter, segment, place, rowsEnd, bytes.subarray(0, got), nowMicros);
    }
  }
  filter.advance(nowMicros);
}

/** Of the newest messages, as many as the filter holds and none that has expired; segments in their order. */
function lastRows(filter: IdFilter, log: PartitionLog, nowMicros: number): SegmentRows[] {
  const { entriesMax, expiryMicros } = filter;
  const rows: SegmentRows[] = [];
  let left = entriesMax;
  for (let at = log.segments.length - 1; at >= 0 && left > 0; at--) {
    const segment = log.segments[at]!;
    const rowsEnd = log.writtenRows(segment);
    let firstRow = Math.max(0, rowsEnd - left);
    if (expiryMicros > 0) {
      firstRow = segment.index.firstRowAtOrAfter(nowMicros - expiryMicros + 1, rowsEnd, firstRow);
    }
    if (firstRow < rowsEnd) rows.unshift({ segment, firstRow, rowsEnd });
    left -= rowsEnd - firstRow;
    if (firstRow > 0) break; // those before it are too old or too many
  }
  return rows;
}

/** Fills `bytes` from the message at `place` on, or with no more than its header where it is large; how much there was. */
async function readAt(log: PartitionLog, segment: Segment, place: Place, bytes: Uint8Array): Promise<number> {
  const { files } = log.context;
  const { row, position } = place;
  const isLarge = segment.index.endPosition(row) - position > bytes.byteLength;
  const file = files.pin(segment.log);
  try {
    return await file.readAsync(isLarge ? bytes.subarray(0, messageHeaderBytes) : bytes, position);
  } finally {
    files.unpin(segment.log);
  }
}

/** Adds the ids of the messages in `bytes`, the first of which is that at `place`; the place to go on at. */
function addIds(
  filter: IdFilter,
  segment: Segment,
  place: Place,
  rowsEnd: number,
  bytes: Uint8Array,
  nowMicros: number,
): Place {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let { row } = place;
  let at = 0;
  while (row < rowsEnd && at + messageHeaderBytes <= bytes.byteLength) {
    if (readU64(view, at + MessageLayout.offset) !== segment.startOffset + row) {
      return placeByIndex(segment, row, place.position + at);
    }
    const isDamaged = segment.damagedRows !== undefined && segment.damagedRows.endFrom(row) !== row;
    if (!isDamaged) {
      filter.advance(Math.min(readU64(view, at + MessageLayout.timestamp), nowMicros));
      const id = at + MessageLayout.id;
      filter.add(
        view.getUint32(id, true),
        view.getUint32(id + 4, true),
        view.getUint32(id + 8, true),
        view.getUint32(id + 12, true),
      );
    }
    at +=
      messageHeaderBytes +
      view.getUint32(at + MessageLayout.payloadLength, true) +
      view.getUint32(at + MessageLayout.userHeadersLength, true);
    row++;
  }
  return { row, position: place.position + at };
}

/**
 * Where to go on when the message of `row` is not at `position`: the length of a damaged one before it led astray, and the
 * index knows better, or it is damaged itself, and left out.
 */
function placeByIndex({ index }: Segment, row: number, position: number): Place {
  const start = index.startPosition(row);
  return start === position ? { row: row + 1, position: index.endPosition(row) } : { row, position: start };
}

function readU64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}
