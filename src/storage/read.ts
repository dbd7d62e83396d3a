// Reads of one partition (spec SB 4.6, with the fixes of SB 13). A read is a lookup: which rows, which bytes of which
// file, which blocks of the journal. It copies nothing and, at the tail, waits for nothing.

import { DiskError } from "../platform/disk.ts";
import { IggyError } from "../protocol/errors.ts";
import { decryptRead } from "./decrypted-read.ts";
import type { CachedFile, FileCache } from "./file-cache.ts";
import { replyBytesMax } from "./limits.ts";
import type { ConsumerOffsets } from "./offsets.ts";
import type { PartitionLog } from "./partition-log.ts";
import type { Segment } from "./segment.ts";
import type { ReadFrom, ReadPart, ReadResult } from "./types.ts";
import { verifyRows } from "./verify.ts";

/** What one segment contributes, or why it cannot yet. */
type SegmentRun =
  | { readonly kind: "rows"; readonly rowsEnd: number; readonly start: number; readonly end: number }
  | { readonly kind: "unverified"; readonly rowsEnd: number }
  | { readonly kind: "damaged" };

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
  read(from: ReadFrom, countMax: number): ReadResult | Promise<ReadResult> {
    const result = this.#read(from, countMax);
    return this.#log.context.encryption === undefined ? result : this.#decrypted(result);
  }

  /** Whatever fails comes as a rejection. */
  #read(from: ReadFrom, countMax: number): ReadResult | Promise<ReadResult> {
    if (this.#log.isClosed) return Promise.reject(new IggyError("CannotReadFile"));
    try {
      if (countMax <= 0 || this.#log.visibleOffset === 0) return this.#nothing();
      return this.#readAt(this.#startOffset(from, countMax), countMax);
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

  #startOffset(from: ReadFrom, countMax: number): number {
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

  /** Offset of the first message with this time or a later one; the end of the log if there is none. */
  #offsetAtOrAfter(timestampMicros: number): number {
    const log = this.#log;
    for (const segment of log.segments) {
      if (segment.lastTimestampMicros < timestampMicros) continue;
      const rowsEnd = log.visibleRows(segment);
      const row = segment.index.firstRowAtOrAfter(timestampMicros, rowsEnd);
      if (row < rowsEnd) return segment.startOffset + row;
    }
    return log.visibleOffset;
  }

  #readAt(offset: number, countMax: number): ReadResult | Promise<ReadResult> {
    const log = this.#log;
    if (offset >= log.visibleOffset) return this.#nothing();
    const start = Math.max(offset, log.segments[0]!.startOffset);
    const result = new FilesResult(log.context.files, log.visibleOffset - 1, log.epoch);
    try {
      return this.#collect(result, start, countMax) ?? this.#verifyAndRead(result, start, countMax);
    } catch (thrown) {
      result.release();
      throw thrown;
    }
  }

  /** Fills `result`; undefined when bytes have to be verified first: `result.unverified` says which. */
  #collect(result: FilesResult, start: number, countMax: number): ReadResult | undefined {
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
      const row = offset - segment.startOffset;
      if (row >= rowsVisible) continue;
      const rowsEnd = Math.min(rowsVisible, row + countMax - result.messagesCount);
      const run = this.#runOf(segment, row, rowsEnd, this.#replyBytesMax - result.sizeBytes);
      if (run.kind === "unverified") {
        result.unverified = { segment, row, rowsEnd: run.rowsEnd };
        return undefined;
      }
      if (run.kind === "damaged") {
        if (result.messagesCount > 0) break;
        throw new IggyError("InvalidMessageChecksum", ["", "", offset]);
      }
      if (result.messagesCount > 0 && result.sizeBytes + run.end - run.start > this.#replyBytesMax) break;
      this.#addParts(result, segment, run.start, run.end);
      result.messagesCount += run.rowsEnd - row;
      offset = segment.startOffset + run.rowsEnd;
      result.lastOffset = offset - 1;
      if (result.messagesCount === countMax || run.rowsEnd < rowsVisible) break;
    }
    return result;
  }

  /** The rows from `row` on, before `rowsEnd`, that can be returned together. */
  #runOf(segment: Segment, row: number, rowsEnd: number, bytesMax: number): SegmentRun {
    const { index } = segment;
    let end = rowsEnd;
    if (segment.damagedRows.length > 0) {
      end = Math.min(end, segment.damagedRowFrom(row) ?? end);
      if (end === row) return { kind: "damaged" };
    }
    const startPosition = index.startPosition(row);
    let endPosition = index.endPosition(end - 1);
    if (endPosition - startPosition > bytesMax) {
      end = index.lastRowEndingBy(startPosition + bytesMax, row, end) + 1;
      endPosition = index.endPosition(end - 1);
    }
    const fileEnd = Math.min(endPosition, segment.logSizeBytes);
    const isSound = startPosition < endPosition && endPosition <= segment.acceptedSizeBytes;
    if (isSound && (startPosition >= fileEnd || segment.verified.contains(startPosition, fileEnd))) {
      return { kind: "rows", rowsEnd: end, start: startPosition, end: endPosition };
    }
    // Where a repaired index still makes no sense for many rows, one row at a time does.
    if (!isSound && segment.indexRepaired && end > row + 1) return this.#runOf(segment, row, row + 1, bytesMax);
    return { kind: "unverified", rowsEnd: end };
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

  /** Looks anew after each check: the partition may have been purged, rotated or repaired meanwhile. */
  async #verifyAndRead(blocked: FilesResult, start: number, countMax: number): Promise<ReadResult> {
    const { unverified } = blocked;
    blocked.release();
    try {
      if (unverified !== undefined) {
        await verifyRows(this.#log, unverified.segment, unverified.row, unverified.rowsEnd);
      }
      if (this.#log.isClosed) throw new IggyError("CannotReadFile");
      return await this.#readAt(start, countMax);
    } catch (thrown) {
      throw toReadError(thrown);
    }
  }

  #nothing(): ReadResult {
    const log = this.#log;
    return new FilesResult(log.context.files, Math.max(0, log.visibleOffset - 1), log.epoch);
  }
}

class FilesResult implements ReadResult {
  readonly #files: FileCache;
  readonly currentOffset: number;
  readonly epoch: number;
  messagesCount = 0;
  readonly skippedCount = 0;
  lastOffset = 0;
  sizeBytes = 0;
  readonly parts: ReadPart[];
  unverified: { readonly segment: Segment; readonly row: number; readonly rowsEnd: number } | undefined;
  #pinned: CachedFile | undefined;
  readonly #morePinned: CachedFile[] = [];

  constructor(files: FileCache, currentOffset: number, epoch: number) {
    this.#files = files;
    this.currentOffset = currentOffset;
    this.epoch = epoch;
    this.parts = [];
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
