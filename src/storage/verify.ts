// Checks log bytes that this process neither wrote nor scanned before a read returns them, off the event loop. The same
// walk makes the rows of the index again, so a wrong index is found and repaired by the way.

import { makeDamagedRows, markDamaged } from "./damaged-rows.ts";
import { LogScan, lastTimestampIn, type Resynchronisation } from "./log-scan.ts";
import type { PartitionLog } from "./partition-log.ts";
import { rowSizeBytes } from "./row-block.ts";
import type { ScanRegion } from "./scan-memory.ts";
import type { Segment } from "./segment.ts";

/**
 * Checks the rows `firstRow` to `rowsEnd` with their messages, which are in the log file. Afterwards the rows are among the
 * verified ranges of the segment, those of damaged messages also among its damaged rows, unless the segment was removed or
 * closed meanwhile. Positions have to be looked up again. Throws `DiskError`.
 */
export async function verifyRows(
  log: PartitionLog,
  segment: Segment,
  firstRow: number,
  rowsEnd: number,
): Promise<void> {
  await log.context.scanMemory.takeTurn(async (region) => {
    if (isGone(log, segment) || segment.verified.contains(firstRow, rowsEnd)) return;
    const start = segment.index.startPosition(firstRow);
    const end = segment.index.endPosition(rowsEnd - 1);
    let isEqual = true;
    if (start < end && end <= segment.logSizeBytes) {
      const scan = new LogScan(region, segment.startOffset, segment.startOffset + firstRow, start, end);
      isEqual = await walk(log, segment, scan, rowsEnd, end);
      if (isGone(log, segment)) return;
      if (scan.position === end && scan.nextOffset === segment.startOffset + rowsEnd) {
        segment.verified.add(firstRow, rowsEnd);
        if (!isEqual) reportRepair(log, segment);
        return;
      }
    }
    const wasEqual = await verifySegment(log, segment, region);
    if (!isGone(log, segment) && !(isEqual && wasEqual)) reportRepair(log, segment);
  });
}

/**
 * A message was not what the index said. Either of the two may be wrong: the log is walked from its start to its end, the
 * index made again on the way, and every damaged message marked. So this happens once for a segment, although it reads
 * all of it. Whether the index was right.
 */
async function verifySegment(log: PartitionLog, segment: Segment, region: ScanRegion): Promise<boolean> {
  const { index } = segment;
  const rowsEnd = log.writtenRows(segment);
  const behindDamage: Resynchronisation = {
    offsetEnd: segment.startOffset + rowsEnd,
    storedEnd: (row) => index.storedEnd(row),
  };
  const { startOffset, logSizeBytes } = segment;
  const scan = new LogScan(region, startOffset, startOffset, 0, logSizeBytes, behindDamage);
  const isEqual = await walk(log, segment, scan, rowsEnd, logSizeBytes);
  if (!isGone(log, segment)) segment.verified.add(0, rowsEnd);
  return isEqual;
}

/**
 * Reads what `scan` asks for, to its `end`, and makes the rows of the index file those of the log, up to `rowsEnd`; whether
 * they were. A walk that goes on behind damage accounts for all of them.
 */
async function walk(
  log: PartitionLog,
  segment: Segment,
  scan: LogScan,
  rowsEnd: number,
  end: number,
): Promise<boolean> {
  const { files } = log.context;
  const rows = new RowRepair(log, segment, scan.nextOffset - segment.startOffset, rowsEnd);
  const file = files.pin(segment.log);
  try {
    while (!scan.done) {
      const got = await file.readAsync(scan.target, scan.readPosition);
      if (isGone(log, segment)) return true;
      scan.take(got);
      if (scan.rows.byteLength > 0) rows.put(scan.rows);
      const run = scan.damagedRun;
      if (run !== undefined) {
        rows.putDamaged(run.endOffset - segment.startOffset, run.start, run.end, run.nextTimestampMicros);
      }
    }
  } finally {
    files.unpin(segment.log);
  }
  if (scan.goesOnBehindDamage) rows.putDamaged(rowsEnd, scan.position, end, undefined);
  return rows.areEqual;
}

/** Writes rows of the index file anew where they are not what the log says. */
class RowRepair {
  readonly #log: PartitionLog;
  readonly #segment: Segment;
  readonly #rowsEnd: number;
  #row: number;
  #lastTimestampMicros = 0;
  areEqual = true;

  constructor(log: PartitionLog, segment: Segment, firstRow: number, rowsEnd: number) {
    this.#log = log;
    this.#segment = segment;
    this.#row = firstRow;
    this.#rowsEnd = rowsEnd;
  }

  put(rows: Uint8Array): void {
    const { index } = this.#segment;
    this.#lastTimestampMicros = lastTimestampIn(rows);
    // Rows that are not in the file yet were made by this process.
    const inFileCount = Math.max(0, Math.min(this.#rowsEnd, index.fileRows) - this.#row);
    const inFile = rows.subarray(0, inFileCount * rowSizeBytes);
    if (!index.matches(this.#row, inFile)) {
      this.areEqual = false;
      index.overwrite(this.#row, inFile);
    }
    this.#row += rows.byteLength / rowSizeBytes;
  }

  /** The messages from the next row on, before `endRow`, are damaged. */
  putDamaged(endRow: number, start: number, end: number, nextTimestampMicros: number | undefined): void {
    const firstRow = this.#row;
    if (firstRow >= endRow) return;
    const { context } = this.#log;
    const damaged = {
      firstRow,
      endRow,
      start,
      end,
      previousTimestampMicros: this.#lastTimestampMicros,
      nextTimestampMicros: nextTimestampMicros ?? context.clock.nowMicros(),
      isFollowed: nextTimestampMicros !== undefined,
    };
    for (const rows of makeDamagedRows(damaged, this.#segment.index)) this.put(rows);
    markDamaged(context, this.#segment, firstRow, endRow);
  }
}

function reportRepair(log: PartitionLog, segment: Segment): void {
  log.context.log.warn("index repaired from its log", { path: segment.index.file.path });
  log.context.count?.("repairedIndexes");
}

/** Whether its files were removed or closed while the walk waited: nothing of it counts, and nothing may open them again. */
function isGone(log: PartitionLog, segment: Segment): boolean {
  return segment.isRemoved || log.isClosed;
}
