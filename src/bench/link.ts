// What an actor needs of its connection, whatever the transport: batches that are built once and sent again and again, and
// polls whose answer has the layout of the binary protocol.

export type BatchShape = {
  readonly streamName: string;
  readonly messagesPerBatch: number;
  readonly messageSizeBytes: number;
  /** pinned: to partition 0. balanced: the server chooses the partition of each batch. */
  readonly placement: "pinned" | "balanced";
};

/** A batch; only one send of it may be under way. */
export interface Sender {
  /** Renews the origin timestamps, where the transport carries them. */
  prepare(): void;
  send(): Promise<void>;
}

/** Polls of partition 0 by offset; only one may be under way. */
export interface Poller {
  poll(offset: number, count: number): Promise<Uint8Array>;
}

export interface Link {
  sender(shape: BatchShape): Sender;
  poller(streamName: string, consumerNumber: number): Poller;
  /** Joins the group of the bench and resolves with a poll of the next messages of the member, which it commits. */
  joinGroup(streamName: string, count: number): Promise<() => Promise<Uint8Array>>;
  close(): void;
}
