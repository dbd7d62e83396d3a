// Sends messages to one topic, in batches that fill themselves under load, over a connection of its own. At least once: what was
// under way when the connection was lost goes again, in order and with the same ids.

import { IggyError } from "../../protocol/errors.ts";
import { asyncDispose } from "../async-dispose.ts";
import { aborted, inTime } from "../connection/in-time.ts";
import type { Session, SessionEvent } from "../connection/session.ts";
import { BackpressureError, ConnectionLostError } from "../errors.ts";
import type { Abortable, CloseOptions } from "../options.ts";
import type { OutgoingMessage, SendReceipt } from "../topic/message.ts";
import type { TopicContext } from "../topic/topic-context.ts";
import { type Resolvers, withResolvers } from "../with-resolvers.ts";
import { batchedBytesOf } from "./batch-buffer.ts";
import { Dispatcher, type Outcome } from "./dispatcher.ts";
import type { Batch } from "./lane.ts";
import { Lanes } from "./lanes.ts";
import { type ProducerOptions, type ProducerSettings, settingsOf } from "./options.ts";
import { checkNumbers, checkSizes, headersOf, keyBytesOf } from "./outgoing.ts";
import { PartitionCount } from "./partition-count.ts";
import { sendHead } from "./request-head.ts";
import { SendFlow } from "./send-flow.ts";

const noBytes = new Uint8Array(0);
const itself = (batch: Batch): Batch => batch;
/** Not a promise for each message. */
const there = Promise.resolve();
const closeTimeoutMs = 10_000;
/** At this many times the buffer's limit `send` fails. */
const refusedAtTimes = 2;

export class Producer<In> implements AsyncDisposable {
  readonly #context: TopicContext<In, unknown>;
  readonly #settings: ProducerSettings;
  readonly #session: Session;
  readonly #dispatcher: Dispatcher;
  readonly #lanes: Lanes;
  readonly #partitions: PartitionCount;
  readonly #onClosed: () => void;
  #bufferedBytes = 0;
  #sentMessages = 0;
  #room: Resolvers<void> | undefined;
  /** What those wait for who want to know of the next batch that is settled. */
  #settled: Resolvers<void> | undefined;
  /** Resolves when the partitions were counted for the first time; a failure is forgotten, so that a later send tries again. */
  #start: Promise<void> | undefined;
  #hasStarted = false;
  /** The last message that is still being encoded: what is sent later comes after it. */
  #tail: Promise<unknown> | undefined;
  /** Why nothing more is taken. */
  #end: { readonly reason: unknown } | undefined;
  /** Why what was taken is given up. */
  #givenUp: { readonly reason: unknown } | undefined;
  #closing: Promise<void> | undefined;
  #forgetSignal = (): void => undefined;
  #writable: WritableStream<OutgoingMessage<In>> | undefined;

  constructor(context: TopicContext<In, unknown>, options: ProducerOptions, onClosed: () => void = () => undefined) {
    const { signal } = options;
    this.#context = context;
    this.#settings = settingsOf(options);
    this.#onClosed = onClosed;
    this.#session = context.openSession((event) => this.#onSession(event));
    this.#lanes = new Lanes(this.#settings);
    this.#partitions = new PartitionCount(() => context.countPartitions(this.#session), this.#session.clock);
    this.#dispatcher = new Dispatcher({
      settings: this.#settings,
      clock: this.#session.clock,
      connection: () => this.#session.connection,
      head: ({ partitioning }, count) => sendHead(context.stream, context.topic, partitioning, count),
      features: context.features,
      observe: this.#session.instrumentation.send,
      stream: String(context.stream.value),
      topic: String(context.topic.value),
      onSettled: (batch, refusal) => this.#onSettled(batch, refusal),
    });
    if (signal === undefined) return;
    const abort = () => this.#abort(signal.reason);
    this.#forgetSignal = () => signal.removeEventListener("abort", abort);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort);
  }

  /**
   * Resolves when the server has acknowledged it. With a synchronous format the value is encoded before this returns. Rejects with
   * SendError, SchemaError, BackpressureError; TypeError and RangeError for what cannot be sent at all.
   */
  send(message: OutgoingMessage<In>): Promise<SendReceipt> {
    try {
      // Not asynchronous itself: a promise less for each message.
      return Promise.resolve(this.#enqueue(message, this.#single));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * All of them, as fast as the buffer allows; resolves with their number after the last acknowledgement. The first failure, or
   * the signal, ends it: what was taken before is still on its way then.
   */
  async sendAll(
    messages: Iterable<OutgoingMessage<In>> | AsyncIterable<OutgoingMessage<In>>,
    { signal }: Abortable = {},
  ): Promise<number> {
    const flow = new SendFlow();
    let count = 0;
    let last: Batch | undefined;
    const take = (message: OutgoingMessage<In>): Promise<void> | undefined => {
      signal?.throwIfAborted();
      if (flow.failure !== undefined) throw flow.failure.reason;
      const appended = this.#enqueue(message, itself);
      count++;
      if (appended instanceof Promise) {
        flow.trackLater(appended);
      } else {
        if (appended !== last) flow.track(appended);
        last = appended;
        // A full batch leaves before the next one begins, so that what grows is not sent half empty.
        if (appended.state !== "open")
          return this.#dispatcher.isAhead ? this.#settledOne(signal) : aborted(this.ready, signal);
      }
      return this.#isReady ? undefined : aborted(this.ready, signal);
    };
    if (Symbol.asyncIterator in messages) {
      for await (const message of messages) await take(message);
    } else {
      for (const message of messages) {
        const wait = take(message);
        if (wait !== undefined) await wait;
      }
    }
    await aborted(flow.done(), signal);
    return count;
  }

  /** Until batches that wait may leave, and there is room. */
  async #settledOne(signal: AbortSignal | undefined): Promise<void> {
    while (this.#dispatcher.isAhead) {
      this.#settled ??= withResolvers<void>();
      await aborted(this.#settled.promise, signal);
    }
    await aborted(this.ready, signal);
  }

  /** Resolves when the buffer has room, and the first connection is there, for loops that do not wait for each send. */
  get ready(): Promise<void> {
    if (this.#isReady) return there;
    if (this.#hasRoom) return this.#begun();
    this.#room ??= withResolvers<void>();
    return this.#room.promise;
  }

  /** What is sent before the connection is there waits one by one, and so does what is sent behind it: that takes far longer. */
  async #begun(): Promise<void> {
    await this.#start?.catch(() => undefined); // told by the sends
    await this.#tail;
  }

  get #isReady(): boolean {
    return this.#hasRoom && (this.#hasStarted || this.#start === undefined);
  }

  /** A stream of messages to send; it errors with the first failure, and closing it waits for the last acknowledgement. */
  get writable(): WritableStream<OutgoingMessage<In>> {
    this.#writable ??= this.#makeWritable();
    return this.#writable;
  }

  /** Resolves when all that was sent before is acknowledged or has failed; failures are told by each send's promise. */
  async flush({ signal }: Abortable = {}): Promise<void> {
    signal?.throwIfAborted();
    await aborted(this.#flushed(), signal);
  }

  get stats(): {
    readonly bufferedBytes: number;
    readonly inFlight: number;
    readonly sentMessages: number;
    readonly repeatedBatches: number;
  } {
    const { underWayCount, repeatedBatches } = this.#dispatcher;
    return {
      bufferedBytes: this.#bufferedBytes,
      inFlight: underWayCount,
      sentMessages: this.#sentMessages,
      repeatedBatches,
    };
  }

  /** Sends what it has, then ends; what is not acknowledged in time fails. Calling it again waits for the same. */
  close({ timeoutMs = closeTimeoutMs }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#end ??= { reason: new TypeError(`the producer of ${this.#context.name} is closed`) };
    const { clock } = this.#session;
    const deadlineMs = clock.nowMs() + timeoutMs;
    await inTime(this.#flushed(), { clock, deadlineMs, onTimeout: () => undefined }).catch((): void => undefined);
    this.#abort(undefined);
  }

  /** Ends at once. `undefined` as the reason: what is left fails with SendError. */
  #abort(reason: unknown): void {
    this.#end ??= { reason };
    this.#givenUp ??= { reason };
    this.#dispatcher.failAll(reason);
    this.#session.close();
    this.#forgetSignal();
    this.#onClosed();
  }

  async #flushed(): Promise<void> {
    await this.#tail;
    this.#dispatcher.sealAll();
    const settled = this.#dispatcher.unsettled.map(
      (batch) => new Promise<void>((done) => batch.onSettled(() => done())),
    );
    await Promise.all(settled);
  }

  readonly #single = (batch: Batch): Promise<SendReceipt> => batch.single(this.#dispatcher.hasReceipts);

  /** `onAppended` is called as soon as the message is in its batch. */
  #enqueue<Made>(message: OutgoingMessage<In>, onAppended: (batch: Batch) => Made): Made | Promise<Made> {
    if (this.#end !== undefined) throw this.#end.reason;
    if (this.#bufferedBytes >= refusedAtTimes * this.#settings.bufferBytesMax) {
      throw new BackpressureError(this.#bufferedBytes);
    }
    checkNumbers(message);
    const key = keyBytesOf(message.key);
    const headers = headersOf(message, this.#settings.keyHeader, this.#session.instrumentation.inject);
    const payload = this.#context.format.encode(message.value);
    const isNow = this.#hasStarted && this.#tail === undefined && this.#context.encryption === undefined;
    if (isNow && !(payload instanceof Promise)) return onAppended(this.#append(message, key, payload, headers));
    return this.#enqueueLater(message, key, payload, headers, onAppended);
  }

  /** After all that was sent before, when the value is encoded and the partitions are counted. */
  #enqueueLater<Made>(
    message: OutgoingMessage<In>,
    key: Uint8Array | undefined,
    payload: Uint8Array | Promise<Uint8Array>,
    headers: Uint8Array,
    onAppended: (batch: Batch) => Made,
  ): Promise<Made> {
    const before = this.#tail;
    const reservedBytes = batchedBytesOf(payload instanceof Promise ? noBytes : payload, headers);
    this.#bufferedBytes += reservedBytes;
    const encoded = this.#context.seal(payload, headers);
    const work = (async () => {
      try {
        const sealed = await Promise.all([encoded, this.#started()]).finally(() => before);
        if (this.#givenUp !== undefined) throw this.#unsent(this.#givenUp.reason);
        // In an object: what is made may be a promise of its own, which later messages must not wait for.
        return { made: onAppended(this.#append(message, key, ...sealed[0])) };
      } finally {
        this.#release(reservedBytes);
      }
    })();
    const tail = work.then(
      () => undefined,
      () => undefined, // told by the promise of the send
    );
    this.#tail = tail;
    void tail.then(() => {
      if (this.#tail === tail) this.#tail = undefined;
    });
    return work.then(({ made }) => made);
  }

  #append(message: OutgoingMessage<In>, key: Uint8Array | undefined, payload: Uint8Array, headers: Uint8Array): Batch {
    checkSizes(payload, headers);
    const lane = this.#lanes.laneOf(message.partitionId, key, this.#partitions.count);
    // Once for each batch: the clock costs as much as the rest of a small message.
    if (lane.open === undefined && this.#partitions.isDue) this.#recount();
    const originMs = message.originTimestamp?.getTime() ?? this.#session.clock.dateMs();
    this.#bufferedBytes += batchedBytesOf(payload, headers);
    return this.#dispatcher.append(lane, payload, headers, originMs, message.id);
  }

  /** Opens the connection and counts the partitions, once. */
  #started(): Promise<void> {
    this.#start ??= this.#begin();
    return this.#start;
  }

  /** Waits for a server as long as messages may wait for their acknowledgement. */
  async #begin(): Promise<void> {
    const { clock } = this.#session;
    const deadlineMs = clock.nowMs() + this.#settings.deliveryTimeoutMs;
    const onTimeout = () => new IggyError("BackgroundSendTimeout");
    for (;;) {
      try {
        await inTime(this.#partitions.refresh(), { clock, deadlineMs, onTimeout });
        this.#hasStarted = true;
        return;
      } catch (reason) {
        if (reason instanceof ConnectionLostError && this.#session.state !== "closed") continue;
        this.#start = undefined;
        throw this.#unsent(reason);
      }
    }
  }

  /** The failure of a message that got into no batch. */
  #unsent(reason: unknown): unknown {
    const lane = this.#lanes.laneOf(undefined, undefined, undefined);
    return this.#dispatcher.failureOf({ lane, isUncertain: false, attempts: 0 }, 1, reason);
  }

  /** Beside the work: until then, and if it fails, what is known holds. */
  #recount(): void {
    this.#partitions.refresh().catch(() => undefined);
  }

  #onSession(event: SessionEvent): void {
    if (event.kind === "connected") this.#dispatcher.pump();
    // Closed by itself: the login was refused, or reconnecting is off.
    if (event.kind === "closed" && event.error !== undefined) this.#abort(event.error);
  }

  #onSettled(batch: Batch, outcome: Outcome): void {
    if (outcome.isAcknowledged) this.#sentMessages += batch.buffer.messagesCount;
    else if (IggyError.is(outcome.reason, "PartitionNotFound", "TopicIdNotFound")) this.#partitions.expire();
    this.#lanes.forget(batch.lane);
    this.#release(batch.bytes);
    this.#settled?.resolve();
    this.#settled = undefined;
  }

  #release(bytes: number): void {
    this.#bufferedBytes -= bytes;
    if (this.#room === undefined || !this.#hasRoom) return;
    this.#room.resolve();
    this.#room = undefined;
  }

  get #hasRoom(): boolean {
    return this.#bufferedBytes < this.#settings.bufferBytesMax;
  }

  #makeWritable(): WritableStream<OutgoingMessage<In>> {
    const flow = new SendFlow();
    return new WritableStream({
      write: async (message) => {
        await this.ready;
        if (flow.failure !== undefined) throw flow.failure.reason;
        const appended = this.#enqueue(message, (batch) => batch);
        if (appended instanceof Promise) flow.trackLater(appended);
        else flow.track(appended);
      },
      close: () => flow.done(),
    });
  }
}
