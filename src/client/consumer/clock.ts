// Time as the consumer sees it, so that a test can be the one who makes it pass; and what wakes those who wait for a change.

import { type ClientClock, systemClock as systemClientClock } from "../clock.ts";
import { pause } from "../connection/in-time.ts";

export interface Clock {
  /** Never goes back. */
  nowMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts; then it leaves no timer behind. Never rejects. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
  /** From 0 to below 1. */
  random(): number;
}

/** The clock of a client, as its consumers see it. */
export function consumerClockOf(clock: ClientClock): Clock {
  return {
    nowMs: () => clock.nowMs(),
    random: () => Math.random(),
    wait: (ms, signal) => pause(ms, signal, clock),
  };
}

export const systemClock: Clock = consumerClockOf(systemClientClock);

/**
 * Wakes all that wait for the next ring. A caller looks at the state first, then waits, in one turn: no ring is missed. What no
 * longer waits leaves nothing behind, however long nobody rings.
 */
export class Bell {
  readonly #waiting = new Set<() => void>();

  ring(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves at the next ring, or at that of the other one. */
  rung(other?: Bell): Promise<void> {
    return new Promise((resolve) => {
      const bells = other === undefined ? [this] : [this, other];
      const wake = (): void => {
        for (const bell of bells) bell.#waiting.delete(wake);
        resolve();
      };
      for (const bell of bells) bell.#waiting.add(wake);
    });
  }

  /** Result of a promise, or undefined if it rings before; then nobody hears of an error any more. */
  rungOr<T>(promise: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        resolve(undefined);
      };
      this.#waiting.add(wake);
      promise.finally(() => this.#waiting.delete(wake)).then(resolve, reject);
    });
  }

  /** Resolves at the next ring or after `ms`. */
  rungWithin(ms: number, clock: Clock): Promise<void> {
    return new Promise((resolve) => {
      const timer = new AbortController();
      const wake = (): void => {
        this.#waiting.delete(wake);
        timer.abort();
        resolve();
      };
      this.#waiting.add(wake);
      void clock.wait(ms, timer.signal).then(wake);
    });
  }
}

/** A random pause before attempt number `attempt` (from 0): up to `minMs` doubled each time, `maxMs` at most. */
export function backoffMs(attempt: number, minMs: number, maxMs: number, clock: Clock): number {
  return clock.random() * Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30));
}
