// Who was refused what is told in the log. A client that asks for the same again and again makes a line in a second, which
// says how many were left out: what is refused must not cost more than what is carried out.

const quietMs = 1000;
const keysMax = 1000;

/** What one shard has told lately. */
export class Refusals {
  readonly #lately = new Map<string, { readonly quietUntilMs: number; leftOut: number }>();

  /** How many like it were left out since one was told; undefined: this one is left out. */
  tell(key: string, nowMs: number): number | undefined {
    const last = this.#lately.get(key);
    if (last !== undefined && nowMs < last.quietUntilMs) {
      last.leftOut++;
      return undefined;
    }
    if (last === undefined && this.#lately.size >= keysMax) this.#forgetQuiet(nowMs);
    this.#lately.set(key, { quietUntilMs: nowMs + quietMs, leftOut: 0 });
    return last?.leftOut ?? 0;
  }

  /** Memory has an end: what is not refused any more goes, and where that is not enough, all. */
  #forgetQuiet(nowMs: number): void {
    for (const [key, { quietUntilMs }] of this.#lately) if (quietUntilMs <= nowMs) this.#lately.delete(key);
    if (this.#lately.size >= keysMax) this.#lately.clear();
  }
}
