// What the commands are tried on: one running server with a few users, and as many fresh scenes (a stream with topics and
// groups) as there are tests, so that none sees what another left.

import { type Identifier, nameId, numericId } from "../../src/protocol/identifier.ts";
import { u64Max } from "../../src/protocol/limits.ts";
import type { MessageToSend } from "../../src/protocol/message/send-messages.ts";
import type { Permissions } from "../../src/protocol/records/permissions.ts";
import type { TestServer } from "../support/server.ts";
import { type Address, Caller, type RequestOf } from "./caller.ts";

const utf8 = new TextEncoder();

/** A number or name that nothing has. */
export const unknownId: Identifier = numericId(4_000_000_000);
export const unknownName: Identifier = nameId("nobody knows it");

export const active = 1;
export const inactive = 2;

export interface Account {
  readonly id: number;
  readonly name: string;
  readonly password: string;
  /** Logs in without the cost of a password. */
  readonly token: string;
}

/** A stream of its own. The groups are the topic's. */
export interface Scene {
  readonly streamId: number;
  readonly streamName: string;
  readonly stream: Identifier;
  /** 0; two partitions, named "topic". */
  readonly topicId: number;
  readonly topic: Identifier;
  /** Without partitions, named "empty". */
  readonly emptyTopic: Identifier;
  /** Three partitions, named "other": a name that is taken. */
  readonly otherTopic: Identifier;
  /** 0, named "group". */
  readonly groupId: number;
  readonly group: Identifier;
}

export const never = u64Max;
export const unlimited = u64Max;

export const plainTopic = {
  compressionCode: 1,
  messageExpiryMicros: never,
  maxTopicSizeBytes: unlimited,
  replicationFactor: 1,
} as const;

/** A single consumer, and what it asks for to see everything. */
export const reader = { kind: "consumer", id: nameId("reader") } as const;
export const fromFirst = { strategy: { kind: "first", value: 0n }, count: 10, autoCommit: false } as const;
export const toFirst = { kind: "partition", partitionId: 0 } as const;

export function loginRequest(username: string, password: string): RequestOf<"loginUser"> {
  return { username, password, version: undefined, context: undefined };
}

export class World {
  readonly server: TestServer;
  readonly root: Caller;
  readonly rootToken: string;
  /** A user without permissions. */
  readonly guest: Account;
  readonly guestCaller: Caller;
  /** A user to whom things are done. */
  readonly subject: Account;
  readonly #callers: Caller[] = [];
  #names = 0;

  private constructor(parts: Pick<World, "server" | "root" | "rootToken" | "guest" | "guestCaller" | "subject">) {
    this.server = parts.server;
    this.root = parts.root;
    this.rootToken = parts.rootToken;
    this.guest = parts.guest;
    this.guestCaller = parts.guestCaller;
    this.subject = parts.subject;
  }

  static async build(server: TestServer): Promise<World> {
    const root = await Caller.withPassword(server, "iggy", "iggy");
    const { token: rootToken } = await root.content("createPersonalAccessToken", { name: "world", expiryMicros: 0n });
    const guest = await createAccount(root, server, "guest");
    const subject = await createAccount(root, server, "subject");
    const guestCaller = await Caller.withToken(server, guest.token);
    return new World({ server, root, rootToken, guest, guestCaller, subject });
  }

  /** The same world after a restart of its server. */
  static async after(server: TestServer, earlier: World): Promise<World> {
    const { rootToken, guest, subject } = earlier;
    const root = await Caller.withToken(server, rootToken);
    const guestCaller = await Caller.withToken(server, guest.token);
    const world = new World({ server, root, rootToken, guest, guestCaller, subject });
    world.#names = earlier.#names;
    return world;
  }

  uniqueName(what: string): string {
    return `${what}-${this.#names++}`;
  }

  #keep(caller: Caller): Caller {
    this.#callers.push(caller);
    return caller;
  }

  async connect(): Promise<Caller> {
    return this.#keep(await Caller.connect(this.server));
  }

  async connectAs(account: { readonly token: string }): Promise<Caller> {
    return this.#keep(await Caller.withToken(this.server, account.token));
  }

  connectAsRoot(): Promise<Caller> {
    return this.connectAs({ token: this.rootToken });
  }

  /** Outcome of a login on a connection of its own. */
  async loginStatus(username: string, password: string): Promise<number> {
    const caller = await this.connect();
    return caller.status("loginUser", loginRequest(username, password));
  }

  /** A user of its own; hashing its password takes some 50 ms. */
  createAccount(permissions?: Permissions): Promise<Account> {
    return createAccount(this.root, this.server, this.uniqueName("user"), permissions);
  }

  /** A connection whose user has been deleted. */
  async ghost(): Promise<Caller> {
    const account = await this.createAccount();
    const caller = await this.connectAs(account);
    await this.root.value("deleteUser", { user: numericId(account.id) });
    return caller;
  }

  async scene(): Promise<Scene> {
    const { root } = this;
    const streamName = this.uniqueName("stream");
    const { id: streamId } = await root.content("createStream", { name: streamName });
    const stream = numericId(streamId);
    const { id: topicId } = await root.content("createTopic", {
      stream,
      partitionsCount: 2,
      ...plainTopic,
      name: "topic",
    });
    await root.content("createTopic", { stream, partitionsCount: 0, ...plainTopic, name: "empty" });
    await root.content("createTopic", { stream, partitionsCount: 3, ...plainTopic, name: "other" });
    const topic = numericId(topicId);
    const { id: groupId } = await root.content("createConsumerGroup", { stream, topic, name: "group" });
    await root.content("createConsumerGroup", { stream, topic, name: "other group" });
    return {
      streamId,
      streamName,
      stream,
      topicId,
      topic,
      emptyTopic: nameId("empty"),
      otherTopic: nameId("other"),
      groupId,
      group: numericId(groupId),
    };
  }

  /** Sends texts to a partition of the scene's topic, one batch. */
  async send({ stream, topic }: Scene, partitionId: number, ...texts: readonly string[]): Promise<void> {
    const partitioning = { kind: "partition", partitionId } as const;
    await this.root.value("sendMessages", { stream, topic, partitioning, messages: texts.map(message) });
  }

  /** Closes the connections that were made for one test. */
  closeCallers(): void {
    for (const caller of this.#callers.splice(0)) caller.close();
  }

  close(): void {
    this.closeCallers();
    this.root.close();
    this.guestCaller.close();
  }
}

export function message(text: string): MessageToSend {
  return { payload: utf8.encode(text) };
}

async function createAccount(
  root: Caller,
  address: Address,
  name: string,
  permissions?: Permissions,
): Promise<Account> {
  const password = `secret of ${name}`;
  const { id } = await root.content("createUser", { username: name, password, statusCode: active, permissions });
  const caller = await Caller.withPassword(address, name, password);
  const { token } = await caller.content("createPersonalAccessToken", { name: "world", expiryMicros: 0n });
  caller.close();
  return { id, name, password, token };
}

/** For what never happens; a busy machine takes its time. */
const waitMs = 60_000;

/** Throws if it does not become true within `waitMs`. */
export async function waitFor(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + waitMs;
  while (!(await isTrue())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${waitMs} ms: ${what}`);
    await Bun.sleep(5);
  }
}
