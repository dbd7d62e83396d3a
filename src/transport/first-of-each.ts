/** Tells the first of each kind from its repetitions, for log lines that strangers can cause. Bounded: then nothing is new. */
export class FirstOfEach {
  readonly #seen = new Set<string>();

  isNew(what: string): boolean {
    if (this.#seen.size >= kindsMax || this.#seen.has(what)) return false;
    this.#seen.add(what);
    return true;
  }
}

const kindsMax = 100;
