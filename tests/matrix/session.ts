// What the scenario needs of a transport. It is written once; how a request travels is a session's matter.
import type { OffsetOptions, PollOptions, SendOptions } from "../../src/client/index.ts";
import type { PolledMessages } from "../../src/protocol/message/poll-messages.ts";
import type { ConsumerOffset } from "../../src/protocol/records/consumer-offset.ts";

/** Counts that every transport tells of a stream. */
export interface StreamFacts {
  readonly name: string;
  readonly topicsCount: number;
  readonly messagesCount: number;
}

export interface TopicFacts {
  readonly name: string;
  readonly partitionsCount: number;
  readonly messagesCount: number;
}

export interface GroupFacts {
  readonly name: string;
  readonly partitionsCount: number;
  readonly membersCount: number;
}

/** An error as it travels: `status` only over HTTP, where a refusal of the token has no body and so no `code`. */
export interface Refusal {
  readonly code?: number | undefined;
  readonly status?: number;
}

/** What only a connection can have: a record of its own, and a place in a group. */
export interface ConnectionCommands {
  me(): Promise<{ readonly clientId: number; readonly transport: string }>;
  clientIds(): Promise<readonly number[]>;
  joinGroup(stream: string, topic: string, group: string): Promise<void>;
  leaveGroup(stream: string, topic: string, group: string): Promise<void>;
}

/** A method that the server refuses rejects with what `refusalOf` reads. A missing object is undefined. */
export interface Session {
  /** Undefined over HTTP. */
  readonly connection: ConnectionCommands | undefined;
  createStream(name: string): Promise<number>;
  getStream(name: string): Promise<StreamFacts | undefined>;
  getStreams(): Promise<readonly StreamFacts[]>;
  deleteStream(name: string): Promise<void>;
  createTopic(stream: string, name: string, partitionsCount: number): Promise<number>;
  getTopic(stream: string, name: string): Promise<TopicFacts | undefined>;
  getTopics(stream: string): Promise<readonly TopicFacts[]>;
  createGroup(stream: string, topic: string, name: string): Promise<void>;
  getGroup(stream: string, topic: string, name: string): Promise<GroupFacts | undefined>;
  getGroups(stream: string, topic: string): Promise<readonly GroupFacts[]>;
  deleteGroup(stream: string, topic: string, name: string): Promise<void>;
  send(options: SendOptions): Promise<void>;
  poll(options: PollOptions): Promise<PolledMessages>;
  storeOffset(options: OffsetOptions & { readonly offset: bigint }): Promise<void>;
  getOffset(options: OffsetOptions): Promise<ConsumerOffset | undefined>;
  deleteOffset(options: OffsetOptions): Promise<void>;
  /** A user that may read streams and topics and poll, and nothing else. */
  createReader(username: string, password: string): Promise<void>;
  getUsernames(): Promise<readonly string[]>;
  deleteUser(username: string): Promise<void>;
  /** The raw token; it does not expire. */
  createToken(name: string): Promise<string>;
  getTokenNames(): Promise<readonly string[]>;
  deleteToken(name: string): Promise<void>;
  logout(): Promise<void>;
  /** Asks for all of these and goes away before an answer can have been read. */
  abandon(poll: PollOptions, send: SendOptions): Promise<void>;
  close(): void;
}

export type Credentials = { readonly username: string; readonly password: string } | { readonly token: string };

export interface Place {
  /** Name of the combination's transport, good as part of a stream's name. */
  readonly name: string;
  /** A session of its own, logged in if there are credentials. */
  open(credentials?: Credentials): Promise<Session>;
  /** Rethrows what is no answer of the server. */
  refusalOf(error: unknown): Refusal;
}
