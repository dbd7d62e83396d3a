import { DiskError } from "../platform/disk.ts";
import { CachedFile, type FileCache } from "./file-cache.ts";
import { RowRanges } from "./row-ranges.ts";
import { SegmentIndex } from "./segment-index.ts";
import type { StorageContext } from "./types.ts";
import { VerifiedRanges } from "./verified-ranges.ts";

const nameDigits = 20;
const logSuffix = ".log";
const indexSuffix = ".index";

/** One log file with its index, and what is known about them. Its rules are in the files that use it. */
export class Segment {
  readonly startOffset: number;
  readonly log: CachedFile;
  readonly index: SegmentIndex;
  /** Rows that were checked with their messages: all where this process writes them from the start. Recovery replaces it. */
  verified = new VerifiedRanges(0);
  /** Whether the files exist. Nothing is created before the first write. */
  onDisk = false;
  /** Whether its files were removed: whatever is under way with them ends without a result. */
  isRemoved = false;
  /** Bytes of whole messages in the log file. */
  logSizeBytes = 0;
  /** The same with the journal that will follow them. */
  acceptedSizeBytes = 0;
  /** Bytes up to which room is set aside for the log. */
  reservedBytes = 0;
  /** Bytes of the log that a sync covered. */
  syncedSizeBytes = 0;
  /** The sync of its log that is under way. */
  logSync: Promise<void> | undefined;
  /** Whether part of a write that failed may stand behind its messages: it is cut off before the next write. */
  hasLeftover = false;
  /** Highest time of its messages, 0 while it has none. */
  lastTimestampMicros = 0;
  /** When retention first saw that its messages are dated ahead of the clock, by the monotonic one. */
  seenAheadMicros: number | undefined;
  /** Rows whose messages are damaged, where there are any: reads leave them out. */
  damagedRows: RowRanges | undefined;
  /** Whether the log already says that retention must leave it. */
  isKeptReported = false;

  /** An empty segment that is not on disk. `keepRows`: see `SegmentIndex`. */
  constructor(files: FileCache, directory: string, startOffset: number, keepRows: boolean) {
    this.startOffset = startOffset;
    this.log = new CachedFile(directory, logNameOf(startOffset));
    this.index = new SegmentIndex(files, directory, indexNameOf(startOffset), keepRows);
  }

  /** Offset behind its last message. */
  get endOffset(): number {
    return this.startOffset + this.index.rowsCount;
  }

  /** Makes both files, empty; left-overs of the same name go. Throws `DiskError`. */
  createFiles(files: FileCache): void {
    files.create(this.log);
    files.create(this.index.file);
    this.onDisk = true;
  }

  /** Closes its files as soon as no reader needs them. */
  closeFiles(files: FileCache): void {
    files.discard(this.log);
    files.discard(this.index.file);
  }

  /**
   * Removes its files. With its log the segment is gone; an index that stays is no segment, and the next start removes it.
   * Throws `DiskError` when the log cannot be removed: then the segment is as it was.
   */
  removeFiles({ disk, files, log }: StorageContext): void {
    disk.remove(this.log.path);
    this.isRemoved = true;
    this.closeFiles(files);
    try {
      disk.remove(this.index.file.path);
    } catch (thrown) {
      if (!(thrown instanceof DiskError)) throw thrown;
      log.warn("index of a removed segment is left for the next start", {
        path: this.index.file.path,
        error: thrown.message,
      });
    }
  }

  /** Marks the rows `firstRow` to `endRow` (exclusive); how many of them were not marked yet. */
  markDamaged(firstRow: number, endRow: number): number {
    this.damagedRows ??= new RowRanges();
    return this.damagedRows.add(firstRow, endRow);
  }
}

function baseNameOf(startOffset: number): string {
  return String(startOffset).padStart(nameDigits, "0");
}

/** Most segments are the first ones of their partitions: the same text for all of these. */
const firstLogName = baseNameOf(0) + logSuffix;
const firstIndexName = baseNameOf(0) + indexSuffix;

function logNameOf(startOffset: number): string {
  return startOffset === 0 ? firstLogName : baseNameOf(startOffset) + logSuffix;
}

export function indexNameOf(startOffset: number): string {
  return startOffset === 0 ? firstIndexName : baseNameOf(startOffset) + indexSuffix;
}

/** Names of the two files of a segment. */
export function segmentNames(startOffset: number): { readonly log: string; readonly index: string } {
  return { log: logNameOf(startOffset), index: indexNameOf(startOffset) };
}

/** Start offset by the name of a log file; undefined for any other file. */
export function startOffsetOf(fileName: string): number | undefined {
  const digits = fileName.slice(0, -logSuffix.length);
  if (!fileName.endsWith(logSuffix) || digits.length !== nameDigits || !/^\d+$/.test(digits)) return undefined;
  const startOffset = Number(digits);
  return Number.isSafeInteger(startOffset) ? startOffset : undefined;
}
