/**
 * What a partition must hold, as plainly as can be: the numbers of the messages by offset, how safe each one is, and the
 * stored consumer offsets. The rules of acknowledgement and recovery that the simulation checks are all in this file.
 */
import { assert } from "../../src/platform/assert.ts";
import type { Acknowledge } from "../../src/storage/types.ts";
import { randomMessages, requireAsSent, type SentMessage, type StoredMessage, sizeOf } from "./messages.ts";
import type { Simulation } from "./simulation.ts";

/** What a message must survive: nothing, kill -9, or a power loss too. */
export type Safety = "unsafe" | "killSafe" | "powerSafe";
export type CrashKind = "kill" | "power";

/**
 * - pending: not answered yet; live: in the log; unknown: the crash came before the answer.
 * - undone: refused and cut off the file again, or acknowledged at level memory and never wholly written. The cut may be
 *   lost in a power loss, and with it everything that came later; the same for halfPurged, by a purge that did not end.
 * - gone: must never be seen again.
 */
type Fate = "pending" | "live" | "unknown" | "undone" | "halfPurged" | "gone";

interface Tracked {
  readonly sent: SentMessage;
  fate: Fate;
  safety: Safety;
  /** As first returned; from then on every read returns exactly this. */
  stored: StoredMessage | undefined;
}

export interface SentBatch {
  readonly messages: readonly SentMessage[];
  /** unclear: refused by a partition that fenced itself or whose machine is gone, so that it may be on the disk. */
  answer: "none" | "acknowledged" | "refused" | "unclear";
}

export class PartitionModel {
  readonly #level: Acknowledge;
  readonly #tracked: Tracked[] = [];
  #batches: SentBatch[] = [];
  /** Message number by offset; undefined where nothing is (before the first segment, or lost in a power loss). */
  #log: (number | undefined)[] = [];
  /** The next offset is between the end of `#log` and this: after a power loss, messages at the end may leave a gap. */
  #nextOffsetMax = 0;
  #endIsOpen = false;

  readonly #hasLargeMessages: boolean;
  /** A sync failed or will: what it should have covered may be gone in the next power loss, whatever later syncs say. */
  #isInDoubt = false;
  /** After a power loss, what was not safe may be damaged in the middle of the log. */
  #mayBeDamaged = false;
  /** The partition holds messages that it refuses to return. */
  #isDamaged = false;

  constructor(level: Acknowledge, hasLargeMessages: boolean) {
    this.#level = level;
    this.#hasLargeMessages = hasLargeMessages;
  }

  syncMayFail(): void {
    this.#isInDoubt = true;
  }

  get nextOffset(): number {
    return this.#log.length;
  }

  get #firstOffset(): number {
    const first = this.#log.findIndex((number) => number !== undefined);
    return first === -1 ? this.#log.length : first;
  }

  get sentCount(): number {
    return this.#tracked.length;
  }

  get messagesCount(): number {
    return this.#log.reduce<number>((count, number) => count + (number === undefined ? 0 : 1), 0);
  }

  get sizeBytes(): number {
    return this.#log.reduce<number>(
      (sum, number) => sum + (number === undefined ? 0 : sizeOf(this.#get(number).sent)),
      0,
    );
  }

  /** Whether messages are missing between others or at the end; reads are then compared less strictly. */
  get hasGap(): boolean {
    return (
      this.#isDamaged || this.#nextOffsetMax > this.#log.length || this.#log.includes(undefined, this.#firstOffset)
    );
  }

  /** Every offset of a present message from `start` on. */
  offsetsFrom(start: number): number[] {
    const offsets: number[] = [];
    for (let offset = Math.max(0, start); offset < this.#log.length; offset++) {
      if (this.#log[offset] !== undefined) offsets.push(offset);
    }
    return offsets;
  }

  /** Undefined unless a read returned it once. */
  timestampAt(offset: number): number | undefined {
    const number = this.#log[offset];
    return number === undefined ? undefined : this.#get(number).stored?.timestampMicros;
  }

  sending(simulation: Simulation): SentBatch {
    const messages = randomMessages(simulation, this.#tracked.length, this.#hasLargeMessages);
    for (const sent of messages) this.#tracked.push({ sent, fate: "pending", safety: "unsafe", stored: undefined });
    const batch: SentBatch = { messages, answer: "none" };
    this.#batches.push(batch);
    return batch;
  }

  /** Everything was answered. `currentOffset` tells where the first append after a gap went; it is checked. */
  settle(currentOffset: number): void {
    const acknowledged = this.#batches.filter((batch) => batch.answer === "acknowledged");
    for (const batch of this.#batches) {
      assert(batch.answer !== "none", "every append is answered", { number: batch.messages[0]!.number });
      if (batch.answer !== "acknowledged") this.#setFate(batch, batch.answer === "refused" ? "undone" : "unknown");
    }
    const addedCount = acknowledged.reduce((sum, batch) => sum + batch.messages.length, 0);
    if (addedCount > 0) {
      const base = currentOffset + 1 - addedCount;
      assert(
        base >= this.#log.length && base <= this.#nextOffsetMax,
        "acknowledged messages follow the end of the log, each once",
        { currentOffset, addedCount, logEnd: this.#log.length, nextOffsetMax: this.#nextOffsetMax },
      );
      while (this.#log.length < base) this.#log.push(undefined);
    }
    for (const batch of acknowledged) this.#addAcknowledged(batch);
    if (addedCount > 0) this.#closeEnd();
    this.#batches = [];
  }

  /** The messages that a flush or save which begins now has to cover; pass them to `becameSafe` when it succeeded. */
  answeredNow(): readonly number[] {
    const answered = this.#log.filter((number) => number !== undefined);
    for (const batch of this.#batches) {
      if (batch.answer === "acknowledged") for (const { number } of batch.messages) answered.push(number);
    }
    return answered;
  }

  becameSafe(numbers: readonly number[], claimed: "killSafe" | "powerSafe"): void {
    const safety = this.#isInDoubt ? "killSafe" : claimed;
    for (const number of numbers) {
      const tracked = this.#get(number);
      if (tracked.safety !== "powerSafe") tracked.safety = safety;
    }
  }

  /** A read showed it: at level sync, readers see only what no crash can take back; at level write, no kill -9. */
  becameVisible(stored: readonly StoredMessage[]): void {
    if (this.#level === "memory") return;
    const safety = this.#level === "sync" ? "powerSafe" : "killSafe";
    this.becameSafe(
      stored.map((message) => message.number),
      safety,
    );
  }

  purged(): void {
    assert(this.#batches.length === 0, "the simulation purges only when everything is answered");
    for (const number of this.#log) if (number !== undefined) this.#get(number).fate = "gone";
    for (const tracked of this.#tracked) if (tracked.fate === "halfPurged") tracked.fate = "gone";
    this.#log = [];
    this.#isDamaged = false;
    this.#closeEnd();
  }

  /** A purge that may or may not have happened: from now on the log may be lost from the front, up to all of it. */
  purgeBegan(): void {
    for (const number of this.#log) if (number !== undefined) this.#get(number).safety = "unsafe";
  }

  /** Checks a read while nothing is pending. `wanted`: the offsets in order, exact unless there is a gap. */
  checkSettledRead(stored: readonly StoredMessage[], wanted: readonly number[]): void {
    const got = stored.map((message) => message.offset);
    const expected = this.hasGap ? wanted.slice(0, Math.max(got.length, Math.min(1, wanted.length))) : wanted;
    assert(
      got.length === expected.length && got.every((offset, index) => offset === expected[index]),
      "a read returns the messages asked for",
      { got: summary(got), expected: summary(expected) },
    );
    for (const message of stored) {
      assert(this.#log[message.offset] === message.number, "a message stays at its offset", {
        offset: message.offset,
        got: message.number,
        expected: this.#log[message.offset],
      });
      this.#checkContent(message);
    }
  }

  /** Checks a read while appends are under way: what is in the log, then what is pending, in order. */
  checkReadUnderWay(stored: readonly StoredMessage[]): void {
    for (const [index, message] of stored.entries()) {
      const previous = stored[index - 1];
      if (previous !== undefined) {
        assert(message.number > previous.number, "messages come in the order of sending", { ...place(message) });
        assert(message.offset === previous.offset + 1 || this.hasGap, "offsets are consecutive", {
          offset: message.offset,
          previous: previous.offset,
        });
      }
      const { fate } = this.#get(message.number);
      if (fate === "live")
        assert(this.#log[message.offset] === message.number, "a message stays at its offset", place(message));
      else
        assert(fate === "pending" || fate === "unknown", "a read returns nothing that was refused or lost", {
          ...place(message),
          fate,
        });
      this.#checkContent(message);
    }
  }

  /** The machine or the process is gone: what was not answered is unknown, what was answered counts. */
  crashed(): void {
    let unclearCount = 0;
    for (const batch of this.#batches) {
      // Behind an unclear one, places are not known: only level memory acknowledges there, which promises nothing.
      if (batch.answer === "acknowledged" && unclearCount === 0) this.#addAcknowledged(batch);
      else if (batch.answer === "refused") this.#setFate(batch, "undone");
      else {
        assert(batch.answer !== "acknowledged" || this.#level === "memory", "acknowledgements are in order");
        this.#setFate(batch, "unknown");
        unclearCount += batch.messages.length;
      }
    }
    this.#nextOffsetMax = Math.max(this.#nextOffsetMax, this.#log.length + unclearCount);
    this.#batches = [];
  }

  /**
   * Compares everything that a reopened partition returns, from its first message on, and takes it over. The log may end
   * early or, after a power loss, lack messages that were not power-safe; it may end in messages whose answer is unknown.
   */
  recovered(stored: readonly StoredMessage[], damagedCount: number, kind: CrashKind, purging: boolean): void {
    const recovered: (number | undefined)[] = [];
    let previous: StoredMessage | undefined;
    if (kind === "power") this.#mayBeDamaged = true;
    assert(damagedCount === 0 || this.#mayBeDamaged, "only a power loss damages messages, and no safe ones");
    this.#isDamaged = damagedCount > 0;
    for (const message of stored) {
      const tracked = this.#get(message.number);
      assert(
        previous === undefined || message.number > previous.number,
        "messages come in the order of sending, once",
        place(message),
      );
      const mayLeaveGap = kind === "power" || this.#gapIsNotNew(message.offset) || (purging && previous === undefined);
      assert(message.offset === recovered.length || mayLeaveGap, "recovered offsets are consecutive", {
        ...place(message),
        previous: previous?.offset,
      });
      if (tracked.fate === "live" || (tracked.fate === "unknown" && this.#log[message.offset] === message.number)) {
        assert(this.#log[message.offset] === message.number, "a message stays at its offset", place(message));
      } else {
        const mayBeBack = tracked.fate === "undone" || tracked.fate === "halfPurged";
        const possible = tracked.fate === "unknown" || (mayBeBack && kind === "power");
        assert(possible, "recovery returns nothing that was refused, purged or lost", {
          ...place(message),
          fate: tracked.fate,
        });
        assert(
          tracked.sent.firstOfBatch ||
            (previous?.number === message.number - 1 && previous.offset === message.offset - 1) ||
            (message.offset > recovered.length && kind === "power"),
          "a batch is recovered from its first message on",
          place(message),
        );
      }
      this.#checkContent(message);
      while (recovered.length < message.offset) recovered.push(undefined);
      recovered.push(message.number);
      previous = message;
    }
    this.#requireSafeOnes(recovered, kind);
    this.#takeOver(recovered, kind, purging);
  }

  #requireSafeOnes(recovered: readonly (number | undefined)[], kind: CrashKind): void {
    for (const [offset, number] of this.#log.entries()) {
      if (number === undefined || recovered[offset] === number) continue;
      const { safety } = this.#get(number);
      const mustBeThere = safety === "powerSafe" || (safety === "killSafe" && kind === "kill");
      assert(!mustBeThere, "what was acknowledged is recovered", {
        offset,
        number,
        safety,
        kind,
        logEnd: this.#log.length,
        recoveredEnd: recovered.length,
      });
    }
  }

  #takeOver(recovered: (number | undefined)[], kind: CrashKind, purging: boolean): void {
    const present = new Set(recovered);
    for (const [number, tracked] of this.#tracked.entries()) {
      if (present.has(number)) tracked.fate = "live";
      else if (purging && tracked.fate === "live") tracked.fate = "halfPurged";
      else if (kind === "kill" && tracked.fate === "live") tracked.fate = "undone";
      else if (tracked.fate !== "undone" && tracked.fate !== "halfPurged") tracked.fate = "gone";
    }
    // After a kill -9 the next append follows the last message; a power loss may skip offsets that were given before.
    const endsAtGap = recovered.length < this.#log.length && this.#log[recovered.length] === undefined;
    this.#endIsOpen ||= kind === "power" || purging || endsAtGap;
    this.#nextOffsetMax = this.#endIsOpen ? Math.max(recovered.length, this.#nextOffsetMax) : recovered.length;
    this.#log = recovered;
  }

  #gapIsNotNew(offset: number): boolean {
    return offset > 0 && this.#log[offset - 1] === undefined;
  }

  #addAcknowledged(batch: SentBatch): void {
    for (const { number } of batch.messages) {
      const tracked = this.#get(number);
      tracked.fate = "live";
      this.#log.push(number);
    }
    if (this.#level === "memory") return;
    this.becameSafe(
      batch.messages.map((message) => message.number),
      this.#level === "sync" ? "powerSafe" : "killSafe",
    );
  }

  #closeEnd(): void {
    this.#nextOffsetMax = this.#log.length;
    this.#endIsOpen = false;
  }

  #setFate(batch: SentBatch, fate: Fate): void {
    for (const { number } of batch.messages) this.#get(number).fate = fate;
  }

  #checkContent(message: StoredMessage): void {
    const tracked = this.#get(message.number);
    requireAsSent(message, tracked.sent);
    if (tracked.stored === undefined) {
      tracked.stored = { ...message, bytes: message.bytes.slice() };
      return;
    }
    // A batch that was refused can leave bytes on the disk with another offset than the one a reader saw: never the same.
    assert(
      Buffer.compare(tracked.stored.bytes, message.bytes) === 0,
      "every read returns the same bytes",
      place(message),
    );
  }

  #get(number: number): Tracked {
    const tracked = this.#tracked[number];
    assert(tracked !== undefined, "a read returns nothing that was never sent", { number });
    return tracked;
  }
}

function place(message: StoredMessage): Record<string, unknown> {
  return { offset: message.offset, number: message.number };
}

function summary(offsets: readonly number[]): string {
  return offsets.length === 0 ? "none" : `${offsets.length} from ${offsets[0]} to ${offsets.at(-1)}`;
}
