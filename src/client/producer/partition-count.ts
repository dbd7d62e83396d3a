// How many partitions a topic has: asked at the start and every minute, because partitions may be added.

import { IggyError } from "../../protocol/errors.ts";
import type { ClientClock } from "../clock.ts";

const countedForMs = 60_000;
/** A topic that is not there may be made any moment. */
const missingForMs = 1_000;

export class PartitionCount {
  readonly #ask: () => Promise<number | undefined>;
  readonly #clock: ClientClock;
  #count: number | undefined;
  #dueMs = 0;
  #asking: Promise<void> | undefined;

  /** `ask`: undefined where the topic is not there. */
  constructor(ask: () => Promise<number | undefined>, clock: ClientClock) {
    this.#ask = ask;
    this.#clock = clock;
  }

  /** Undefined where nobody may see it, or nothing is there: then the server chooses the partition. */
  get count(): number | undefined {
    return this.#count;
  }

  get isDue(): boolean {
    return this.#clock.nowMs() >= this.#dueMs;
  }

  /** What is known is old. */
  expire(): void {
    this.#dueMs = 0;
  }

  /** Asks, one question at a time. Rejects with what is not an answer, as a lost connection. */
  refresh(): Promise<void> {
    this.#asking ??= this.#refresh().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #refresh(): Promise<void> {
    let count: number | undefined;
    let validMs = countedForMs;
    try {
      count = await this.#ask();
      if (count === undefined || count === 0) validMs = missingForMs;
    } catch (error) {
      if (!IggyError.is(error, "Unauthorized", "Unauthenticated", "StreamIdNotFound", "TopicIdNotFound")) throw error;
    }
    this.#count = count === 0 ? undefined : count;
    this.#dueMs = this.#clock.nowMs() + validMs;
  }
}
