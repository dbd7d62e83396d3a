// Time that stands still until somebody makes it pass, with the timers of everything that lives by it.

import type { ClientClock } from "../client/index.bun.ts";
import type { Clock, Timers } from "../platform/clock.ts";

interface Entry {
  dueMicros: number;
  /** Those that are due at the same time are called in the order in which they were set. */
  sequence: number;
  /** 0: once. */
  readonly intervalMicros: number;
  readonly call: () => void;
}

/** The timers of one of those who live by the clock. */
export interface ClockScope extends Timers {
  /** Takes all timers back, and sets no more. */
  end(): void;
}

export class FakeClock implements Clock {
  #nowMicros: number;
  #sequence = 0;
  readonly #entries = new Set<Entry>();
  readonly #calm: () => Promise<void>;
  /** The last of those who make time pass: one after the other. */
  #advancing: Promise<void> = Promise.resolve();

  /** Stands at `nowMicros`, µs since the epoch. `calm` resolves when everything has been done that needs no time to pass. */
  constructor(nowMicros: number, calm: () => Promise<void>) {
    this.#nowMicros = nowMicros;
    this.#calm = calm;
  }

  nowMicros(): number {
    return this.#nowMicros;
  }

  /** Lets `ms` pass (0 or more): what falls due is done in order, with all that follows from it. Rejects with RangeError. */
  advance(ms: number): Promise<void> {
    if (!(ms >= 0 && ms < Number.MAX_SAFE_INTEGER / 1e6)) {
      return Promise.reject(new RangeError(`time passes by 0 ms or more, not by ${ms}`));
    }
    const turn = this.#advancing.then(() => this.#advance(Math.round(ms * 1000)));
    this.#advancing = turn;
    return turn;
  }

  async #advance(micros: number): Promise<void> {
    await this.#calm();
    const untilMicros = this.#nowMicros + micros;
    for (let due = this.#nextDue(); due.atMicros <= untilMicros; due = this.#nextDue()) {
      this.#nowMicros = Math.max(this.#nowMicros, due.atMicros);
      for (const entry of due.entries) this.#fire(entry);
      await this.#calm();
    }
    this.#nowMicros = untilMicros;
  }

  /** All that fall due next, in the order in which they were set. */
  #nextDue(): { readonly atMicros: number; readonly entries: readonly Entry[] } {
    let atMicros = Number.POSITIVE_INFINITY;
    for (const { dueMicros } of this.#entries) atMicros = Math.min(atMicros, dueMicros);
    const entries = [...this.#entries].filter(({ dueMicros }) => dueMicros === atMicros);
    return { atMicros, entries: entries.sort((left, right) => left.sequence - right.sequence) };
  }

  #fire(entry: Entry): void {
    if (!this.#entries.has(entry)) return;
    if (entry.intervalMicros === 0) {
      this.#entries.delete(entry);
    } else {
      entry.dueMicros = Math.max(entry.dueMicros + entry.intervalMicros, this.#nowMicros);
      entry.sequence = this.#sequence++;
    }
    entry.call();
  }

  scope(): ClockScope {
    const own = new Set<Entry>();
    let hasEnded = false;
    const set = (delayMs: number, intervalMicros: number, call: () => void) => {
      const dueMicros = this.#nowMicros + Math.max(0, Math.round(delayMs * 1000));
      const entry: Entry = {
        dueMicros,
        sequence: this.#sequence++,
        intervalMicros,
        call: () => {
          if (intervalMicros === 0) own.delete(entry);
          call();
        },
      };
      if (hasEnded) return () => undefined;
      own.add(entry);
      this.#entries.add(entry);
      // What needs no time to pass waits for nobody.
      if (dueMicros <= this.#nowMicros) setImmediate(() => this.#fire(entry));
      return () => {
        own.delete(entry);
        this.#entries.delete(entry);
      };
    };
    return {
      after: (delayMs, call) => set(delayMs, 0, call),
      every: (intervalMs, call) => set(intervalMs, Math.max(1, Math.round(intervalMs * 1000)), call),
      end: () => {
        hasEnded = true;
        for (const entry of own) this.#entries.delete(entry);
        own.clear();
      },
    };
  }
}

/** The same time for clients. */
export function clientClockOf(clock: FakeClock, timers: Timers): ClientClock {
  return {
    nowMs: () => clock.nowMicros() / 1000,
    dateMs: () => Math.floor(clock.nowMicros() / 1000),
    after: (delayMs, call) => timers.after(delayMs, call),
    every: (intervalMs, call) => timers.every(intervalMs, call),
  };
}
