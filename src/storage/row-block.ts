// Index rows in memory, in chunks of 4,096 rows with a fixed place for each row: nothing moves when the block grows, and
// chunks that are in the file can be dropped or loaded one by one. A small chunk grows up to its full 64 KiB, so that a
// partition with few messages costs little.

import { assert } from "../platform/assert.ts";
import { indexRowBytes } from "../protocol/message-layout.ts";

export const rowSizeBytes = indexRowBytes;
export const rowsPerChunk = 4096;

const chunkBits = 12;
const chunkMask = rowsPerChunk - 1;
const chunkBytesMin = 256;

/** Rows `from` to `to` (exclusive, counted inside the chunk) are in memory; row r stands at byte 16 × r. */
export interface RowChunk {
  bytes: Uint8Array;
  view: DataView;
  from: number;
  to: number;
}

export class RowBlock {
  readonly #chunks: (RowChunk | undefined)[] = [];

  /** The chunk that holds `row`; undefined when the row is not in memory. */
  chunkOf(row: number): RowChunk | undefined {
    const chunk = this.#chunks[row >>> chunkBits];
    if (chunk === undefined) return undefined;
    const at = row & chunkMask;
    return at >= chunk.from && at < chunk.to ? chunk : undefined;
  }

  /** Copies `count` rows from `memory`; `row` follows the last row of its chunk that is in memory, if any is. */
  append(row: number, memory: Uint8Array, position: number, count: number): void {
    let next = row;
    let source = position;
    let left = count;
    while (left > 0) {
      const at = next & chunkMask;
      const taken = Math.min(left, rowsPerChunk - at);
      const chunk = this.#chunkForAppend(next >>> chunkBits, at, at + taken);
      copyBytes(chunk.bytes, at * rowSizeBytes, memory, source, taken * rowSizeBytes);
      chunk.to = at + taken;
      next += taken;
      source += taken * rowSizeBytes;
      left -= taken;
    }
  }

  /** Puts rows that were read from the file into memory: the chunk of `row` up to the rows that it already has. */
  load(row: number, fileRows: number, read: (target: Uint8Array, firstRow: number) => void): void {
    const index = row >>> chunkBits;
    const firstRow = index * rowsPerChunk;
    const known = this.#chunks[index];
    const to = known === undefined ? Math.min(fileRows - firstRow, rowsPerChunk) : known.from;
    const chunk = known ?? makeChunk(to * rowSizeBytes, to);
    read(chunk.bytes.subarray(0, to * rowSizeBytes), firstRow);
    chunk.from = 0;
    this.#chunks[index] = chunk;
  }

  /** Replaces rows where they are in memory. */
  patch(row: number, rows: Uint8Array): void {
    for (let at = 0; at < rows.byteLength; at += rowSizeBytes) {
      const patched = row + at / rowSizeBytes;
      const chunk = this.chunkOf(patched);
      if (chunk !== undefined) {
        copyBytes(chunk.bytes, (patched & chunkMask) * rowSizeBytes, rows, at, rowSizeBytes);
      }
    }
  }

  /** Views of the rows `from` to `to` (exclusive), which are all in memory. Valid until the block changes. */
  views(from: number, to: number): Uint8Array[] {
    const views: Uint8Array[] = [];
    let row = from;
    while (row < to) {
      const chunk = this.chunkOf(row);
      assert(chunk !== undefined, "rows that are not in the file are in memory");
      const at = row & chunkMask;
      const end = Math.min(chunk.to, at + to - row);
      views.push(chunk.bytes.subarray(at * rowSizeBytes, end * rowSizeBytes));
      row += end - at;
    }
    return views;
  }

  /** Forgets the rows from `rowsCount` on. */
  truncate(rowsCount: number): void {
    const index = rowsCount >>> chunkBits;
    const at = rowsCount & chunkMask;
    this.#chunks.length = Math.min(this.#chunks.length, at === 0 ? index : index + 1);
    const last = at === 0 ? undefined : this.#chunks[index];
    if (last === undefined) return;
    if (at <= last.from) this.#chunks.length = index;
    else last.to = Math.min(last.to, at);
  }

  /** Forgets the chunks that end at or before `row`. */
  dropBefore(row: number): void {
    const end = Math.min(row >>> chunkBits, this.#chunks.length);
    for (let index = 0; index < end; index++) this.#chunks[index] = undefined;
  }

  #chunkForAppend(index: number, at: number, end: number): RowChunk {
    const chunk = this.#chunks[index];
    if (chunk === undefined) {
      const made = makeChunk(end * rowSizeBytes, at);
      made.from = at;
      this.#chunks[index] = made;
      return made;
    }
    assert(chunk.to === at, "rows are appended without gaps");
    if (end * rowSizeBytes > chunk.bytes.byteLength) grow(chunk, end * rowSizeBytes);
    return chunk;
  }
}

function makeChunk(neededBytes: number, to: number): RowChunk {
  const bytes = new Uint8Array(capacityFor(neededBytes));
  return { bytes, view: new DataView(bytes.buffer), from: 0, to };
}

function grow(chunk: RowChunk, neededBytes: number): void {
  const bytes = new Uint8Array(capacityFor(neededBytes));
  bytes.set(chunk.bytes);
  chunk.bytes = bytes;
  chunk.view = new DataView(bytes.buffer);
}

/** The next power of two: doubling keeps the copies of a growing chunk below its final size. */
function capacityFor(neededBytes: number): number {
  let capacity = chunkBytesMin;
  while (capacity < neededBytes) capacity *= 2;
  return capacity;
}

/** A view costs more than copying the sixteen bytes of one row. */
function copyBytes(target: Uint8Array, at: number, source: Uint8Array, from: number, sizeBytes: number): void {
  if (sizeBytes > 2 * rowSizeBytes) {
    target.set(source.subarray(from, from + sizeBytes), at);
    return;
  }
  for (let index = 0; index < sizeBytes; index++) target[at + index] = source[from + index]!;
}
