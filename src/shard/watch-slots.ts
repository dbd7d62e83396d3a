// Watches by number, in places that are used again: a list costs a third of what a map does, and there may be very many. A number
// is not given twice in any time that matters, so what is said about a watch that is gone is not taken for one in its place.
import type { Watch } from "./partition-watches.ts";

/** Places below it; above them counts how often a number was given. */
const placesMax = 2 ** 24;
const numbersMax = 2 ** 28;

/** Numbers for watches of this shard. */
export class WatchNumbers {
  /** In a free place: the next free one; -1: none. */
  readonly #places: (Watch | number)[] = [];
  #firstFree = -1;
  #given = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Gives the watch its number. */
  add(watch: Watch): void {
    let place = this.#firstFree;
    if (place < 0) place = this.#places.length;
    else this.#firstFree = this.#places[place] as number;
    this.#places[place] = watch;
    this.#given = (this.#given + 1) % numbersMax;
    watch.remoteId = place + (this.#given + 1) * placesMax;
    this.#count++;
  }

  /** Undefined: there is none with this number any more. */
  take(id: number): Watch | undefined {
    const place = id % placesMax;
    const watch = this.#places[place];
    if (typeof watch !== "object" || watch.remoteId !== id) return undefined;
    this.#places[place] = this.#firstFree;
    this.#firstFree = place;
    this.#count--;
    return watch;
  }
}

/** Watches of another shard, which gives the numbers. */
export class NumberedWatches {
  readonly #places: (Watch | undefined)[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(watch: Watch): void {
    this.#places[watch.remoteId % placesMax] = watch;
    this.#count++;
  }

  /** Undefined: there is none with this number any more. */
  take(id: number): Watch | undefined {
    const place = id % placesMax;
    const watch = this.#places[place];
    if (watch?.remoteId !== id) return undefined;
    this.#places[place] = undefined;
    this.#count--;
    return watch;
  }
}
