// Values over time in memory of a fixed size: one row for each step of time, the oldest of which is written over. What comes
// several times within a step is one row: its mean, or its sum for what is counted.

export type ColumnKind = "mean" | "sum";

/** No row: nothing has been added yet. */
const nothing = -1;

export class Ring {
  readonly stepMs: number;
  /** Rows. */
  readonly length: number;
  readonly #kinds: readonly ColumnKind[];
  /** Row by row; NaN: not known. */
  readonly #cells: Float32Array<ArrayBuffer>;
  /** Of the newest row: what its cells are made of. */
  readonly #sums: Float64Array;
  readonly #counts: Float64Array;
  #lastSlot = nothing;

  constructor(stepMs: number, length: number, kinds: readonly ColumnKind[]) {
    this.stepMs = stepMs;
    this.length = length;
    this.#kinds = kinds;
    this.#cells = new Float32Array(length * kinds.length).fill(Number.NaN);
    this.#sums = new Float64Array(kinds.length);
    this.#counts = new Float64Array(kinds.length);
  }

  get sizeBytes(): number {
    return this.#cells.byteLength + this.#sums.byteLength + this.#counts.byteLength;
  }

  slotAt(timeMs: number): number {
    return Math.floor(timeMs / this.stepMs);
  }

  /** One value for each column, NaN where it is not known. `atMs`: since the epoch. A clock that was set back takes what is later away. */
  add(atMs: number, values: ArrayLike<number>): void {
    const slot = this.slotAt(atMs);
    if (slot !== this.#lastSlot) this.#moveTo(slot);
    const base = this.#baseOf(slot);
    for (let column = 0; column < this.#kinds.length; column++) {
      const value = values[column] ?? Number.NaN;
      if (Number.isNaN(value)) continue;
      this.#sums[column]! += value;
      this.#counts[column]!++;
      this.#cells[base + column] = this.#sums[column]! / (this.#kinds[column] === "sum" ? 1 : this.#counts[column]!);
    }
  }

  /** Of `perPoint` rows each, from the row `firstSlot` on; NaN where none of them is known. */
  read(column: number, firstSlot: number, perPoint: number, pointsCount: number): Float64Array {
    const points = new Float64Array(pointsCount);
    const isSum = this.#kinds[column] === "sum";
    for (let point = 0; point < pointsCount; point++) {
      let sum = 0;
      let count = 0;
      for (let index = 0; index < perPoint; index++) {
        const value = this.#at(column, firstSlot + point * perPoint + index);
        if (Number.isNaN(value)) continue;
        sum += value;
        count++;
      }
      points[point] = count === 0 ? Number.NaN : isSum ? sum : sum / count;
    }
    return points;
  }

  /** What `restore` takes: the newest slot, then the cells. */
  bytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(Float64Array.BYTES_PER_ELEMENT + this.#cells.byteLength);
    new DataView(bytes.buffer).setFloat64(0, this.#lastSlot, true);
    bytes.set(new Uint8Array(this.#cells.buffer), Float64Array.BYTES_PER_ELEMENT);
    return bytes;
  }

  /** `bytes`: of a ring with the same step, length and number of columns; `columns`: for each of those, its place here or -1. */
  restore(bytes: Uint8Array, columns: readonly number[]): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const lastSlot = view.getFloat64(0, true);
    if (!Number.isInteger(lastSlot) || lastSlot < 0) return;
    this.#lastSlot = lastSlot;
    for (let row = 0; row < this.length; row++) {
      for (let column = 0; column < columns.length; column++) {
        const to = columns[column]!;
        const from = Float64Array.BYTES_PER_ELEMENT + (row * columns.length + column) * Float32Array.BYTES_PER_ELEMENT;
        if (to >= 0) this.#cells[row * this.#kinds.length + to] = view.getFloat32(from, true);
      }
    }
    // What comes within the newest row goes on from it.
    for (let column = 0; column < this.#kinds.length; column++) {
      const value = this.#at(column, lastSlot);
      this.#sums[column] = Number.isNaN(value) ? 0 : value;
      this.#counts[column] = Number.isNaN(value) ? 0 : 1;
    }
  }

  #at(column: number, slot: number): number {
    if (slot > this.#lastSlot || slot <= this.#lastSlot - this.length || slot < 0) return Number.NaN;
    return this.#cells[this.#baseOf(slot) + column]!;
  }

  #baseOf(slot: number): number {
    return (slot % this.length) * this.#kinds.length;
  }

  #moveTo(slot: number): void {
    const isBack = slot < this.#lastSlot;
    const first = isBack ? slot : Math.max(this.#lastSlot + 1, slot - this.length + 1);
    const last = isBack ? Math.min(this.#lastSlot, slot + this.length - 1) : slot;
    for (let cleared = first; cleared <= last; cleared++) {
      const base = this.#baseOf(cleared);
      this.#cells.fill(Number.NaN, base, base + this.#kinds.length);
    }
    this.#lastSlot = slot;
    this.#sums.fill(0);
    this.#counts.fill(0);
  }
}
