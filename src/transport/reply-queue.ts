// The replies of one connection, in the order of its requests, in whichever order they are done: what is done before its turn waits
// in its slot. A request that failed is answered with its error, which may end the connection.
import { toIggyError } from "../protocol/errors.ts";
import { encodeErrorFrame } from "../protocol/frame.ts";
import {
  EarlierClientError,
  type Exchange09,
  isPollReply,
  isServerFault,
  type Reply,
  tellRefused,
} from "../server/index.ts";
import type { Carrier, PipelineOptions } from "./carrier.ts";
import type { Output } from "./output.ts";
import { replyBytes, writeReply } from "./reply-writer.ts";
import { writeError09, writeReply09 } from "./v09/replies.ts";

/** A reply that is not there yet. */
export interface Slot {
  /** Sends the reply; true where the connection ends behind it. Undefined until the request is done. */
  write: (() => boolean) | undefined;
  /** Command code, as 0.8 numbers them; 0: none. */
  readonly code: number;
  /** Undefined: a request of 0.8. */
  readonly exchange: Exchange09 | undefined;
  /** When the whole request was there. */
  readonly startedMs: number;
}

export class ReplyQueue {
  readonly #slots: Slot[] = [];
  readonly #carrier: Carrier;
  readonly #options: PipelineOptions;
  readonly #output: Output;

  constructor(carrier: Carrier, options: PipelineOptions) {
    this.#carrier = carrier;
    this.#options = options;
    this.#output = carrier.output;
  }

  /** Every request has been answered. */
  get isEmpty(): boolean {
    return this.#slots.length === 0;
  }

  /** Keeps the place of the reply to a request that is whole. */
  open(code: number, exchange: Exchange09 | undefined): Slot {
    const slot: Slot = { write: undefined, code: exchange?.code ?? code, exchange, startedMs: performance.now() };
    this.#slots.push(slot);
    return slot;
  }

  /**
   * Fills a slot, with what the request threw or with its reply, and sends every reply whose turn it is. True where the connection
   * is of no use behind one of them (spec BP 2.7). Throws what writing throws, which is a bug.
   */
  settle(slot: Slot, error: unknown, reply: Reply | undefined): boolean {
    this.#answered(slot);
    if (this.#slots.length === 1 && this.#slots[0] === slot) {
      this.#slots.pop();
      return this.#write(slot, error, reply);
    }
    slot.write = () => this.#write(slot, error, reply);
    let ends = false;
    while (this.#slots[0]?.write !== undefined) if (this.#slots.shift()!.write!()) ends = true;
    return ends;
  }

  /** The connection is gone, or goes on elsewhere: nobody gets this reply. */
  drop(slot: Slot, reply: Reply | undefined): void {
    this.#answered(slot);
    if (reply !== undefined && isPollReply(reply)) reply.read.release();
  }

  #answered({ code, startedMs }: Slot): void {
    this.#options.context.shard.statistics.answered(code, performance.now() - startedMs);
  }

  #write(slot: Slot, error: unknown, reply: Reply | undefined): boolean {
    const { context, session, onSmallExchange } = this.#options;
    if (reply !== undefined) {
      const { statistics } = context.shard;
      statistics.sent(session.transport, replyBytes(reply));
      if (isPollReply(reply)) statistics.delivered(reply.read.messagesCount);
    }
    if (error !== undefined) return this.#writeError(slot, error);
    const { exchange } = slot;
    const isSmallPoll =
      exchange === undefined ? writeReply(this.#output, reply) : writeReply09(this.#output, exchange, reply);
    if (isSmallPoll) onSmallExchange();
    return false;
  }

  #writeError({ code, exchange }: Slot, thrown: unknown): boolean {
    const { context, session, onFault, onEarlierClient } = this.#options;
    const error = toIggyError(thrown);
    context.shard.statistics.failed(error.errorName);
    if (isServerFault(thrown)) onFault(code, thrown);
    if (thrown instanceof EarlierClientError) onEarlierClient();
    tellRefused(context, session, code, thrown);
    if (exchange !== undefined) return writeError09(this.#output, exchange, session, thrown) === "ends";
    if (this.#carrier.endsWithoutReply(error.code)) return true;
    this.#output.write(encodeErrorFrame(error.code));
    const isRecordGone = error.errorName === "StaleClient" || error.errorName === "ClientNotFound";
    return isRecordGone && this.#carrier.endsWithRecord;
  }
}
