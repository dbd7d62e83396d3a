// A topic with a consumer group as the broker keeps it (spec SB 4.5 to 4.8, 6.1 to 6.5), in memory, with a connection for each
// consumer that takes time and can be cut. What the broker decides is here again in short form, so that a consumer can be
// driven through joins, leaves, cuts, purges and retention in simulated time.

import { readPollReply } from "../../../src/client/consumer/batch-bytes.ts";
import { Bell } from "../../../src/client/consumer/clock.ts";
import type {
  ConsumerCommands,
  PollReply,
  PollRequest,
  PushCommands,
  Waited,
} from "../../../src/client/consumer/commands.ts";
import { encode } from "../../../src/protocol/codec.ts";
import { IggyError } from "../../../src/protocol/errors.ts";
import { type PolledMessage, pollMessagesReplyCodec } from "../../../src/protocol/message/poll-messages.ts";
import { type UserHeader, userHeadersCodec } from "../../../src/protocol/user-headers.ts";
import { SimulatedPushes } from "./simulated-pushes.ts";
import type { SimulatedTime } from "./simulated-time.ts";

const utf8 = new TextEncoder();
const rebalancingTimeoutMs = 30_000;

export interface SimulatedPartition {
  /** Retention has removed what is before it. */
  firstOffset: number;
  messages: PolledMessage[];
  stored: Map<string, number>;
  lastPolled: { readonly clientId: number; readonly offset: number } | undefined;
  purges: number;
}

interface Member {
  readonly clientId: number;
  partitions: number[];
  turns: number;
}

interface Promised {
  readonly source: number;
  readonly target: number;
  readonly sinceMs: number;
}

export class SimulatedTopic {
  readonly time: SimulatedTime;
  readonly partitions: SimulatedPartition[] = [];
  members: Member[] = [];
  readonly promised = new Map<number, Promised>();
  readonly #assignments = new Map<string, bigint>();
  #nextClientId = 1;
  /** Rings with every change of messages and members. */
  readonly changed = new Bell();
  /** Called with each change of who a partition belongs to. */
  onMoved: (partitionId: number, clientId: number | undefined) => void = () => undefined;

  constructor(time: SimulatedTime, partitionsCount: number) {
    this.time = time;
    for (let id = 0; id < partitionsCount; id++) {
      this.partitions.push({ firstOffset: 0, messages: [], stored: new Map(), lastPolled: undefined, purges: 0 });
    }
  }

  newClientId(): number {
    return this.#nextClientId++;
  }

  head(partitionId: number): number {
    const { firstOffset, messages } = this.partitions[partitionId]!;
    return Math.max(0, firstOffset + messages.length - 1);
  }

  /** Appends messages whose payload says which they are. */
  append(partitionId: number, count: number, headers: readonly UserHeader[] = [], payload?: string): void {
    const partition = this.partitions[partitionId]!;
    for (let index = 0; index < count; index++) {
      const offset = partition.firstOffset + partition.messages.length;
      const text = payload ?? `${partition.purges}/${partitionId}/${offset}`;
      partition.messages.push({
        checksum: 0n,
        id: BigInt(offset) + 1n,
        offset: BigInt(offset),
        timestampMicros: BigInt(Math.floor(this.time.nowMs() * 1000)),
        originTimestampMicros: 7n,
        reserved: 0n,
        payload: utf8.encode(text),
        userHeaders: headers.length === 0 ? new Uint8Array() : encode(userHeadersCodec, headers),
      });
    }
    this.changed.ring();
  }

  /** Removes the oldest messages; offsets stay. */
  retain(partitionId: number, keep: number): void {
    const partition = this.partitions[partitionId]!;
    const removed = Math.max(0, partition.messages.length - Math.max(1, keep));
    partition.firstOffset += removed;
    partition.messages.splice(0, removed);
  }

  purge(): void {
    for (const partition of this.partitions) {
      partition.firstOffset = 0;
      partition.messages = [];
      partition.stored.clear();
      partition.lastPolled = undefined;
      partition.purges++;
    }
    for (const partitionId of [...this.promised.keys()]) this.#moveIfSettled(partitionId);
    this.changed.ring();
  }

  addPartitions(count: number): void {
    for (let index = 0; index < count; index++) {
      this.partitions.push({ firstOffset: 0, messages: [], stored: new Map(), lastPolled: undefined, purges: 0 });
    }
    this.#rebalance();
  }

  ownerOf(partitionId: number): number | undefined {
    return this.members.find(({ partitions }) => partitions.includes(partitionId))?.clientId;
  }

  join(clientId: number): void {
    if (this.members.some((member) => member.clientId === clientId)) return;
    const joined: Member = { clientId, partitions: [], turns: 0 };
    this.members.push(joined);
    const given = new Set(this.members.flatMap(({ partitions }) => partitions));
    const free = this.partitions.map((_, id) => id).filter((id) => !given.has(id));
    for (const partitionId of free) this.#give(partitionId, joined);
    if (free.length > 0) return;
    const fair = Math.floor(this.partitions.length / this.members.length);
    let rest = this.partitions.length % this.members.length;
    for (const member of this.members) {
      const allowed = rest-- > 0 ? fair + 1 : fair;
      const open = member.partitions.filter((id) => !this.promised.has(id));
      if (open.length <= allowed) continue;
      const excess = open[open.length - 1]!;
      this.changed.ring();
      this.promised.set(excess, { source: member.clientId, target: clientId, sinceMs: this.time.nowMs() });
      this.#moveIfSettled(excess);
      return; // one for each who joins
    }
  }

  leave(clientId: number): void {
    const before = this.members.length;
    this.members = this.members.filter((member) => member.clientId !== clientId);
    if (this.members.length === before) return;
    for (const id of this.partitions.keys()) if (this.ownerOf(id) === undefined) this.onMoved(id, undefined);
    for (const partition of this.partitions) {
      if (partition.lastPolled?.clientId === clientId) partition.lastPolled = undefined;
    }
    this.#rebalance();
  }

  /** As the broker checks from time to time. */
  forceOverdue(): void {
    for (const [partitionId, { sinceMs }] of [...this.promised]) {
      if (this.time.nowMs() - sinceMs >= rebalancingTimeoutMs) this.#move(partitionId);
    }
  }

  #rebalance(): void {
    this.promised.clear();
    for (const member of this.members) member.partitions = [];
    if (this.members.length === 0) return;
    for (const id of this.partitions.keys()) this.#give(id, this.members[id % this.members.length]!);
  }

  #give(partitionId: number, member: Member): void {
    member.partitions.push(partitionId);
    this.changed.ring();
    this.onMoved(partitionId, member.clientId);
  }

  #moveIfSettled(partitionId: number): void {
    const { source } = this.promised.get(partitionId)!;
    const { lastPolled, stored } = this.partitions[partitionId]!;
    const isSettled = lastPolled?.clientId !== source || (stored.get("group") ?? -1) >= lastPolled.offset;
    if (isSettled) this.#move(partitionId);
  }

  #move(partitionId: number): void {
    const { source, target } = this.promised.get(partitionId)!;
    this.promised.delete(partitionId);
    const from = this.members.find(({ clientId }) => clientId === source);
    const to = this.members.find(({ clientId }) => clientId === target);
    if (from === undefined || to === undefined) return;
    from.partitions = from.partitions.filter((id) => id !== partitionId);
    this.partitions[partitionId]!.lastPolled = undefined;
    this.#give(partitionId, to);
  }

  memberOf(clientId: number): Member {
    const member = this.members.find((one) => one.clientId === clientId);
    if (member === undefined) throw new IggyError("ConsumerGroupMemberNotFound");
    return member;
  }

  /** The same for the same partitions, without those that are promised to others. */
  assignmentNumber(clientId: number): bigint {
    const open = this.openPartitions(clientId);
    const name = open.join();
    const number = this.#assignments.get(name) ?? BigInt(this.#assignments.size + 1);
    this.#assignments.set(name, number);
    return number;
  }

  /** Those of a member that are not promised to others. */
  openPartitions(clientId: number): number[] {
    return this.memberOf(clientId).partitions.filter((id) => !this.promised.has(id));
  }

  turn(clientId: number): PollReply {
    const member = this.memberOf(clientId);
    const open = this.openPartitions(clientId);
    if (open.length === 0) return this.reply(0, 0, []);
    const partitionId = open[member.turns++ % open.length]!;
    return this.reply(partitionId, this.head(partitionId), []);
  }

  poll(request: PollRequest, consumer: string, clientId: number | undefined): PollReply {
    const { partitionId, from, count, autoCommit } = request;
    if (clientId !== undefined && !this.memberOf(clientId).partitions.includes(partitionId))
      return this.reply(0, 0, []);
    const partition = this.partitions[partitionId];
    if (partition === undefined) throw new IggyError("PartitionNotFound", [partitionId]);
    const start =
      from.kind === "offset"
        ? Math.max(0, from.offset - partition.firstOffset)
        : partition.messages.findIndex(({ timestampMicros }) => timestampMicros >= from.timestampMicros);
    const messages = start < 0 ? [] : partition.messages.slice(start, start + count);
    const last = messages[messages.length - 1];
    if (last !== undefined) {
      const offset = Number(last.offset);
      if (clientId !== undefined) partition.lastPolled = { clientId, offset };
      if (autoCommit) this.store(partitionId, offset, consumer, clientId);
    }
    return this.reply(partitionId, this.head(partitionId), messages);
  }

  /** A position that readers can have come to only before a purge. */
  endsBefore({ partitionId, from }: PollRequest): boolean {
    const { firstOffset, messages } = this.partitions[partitionId]!;
    return from.kind === "offset" && from.offset > firstOffset + messages.length;
  }

  /** Through the bytes of the protocol. */
  reply(partitionId: number, headOffset: number, messages: readonly PolledMessage[]): PollReply {
    return readPollReply(encode(pollMessagesReplyCodec, { partitionId, currentOffset: BigInt(headOffset), messages }));
  }

  requireOwned(partitionId: number, clientId: number | undefined): void {
    if (clientId === undefined || this.memberOf(clientId).partitions.includes(partitionId)) return;
    throw new IggyError("NotResolvedConsumer");
  }

  store(partitionId: number, offset: number, consumer: string, clientId: number | undefined): void {
    this.requireOwned(partitionId, clientId);
    const partition = this.partitions[partitionId]!;
    if (offset >= partition.firstOffset + partition.messages.length) throw new IggyError("InvalidOffset", [offset]);
    partition.stored.set(consumer, offset);
    if (clientId !== undefined && this.promised.has(partitionId)) this.#moveIfSettled(partitionId);
  }

  connect(consumer = "group", latencyMs = 1): SimulatedConnection {
    return new SimulatedConnection(this, consumer, latencyMs);
  }
}

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

  get pushes(): (() => Promise<PushCommands>) | undefined {
    return this.canPush ? async () => this.#makePushes() : undefined;
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
      const nothing = { reply: undefined, assignmentNumber, isRefused: false };
      for (const request of this.#wanted(requests)) {
        const reply = topic.poll(request, this.#consumer, this.#memberId);
        const isAsked = requests.some(({ partitionId }) => partitionId === request.partitionId);
        if (reply.messages.messagesCount > 0) return { ...nothing, reply: isAsked ? reply : undefined };
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
    this.#topic.leave(this.clientId);
  }
}
