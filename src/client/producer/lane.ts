// What goes to one partition: the batch that grows, those that wait, and how many are under way. Where the client may not see the
// topic, a lane is what the server is to put into one partition: the messages of a key, or those without one.

import type { Partitioning } from "../../protocol/partitioning.ts";
import type { SendReceipt } from "../topic/message.ts";
import { withResolvers } from "../with-resolvers.ts";
import type { BatchBuffer } from "./batch-buffer.ts";
import { MessageIds } from "./message-ids.ts";

/** `undefined` after an acknowledgement. */
export type SettledListener = (failure: unknown) => void;

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
  /** A connection may still read the buffer. */
  isHeld = false;
  /** Of the messages; known also when the buffer serves another batch. */
  bytes = 0;
  readonly #listeners: SettledListener[] = [];
  #single: Promise<SendReceipt> | undefined;
  #failure: unknown;

  constructor(lane: Lane, buffer: BatchBuffer, createdAtMs: number, sequence: number) {
    this.lane = lane;
    this.buffer = buffer;
    this.createdAtMs = createdAtMs;
    this.sequence = sequence;
  }

  /** One receipt for every single `send` of the batch: there is nothing that would tell them apart. */
  single(): Promise<SendReceipt> {
    if (this.#single === undefined) {
      const { promise, resolve, reject } = withResolvers<SendReceipt>();
      this.#single = promise;
      this.onSettled((failure) => {
        if (failure === undefined) resolve(this.#receipt());
        else reject(failure);
      });
    }
    return this.#single;
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

  #receipt(): SendReceipt {
    return {
      messagesCount: 1,
      partitionId: this.lane.partitionId,
      firstOffset: undefined,
      attempts: this.attempts,
    };
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
