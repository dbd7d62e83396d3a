// Latencies of a measured part as one histogram for each second, so that runs can be drawn over time and compared with the spread
// that they have. A request belongs to the second in which its reply came.

import { Histogram, type HistogramData } from "./histogram.ts";

/** One second of an actor, or of all of a role. */
export type SecondData = {
  /** From 0. */
  readonly second: number;
  readonly messages: number;
  readonly latency: HistogramData;
};

export class LatencySeries {
  readonly #startMs: number;
  readonly #seconds: SecondData[] = [];
  #second = 0;
  #messages = 0;
  #current = new Histogram();

  /** The seconds are counted from `startMs` (of `performance.now`). */
  constructor(startMs = performance.now()) {
    this.#startMs = startMs;
  }

  /** Counts a latency, and the messages of its request, in the second of `nowMs`, which never goes back. */
  record(micros: number, messages: number, nowMs: number): void {
    const second = Math.floor((nowMs - this.#startMs) / 1000);
    if (second > this.#second) this.#turn(second);
    this.#current.record(micros);
    this.#messages += messages;
  }

  /** Keeps the second that is over, and begins another one. */
  #turn(second: number): void {
    if (this.#current.count > 0) {
      this.#seconds.push({ second: this.#second, messages: this.#messages, latency: this.#current.toData() });
    }
    this.#second = second;
    this.#messages = 0;
    this.#current = new Histogram();
  }

  /** Ends the series: the seconds that have latencies, in order. */
  finish(): readonly SecondData[] {
    this.#turn(this.#second + 1);
    return this.#seconds;
  }
}

/** Everything of some seconds in one histogram. */
export function latencyOf(seconds: readonly SecondData[]): Histogram {
  const whole = new Histogram();
  for (const { latency } of seconds) whole.merge(latency);
  return whole;
}

/** The seconds of several actors together. */
export function mergedSeconds(all: readonly (readonly SecondData[])[]): SecondData[] {
  const bySecond = new Map<number, { messages: number; latency: Histogram }>();
  for (const { second, messages, latency } of all.flat()) {
    const merged = bySecond.get(second) ?? { messages: 0, latency: new Histogram() };
    merged.messages += messages;
    merged.latency.merge(latency);
    bySecond.set(second, merged);
  }
  return [...bySecond]
    .toSorted(([one], [other]) => one - other)
    .map(([second, { messages, latency }]) => ({ second, messages, latency: latency.toData() }));
}
