// A broker behind a transport of a test's own: it keeps what is sent in memory, and a test says what becomes of each send.
// Replies come in the order of the requests; a connection that is cut fails all that waits on it, in order.

import type { Client, Connection, ErrorName, Transport } from "../../src/client/index.bun.ts";
import { ConnectionLostError, type ConnectOptions, connect, IggyError } from "../../src/client/index.bun.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { ExtensionCode } from "../../src/protocol/extensions/codes.ts";
import { extensionCodecs } from "../../src/protocol/extensions/registry.ts";
import { type MessageToSend, sendMessagesRequestCodec } from "../../src/protocol/message/send-messages.ts";
import type { Partitioning } from "../../src/protocol/partitioning.ts";
import type { TopicDetails } from "../../src/protocol/records/topic-details.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { userIdReply } from "./scripted-server.ts";

const noBytes = new Uint8Array(0);
const utf8 = new TextDecoder();

/** A send that has arrived. */
export type FakeSend = {
  readonly partitioning: Partitioning;
  readonly messages: readonly MessageToSend[];
  /** The payloads as text. */
  readonly texts: readonly string[];
  /** 0 for the first connection that sent something. */
  readonly connection: FakeConnection;
  /** Stores it. */
  store(): void;
  /** Stores it and answers. */
  answer(): void;
  refuse(name: ErrorName): void;
};

export class FakeConnection implements Connection {
  readonly closed: Promise<void>;
  isClosed = false;
  receivedBytes = 0;
  readonly requests: { readonly code: number; readonly payload: Uint8Array }[] = [];
  readonly #broker: FakeBroker;
  readonly #waiting: { readonly settle: (error: unknown, payload?: Uint8Array) => void; reply?: () => void }[] = [];
  #markClosed = () => {};

  constructor(broker: FakeBroker) {
    this.#broker = broker;
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
  }

  get inFlightCount(): number {
    return this.#waiting.length;
  }

  request(code: number, payload: Uint8Array | readonly Uint8Array[]): Promise<Uint8Array> {
    if (this.isClosed) return Promise.reject(new ConnectionLostError(false));
    const bytes = payload instanceof Uint8Array ? payload.slice() : new Uint8Array(Buffer.concat([...payload]));
    this.requests.push({ code, payload: bytes });
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const entry: { settle: (error: unknown, payload?: Uint8Array) => void; reply?: () => void } = {
      settle: (error, reply = noBytes) => (error === undefined ? resolve(reply) : reject(error)),
    };
    this.#waiting.push(entry);
    const done = (error: unknown, reply?: Uint8Array) => {
      entry.reply ??= () => entry.settle(error, reply);
      queueMicrotask(() => this.#deliver());
    };
    this.#broker.handle(this, code, bytes, done);
    return promise;
  }

  /** Everything that waits is lost; it had left. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const { settle } of this.#waiting.splice(0)) settle(new ConnectionLostError(true));
    this.#markClosed();
  }

  #deliver(): void {
    while (!this.isClosed && this.#waiting[0]?.reply !== undefined) {
      this.receivedBytes += 8;
      this.#waiting.shift()?.reply?.();
    }
  }
}

export class FakeBroker {
  readonly connections: FakeConnection[] = [];
  readonly sends: FakeSend[] = [];
  /** Payloads as text, by partition, in the order of their arrival; those of keys and of nobody under their own names. */
  readonly stored = new Map<number | string, string[]>();
  partitionsCount: number | undefined = 3;
  /** Undefined: everything is answered. */
  onSend: ((send: FakeSend) => void) | undefined;
  onLogin: (() => ErrorName | undefined) | undefined;
  onTopic: (() => ErrorName | undefined) | undefined;
  /** To open a connection. */
  attempts = 0;
  /** Why no connection is opened now. */
  refusal: Error | undefined;
  /** Undefined: it is one of Iggy's own. */
  features: readonly string[] | undefined;
  /** Ids that were stored are not stored again. */
  deduplicates = false;
  readonly #ids = new Set<string>();

  readonly transport: Transport = {
    name: "fake",
    schemes: ["fake"],
    open: async () => {
      this.attempts++;
      if (this.refusal !== undefined) throw new IggyError("CannotEstablishConnection", [], { cause: this.refusal });
      const connection = new FakeConnection(this);
      this.connections.push(connection);
      return connection;
    },
  };

  connect(options: ConnectOptions = {}): Promise<Client> {
    return connect("fake://iggy:secret@broker", {
      transports: [this.transport],
      reconnect: { minMs: 1, maxMs: 2 },
      heartbeatMs: 0,
      ...options,
    });
  }

  handle(
    connection: FakeConnection,
    code: number,
    payload: Uint8Array,
    done: (error: unknown, reply?: Uint8Array) => void,
  ): void {
    const answer = (name: ErrorName | undefined, reply?: Uint8Array) =>
      done(name === undefined ? undefined : new IggyError(name), reply);
    switch (code) {
      case CommandCode.loginUser:
      case CommandCode.loginWithPersonalAccessToken:
        answer(this.onLogin?.(), userIdReply(7));
        break;
      case CommandCode.getTopic:
        answer(this.onTopic?.(), this.#topicReply());
        break;
      case CommandCode.sendMessages:
        this.#send(connection, payload, done);
        break;
      case ExtensionCode.getFeatures:
        if (this.features === undefined) answer("InvalidCommand");
        else answer(undefined, encode(extensionCodecs.getFeatures.reply, { features: this.features, limits: [] }));
        break;
      case ExtensionCode.sendWithReceipt:
        if (this.features === undefined) answer("InvalidCommand");
        else this.#send(connection, payload, done, true);
        break;
      default:
        answer(undefined);
    }
  }

  #send(
    connection: FakeConnection,
    payload: Uint8Array,
    done: (error: unknown, reply?: Uint8Array) => void,
    hasReceipt = false,
  ): void {
    const { partitioning, messages } = decode(sendMessagesRequestCodec, payload);
    const place = partitioning.kind === "partition" ? partitioning.partitionId : placeOf(partitioning);
    const store = () => {
      const stored = this.stored.get(place) ?? [];
      this.stored.set(place, stored);
      for (const { id, payload } of messages) {
        const isNew = !this.#ids.has(String(id));
        this.#ids.add(String(id));
        if (isNew || !this.deduplicates) stored.push(utf8.decode(payload));
      }
    };
    const send: FakeSend = {
      partitioning,
      messages,
      texts: messages.map(({ payload }) => utf8.decode(payload)),
      connection,
      store,
      answer: () => {
        const firstOffset = BigInt(this.stored.get(place)?.length ?? 0);
        store();
        const partitionId = partitioning.kind === "partition" ? partitioning.partitionId : 2;
        const receipt = encode(extensionCodecs.sendWithReceipt.reply, { partitionId, firstOffset });
        done(undefined, hasReceipt ? receipt : noBytes);
      },
      refuse: (name) => done(new IggyError(name)),
    };
    this.sends.push(send);
    if (this.onSend === undefined) send.answer();
    else this.onSend(send);
  }

  #topicReply(): Uint8Array {
    const { partitionsCount } = this;
    if (partitionsCount === undefined) return noBytes;
    const partition = { createdAtMicros: 1n, segmentsCount: 1, currentOffset: 0n, sizeBytes: 0n, messagesCount: 0n };
    const details: TopicDetails = {
      id: 1,
      createdAtMicros: 1n,
      partitionsCount,
      messageExpiryMicros: 0n,
      compression: "none",
      maxTopicSizeBytes: 0n,
      replicationFactor: 1,
      sizeBytes: 0n,
      messagesCount: 0n,
      name: "t",
      partitions: Array.from({ length: partitionsCount }, (_, id) => ({ id, ...partition })),
    };
    return encode(commandCodecs.getTopic.reply, details);
  }
}

function placeOf(partitioning: Partitioning): string {
  return partitioning.kind === "key" ? `key ${utf8.decode(partitioning.key)}` : partitioning.kind;
}
