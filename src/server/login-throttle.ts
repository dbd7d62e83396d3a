// How long a login waits because of failed ones from the same address before it. Failures are forgotten by half for each
// quiet minute, by a success altogether, and where too many addresses fail, the one that failed longest ago makes room:
// the table is a brake, not a record. Tries on several connections at once wait at the same time.

/** Addresses remembered: some 2 MB. */
const addressesMax = 10_000;
/** As many failures cost nothing: people mistype. */
const freeFailures = 3;
const firstDelayMs = 100;
const delayMsMax = 5_000;
/** More change nothing: the delay of this many is above the longest. */
const failuresMax = freeFailures + 1 + Math.ceil(Math.log2(delayMsMax / firstDelayMs));
const halfLifeMs = 60_000;

interface Failures {
  /** At the time of the last one. */
  readonly count: number;
  readonly lastMs: number;
}

/** Of one shard. Addresses come without port. */
export class LoginThrottle {
  /** In the order of the last failure. */
  readonly #failures = new Map<string, Failures>();

  /** How many addresses are remembered. */
  get size(): number {
    return this.#failures.size;
  }

  /** How long a login from `address` is to wait before it is looked at: 0 to 5,000 ms. */
  delayMs(address: string, nowMs: number): number {
    const count = this.#countOf(address, nowMs);
    if (count <= freeFailures) return 0;
    return Math.min(delayMsMax, firstDelayMs * 2 ** (count - freeFailures - 1));
  }

  /** A login from `address` had a wrong name, password or token. */
  failed(address: string, nowMs: number): void {
    const count = Math.min(failuresMax, this.#countOf(address, nowMs) + 1);
    this.#failures.delete(address);
    if (this.#failures.size >= addressesMax) {
      const [oldest] = this.#failures.keys();
      if (oldest !== undefined) this.#failures.delete(oldest);
    }
    this.#failures.set(address, { count, lastMs: nowMs });
  }

  succeeded(address: string): void {
    this.#failures.delete(address);
  }

  /** What is left of the failures of an address; a clock that was set back forgets nothing. */
  #countOf(address: string, nowMs: number): number {
    const failures = this.#failures.get(address);
    if (failures === undefined) return 0;
    const quietMinutes = Math.floor(Math.max(0, nowMs - failures.lastMs) / halfLifeMs);
    return Math.floor(failures.count / 2 ** quietMinutes);
  }
}
