/** Every message of one simulated partition, by number: what became of it, how safe it is, and what readers were given. */
import { assert } from "../../src/platform/assert.ts";
import { requireAsSent, type SentMessage, type StoredMessage } from "./messages.ts";

/** What a message must survive: nothing, kill -9, or a power loss too. */
export type Safety = "unsafe" | "killSafe" | "powerSafe";
export type CrashKind = "kill" | "power";

/**
 * - pending: not answered yet; live: in the log; unknown: the crash came before the answer.
 * - undone: refused and cut off the file again, or acknowledged at level memory and never wholly written. The cut may be
 *   lost in a power loss, and with it everything that came later; the same for removed, by retention, and for halfPurged,
 *   by a purge that did not end.
 * - gone: must never be seen again.
 */
export type Fate = "pending" | "live" | "unknown" | "undone" | "removed" | "halfPurged" | "gone";

export interface Tracked {
  readonly sent: SentMessage;
  /** Number of the message before it in its batch; undefined for the first. */
  readonly follows: number | undefined;
  fate: Fate;
  safety: Safety;
  /** Its place in the log, once it was there. */
  offset: number | undefined;
  /** As first returned; from then on every read returns exactly this. */
  stored: StoredMessage | undefined;
}

export interface SentBatch {
  readonly messages: readonly SentMessage[];
  /** unclear: refused by a partition that fenced itself or whose machine is gone, so that it may be on the disk. */
  answer: "none" | "acknowledged" | "refused" | "unclear";
}

export class TrackedMessages {
  readonly #tracked: Tracked[] = [];

  get count(): number {
    return this.#tracked.length;
  }

  add(sent: SentMessage, follows: number | undefined, fate: Fate): void {
    this.#tracked.push({ sent, follows, fate, safety: "unsafe", offset: undefined, stored: undefined });
  }

  get(number: number): Tracked {
    const tracked = this.#tracked[number];
    assert(tracked !== undefined, "a read returns nothing that was never sent", { number });
    return tracked;
  }

  [Symbol.iterator](): ArrayIterator<[number, Tracked]> {
    return this.#tracked.entries();
  }

  setFate(batch: SentBatch, fate: Fate): void {
    for (const { number } of batch.messages) this.get(number).fate = fate;
  }

  becameSafe(numbers: readonly number[], safety: Safety): void {
    for (const number of numbers) {
      const tracked = this.get(number);
      if (tracked.safety !== "powerSafe") tracked.safety = safety;
    }
  }

  /** As it was sent, and as it was read before. */
  checkContent(message: StoredMessage): void {
    const tracked = this.get(message.number);
    requireAsSent(message, tracked.sent);
    if (tracked.stored === undefined) {
      tracked.stored = { ...message, bytes: message.bytes.slice() };
      return;
    }
    // A batch that was refused can leave bytes on the disk with another offset than the one a reader saw: never the same.
    assert(
      Buffer.compare(tracked.stored.bytes, message.bytes) === 0,
      "every read returns the same bytes",
      placeOf(message),
    );
  }
}

export function placeOf(message: StoredMessage): Record<string, unknown> {
  return { offset: message.offset, number: message.number };
}
