// Handlers at work: partitions side by side and each in order, or messages of one partition side by side and in order where a
// key says so. A message that fails holds up its lane while it is repeated; then it stops the run, is skipped, or goes to another
// topic. Offsets stay behind the oldest message that is not done (cursor.ts).

import { HandlerError } from "../errors.ts";
import { Fifo } from "../fifo.ts";
import type { Message } from "../topic/message.ts";
import { Bell, backoffMs, type Clock } from "./clock.ts";
import { type DeadLetterTopic, deadLetterOf } from "./dead-letter.ts";
import type { Decoder } from "./decoder.ts";
import type { Intake } from "./intake.ts";
import type { ConsumerObserver } from "./observer.ts";
import type { ReceivedMessage } from "./received-message.ts";

export type Handler<Out> = (message: Message<Out>, signal: AbortSignal) => void | Promise<void>;

/** What becomes of a message whose handler failed for the time number `attempt`, from 1. */
export type ErrorPolicy<Out> =
  | "stop"
  | ((error: unknown, message: Message<Out>, attempt: number) => "repeat" | "skip" | "stop")
  | {
      /** After the first attempt. */
      readonly repeats: number;
      /** Random pauses before repeats, growing (100, 5_000). */
      readonly minMs?: number;
      readonly maxMs?: number;
      readonly then: "stop" | "skip" | { readonly deadLetter: DeadLetterTopic };
    };

export interface RunOptions<Out> {
  /** Handlers at work at the same time, at most (as many as partitions). */
  readonly concurrency?: number;
  /** Messages of a partition with the same result keep their order, others overtake each other. */
  readonly orderBy?: (message: Message<Out>) => string;
  /** "stop" */
  readonly onError?: ErrorPolicy<Out>;
}

export interface RunParts<Out> {
  readonly intake: Intake;
  readonly decoder: Decoder<Out>;
  readonly observer: ConsumerObserver;
  readonly skipsInvalid: boolean;
  /** Stores after each message. */
  readonly commitsEach: boolean;
  readonly clock: Clock;
  /** `shop/orders`, for the headers of dead letters. */
  readonly place: { readonly stream: string; readonly topic: string };
  readonly isEnding: () => boolean;
}

interface Entry<Out> {
  readonly message: ReceivedMessage<Out>;
  /** Why it does not decode, or has no key. */
  readonly invalid?: { readonly error: unknown };
}

/** Messages that are handled one after the other; the first one is at work, or waits for its turn. */
interface Lane<Out> {
  /** A partition's number, or that with a key. */
  readonly name: number | string;
  readonly entries: Fifo<Entry<Out>>;
}

const repeatMinMs = 100;
const repeatMaxMs = 5_000;

export class Run<Out> {
  readonly #parts: RunParts<Out>;
  readonly #handler: Handler<Out>;
  readonly #options: RunOptions<Out>;
  readonly #lanes = new Map<number | string, Lane<Out>>();
  /** Lanes with something to do and nobody at work, in the order in which they may begin. */
  readonly #waiting = new Fifo<Lane<Out>>();
  readonly #changed = new Bell();
  readonly #ended = new AbortController();
  #busy = 0;
  #stop: { readonly reason: unknown } | undefined;

  /** TypeError for a concurrency below 1. */
  constructor(parts: RunParts<Out>, handler: Handler<Out>, options: RunOptions<Out>) {
    const { concurrency } = options;
    if (concurrency !== undefined && !(concurrency >= 1)) throw new TypeError("concurrency is a number from 1 on");
    this.#parts = parts;
    this.#handler = handler;
    this.#options = options;
  }

  /** Resolves when the consumer ends; rejects with a HandlerError, or with what ended the consumer. */
  async done(): Promise<void> {
    const { intake } = this.#parts;
    await this.#takeAll();
    this.#ended.abort(); // pauses before repeats end
    while (this.#busy > 0) await this.#changed.rung();
    const rest = [...this.#lanes.values()].flatMap(({ entries }) => entries.drain().map(({ message }) => message));
    intake.putBack(rest.sort((a, b) => a.offset - b.offset));
    intake.commits.storeSoon();
    if (this.#stop !== undefined) throw this.#stop.reason;
  }

  /** Hands out what lies ready, until the end. */
  async #takeAll(): Promise<void> {
    const { intake, isEnding } = this.#parts;
    while (this.#stop === undefined && !isEnding()) {
      if (intake.failure !== undefined) {
        this.#stop = intake.failure;
        return;
      }
      const message = intake.ready.take() as ReceivedMessage<Out> | undefined;
      if (message === undefined) {
        if (this.#busy === 0) intake.commits.storeSoon();
        await intake.arrived.rung(this.#changed);
        continue;
      }
      const placing = this.#place(message);
      if (placing !== undefined) await placing;
    }
  }

  /** Decodes one after the other, so that the order is kept, and hands the message to its lane. */
  #place(message: ReceivedMessage<Out>): Promise<void> | undefined {
    try {
      const decoding = this.#parts.decoder(message);
      if (decoding !== undefined) {
        return decoding.then(
          () => this.#enqueue({ message }),
          (error: unknown) => this.#placeInvalid(message, error),
        );
      }
    } catch (error) {
      this.#placeInvalid(message, error);
      return undefined;
    }
    if (this.#isIdle) this.#handleAtOnce(message);
    else this.#enqueue({ message });
    return undefined;
  }

  /** Whether nobody is at work and nothing waits: then lanes have nothing to keep in order. */
  get #isIdle(): boolean {
    const { orderBy } = this.#options;
    return this.#busy === 0 && this.#waiting.length === 0 && orderBy === undefined && this.#stop === undefined;
  }

  /** A message that is handled in this turn of the event loop goes into no lane. */
  #handleAtOnce(message: ReceivedMessage<Out>): void {
    if (!message.isCurrent) return;
    const attempt = this.#attempt(message);
    if (!(attempt instanceof Promise) && !this.#parts.commitsEach) {
      this.#parts.intake.finish(message);
      return;
    }
    const lane = this.#lane(message.partitionId);
    const entry = { message };
    lane.entries.push(entry);
    this.#busy++;
    void this.#finishSlowly(lane, entry, Promise.resolve(attempt));
  }

  /** What is thrown at once comes as a rejection. */
  #attempt(message: ReceivedMessage<Out>): void | Promise<void> {
    try {
      return this.#handle(message);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #lane(name: number | string): Lane<Out> {
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = { name, entries: new Fifo() };
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #placeInvalid(message: ReceivedMessage<Out>, error: unknown): void {
    const { skipsInvalid, intake } = this.#parts;
    if (!skipsInvalid) {
      this.#enqueue({ message, invalid: { error } });
      return;
    }
    intake.events.tell({ kind: "invalid", partitionId: message.partitionId, offset: message.offset, error });
    intake.finish(message);
  }

  #enqueue(entry: Entry<Out>): void {
    const name = this.#laneOf(entry);
    if (name === undefined) return;
    const lane = this.#lane(name);
    lane.entries.push(entry);
    if (lane.entries.length > 1) return; // it waits, or is at work
    this.#waiting.push(lane);
    this.#begin();
  }

  /** Undefined where `orderBy` threw: then the message is placed as one whose handler has failed. */
  #laneOf({ message, invalid }: Entry<Out>): number | string | undefined {
    const { orderBy } = this.#options;
    if (orderBy === undefined || invalid !== undefined) return message.partitionId;
    try {
      return `${message.partitionId}/${orderBy(message)}`;
    } catch (error) {
      this.#enqueue({ message, invalid: { error } });
      return undefined;
    }
  }

  /** Lanes that wait begin, as far as there may be more handlers at work; none at the end, however much they hold. */
  #begin(): void {
    const { isEnding, intake } = this.#parts;
    const { concurrency = Math.max(1, intake.cursors.size) } = this.#options;
    while (this.#busy < concurrency && this.#stop === undefined && !isEnding()) {
      const lane = this.#waiting.shift();
      if (lane === undefined) return;
      this.#handleFirst(lane);
    }
  }

  #handleFirst(lane: Lane<Out>): void {
    const entry = lane.entries.peek()!;
    const { message } = entry;
    if (!message.isCurrent) {
      this.#next(lane); // the partition was lost: it comes again to somebody else
      return;
    }
    this.#busy++;
    const attempt = entry.invalid === undefined ? this.#attempt(message) : Promise.reject(entry.invalid.error);
    if (!(attempt instanceof Promise) && !this.#parts.commitsEach) this.#handled(lane);
    else void this.#finishSlowly(lane, entry, Promise.resolve(attempt));
  }

  #handled(lane: Lane<Out>): void {
    this.#parts.intake.finish(lane.entries.peek()!.message);
    this.#busy--;
    this.#next(lane);
  }

  /** The first message of the lane is done with; the lane goes behind those that wait. */
  #next(lane: Lane<Out>): void {
    lane.entries.shift();
    if (lane.entries.length > 0) this.#waiting.push(lane);
    else if (typeof lane.name === "string") this.#lanes.delete(lane.name); // there may be very many keys
  }

  async #finishSlowly(lane: Lane<Out>, entry: Entry<Out>, first: Promise<void>): Promise<void> {
    const { intake, commitsEach } = this.#parts;
    const outcome = await this.#outcome(entry, first);
    if (outcome === "handled") {
      intake.finish(entry.message);
      if (commitsEach) await intake.commits.store();
    }
    this.#busy--;
    // What failed stays the first of its lane, and is given back at the end.
    if (outcome !== "stop") this.#next(lane);
    this.#begin();
    this.#changed.ring();
  }

  /** `lost`: it counts for nothing any more. */
  async #outcome(entry: Entry<Out>, first: Promise<void>): Promise<"handled" | "lost" | "stop"> {
    const { message } = entry;
    let attempting = first;
    for (let attempt = 1; ; attempt++) {
      try {
        await attempting;
        return "handled";
      } catch (error) {
        if (!message.isCurrent) return "lost";
        const next = await this.#decide(error, message, attempt);
        if (next !== "repeat") return next;
        if (!message.isCurrent) return "lost";
        if (this.#ended.signal.aborted) return "stop";
      }
      attempting = this.#again(entry);
    }
  }

  async #again({ message, invalid }: Entry<Out>): Promise<void> {
    if (invalid !== undefined) await this.#parts.decoder(message);
    await this.#handle(message);
  }

  #handle(message: ReceivedMessage<Out>): void | Promise<void> {
    const { observer } = this.#parts;
    const handle = () => this.#handler(message, message.source.lostSignal);
    return observer.watchesMessages ? observer.process(message, handle) : handle();
  }

  async #decide(
    error: unknown,
    message: ReceivedMessage<Out>,
    attempt: number,
  ): Promise<"repeat" | "handled" | "stop"> {
    const { onError = "stop" } = this.#options;
    if (onError === "stop") return this.#failed(error, message, attempt);
    if (typeof onError === "function") {
      const wanted = onError(error, message, attempt);
      if (wanted === "repeat") await this.#pause(attempt, repeatMinMs, repeatMaxMs, message.source.lostSignal);
      return wanted === "stop" ? this.#failed(error, message, attempt) : wanted === "skip" ? "handled" : wanted;
    }
    const { repeats, minMs = repeatMinMs, maxMs = repeatMaxMs, then } = onError;
    if (attempt <= repeats) {
      await this.#pause(attempt, minMs, maxMs, message.source.lostSignal);
      return "repeat";
    }
    if (then === "skip") return "handled";
    if (then === "stop") return this.#failed(error, message, attempt);
    try {
      await then.deadLetter.send(deadLetterOf(message, this.#parts.place, error, attempt));
    } catch (cause) {
      return this.#failed(cause, message, attempt);
    }
    return "handled";
  }

  async #pause(attempt: number, minMs: number, maxMs: number, lost: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const signal = AbortSignal.any([lost, this.#ended.signal]);
    await clock.wait(backoffMs(attempt - 1, minMs, maxMs, clock), signal);
  }

  #failed(error: unknown, message: ReceivedMessage<Out>, attempt: number): "stop" {
    this.#stop ??= { reason: new HandlerError(message, attempt, error) };
    this.#changed.ring();
    return "stop";
  }
}
