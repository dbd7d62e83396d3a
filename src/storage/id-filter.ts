// The message ids that a partition took lately (spec SB 4.4), in memory only. A ring of entries in the order of insertion,
// so that the oldest expire first and the newest can be taken back, and an open-addressing table of places in the ring.
// All of it is in typed arrays: an id is four 32-bit words, and nothing is allocated for a message.

import { clockStepBackMicrosMax, idFilterEntriesMax, idFilterEntriesMin } from "./limits.ts";
import type { DeduplicationOptions } from "./types.ts";

const wordsPerId = 4;

export class IdFilter {
  readonly entriesMax: number;
  /** 0: they do not expire. */
  readonly expiryMicros: number;
  #capacity: number;
  #words: Uint32Array;
  /** Of the words, so that entries can be moved and mostly told apart without them. */
  #hashes: Int32Array;
  #timesMicros: Float64Array;
  /** Place in the ring + 1, or 0 for a free slot. At most half of the slots are taken. */
  #slots: Int32Array;
  #slotMask: number;
  /** Place of the oldest entry. */
  #oldest = 0;
  #count = 0;
  #insertedCount = 0;
  #nowMicros = 0;

  constructor(options: DeduplicationOptions) {
    const { maxEntries, expiryMicros } = options;
    this.entriesMax = maxEntries === 0 ? idFilterEntriesMax : Math.min(maxEntries, idFilterEntriesMax);
    this.expiryMicros = expiryMicros;
    this.#capacity = Math.min(this.entriesMax, idFilterEntriesMin);
    this.#words = new Uint32Array(this.#capacity * wordsPerId);
    this.#hashes = new Int32Array(this.#capacity);
    this.#timesMicros = new Float64Array(this.#capacity);
    this.#slots = new Int32Array(slotsFor(this.#capacity));
    this.#slotMask = this.#slots.length - 1;
  }

  get count(): number {
    return this.#count;
  }

  /** Names this moment for `rollback`: how many ids were ever added, less those taken back. */
  get mark(): number {
    return this.#insertedCount;
  }

  /**
   * Forgets what has expired; entries that follow are as old as `nowMicros`. A clock that goes back a little stands still here; one
   * that was wrong takes the entries along, which stay as old as they were.
   */
  advance(nowMicros: number): void {
    const backMicros = this.#nowMicros - nowMicros;
    if (backMicros > clockStepBackMicrosMax) {
      for (let index = 0; index < this.#count; index++) this.#timesMicros[this.#placeOf(index)]! -= backMicros;
      this.#nowMicros = nowMicros;
    }
    this.#nowMicros = Math.max(this.#nowMicros, nowMicros);
    if (this.expiryMicros === 0) return;
    while (this.#count > 0 && this.#timesMicros[this.#oldest]! + this.expiryMicros <= this.#nowMicros) {
      this.#removeOldest();
    }
  }

  /** Adds the id of these four words; false when it is there already. The oldest entry makes room where there is none. */
  add(word0: number, word1: number, word2: number, word3: number): boolean {
    const idHash = hash(word0, word1, word2, word3);
    let slots = this.#slots;
    let slot = idHash & this.#slotMask;
    for (let entry = slots[slot]!; entry !== 0; entry = slots[slot]!) {
      if (this.#hashes[entry - 1] === idHash && this.#hasWords(entry - 1, word0, word1, word2, word3)) return false;
      slot = (slot + 1) & this.#slotMask;
    }
    if (this.#count === this.#capacity) {
      if (this.#capacity < this.entriesMax) this.#grow();
      else this.#removeOldest();
      // Both move other entries to other slots.
      slots = this.#slots;
      slot = idHash & this.#slotMask;
      while (slots[slot] !== 0) slot = (slot + 1) & this.#slotMask;
    }
    const place = this.#placeOf(this.#count);
    const at = place * wordsPerId;
    this.#words[at] = word0;
    this.#words[at + 1] = word1;
    this.#words[at + 2] = word2;
    this.#words[at + 3] = word3;
    this.#hashes[place] = idHash;
    this.#timesMicros[place] = this.#nowMicros;
    slots[slot] = place + 1;
    this.#count++;
    this.#insertedCount++;
    return true;
  }

  /** Takes back what was added since `mark`: those messages did not become part of the partition. */
  rollback(mark: number): void {
    while (this.#insertedCount > mark && this.#count > 0) {
      this.#count--;
      this.#insertedCount--;
      this.#freeSlotOf(this.#placeOf(this.#count));
    }
    // Some of them may have made room for others, or have expired.
    this.#insertedCount = Math.min(this.#insertedCount, mark);
  }

  /** Place of the entry that `index` others come before. */
  #placeOf(index: number): number {
    const place = this.#oldest + index;
    return place < this.#capacity ? place : place - this.#capacity;
  }

  #removeOldest(): void {
    this.#freeSlotOf(this.#oldest);
    this.#oldest = this.#placeOf(1);
    this.#count--;
  }

  #hasWords(place: number, word0: number, word1: number, word2: number, word3: number): boolean {
    const words = this.#words;
    const at = place * wordsPerId;
    return words[at] === word0 && words[at + 1] === word1 && words[at + 2] === word2 && words[at + 3] === word3;
  }

  /** Closes the gap as well: an entry behind it that could stand in it moves there, so that no search ends too early. */
  #freeSlotOf(place: number): void {
    const slots = this.#slots;
    const mask = this.#slotMask;
    const hashes = this.#hashes;
    let gap = hashes[place]! & mask;
    while (slots[gap] !== place + 1) gap = (gap + 1) & mask;
    let slot = gap;
    for (;;) {
      slot = (slot + 1) & mask;
      const entry = slots[slot]!;
      if (entry === 0) break;
      const distance = (slot - hashes[entry - 1]!) & mask;
      if (distance < ((slot - gap) & mask)) continue;
      slots[gap] = entry;
      gap = slot;
    }
    slots[gap] = 0;
  }

  #grow(): void {
    const capacity = Math.min(this.#capacity * 2, this.entriesMax);
    const words = new Uint32Array(capacity * wordsPerId);
    const hashes = new Int32Array(capacity);
    const timesMicros = new Float64Array(capacity);
    // The ring starts at place 0 again.
    const tail = this.#capacity - this.#oldest;
    words.set(this.#words.subarray(this.#oldest * wordsPerId));
    words.set(this.#words.subarray(0, this.#oldest * wordsPerId), tail * wordsPerId);
    hashes.set(this.#hashes.subarray(this.#oldest));
    hashes.set(this.#hashes.subarray(0, this.#oldest), tail);
    timesMicros.set(this.#timesMicros.subarray(this.#oldest));
    timesMicros.set(this.#timesMicros.subarray(0, this.#oldest), tail);
    this.#words = words;
    this.#hashes = hashes;
    this.#timesMicros = timesMicros;
    this.#capacity = capacity;
    this.#oldest = 0;
    this.#slots = new Int32Array(slotsFor(capacity));
    this.#slotMask = this.#slots.length - 1;
    for (let place = 0; place < this.#count; place++) {
      let slot = hashes[place]! & this.#slotMask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#slotMask;
      this.#slots[slot] = place + 1;
    }
  }
}

/** Twice the entries or more, a power of two: searches stay short and always meet a free slot. */
function slotsFor(capacity: number): number {
  let slots = 4;
  while (slots < capacity * 2) slots *= 2;
  return slots;
}

/** Mixes well: clients use counters, times and UUIDs as ids. */
function hash(word0: number, word1: number, word2: number, word3: number): number {
  let mixed = Math.imul(word0, 0x9e3779b1) ^ Math.imul(word1, 0x85ebca77);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae3d) ^ Math.imul(word2, 0x27d4eb2f) ^ word3;
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0x165667b1);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
