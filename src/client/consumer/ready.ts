// What lies ready, for the loops of a program: partitions take turns by batches.

import type { Cursor } from "./cursor.ts";
import type { ReceivedMessage } from "./received-message.ts";
import type { RepeatFilter } from "./repeat-filter.ts";

export class Ready {
  readonly #cursors: ReadonlyMap<number, Cursor>;
  readonly #repeats: RepeatFilter | undefined;
  readonly #finish: (message: ReceivedMessage<unknown>) => void;
  /** Partition of the message that was taken last. */
  #current: Cursor | undefined;

  /** `repeats`: what was stored twice is left out, and counts as handled (`finish`). */
  constructor(
    cursors: ReadonlyMap<number, Cursor>,
    repeats: RepeatFilter | undefined,
    finish: (message: ReceivedMessage<unknown>) => void,
  ) {
    this.#cursors = cursors;
    this.#repeats = repeats;
    this.#finish = finish;
  }

  /** The next message; it is then in hand. Undefined: none lies ready. */
  take(): ReceivedMessage<unknown> | undefined {
    for (;;) {
      const message = this.#nextReady()?.take();
      if (message === undefined || !this.#isStoredTwice(message)) return message;
      this.#finish(message);
    }
  }

  /** The rest of the next batch that lies ready; empty if there is none. */
  takeBatch(): ReceivedMessage<unknown>[] {
    const messages: ReceivedMessage<unknown>[] = [];
    for (let cursor = this.#nextReady(); cursor !== undefined && messages.length === 0; cursor = this.#nextReady()) {
      do {
        const message = cursor.take();
        if (message === undefined) break;
        if (this.#isStoredTwice(message)) this.#finish(message);
        else messages.push(message);
      } while (!cursor.isAtBatchStart);
    }
    return messages;
  }

  /** One that is delivered again is no other message. */
  #isStoredTwice(message: ReceivedMessage<unknown>): boolean {
    const repeats = this.#repeats;
    if (repeats === undefined || message.isRepeat) return false;
    const { numbering } = message;
    return numbering !== undefined && repeats.isRepeat(numbering);
  }

  #nextReady(): Cursor | undefined {
    const current = this.#current;
    if (current !== undefined && !current.isAtBatchStart && current.isReadable) return current;
    // Behind the current one, then from the first.
    let first: Cursor | undefined;
    let isBehind = false;
    for (const cursor of this.#cursors.values()) {
      if (cursor.isReadable) {
        if (isBehind) return this.#turnTo(cursor);
        first ??= cursor;
      }
      if (cursor === current) isBehind = true;
    }
    return first && this.#turnTo(first);
  }

  #turnTo(cursor: Cursor): Cursor {
    this.#current = cursor;
    return cursor;
  }
}
