// What a consumer asks of a server, for one topic and one identity (a group, or a consumer by name): the few commands behind
// an interface, so that the consumer can be given another connection, a simulated group in tests, or a server with long polls.

import type { IggyError } from "../../protocol/errors.ts";
import type { BatchBytes } from "./batch-bytes.ts";

/** Where a poll begins. A timestamp is in µs: the first message of that time or a later one. */
export type PollFrom =
  | { readonly kind: "offset"; readonly offset: number }
  | { readonly kind: "timestamp"; readonly timestampMicros: bigint };

export interface PollRequest {
  readonly partitionId: number;
  readonly from: PollFrom;
  /** Most messages; 0 asks for the head only. */
  readonly count: number;
  /** Stores the offset of the last message with the poll. */
  readonly autoCommit: boolean;
}

/** Which partition answered, and its current offset: 0 also where it holds no message (spec SB 4.2). */
export interface Turn {
  readonly partitionId: number;
  readonly headOffset: number;
}

export interface PollReply extends Turn {
  readonly messages: BatchBytes;
  /** `head`: says nothing but the current offset. `reset`: the partition was purged. Undefined: what a poll is answered with. */
  readonly kind?: "head" | "reset";
}

/** Why a subscription is over: the partition is not the member's any more, offsets begin anew, or an error. */
export type PushEnding = "assignmentChanged" | "offsetsReset" | IggyError;

/** Told what the server pushes. */
export interface PushListener {
  messages(subscriptionId: number, reply: PollReply): void;
  ended(subscriptionId: number, ending: PushEnding): void;
  /** Of the one that follows the partitions: they are other ones. */
  partitions(subscriptionId: number, assignmentNumber: bigint): void;
  /** The connection is lost, and with it all that was subscribed to. */
  lost(): void;
  /** What came is nothing that could be read. */
  failed(error: unknown): void;
}

/** Subscriptions (docs/protocol-extensions.md). Their numbers are the consumer's; FeatureUnavailable where there is no room. */
export interface PushCommands {
  listen(listener: PushListener): void;
  /** `credit`: bytes of messages. The current offset of the partition. */
  subscribe(subscriptionId: number, request: Omit<PollRequest, "count">, credit: number): Promise<number>;
  addCredit(subscriptionId: number, credit: number): Promise<void>;
  /** Nothing comes of it behind the reply. */
  unsubscribe(subscriptionId: number): Promise<void>;
  /** What the consumer may read, as a number: never 0, the same as long as nothing has changed. */
  follow(subscriptionId: number): Promise<bigint>;
}

export interface Waited {
  /** Undefined: nothing came. */
  readonly reply: PollReply | undefined;
  /** Of a member of a group, opaque: the same number is the same assignment; 0: the server says none. */
  readonly assignmentNumber: bigint;
  /** The server did not wait: a pause has to be made here. */
  readonly isRefused: boolean;
  /** What came is of a partition that was not named: it belongs to the member, which does not know it. */
  readonly isOfStranger: boolean;
}

/** All reject with the IggyError of the server, or with `Disconnected` where the connection was lost. */
export interface ConsumerCommands {
  /** Subscriptions. Undefined: the server can not push. */
  readonly pushes?: (() => PushCommands) | undefined;
  /** Reads one partition. A member of a group to whom it does not belong is answered as by `nothing` (spec SB 4.5). */
  poll(request: PollRequest): Promise<PollReply>;
  /**
   * Reads what there is in one of these partitions, or waits for it, for `waitMs` at most; a request that comes behind it ends
   * that, and so does another assignment than the known one (0: none is known). A member of a group names all that it has, and is
   * woken, without a reply, by a message in a partition that came to it meanwhile; any other consumer names those that it would
   * read now. Nothing is stored for a member, since it could be for messages that it is not given.
   * Undefined: the server can not wait for these.
   */
  waitForMessages?(
    requests: readonly PollRequest[],
    waitMs: number,
    knownAssignment: bigint,
  ): Promise<Waited> | undefined;
  /** Takes a turn of the group's member without reading anything: which partition it is (spec SB 4.6, 6.4). */
  turn(): Promise<Turn>;
  /** Whether the partition belongs to this member of the group. Nothing is changed. */
  isMine(partitionId: number): Promise<boolean>;
  storeOffset(partitionId: number, offset: number): Promise<void>;
  /** ConsumerOffsetNotFound where nothing is stored. */
  deleteOffset(partitionId: number): Promise<void>;
  /** Undefined where nothing is stored. */
  storedOffset(partitionId: number): Promise<number | undefined>;
  /** Makes the group; an existing one is left as it is. */
  createGroup(): Promise<void>;
  joinGroup(): Promise<void>;
  leaveGroup(): Promise<void>;
  /** Partitions of the topic. TopicIdNotFound if there is none that may be seen. */
  partitionsCount(): Promise<number>;
  /** Ends the connection, if it is the consumer's own. */
  close(): void;
}

/** Whether a turn may also be the answer to a member to whom nothing belongs: that has the same bytes (spec SB 4.5). */
export function mayMeanNothing({ partitionId, headOffset }: Turn): boolean {
  return partitionId === 0 && headOffset === 0;
}
