// An image of a disk as its record gives it: what was flushed, and the writes since. A disk may have carried out any of
// those, whole or in part, in any order.
import { closeSync, copyFileSync, ftruncateSync, openSync, writeSync } from "node:fs";
import type { Random } from "../../src/platform/random.ts";
import { type Entry, EntryKind } from "../../tests/power/record.ts";

const sectorBytes = 512;
const blockBytes = 4096;
/** FALLOC_FL_PUNCH_HOLE with KEEP_SIZE: a discard. */
const punchHole = 3;

interface Write {
  readonly position: number;
  readonly data: Uint8Array;
  readonly number: number;
}

export class ImageReplay {
  readonly #path: string;
  readonly #fd: number;
  #pending: Write[] = [];
  #writesCount = 0;
  readonly #flushes = new Map<number, number>();
  /** Of the last entry. */
  micros = 0;

  /** Makes an empty image at `path`. */
  constructor(path: string, sizeBytes: number) {
    this.#path = path;
    this.#fd = openSync(path, "w+");
    ftruncateSync(this.#fd, sizeBytes);
  }

  apply(entry: Entry): void {
    this.micros = entry.micros;
    switch (entry.kind) {
      case EntryKind.write:
        this.#write(entry.position, entry.data);
        return;
      case EntryKind.allocate:
        // What a discarded block holds is not defined; zeros are one possibility.
        if (entry.flags === punchHole) this.#write(entry.position, new Uint8Array(entry.size));
        return;
      case EntryKind.syncBegin:
        this.#flushes.set(entry.position, this.#writesCount);
        return;
      case EntryKind.syncEnd:
        this.#settle(this.#flushes.get(entry.position) ?? 0);
        this.#flushes.delete(entry.position);
        return;
      default:
        return;
    }
  }

  /** Makes an image at `target` as a loss of power now may leave it. */
  writeCrash(target: string, random: Random): void {
    copyFileSync(this.#path, target);
    const fd = openSync(target, "r+");
    const chance = random.u32() % 101;
    for (const { position, data } of this.#pending) {
      for (let at = 0; at < data.byteLength; at += blockBytes) {
        if (random.u32() % 100 >= chance) continue;
        const block = data.subarray(at, at + blockBytes);
        // Torn now and then: a disk writes whole sectors, and no more is sure.
        const end = random.u32() % 16 === 0 ? sectorBytes * (random.u32() % 8) : block.byteLength;
        writeSync(fd, block, 0, Math.min(end, block.byteLength), position + at);
      }
    }
    closeSync(fd);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #write(position: number, data: Uint8Array): void {
    this.#pending.push({ position, data, number: this.#writesCount++ });
  }

  #settle(writesCount: number): void {
    for (const { position, data, number } of this.#pending) {
      if (number < writesCount) writeSync(this.#fd, data, 0, data.byteLength, position);
    }
    this.#pending = this.#pending.filter(({ number }) => number >= writesCount);
  }
}
