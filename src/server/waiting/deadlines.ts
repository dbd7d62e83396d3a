// When waits end, for all that wait on a shard: a wheel with one coarse timer, which is set for the next end and not at all
// while nobody waits. An end comes up to one step late and never early.
import { assert } from "../../platform/assert.ts";

/** Something with an end. In one wheel at a time. */
export abstract class Deadline {
  /** Steps since the beginning of time; -1: in no wheel. */
  dueStep = -1;
  previousDue: Deadline | undefined;
  nextDue: Deadline | undefined;

  /** The time is over. It is in no wheel any more. It must not throw. */
  abstract timeOver(): void;
}

export interface DeadlinesOptions {
  readonly nowMs: () => number;
  /** Calls `run` once, after `delayMs`; the answer takes it back. */
  readonly schedule: (run: () => void, delayMs: number) => () => void;
  readonly stepMs: number;
  /** No end is further away than this. */
  readonly waitMsMax: number;
}

export class Deadlines {
  readonly #options: DeadlinesOptions;
  /** First of each step, the steps in a ring. */
  readonly #first: (Deadline | undefined)[];
  #count = 0;
  /** Steps up to this one are over. */
  #doneStep: number;
  /** For which step the timer is set; -1: for none. */
  #timerStep = -1;
  #cancelTimer: (() => void) | undefined;

  constructor(options: DeadlinesOptions) {
    this.#options = options;
    this.#first = Array<Deadline | undefined>(Math.ceil(options.waitMsMax / options.stepMs) + 2).fill(undefined);
    this.#doneStep = this.#stepAt(options.nowMs());
  }

  get count(): number {
    return this.#count;
  }

  /** Ends at `dueMs` of the clock or a step later, also where that is over already. */
  add(deadline: Deadline, dueMs: number): void {
    assert(deadline.dueStep < 0, "a deadline is in one wheel");
    const { nowMs, stepMs, waitMsMax } = this.#options;
    // While nobody waited nobody counted.
    if (this.#count === 0) this.#doneStep = this.#stepAt(nowMs());
    assert(dueMs <= nowMs() + waitMsMax, "an end is not further away than the wheel is long");
    // The process may have stood still for longer than the wheel is long.
    if (Math.ceil(dueMs / stepMs) - this.#doneStep >= this.#first.length) this.#turn();
    const step = Math.max(this.#doneStep + 1, Math.ceil(dueMs / stepMs));
    const place = step % this.#first.length;
    const next = this.#first[place];
    deadline.dueStep = step;
    deadline.nextDue = next;
    if (next !== undefined) next.previousDue = deadline;
    this.#first[place] = deadline;
    this.#count++;
    if (this.#timerStep < 0 || step < this.#timerStep) this.#setTimer(step);
  }

  /** It does not end by time. Nothing happens where it is in no wheel. */
  remove(deadline: Deadline): void {
    if (deadline.dueStep < 0) return;
    const { previousDue, nextDue } = deadline;
    if (previousDue === undefined) this.#first[deadline.dueStep % this.#first.length] = nextDue;
    else previousDue.nextDue = nextDue;
    if (nextDue !== undefined) nextDue.previousDue = previousDue;
    deadline.previousDue = undefined;
    deadline.nextDue = undefined;
    deadline.dueStep = -1;
    this.#count--;
    if (this.#count === 0) this.#stopTimer();
  }

  #stepAt(ms: number): number {
    return Math.floor(ms / this.#options.stepMs);
  }

  #setTimer(step: number): void {
    this.#stopTimer();
    const { nowMs, schedule, stepMs } = this.#options;
    this.#timerStep = step;
    this.#cancelTimer = schedule(() => this.#turn(), Math.max(0, step * stepMs - nowMs()));
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#timerStep = -1;
  }

  /** Ends what is due, in the order of the steps, and looks when the next end is. */
  #turn(): void {
    this.#stopTimer();
    const nowStep = this.#stepAt(this.#options.nowMs());
    // After a long standstill one round says all.
    const last = Math.min(nowStep, this.#doneStep + this.#first.length);
    for (let step = this.#doneStep + 1; step <= last; step++) this.#endAll(step);
    this.#doneStep = Math.max(this.#doneStep, nowStep);
    if (this.#count === 0 || this.#timerStep >= 0) return;
    for (let step = this.#doneStep + 1; ; step++) {
      if (this.#first[step % this.#first.length] === undefined) continue;
      this.#setTimer(step);
      return;
    }
  }

  #endAll(step: number): void {
    const place = step % this.#first.length;
    for (let deadline = this.#first[place]; deadline !== undefined; deadline = this.#first[place]) {
      this.remove(deadline);
      deadline.timeOver();
    }
  }
}
