// The loops of a program over what an intake holds ready. What a loop was given counts as handled when it asks for the next;
// what it has in hand when it ends, by `break` or by an exception, is given back, since both look the same from here.

import type { End } from "../observe/instrumentation.ts";
import type { Decoder } from "./decoder.ts";
import type { Intake } from "./intake.ts";
import type { ConsumerObserver } from "./observer.ts";
import type { ConsumerEvent } from "./options.ts";
import { ReceivedBatch, type ReceivedMessage } from "./received-message.ts";

export interface DeliveryOptions<Out> {
  readonly intake: Intake;
  readonly decoder: Decoder<Out>;
  readonly observer: ConsumerObserver;
  readonly skipsInvalid: boolean;
  /** Stores what was handled before the next is given. */
  readonly commitsEach: boolean;
  /** No more messages: the loop ends without an error. */
  readonly isEnding: () => boolean;
  /** A loop has ended, or asked for the next. */
  readonly onSettled: () => void;
}

/** `decoded`: undefined where all of it was passed over. */
interface Taken<Item> {
  readonly item: Item;
  readonly decoded: Item | undefined | Promise<Item | undefined>;
}

/** One loop; `Item` is a message or a batch. */
export abstract class Delivery<Out, Item> implements AsyncIterableIterator<Item> {
  protected readonly options: DeliveryOptions<Out>;
  #inHand: Item | undefined;
  /** Tells that the work on what is in hand has ended. */
  #endWork: End | undefined;
  #isEnded = false;
  #isAsking = false;

  constructor(options: DeliveryOptions<Out>) {
    this.options = options;
  }

  /** Whether something was given that is not handled. */
  get isHolding(): boolean {
    return this.#inHand !== undefined;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  protected abstract take(): Item | undefined;
  protected abstract messagesOf(item: Item): readonly ReceivedMessage<Out>[];
  /** Of one message or several; throws or rejects where a value does not decode and that is not passed over. */
  protected abstract decode(item: Item): Item | undefined | Promise<Item | undefined>;

  next(): Promise<IteratorResult<Item>> {
    if (this.#isAsking) return Promise.reject(new TypeError("the next message was asked for before the last one came"));
    const { intake, commitsEach, isEnding } = this.options;
    const hadInHand = this.#settle();
    let first: Taken<Item> | undefined;
    const isDirect = !this.#isEnded && intake.failure === undefined && !isEnding() && !(hadInHand && commitsEach);
    const item = isDirect ? this.take() : undefined;
    if (item !== undefined) {
      const decoded = this.#decode(item);
      if (decoded !== undefined && !(decoded instanceof Promise)) {
        this.#give(decoded);
        return Promise.resolve({ done: false, value: decoded });
      }
      first = { item, decoded };
    }
    this.#isAsking = true;
    return this.#nextSlowly(hadInHand, first).finally(() => {
      this.#isAsking = false;
    });
  }

  async return(): Promise<IteratorResult<Item>> {
    this.#end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #give(item: Item): void {
    this.#inHand = item;
    const { observer } = this.options;
    if (!observer.watchesMessages) return;
    const messages = this.messagesOf(item);
    this.#endWork = observer.processing(messages[0]!, messages.length);
  }

  #takeBack(): Item | undefined {
    const item = this.#inHand;
    this.#inHand = undefined;
    this.#endWork?.();
    this.#endWork = undefined;
    return item;
  }

  /** What was given is handled. */
  #settle(): boolean {
    const item = this.#takeBack();
    if (item === undefined) return false;
    for (const message of this.messagesOf(item)) this.options.intake.finish(message);
    this.options.onSettled();
    return true;
  }

  /** What is thrown at once comes as a rejection. */
  #decode(item: Item): Item | undefined | Promise<Item | undefined> {
    try {
      return this.decode(item);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #nextSlowly(hadInHand: boolean, first: Taken<Item> | undefined): Promise<IteratorResult<Item>> {
    const { intake, commitsEach, isEnding } = this.options;
    if (hadInHand && commitsEach) await intake.commits.store();
    let taken = first;
    for (;;) {
      if (taken === undefined) {
        if (this.#isEnded || isEnding()) return this.#done();
        if (intake.failure !== undefined) {
          this.#end();
          throw intake.failure.reason;
        }
        const item = this.take();
        if (item === undefined) {
          intake.commits.storeSoon();
          await intake.arrived.rung();
          continue;
        }
        taken = { item, decoded: this.#decode(item) };
      }
      const decoded = await this.#decoded(taken);
      taken = undefined;
      if (decoded === undefined) continue;
      if (this.#isEnded) {
        intake.putBack(this.messagesOf(decoded));
        continue;
      }
      this.#give(decoded);
      return { done: false, value: decoded };
    }
  }

  async #decoded({ item, decoded }: Taken<Item>): Promise<Item | undefined> {
    try {
      return await decoded;
    } catch (error) {
      this.options.intake.putBack(this.messagesOf(item));
      this.#end();
      throw error;
    }
  }

  #done(): IteratorResult<Item> {
    this.#end();
    return { done: true, value: undefined };
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const { intake, onSettled } = this.options;
    const item = this.#takeBack();
    if (item !== undefined) intake.putBack(this.messagesOf(item));
    intake.commits.storeSoon();
    onSettled();
  }

  /** A message that does not decode and is passed over counts as handled. */
  protected skip(message: ReceivedMessage<Out>, error: unknown): void {
    const { partitionId, offset } = message;
    const event: ConsumerEvent = { kind: "invalid", partitionId, offset, error };
    this.options.intake.events.tell(event);
    this.options.intake.finish(message);
  }
}

export class MessageDelivery<Out> extends Delivery<Out, ReceivedMessage<Out>> {
  protected override take(): ReceivedMessage<Out> | undefined {
    // The value is set before anybody sees the message.
    return this.options.intake.ready.take() as ReceivedMessage<Out> | undefined;
  }

  protected override messagesOf(message: ReceivedMessage<Out>): readonly ReceivedMessage<Out>[] {
    return [message];
  }

  protected override decode(message: ReceivedMessage<Out>) {
    const { decoder, skipsInvalid } = this.options;
    const passOver = (error: unknown): undefined => {
      if (!skipsInvalid) throw error;
      this.skip(message, error);
    };
    try {
      const decoding = decoder(message);
      return decoding === undefined ? message : decoding.then(() => message, passOver);
    } catch (error) {
      return passOver(error);
    }
  }
}

export class BatchDelivery<Out> extends Delivery<Out, ReceivedBatch<Out>> {
  protected override take(): ReceivedBatch<Out> | undefined {
    const messages = this.options.intake.ready.takeBatch() as ReceivedMessage<Out>[];
    return messages.length === 0 ? undefined : new ReceivedBatch(messages);
  }

  protected override messagesOf({ messages }: ReceivedBatch<Out>): readonly ReceivedMessage<Out>[] {
    return messages;
  }

  protected override async decode({ messages }: ReceivedBatch<Out>): Promise<ReceivedBatch<Out> | undefined> {
    const { decoder, skipsInvalid } = this.options;
    const sound: ReceivedMessage<Out>[] = [];
    for (const message of messages) {
      try {
        const decoding = decoder(message);
        if (decoding !== undefined) await decoding;
        sound.push(message);
      } catch (error) {
        if (!skipsInvalid) throw error;
        this.skip(message, error);
      }
    }
    return sound.length === 0 ? undefined : new ReceivedBatch(sound);
  }
}
