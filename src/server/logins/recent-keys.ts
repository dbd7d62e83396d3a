// Keys that were added lately, as many as fit.

const keysMax = 10_000;
const ageMsMax = 7 * 24 * 3_600_000;

export class RecentKeys {
  /** When each was added last, in that order. */
  readonly #addedMs = new Map<string, number>();

  get size(): number {
    return this.#addedMs.size;
  }

  /** Whether it was added within the last week. */
  has(key: string, nowMs: number): boolean {
    const addedMs = this.#addedMs.get(key);
    return addedMs !== undefined && nowMs - addedMs <= ageMsMax;
  }

  add(key: string, nowMs: number): void {
    this.#addedMs.delete(key);
    this.#addedMs.set(key, nowMs);
    if (this.#addedMs.size <= keysMax) return;
    const [oldest] = this.#addedMs.keys();
    if (oldest !== undefined) this.#addedMs.delete(oldest);
  }
}
