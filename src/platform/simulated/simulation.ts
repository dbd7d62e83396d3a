/**
 * One repeatable run: all chance comes from its seed, and whatever finishes "some time later" (syncs, reads off the event
 * loop, the flush at the end of a turn) waits here until the run settles it, in an order that the seed picks too.
 */
import { type Random, seededRandom } from "../random.ts";

export class Simulation {
  readonly seed: number;
  readonly random: Random;
  #waiting: (() => void)[] = [];

  constructor(seed: number) {
    this.seed = seed;
    this.random = seededRandom(seed);
  }

  /** A whole number in `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + (this.random.u32() % (max - min + 1));
  }

  /** True in `percent` of 100 calls. */
  chance(percent: number): boolean {
    return this.random.u32() % 100 < percent;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.random.u32() % choices.length]!;
  }

  /** Runs `task` later, when `run` or `runSome` picks it. */
  schedule(task: () => void): void {
    this.#waiting.push(task);
  }

  /** Settles waiting tasks in random order until none is left, those included that they bring along. */
  async run(): Promise<void> {
    await this.#runUpTo(Number.POSITIVE_INFINITY);
  }

  /** Settles at most `countMax` tasks, so that operations overlap. */
  async runSome(countMax: number): Promise<void> {
    await this.#runUpTo(countMax);
  }

  async #runUpTo(countMax: number): Promise<void> {
    await microtasksDone();
    for (let count = 0; count < countMax && this.#waiting.length > 0; count++) {
      const [task] = this.#waiting.splice(this.random.u32() % this.#waiting.length, 1);
      task!();
      await microtasksDone();
    }
  }
}

/** Everything that promises can do by themselves has happened afterwards. */
function microtasksDone(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
