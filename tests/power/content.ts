/**
 * The content of one recorded file: what is synced, and the changes since.
 *
 * What a power loss leaves is made of pages of 4,096 bytes, as a page cache writes them. Each page is as it was after some
 * number of the changes that touched it, all, none or any between; now and then it is torn, and its sectors of 512 bytes
 * are of different ages. The size is that after some number of changes; pages that were not written are zeros. With
 * `ordered` (ext4 with data=ordered) the file does not grow over pages that are not written.
 */
import type { Random } from "../../src/platform/random.ts";

const pageBytes = 4096;
const sectorBytes = 512;

type Change =
  | { readonly kind: "write"; readonly position: number; readonly data: Uint8Array }
  | { readonly kind: "truncate"; readonly size: number };

export class Content {
  #synced = new Bytes();
  readonly #current = new Bytes();
  #pending: Change[] = [];
  /** How many changes there were before the first pending one. */
  #settledCount = 0;

  /** Names one moment for `syncedUpTo`. */
  get changesCount(): number {
    return this.#settledCount + this.#pending.length;
  }

  get isSynced(): boolean {
    return this.#pending.length === 0;
  }

  write(position: number, data: Uint8Array): void {
    this.#change({ kind: "write", position, data });
  }

  truncate(size: number): void {
    this.#change({ kind: "truncate", size });
  }

  /**
   * A sync that began when there were `changesCount` changes has ended. True if the size was one of them: then even a sync of
   * the data alone has written what a file system knows of the file.
   */
  syncedUpTo(changesCount: number): boolean {
    const count = changesCount - this.#settledCount;
    if (count <= 0) return false;
    const sizeBefore = this.#synced.size;
    for (const change of this.#pending.splice(0, count)) this.#synced.apply(change);
    this.#settledCount = changesCount;
    return this.#synced.size !== sizeBefore;
  }

  /** Everything is durable now. */
  syncAll(): void {
    this.syncedUpTo(this.changesCount);
  }

  current(): Uint8Array {
    return this.#current.copy();
  }

  /** What a power loss now leaves. */
  afterPowerLoss(random: Random, isOrdered: boolean): Uint8Array {
    const result = new Bytes();
    result.apply({ kind: "write", position: 0, data: this.#synced.view() });
    if (this.isSynced) return result.copy();
    const ages = new PageAges(this.#pending, this.#synced.size, random);
    let size = ages.size;
    for (const [page, touching] of [...ages.touching].sort(([left], [right]) => left - right)) {
      const age = random.u32() % (touching.length + 1);
      const isTorn = random.u32() % 8 === 0;
      const start = page * pageBytes;
      const whole = pageAfter(this.#synced, touching.slice(0, age), start);
      if (isTorn) tear(whole, () => pageAfter(this.#synced, anyPart(touching, random), start), random);
      result.apply({ kind: "write", position: start, data: whole });
      if (isOrdered && (isTorn || age < touching.length)) size = Math.min(size, Math.max(this.#synced.size, start));
    }
    result.apply({ kind: "truncate", size });
    return result.copy();
  }

  #change(change: Change): void {
    this.#current.apply(change);
    this.#pending.push(change);
  }
}

/** Which changes touch which page, and one of the sizes that the file had. */
class PageAges {
  readonly touching = new Map<number, Change[]>();
  readonly size: number;

  constructor(changes: readonly Change[], syncedSize: number, random: Random) {
    const sizes = [syncedSize];
    for (const change of changes) {
      const size = sizes[sizes.length - 1]!;
      const [start, end] =
        change.kind === "write"
          ? [change.position, change.position + change.data.byteLength]
          : [Math.min(size, change.size), Math.max(size, change.size)];
      for (let page = Math.floor(start / pageBytes); page * pageBytes < end; page++) {
        const touching = this.touching.get(page);
        if (touching === undefined) this.touching.set(page, [change]);
        else touching.push(change);
      }
      sizes.push(change.kind === "write" ? Math.max(size, end) : change.size);
    }
    this.size = sizes[random.u32() % sizes.length]!;
  }
}

function anyPart(changes: readonly Change[], random: Random): readonly Change[] {
  return changes.slice(0, random.u32() % (changes.length + 1));
}

/** The page that begins at `start`, as long as it can be, after these changes. */
function pageAfter(synced: Bytes, changes: readonly Change[], start: number): Uint8Array {
  const page = new Uint8Array(pageBytes);
  page.set(synced.view().subarray(start, start + pageBytes));
  for (const change of changes) {
    if (change.kind === "truncate") {
      if (change.size < start + pageBytes) page.fill(0, Math.max(0, change.size - start));
      continue;
    }
    const from = Math.max(start, change.position);
    const to = Math.min(start + pageBytes, change.position + change.data.byteLength);
    if (from < to) page.set(change.data.subarray(from - change.position, to - change.position), from - start);
  }
  return page;
}

/** Gives each sector of `page` the age of another one of its versions. */
function tear(page: Uint8Array, version: () => Uint8Array, random: Random): void {
  for (let at = 0; at < pageBytes; at += sectorBytes) {
    if (random.u32() % 2 === 0) page.set(version().subarray(at, at + sectorBytes), at);
  }
}

/** Bytes that grow. */
class Bytes {
  #bytes = new Uint8Array(0);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  copy(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }

  apply(change: Change): void {
    if (change.kind === "write") {
      const end = change.position + change.data.byteLength;
      this.#grow(end);
      this.#bytes.set(change.data, change.position);
      this.#size = Math.max(this.#size, end);
      return;
    }
    this.#grow(change.size);
    // What lies behind the end comes back as zeros when the file grows again.
    this.#bytes.fill(0, Math.min(change.size, this.#size), this.#size);
    this.#size = change.size;
  }

  #grow(size: number): void {
    if (size <= this.#bytes.byteLength) return;
    const bytes = new Uint8Array(Math.max(size, 2 * this.#bytes.byteLength));
    bytes.set(this.view());
    this.#bytes = bytes;
  }
}
