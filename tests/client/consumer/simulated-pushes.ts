// Subscriptions of one connection to a simulated topic, as the broker has them (docs/protocol-extensions.md): credit in bytes,
// pushes and replies in one order, ends where a partition is promised away, purged, or the membership is over.

import type { PollReply, PollRequest, PushCommands, PushListener } from "../../../src/client/consumer/commands.ts";
import { IggyError } from "../../../src/protocol/errors.ts";
import type { SimulatedTopic } from "./simulated-topic.ts";

/** Of messages in a push: few, so that a credit takes several. */
const pushBytesMax = 300;

interface Open {
  readonly request: Omit<PollRequest, "count">;
  readonly purges: number;
  from: PollRequest["from"];
  credit: number;
}

export interface PushedConnection {
  readonly topic: SimulatedTopic;
  readonly consumer: string;
  /** Undefined: not a member of a group. */
  readonly memberId: number | undefined;
  request<T>(name: string, work: () => T): Promise<T>;
  /** Brings it to the client, behind what was brought before. */
  deliver(tell: () => void): void;
}

export class SimulatedPushes implements PushCommands {
  readonly #connection: PushedConnection;
  readonly #open = new Map<number, Open>();
  #listener: PushListener | undefined;
  #followed: { readonly id: number; number: bigint } | undefined;

  constructor(connection: PushedConnection) {
    this.#connection = connection;
    void this.#watch();
  }

  listen(listener: PushListener): void {
    this.#listener = listener;
  }

  subscribe(id: number, request: Omit<PollRequest, "count">, credit: number): Promise<number> {
    const { topic } = this.#connection;
    return this.#connection.request("subscribe", () => {
      const partition = topic.partitions[request.partitionId];
      if (partition === undefined) throw new IggyError("PartitionNotFound", [request.partitionId]);
      if (!this.#mayRead(request.partitionId)) throw new IggyError("NotResolvedConsumer");
      this.#requireRoom();
      this.#open.set(id, { request, purges: partition.purges, from: request.from, credit });
      void Promise.resolve().then(() => this.#push());
      return topic.head(request.partitionId);
    });
  }

  addCredit(id: number, credit: number): Promise<void> {
    return this.#connection.request("credit", () => {
      const open = this.#open.get(id);
      if (open !== undefined) open.credit += credit;
      void Promise.resolve().then(() => this.#push());
    });
  }

  unsubscribe(id: number): Promise<void> {
    return this.#connection.request("unsubscribe", () => void this.#open.delete(id));
  }

  follow(id: number): Promise<bigint> {
    return this.#connection.request("follow", () => {
      this.#requireRoom();
      this.#followed = { id, number: this.#number() };
      return this.#followed.number;
    });
  }

  #requireRoom(): void {
    const count = this.#open.size + (this.#followed === undefined ? 0 : 1);
    if (count >= this.#connection.topic.subscriptionsMax) throw new IggyError("FeatureUnavailable");
  }

  /** The connection is gone. */
  lost(): void {
    this.#open.clear();
    this.#followed = undefined;
    this.#listener?.lost();
  }

  #number(): bigint {
    const { topic, memberId } = this.#connection;
    return memberId === undefined ? BigInt(topic.partitions.length) + 1n : topic.assignmentNumber(memberId);
  }

  #mayRead(partitionId: number): boolean {
    const { topic, memberId } = this.#connection;
    if (memberId === undefined) return true;
    return topic.memberOf(memberId).partitions.includes(partitionId) && !topic.promised.has(partitionId);
  }

  async #watch(): Promise<void> {
    for (;;) {
      await this.#connection.topic.changed.rung();
      this.#push();
    }
  }

  #push(): void {
    this.#tellPartitions();
    for (const [id, open] of [...this.#open]) {
      try {
        this.#pushOf(id, open);
      } catch (error) {
        this.#end(id, error as IggyError);
      }
    }
  }

  #tellPartitions(): void {
    const followed = this.#followed;
    if (followed === undefined) return;
    try {
      const number = this.#number();
      if (number === followed.number) return;
      followed.number = number;
      this.#connection.deliver(() => this.#listener?.partitions(followed.id, number));
    } catch (error) {
      this.#followed = undefined;
      this.#connection.deliver(() => this.#listener?.ended(followed.id, error as IggyError));
    }
  }

  #pushOf(id: number, open: Open): void {
    const { topic, consumer, memberId } = this.#connection;
    const { partitionId } = open.request;
    if (!this.#mayRead(partitionId)) {
      this.#end(id, "assignmentChanged");
      return;
    }
    while (open.credit > 0) {
      const { purges, firstOffset, messages } = topic.partitions[partitionId]!;
      const isBehind = open.from.kind === "offset" && open.from.offset > firstOffset + messages.length;
      if (purges !== open.purges || isBehind) {
        this.#end(id, "offsetsReset");
        return;
      }
      const count = topic.countWithin(partitionId, open.from, Math.min(open.credit, pushBytesMax));
      const reply: PollReply = topic.poll({ ...open.request, from: open.from, count }, consumer, memberId);
      if (reply.messages.messagesCount === 0) return;
      open.credit -= reply.messages.sizeBytes;
      open.from = { kind: "offset", offset: reply.messages.lastOffset + 1 };
      this.#connection.deliver(() => this.#listener?.messages(id, reply));
    }
  }

  #end(id: number, ending: Parameters<PushListener["ended"]>[1]): void {
    this.#open.delete(id);
    this.#connection.deliver(() => this.#listener?.ended(id, ending));
  }
}
