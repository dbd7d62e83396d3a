// Opens the segments of a partition (spec SB 3.7, with the repairs that SB 13 asks for). The log is the truth; whatever
// else does not agree with it is made again. Damaged content never stops an open: it is cut away, or out of sight, and
// reported. Synchronous: a partition is either open or not.
//
// Sealed segments are taken as they are when log and index agree in size; reads check them later. The active segment,
// where a crash leaves its traces, is scanned from the last checkpoint on and cut behind its last valid message.

import { DiskError } from "../platform/disk.ts";
import { IndexRowLayout, MessageLayout, messageHeaderBytes } from "../protocol/message-layout.ts";
import { type Checkpoint, checkpointName, readCheckpoint } from "./checkpoint.ts";
import { checkpointSlackBytes } from "./limits.ts";
import { LogScan } from "./log-scan.ts";
import { rowSizeBytes } from "./row-block.ts";
import { indexNameOf, Segment, startOffsetOf } from "./segment.ts";
import type { StorageContext } from "./types.ts";
import { VerifiedRanges } from "./verified-ranges.ts";

/**
 * The segments in `directory`, which holds `names`, ascending; the last one is active. Empty if there are none. Throws
 * `DiskError`.
 */
export function openSegments(context: StorageContext, directory: string, names: readonly string[]): Segment[] {
  const starts = listStartOffsets(context, directory, names);
  if (starts.length === 0) return [];
  const checkpoint = names.includes(checkpointName) ? readCheckpoint(context.disk, directory) : undefined;
  return starts.map((startOffset, index) => {
    const nextStartOffset = starts[index + 1];
    const keepRows =
      context.options.cacheIndexes === "all" ||
      (context.options.cacheIndexes === "open_segment" && nextStartOffset === undefined);
    const segment = new Segment(context.files, directory, startOffset, keepRows);
    segment.onDisk = true;
    const hasIndex = names.includes(indexNameOf(startOffset));
    if (nextStartOffset === undefined) openActive(context, segment, hasIndex, durableBytesOf(segment, checkpoint));
    else openSealed(context, segment, hasIndex, nextStartOffset);
    segment.syncedSizeBytes = Math.min(durableBytesOf(segment, checkpoint), segment.logSizeBytes);
    segment.acceptedSizeBytes = segment.logSizeBytes;
    const rowsCount = segment.index.rowsCount;
    if (rowsCount > 0 && segment.lastTimestampMicros === 0) {
      segment.lastTimestampMicros = segment.index.timestampMicros(rowsCount - 1);
    }
    return segment;
  });
}

function listStartOffsets(context: StorageContext, directory: string, names: readonly string[]): number[] {
  const starts: number[] = [];
  for (const name of names) {
    const startOffset = startOffsetOf(name);
    if (startOffset !== undefined) starts.push(startOffset);
    else if (name.endsWith(".log")) context.log.warn("file with the name of no segment", { directory, name });
    else if (name.endsWith(".index") && !names.includes(name.replace(/index$/, "log"))) {
      // A removal was cut short between the two files.
      context.log.info("index without a log removed", { directory, name });
      context.disk.remove(`${directory}/${name}`);
    }
  }
  return starts.sort((left, right) => left - right);
}

function openSealed(context: StorageContext, segment: Segment, hasIndex: boolean, nextStartOffset: number): void {
  const logSizeBytes = context.files.use(segment.log).sizeBytes();
  segment.logSizeBytes = logSizeBytes;
  segment.verified = new VerifiedRanges(Number.MAX_SAFE_INTEGER);
  const indexRows = openIndex(context, segment, hasIndex);
  const isWhole = indexRows !== undefined && indexEndsWithLog(context, segment, logSizeBytes);
  if (!isWhole || context.options.validateChecksum) {
    if (!isWhole) context.log.warn("index made again from its log", { path: segment.index.file.path });
    const damage = scanLog(context, segment, 0, indexRows !== undefined);
    if (damage !== undefined) {
      context.log.error("sealed segment is damaged, readable up to the damage", {
        path: segment.log.path,
        position: segment.logSizeBytes,
        logSizeBytes,
        damage,
      });
    }
  }
  if (segment.endOffset > nextStartOffset) {
    // Offsets never repeat: the later segment holds what was acknowledged last.
    context.log.error("segments overlap, the earlier one is cut", { path: segment.log.path, nextStartOffset });
    segment.index.truncate(nextStartOffset - segment.startOffset);
    segment.logSizeBytes = segment.index.startPosition(segment.index.rowsCount);
    segment.lastTimestampMicros = 0; // of a message that is out of sight now
  }
}

/** Bytes of the log that were durable at the checkpoint: all of the segments before the one that it names. */
function durableBytesOf(segment: Segment, checkpoint: Checkpoint | undefined): number {
  if (checkpoint === undefined || segment.startOffset > checkpoint.segmentStartOffset) return 0;
  return segment.startOffset < checkpoint.segmentStartOffset ? Number.MAX_SAFE_INTEGER : checkpoint.position;
}

function openActive(context: StorageContext, segment: Segment, hasIndex: boolean, durableBytes: number): void {
  const logSizeBytes = context.files.use(segment.log).sizeBytes();
  segment.logSizeBytes = logSizeBytes;
  const indexRows = openIndex(context, segment, hasIndex);
  // A checkpoint that says more than there is cannot be trusted.
  const isTrusted = indexRows !== undefined && durableBytes <= logSizeBytes && !context.options.validateChecksum;
  const firstRow = isTrusted ? rowToScanFrom(segment, durableBytes - checkpointSlackBytes) : 0;
  let damage = scanLog(context, segment, firstRow, indexRows !== undefined);
  if (damage !== undefined && firstRow > 0 && segment.index.rowsCount === firstRow) {
    // Not one valid message where the index says that one starts: the index may be what is wrong.
    segment.logSizeBytes = logSizeBytes;
    damage = scanLog(context, segment, 0, false);
  }
  if (segment.logSizeBytes === logSizeBytes) return;
  context.log.warn("log cut behind its last valid message", {
    path: segment.log.path,
    position: segment.logSizeBytes,
    logSizeBytes,
    damage,
  });
  context.files.useToWrite(segment.log).truncate(segment.logSizeBytes);
}

/** Takes the rows of the index file; how many there are, or undefined when the file is missing or has a torn end. */
function openIndex(context: StorageContext, segment: Segment, isThere: boolean): number | undefined {
  const file = segment.index.file;
  if (!isThere) {
    context.files.create(file);
    return undefined;
  }
  const sizeBytes = context.files.use(file).sizeBytes();
  const rowsCount = Math.floor(sizeBytes / rowSizeBytes);
  segment.index.adopt(rowsCount);
  return sizeBytes % rowSizeBytes === 0 ? rowsCount : undefined;
}

/** Whether the last row is the one of the last message in a log of this size, by the header of that message. */
function indexEndsWithLog(context: StorageContext, segment: Segment, logSizeBytes: number): boolean {
  const { index } = segment;
  const last = index.rowsCount - 1;
  if (last < 0) return logSizeBytes === 0;
  if (index.relativeOffset(last) !== last || index.endPosition(last) !== logSizeBytes) return false;
  const header = new Uint8Array(messageHeaderBytes);
  const position = index.startPosition(last);
  const got = context.files.use(segment.log).read(header, position);
  const view = new DataView(header.buffer);
  return (
    got === header.byteLength &&
    Number(view.getBigUint64(MessageLayout.offset, true)) === segment.startOffset + last &&
    Number(view.getBigUint64(MessageLayout.timestamp, true)) === index.timestampMicros(last)
  );
}

/** The row whose message is the first that starts at or behind `position`, by the index; 0 where that cannot be. */
function rowToScanFrom(segment: Segment, position: number): number {
  const rowsCount = segment.index.rowsCount;
  if (position <= 0 || rowsCount === 0 || segment.index.endPosition(0) > position) return 0;
  const last = segment.index.lastRowEndingBy(position, 0, rowsCount);
  return segment.index.relativeOffset(last) === last ? last + 1 : 0;
}

/**
 * Walks the log from the message of `firstRow` to the end. Afterwards index and log size of the segment say what is valid,
 * and the index file has these rows and no others. `isIndexWhole`: whether the index file ends with a row, the last one that
 * the segment knows.
 */
function scanLog(
  context: StorageContext,
  segment: Segment,
  firstRow: number,
  isIndexWhole: boolean,
): string | undefined {
  const index = segment.index;
  segment.lastTimestampMicros = 0;
  const file = context.files.pin(segment.log);
  try {
    const firstPosition = index.startPosition(firstRow);
    const scan = new LogScan(
      context.scanMemory.recoveryRegion,
      segment.startOffset,
      segment.startOffset + firstRow,
      firstPosition,
      segment.logSizeBytes,
    );
    let row = firstRow;
    let differs = false;
    while (!scan.done) {
      scan.take(file.read(scan.target, scan.position));
      const rows = scan.rows;
      if (!differs && !index.matches(row, rows)) {
        index.truncate(row);
        differs = true;
      }
      row += rows.byteLength / rowSizeBytes;
      if (rows.byteLength > 0) segment.lastTimestampMicros = lastTimestampIn(rows);
      if (!differs) continue;
      index.append(rows, 0, rows.byteLength / rowSizeBytes);
      writeIndex(context, segment);
    }
    if (differs || !isIndexWhole || index.rowsCount > row) {
      if (index.rowsCount > row) index.truncate(row);
      writeIndex(context, segment);
    }
    segment.logSizeBytes = scan.position;
    segment.verified = new VerifiedRanges(firstPosition);
    return scan.damage;
  } finally {
    context.files.unpin(segment.log);
  }
}

function lastTimestampIn(rows: Uint8Array): number {
  const view = new DataView(rows.buffer, rows.byteOffset + rows.byteLength - rowSizeBytes, rowSizeBytes);
  return Number(view.getBigUint64(IndexRowLayout.timestamp, true));
}

/** A full disk must not keep a partition shut: rows that cannot be written stay in memory. */
function writeIndex(context: StorageContext, segment: Segment): void {
  const index = segment.index;
  try {
    index.writeUpTo(index.rowsCount);
    if (context.files.use(index.file).sizeBytes() > index.rowsCount * rowSizeBytes) index.truncateFile();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    context.log.warn("index not repaired, its rows stay in memory", { path: index.file.path, error: error.message });
  }
}
