// How long a next try has to wait because of failed ones before it, by whatever tells tries apart: a network, a user name.
// Failures are forgotten by half for each quiet minute, and where too many fail, the one that failed longest ago makes room:
// the table is a brake, not a record.

export interface Brake {
  /** As many failures cost nothing: people mistype. */
  readonly freeFailures: number;
  readonly firstDelayMs: number;
  readonly delayMsMax: number;
}

/** Keys remembered: some 2 MB. */
const keysMax = 10_000;
const halfLifeMs = 60_000;

interface Counted {
  /** At the time of the last one. */
  readonly count: number;
  readonly lastMs: number;
}

export class Failures {
  readonly #brake: Brake;
  /** More change nothing: the delay of this many is above the longest. */
  readonly #countMax: number;
  /** In the order of the last failure. */
  readonly #failures = new Map<string, Counted>();

  constructor(brake: Brake) {
    this.#brake = brake;
    this.#countMax = brake.freeFailures + 1 + Math.ceil(Math.log2(brake.delayMsMax / brake.firstDelayMs));
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#failures.size;
  }

  /** What is left of the failures of a key; a clock that was set back forgets nothing. */
  countOf(key: string, nowMs: number): number {
    const failures = this.#failures.get(key);
    if (failures === undefined) return 0;
    const quietMinutes = Math.floor(Math.max(0, nowMs - failures.lastMs) / halfLifeMs);
    return Math.floor(failures.count / 2 ** quietMinutes);
  }

  /** How long after its last failure a try of `key` may be looked at. */
  delayMs(key: string, nowMs: number): number {
    const { freeFailures, firstDelayMs, delayMsMax } = this.#brake;
    const count = this.countOf(key, nowMs);
    if (count <= freeFailures) return 0;
    return Math.min(delayMsMax, firstDelayMs * 2 ** (count - freeFailures - 1));
  }

  /** When a try of `key` may be looked at; 0 when nothing holds it. */
  readyAtMs(key: string, nowMs: number): number {
    const delayMs = this.delayMs(key, nowMs);
    return delayMs === 0 ? 0 : (this.#failures.get(key)?.lastMs ?? 0) + delayMs;
  }

  failed(key: string, nowMs: number): void {
    const count = Math.min(this.#countMax, this.countOf(key, nowMs) + 1);
    this.#failures.delete(key);
    if (this.#failures.size >= keysMax) {
      const [oldest] = this.#failures.keys();
      if (oldest !== undefined) this.#failures.delete(oldest);
    }
    this.#failures.set(key, { count, lastMs: nowMs });
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }
}
