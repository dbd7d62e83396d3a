// Events for whoever asks: each iterator gets what happens from its start on. A reader that is slow loses the oldest ones.

import type { Abortable } from "./options.ts";

/** Events that wait for one reader. */
const waitingMax = 1_000;

class Reader<Event> implements AsyncIterableIterator<Event> {
  readonly #channel: EventChannel<Event>;
  readonly #signal: AbortSignal | undefined;
  #waiting: Event[] = [];
  #isEnded = false;
  #wake: (() => void) | undefined;

  constructor(channel: EventChannel<Event>, signal: AbortSignal | undefined) {
    this.#channel = channel;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#aborted);
  }

  readonly #aborted = (): void => this.end();

  give(event: Event): void {
    this.#waiting.push(event);
    if (this.#waiting.length > waitingMax) this.#waiting.shift();
    this.#wake?.();
  }

  /** What waits is still given. */
  end(): void {
    this.#isEnded = true;
    this.#signal?.removeEventListener("abort", this.#aborted);
    this.#channel.remove(this);
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<Event>> {
    for (;;) {
      if (this.#signal?.aborted) throw this.#signal.reason;
      const event = this.#waiting.shift();
      if (event !== undefined) return { done: false, value: event };
      if (this.#isEnded) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async return(): Promise<IteratorResult<Event>> {
    this.#waiting = [];
    this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

export class EventChannel<Event> {
  readonly #readers = new Set<Reader<Event>>();
  readonly #onEvent: (event: Event) => void;
  #isEnded = false;

  /** `onEvent` hears of every event, also when nobody reads. */
  constructor(onEvent: (event: Event) => void = () => undefined) {
    this.#onEvent = onEvent;
  }

  /** The iterator throws the signal's reason when that aborts. */
  read({ signal }: Abortable = {}): AsyncIterableIterator<Event> {
    const reader = new Reader<Event>(this, signal);
    if (this.#isEnded || signal?.aborted) reader.end();
    else this.#readers.add(reader);
    return reader;
  }

  tell(event: Event): void {
    this.#onEvent(event);
    for (const reader of this.#readers) reader.give(event);
  }

  /** Ends all iterators, those of later calls too. */
  end(): void {
    this.#isEnded = true;
    for (const reader of [...this.#readers]) reader.end();
  }

  remove(reader: Reader<Event>): void {
    this.#readers.delete(reader);
  }
}
