// What a consumer does (consumer.ts): `for await`, `batches()` and `run()` over one intake, which is a member of a group, or reads all
// partitions or some under a name.

import { IggyError } from "../../protocol/errors.ts";
import type { Abortable, CloseOptions } from "../options.ts";
import type { Batch, Message } from "../topic/message.ts";
import { type Assignment, FixedAssignment, GroupAssignment } from "./assignment.ts";
import { Bell, type Clock, systemClock } from "./clock.ts";
import type { ConsumerCommands } from "./commands.ts";
import type { Cursor } from "./cursor.ts";
import { type Decoder, type Decoding, type Decrypting, decoderOf } from "./decoder.ts";
import { BatchDelivery, type Delivery, type DeliveryOptions, MessageDelivery } from "./delivery.ts";
import type { Feed } from "./feed.ts";
import { Intake } from "./intake.ts";
import { type ConsumerHooks, ConsumerObserver } from "./observer.ts";
import type { ConsumerEvent, ConsumerOptions, PartitionProgress, StartPosition } from "./options.ts";
import { openStored, startFrom } from "./positions.ts";
import { defaultPrefetch, Prefetch } from "./prefetch.ts";
import { ReceivedBatch, ReceivedMessage } from "./received-message.ts";
import { RepeatFilter } from "./repeat-filter.ts";
import { type Handler, Run, type RunOptions } from "./run.ts";
import { storeSought } from "./seek.ts";
import { ServerFeed } from "./server-feed.ts";
import { within } from "./shutdown.ts";
import { checkStart } from "./start-position.ts";

const closeTimeoutMs = 10_000;

export interface ConsumerParts<Out> {
  /** Over a connection of the consumer's own, which `close` ends. */
  readonly commands: ConsumerCommands;
  readonly format: Decoding<Out>;
  readonly encryption?: Decrypting;
  /** Names of stream and topic, for people. */
  readonly place: { readonly stream: string; readonly topic: string };
  /** What observes it. */
  readonly hooks?: ConsumerHooks;
  /** Called when it is closed. */
  readonly onClosed?: () => void;
  readonly clock?: Clock;
  /** Subscriptions where the server has them, else polls, if not given. */
  readonly feed?: Feed;
}

export class ConsumerEngine<Out> implements AsyncIterable<Message<Out>> {
  readonly #parts: ConsumerParts<Out>;
  readonly #options: ConsumerOptions;
  readonly #clock: Clock;
  readonly #observer: ConsumerObserver;
  readonly #intake: Intake;
  readonly #decoder: Decoder<Out>;
  /** Rings when what was in hand is handled, or a loop has ended. */
  readonly #settled = new Bell();
  #loop: Delivery<Out, ReceivedMessage<Out>> | Delivery<Out, ReceivedBatch<Out>> | undefined;
  #running: Promise<void> | undefined;
  #isEnding = false;
  #closing: Promise<void> | undefined;

  /** TypeError for options that make no sense. Nothing is sent before the first loop. */
  constructor(parts: ConsumerParts<Out>, options: ConsumerOptions) {
    checkStart(options.start ?? "first");
    this.#parts = parts;
    this.#options = options;
    this.#clock = parts.clock ?? systemClock;
    this.#decoder = decoderOf(parts.format, parts.encryption);
    const group = "group" in options ? options.group : undefined;
    this.#observer = new ConsumerObserver(parts.hooks ?? {}, parts.place, group);
    this.#intake = this.#makeIntake();
    const { signal } = options;
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener("abort", this.#abort, { once: true });
  }

  #makeIntake(): Intake {
    const { commands, feed = new ServerFeed(this.#parts.commands, this.#clock) } = this.#parts;
    const { start = "first", commit = "handled", prefetch = {}, onAssigned, onRevoking, onLost } = this.#options;
    const isShared = "group" in this.#options;
    const isByHand = commit === "manual" || commit === "before-delivery";
    return new Intake({
      assignment: this.#assignment(),
      feed,
      prefetch: new Prefetch({ ...defaultPrefetch, ...prefetch }, isShared, this.#clock),
      clock: this.#clock,
      policy: commit,
      open: (partitionId, handled) =>
        openStored(commands, partitionId, { start, handledBefore: isByHand ? undefined : handled, isShared }),
      reopen: (partitionId) => startFrom(commands, partitionId, start),
      poll: (request) => commands.poll(request),
      store: (partitionId, offset, messagesCount) =>
        this.#observer.commit(partitionId, messagesCount, () => commands.storeOffset(partitionId, offset)),
      observer: this.#observer,
      repeats: this.#options.dropRepeats === true ? new RepeatFilter() : undefined,
      onAssigned,
      onRevoking,
      onLost,
    });
  }

  #assignment(): Assignment {
    const options = this.#options;
    if ("group" in options) return new GroupAssignment(this.#parts.commands, options.createGroup ?? true);
    return new FixedAssignment(this.#parts.commands, options.partitions);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Message<Out>> {
    return this.#begin(new MessageDelivery(this.#deliveryOptions()));
  }

  batches(): AsyncIterableIterator<Batch<Out>> {
    return this.#begin(new BatchDelivery(this.#deliveryOptions()));
  }

  /** TypeError at once for options that make no sense, and while there is another loop. */
  run(handler: Handler<Out>, options: RunOptions<Out> = {}): Promise<void> {
    const run = new Run<Out>(
      { ...this.#deliveryOptions(), clock: this.#clock, place: this.#parts.place },
      handler,
      options,
    );
    this.#requireFree();
    this.#intake.start();
    this.#running = run.done().finally(() => {
      this.#running = undefined;
      this.#settled.ring();
    });
    return this.#running;
  }

  #deliveryOptions(): DeliveryOptions<Out> {
    const { commit = "handled", onInvalid = "throw" } = this.#options;
    return {
      intake: this.#intake,
      decoder: this.#decoder,
      observer: this.#observer,
      skipsInvalid: onInvalid === "skip",
      commitsEach: commit === "each",
      isEnding: () => this.#isEnding,
      onSettled: () => this.#settled.ring(),
    };
  }

  #begin<Loop extends Delivery<Out, ReceivedMessage<Out>> | Delivery<Out, ReceivedBatch<Out>>>(loop: Loop): Loop {
    this.#requireFree();
    this.#loop = loop;
    this.#intake.start();
    return loop;
  }

  #requireFree(): void {
    const isBusy = this.#running !== undefined || (this.#loop !== undefined && !this.#loop.isEnded);
    if (isBusy) throw new TypeError("a consumer has one loop at a time; this one has another one that has not ended");
  }

  async commit(upTo?: Message<Out> | Batch<Out>): Promise<void> {
    if (upTo === undefined) {
      const error = await this.#intake.commits.store();
      if (error !== undefined) throw error;
      return;
    }
    const message = upTo instanceof ReceivedBatch ? upTo.messages[upTo.messages.length - 1] : upTo;
    if (!(message instanceof ReceivedMessage)) throw new TypeError("only what this consumer gave can be committed");
    const cursor = this.#intake.cursors.get(message.partitionId);
    // The partition was lost since, or another position was sought.
    if (cursor === undefined || cursor !== message.source || !message.isCurrent)
      throw new IggyError("NotResolvedConsumer", [this.#name]);
    const finished = cursor.finishUpTo(message.offset);
    await this.#intake.commits.storeExactly(cursor, message.offset);
    this.#intake.noteHandled(cursor, finished);
  }

  get #name(): string {
    return "group" in this.#options ? this.#options.group : this.#options.name;
  }

  pause(partitionIds?: readonly number[]): void {
    this.#intake.paused.pause(partitionIds);
    this.#applyPauses();
  }

  resume(partitionIds?: readonly number[]): void {
    this.#intake.paused.resume(partitionIds);
    this.#applyPauses();
  }

  #applyPauses(): void {
    for (const cursor of this.#intake.cursors.values()) {
      cursor.isPaused = this.#intake.paused.has(cursor.partitionId);
      if (cursor.isPaused && cursor.state === "reading") cursor.rewind();
    }
    this.#intake.wake();
  }

  async seek(position: StartPosition, partitionIds?: readonly number[]): Promise<void> {
    checkStart(position);
    this.#intake.start();
    await this.#intake.opened();
    const { cursors } = this.#intake;
    const chosen = partitionIds?.map((id) => cursors.get(id)) ?? [...cursors.values()];
    const own = chosen.filter((cursor): cursor is Cursor => cursor !== undefined);
    if (own.length < chosen.length)
      throw new TypeError(`not all of the partitions ${partitionIds} are this consumer's`);
    await Promise.all(
      own.map(async (cursor) => {
        const start = await startFrom(this.#parts.commands, cursor.partitionId, position);
        cursor.seek(start);
        if ("group" in this.#options) await storeSought(this.#parts.commands, cursor.partitionId, start);
      }),
    );
    this.#intake.wake();
  }

  get partitions(): ReadonlyMap<number, PartitionProgress> {
    const sorted = [...this.#intake.cursors.values()].sort((a, b) => a.partitionId - b.partitionId);
    return new Map(sorted.map((cursor) => [cursor.partitionId, cursor.progress]));
  }

  events(options?: Abortable): AsyncIterableIterator<ConsumerEvent> {
    return this.#intake.events.read(options);
  }

  close({ timeoutMs = closeTimeoutMs }: CloseOptions = {}): Promise<void> {
    this.#isEnding = true;
    this.#closing ??= this.#close(timeoutMs, true);
    return this.#closing;
  }

  readonly #abort = (): void => {
    const reason: unknown = this.#options.signal?.reason;
    this.#intake.fail(reason);
    for (const cursor of this.#intake.cursors.values()) cursor.abortHandlers(reason);
    this.#closing ??= this.#close(closeTimeoutMs, false);
  };

  async #close(timeoutMs: number, waitsForHands: boolean): Promise<void> {
    const { commands } = this.#parts;
    const intake = this.#intake;
    this.#options.signal?.removeEventListener("abort", this.#abort);
    const stopped = intake.stop();
    await within(timeoutMs, this.#clock, async (isLate) => {
      while (waitsForHands && !isLate() && (this.#running !== undefined || this.#loop?.isHolding))
        await this.#settled.rung();
      await stopped;
      const { commit = "handled" } = this.#options;
      if (commit !== "manual" && commit !== "before-delivery") await intake.commits.store();
      // Membership ends with the connection all the same; that is known where leaving is refused, or nobody answers.
      if (intake.isMember) await commands.leaveGroup().catch((error: unknown) => intake.noteLeaveFailed(error));
    });
    intake.commits.stop();
    for (const cursor of intake.cursors.values()) cursor.end();
    intake.events.end();
    commands.close();
    this.#parts.onClosed?.();
  }
}
