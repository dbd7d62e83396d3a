// The connection of one consumer to a simulated topic: it takes time and can be cut. It answers polls, and also waits and pushes
// where the test says that this server can.

import { Bell } from "../../../src/client/consumer/clock.ts";
import type {
  ConsumerCommands,
  PollReply,
  PollRequest,
  PushCommands,
  Waited,
} from "../../../src/client/consumer/commands.ts";
import { IggyError } from "../../../src/protocol/errors.ts";
import { SimulatedPushes } from "./simulated-pushes.ts";
import type { SimulatedTopic } from "./simulated-topic.ts";

/** Where messages come from, if the server can no more than that: a consumer takes the best there is. */
export const sources = ["polls", "waiting polls", "subscriptions"] as const;
export type Source = (typeof sources)[number];

/** Commands of one consumer. After a cut the next request goes over a new connection, which is no member. */
export class SimulatedConnection implements ConsumerCommands {
  readonly #topic: SimulatedTopic;
  readonly #consumer: string;
  readonly #latencyMs: number;
  clientId: number;
  isClosed = false;
  /** Requests by name. */
  readonly counts = new Map<string, number>();
  /** Polls that asked for messages, as they were carried out. */
  readonly polls: PollRequest[] = [];
  /** Has polls that wait. */
  canWait = false;
  /** Has subscriptions. */
  canPush = false;
  #pushes: SimulatedPushes | undefined;
  readonly #overtaken = new Bell();
  /** Until then nobody answers. */
  isDown = false;
  #cuts = 0;

  constructor(topic: SimulatedTopic, consumer: string, latencyMs: number) {
    this.#topic = topic;
    this.#consumer = consumer;
    this.#latencyMs = latencyMs;
    this.clientId = topic.newClientId();
  }

  /** The connection is lost; what is under way may have been carried out or not. */
  cut(): void {
    this.#cuts++;
    this.#overtaken.ring();
    this.#topic.leave(this.clientId);
    this.clientId = this.#topic.newClientId();
    this.#pushes?.lost();
  }

  /** What its server can do. */
  offer(source: Source): void {
    this.canWait = source !== "polls";
    this.canPush = source === "subscriptions";
  }

  get pushes(): (() => PushCommands) | undefined {
    return this.canPush ? () => this.#makePushes() : undefined;
  }

  #makePushes(): SimulatedPushes {
    const connection = this;
    this.#pushes ??= new SimulatedPushes({
      topic: this.#topic,
      consumer: this.#consumer,
      get memberId() {
        return connection.#memberId;
      },
      request: (name, work) => this.#request(name, work),
      deliver: (tell) => void this.#deliver(tell),
    });
    return this.#pushes;
  }

  async #deliver(tell: () => void): Promise<void> {
    const cuts = this.#cuts;
    await this.#topic.time.wait(this.#latencyMs);
    if (!this.isClosed && cuts === this.#cuts) tell();
  }

  get #memberId(): number | undefined {
    return this.#consumer === "group" ? this.clientId : undefined;
  }

  async #request<T>(name: string, work: () => T): Promise<T> {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    const cuts = this.#cuts;
    const check = () => {
      if (this.isClosed || this.isDown || cuts !== this.#cuts) throw new IggyError("Disconnected");
    };
    await this.#topic.time.wait(this.#latencyMs);
    this.#overtaken.ring();
    check();
    let result: { readonly value: T } | { readonly error: unknown };
    try {
      result = { value: work() };
    } catch (error) {
      result = { error };
    }
    await this.#topic.time.wait(this.#latencyMs);
    check();
    if ("error" in result) throw result.error;
    return result.value;
  }

  poll(request: PollRequest): Promise<PollReply> {
    return this.#request("poll", () => {
      if (request.count > 0) this.polls.push(request);
      return this.#topic.poll(request, this.#consumer, this.#memberId);
    });
  }

  waitForMessages(requests: readonly PollRequest[], waitMs: number, known: bigint): Promise<Waited> | undefined {
    if (!this.canWait) return undefined;
    return this.#wait(requests, waitMs, known);
  }

  async #wait(requests: readonly PollRequest[], waitMs: number, known: bigint): Promise<Waited> {
    const topic = this.#topic;
    const cuts = this.#cuts;
    const number = () => (this.#memberId === undefined ? 0n : topic.assignmentNumber(this.clientId));
    const before = await this.#request("wait", number);
    const endMs = topic.time.nowMs() + waitMs;
    let isOvertaken = false;
    void this.#overtaken.rung().then(() => {
      isOvertaken = true;
    });
    for (;;) {
      if (cuts !== this.#cuts || this.isClosed) throw new IggyError("Disconnected");
      const assignmentNumber = number();
      const nothing = { reply: undefined, assignmentNumber, isRefused: false, isOfStranger: false };
      for (const request of this.#wanted(requests)) {
        const reply = topic.poll(request, this.#consumer, this.#memberId);
        const isAsked = requests.some(({ partitionId }) => partitionId === request.partitionId);
        if (reply.messages.messagesCount > 0)
          return isAsked ? { ...nothing, reply } : { ...nothing, isOfStranger: true };
        if (topic.endsBefore(request)) return { ...nothing, isRefused: true };
      }
      const isChanged = assignmentNumber !== before || (known !== 0n && assignmentNumber !== known);
      if (isChanged || isOvertaken || topic.time.nowMs() >= endMs) return nothing;
      const over = new AbortController();
      const time = topic.time.wait(endMs - topic.time.nowMs(), over.signal);
      await Promise.race([topic.changed.rung(this.#overtaken), time]);
      over.abort();
    }
  }

  /** Of a member all that belongs to it now, also what it does not know of: that is read behind the stored offset. */
  #wanted(requests: readonly PollRequest[]): readonly PollRequest[] {
    const [first] = requests;
    if (this.#memberId === undefined || first === undefined) return requests;
    return this.#topic.openPartitions(this.clientId).map((partitionId) => {
      const offset = (this.#topic.partitions[partitionId]!.stored.get(this.#consumer) ?? -1) + 1;
      const own = requests.find((request) => request.partitionId === partitionId);
      return own ?? { ...first, partitionId, from: { kind: "offset", offset } };
    });
  }

  turn(): Promise<PollReply> {
    return this.#request("turn", () => this.#topic.turn(this.clientId));
  }

  isMine(partitionId: number): Promise<boolean> {
    return this.#request("isMine", () => this.#topic.memberOf(this.clientId).partitions.includes(partitionId));
  }

  storeOffset(partitionId: number, offset: number): Promise<void> {
    return this.#request("store", () => this.#topic.store(partitionId, offset, this.#consumer, this.#memberId));
  }

  deleteOffset(partitionId: number): Promise<void> {
    return this.#request("delete", () => {
      this.#topic.requireOwned(partitionId, this.#memberId);
      const isThere = this.#topic.partitions[partitionId]!.stored.delete(this.#consumer);
      if (!isThere) throw new IggyError("ConsumerOffsetNotFound");
    });
  }

  storedOffset(partitionId: number): Promise<number | undefined> {
    return this.#request("stored", () => this.#topic.partitions[partitionId]!.stored.get(this.#consumer));
  }

  createGroup(): Promise<void> {
    return this.#request("createGroup", () => undefined);
  }

  joinGroup(): Promise<void> {
    return this.#request("join", () => this.#topic.join(this.clientId));
  }

  leaveGroup(): Promise<void> {
    return this.#request("leave", () => {
      this.#topic.memberOf(this.clientId);
      this.#topic.leave(this.clientId);
    });
  }

  partitionsCount(): Promise<number> {
    return this.#request("partitions", () => this.#topic.partitions.length);
  }

  close(): void {
    this.isClosed = true;
    this.#overtaken.ring();
    this.#topic.leave(this.clientId);
  }
}
