/**
 * The bytes of one simulated file, twice: as the running machine sees them (page cache) and as the platter holds them,
 * with the changes in between that were not synced. A crash decides for each of these changes what the platter got.
 */
import { assert } from "../assert.ts";
import type { Simulation } from "./simulation.ts";

/** A disk writes a sector whole or not at all; it may write the sectors of one call in any order. */
export const SECTOR_BYTES = 512;

/** A write of a word or less inside one sector is there or not: neither a kill nor a power loss ends in the middle of it. */
const WORD_BYTES = 8;

type Change =
  | {
      readonly kind: "write";
      readonly sequence: number;
      readonly position: number;
      readonly bytes: Uint8Array;
      /** A sync failed over it: the cache calls it clean, the platter never gets it (Linux after EIO). */
      dropped: boolean;
    }
  | { readonly kind: "truncate"; readonly sequence: number; readonly sizeBytes: number };

export class SimContent {
  readonly #cached: GrowingBytes;
  readonly #durable: GrowingBytes;
  #unsynced: Change[];
  #nextSequence = 0;
  /** Blocks are set aside up to here, whatever the size is. */
  #reservedEnd = 0;

  private constructor(cached: GrowingBytes, durable: GrowingBytes, unsynced: Change[], nextSequence: number) {
    this.#cached = cached;
    this.#durable = durable;
    this.#unsynced = unsynced;
    this.#nextSequence = nextSequence;
  }

  static empty(): SimContent {
    return new SimContent(new GrowingBytes(), new GrowingBytes(), [], 0);
  }

  get sizeBytes(): number {
    return this.#cached.sizeBytes;
  }

  /** Room that the file takes on the disk: its bytes, and what is set aside behind them. */
  get allocatedBytes(): number {
    return Math.max(this.sizeBytes, this.#reservedEnd);
  }

  /** The size stays. What is not used goes with the next truncation, not with the process. */
  reserve(end: number): void {
    this.#reservedEnd = Math.max(this.#reservedEnd, end);
  }

  /** What is at rest changes by itself: in the cache, on the platter and in what is still to be written. */
  flipBit(position: number, bit: number): void {
    this.#cached.flipBit(position, bit);
    this.#durable.flipBit(position, bit);
    for (const change of this.#unsynced) {
      if (change.kind !== "write" || position < change.position) continue;
      const index = position - change.position;
      if (index < change.bytes.byteLength) change.bytes[index]! ^= 1 << bit;
    }
  }

  read(target: Uint8Array, position: number): number {
    return this.#cached.readAt(target, position);
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.byteLength === 0) return;
    const change: Change = {
      kind: "write",
      sequence: this.#nextSequence++,
      position,
      bytes: bytes.slice(),
      dropped: false,
    };
    this.#cached.writeAt(change.bytes, position);
    this.#unsynced.push(change);
  }

  truncate(sizeBytes: number): void {
    this.#cached.truncate(sizeBytes);
    this.#reservedEnd = 0;
    this.#unsynced.push({ kind: "truncate", sequence: this.#nextSequence++, sizeBytes });
  }

  /** What a sync that starts now has to cover; pass it to `syncedUpTo` when the sync ends. */
  syncMark(): number {
    return this.#nextSequence;
  }

  syncedUpTo(mark: number): void {
    const later = this.#unsynced.findIndex((change) => change.sequence >= mark);
    const covered = this.#unsynced.splice(0, later === -1 ? this.#unsynced.length : later);
    for (const change of covered) {
      if (change.kind === "truncate") this.#durable.truncate(change.sizeBytes);
      else if (!change.dropped) this.#durable.writeAt(change.bytes, change.position);
    }
  }

  /** A failed sync: each write before `mark` may be lost for good, whatever later syncs say. */
  syncFailed(mark: number, simulation: Simulation): void {
    for (const change of this.#unsynced) {
      if (change.kind === "write" && change.sequence < mark && simulation.chance(50)) change.dropped = true;
    }
  }

  /** The file after the process died: the cache belongs to the operating system, so nothing is lost and nothing synced. */
  afterProcessCrash(): SimContent {
    const changes = this.#unsynced.map((change) => ({ ...change }));
    const copy = new SimContent(this.#cached.copy(), this.#durable.copy(), changes, this.#nextSequence);
    copy.#reservedEnd = this.#reservedEnd;
    return copy;
  }

  /** What a sync has made durable, and nothing else. */
  synced(): SimContent {
    const copy = new SimContent(this.#durable.copy(), this.#durable.copy(), [], 0);
    copy.#reservedEnd = this.#reservedEnd;
    return copy;
  }

  /**
   * The file after the power went. File systems journal their metadata in order, so what follows a lost truncation is lost
   * too; writes are otherwise independent of each other.
   */
  afterPowerLoss(simulation: Simulation): SimContent {
    const platter = this.#durable.copy();
    // Often everything of a file shares one fate: writeback takes whole files.
    const fate = simulation.pick(["mixed", "mixed", "kept", "lost"] as const);
    if (fate !== "lost") {
      for (const change of this.#unsynced) {
        if (change.kind === "truncate") {
          if (fate === "mixed" && simulation.chance(40)) break;
          platter.truncate(change.sizeBytes);
        } else if (!change.dropped) {
          if (fate === "kept") platter.writeAt(change.bytes, change.position);
          else writeTorn(platter, change.bytes, change.position, simulation);
        }
      }
    }
    const copy = new SimContent(platter.copy(), platter, [], 0);
    copy.#reservedEnd = this.#reservedEnd;
    return copy;
  }
}

function writeTorn(platter: GrowingBytes, bytes: Uint8Array, position: number, simulation: Simulation): void {
  switch (simulation.pick(["kept", "kept", "lost", "prefix", "sectors"] as const)) {
    case "kept":
      platter.writeAt(bytes, position);
      return;
    case "lost":
      return;
    case "prefix":
      platter.writeAt(tornPrefix(platter.sizeBytes, bytes, position, simulation), position);
      return;
    case "sectors": {
      // The size may have reached the journal although data has not: such sectors read as zeros.
      if (simulation.chance(30)) platter.growTo(position + bytes.byteLength);
      for (let start = 0; start < bytes.byteLength; ) {
        const end = Math.min(sectorEnd(position + start) - position, bytes.byteLength);
        if (simulation.chance(50)) platter.writeAt(bytes.subarray(start, end), position + start);
        start = end;
      }
    }
  }
}

/**
 * A random prefix. It may end anywhere in what the write adds to the file (its size says where), but a sector that the file
 * had before is replaced whole or not at all.
 */
export function tornPrefix(sizeBytes: number, bytes: Uint8Array, position: number, simulation: Simulation): Uint8Array {
  let end = position + simulation.between(0, bytes.byteLength);
  const isAtomic = bytes.byteLength <= WORD_BYTES && sectorEnd(position) >= position + bytes.byteLength;
  if (isAtomic && end < position + bytes.byteLength) return bytes.subarray(0, 0);
  if (end < sizeBytes) end = Math.max(position, end - (end % SECTOR_BYTES));
  return bytes.subarray(0, end - position);
}

function sectorEnd(position: number): number {
  return position - (position % SECTOR_BYTES) + SECTOR_BYTES;
}

/** Bytes past the size are always zero, so that growing shows zeros. */
class GrowingBytes {
  #bytes = new Uint8Array(0);
  #sizeBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  copy(): GrowingBytes {
    const copy = new GrowingBytes();
    copy.#bytes = this.#bytes.slice(0, this.#sizeBytes);
    copy.#sizeBytes = this.#sizeBytes;
    return copy;
  }

  readAt(target: Uint8Array, position: number): number {
    const end = Math.min(position + target.byteLength, this.#sizeBytes);
    if (end <= position) return 0;
    target.set(this.#bytes.subarray(position, end));
    return end - position;
  }

  writeAt(bytes: Uint8Array, position: number): void {
    assert(position >= 0, "a file position is not negative", { position });
    if (bytes.byteLength === 0) return;
    this.growTo(position + bytes.byteLength);
    this.#bytes.set(bytes, position);
  }

  growTo(sizeBytes: number): void {
    if (sizeBytes <= this.#sizeBytes) return;
    if (sizeBytes > this.#bytes.byteLength) {
      const larger = new Uint8Array(Math.max(sizeBytes, this.#bytes.byteLength * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#sizeBytes = sizeBytes;
  }

  flipBit(position: number, bit: number): void {
    if (position < this.#sizeBytes) this.#bytes[position]! ^= 1 << bit;
  }

  truncate(sizeBytes: number): void {
    if (sizeBytes > this.#sizeBytes) {
      this.growTo(sizeBytes);
      return;
    }
    this.#bytes.fill(0, sizeBytes, this.#sizeBytes);
    this.#sizeBytes = sizeBytes;
  }
}
