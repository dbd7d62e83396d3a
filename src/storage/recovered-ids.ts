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
    let row = firstRow;
    while (row < rowsEnd && !isGone()) {
      const got = await readFrom(log, segment, row, bytes);
      if (got < messageHeaderBytes || isGone()) break;
      row = addIds(filter, segment, row, rowsEnd, bytes.subarray(0, got), nowMicros);
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

/** Fills `bytes` from the message of `row` on, or with no more than its header where it is large; how much there was. */
async function readFrom(log: PartitionLog, segment: Segment, row: number, bytes: Uint8Array): Promise<number> {
  const { files } = log.context;
  const position = segment.index.startPosition(row);
  const isLarge = segment.index.endPosition(row) - position > bytes.byteLength;
  const file = files.pin(segment.log);
  try {
    return await file.readAsync(isLarge ? bytes.subarray(0, messageHeaderBytes) : bytes, position);
  } finally {
    files.unpin(segment.log);
  }
}

/** Adds the ids of the messages in `bytes`, the first of which is that of `row`; the row to go on with. */
function addIds(
  filter: IdFilter,
  segment: Segment,
  firstRow: number,
  rowsEnd: number,
  bytes: Uint8Array,
  nowMicros: number,
): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let row = firstRow;
  let at = 0;
  while (row < rowsEnd && at + messageHeaderBytes <= bytes.byteLength) {
    // What is not the message that should be here is damaged: the next one is where the index says.
    if (readU64(view, at + MessageLayout.offset) !== segment.startOffset + row) return row + 1;
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
  return row;
}

function readU64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}
