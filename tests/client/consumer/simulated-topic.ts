// A topic with a consumer group as the broker keeps it (spec SB 4.5 to 4.8, 6.1 to 6.5), in memory. What the broker decides is
// here again in short form, so that a consumer can be driven through joins, leaves, cuts, purges and retention in simulated time.

import { readPollReply } from "../../../src/client/consumer/batch-bytes.ts";
import { Bell } from "../../../src/client/consumer/clock.ts";
import type { PollFrom, PollReply, PollRequest } from "../../../src/client/consumer/commands.ts";
import { encode } from "../../../src/protocol/codec.ts";
import { IggyError } from "../../../src/protocol/errors.ts";
import { type PolledMessage, pollMessagesReplyCodec } from "../../../src/protocol/message/poll-messages.ts";
import { messageHeaderBytes } from "../../../src/protocol/message-layout.ts";
import { type UserHeader, userHeadersCodec } from "../../../src/protocol/user-headers.ts";
import { SimulatedConnection } from "./simulated-connection.ts";
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
  /** Subscriptions that a connection may have. */
  subscriptionsMax = Number.POSITIVE_INFINITY;
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
    const messages = messagesFrom(partition, from).slice(0, count);
    const last = messages[messages.length - 1];
    if (last !== undefined) {
      const offset = Number(last.offset);
      if (clientId !== undefined) partition.lastPolled = { clientId, offset };
      if (autoCommit) this.store(partitionId, offset, consumer, clientId);
    }
    return this.reply(partitionId, this.head(partitionId), messages);
  }

  /** How many messages from there on fit into so many bytes; one at least. */
  countWithin(partitionId: number, from: PollFrom, bytesMax: number): number {
    let count = 0;
    let left = bytesMax;
    for (const { payload, userHeaders } of messagesFrom(this.partitions[partitionId]!, from)) {
      left -= messageHeaderBytes + payload.length + userHeaders.length;
      if (left < 0) break;
      count++;
    }
    return Math.max(1, count);
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

function messagesFrom({ firstOffset, messages }: SimulatedPartition, from: PollFrom): readonly PolledMessage[] {
  if (from.kind === "offset") return messages.slice(Math.max(0, from.offset - firstOffset));
  const start = messages.findIndex(({ timestampMicros }) => timestampMicros >= from.timestampMicros);
  return start < 0 ? [] : messages.slice(start);
}
