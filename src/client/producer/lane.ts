// What goes to one partition: the batch that grows, those that wait, and how many are under way. Where the client may not see the
// topic, a lane is what the server is to put into one partition: the messages of a key, or those without one.

import type { Partitioning } from "../../protocol/partitioning.ts";
import type { SendReceipt } from "../topic/message.ts";
import type { BatchBuffer } from "./batch-buffer.ts";
import { MessageIds } from "./message-ids.ts";

/** `undefined` after an acknowledgement. */
export type SettledListener = (failure: unknown) => void;

/** Undefined: the server does not say, or repeats may have been left out. */
export type StoredPlace = { readonly partitionId?: number; readonly firstOffset?: number | undefined };

export class Batch {
  readonly lane: Lane;
  readonly buffer: BatchBuffer;
  readonly createdAtMs: number;
  /** Place among the batches of its producer, in the order of `send`. */
  readonly sequence: number;
  state: "open" | "waiting" | "under way" | "settled" = "open";
  attempts = 0;
  /** It has left, and no answer came. */
  isUncertain = false;
  /** Some messages have ids that the program gave them. */
  hasOwnIds = false;
  /** Where the server says that it is. */
  place: StoredPlace = {};
  /** A connection may still read the buffer. */
  isHeld = false;
  /** Of the messages; known also when the buffer serves another batch. */
  bytes = 0;
  readonly #listeners: SettledListener[] = [];
  #shared: Promise<SendReceipt> | undefined;
  #failure: unknown;

  constructor(lane: Lane, buffer: BatchBuffer, createdAtMs: number, sequence: number) {
    this.lane = lane;
    this.buffer = buffer;
    this.createdAtMs = createdAtMs;
    this.sequence = sequence;
  }

  /**
   * The receipt of the message that was appended last. Where the server does not say offsets, all messages of the batch share one
   * promise, as there is nothing that would tell them apart.
   */
  single(hasOffset: boolean): Promise<SendReceipt> {
    if (hasOffset) return this.#receiptOf(this.buffer.messagesCount - 1);
    this.#shared ??= this.#receiptOf(0);
    return this.#shared;
  }

  /** Called once, when it is acknowledged or has failed; at once if it has. */
  onSettled(listener: SettledListener): void {
    if (this.state === "settled") listener(this.#failure);
    else this.#listeners.push(listener);
  }

  settle(failure: unknown): void {
    if (this.state === "settled") return;
    this.state = "settled";
    this.#failure = failure;
    for (const listener of this.#listeners) listener(failure);
  }

  #receiptOf(index: number): Promise<SendReceipt> {
    return new Promise((resolve, reject) => {
      this.onSettled((failure) => {
        if (failure !== undefined) return reject(failure);
        const { partitionId = this.lane.partitionId, firstOffset } = this.place;
        const offset = firstOffset === undefined ? undefined : firstOffset + index;
        resolve({ messagesCount: 1, partitionId, firstOffset: offset, attempts: this.attempts });
      });
    });
  }
}

export class Lane {
  readonly partitioning: Partitioning;
  readonly ids = new MessageIds();
  open: Batch | undefined;
  /** In the order of `send`; what comes back after a lost connection stands in front. */
  readonly waiting: Batch[] = [];
  underWayCount = 0;

  constructor(partitioning: Partitioning) {
    this.partitioning = partitioning;
  }

  /** Undefined where the server chooses. */
  get partitionId(): number | undefined {
    return this.partitioning.kind === "partition" ? this.partitioning.partitionId : undefined;
  }

  get hasWork(): boolean {
    return this.open !== undefined || this.waiting.length > 0;
  }

  /** Puts a batch where it belongs in the order. */
  wait(batch: Batch): void {
    batch.state = "waiting";
    let index = this.waiting.length;
    while (index > 0 && (this.waiting[index - 1]?.sequence ?? 0) > batch.sequence) index--;
    this.waiting.splice(index, 0, batch);
  }

  /** The growing batch waits from now on. */
  seal(): void {
    if (this.open !== undefined) this.wait(this.open);
    this.open = undefined;
  }
}
