// The index rows of one segment (spec SB 3.3): in the file, in memory, or both. The log is the truth; rows are written
// behind it and can be made again from it, so a failed write here loses nothing.
//
// Rows 0 to fileRows are in the file; rows from there to rowsCount are in memory for certain. Rows of the file are also in
// memory where the cache mode keeps them, and are loaded a chunk at a time when someone asks.

import { assert } from "../platform/assert.ts";
import { IggyError } from "../protocol/errors.ts";
import { IndexRowLayout } from "../protocol/message-layout.ts";
import { CachedFile, type FileCache } from "./file-cache.ts";
import { RowBlock, rowSizeBytes, rowsPerChunk } from "./row-block.ts";

/** One row that is not kept in memory; valid until the next one is located. */
const rowBytes = new Uint8Array(rowSizeBytes);
const rowView = new DataView(rowBytes.buffer);

export class SegmentIndex {
  readonly file: CachedFile;
  readonly #files: FileCache;
  /** Made at the first use: there may be very many partitions. */
  #madeBlock: RowBlock | undefined;
  #keep: boolean;
  #fileRows = 0;
  #rowsCount = 0;
  /** Where `#locate` found a row. */
  #view: DataView = rowView;
  #at = 0;
  /** Whether the file has bytes that no sync covered. */
  unsynced = false;

  /** `keep`: whether rows that are in the file stay in memory. */
  constructor(files: FileCache, directory: string, name: string, keep: boolean) {
    this.#files = files;
    this.file = new CachedFile(directory, name);
    this.#keep = keep;
  }

  get rowsCount(): number {
    return this.#rowsCount;
  }

  get fileRows(): number {
    return this.#fileRows;
  }

  /** Bytes of rows that are not in the file, up to row `rowsEnd`. */
  pendingBytes(rowsEnd: number): number {
    return (rowsEnd - this.#fileRows) * rowSizeBytes;
  }

  /** Position in the log behind the message of `row`. */
  endPosition(row: number): number {
    this.#locate(row);
    return this.#view.getUint32(this.#at + IndexRowLayout.endPosition, true);
  }

  /** Position in the log where the message of `row` starts. */
  startPosition(row: number): number {
    return row === 0 ? 0 : this.endPosition(row - 1);
  }

  relativeOffset(row: number): number {
    this.#locate(row);
    return this.#view.getUint32(this.#at + IndexRowLayout.relativeOffset, true);
  }

  timestampMicros(row: number): number {
    this.#locate(row);
    const at = this.#at + IndexRowLayout.timestamp;
    return this.#view.getUint32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
  }

  /** First of the rows `firstRow` to `rowsEnd` with a time at or after `timestampMicros`; `rowsEnd` if none is. */
  firstRowAtOrAfter(timestampMicros: number, rowsEnd: number, firstRow = 0): number {
    let low = firstRow;
    let high = rowsEnd;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.timestampMicros(middle) < timestampMicros) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Last row from `row` on, before `rowsEnd`, whose message ends at or before `position`; `row` itself at least. */
  lastRowEndingBy(position: number, row: number, rowsEnd: number): number {
    let low = row;
    let high = rowsEnd - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.endPosition(middle) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Copies the rows of a stamped batch. */
  append(memory: Uint8Array, position: number, count: number): void {
    this.#block.append(this.#rowsCount, memory, position, count);
    this.#rowsCount += count;
  }

  /** Takes back rows whose messages did not reach the log, or which recovery found wrong. */
  truncate(rowsCount: number): void {
    this.#block.truncate(rowsCount);
    this.#rowsCount = rowsCount;
    this.#fileRows = Math.min(this.#fileRows, rowsCount);
  }

  /** Takes `rowsCount` rows of the file as they are. Only before anything was appended. */
  adopt(rowsCount: number): void {
    assert(this.#rowsCount === 0, "rows of the file are taken first");
    this.#rowsCount = rowsCount;
    this.#fileRows = rowsCount;
  }

  /** Writes the rows up to `rowsEnd`, whose messages are in the log. Throws `DiskError`; then they stay in memory. */
  writeUpTo(rowsEnd: number): void {
    if (rowsEnd <= this.#fileRows) return;
    const views = this.#block.views(this.#fileRows, rowsEnd);
    this.unsynced = true;
    this.#files.useToWrite(this.file).write(views, this.#fileRows * rowSizeBytes);
    this.#fileRows = rowsEnd;
    if (!this.#keep) this.forgetWritten();
  }

  /** Cuts what the file holds behind its rows. */
  truncateFile(): void {
    this.unsynced = true;
    this.#files.useToWrite(this.file).truncate(this.#fileRows * rowSizeBytes);
  }

  /** Whether rows of the file, from `row` on, are equal to `rows`. */
  matches(row: number, rows: Uint8Array): boolean {
    const count = rows.byteLength / rowSizeBytes;
    if (count === 0) return true;
    if (row + count > this.#fileRows) return false;
    const stored = new Uint8Array(rows.byteLength);
    const got = this.#files.use(this.file).read(stored, row * rowSizeBytes);
    return got === rows.byteLength && Buffer.compare(stored, rows) === 0;
  }

  /**
   * Copies what the file holds from `row` on, whatever it is, into `target`; how many whole rows there were. Unlike the
   * other reads it also gives rows that `truncate` took back and that no others have replaced yet. Throws `DiskError`.
   */
  readStored(row: number, target: Uint8Array): number {
    return Math.floor(this.#files.use(this.file).read(target, row * rowSizeBytes) / rowSizeBytes);
  }

  /**
   * End position of `row` as the file has it, where its row says that it is this one; undefined otherwise. To be used where
   * the index may be wrong. Throws `DiskError`.
   */
  storedEnd(row: number): number | undefined {
    if (this.readStored(row, rowBytes) === 0) return undefined;
    const isRow = rowView.getUint32(IndexRowLayout.relativeOffset, true) === row;
    return isRow ? rowView.getUint32(IndexRowLayout.endPosition, true) : undefined;
  }

  /** Writes rows that are in the file anew, in the file and where they are in memory. */
  overwrite(row: number, rows: Uint8Array): void {
    assert(row + rows.byteLength / rowSizeBytes <= this.#fileRows, "only rows of the file are written anew");
    this.unsynced = true;
    this.#files.useToWrite(this.file).write([rows], row * rowSizeBytes);
    this.#block.patch(row, rows);
  }

  /** The segment is sealed: its rows leave memory once they are in the file, unless all indexes are cached. */
  stopKeeping(): void {
    this.#keep = false;
    this.forgetWritten();
  }

  get #block(): RowBlock {
    this.#madeBlock ??= new RowBlock();
    return this.#madeBlock;
  }

  /** Rows that are in the file leave memory; where they are kept, until somebody asks for them. */
  forgetWritten(): void {
    if (this.#fileRows === this.#rowsCount) this.#madeBlock = undefined;
    else this.#block.dropBefore(this.#fileRows);
  }

  #locate(row: number): void {
    assert(row >= 0 && row < this.#rowsCount, "a row is asked for that exists");
    let chunk = this.#block.chunkOf(row);
    if (chunk === undefined && this.#keep) {
      this.#block.load(row, this.#fileRows, (target, firstRow) => this.#readRows(target, firstRow));
      chunk = this.#block.chunkOf(row);
    }
    if (chunk !== undefined) {
      this.#view = chunk.view;
      this.#at = (row & (rowsPerChunk - 1)) * rowSizeBytes;
      return;
    }
    this.#readRows(rowBytes, row);
    this.#view = rowView;
    this.#at = 0;
  }

  #readRows(target: Uint8Array, firstRow: number): void {
    const got = this.#files.use(this.file).read(target, firstRow * rowSizeBytes);
    if (got !== target.byteLength) throw new IggyError("CannotReadIndexPosition");
  }
}
