// One partition as a consumer reads it: what lies ready, and the three places in it, in this order: delivered, handled,
// committed. A seek, a purge or a loss begins a new generation: what belongs to an earlier one counts for nothing any more.

import { MessageLayout } from "../../protocol/message-layout.ts";
import { Fifo } from "../fifo.ts";
import { type BatchBytes, unsignedAt } from "./batch-bytes.ts";
import type { PollFrom, PollReply } from "./commands.ts";
import type { PartitionProgress } from "./options.ts";
import { type MessageSource, ReceivedMessage } from "./received-message.ts";

/** `revoking`: promised to another member; what was polled is finished. `gone`: another's, or let go. */
export type CursorState = "reading" | "revoking" | "gone";

/** What a reply says beyond its messages: offsets from `fromOffset` up to and with `toOffset` will not come. */
export interface Gap {
  readonly fromOffset: number;
  readonly toOffset: number;
}

/** Where reading begins. `isExact`: after that offset nothing may be missing, so that a jump is a gap. */
export interface StartFrom {
  readonly from: PollFrom;
  readonly isExact: boolean;
}

/** Messages and bytes that are not handled yet: those that lie ready and those in hand. */
export interface Outstanding {
  messages: number;
  bytes: number;
}

export class Cursor implements MessageSource {
  readonly partitionId: number;
  state: CursorState = "reading";
  isPaused = false;
  /** What is done before a revoked partition goes, `onRevoking`, is done. */
  isReadyToGo = false;
  generation = 0;
  /** Changes whenever the position is set back or elsewhere: the reply to an earlier poll does not fit any more. */
  fetchNumber = 0;
  headOffset: number | undefined;
  /** The last poll found nothing more. */
  isAtHead = false;
  /** When the only message of a partition is looked at again. */
  nextLookMs = 0;
  deliveredOffset: number | undefined;
  handledOffset: number | undefined;
  committedOffset: number | undefined;
  readonly outstanding: Outstanding = { messages: 0, bytes: 0 };
  /** The same of all partitions of the consumer. */
  readonly #total: Outstanding;
  /** Server time of message 0, once it was seen. */
  #firstMicros: number | undefined;
  /** Delivered and not handled: sizes by offset, in the order of delivery, which is that of the offsets. */
  readonly #unfinished = new Map<number, number>();
  #from: PollFrom;
  #isExact: boolean;
  #startOffset: number;
  /** Messages up to it were delivered to this consumer before. */
  #repeatsUpTo: number;
  #ready = new Fifo<BatchBytes>();
  /** In the batch at the head of `#ready`. */
  #at = 0;
  #left = 0;
  /** Delivered and given back by a loop that ended: they come first. */
  #returned: ReceivedMessage<unknown>[] = [];
  #lost: AbortController | undefined;

  /** `seenUpTo`: largest offset that was delivered to the consumer in an earlier reading; -1: none. */
  constructor(partitionId: number, start: StartFrom, total: Outstanding, seenUpTo = -1) {
    this.partitionId = partitionId;
    this.#total = total;
    this.#from = start.from;
    this.#startOffset = start.from.kind === "offset" ? start.from.offset : 0;
    this.#isExact = start.isExact;
    this.#repeatsUpTo = seenUpTo;
  }

  /** Where the next poll begins. */
  get from(): PollFrom {
    return this.#from;
  }

  /** Offset of the next message that would be delivered; undefined while only a time is known. */
  get nextOffset(): number | undefined {
    if (this.#returned.length > 0) return this.#returned[0]!.offset;
    if (this.#left > 0) return this.#ready.peek()!.offsetAt(this.#at);
    const next = this.#ready.peek()?.firstOffset;
    if (next !== undefined) return next;
    return this.#from.kind === "offset" ? this.#from.offset : undefined;
  }

  /** First offset that this reading found, or began with. */
  get startOffset(): number {
    return this.#startOffset;
  }

  get isGone(): boolean {
    return this.state === "gone";
  }

  get hasReady(): boolean {
    return this.#returned.length > 0 || this.#ready.length > 0;
  }

  /** Whether a loop may take a message. */
  get isReadable(): boolean {
    return this.hasReady && !this.isPaused;
  }

  /** Whether something was delivered and is not handled. */
  get isInHand(): boolean {
    return this.#unfinished.size > 0;
  }

  /** Largest offset that was delivered to this consumer, now or before; -1: none. */
  get seenUpTo(): number {
    return this.#repeatsUpTo;
  }

  get progress(): PartitionProgress {
    const { isPaused, headOffset, deliveredOffset, handledOffset, committedOffset } = this;
    const handled = handledOffset ?? committedOffset;
    // A head of 0 may mean none or one message.
    const isLagKnown = headOffset !== undefined && (headOffset > 0 || handled !== undefined);
    return {
      isPaused,
      ...(headOffset !== undefined && { headOffset }),
      ...(isLagKnown && { lag: Math.max(0, headOffset - (handled ?? this.#startOffset - 1)) }),
      ...(deliveredOffset !== undefined && { deliveredOffset }),
      ...(handledOffset !== undefined && { handledOffset }),
      ...(committedOffset !== undefined && { committedOffset }),
    };
  }

  /** Aborts when the partition is lost: for handlers at work. */
  get lostSignal(): AbortSignal {
    this.#lost ??= new AbortController();
    if (this.state === "gone") this.#lost.abort();
    return this.#lost.signal;
  }

  /**
   * Takes the reply to a poll of this generation. Returns a gap where messages are missing, and whether the head lies below
   * the position (a purge): then nothing was taken, and the caller begins anew with `seek`.
   */
  accept({ headOffset, messages }: PollReply): { readonly gap?: Gap; readonly isReset: boolean } {
    const from = this.#from;
    // Offsets only grow, but for a purge. A position behind the head by more than one was past it before, too.
    const isBehind = from.kind === "offset" && this.#isExact && headOffset + 1 < from.offset;
    if (isBehind || headOffset < (this.headOffset ?? 0)) return { isReset: true };
    this.headOffset = headOffset;
    this.isAtHead = messages.messagesCount === 0;
    if (this.isAtHead) return { isReset: false };
    this.isSameFirst(messages);
    const isJump = this.#isExact && from.kind === "offset" && messages.firstOffset > from.offset;
    const gap = isJump ? { fromOffset: from.offset, toOffset: messages.firstOffset - 1 } : undefined;
    this.#ready.push(messages);
    this.#count(messages.messagesCount, messages.sizeBytes);
    this.#from = { kind: "offset", offset: messages.lastOffset + 1 };
    this.#isExact = true;
    return gap === undefined ? { isReset: false } : { gap, isReset: false };
  }

  /** Whether it can not be told from the head that there was a purge: it is 0 with one message and without any. */
  get mayHideReset(): boolean {
    return this.headOffset === 0 && this.#isExact && this.#from.kind === "offset" && this.#from.offset === 1;
  }

  /** Whether messages from offset 0 on begin with the one that was there before; without any, false. */
  isSameFirst(messages: BatchBytes): boolean {
    if (messages.messagesCount === 0) return false;
    if (messages.firstOffset > 0) return true;
    const micros = unsignedAt(messages.view, messages.start + MessageLayout.timestamp);
    const isSame = this.#firstMicros === undefined || this.#firstMicros === micros;
    this.#firstMicros = micros;
    return isSame;
  }

  /** The next message, which is then in hand. Undefined if none lies ready. */
  take(): ReceivedMessage<unknown> | undefined {
    const message = this.#returned.shift() ?? this.#takeReady();
    if (message === undefined) return undefined;
    message.isRepeat = message.offset <= this.#repeatsUpTo;
    this.#repeatsUpTo = Math.max(this.#repeatsUpTo, message.offset);
    this.deliveredOffset = message.offset;
    this.#unfinished.set(message.offset, message.sizeBytes);
    return message;
  }

  /** Whether the message that is taken next begins another batch: a good place to turn to another partition. */
  get isAtBatchStart(): boolean {
    return this.#returned.length === 0 && this.#left === 0;
  }

  #takeReady(): ReceivedMessage<unknown> | undefined {
    const batch = this.#ready.peek();
    if (batch === undefined) return undefined;
    if (this.#left === 0) {
      this.#left = batch.messagesCount;
      this.#at = batch.start;
    }
    const end = batch.endOf(this.#at);
    const message = new ReceivedMessage<unknown>(this, batch, this.#at, end);
    this.#at = end;
    if (--this.#left === 0) {
      this.#ready.shift();
      batch.onTaken?.();
    }
    return message;
  }

  /** The message in hand is handled. False if it belongs to an earlier generation, or was finished before. */
  finish(message: ReceivedMessage<unknown>): boolean {
    if (message.generation !== this.generation || !this.#unfinished.delete(message.offset)) return false;
    if (this.state !== "gone") this.#count(-1, -message.sizeBytes);
    const oldest = this.#oldestUnfinished();
    const handled = oldest === undefined ? this.deliveredOffset! : oldest - 1;
    // Behind an unfinished message nothing counts as handled; before the first one was handled nothing was.
    const isBeforeAll = oldest !== undefined && this.handledOffset === undefined && message.offset > oldest;
    if (!isBeforeAll) this.handledOffset = Math.max(this.handledOffset ?? -1, handled);
    return true;
  }

  /**
   * Everything up to the offset counts as handled: it was committed by hand. Returns how many messages that were, in hand or given
   * back by a loop that ended.
   */
  finishUpTo(offset: number): number {
    let finished = 0;
    for (const [unfinished, sizeBytes] of [...this.#unfinished]) {
      if (unfinished > offset) break;
      this.#unfinished.delete(unfinished);
      if (this.state !== "gone") this.#count(-1, -sizeBytes);
      finished++;
    }
    while (this.#returned.length > 0 && this.#returned[0]!.offset <= offset) {
      const { sizeBytes } = this.#returned.shift()!;
      if (this.state !== "gone") this.#count(-1, -sizeBytes);
      finished++;
    }
    this.handledOffset = Math.max(this.handledOffset ?? -1, offset);
    this.deliveredOffset = Math.max(this.deliveredOffset ?? -1, this.handledOffset);
    return finished;
  }

  /** Gives messages in hand back, in the order of their offsets: they are delivered again. What is handled is left out. */
  putBack(messages: readonly ReceivedMessage<unknown>[]): void {
    const unfinished = messages.filter(
      (message) => message.generation === this.generation && this.#unfinished.delete(message.offset),
    );
    this.#returned = [...unfinished, ...this.#returned];
    if (unfinished.length === 0) return;
    const oldest = this.#oldestUnfinished();
    this.deliveredOffset = oldest ?? this.handledOffset;
  }

  /** Begins anew there. `isForgotten`: the offsets name other messages now (a purge), so that none is a repeat. */
  seek(start: StartFrom, isForgotten = false): void {
    this.generation++;
    this.fetchNumber++;
    this.isAtHead = false;
    this.#drop();
    this.#unfinished.clear();
    this.#from = start.from;
    this.#startOffset = start.from.kind === "offset" ? start.from.offset : 0;
    this.#isExact = start.isExact;
    this.deliveredOffset = undefined;
    this.handledOffset = undefined;
    this.committedOffset = undefined;
    if (isForgotten) {
      this.headOffset = undefined;
      this.#firstMicros = undefined;
      this.#repeatsUpTo = -1;
    }
  }

  /** Another's, or let go: what lies ready is dropped, handlers are told. What is in hand may still be finished. */
  end(): void {
    if (this.state === "gone") return;
    this.state = "gone";
    this.#drop();
    this.#lost?.abort();
  }

  /** Tells handlers at work to stop, for another reason than a loss. */
  abortHandlers(reason: unknown): void {
    this.#lost ??= new AbortController();
    this.#lost.abort(reason);
  }

  #oldestUnfinished(): number | undefined {
    // Mostly there is none: that costs no iterator.
    return this.#unfinished.size === 0 ? undefined : this.#unfinished.keys().next().value;
  }

  /** Forgets what lies ready; it is polled again. What is in hand stays so. */
  rewind(): void {
    const offset = this.nextOffset;
    if (!this.hasReady || offset === undefined) return;
    this.#from = { kind: "offset", offset };
    this.fetchNumber++;
    this.#drop();
    let bytes = 0;
    for (const sizeBytes of this.#unfinished.values()) bytes += sizeBytes;
    this.#count(this.#unfinished.size, bytes);
  }

  #drop(): void {
    for (const batch of this.#ready.drain()) batch.onTaken?.();
    this.#returned = [];
    this.#left = 0;
    this.#count(-this.outstanding.messages, -this.outstanding.bytes);
  }

  #count(messages: number, bytes: number): void {
    this.outstanding.messages += messages;
    this.outstanding.bytes += bytes;
    this.#total.messages += messages;
    this.#total.bytes += bytes;
  }
}
