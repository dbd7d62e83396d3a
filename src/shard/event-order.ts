// The order in which shards hear of events: that in which they were written. One that has to wait (for a sync) holds up those
// behind it, and one that is refused leaves its place.
import type { MetadataEvent } from "../metadata/index.ts";

interface Waiting {
  readonly event: MetadataEvent;
  isReady: boolean;
  readonly resolve: (told: Promise<void>) => void;
  readonly reject: (reason: unknown) => void;
}

export class EventOrder {
  readonly #show: (event: MetadataEvent) => Promise<void>;
  readonly #queue: Waiting[] = [];

  /** `show` is called with one event after the other. */
  constructor(show: (event: MetadataEvent) => Promise<void>) {
    this.#show = show;
  }

  /**
   * Takes the next event. It is shown at once where nothing is before it and it waits for nothing (`readiness` undefined).
   * Settles as `show` does, or rejects as `readiness` does; then it was never shown.
   */
  tell(event: MetadataEvent, readiness: Promise<unknown> | undefined): Promise<void> {
    if (readiness === undefined && this.#queue.length === 0) return this.#show(event);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { event, isReady: readiness === undefined, resolve, reject };
    this.#queue.push(waiting);
    readiness?.then(
      () => {
        waiting.isReady = true;
        this.#showReady();
      },
      (reason: unknown) => {
        this.#queue.splice(this.#queue.indexOf(waiting), 1);
        reject(reason);
        this.#showReady();
      },
    );
    return promise;
  }

  #showReady(): void {
    while (this.#queue[0]?.isReady === true) {
      const { event, resolve, reject } = this.#queue.shift()!;
      try {
        resolve(this.#show(event));
      } catch (thrown) {
        reject(thrown);
      }
    }
  }
}
