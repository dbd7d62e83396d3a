// The walk of recovery through the log of one segment: afterwards the index has a row for each message, whole or damaged,
// and says what the log says.

import { DiskError } from "../platform/disk.ts";
import { makeDamagedRows, markDamaged } from "./damaged-rows.ts";
import { LogScan, lastTimestampIn } from "./log-scan.ts";
import { examineTail, type LogTail } from "./log-tail.ts";
import { rowSizeBytes } from "./row-block.ts";
import type { Segment } from "./segment.ts";
import type { StorageContext } from "./types.ts";
import { VerifiedRanges } from "./verified-ranges.ts";

export class SegmentScan {
  readonly #context: StorageContext;
  readonly #segment: Segment;
  readonly #firstRow: number;
  readonly #offsetEnd: number;
  #row: number;
  /** Whether rows from `#row` on are taken from the log, since one before was not as it should be. */
  #differs = false;
  /** Whether a row of the file was wrong, not only missing. */
  #wasWrong = false;

  /**
   * Of the log from the message of `firstRow` to the end of the file, which `segment.logSizeBytes` is. `offsetEnd`: the
   * segment has no messages from this offset on.
   */
  constructor(context: StorageContext, segment: Segment, firstRow: number, offsetEnd: number) {
    this.#context = context;
    this.#segment = segment;
    this.#firstRow = firstRow;
    this.#offsetEnd = offsetEnd;
    this.#row = firstRow;
  }

  /** Offset behind what was found. */
  get nextOffset(): number {
    return this.#segment.startOffset + this.#row;
  }

  /**
   * Walks to the last whole message. `segment.logSizeBytes` is its end afterwards; whether there is anything behind it.
   * Throws `DiskError`.
   */
  run(): boolean {
    const { files, scanMemory } = this.#context;
    const segment = this.#segment;
    segment.lastTimestampMicros = 0;
    const file = files.pin(segment.log);
    try {
      const scan = new LogScan(
        scanMemory.recoveryRegion,
        segment.startOffset,
        this.nextOffset,
        segment.index.startPosition(this.#firstRow),
        segment.logSizeBytes,
        { offsetEnd: this.#offsetEnd, storedEnd: (row) => segment.index.storedEnd(row) },
      );
      while (!scan.done) {
        scan.take(file.read(scan.target, scan.readPosition));
        if (scan.rows.byteLength > 0) this.#put(scan.rows);
        const run = scan.damagedRun;
        if (run !== undefined)
          this.#putDamaged(run.endOffset - run.firstOffset, run.start, run.end, run.nextTimestampMicros);
      }
      segment.logSizeBytes = scan.position;
      return scan.damage !== undefined;
    } finally {
      files.unpin(segment.log);
    }
  }

  /** What of the rest of the file are messages, in a segment that takes appends. Throws `DiskError`. */
  examineTail(durableBytes: number): LogTail {
    const { files, scanMemory } = this.#context;
    const segment = this.#segment;
    const file = files.pin(segment.log);
    try {
      const place = {
        segmentStartOffset: segment.startOffset,
        position: segment.logSizeBytes,
        offset: this.nextOffset,
        end: file.sizeBytes(),
        offsetEnd: this.#offsetEnd,
        timestampMicros: segment.lastTimestampMicros,
        storedEnd: (row: number) => segment.index.storedEnd(row),
      };
      return examineTail(file, segment, place, scanMemory.recoveryRegion, durableBytes);
    } finally {
      files.unpin(segment.log);
    }
  }

  /** The segment ends with `count` damaged messages, at `end`. */
  addDamaged(count: number, end: number): void {
    if (count <= 0) return;
    this.#putDamaged(count, this.#segment.logSizeBytes, end, undefined);
    this.#segment.logSizeBytes = end;
  }

  /** Makes the index file say what was found. `isIndexWhole`: whether it was there, without a torn end. */
  finish(isIndexWhole: boolean): void {
    const { index } = this.#segment;
    if (this.#differs || !isIndexWhole || index.rowsCount > this.#row) {
      const isSurplus = index.rowsCount > this.#row;
      if (isSurplus) index.truncate(this.#row);
      this.#writeIndex(true);
      this.#report(isIndexWhole, isSurplus);
      index.forgetWritten(); // as after any other open: there may be very many partitions, and few in use
    }
    this.#segment.verified = new VerifiedRanges(this.#firstRow);
  }

  #putDamaged(count: number, start: number, end: number, nextTimestampMicros: number | undefined): void {
    const segment = this.#segment;
    const firstRow = this.#row;
    const rows = makeDamagedRows(
      {
        firstRow,
        endRow: firstRow + count,
        start,
        end,
        previousTimestampMicros: segment.lastTimestampMicros,
        nextTimestampMicros: nextTimestampMicros ?? this.#context.clock.nowMicros(),
        isFollowed: nextTimestampMicros !== undefined,
      },
      segment.index,
    );
    for (const some of rows) this.#put(some);
    markDamaged(this.#context, segment, firstRow, this.#row);
  }

  /** The next rows by the log. */
  #put(rows: Uint8Array): void {
    const { index } = this.#segment;
    const count = rows.byteLength / rowSizeBytes;
    if (!this.#differs && !index.matches(this.#row, rows)) {
      const storedCount = Math.max(0, Math.min(count, index.fileRows - this.#row));
      this.#wasWrong = !index.matches(this.#row, rows.subarray(0, storedCount * rowSizeBytes));
      index.truncate(this.#row);
      this.#differs = true;
    }
    this.#segment.lastTimestampMicros = lastTimestampIn(rows);
    if (this.#differs) {
      index.append(rows, 0, count);
      this.#writeIndex(false);
    }
    this.#row += count;
  }

  #report(isIndexWhole: boolean, isSurplus: boolean): void {
    // Rows that are not written yet when a process is killed are no fault of the index.
    if (this.#row === 0 || (isIndexWhole && !this.#wasWrong && !isSurplus)) return;
    this.#context.log.warn("index made again from its log", { path: this.#segment.index.file.path });
    this.#context.count?.("repairedIndexes");
  }

  /** A full disk must not keep a partition shut: rows that cannot be written stay in memory. */
  #writeIndex(isLast: boolean): void {
    const { index } = this.#segment;
    try {
      index.writeUpTo(index.rowsCount);
      const sizeBytes = index.rowsCount * rowSizeBytes;
      if (isLast && this.#context.files.use(index.file).sizeBytes() > sizeBytes) index.truncateFile();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#context.log.warn("index not repaired, its rows stay in memory", {
        path: index.file.path,
        error: error.message,
      });
    }
  }
}
