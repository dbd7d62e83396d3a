// Events for any number of iterators. Each has its own queue; one that nobody reads keeps the newest only.
import { withResolvers } from "../with-resolvers.ts";

const queuedMax = 1000;

export class EventHub<Event> {
  readonly #queues = new Set<EventQueue<Event>>();
  #hasEnded = false;

  emit(event: Event): void {
    for (const queue of this.#queues) queue.push(event);
  }

  /** Every iterator ends after what it has. */
  end(): void {
    this.#hasEnded = true;
    for (const queue of this.#queues) queue.end();
  }

  /** Events from now on; a signal ends the iterator with its reason. */
  events(signal?: AbortSignal): AsyncIterableIterator<Event> {
    const queue = new EventQueue<Event>(() => this.#queues.delete(queue));
    this.#queues.add(queue);
    if (this.#hasEnded) queue.end();
    if (signal?.aborted) queue.fail(signal.reason);
    else signal?.addEventListener("abort", () => queue.fail(signal.reason), { once: true });
    return queue;
  }
}

class EventQueue<Event> implements AsyncIterableIterator<Event> {
  readonly #onEnd: () => void;
  #queued: Event[] = [];
  #wake: (() => void) | undefined;
  #end: { readonly reason: unknown } | "no error" | undefined;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  push(event: Event): void {
    if (this.#queued.length === queuedMax) this.#queued.shift();
    this.#queued.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#end ??= "no error";
    this.#wake?.();
    this.#onEnd();
  }

  fail(reason: unknown): void {
    this.#end ??= { reason };
    this.#wake?.();
    this.#onEnd();
  }

  async next(): Promise<IteratorResult<Event>> {
    for (;;) {
      const event = this.#queued.shift();
      if (event !== undefined) return { done: false, value: event };
      if (this.#end !== undefined) break;
      const { promise, resolve } = withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    const end = this.#end;
    this.#end = "no error";
    if (end !== "no error") throw end.reason;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Event>> {
    this.#queued = [];
    this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
