// How many clients the process has, of each source (an address, or a network of them), and how many of them are not logged
// in. In shared memory, so that every shard counts and reads without a message. Sources share places, by two hashes that
// nobody outside knows: the smaller count of the two is never too small, and too large only where both are shared.

const places = 1 << 15;
const rows = 2;
const seeds = 2;
const Kind = { all: 0, withoutLogin: 1 } as const;
const kinds = 2;
/** The totals stand behind the places of each kind. */
const kindSize = rows * places + 1;

export function createClientCounts(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer((seeds + kinds * kindSize) * Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(memory).set(crypto.getRandomValues(new Int32Array(seeds)));
  return memory;
}

type KindOf = (typeof Kind)[keyof typeof Kind];

export class ClientCounts {
  readonly #counts: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#counts = new Int32Array(memory);
  }

  /** A client has come, and is not logged in. */
  opened(source: string): void {
    this.#add(Kind.all, source, 1);
    this.#add(Kind.withoutLogin, source, 1);
  }

  closed(source: string, isLoggedIn: boolean): void {
    this.#add(Kind.all, source, -1);
    if (!isLoggedIn) this.#add(Kind.withoutLogin, source, -1);
  }

  loggedIn(source: string): void {
    this.#add(Kind.withoutLogin, source, -1);
  }

  loggedOut(source: string): void {
    this.#add(Kind.withoutLogin, source, 1);
  }

  get total(): number {
    return this.#totalOf(Kind.all);
  }

  get totalWithoutLogin(): number {
    return this.#totalOf(Kind.withoutLogin);
  }

  of(source: string): number {
    return this.#of(Kind.all, source);
  }

  withoutLoginOf(source: string): number {
    return this.#of(Kind.withoutLogin, source);
  }

  #add(kind: KindOf, source: string, by: number): void {
    for (let row = 0; row < rows; row++) Atomics.add(this.#counts, this.#placeOf(kind, row, source), by);
    Atomics.add(this.#counts, this.#totalPlaceOf(kind), by);
  }

  #of(kind: KindOf, source: string): number {
    const first = Atomics.load(this.#counts, this.#placeOf(kind, 0, source));
    return Math.min(first, Atomics.load(this.#counts, this.#placeOf(kind, 1, source)));
  }

  #totalOf(kind: KindOf): number {
    return Atomics.load(this.#counts, this.#totalPlaceOf(kind));
  }

  #totalPlaceOf(kind: KindOf): number {
    return seeds + (kind + 1) * kindSize - 1;
  }

  #placeOf(kind: KindOf, row: number, source: string): number {
    const hash = Bun.hash.xxHash32(source, this.#counts[row]! >>> 0);
    return seeds + kind * kindSize + row * places + (hash % places);
  }
}
