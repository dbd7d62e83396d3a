// Opens the segments of a partition (spec SB 3.7, with the repairs that SB 13 asks for). The log is the truth; whatever
// else does not agree with it is made again. Damaged content never stops an open: a damaged message keeps its offset and is
// left out by reads, and what is behind it stays. Synchronous: a partition is either open or not.
//
// Sealed segments are taken as they are when log and index agree in size; reads check them later. The active segment,
// where a crash leaves its traces, is scanned from the last checkpoint on. What a crash left of a write is cut off its end.

import { DiskError, isExhausted } from "../platform/disk.ts";
import { MessageLayout, messageHeaderBytes } from "../protocol/message-layout.ts";
import { type Checkpoint, checkpointName, readCheckpoint } from "./checkpoint.ts";
import { checkpointSlackBytes } from "./limits.ts";
import { LogScan } from "./log-scan.ts";
import { keepAside } from "./log-tail.ts";
import { rowSizeBytes } from "./row-block.ts";
import { indexNameOf, Segment, startOffsetOf } from "./segment.ts";
import { SegmentScan } from "./segment-scan.ts";
import type { StorageContext } from "./types.ts";
import { VerifiedRanges } from "./verified-ranges.ts";

/**
 * The segments in `directory`, which holds `names`, ascending; the last one is active. Empty if there are none. Throws
 * `DiskError`.
 */
export function openSegments(context: StorageContext, directory: string, names: readonly string[]): Segment[] {
  const starts = listStartOffsets(context, directory, names);
  if (starts.length === 0) return [];
  const checkpoint = names.includes(checkpointName) ? readCheckpoint(context.disk, directory, context.log) : undefined;
  return starts.map((startOffset, index) => {
    const found = { directory, startOffset, nextStartOffset: starts[index + 1], checkpoint };
    const hasIndex = names.includes(indexNameOf(startOffset));
    try {
      return openSegment(context, found, hasIndex);
    } catch (thrown) {
      if (!hasIndex || !isUnreadable(thrown, `${directory}/${indexNameOf(startOffset)}`)) throw thrown;
      context.log.error("index cannot be read, it is made again from its log", { error: thrown.message });
      context.disk.remove(thrown.path);
      return openSegment(context, found, false);
    }
  });
}

interface FoundSegment {
  readonly directory: string;
  readonly startOffset: number;
  /** Undefined for the active one. */
  readonly nextStartOffset: number | undefined;
  readonly checkpoint: Checkpoint | undefined;
}

function openSegment(context: StorageContext, found: FoundSegment, hasIndex: boolean): Segment {
  const { directory, startOffset, nextStartOffset, checkpoint } = found;
  const { cacheIndexes } = context.options;
  const keepRows = cacheIndexes === "all" || (cacheIndexes === "open_segment" && nextStartOffset === undefined);
  const segment = new Segment(context.files, directory, startOffset, keepRows);
  segment.onDisk = true;
  try {
    if (nextStartOffset === undefined) openActive(context, segment, hasIndex, durableBytesOf(segment, checkpoint));
    else openSealed(context, segment, hasIndex, nextStartOffset);
    segment.syncedSizeBytes = Math.min(durableBytesOf(segment, checkpoint), segment.logSizeBytes);
    segment.acceptedSizeBytes = segment.logSizeBytes;
    const rowsCount = segment.index.rowsCount;
    if (rowsCount > 0 && segment.lastTimestampMicros === 0) {
      segment.lastTimestampMicros = segment.index.timestampMicros(rowsCount - 1);
    }
    return segment;
  } catch (thrown) {
    segment.closeFiles(context.files);
    throw thrown;
  }
}

/** Whether that file is there and cannot be read, whoever tries. */
function isUnreadable(thrown: unknown, path: string): thrown is DiskError {
  if (!(thrown instanceof DiskError) || thrown.path !== path || isExhausted(thrown)) return false;
  return thrown.operation === "open" || thrown.operation === "read" || thrown.operation === "size";
}

function listStartOffsets(context: StorageContext, directory: string, names: readonly string[]): number[] {
  const starts: number[] = [];
  for (const name of names) {
    const startOffset = startOffsetOf(name);
    if (startOffset !== undefined) starts.push(startOffset);
    else if (name.endsWith(".log")) context.log.warn("file with the name of no segment", { directory, name });
    else if (name.endsWith(".index") && !names.includes(name.replace(/index$/, "log"))) {
      // A removal was cut short between the two files.
      removeIndex(context, directory, name);
    }
  }
  return starts.sort((left, right) => left - right);
}

/** It is no segment, whether or not it can be removed. */
function removeIndex({ disk, log }: StorageContext, directory: string, name: string): void {
  try {
    disk.remove(`${directory}/${name}`);
    log.info("index without a log removed", { directory, name });
  } catch (thrown) {
    if (!(thrown instanceof DiskError)) throw thrown;
    log.warn("index without a log not removed yet", { directory, name, error: thrown.message });
  }
}

function openSealed(context: StorageContext, segment: Segment, hasIndex: boolean, nextStartOffset: number): void {
  const logSizeBytes = context.files.use(segment.log).sizeBytes();
  segment.logSizeBytes = logSizeBytes;
  segment.verified = new VerifiedRanges(Number.MAX_SAFE_INTEGER);
  const isIndexWhole = openIndex(context, segment, hasIndex);
  const isAsExpected = isIndexWhole && indexEndsWithLog(context, segment, logSizeBytes);
  if (!isAsExpected || context.options.validateChecksum) {
    const scan = new SegmentScan(context, segment, 0, nextStartOffset);
    if (scan.run()) {
      // What is left takes the offsets up to the next segment, as far as that many messages can have stood there.
      const leftBytes = logSizeBytes - segment.logSizeBytes;
      const possibleCount = Math.max(1, Math.floor(leftBytes / messageHeaderBytes));
      scan.addDamaged(Math.min(possibleCount, nextStartOffset - scan.nextOffset), logSizeBytes);
    }
    scan.finish(isIndexWhole);
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
  const isIndexWhole = openIndex(context, segment, hasIndex);
  // A checkpoint that says more than there is cannot be trusted to say where to look.
  const isTrusted = isIndexWhole && durableBytes <= logSizeBytes && !context.options.validateChecksum;
  const likelyRow = isTrusted ? rowToScanFrom(segment, durableBytes - checkpointSlackBytes) : 0;
  // Where no whole message starts, the index may be what is wrong: then all of the log is looked at.
  const firstRow = startsMessage(context, segment, likelyRow) ? likelyRow : 0;
  const scan = new SegmentScan(context, segment, firstRow, Number.MAX_SAFE_INTEGER);
  const isDamaged = scan.run();
  if (isDamaged || durableBytes > logSizeBytes) {
    const tail = scan.examineTail(durableBytes);
    scan.addDamaged(tail.damagedCount, tail.end);
  }
  if (segment.logSizeBytes < logSizeBytes) keepAside(context, segment, segment.logSizeBytes, logSizeBytes);
  scan.finish(isIndexWhole);
  if (segment.logSizeBytes < logSizeBytes) context.files.useToWrite(segment.log).truncate(segment.logSizeBytes);
}

/** Takes the rows of the index file; whether there is one, without a torn end. */
function openIndex(context: StorageContext, segment: Segment, isThere: boolean): boolean {
  const file = segment.index.file;
  if (!isThere) {
    context.files.create(file);
    return false;
  }
  const sizeBytes = context.files.use(file).sizeBytes();
  segment.index.adopt(Math.floor(sizeBytes / rowSizeBytes));
  return sizeBytes % rowSizeBytes === 0;
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

/** Whether the message of `row` is whole and where the index has it, or `row` is the first one or behind the last one. */
function startsMessage(context: StorageContext, segment: Segment, row: number): boolean {
  const position = segment.index.startPosition(row);
  if (row === 0 || position === segment.logSizeBytes) return true;
  const offset = segment.startOffset + row;
  const region = context.scanMemory.recoveryRegion;
  const scan = new LogScan(region, segment.startOffset, offset, position, segment.logSizeBytes);
  const file = context.files.pin(segment.log);
  try {
    while (!scan.done && scan.nextOffset === offset) scan.take(file.read(scan.target, scan.readPosition));
  } finally {
    context.files.unpin(segment.log);
  }
  return scan.nextOffset > offset;
}
