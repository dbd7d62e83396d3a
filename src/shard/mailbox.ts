// The two-way channel between two shards. Bounded in requests and in bytes that are on their way: whoever would exceed a
// bound waits here, in order, and with it the connection that it serves, which stops reading from its socket. A reply gives
// the credit back. Replies and releases need none: there are never more of them than requests.
import { assert, assertNever } from "../platform/assert.ts";
import { IggyError, toIggyError } from "../protocol/errors.ts";
import type { MovedConnection, ReplyOf, RequestOf, ShardMessage, ShardRequestKind } from "./messages.ts";

/** Requests under way to one shard: enough to keep it busy over a round trip of some 20 µs, few enough to stay small. */
export const mailboxEntriesMax = 1024;
/** Bytes of batches under way to one shard. A single larger batch still passes, alone. */
export const mailboxBytesMax = 64 * 1024 * 1024;

/** What a shard does with the requests of others. */
export type ShardHandlers = {
  readonly [K in ShardRequestKind]: (body: RequestOf<K>) => ReplyOf<K> | Promise<ReplyOf<K>>;
};

/** The part of a MessagePort that is used here. */
export interface Port {
  postMessage(message: ShardMessage): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  start(): void;
}

export interface MailboxCounters {
  sent: number;
  /** Requests that had to wait for credit. */
  waited: number;
  depthMax: number;
}

export interface MailboxOptions {
  readonly handlers: ShardHandlers;
  /** The parts of a read have been used. */
  readonly onRelease: (leaseId: number) => void;
  /** A connection moves here. */
  readonly onAdopt: (connection: MovedConnection) => void;
  /** Whatever a handler threw, for the log; the other shard gets its error code. */
  readonly onFailure: (thrown: unknown) => void;
}

interface Pending {
  readonly resolve: (body: unknown) => void;
  readonly reject: (error: IggyError) => void;
  readonly sizeBytes: number;
}

export class Mailbox {
  readonly counters: MailboxCounters = { sent: 0, waited: 0, depthMax: 0 };
  readonly #port: Port;
  readonly #options: MailboxOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #waiting: { readonly sizeBytes: number; readonly start: () => void }[] = [];
  #nextRequestId = 1;
  #bytesUnderWay = 0;

  constructor(port: Port, options: MailboxOptions) {
    this.#port = port;
    this.#options = options;
    port.addEventListener("message", (event) => this.#receive(event.data as ShardMessage));
    port.start();
  }

  /** Requests that are under way or wait for credit. */
  get depth(): number {
    return this.#pending.size + this.#waiting.length;
  }

  /** Resolves with the reply, rejects with the IggyError that the other shard answered. `sizeBytes`: of a batch, else 0. */
  call<K extends ShardRequestKind>(name: K, body: RequestOf<K>, sizeBytes = 0): Promise<ReplyOf<K>> {
    return new Promise<unknown>((resolve, reject) => {
      const start = () => this.#send(name, body, { resolve, reject, sizeBytes });
      if (this.#waiting.length === 0 && this.#hasCredit(sizeBytes)) {
        start();
        return;
      }
      this.counters.waited++;
      this.#waiting.push({ sizeBytes, start });
    }) as Promise<ReplyOf<K>>;
  }

  /** Tells the owner that the parts of a read have been used. */
  release(leaseId: number): void {
    this.#port.postMessage({ kind: "release", leaseId });
  }

  /** Moves a connection to the other shard. */
  adopt(connection: MovedConnection): void {
    this.#port.postMessage({ kind: "adopt", connection });
  }

  #hasCredit(sizeBytes: number): boolean {
    if (this.#pending.size === 0) return true;
    return this.#pending.size < mailboxEntriesMax && this.#bytesUnderWay + sizeBytes <= mailboxBytesMax;
  }

  #send(name: ShardRequestKind, body: unknown, pending: Pending): void {
    const requestId = this.#nextRequestId;
    this.#nextRequestId = requestId === 0x7fffffff ? 1 : requestId + 1;
    assert(!this.#pending.has(requestId), "a request id is free before it is used again");
    this.#pending.set(requestId, pending);
    this.#bytesUnderWay += pending.sizeBytes;
    this.counters.sent++;
    if (this.#pending.size > this.counters.depthMax) this.counters.depthMax = this.#pending.size;
    this.#port.postMessage({ kind: "request", requestId, name, body });
  }

  #receive(message: ShardMessage): void {
    switch (message.kind) {
      case "request":
        this.#handle(message.requestId, message.name, message.body);
        return;
      case "reply":
        this.#take(message.requestId).resolve(message.body);
        return;
      case "failure":
        this.#take(message.requestId).reject(new IggyError(message.errorName, message.params));
        return;
      case "release":
        this.#options.onRelease(message.leaseId);
        return;
      case "adopt":
        this.#options.onAdopt(message.connection);
        return;
      default:
        assertNever(message, "a message between shards is of a known kind");
    }
  }

  #take(requestId: number): Pending {
    const pending = this.#pending.get(requestId);
    assert(pending !== undefined, "a reply belongs to a request", { requestId });
    this.#pending.delete(requestId);
    this.#bytesUnderWay -= pending.sizeBytes;
    let next = this.#waiting[0];
    while (next !== undefined && this.#hasCredit(next.sizeBytes)) {
      this.#waiting.shift();
      next.start();
      next = this.#waiting[0];
    }
    return pending;
  }

  #handle(requestId: number, name: ShardRequestKind, body: unknown): void {
    try {
      const handler = this.#options.handlers[name] as (body: unknown) => unknown;
      const result = handler(body);
      if (!(result instanceof Promise)) {
        this.#port.postMessage({ kind: "reply", requestId, body: result });
        return;
      }
      result.then(
        (reply: unknown) => this.#port.postMessage({ kind: "reply", requestId, body: reply }),
        (thrown: unknown) => this.#fail(requestId, thrown),
      );
    } catch (thrown) {
      this.#fail(requestId, thrown);
    }
  }

  #fail(requestId: number, thrown: unknown): void {
    this.#options.onFailure(thrown);
    const { errorName, params } = toIggyError(thrown);
    this.#port.postMessage({ kind: "failure", requestId, errorName, params });
  }
}
