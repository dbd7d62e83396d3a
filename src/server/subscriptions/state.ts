// What a connection has subscribed to, as plain data: it moves with the connection from shard to shard.
import type { Consumer } from "../../protocol/consumer.ts";
import type { ConsumerKey, ReadFrom } from "../../storage/index.ts";

interface SubscribedPlace {
  /** Chosen by the client. */
  readonly id: number;
  /** Who opened it, and in whose count it is. */
  readonly userId: number;
  readonly streamId: number;
  readonly topicId: number;
}

/** Messages of a partition. */
export interface SubscriptionState extends SubscribedPlace {
  readonly kind: "messages";
  readonly partitionId: number;
  /** Of the partition, whose number may be another one's later. */
  readonly createdAtMicros: number;
  readonly consumer: ConsumerKey;
  /** Of a group's member: its group as the client names it. */
  readonly group: Consumer | undefined;
  readonly from: ReadFrom;
  /** Most messages of a push; 0: as many as fit. */
  readonly countMax: number;
  readonly autoCommit: boolean;
  readonly credit: number;
  /** Of the partition when it was read; -1: not read yet. */
  readonly epoch: number;
}

/** Which partitions there are. */
export interface PartitionsFollowState extends SubscribedPlace {
  readonly kind: "partitions";
  readonly consumer: Consumer;
  /** What the client was told last. */
  readonly knownNumber: bigint;
}

export type SubscribedState = SubscriptionState | PartitionsFollowState;

/** All that one connection has subscribed to, as its session and its transport use it (subscriber.ts). */
export interface Subscriptions {
  readonly count: number;
  /** The connection is gone, or sends no more. */
  readonly isClosed: boolean;
  /** Whether a read is under way: the connection stays where it is until it is sent. */
  readonly isReading: boolean;
  has(id: number): boolean;
  /** It has begun, and is counted. */
  add(state: SubscribedState): void;
  /** More bytes for one; nothing happens where it has ended. */
  addCredit(id: number, bytes: number): void;
  /** Ends one; if something of it is being read, when that is sent. Nothing of it comes later. */
  remove(id: number): Promise<void> | undefined;
  /** The metadata have changed, or the login: whether the client may still have what it gets. */
  recheck(): void;
  /** Sends something of the next one, if nothing waits to be sent. */
  proceed(): void;
  /** The connection goes to another shard: what goes along. They stay counted. Not while one is read. */
  release(): SubscribedState[];
  /** The connection is gone, or sends nothing more: nothing of it is left. */
  close(): void;
}
