import { verifiedRangesMax } from "./limits.ts";

const none: readonly number[] = [];

/**
 * Ranges of rows of one segment that this process wrote or checked: each row is that of its message, which is whole and
 * starts where the row before ends, or is known to be damaged. A few separate ranges: readers mostly go forward, so that
 * their ranges grow into each other. Forgetting one is fine, it is checked again.
 */
export class VerifiedRanges {
  /** Start and end by turns, ascending, not touching. */
  #bounds: readonly number[] = none;
  /** Every row from here on was written or checked by this process; the tail of a log is what most reads want. */
  #tailStart: number;

  /** `tailStart`: where the verified end of the segment starts. */
  constructor(tailStart: number) {
    this.#tailStart = tailStart;
  }

  contains(start: number, end: number): boolean {
    if (start >= this.#tailStart) return true;
    for (let index = 0; index < this.#bounds.length; index += 2) {
      if (this.#bounds[index]! <= start && this.#bounds[index + 1]! >= Math.min(end, this.#tailStart)) return true;
    }
    return false;
  }

  add(start: number, end: number): void {
    if (start >= end) return;
    let from = start;
    let to = end;
    const kept: number[] = [];
    for (let index = 0; index < this.#bounds.length; index += 2) {
      const knownStart = this.#bounds[index]!;
      const knownEnd = this.#bounds[index + 1]!;
      if (knownEnd < from || knownStart > to) kept.push(knownStart, knownEnd);
      else {
        from = Math.min(from, knownStart);
        to = Math.max(to, knownEnd);
      }
    }
    if (to >= this.#tailStart) {
      this.#tailStart = Math.min(this.#tailStart, from);
      this.#bounds = kept;
      return;
    }
    if (kept.length >= 2 * verifiedRangesMax) dropSmallest(kept);
    kept.push(from, to);
    this.#bounds = sortPairs(kept);
  }

  /** Nothing is known any more, for example after a failed sync. */
  clear(): void {
    this.#bounds = none;
    this.#tailStart = Number.MAX_SAFE_INTEGER;
  }
}

function dropSmallest(bounds: number[]): void {
  let smallest = 0;
  for (let index = 2; index < bounds.length; index += 2) {
    if (bounds[index + 1]! - bounds[index]! < bounds[smallest + 1]! - bounds[smallest]!) smallest = index;
  }
  bounds.splice(smallest, 2);
}

function sortPairs(bounds: readonly number[]): number[] {
  const pairs: (readonly [number, number])[] = [];
  for (let index = 0; index < bounds.length; index += 2) pairs.push([bounds[index]!, bounds[index + 1]!]);
  return pairs.sort((left, right) => left[0] - right[0]).flat();
}
