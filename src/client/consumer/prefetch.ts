// How much may lie ready. Bounded by messages and bytes; for a member of a group also by what was handled in the last second,
// because a partition can only move to another member when all that was polled of it is committed. The count of a poll follows
// the sizes that were seen, for replies of about 1 MiB.

import type { Clock } from "./clock.ts";
import type { Outstanding } from "./cursor.ts";
import type { PrefetchLimits } from "./options.ts";

export const defaultPrefetch: PrefetchLimits = { messages: 1_000, bytes: 4 * 1024 * 1024 };

/** Size of a reply that is aimed at. */
const replyBytesAim = 1024 * 1024;
/** Asked for before any size is known. */
const firstCount = 16;
/** Taken for the size of a message then: one message comes whatever its size, and says more. */
const firstBytes = 1;
/** Share of the limits that is kept for partitions of which nothing lies ready, and the least share that is worth a poll. */
const keptShare = 1 / 4;
const worthwhileShare = 1 / 2;
/** Share of the last reply in the average size. */
const newestShare = 0.25;
const windowMs = 1_000;
const slots = 10;
const slotMs = windowMs / slots;
/** Handled messages that are not yet put into the slot of their time. */
const uncountedMax = 64;

export class Prefetch {
  readonly #limits: PrefetchLimits;
  readonly #followsHandled: boolean;
  readonly #clock: Clock;
  #averageBytes: number | undefined;
  /** Handled messages in each tenth of the last second, and the number of the newest one. */
  readonly #handled = new Array<number>(slots).fill(0);
  #slot = 0;
  #uncounted = 0;

  /** `followsHandled`: for a member of a group. */
  constructor(limits: PrefetchLimits, followsHandled: boolean, clock: Clock) {
    this.#limits = limits;
    this.#followsHandled = followsHandled;
    this.#clock = clock;
    this.#slot = Math.floor(clock.nowMs() / slotMs);
  }

  noteReply(messagesCount: number, sizeBytes: number): void {
    if (messagesCount === 0) return;
    const size = sizeBytes / messagesCount;
    // At once upwards: a reply must not become many times larger than it was meant to be.
    const isLarger = this.#averageBytes === undefined || size > this.#averageBytes;
    this.#averageBytes = isLarger ? size : this.#averageBytes! + (size - this.#averageBytes!) * newestShare;
  }

  /** Counted when somebody asks: the time is not looked at for each message. */
  noteHandled(count: number): void {
    this.#uncounted += count;
    if (this.#uncounted >= uncountedMax) this.#turn();
  }

  /**
   * Messages to ask a partition for, as one of `polls` of this round; 0: there is no room. A part of the limits is kept for
   * partitions of which nothing is under way, so that one whose handler does not return does not hold up the others.
   */
  countFor(total: Outstanding, own: Outstanding, partitionsCount: number, polls: number): number {
    const { messages, bytes, isCommon } = this.#room(total, partitionsCount);
    if (!isCommon && own.messages > 0) return 0;
    const share = isCommon ? polls : 1;
    const size = this.#averageBytes;
    if (size === undefined) return Math.max(1, Math.min(firstCount, Math.floor(messages / share)));
    const byBytes = Math.min(replyBytesAim, bytes / share) / size;
    return Math.max(1, Math.floor(Math.min(byBytes, messages / share)));
  }

  /** Bytes of as many messages, going by the sizes that were seen: what a subscription is given to push. */
  bytesFor(count: number): number {
    return Math.min(replyBytesAim, Math.ceil(count * (this.#averageBytes ?? firstBytes)));
  }

  /** Whether `countFor` would not say 0. */
  hasRoom(total: Outstanding, own: Outstanding, partitionsCount: number): boolean {
    return own.messages === 0 || this.#room(total, partitionsCount).isCommon;
  }

  /** `isCommon`: there is so much room that it is worth a poll of any partition; else it is the share that each one has. */
  #room(total: Outstanding, partitionsCount: number) {
    const limits = this.#limits;
    const limit = this.#followsHandled ? Math.min(limits.messages, this.#handledLately()) : limits.messages;
    const common = partitionsCount === 1 ? 1 : 1 - keptShare;
    const messages = limit * common - total.messages;
    const bytes = limits.bytes * common - total.bytes;
    const isCommon = messages >= limit * worthwhileShare && bytes >= limits.bytes * worthwhileShare && limit > 0;
    if (isCommon) return { messages, bytes, isCommon };
    const parts = keptShare / partitionsCount;
    return { messages: limit * parts, bytes: limits.bytes * parts, isCommon };
  }

  #handledLately(): number {
    this.#turn();
    return this.#handled.reduce((sum, count) => sum + count, 0);
  }

  /** Empties the slots of the time that has passed. */
  #turn(): void {
    const slot = Math.floor(this.#clock.nowMs() / slotMs);
    const passed = Math.min(slots, slot - this.#slot);
    for (let step = 1; step <= passed; step++) this.#handled[(this.#slot + step) % slots] = 0;
    this.#slot = slot;
    this.#handled[slot % slots]! += this.#uncounted;
    this.#uncounted = 0;
  }
}
