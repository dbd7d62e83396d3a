// The two-way channel between two shards. A request goes in the lane of its kind, and a lane may be bounded: whoever would
// exceed a bound waits here, in the order of the lane, and with it the connection that it serves, which stops reading from its
// socket. A reply gives the credit back. Replies and releases need none: there are never more of them than requests.
//
// Two shards must not wait for each other, so what a request waits for decides its lane. Batches wait for nobody but the
// disk of their owner. Requests for partitions may, over a commit, wait for a change of the metadata. Changes and questions
// about everything wait for nothing but others of their kind and the disk, and their lane has no bound: a request in it is
// never held up by what stands in this file. So whatever is under way ends.
import { assert, assertNever } from "../platform/assert.ts";
import { IggyError, toIggyError } from "../protocol/errors.ts";
import type { MovedConnection, ReplyOf, RequestOf, ShardMessage, ShardRequestKind, WatchMessage } from "./messages.ts";

/** Requests under way to one shard in a bounded lane: enough to keep it busy over a round trip of some 20 µs, few enough to stay small. */
export const mailboxEntriesMax = 1024;
/** Bytes of batches under way to one shard. A single larger batch still passes, alone. */
export const mailboxBytesMax = 64 * 1024 * 1024;

/** Places of the lanes: batches, bounded in number and bytes; requests for partitions, in number; and what never waits. */
const batches = 0;
const requests = 1;
const unbounded = 2;

const laneOf: { readonly [K in ShardRequestKind]: typeof batches | typeof requests | typeof unbounded } = {
  append: batches,
  read: requests,
  offset: requests,
  oldestSegment: requests,
  deleteSegments: requests,
  flush: requests,
  // As many as there are connections whose commands wait, and no more events than commands.
  control: unbounded,
  apply: unbounded,
  syncMetadata: unbounded,
  backup: unbounded,
  link: unbounded,
  clients: unbounded,
  disconnectClient: unbounded,
  makeRoom: unbounded, // the admission of clients has a bound for it
  statistics: unbounded,
  report: unbounded,
};

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
  /** Somebody waits there for a partition of this shard, or the other way round. */
  readonly onWatch: (message: WatchMessage) => void;
  /** A request of the other shard is about to be handled. */
  readonly onRequest?: (kind: ShardRequestKind) => void;
  /** Whatever a handler threw, for the log; the other shard gets its error code. */
  readonly onFailure: (thrown: unknown) => void;
}

interface Pending {
  readonly lane: Lane;
  readonly resolve: (body: unknown) => void;
  readonly reject: (error: IggyError) => void;
  readonly sizeBytes: number;
}

/** Requests of some kinds, under way and waiting for credit, in one direction. */
class Lane {
  readonly #entriesMax: number;
  readonly #waiting: { readonly sizeBytes: number; readonly start: () => void }[] = [];
  #entriesUnderWay = 0;
  #bytesUnderWay = 0;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get depth(): number {
    return this.#entriesUnderWay + this.#waiting.length;
  }

  /** Starts at once or, in order, when there is room; whether it had to wait. */
  enter(sizeBytes: number, start: () => void): boolean {
    if (this.#waiting.length === 0 && this.#hasCredit(sizeBytes)) {
      this.#start(sizeBytes, start);
      return false;
    }
    this.#waiting.push({ sizeBytes, start });
    return true;
  }

  leave(sizeBytes: number): void {
    this.#entriesUnderWay--;
    this.#bytesUnderWay -= sizeBytes;
    for (let next = this.#waiting[0]; next !== undefined && this.#hasCredit(next.sizeBytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#start(next.sizeBytes, next.start);
    }
  }

  #start(sizeBytes: number, start: () => void): void {
    this.#entriesUnderWay++;
    this.#bytesUnderWay += sizeBytes;
    start();
  }

  #hasCredit(sizeBytes: number): boolean {
    if (this.#entriesUnderWay === 0) return true;
    return this.#entriesUnderWay < this.#entriesMax && this.#bytesUnderWay + sizeBytes <= mailboxBytesMax;
  }
}

export class Mailbox {
  readonly counters: MailboxCounters = { sent: 0, waited: 0, depthMax: 0 };
  readonly #port: Port;
  readonly #options: MailboxOptions;
  readonly #pending = new Map<number, Pending>();
  /** By their places. */
  readonly #lanes = [
    new Lane(mailboxEntriesMax),
    new Lane(mailboxEntriesMax),
    new Lane(Number.POSITIVE_INFINITY),
  ] as const;
  #nextRequestId = 1;

  constructor(port: Port, options: MailboxOptions) {
    this.#port = port;
    this.#options = options;
    port.addEventListener("message", (event) => this.#receive(event.data as ShardMessage));
    port.start();
  }

  /** Requests that are under way or wait for credit. */
  get depth(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.depth, 0);
  }

  /** Resolves with the reply, rejects with the IggyError that the other shard answered. `sizeBytes`: of a batch, else 0. */
  call<K extends ShardRequestKind>(name: K, body: RequestOf<K>, sizeBytes = 0): Promise<ReplyOf<K>> {
    const lane = this.#lanes[laneOf[name]];
    return new Promise<unknown>((resolve, reject) => {
      const hasWaited = lane.enter(sizeBytes, () => this.#send(name, body, { lane, resolve, reject, sizeBytes }));
      if (hasWaited) this.counters.waited++;
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

  /** Says something about a watch; it is no request and needs no credit. */
  watch(message: WatchMessage): void {
    this.#port.postMessage(message);
  }

  #send(name: ShardRequestKind, body: unknown, pending: Pending): void {
    const requestId = this.#nextRequestId;
    this.#nextRequestId = requestId === 0x7fffffff ? 1 : requestId + 1;
    assert(!this.#pending.has(requestId), "a request id is free before it is used again");
    this.#pending.set(requestId, pending);
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
      case "watch":
      case "unwatch":
      case "changed":
        this.#options.onWatch(message);
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
    pending.lane.leave(pending.sizeBytes);
    return pending;
  }

  #handle(requestId: number, name: ShardRequestKind, body: unknown): void {
    this.#options.onRequest?.(name);
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
