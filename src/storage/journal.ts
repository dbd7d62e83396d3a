import type { ReadPart } from "./types.ts";

/**
 * Messages that are not in the log yet, in their order: at memory level for as long as its thresholds allow (the blocks
 * are copies that nobody changes, so readers may hold them), at the other levels until the end of the turn.
 */
export class Journal {
  // Both are missing while the journal is empty: there may be very many partitions.
  #blocks: Uint8Array[] | undefined;
  /** End of each block, in bytes from the start of the journal. */
  #ends: number[] | undefined;
  #sizeBytes = 0;
  #messagesCount = 0;

  get blocks(): readonly Uint8Array[] {
    return this.#blocks ?? [];
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get messagesCount(): number {
    return this.#messagesCount;
  }

  push(block: Uint8Array, messagesCount: number): void {
    this.#sizeBytes += block.byteLength;
    this.#blocks ??= [];
    this.#ends ??= [];
    this.#blocks.push(block);
    this.#ends.push(this.#sizeBytes);
    this.#messagesCount += messagesCount;
  }

  /** Takes the newest block back, which held `messagesCount` messages. */
  pop(messagesCount: number): void {
    const block = this.#blocks?.pop();
    if (block === undefined) return;
    this.#ends?.pop();
    this.#sizeBytes -= block.byteLength;
    this.#messagesCount -= messagesCount;
  }

  clear(): void {
    this.#blocks = undefined;
    this.#ends = undefined;
    this.#sizeBytes = 0;
    this.#messagesCount = 0;
  }

  /** Adds the bytes `start` to `end`, counted from the start of the journal, to `parts`. */
  collect(start: number, end: number, parts: ReadPart[]): void {
    const blocks = this.#blocks ?? [];
    const ends = this.#ends ?? [];
    let index = blockAt(ends, start);
    let position = start;
    while (position < end) {
      const block = blocks[index]!;
      const blockStart = ends[index]! - block.byteLength;
      const partEnd = Math.min(end, ends[index]!);
      parts.push({ kind: "bytes", bytes: block.subarray(position - blockStart, partEnd - blockStart) });
      position = partEnd;
      index++;
    }
  }
}

/** Index of the block that holds the byte at `position`. */
function blockAt(ends: readonly number[], position: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (ends[middle]! <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}
