// One flow of messages through a producer: it ends after its last acknowledgement, or with the first failure.

import { type Resolvers, withResolvers } from "../with-resolvers.ts";
import type { Batch } from "./lane.ts";

/** Batches that one flow of messages has gone into, and the first failure among them. */
export class SendFlow {
  failure: { readonly reason: unknown } | undefined;
  readonly #batches = new Set<Batch>();
  #laterCount = 0;
  #idle: Resolvers<void> | undefined;

  track(batch: Batch): void {
    if (this.#batches.has(batch)) return;
    this.#batches.add(batch);
    batch.onSettled((failure) => {
      this.#batches.delete(batch);
      if (failure !== undefined) this.failure ??= { reason: failure };
      this.#look();
    });
  }

  trackLater(appended: Promise<Batch>): void {
    this.#laterCount++;
    appended.then(
      (batch) => {
        this.#laterCount--;
        this.track(batch);
      },
      (reason: unknown) => {
        this.#laterCount--;
        this.failure ??= { reason };
        this.#look();
      },
    );
  }

  /** Resolves after the last acknowledgement; rejects with the first failure. */
  async done(): Promise<void> {
    if (this.#batches.size + this.#laterCount > 0) {
      this.#idle = withResolvers<void>();
      await this.#idle.promise;
    }
    if (this.failure !== undefined) throw this.failure.reason;
  }

  #look(): void {
    if (this.#batches.size + this.#laterCount === 0 || this.failure !== undefined) this.#idle?.resolve();
  }
}
