// Index rows of damaged messages, so that row numbers stay offsets. What the stored index says of them is kept where it
// fits between the whole messages before and behind; for the rest there are rows whose positions and times do not go back.

import { IndexRowLayout } from "../protocol/message-layout.ts";
import { rowSizeBytes } from "./row-block.ts";
import type { Segment } from "./segment.ts";
import type { SegmentIndex } from "./segment-index.ts";
import type { StorageContext } from "./types.ts";

const rowsAtOnce = 1024;

/** The rows `firstRow` to `endRow`, whose messages are damaged and lie between `start` and `end` of the log. */
export interface DamagedRows {
  readonly firstRow: number;
  readonly endRow: number;
  readonly start: number;
  readonly end: number;
  /** Time of the message before them; 0 where there is none. */
  readonly previousTimestampMicros: number;
  /** Time of the message behind them, or the latest that it can be. */
  readonly nextTimestampMicros: number;
  /** Whether there is a message behind them. */
  readonly isFollowed: boolean;
}

/** Index rows for damaged messages, some at a time; valid until the next ones are asked for. Throws `DiskError`. */
export function* makeDamagedRows(damaged: DamagedRows, index: SegmentIndex): Iterable<Uint8Array> {
  const rows = new Uint8Array(Math.min(rowsAtOnce, damaged.endRow - damaged.firstRow) * rowSizeBytes);
  const view = new DataView(rows.buffer);
  const { isFollowed, previousTimestampMicros, nextTimestampMicros } = damaged;
  let position = damaged.start;
  let timestampMicros = previousTimestampMicros === 0 && isFollowed ? nextTimestampMicros : previousTimestampMicros;
  let timestampMin = previousTimestampMicros; // that of the row before
  for (let row = damaged.firstRow; row < damaged.endRow; ) {
    const count = Math.min(rowsAtOnce, damaged.endRow - row);
    const storedCount = index.readStored(row, rows.subarray(0, count * rowSizeBytes));
    for (let at = 0; at < count; at++, row++) {
      const base = at * rowSizeBytes;
      const isStored = at < storedCount && view.getUint32(base + IndexRowLayout.relativeOffset, true) === row;
      const storedEnd = view.getUint32(base + IndexRowLayout.endPosition, true);
      const timeAt = base + IndexRowLayout.timestamp;
      const storedTimestamp = view.getUint32(timeAt + 4, true) * 2 ** 32 + view.getUint32(timeAt, true);
      if (row === damaged.endRow - 1) position = damaged.end;
      else if (isStored && storedEnd >= position && storedEnd <= damaged.end) position = storedEnd;
      if (isStored && storedTimestamp >= timestampMin && storedTimestamp <= nextTimestampMicros) {
        timestampMicros = storedTimestamp;
      }
      timestampMin = timestampMicros;
      view.setUint32(base + IndexRowLayout.relativeOffset, row, true);
      view.setUint32(base + IndexRowLayout.endPosition, position, true);
      view.setUint32(timeAt, timestampMicros >>> 0, true);
      view.setUint32(timeAt + 4, Math.floor(timestampMicros / 2 ** 32), true);
    }
    yield rows.subarray(0, count * rowSizeBytes);
  }
}

/** Reads leave these rows out from now on; those that were not known yet are reported and counted. */
export function markDamaged(context: StorageContext, segment: Segment, firstRow: number, endRow: number): void {
  const newCount = segment.markDamaged(firstRow, endRow);
  if (newCount === 0) return;
  context.log.error("damaged messages in the log, polls leave them out", {
    path: segment.log.path,
    offset: segment.startOffset + firstRow,
    lastOffset: segment.startOffset + endRow - 1,
  });
  context.count?.("damagedMessages", newCount);
}
