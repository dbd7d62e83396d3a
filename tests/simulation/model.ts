/**
 * What a partition must hold, as plainly as can be: the numbers of the messages by offset, and how safe each one is. The
 * rules of acknowledgement are in this file, those of recovery in `recovered-log.ts`.
 */
import { assert } from "../../src/platform/assert.ts";
import type { Simulation } from "../../src/platform/simulated/simulation.ts";
import type { Acknowledge } from "../../src/storage/types.ts";
import { randomMessages, type SentMessage, type StoredMessage, sizeOf } from "./messages.ts";
import { checkRecovered, type Purging, type Recovered } from "./recovered-log.ts";
import { placeOf, type SentBatch, TrackedMessages } from "./tracked-messages.ts";

export interface ModelOptions {
  readonly level: Acknowledge;
  readonly hasLargeMessages: boolean;
  /** Bytes that encryption adds to a payload, and to user headers where there are any. */
  readonly overheadBytes: number;
  /** Whether an id is taken once. */
  readonly deduplicates: boolean;
}

export class PartitionModel {
  readonly #options: ModelOptions;
  readonly #tracked = new TrackedMessages();
  #batches: SentBatch[] = [];
  /** Message number by offset; undefined where nothing is (removed, before the first segment, or lost in a power loss). */
  #log: (number | undefined)[] = [];
  /** The next offset is between the end of `#log` and this: after a power loss, messages at the end may leave a gap. */
  #nextOffsetMax = 0;
  #endIsOpen = false;
  /** Retention may have removed, or be about to remove, messages with smaller offsets. */
  #mayBeGoneBelow = 0;
  /** Messages with smaller numbers were sent before the purge that is under way began. */
  #purgedBefore = 0;
  #isPurging = false;
  /** Ids that the partition knows, where it takes each once. */
  #ids = new Set<number>();

  /** A sync failed or will: what it should have covered may be gone in the next power loss, whatever later syncs say. */
  #isInDoubt = false;
  /** After a power loss what was not safe may be damaged in the middle of the log, and anything by what happens at rest. */
  #mayBeDamaged = false;
  /** The partition holds messages that it refuses to return. */
  #isDamaged = false;

  constructor(options: ModelOptions) {
    this.#options = options;
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
    return this.#tracked.count;
  }

  get messagesCount(): number {
    return this.#log.reduce<number>((count, number) => count + (number === undefined ? 0 : 1), 0);
  }

  /** Of the messages as they are stored. */
  get sizeBytes(): number {
    const { overheadBytes } = this.#options;
    return this.#log.reduce<number>((sum, number) => {
      if (number === undefined) return sum;
      const { sent } = this.#tracked.get(number);
      return sum + sizeOf(sent) + overheadBytes * (sent.userHeadersLength > 0 ? 2 : 1);
    }, 0);
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
    return number === undefined ? undefined : this.#tracked.get(number).stored?.timestampMicros;
  }

  /** Messages to send; `batch` has those of them that are to become part of the log: the others repeat an id. */
  sending(simulation: Simulation): { readonly all: readonly SentMessage[]; readonly batch: SentBatch } {
    const { hasLargeMessages, deduplicates } = this.#options;
    const drawn = randomMessages(simulation, this.#tracked.count, hasLargeMessages);
    // Few ids, so that many repeat.
    const all = deduplicates
      ? drawn.map((message) => (message.withoutId ? message : { ...message, id: randomId(simulation, message.number) }))
      : drawn;
    const fresh: SentMessage[] = [];
    for (const message of all) {
      const isFresh = this.#takeId(message);
      this.#tracked.add(message, fresh.at(-1)?.number, isFresh ? "pending" : "gone");
      if (isFresh) fresh.push(message);
    }
    const batch: SentBatch = { messages: fresh, answer: "none" };
    this.#batches.push(batch);
    return { all, batch };
  }

  /** What is refused may be sent again. */
  answered(batch: SentBatch, answer: SentBatch["answer"]): void {
    batch.answer = answer;
    if (answer === "acknowledged") return;
    for (const { id } of batch.messages) if (id !== undefined) this.#ids.delete(id);
  }

  /** Everything was answered. `currentOffset` tells where the first append after a gap went; it is checked. */
  settle(currentOffset: number): void {
    for (const batch of this.#batches) {
      assert(batch.answer !== "none", "every append is answered", { number: batch.messages[0]?.number });
      if (batch.answer === "acknowledged") continue;
      this.#tracked.setFate(batch, batch.answer === "refused" ? "undone" : "unknown");
    }
    const acknowledged = this.#batches.filter(
      ({ answer, messages }) => answer === "acknowledged" && messages.length > 0,
    );
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
    this.#tracked.becameSafe(numbers, this.#isInDoubt ? "killSafe" : claimed);
  }

  /** A read showed it: at level sync, readers see only what no crash can take back; at level write, no kill -9. */
  becameVisible(stored: readonly StoredMessage[]): void {
    const { level } = this.#options;
    if (level === "memory") return;
    const numbers = stored.map((message) => message.number);
    this.becameSafe(numbers, level === "sync" ? "powerSafe" : "killSafe");
  }

  /** Retention is about to run: messages before `offset` may go. */
  mayRemoveBelow(offset: number): void {
    this.#mayBeGoneBelow = Math.max(this.#mayBeGoneBelow, offset);
  }

  /** Retention left the partition with so many messages; not where messages are missing for other reasons. */
  retained(messagesCount: number): void {
    const offsets = this.offsetsFrom(0);
    const removed = offsets.slice(0, offsets.length - messagesCount);
    assert(messagesCount <= offsets.length, "retention adds nothing", { messagesCount, before: offsets.length });
    const last = removed.at(-1) ?? -1;
    assert(last < this.#mayBeGoneBelow, "retention removes only what it may", { last, below: this.#mayBeGoneBelow });
    this.removedBelow(last + 1);
  }

  /** The first message that is left is that at `offset`, or a later one. */
  removedBelow(offset: number): void {
    for (let at = 0; at < Math.min(offset, this.#log.length); at++) {
      const number = this.#log[at];
      if (number === undefined) continue;
      this.#tracked.get(number).fate = "removed";
      this.#log[at] = undefined;
    }
    this.#mayBeGoneBelow = Math.min(this.#mayBeGoneBelow, this.#firstOffset);
  }

  /** Whether a read may begin there: what retention may have removed is learnt from reading where there are gaps. */
  mayBeginAt(offset: number): boolean {
    return this.offsetsFrom(0).every((present) => present >= offset || present < this.#mayBeGoneBelow);
  }

  /** Every message sent so far is to go. */
  purgeBegan(): void {
    this.#purgedBefore = this.#tracked.count;
    this.#isPurging = true;
  }

  /**
   * `currentOffset`: of what was sent while it was under way, some came before it, and the rest is in the log. `isDurable`:
   * whether no power loss brings back what it took.
   */
  purged(currentOffset: number, isDurable: boolean): void {
    const taken = isDurable ? "gone" : "halfPurged";
    for (const [number, tracked] of this.#tracked) {
      const isTaken = number < this.#purgedBefore || tracked.fate === "removed";
      if (isTaken && tracked.fate !== "gone") tracked.fate = taken;
    }
    const during = this.#batches.filter(({ messages: [first] }) => (first?.number ?? -1) >= this.#purgedBefore);
    this.#batches = [];
    this.#startLog();
    let tooMany = -1 - currentOffset;
    for (const { answer, messages } of during) if (answer === "acknowledged") tooMany += messages.length;
    for (const batch of during) {
      if (batch.answer === "acknowledged" && tooMany > 0) {
        this.#tracked.setFate(batch, taken);
        tooMany -= batch.messages.length;
      } else this.#batches.push(batch);
    }
    const acknowledged = this.#batches.filter(({ answer }) => answer === "acknowledged");
    this.#ids = new Set(acknowledged.flatMap(({ messages }) => messages.flatMap(({ id }) => id ?? [])));
    this.settle(currentOffset);
  }

  /** The partition is gone for good, and another one begins in its place. */
  recreated(): void {
    for (const [, tracked] of this.#tracked) tracked.fate = "gone";
    this.#batches = [];
    this.#ids = new Set();
    this.#startLog();
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
        ...placeOf(message),
        expected: this.#log[message.offset],
      });
      this.#tracked.checkContent(message);
    }
  }

  /** Checks a read while appends are under way: what is in the log, then what is pending, in order. */
  checkReadUnderWay(stored: readonly StoredMessage[]): void {
    for (const [index, message] of stored.entries()) {
      const previous = stored[index - 1];
      if (previous !== undefined) {
        assert(message.number > previous.number, "messages come in the order of sending", placeOf(message));
        assert(message.offset === previous.offset + 1 || this.hasGap, "offsets are consecutive", placeOf(message));
      }
      const { fate } = this.#tracked.get(message.number);
      if (fate === "live") {
        assert(this.#log[message.offset] === message.number, "a message stays at its offset", placeOf(message));
      } else {
        assert(fate === "pending" || fate === "unknown", "a read returns nothing that was refused or lost", {
          ...placeOf(message),
          fate,
        });
      }
      this.#tracked.checkContent(message);
    }
  }

  /** Whether all of these messages may still be there. */
  areOfNow(stored: readonly StoredMessage[]): boolean {
    const present = ["pending", "live", "unknown"];
    return stored.every(({ number }) => present.includes(this.#tracked.get(number).fate));
  }

  /** The machine or the process is gone: what was not answered is unknown, what was answered counts. */
  crashed(): void {
    let unclearCount = 0;
    for (const batch of this.#batches) {
      // Behind an unclear one, places are not known: only level memory acknowledges there, which promises nothing.
      const { answer, messages } = batch;
      if (answer === "acknowledged" && unclearCount === 0 && !this.#isPurging) this.#addAcknowledged(batch);
      else if (answer === "refused") this.#tracked.setFate(batch, "undone");
      else {
        const mayBeOutOfOrder = this.#options.level === "memory" || this.#isPurging || messages.length === 0;
        assert(answer !== "acknowledged" || mayBeOutOfOrder, "acknowledgements are in order");
        this.#tracked.setFate(batch, "unknown");
        unclearCount += messages.length;
      }
    }
    this.#nextOffsetMax = Math.max(this.#nextOffsetMax, this.#log.length + unclearCount);
    this.#batches = [];
  }

  /**
   * Compares everything that a reopened partition returns, and takes it over. The log may end early or, after a power loss,
   * lack messages that were not power-safe; it may end in messages whose answer is unknown.
   */
  recovered(found: Omit<Recovered, "purging" | "purgedBefore" | "mayBeGoneBelow">, purging: Purging): void {
    const { kind, damagedCount, flippedCount } = found;
    if (kind === "power" || flippedCount > 0) this.#mayBeDamaged = true;
    assert(damagedCount === 0 || this.#mayBeDamaged, "a message is damaged by a power loss, if not safe, or at rest");
    this.#isDamaged = damagedCount > 0;
    const purgedBefore = purging === "none" ? 0 : this.#purgedBefore;
    const recovered = { ...found, purging, purgedBefore, mayBeGoneBelow: this.#mayBeGoneBelow };
    const log = checkRecovered(this.#tracked, this.#log, recovered);
    const present = new Set(log);
    const firstOffset = found.stored[0]?.offset ?? found.nextOffset;
    for (const [number, tracked] of this.#tracked) {
      const { fate } = tracked;
      if (present.has(number)) tracked.fate = "live";
      else if (number < purgedBefore && purging === "decided") tracked.fate = "gone";
      else if (number < purgedBefore && ["live", "removed", "unknown"].includes(fate)) tracked.fate = "halfPurged";
      else if (fate === "removed" && kind === "power" && tracked.safety !== "powerSafe") tracked.fate = "gone";
      else if (fate === "live" && (tracked.offset ?? 0) < Math.min(this.#mayBeGoneBelow, firstOffset)) {
        tracked.fate = "removed";
      } else if (kind === "kill" && fate === "live") tracked.fate = "undone";
      else if (fate !== "undone" && fate !== "halfPurged" && fate !== "removed") tracked.fate = "gone";
    }
    for (const [offset, number] of log.entries()) if (number !== undefined) this.#tracked.get(number).offset = offset;
    // After a kill -9 the next append follows the last message; a power loss may skip offsets that were given before.
    const endsAtGap = log.length < this.#log.length && this.#log[log.length] === undefined;
    this.#endIsOpen ||= kind === "power" || purging !== "none" || endsAtGap;
    while (log.length < found.nextOffset) log.push(undefined);
    this.#nextOffsetMax = this.#endIsOpen ? Math.max(log.length, this.#nextOffsetMax) : log.length;
    this.#log = log;
    this.#purgedBefore = 0;
    this.#isPurging = false;
    this.#mayBeGoneBelow = Math.min(this.#mayBeGoneBelow, this.#firstOffset);
    this.#ids = new Set(found.stored.flatMap(({ number }) => this.#tracked.get(number).sent.id ?? []));
  }

  /** Whether the partition is to take it; an id that is taken is known from now on. */
  #takeId({ id }: SentMessage): boolean {
    if (id === undefined) return true;
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    return true;
  }

  #startLog(): void {
    this.#log = [];
    this.#isDamaged = false;
    this.#mayBeGoneBelow = 0;
    this.#purgedBefore = 0;
    this.#isPurging = false;
    this.#closeEnd();
  }

  #addAcknowledged(batch: SentBatch): void {
    for (const { number } of batch.messages) {
      const tracked = this.#tracked.get(number);
      tracked.fate = "live";
      tracked.offset = this.#log.length;
      this.#log.push(number);
    }
    const { level } = this.#options;
    if (level === "memory") return;
    const numbers = batch.messages.map((message) => message.number);
    this.becameSafe(numbers, level === "sync" ? "powerSafe" : "killSafe");
  }

  #closeEnd(): void {
    this.#nextOffsetMax = this.#log.length;
    this.#endIsOpen = false;
  }
}

function randomId(simulation: Simulation, number: number): number {
  return simulation.chance(60) ? simulation.between(1, 80) : number + 1000;
}

function summary(offsets: readonly number[]): string {
  return offsets.length === 0 ? "none" : `${offsets.length} from ${offsets[0]} to ${offsets.at(-1)}`;
}
