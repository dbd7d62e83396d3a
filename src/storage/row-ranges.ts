/** Ranges of row numbers, for example of damaged messages: ascending, not touching, found by binary search. */
export class RowRanges {
  /** Start and end by turns. */
  readonly #bounds: number[] = [];

  /** Adds the rows `start` to `end` (exclusive); how many of them are new. */
  add(start: number, end: number): number {
    if (start >= end) return 0;
    const bounds = this.#bounds;
    // Ranges that touch or overlap: those that end at `start` or later and begin at `end` or before.
    let first = bounds.length;
    while (first > 0 && bounds[first - 1]! >= start) first -= 2;
    let behind = first;
    let from = start;
    let to = end;
    let knownRows = 0;
    for (; behind < bounds.length && bounds[behind]! <= end; behind += 2) {
      const knownStart = bounds[behind]!;
      const knownEnd = bounds[behind + 1]!;
      knownRows += Math.max(0, Math.min(knownEnd, end) - Math.max(knownStart, start));
      from = Math.min(from, knownStart);
      to = Math.max(to, knownEnd);
    }
    bounds.splice(first, behind - first, from, to);
    return end - start - knownRows;
  }

  /** Row behind the range that holds `row`; `row` itself where none does. */
  endFrom(row: number): number {
    const at = this.#firstEndingBehind(row);
    return at < this.#bounds.length && this.#bounds[at]! <= row ? this.#bounds[at + 1]! : row;
  }

  /** First row at or behind `row` that is in a range; infinity where there is none. */
  firstFrom(row: number): number {
    const at = this.#firstEndingBehind(row);
    return at < this.#bounds.length ? Math.max(row, this.#bounds[at]!) : Number.POSITIVE_INFINITY;
  }

  /** Index of the first range that ends behind `row`. */
  #firstEndingBehind(row: number): number {
    let low = 0;
    let high = this.#bounds.length / 2;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#bounds[2 * middle + 1]! <= row) low = middle + 1;
      else high = middle;
    }
    return 2 * low;
  }
}
