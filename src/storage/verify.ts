// Checks log bytes that this process neither wrote nor scanned before a read returns them, off the event loop. The same
// walk makes the rows of the index again, so a damaged index is found and repaired by the way.

import { LogScan } from "./log-scan.ts";
import type { PartitionLog } from "./partition-log.ts";
import { rowSizeBytes } from "./row-block.ts";
import type { ScanRegion } from "./scan-memory.ts";
import type { Segment } from "./segment.ts";

/**
 * Checks the messages of the rows `firstRow` to `rowsEnd`. Afterwards they are among the verified ranges of the segment, or
 * the first bad one is among its damaged rows, or the index was repaired and the positions have to be looked up again.
 * Throws `DiskError`.
 */
export async function verifyRows(
  log: PartitionLog,
  segment: Segment,
  firstRow: number,
  rowsEnd: number,
): Promise<void> {
  await log.context.scanMemory.takeTurn(async (region) => {
    if (isGone(log, segment)) return;
    const { index } = segment;
    const start = index.startPosition(firstRow);
    const end = index.endPosition(rowsEnd - 1);
    if (start >= end || end > segment.logSizeBytes) {
      await repair(log, segment, region, firstRow);
      return;
    }
    if (segment.verified.contains(start, end)) return;
    const outcome = await walk(log, segment, region, firstRow, start, end, false);
    if (isGone(log, segment)) return;
    segment.verified.add(start, outcome.position);
    if (outcome.row < rowsEnd || outcome.rowsDiffered) await repair(log, segment, region, outcome.row);
  });
}

interface WalkOutcome {
  /** Row behind the last valid message, and where its message starts. */
  readonly row: number;
  readonly position: number;
  readonly rowsDiffered: boolean;
}

/** Reads the log from the message of `firstRow`, at `start`, to `end`, and compares the index or writes it anew. */
async function walk(
  log: PartitionLog,
  segment: Segment,
  region: ScanRegion,
  firstRow: number,
  start: number,
  end: number,
  rewriteIndex: boolean,
): Promise<WalkOutcome> {
  const { files } = log.context;
  const { index } = segment;
  const scan = new LogScan(region, segment.startOffset, segment.startOffset + firstRow, start, end);
  let row = firstRow;
  let rowsDiffered = false;
  const file = files.pin(segment.log);
  try {
    while (!scan.done) {
      const got = await file.readAsync(scan.target, scan.position);
      if (isGone(log, segment)) break;
      scan.take(got);
      const rows = scan.rows.subarray(0, Math.max(0, index.fileRows - row) * rowSizeBytes);
      if (!index.matches(row, rows)) {
        rowsDiffered = true;
        if (rewriteIndex) index.overwrite(row, rows);
      }
      row += scan.rows.byteLength / rowSizeBytes;
    }
  } finally {
    files.unpin(segment.log);
  }
  return { row, position: scan.position, rowsDiffered };
}

/**
 * A message was not what the index said. Either of the two may be wrong: the log is walked from its start and the index
 * made again on the way. Damage that is left is the log's. Done once for a segment: it reads all of it.
 */
async function repair(log: PartitionLog, segment: Segment, region: ScanRegion, badRow: number): Promise<void> {
  if (segment.indexRepaired) {
    segment.markDamaged(badRow);
    return;
  }
  const outcome = await walk(log, segment, region, 0, 0, segment.logSizeBytes, true);
  if (isGone(log, segment)) return;
  segment.indexRepaired = true;
  segment.verified.add(0, outcome.position);
  const fields = { path: segment.log.path, offset: segment.startOffset + badRow };
  if (outcome.row > badRow && !outcome.rowsDiffered) return;
  if (outcome.rowsDiffered) log.context.log.warn("index repaired from its log", fields);
  if (outcome.row >= segment.index.rowsCount) return;
  segment.markDamaged(outcome.row);
  if (outcome.row < badRow) segment.markDamaged(badRow);
  log.context.log.error("damaged message in the log", { ...fields, offset: segment.startOffset + outcome.row });
}

/** Whether its files were removed or closed while the walk waited: nothing of it counts, and nothing may open them again. */
function isGone(log: PartitionLog, segment: Segment): boolean {
  return segment.isRemoved || log.isClosed;
}
