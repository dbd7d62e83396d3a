// The state of one partition's log, shared by the parts that append, read, sync and repair it. Three offsets, each the
// number of the message that comes next: accepted (`nextOffset`), in the log file (`writtenOffset`), shown to readers
// (`visibleOffset`). visible ≤ accepted and written ≤ accepted always; which of visible and written is ahead depends on
// the acknowledgement level (spec SB 3.4, 3.5).

import { AssertionError, assert } from "../platform/assert.ts";
import { DiskError } from "../platform/disk.ts";
import { IggyError } from "../protocol/errors.ts";
import { Journal } from "./journal.ts";
import type { PartitionMark } from "./mark.ts";
import { openSegments } from "./recovery.ts";
import { giveBackAfterKill } from "./reserve.ts";
import { Segment } from "./segment.ts";
import type { PartitionCounters, StorageContext } from "./types.ts";

/** From a partition's directory up to the one that the data directory stands in (spec SB 3.1). */
const directoryLevels = 7;

export class PartitionLog {
  readonly context: StorageContext;
  readonly directory: string;
  readonly journal = new Journal();
  readonly counters: PartitionCounters;
  /** Says whose the directory is; missing where nobody asks. */
  readonly mark: PartitionMark | undefined;
  readonly #onChange: (counters: PartitionCounters) => void;

  segments: Segment[];
  active: Segment;
  nextOffset: number;
  writtenOffset: number;
  visibleOffset: number;
  lastTimestampMicros: number;
  /** Grows with each purge: what was under way before it must not change what is there after it. */
  epoch = 0;
  /** Why appends are refused, if they are: fenced or closed. */
  refusal: IggyError | undefined;
  isFenced = false;
  isClosed = false;
  /** Its topic or itself is deleted, and its files with it: their names may soon be those of another partition. */
  isAbandoned = false;
  /** The logs of the segments before this offset are durable. */
  syncedBefore = 0;
  /** How many directories, from that of the partition upwards, have entries that no sync covered. */
  #unsyncedLevels = 0;

  /** Opens what is in `directory`, which holds `names`, repairing it. Throws `DiskError`. */
  constructor(
    context: StorageContext,
    directory: string,
    names: readonly string[],
    onChange: (counters: PartitionCounters) => void,
    mark?: PartitionMark,
  ) {
    this.context = context;
    this.mark = mark;
    this.directory = directory;
    this.#onChange = onChange;
    this.segments = openSegments(context, directory, names);
    const nextOffsetMin = mark?.nextOffset ?? 0;
    if (this.segments.length === 0 || this.segments[this.segments.length - 1]!.endOffset < nextOffsetMin) {
      this.segments.push(this.#makeSegment(nextOffsetMin));
    }
    this.active = this.segments[this.segments.length - 1]!;
    this.nextOffset = this.active.endOffset;
    this.writtenOffset = this.nextOffset;
    this.visibleOffset = this.nextOffset;
    this.lastTimestampMicros = lastTimestampOf(this.segments, context.clock.nowMicros());
    for (const segment of this.segments.slice(-2)) giveBackAfterKill(context, segment);
    // What a killed process left may have no durable name yet; the mark and offsets may be there before the first segment.
    if (this.active.syncedSizeBytes === 0 && names.length > 0) {
      this.noteDirectories();
      mark?.doubt();
    }
    this.counters = { segmentsCount: 0, currentOffset: 0, hasMessages: false, sizeBytes: 0, messagesCount: 0 };
    this.#updateCounters();
  }

  /** Readers may see what comes before `offset` from now on, which is `addedBytes` more than before. */
  publish(offset: number, addedBytes: number): void {
    assert(
      offset >= this.visibleOffset && offset <= this.nextOffset,
      "what readers see grows, up to what was accepted",
    );
    const counters = this.counters;
    counters.messagesCount += offset - this.visibleOffset;
    counters.sizeBytes += addedBytes;
    counters.currentOffset = Math.max(0, offset - 1);
    counters.hasMessages = offset > 0;
    this.visibleOffset = offset;
    this.#onChange(counters);
  }

  /** Messages of `segment` that readers may see. */
  visibleRows(segment: Segment): number {
    return Math.min(segment.index.rowsCount, Math.max(0, this.visibleOffset - segment.startOffset));
  }

  /** Messages of `segment` that are in its log file. */
  writtenRows(segment: Segment): number {
    return Math.min(segment.index.rowsCount, this.writtenOffset - segment.startOffset);
  }

  /** Writes index rows whose messages are in the log. Throws `DiskError`; the rows stay in memory then. */
  writeIndexRows(): void {
    for (const segment of this.segments) segment.index.writeUpTo(this.writtenRows(segment));
  }

  /** Whether `writeIndexRows` would write anything. */
  get hasPendingRows(): boolean {
    return this.segments.some(({ index }) => index.pendingBytes(index.rowsCount) > 0);
  }

  /** The segment that holds `offset`, or the one before it where none does. Not before the first segment. */
  segmentIndexOf(offset: number): number {
    let low = 0;
    let high = this.segments.length - 1;
    if (offset >= this.active.startOffset) return high;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.segments[middle]!.startOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Starts an empty active segment behind all that was accepted; its files come with `createActiveFiles`. */
  startSegment(): void {
    const segment = this.#makeSegment(this.nextOffset);
    this.segments.push(segment);
    this.active = segment;
    this.counters.segmentsCount = this.segments.length;
    this.#onChange(this.counters);
  }

  /** Removes the oldest segment, which is sealed, with its files. Throws `DiskError`. */
  removeOldestSegment(): void {
    const oldest = this.segments[0]!;
    assert(oldest !== this.active, "the active segment is never removed");
    oldest.removeFiles(this.context);
    this.noteDirectory();
    this.segments.shift();
    this.counters.segmentsCount = this.segments.length;
    this.counters.messagesCount -= oldest.index.rowsCount;
    this.counters.sizeBytes -= oldest.logSizeBytes;
    this.#onChange(this.counters);
  }

  /** Makes the files of the active segment, with their directory, if they are missing. Throws `DiskError`. */
  createActiveFiles(): void {
    if (this.active.onDisk) return;
    if (this.segments.length === 1) this.noteDirectories();
    else this.noteDirectory();
    this.context.disk.makeDirectory(this.directory);
    this.mark?.beforeFirstFile(this.active.startOffset);
    this.active.createFiles(this.context.files);
  }

  /** The entries of the new partition, and of every directory that may have been made for it, need a sync. */
  noteDirectories(): void {
    this.#unsyncedLevels = directoryLevels + 1;
  }

  /** The entries in every directory are durable. */
  forgetDirectories(): void {
    this.#unsyncedLevels = 0;
  }

  /** Entries of the partition's own directory need a sync. */
  noteDirectory(): void {
    this.#unsyncedLevels = Math.max(1, this.#unsyncedLevels);
  }

  get hasUnsyncedDirectories(): boolean {
    return this.#unsyncedLevels > 0;
  }

  /** Those with entries that no sync covered, the highest first. */
  get unsyncedDirectories(): readonly string[] {
    const paths: string[] = [];
    let path = this.directory;
    for (let level = 0; level < this.#unsyncedLevels; level++) {
      paths.unshift(path);
      if (path === "/" || !path.includes("/")) break;
      path = path.slice(0, path.lastIndexOf("/")) || "/";
    }
    return paths;
  }

  /** Everything is gone: an empty segment at 0 (spec SB 5.3). Taking the files away was the caller's. */
  restart(): void {
    for (const segment of this.segments) {
      segment.isRemoved = true;
      segment.closeFiles(this.context.files);
    }
    this.epoch++;
    // What was uncertain went with the files.
    if (!this.isClosed) {
      this.isFenced = false;
      this.refusal = undefined;
    }
    this.syncedBefore = 0;
    this.journal.clear();
    this.active = this.#makeSegment(0);
    this.segments = [this.active];
    this.nextOffset = 0;
    this.writtenOffset = 0;
    this.visibleOffset = 0;
    this.#updateCounters();
    this.#onChange(this.counters);
  }

  /**
   * No more appends: what is on the disk is not known any more, or a rule of our own is broken. Reads go on, and check
   * what they read that no sync covered. Returns the error for everyone who waits.
   */
  fence(thrown: unknown): IggyError {
    if (this.isFenced && this.refusal !== undefined) return this.refusal;
    const error = toStorageError(thrown);
    this.isFenced = true;
    this.refusal = error;
    for (const segment of this.segments) {
      if (segment.syncedSizeBytes < segment.logSizeBytes) segment.verified.clear();
    }
    this.context.count?.("fencedPartitions");
    this.context.log.error("partition is fenced, it takes no more messages", {
      directory: this.directory,
      error: thrown instanceof Error ? thrown.message : String(thrown),
    });
    return error;
  }

  /** No more appends and reads. */
  close(): void {
    this.isClosed = true;
    this.refusal ??= new IggyError("CannotAppendToFile", [], { cause: new Error("the partition is closed") });
  }

  /** What is under way ends without touching a file by its name; a sync that was to cover something is refused. */
  abandon(): void {
    this.close();
    this.isAbandoned = true;
    this.epoch++;
    for (const segment of this.segments) segment.isRemoved = true;
    this.forgetDirectories();
  }

  #makeSegment(startOffset: number): Segment {
    const { options, files } = this.context;
    return new Segment(files, this.directory, startOffset, options.cacheIndexes !== "none");
  }

  /** Counts anew, where everything in the segments is visible. */
  #updateCounters(): void {
    const counters = this.counters;
    counters.segmentsCount = this.segments.length;
    counters.currentOffset = Math.max(0, this.visibleOffset - 1);
    counters.hasMessages = this.visibleOffset > 0;
    counters.sizeBytes = this.segments.reduce((sum, segment) => sum + segment.logSizeBytes, 0);
    counters.messagesCount = this.segments.reduce((sum, segment) => sum + segment.index.rowsCount, 0);
  }
}

/**
 * Time of the newest message. A time from the active segment was checked when it opened; one from an index of a sealed
 * segment was not, and must not push the clock of the partition into the future.
 */
function lastTimestampOf(segments: readonly Segment[], nowMicros: number): number {
  const active = segments[segments.length - 1]!;
  if (active.index.rowsCount > 0) return active.lastTimestampMicros;
  const sealed = segments[segments.length - 2];
  return sealed === undefined ? 0 : Math.min(sealed.lastTimestampMicros, nowMicros);
}

/** The error that clients get for a failure below: by operation of the disk, `CannotAppendToFile` for anything else. */
export function toStorageError(thrown: unknown): IggyError {
  if (thrown instanceof IggyError) return thrown;
  if (thrown instanceof DiskError && (thrown.operation === "sync" || thrown.operation === "syncDirectory")) {
    return new IggyError("CannotSyncFile", [], { cause: thrown });
  }
  if (thrown instanceof DiskError || thrown instanceof AssertionError) {
    return new IggyError("CannotAppendToFile", [], { cause: thrown });
  }
  return new IggyError("Error", [], { cause: thrown });
}
