// What a producer of this package stored twice, because a reply was lost: its ids count up (producer/message-ids.ts), so the
// highest number seen and the gaps below it say whether one was there before. A batch that was refused leaves a gap.

import type { ReadMessageId } from "../producer/message-ids.ts";

/** Producers' partitions that are remembered, and gaps of each; the oldest go. */
const sequencesMax = 1_000;
const gapsMax = 10_000;

interface Sequence {
  /** First number seen: of those below it nothing is known. */
  readonly first: number;
  highest: number;
  readonly missing: Set<number>;
}

export class RepeatFilter {
  readonly #sequences = new Map<string, Sequence>();

  /** Whether the number was there before; notes it. */
  isRepeat({ sequence: name, number }: ReadMessageId): boolean {
    const known = this.#sequences.get(name);
    if (known === undefined) {
      this.#sequences.set(name, { first: number, highest: number, missing: new Set() });
      removeOldest(this.#sequences, sequencesMax);
      return false;
    }
    if (number <= known.highest) return number >= known.first && !known.missing.delete(number);
    // Of a wide gap the newest numbers are kept.
    for (let gap = Math.max(known.highest + 1, number - gapsMax); gap < number; gap++) known.missing.add(gap);
    while (known.missing.size > gapsMax) known.missing.delete(known.missing.values().next().value!);
    known.highest = number;
    // Those in use stay longest.
    this.#sequences.delete(name);
    this.#sequences.set(name, known);
    return false;
  }
}

function removeOldest<Key>(map: Map<Key, unknown>, sizeMax: number): void {
  for (const key of map.keys()) {
    if (map.size <= sizeMax) return;
    map.delete(key);
  }
}
