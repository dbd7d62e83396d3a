// Time as the consumer sees it, so that a test can be the one who makes it pass; and what wakes those who wait for a change.

export interface Clock {
  /** Never goes back. */
  nowMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts; then it leaves no timer behind. Never rejects. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
  /** From 0 to below 1. */
  random(): number;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  random: () => Math.random(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener("abort", end);
    }),
};

/** Wakes all that wait for the next ring. A caller looks at the state first, then waits, in one turn: no ring is missed. */
export class Bell {
  #resolve: (() => void) | undefined;
  #rung: Promise<void> | undefined;

  ring(): void {
    this.#resolve?.();
    this.#resolve = undefined;
    this.#rung = undefined;
  }

  /** Resolves at the next ring. */
  rung(): Promise<void> {
    this.#rung ??= new Promise((resolve) => {
      this.#resolve = resolve;
    });
    return this.#rung;
  }

  /** Resolves at the next ring or after `ms`. */
  async rungWithin(ms: number, clock: Clock): Promise<void> {
    const waiting = new AbortController();
    await Promise.race([this.rung(), clock.wait(ms, waiting.signal)]);
    waiting.abort();
  }
}

/** A random pause before attempt number `attempt` (from 0): up to `minMs` doubled each time, `maxMs` at most. */
export function backoffMs(attempt: number, minMs: number, maxMs: number, clock: Clock): number {
  return clock.random() * Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30));
}
