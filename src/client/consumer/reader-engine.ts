// What a reader does (reader.ts). Without `follow` it ends at what was the head at the start.

import type { CloseOptions } from "../options.ts";
import type { Message } from "../topic/message.ts";
import { FixedAssignment } from "./assignment.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { ConsumerParts } from "./consumer-engine.ts";
import type { Cursor } from "./cursor.ts";
import { decoderOf } from "./decoder.ts";
import { type DeliveryOptions, MessageDelivery } from "./delivery.ts";
import { PollFeed } from "./feed.ts";
import { Intake } from "./intake.ts";
import { ConsumerObserver } from "./observer.ts";
import type { Position, ReaderOptions } from "./options.ts";
import { behindHead, type OpenedAt, startFrom } from "./positions.ts";
import { defaultPrefetch, Prefetch } from "./prefetch.ts";
import type { ReceivedMessage } from "./received-message.ts";
import { ServerFeed } from "./server-feed.ts";
import { within } from "./shutdown.ts";
import { checkPosition, checkStart, splitFrom } from "./start-position.ts";

const closeTimeoutMs = 10_000;

export class ReaderEngine<Out> implements AsyncIterable<Message<Out>> {
  readonly #parts: ConsumerParts<Out>;
  readonly #options: ReaderOptions;
  readonly #clock: Clock;
  readonly #observer: ConsumerObserver;
  readonly #intake: Intake;
  /** Of each partition the offset at which reading ends; none with `follow`. */
  readonly #ends = new Map<number, number>();
  /** What is behind the last message that was given, or where reading began. */
  readonly #next = new Map<number, number>();
  #loop: MessageDelivery<Out> | undefined;
  #isEnding = false;
  #closing: Promise<void> | undefined;

  /** TypeError for a position that is none. Nothing is sent before the first loop. */
  constructor(parts: ConsumerParts<Out>, options: ReaderOptions = {}) {
    const { signal } = options;
    const { start, position } = splitFrom(options.from);
    checkStart(start);
    checkPosition(position);
    this.#parts = parts;
    this.#options = options;
    this.#clock = parts.clock ?? systemClock;
    this.#observer = new ConsumerObserver(parts.hooks ?? {}, parts.place, undefined);
    const { commands } = parts;
    // One that ends has to learn where the end is, which polls say.
    const { feed = options.follow === false ? new PollFeed(commands) : new ServerFeed(commands, this.#clock) } = parts;
    this.#intake = new Intake({
      assignment: new FixedAssignment(commands, options.partitions),
      feed,
      prefetch: new Prefetch(defaultPrefetch, false, this.#clock),
      clock: this.#clock,
      policy: "manual",
      open: (partitionId) => this.#open(partitionId),
      reopen: (partitionId) => startFrom(commands, partitionId, start),
      poll: (request) => commands.poll(request),
      store: () => Promise.reject(new TypeError("a reader stores nothing")),
      observer: this.#observer,
    });
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener("abort", this.#abort, { once: true });
  }

  async #open(partitionId: number): Promise<OpenedAt> {
    const { from, follow = true } = this.#options;
    const { commands } = this.#parts;
    const { start: place, position } = splitFrom(from);
    const offset = position[partitionId];
    const start: OpenedAt =
      offset === undefined
        ? await startFrom(commands, partitionId, place)
        : { from: { kind: "offset", offset }, isExact: true };
    if (!follow) this.#ends.set(partitionId, await behindHead(commands, partitionId));
    if (start.from.kind === "offset") this.#next.set(partitionId, start.from.offset);
    return start;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Message<Out>> {
    if (this.#loop !== undefined && !this.#loop.isEnded) throw new TypeError("a reader has one loop at a time");
    const { intake, isEnding } = { intake: this.#intake, isEnding: () => this.#hasEnded() };
    const options: DeliveryOptions<Out> = {
      intake,
      decoder: decoderOf(this.#parts.format, this.#parts.encryption),
      observer: this.#observer,
      skipsInvalid: false,
      commitsEach: false,
      isEnding,
      onSettled: () => undefined,
    };
    this.#loop = new ReaderLoop(options, (message) => this.#isWanted(message));
    intake.start();
    return this.#loop;
  }

  /** False for a message behind the end. Of one that is wanted the position is noted. */
  #isWanted({ partitionId, offset }: ReceivedMessage<unknown>): boolean {
    if (offset >= (this.#ends.get(partitionId) ?? Number.POSITIVE_INFINITY)) return false;
    this.#next.set(partitionId, offset + 1);
    return true;
  }

  #hasEnded(): boolean {
    if (this.#isEnding) return true;
    if (this.#options.follow !== false || !this.#intake.isOpened) return false;
    for (const cursor of this.#intake.cursors.values()) if (!this.#isAtEnd(cursor)) return false;
    void this.close();
    return true;
  }

  #isAtEnd(cursor: Cursor): boolean {
    const end = this.#ends.get(cursor.partitionId) ?? 0;
    if ((cursor.nextOffset ?? -1) >= end) return true;
    return cursor.isAtHead && !cursor.hasReady;
  }

  position(): Position {
    const position: Record<number, number> = {};
    for (const cursor of this.#intake.cursors.values()) {
      const { headOffset = 0 } = cursor;
      const behind = cursor.isAtHead ? (headOffset === 0 ? 0 : headOffset + 1) : undefined;
      const next = this.#next.get(cursor.partitionId) ?? behind;
      if (next !== undefined) position[cursor.partitionId] = next;
    }
    return position;
  }

  close({ timeoutMs = closeTimeoutMs }: CloseOptions = {}): Promise<void> {
    this.#isEnding = true;
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  readonly #abort = (): void => {
    this.#intake.fail(this.#options.signal?.reason);
    this.#closing ??= this.#close(closeTimeoutMs);
  };

  async #close(timeoutMs: number): Promise<void> {
    this.#options.signal?.removeEventListener("abort", this.#abort);
    await within(timeoutMs, this.#clock, () => this.#intake.stop());
    this.#intake.commits.stop();
    this.#intake.events.end();
    this.#parts.commands.close();
    this.#parts.onClosed?.();
  }
}

class ReaderLoop<Out> extends MessageDelivery<Out> {
  readonly #isWanted: (message: ReceivedMessage<unknown>) => boolean;

  constructor(options: DeliveryOptions<Out>, isWanted: (message: ReceivedMessage<unknown>) => boolean) {
    super(options);
    this.#isWanted = isWanted;
  }

  protected override take(): ReceivedMessage<Out> | undefined {
    for (;;) {
      const message = super.take();
      if (message === undefined || this.#isWanted(message)) return message;
      this.options.intake.finish(message);
      // Whether that was the last partition is seen when the loop looks again.
      if (this.options.isEnding()) return undefined;
    }
  }
}
