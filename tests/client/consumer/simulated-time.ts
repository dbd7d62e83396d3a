// Time that passes when the test says so: what waits is woken in order, and between two of them everything that follows from
// the first is done.
import type { Clock } from "../../../src/client/consumer/clock.ts";

interface Sleeper {
  readonly atMs: number;
  readonly number: number;
  readonly wake: () => void;
}

export class SimulatedTime implements Clock {
  #nowMs = 0;
  #number = 0;
  #sleepers: Sleeper[] = [];
  #seed: number;

  constructor(seed = 1) {
    this.#seed = seed;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** A linear congruential generator: the same numbers for the same seed. */
  random(): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#seed / 2 ** 32;
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const sleeper = { atMs: this.#nowMs + Math.max(0, ms), number: this.#number++, wake: end };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", end);
    });
  }

  /** Those who wait. */
  get sleepersCount(): number {
    return this.#sleepers.length;
  }

  /** Lets so much time pass. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      await settle();
      let next: Sleeper | undefined;
      for (const one of this.#sleepers) {
        if (next === undefined || one.atMs < next.atMs || (one.atMs === next.atMs && one.number < next.number))
          next = one;
      }
      if (next === undefined || next.atMs > endMs) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
    }
    this.#nowMs = endMs;
  }

  /** Lets time pass, in steps, until it is so; throws after `limitMs`. */
  async until(what: string, isSo: () => boolean, limitMs = 120_000): Promise<void> {
    const endMs = this.#nowMs + limitMs;
    for (;;) {
      await settle();
      if (isSo()) return;
      if (this.#nowMs >= endMs) throw new Error(`${what}: not within ${limitMs} ms of simulated time`);
      await this.advance(10);
    }
  }

  /** The result of what needs time to pass. */
  async resultOf<T>(promise: Promise<T>, limitMs = 120_000): Promise<T> {
    let isDone = false;
    const done = promise.finally(() => {
      isDone = true;
    });
    done.catch(() => undefined);
    await this.until("a result", () => isDone, limitMs);
    return done;
  }

  /** What it rejects with; throws if it does not. The runtime's own `expect(…).rejects` stops the event loop meanwhile. */
  errorOf(promise: Promise<unknown>, limitMs?: number): Promise<unknown> {
    const outcome = promise.then(
      () => Promise.reject(new Error("it did not reject")),
      (error: unknown) => error,
    );
    return this.resultOf(outcome, limitMs);
  }
}

/** Everything that follows without time passing. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
