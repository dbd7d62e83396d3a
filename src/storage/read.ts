// Reads of one partition (spec SB 4.6, with the fixes of SB 13). A read is a lookup: which rows, which bytes of which
// file, which blocks of the journal. It copies nothing and, at the tail, waits for nothing. Damaged messages are left out:
// a reply ends before them or starts behind them.

import { DiskError } from "../platform/disk.ts";
import { IggyError } from "../protocol/errors.ts";
import { decryptRead } from "./decrypted-read.ts";
import type { CachedFile, FileCache } from "./file-cache.ts";
import { replyBytesMax, verificationsMin } from "./limits.ts";
import type { ConsumerOffsets } from "./offsets.ts";
import type { PartitionLog } from "./partition-log.ts";
import type { Segment } from "./segment.ts";
import type { ReadFrom, ReadPart, ReadResult } from "./types.ts";
import { verifyRows } from "./verify.ts";

/** What one segment contributes, by the rows up to `examinedEnd`. */
interface SegmentRun {
  readonly rowsEnd: number;
  readonly examinedEnd: number;
  readonly start: number;
  readonly end: number;
}

/** Rows that have to be verified before a read can say anything; all are in the log file. */
interface UnverifiedRows {
  readonly segment: Segment;
  readonly row: number;
  readonly rowsEnd: number;
}

export class Reader {
  readonly #log: PartitionLog;
  readonly #offsets: ConsumerOffsets;
  readonly #replyBytesMax: number;

  /** `replyBytesLimit`: largest run of messages in one result; at least one message is returned whatever its size. */
  constructor(log: PartitionLog, offsets: ConsumerOffsets, replyBytesLimit = replyBytesMax) {
    this.#log = log;
    this.#offsets = offsets;
    this.#replyBytesMax = replyBytesLimit;
  }

  /** See `Partition.read`. */
  read(from: ReadFrom, countMax: number, bytesMax = this.#replyBytesMax): ReadResult | Promise<ReadResult> {
    const result = this.#read(from, countMax, bytesMax);
    return this.#log.context.encryption === undefined ? result : this.#decrypted(result);
  }

  /** Whatever fails comes as a rejection. */
  #read(from: ReadFrom, countMax: number, bytesMax: number): ReadResult | Promise<ReadResult> {
    if (this.#log.isClosed) return Promise.reject(new IggyError("CannotReadFile"));
    try {
      if (countMax <= 0 || this.#log.visibleOffset === 0) return this.#nothing();
      const start = this.#startOffset(from, countMax);
      const attempt = typeof start === "number" ? this.#readAt(start, countMax, bytesMax) : start;
      if (attempt instanceof FilesResult) return attempt;
      // Where a time starts is known when its rows are verified; any other start is a matter of now.
      return this.#verifyAndRead(
        attempt,
        typeof start === "number" ? { kind: "offset", offset: start } : from,
        countMax,
        bytesMax,
      );
    } catch (thrown) {
      return Promise.reject(toReadError(thrown));
    }
  }

  async #decrypted(reading: ReadResult | Promise<ReadResult>): Promise<ReadResult> {
    const { encryption, log } = this.#log.context;
    const result = await reading;
    if (encryption === undefined || result.messagesCount === 0) return result;
    try {
      return await decryptRead(result, encryption.cipher, log);
    } catch (thrown) {
      throw toReadError(thrown);
    }
  }

  #startOffset(from: ReadFrom, countMax: number): number | UnverifiedRows {
    const log = this.#log;
    switch (from.kind) {
      case "offset":
        return from.offset;
      case "first":
        return log.segments[0]!.startOffset;
      case "last":
        return Math.max(0, log.visibleOffset - countMax);
      case "next": {
        const stored = this.#offsets.get(from.consumer);
        return stored === undefined ? log.segments[0]!.startOffset : stored + 1;
      }
      case "timestamp":
        return this.#offsetAtOrAfter(from.timestampMicros);
    }
  }

  /**
   * Offset of the first message with this time or a later one; the end of the log if there is none. Where a segment begins
   * because the clock had been ahead, that may be one of the messages that were dated ahead: none is missed. As times do not go
   * back inside a segment, the two rows that it stands between prove it, wherever a search through unverified rows came from.
   */
  #offsetAtOrAfter(timestampMicros: number): number | UnverifiedRows {
    const log = this.#log;
    for (const segment of log.segments) {
      if (segment.lastTimestampMicros < timestampMicros) continue;
      const rowsVisible = log.visibleRows(segment);
      for (let first = 0; first < rowsVisible; ) {
        const row = segment.index.firstRowAtOrAfter(timestampMicros, rowsVisible, first);
        const unverified = this.#unverified(segment, Math.max(0, row - 1), Math.min(row + 1, rowsVisible));
        if (unverified !== undefined) return unverified;
        // The time of a damaged message proves nothing.
        const sound = segment.damagedRows?.endFrom(row) ?? row;
        if (sound === row && row < rowsVisible) return segment.startOffset + row;
        first = Math.max(sound, row + 1);
      }
    }
    return log.visibleOffset;
  }

  #readAt(offset: number, countMax: number, bytesMax: number): FilesResult | UnverifiedRows {
    const log = this.#log;
    if (offset >= log.visibleOffset) return this.#nothing();
    const start = Math.max(offset, log.segments[0]!.startOffset);
    const result = new FilesResult(log.context.files, log.visibleOffset - 1, log.epoch);
    try {
      const unverified = this.#collect(result, start, countMax, bytesMax);
      if (unverified === undefined) return result;
      result.release();
      return unverified;
    } catch (thrown) {
      result.release();
      throw thrown;
    }
  }

  /** Fills `result`, or says what has to be verified first. */
  #collect(result: FilesResult, start: number, countMax: number, bytesMax: number): UnverifiedRows | undefined {
    const log = this.#log;
    let offset = start;
    for (let at = log.segmentIndexOf(start); at < log.segments.length; at++) {
      const segment = log.segments[at]!;
      const rowsVisible = log.visibleRows(segment);
      if (offset < segment.startOffset) {
        // A gap, left by damage: a reply is without gaps, so it ends here or starts behind it.
        if (result.messagesCount > 0) break;
        offset = segment.startOffset;
      }
      let row = offset - segment.startOffset;
      if (row >= rowsVisible) continue;
      if (segment.damagedRows !== undefined) {
        const behind = Math.min(segment.damagedRows.endFrom(row), rowsVisible);
        if (behind > row) {
          // Damaged messages are a gap as well.
          if (result.messagesCount > 0) break;
          offset = segment.startOffset + behind;
          result.leaveOut(behind - row, offset - 1);
          row = behind;
          if (row === rowsVisible) continue;
        }
      }
      const rowsEnd = Math.min(rowsVisible, row + countMax - result.messagesCount);
      const run = this.#runOf(segment, row, rowsEnd, bytesMax - result.sizeBytes);
      const unverified = this.#unverified(segment, row, run.examinedEnd);
      if (unverified !== undefined) return unverified;
      if (result.messagesCount > 0 && result.sizeBytes + run.end - run.start > bytesMax) break;
      this.#addParts(result, segment, run.start, run.end);
      result.messagesCount += run.rowsEnd - row;
      offset = segment.startOffset + run.rowsEnd;
      result.lastOffset = offset - 1;
      if (result.messagesCount === countMax || run.rowsEnd < rowsVisible) break;
    }
    return undefined;
  }

  /** The rows from `row` on, which is not damaged, before `rowsEnd` that can be returned together. They may be unverified. */
  #runOf(segment: Segment, row: number, rowsEnd: number, bytesMax: number): SegmentRun {
    const { index } = segment;
    let end = rowsEnd;
    if (segment.damagedRows !== undefined) end = Math.min(end, segment.damagedRows.firstFrom(row));
    const startPosition = index.startPosition(row);
    let endPosition = index.endPosition(end - 1);
    if (endPosition - startPosition > bytesMax) {
      end = index.lastRowEndingBy(startPosition + bytesMax, row, end) + 1;
      endPosition = index.endPosition(end - 1);
      // The row behind them says that it would be too much.
      return { rowsEnd: end, examinedEnd: Math.min(end + 1, rowsEnd), start: startPosition, end: endPosition };
    }
    return { rowsEnd: end, examinedEnd: end, start: startPosition, end: endPosition };
  }

  /** The same rows, as far as they are in the log file, where they are still to be verified. */
  #unverified(segment: Segment, row: number, rowsEnd: number): UnverifiedRows | undefined {
    if (segment.verified.contains(row, rowsEnd)) return undefined;
    const end = Math.min(rowsEnd, this.#log.writtenRows(segment));
    return row >= end || segment.verified.contains(row, end) ? undefined : { segment, row, rowsEnd: end };
  }

  #addParts(result: FilesResult, segment: Segment, start: number, end: number): void {
    const log = this.#log;
    const fileEnd = Math.min(end, segment.logSizeBytes);
    if (start < fileEnd) result.addFile(segment.log, start, fileEnd - start);
    if (end > segment.logSizeBytes) {
      const journalStart = Math.max(start, segment.logSizeBytes);
      log.journal.collect(journalStart - segment.logSizeBytes, end - segment.logSizeBytes, result.parts);
    }
    result.sizeBytes += end - start;
  }

  /**
   * Looks anew after each check: the partition may have been purged, rotated or repaired meanwhile. Each check leaves fewer
   * unverified rows, or else the read fails: it never goes round in circles.
   */
  async #verifyAndRead(
    blocked: UnverifiedRows,
    from: ReadFrom,
    countMax: number,
    bytesMax: number,
  ): Promise<ReadResult> {
    const log = this.#log;
    let rows = blocked;
    try {
      for (let left = 2 * log.segments.length + verificationsMin; left > 0; left--) {
        await verifyRows(log, rows.segment, rows.row, rows.rowsEnd);
        if (log.isClosed) break;
        // For example of a segment whose removal failed half-way.
        const madeNoProgress = !rows.segment.verified.contains(rows.row, rows.rowsEnd);
        if (madeNoProgress && log.segments.includes(rows.segment)) break;
        const start = this.#startOffset(from, countMax);
        const attempt = typeof start === "number" ? this.#readAt(start, countMax, bytesMax) : start;
        if (attempt instanceof FilesResult) return attempt;
        rows = attempt;
      }
    } catch (thrown) {
      throw toReadError(thrown);
    }
    throw new IggyError("CannotReadFile");
  }

  #nothing(): FilesResult {
    const log = this.#log;
    return new FilesResult(log.context.files, Math.max(0, log.visibleOffset - 1), log.epoch);
  }
}

class FilesResult implements ReadResult {
  readonly #files: FileCache;
  readonly currentOffset: number;
  readonly epoch: number;
  messagesCount = 0;
  skippedCount = 0;
  lastOffset = 0;
  sizeBytes = 0;
  readonly parts: ReadPart[];
  #pinned: CachedFile | undefined;
  readonly #morePinned: CachedFile[] = [];

  constructor(files: FileCache, currentOffset: number, epoch: number) {
    this.#files = files;
    this.currentOffset = currentOffset;
    this.epoch = epoch;
    this.parts = [];
  }

  /** The reply goes on behind `count` messages, up to `lastOffset`, that cannot be returned. */
  leaveOut(count: number, lastOffset: number): void {
    this.skippedCount += count;
    this.lastOffset = lastOffset;
  }

  addFile(entry: CachedFile, position: number, sizeBytes: number): void {
    const file = this.#files.pin(entry);
    if (this.#pinned === undefined) this.#pinned = entry;
    else this.#morePinned.push(entry);
    this.parts.push({ kind: "file", file, position, sizeBytes });
  }

  release(): void {
    if (this.#pinned !== undefined) this.#files.unpin(this.#pinned);
    for (const entry of this.#morePinned) this.#files.unpin(entry);
    this.#pinned = undefined;
    this.#morePinned.length = 0;
  }
}

function toReadError(thrown: unknown): unknown {
  return thrown instanceof DiskError ? new IggyError("CannotReadFile", [], { cause: thrown }) : thrown;
}
