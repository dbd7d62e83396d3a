// How many partitions clients wait for, of all users and of each. In shared memory, so that the limits are those of the process
// and no shard has to ask another.
import { usersMax } from "../metadata/index.ts";

/** The total stands before the users. */
const totalPlace = 0;
const placeOf = (userId: number) => 1 + userId;

/** Memory for the users with an id below `usersCount`. It is virtual until a user waits. */
export function createWaitCounts(usersCount = usersMax): SharedArrayBuffer {
  return new SharedArrayBuffer(placeOf(usersCount) * Int32Array.BYTES_PER_ELEMENT);
}

/** 0: no limit. */
export interface WaitLimits {
  readonly ofAll: number;
  readonly ofUser: number;
}

export class WaitCounts {
  readonly #counts: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#counts = new Int32Array(memory);
  }

  get total(): number {
    return Atomics.load(this.#counts, totalPlace);
  }

  of(userId: number): number {
    return Atomics.load(this.#counts, placeOf(userId));
  }

  /** Whether the user may wait for `count` more; then they are counted, to be taken back with `end`. */
  begin(userId: number, count: number, limits: WaitLimits): boolean {
    if (!this.#add(placeOf(userId), count, limits.ofUser)) return false;
    if (this.#add(totalPlace, count, limits.ofAll)) return true;
    Atomics.sub(this.#counts, placeOf(userId), count);
    return false;
  }

  end(userId: number, count: number): void {
    Atomics.sub(this.#counts, placeOf(userId), count);
    Atomics.sub(this.#counts, totalPlace, count);
  }

  #add(place: number, count: number, limit: number): boolean {
    const before = Atomics.add(this.#counts, place, count);
    if (limit === 0 || before + count <= limit) return true;
    Atomics.sub(this.#counts, place, count);
    return false;
  }
}
