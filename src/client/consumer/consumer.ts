// The consumer of a topic as a program has it: a member of a group, or one by name. What it does is in consumer-engine.ts, which is
// loaded with the first consumer or reader: a page that only sends never loads it.

import { asyncDispose } from "../async-dispose.ts";
import type { Abortable, CloseOptions } from "../options.ts";
import type { Batch, Message } from "../topic/message.ts";
import type { ConsumerEngine } from "./consumer-engine.ts";
import type { Late } from "./late.ts";
import type { ConsumerEvent, PartitionProgress, StartPosition } from "./options.ts";
import type { Handler, RunOptions } from "./run.ts";

export class Consumer<Out> implements AsyncIterable<Message<Out>> {
  readonly #engine: Late<ConsumerEngine<Out>>;

  /** Nothing is sent before the first loop. */
  constructor(engine: Late<ConsumerEngine<Out>>) {
    this.#engine = engine;
  }

  /** Messages of all partitions, each handled when the next one is asked for. One loop at a time. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message<Out>> {
    return this.#engine.iterate((engine) => engine[Symbol.asyncIterator]());
  }

  /** Batches of one partition each, handled when the next is asked for. One loop at a time. */
  batches(): AsyncIterableIterator<Batch<Out>> {
    return this.#engine.iterate((engine) => engine.batches());
  }

  /**
   * Calls `handler` for each message until the consumer is closed (resolves) or a message stops it (HandlerError; AbortSignal:
   * its reason). The handler's signal aborts when the partition of its message is lost.
   */
  run(handler: Handler<Out>, options?: RunOptions<Out>): Promise<void> {
    return this.#engine.ask((engine) => engine.run(handler, options));
  }

  /** Stores offsets: of all that was handled, or up to this message or batch, which then counts as handled. The server's error. */
  commit(upTo?: Message<Out> | Batch<Out>): Promise<void> {
    return this.#engine.ask((engine) => engine.commit(upTo));
  }

  /** No more messages of these partitions, or of all, from the next one on; what lies ready is polled again later. */
  pause(partitionIds?: readonly number[]): void {
    this.#engine.tell((engine) => engine.pause(partitionIds));
  }

  resume(partitionIds?: readonly number[]): void {
    this.#engine.tell((engine) => engine.resume(partitionIds));
  }

  /**
   * The next message of these partitions, or of all, comes from there; what lies ready is dropped, and what is in hand counts for
   * nothing any more. In a group the position is stored. TypeError for a partition that is not the consumer's.
   */
  seek(position: StartPosition, partitionIds?: readonly number[]): Promise<void> {
    return this.#engine.ask((engine) => engine.seek(position, partitionIds));
  }

  /** The partitions that it has now, by number. */
  get partitions(): ReadonlyMap<number, PartitionProgress> {
    return this.#engine.value?.partitions ?? new Map();
  }

  /** What happens from now on. */
  events(options?: Abortable): AsyncIterableIterator<ConsumerEvent> {
    return this.#engine.iterate((engine) => engine.events(options));
  }

  /**
   * Lets the messages in hand finish, commits, leaves the group. Loops end without an error. Inside a loop it waits for the
   * message in hand, and so for `timeoutMs`: leave the loop with `break` there.
   */
  close(options?: CloseOptions): Promise<void> {
    return this.#engine.ask((engine) => engine.close(options));
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }
}
