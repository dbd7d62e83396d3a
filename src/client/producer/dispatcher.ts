// Which batch leaves when, and what becomes of it (docs of `Producer`). A batch leaves when it is full, or when its partition has
// nothing under way and it has waited for `lingerMs`. Batches that were lost with their connection wait again, before later ones,
// with the same ids; what the server refused never does.

import { decode } from "../../protocol/codec.ts";
import { CommandCode } from "../../protocol/codes.ts";
import { IggyError } from "../../protocol/errors.ts";
import { ExtensionCode } from "../../protocol/extensions/codes.ts";
import { sendWithReceiptReplyCodec } from "../../protocol/extensions/send-with-receipt.ts";
import type { ClientClock } from "../clock.ts";
import type { Connection } from "../connection/connection.ts";
import { ConnectionLostError } from "../connection/connection-lost-error.ts";
import { SendError } from "../errors.ts";
import { begin, type Observe, type Operation } from "../observe/instrumentation.ts";
import { BatchBuffer, batchedBytesOf } from "./batch-buffer.ts";
import { Batch, type Lane, type StoredPlace } from "./lane.ts";
import type { ProducerSettings } from "./options.ts";

export type DispatcherOptions = {
  readonly settings: ProducerSettings;
  readonly clock: ClientClock;
  /** The open connection, if there is one now. */
  readonly connection: () => Connection | undefined;
  /** Bytes of a request before the index rows. */
  readonly head: (lane: Lane, messagesCount: number) => Uint8Array;
  /** What the server can do beyond Iggy 0.8. */
  readonly features: () => ReadonlySet<string>;
  /** Names, for errors and for who observes. */
  readonly stream: string;
  readonly topic: string;
  readonly observe: Observe<Operation> | undefined;
  /** A batch was acknowledged or has failed; its bytes are free. */
  readonly onSettled: (batch: Batch, outcome: Outcome) => void;
};

/** `reason`: why it failed, undefined for want of time. */
export type Outcome = { readonly isAcknowledged: true } | { readonly isAcknowledged: false; readonly reason: unknown };

const capacityAtFirst = 4 * 1024;

export class Dispatcher {
  readonly #options: DispatcherOptions;
  /** Lanes with something to send; the next one in front. */
  readonly #active = new Set<Lane>();
  /** In the order of their creation, which is that of their deadlines. */
  readonly #unsettled = new Set<Batch>();
  readonly #buffers: BatchBuffer[] = [];
  #underWayCount = 0;
  #sequence = 0;
  /** The server did not know sends with receipts, though it was said to. */
  #isReceiptUnknown = false;
  #repeatedBatches = 0;
  #pumpIsScheduled = false;
  /** What ends the timer of the next batch that waits for company, and that of the next deadline. */
  #endLinger: (() => void) | undefined;
  #endDelivery: (() => void) | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  get underWayCount(): number {
    return this.#underWayCount;
  }

  /** Whether as many batches wait to leave as may be under way: more would only take memory, and be cold when they go. */
  get isAhead(): boolean {
    let waiting = 0;
    for (const lane of this.#active) {
      waiting += lane.waiting.length;
      if (waiting >= this.#options.settings.inFlightMax) return true;
    }
    return false;
  }

  get repeatedBatches(): number {
    return this.#repeatedBatches;
  }

  /** Whether the server says where messages are. */
  get hasReceipts(): boolean {
    return !this.#isReceiptUnknown && this.#options.features().has("send-receipts");
  }

  /** Every batch that is neither acknowledged nor has failed. */
  get unsettled(): readonly Batch[] {
    return [...this.#unsettled];
  }

  /** Adds a message to its lane's batch, which is returned. Without an id it gets the lane's next one. */
  append(lane: Lane, payload: Uint8Array, userHeaders: Uint8Array, originMs: number, id: bigint | undefined): Batch {
    const { batchMessagesMax, batchBytesMax } = this.#options.settings;
    const bytes = batchedBytesOf(payload, userHeaders);
    if (lane.open !== undefined && lane.open.bytes + bytes > batchBytesMax) this.#seal(lane);
    lane.open ??= this.#openBatch(lane);
    const batch = lane.open;
    batch.buffer.append(payload, userHeaders, originMs, id ?? lane.ids);
    batch.bytes += bytes;
    if (id !== undefined) batch.hasOwnIds = true;
    // Full also where another one of this size has no room: who sends many pauses only behind a full batch.
    if (batch.buffer.messagesCount >= batchMessagesMax || batch.bytes + bytes > batchBytesMax) this.#seal(lane);
    else this.#schedulePump();
    return batch;
  }

  /** What grows goes as soon as there is room, and does not wait for company. */
  sealAll(): void {
    for (const lane of this.#active) lane.seal();
    this.pump();
  }

  /** Sends what may leave now. Called whenever something has changed. */
  pump(): void {
    for (;;) {
      const connection = this.#options.connection();
      if (connection === undefined || this.#underWayCount >= this.#options.settings.inFlightMax) return;
      const batch = this.#next();
      if (batch === undefined) return;
      this.#send(batch, connection);
    }
  }

  /** Gives up on everything, for one reason. */
  failAll(reason: unknown): void {
    for (const batch of this.#unsettled) this.#fail(batch, reason);
    this.#endLinger?.();
    this.#endDelivery?.();
  }

  /** How a failure is told: the code is the reason's. */
  failureOf(batch: Pick<Batch, "lane" | "isUncertain" | "attempts">, messagesCount: number, reason: unknown): unknown {
    if (reason !== undefined && !IggyError.is(reason)) return reason;
    const { partitionId } = batch.lane;
    const place = `${this.#options.stream}/${this.#options.topic}${partitionId === undefined ? "" : `, partition ${partitionId}`}`;
    const facts = { place, isUncertain: batch.isUncertain, messagesCount, attempts: batch.attempts };
    return new SendError(facts, reason?.errorName ?? "BackgroundSendTimeout", { cause: reason });
  }

  #openBatch(lane: Lane): Batch {
    const buffer = this.#buffers.pop() ?? new BatchBuffer(capacityAtFirst);
    const batch = new Batch(lane, buffer, this.#options.clock.nowMs(), this.#sequence++);
    this.#active.add(lane);
    this.#unsettled.add(batch);
    if (this.#endDelivery === undefined) this.#watchDelivery(this.#options.settings.deliveryTimeoutMs);
    return batch;
  }

  #seal(lane: Lane): void {
    lane.seal();
    this.pump();
  }

  /** At the end of the turn, so that messages that are sent together leave together. */
  #schedulePump(): void {
    if (this.#pumpIsScheduled) return;
    this.#pumpIsScheduled = true;
    queueMicrotask(() => {
      this.#pumpIsScheduled = false;
      this.pump();
    });
  }

  #next(): Batch | undefined {
    const { lingerMs } = this.#options.settings;
    const dueMs = lingerMs === 0 ? Number.POSITIVE_INFINITY : this.#options.clock.nowMs() - lingerMs;
    let waitMs = Number.POSITIVE_INFINITY;
    for (const lane of this.#active) {
      const { open } = lane;
      if (lane.waiting.length === 0 && open !== undefined && lane.underWayCount === 0) {
        if (open.createdAtMs <= dueMs) lane.seal();
        else waitMs = Math.min(waitMs, open.createdAtMs - dueMs);
      }
      const batch = lane.waiting.shift();
      if (batch === undefined) continue;
      // Behind the others, so that each lane has its turn.
      this.#active.delete(lane);
      if (lane.hasWork) this.#active.add(lane);
      return batch;
    }
    if (waitMs < Number.POSITIVE_INFINITY) {
      this.#endLinger?.();
      this.#endLinger = this.#options.clock.after(Math.ceil(waitMs), () => this.pump());
    }
    return undefined;
  }

  #send(batch: Batch, connection: Connection): void {
    const { lane, buffer } = batch;
    batch.state = "under way";
    if (batch.attempts++ > 0) this.#repeatedBatches++;
    batch.isHeld = true;
    lane.underWayCount++;
    this.#underWayCount++;
    const parts = [this.#options.head(lane, buffer.messagesCount), ...buffer.parts()];
    const wantsReceipt = this.hasReceipts;
    const { observe, stream, topic } = this.#options;
    const { partitionId } = lane;
    const end = begin("send", observe, () => ({ stream, topic, partitionId, messagesCount: buffer.messagesCount }));
    connection.request(wantsReceipt ? ExtensionCode.sendWithReceipt : CommandCode.sendMessages, parts).then(
      (reply) => {
        end();
        if (wantsReceipt) batch.place = this.#placeOf(reply, batch);
        this.#answered(batch, undefined);
      },
      (error: unknown) => {
        end(error);
        // Another server than the one that was asked: nothing was carried out, and it goes again without.
        const isUnknown = wantsReceipt && IggyError.is(error, "InvalidCommand");
        if (isUnknown) {
          this.#isReceiptUnknown = true;
          batch.attempts--;
        }
        this.#answered(batch, isUnknown ? new ConnectionLostError(false) : error);
      },
    );
  }

  /** Where a server leaves out repeats, the offsets behind the first are certain only for ids that it cannot have seen. */
  #placeOf(reply: Uint8Array, { attempts, hasOwnIds }: Batch): StoredPlace {
    const { partitionId, firstOffset } = decode(sendWithReceiptReplyCodec, reply);
    const mayHaveRepeats = (attempts > 1 || hasOwnIds) && this.#options.features().has("deduplication");
    return { partitionId, firstOffset: mayHaveRepeats ? undefined : Number(firstOffset) };
  }

  #answered(batch: Batch, error: unknown): void {
    batch.isHeld = false;
    batch.lane.underWayCount--;
    this.#underWayCount--;
    // Given up meanwhile: only its buffer was still needed.
    if (batch.state === "settled") this.#recycle(batch.buffer);
    else if (error === undefined) this.#settle(batch, undefined, { isAcknowledged: true });
    else if (error instanceof ConnectionLostError) this.#lost(batch, error);
    else this.#fail(batch, error);
    this.pump();
  }

  #lost(batch: Batch, error: ConnectionLostError): void {
    if (error.requestSent) batch.isUncertain = true;
    if (error.requestSent && this.#options.settings.onUncertain === "reject") {
      this.#fail(batch, error);
      return;
    }
    batch.lane.wait(batch);
    this.#active.add(batch.lane);
  }

  #fail(batch: Batch, reason: unknown): void {
    const { lane } = batch;
    if (batch.isHeld) batch.isUncertain = true;
    const failure = this.failureOf(batch, batch.buffer.messagesCount, reason);
    if (lane.open === batch) lane.open = undefined;
    const index = lane.waiting.indexOf(batch);
    if (index >= 0) lane.waiting.splice(index, 1);
    if (!lane.hasWork) this.#active.delete(lane);
    this.#settle(batch, failure, { isAcknowledged: false, reason });
  }

  #settle(batch: Batch, failure: unknown, outcome: Outcome): void {
    this.#unsettled.delete(batch);
    batch.settle(failure);
    this.#options.onSettled(batch, outcome);
    if (!batch.isHeld) this.#recycle(batch.buffer);
  }

  #recycle(buffer: BatchBuffer): void {
    const { inFlightMax, batchBytesMax } = this.#options.settings;
    // As many as `sendAll` keeps busy.
    if (this.#buffers.length >= 2 * inFlightMax || buffer.capacityBytes > 2 * batchBytesMax) return;
    buffer.clear();
    this.#buffers.push(buffer);
  }

  #watchDelivery(inMs: number): void {
    this.#endDelivery = this.#options.clock.after(inMs, () => {
      this.#endDelivery = undefined;
      const { deliveryTimeoutMs } = this.#options.settings;
      for (const batch of this.#unsettled) {
        const restMs = batch.createdAtMs + deliveryTimeoutMs - this.#options.clock.nowMs();
        if (restMs > 0) return this.#watchDelivery(Math.ceil(restMs));
        this.#fail(batch, undefined);
      }
      this.pump();
    });
  }
}
