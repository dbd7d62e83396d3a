// What one partition must hold after a crash: every message that was answered, once, in order, with its bytes; none that was
// purged, deleted, never sent, or sent to somebody else.
import type { Cut, PartitionHistory, SegmentDeletion, Send } from "./history.ts";
import { type FoundMessage, keyOf } from "./payload.ts";

/** What is wrong, in words; nothing if all is right. `nextOffset` is that of the next message, where there is none now. */
export function checkPartition(
  partition: PartitionHistory,
  messages: readonly FoundMessage[],
  nextOffset: number,
  cut: Cut,
): string[] {
  return new PartitionCheck(partition, messages, nextOffset, cut).run();
}

class PartitionCheck {
  readonly #partition: PartitionHistory;
  readonly #messages: readonly FoundMessage[];
  readonly #nextOffset: number;
  readonly #cut: Cut;
  /** The last removal of a segment that may be done. */
  readonly #lastDeletion: SegmentDeletion | undefined;
  readonly #failures: string[] = [];

  constructor(partition: PartitionHistory, messages: readonly FoundMessage[], nextOffset: number, cut: Cut) {
    this.#partition = partition;
    this.#messages = messages;
    this.#nextOffset = nextOffset;
    this.#lastDeletion = partition.segmentDeletions.findLast(({ call }) => call.mayBeDone(cut));
    this.#cut = cut;
  }

  run(): string[] {
    const { settledPurgesCount, purges } = this.#partition;
    const least = settledPurgesCount + purges.filter((call) => call.mustBeDone(this.#cut)).length;
    const most = settledPurgesCount + purges.filter((call) => call.mayBeDone(this.#cut)).length;
    const first = this.#messages[0];
    if (first === undefined && this.#partition.hasSizeLimit) {
      this.#checkNextOffset();
      return this.#failures;
    }
    if (first === undefined) {
      // Empty is right if it is so after any of the purges that may be done.
      const reasons = Array.from({ length: most - least + 1 }, (_, index) => this.#missing(least + index));
      if (reasons.every((missing) => missing.length > 0)) this.#fail(`is empty: ${reasons[0]}`);
      if (this.#partition.segmentDeletions.length > 0) this.#checkStart(this.#nextOffset, most);
      return this.#failures;
    }
    const { purgesBefore } = first;
    if (purgesBefore < least || purgesBefore > most) {
      this.#fail(`has messages from before purge ${purgesBefore + 1}; ${least} to ${most} are done`);
    }
    this.#checkEach(purgesBefore);
    this.#checkStart(first.offset, purgesBefore);
    for (const missing of this.#missing(purgesBefore)) this.#fail(missing);
    return this.#failures;
  }

  #checkEach(purgesBefore: number): void {
    const { found, mark, settledPurgesCount } = this.#partition;
    const sent = this.#sent();
    const wasFound = new Set(found.values());
    const last = new Map<number, number>();
    let previous = this.#messages[0]!.offset - 1;
    for (const message of this.#messages) {
      const where = `offset ${message.offset}`;
      // Without power, a write that nobody was answered may be lost while one behind it is there.
      const isNext = this.#cut.isPowerLoss ? message.offset > previous : message.offset === previous + 1;
      if (!isNext) this.#fail(`${where} follows ${previous}`);
      previous = message.offset;
      if (message.mark !== mark) this.#fail(`${where} was sent to partition ${message.mark}, this is ${mark}`);
      if (message.purgesBefore !== purgesBefore) this.#fail(`${where} is from before another purge than the first one`);
      if (message.number <= (last.get(message.producer) ?? -1)) this.#fail(`${where} comes again, or out of order`);
      last.set(message.producer, message.number);
      const key = keyOf(message);
      if (!sent.has(key) && !wasFound.has(key)) this.#fail(`${where} was never sent, or is back`);
      const before = found.get(message.offset);
      const isAsFound = purgesBefore === settledPurgesCount && before !== undefined;
      if (isAsFound && before !== key) this.#fail(`${where} held another message before`);
    }
  }

  /** All may have gone with sealed segments; the offsets go on where they were. */
  #checkNextOffset(): void {
    const { foundEnd, sends } = this.#partition;
    const answered = sends.filter(({ call }) => call.mustBeDone(this.#cut));
    const least = foundEnd + answered.reduce((sum, { count }) => sum + count, 0);
    if (this.#nextOffset < least) this.#fail(`goes on at ${this.#nextOffset} instead of ${least}`);
  }

  /** Where the partition begins: moved by removals of segments only, and never back. */
  #checkStart(start: number, purgesBefore: number): void {
    const { foundFirst, settledPurgesCount, segmentDeletions, hasSizeLimit } = this.#partition;
    let least = purgesBefore === settledPurgesCount ? foundFirst : 0;
    let most: number | undefined = hasSizeLimit ? undefined : least;
    for (const { call, firstOffset } of segmentDeletions) {
      if (!call.mayBeDone(this.#cut)) break;
      most = firstOffset;
      if (call.mustBeDone(this.#cut)) least = firstOffset ?? least;
    }
    // Else what a hole at the start has cost is found among the missing messages.
    const isExact = segmentDeletions.length > 0 && !this.#cut.isPowerLoss;
    const isLate = isExact && start > (most ?? Number.POSITIVE_INFINITY);
    if (start < least || isLate) {
      this.#fail(`begins at ${start} instead of ${least} to ${most ?? "any"}`);
    }
  }

  /** Messages that must be there and are not, if so many purges are done. */
  #missing(purgesBefore: number): string[] {
    const { found, sends, settledPurgesCount, hasSizeLimit } = this.#partition;
    const present = new Set(this.#messages.map(keyOf));
    const firstOf = new Map<number, number>();
    for (const { producer, number } of this.#messages) {
      // Removals by the broker itself are answered to nobody: a power loss may keep a later one and take an earlier one back.
      if (!firstOf.has(producer) || (hasSizeLimit && this.#cut.isPowerLoss)) firstOf.set(producer, number);
    }
    const deletion = this.#lastDeletion;
    const mayBeEmpty = deletion !== undefined && (deletion.isEmpty || deletion.firstOffset === undefined);
    // What was sent before the last removal, and stands before everything that is there, went with a segment.
    const isRemoved = (producer: number, number: number, askedAt: number) =>
      (hasSizeLimit || (deletion !== undefined && askedAt < deletion.call.answeredAt)) &&
      number < (firstOf.get(producer) ?? (mayBeEmpty ? Number.POSITIVE_INFINITY : 0));
    const missing: string[] = [];
    for (const send of sends) {
      if (send.purgesBefore !== purgesBefore || !send.call.mustBeDone(this.#cut)) continue;
      for (const number of numbersOf(send)) {
        if (
          !present.has(keyOf({ producer: send.producer, number })) &&
          !isRemoved(send.producer, number, send.call.askedAt)
        ) {
          missing.push(`lost message ${number} of producer ${send.producer}, answered at ${send.call.answeredAt}`);
        }
      }
    }
    if (purgesBefore === settledPurgesCount) {
      for (const key of found.values()) {
        if (!present.has(key) && !isRemoved(Math.floor(key / 2 ** 32), key % 2 ** 32, 0)) {
          missing.push(`lost a message that was there after an earlier crash: ${key}`);
        }
      }
    }
    return missing;
  }

  #sent(): Set<number> {
    const sent = new Set<number>();
    for (const send of this.#partition.sends) {
      if (!send.call.mayBeDone(this.#cut)) continue;
      for (const number of numbersOf(send)) sent.add(keyOf({ producer: send.producer, number }));
    }
    return sent;
  }

  #fail(text: string): void {
    this.#failures.push(text);
  }
}

function numbersOf({ firstNumber, count }: Send): number[] {
  return Array.from({ length: count }, (_, index) => firstNumber + index);
}
