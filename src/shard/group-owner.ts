// What the owner of a partition does for consumer groups: it serves the partition to the member that it belongs to and to
// nobody else, and it finds out when a partition that was promised to another member may move (spec SB 6.4, 6.5). The check is
// made here, not where the member is connected: copies of the metadata change one after the other, and only the owner sees
// every poll and every commit in one order. So a late commit of the old member can not undo one of the new.
import {
  type ConsumerGroup,
  type GroupKey,
  type GroupMember,
  type MetadataEvent,
  type MetadataState,
  mayPollPartition,
  memberOf,
  ownsPartition,
  pendingRevocations,
  pendingRevocationsOf,
  type RevocationTarget,
  type SettledReason,
} from "../metadata/index.ts";
import { IggyError } from "../protocol/errors.ts";
import type { ConsumerKey } from "../storage/index.ts";
import type { LocalPartitions } from "./local-partitions.ts";
import { partitionKeyOf, splitPartitionKey } from "./placement.ts";

export interface GroupOwnerOptions {
  readonly state: MetadataState;
  readonly partitions: Pick<LocalPartitions, "find" | "require">;
  /** Tells the single writer that the promise can be kept; resolves when that is done, or known not to be. */
  readonly complete: (target: RevocationTarget, reason: SettledReason) => Promise<void>;
  /** What could not be done, and nobody waits for; for the log. */
  readonly onFailure: (thrown: unknown) => void;
}

export class GroupOwner {
  readonly #options: GroupOwnerOptions;
  /** Who was sent messages last, by partition and group. */
  readonly #pollers: ByGroup<number> = new Map();
  /** Moves that are on their way, by partition and group. */
  readonly #moves: ByGroup<RevocationTarget> = new Map();

  constructor(options: GroupOwnerOptions) {
    this.#options = options;
  }

  /** The group that a consumer is now: one that is made later under its number is another. Undefined: none. */
  find(partitionKey: number, consumer: ConsumerKey): ConsumerGroup | undefined {
    if (consumer.kind !== "group") return undefined;
    const { streamId, topicId } = splitPartitionKey(partitionKey);
    return this.#options.state.streams.byId.get(streamId)?.topics.byId.get(topicId)?.groups.byId.get(consumer.id);
  }

  /** Throws NotResolvedConsumer (3022) unless the partition belongs to the client in this group: then it may commit. */
  requireOwned(partitionKey: number, groupId: number, clientId: number): void {
    const member = this.#memberOf(partitionKey, groupId, clientId);
    const { partitionId } = splitPartitionKey(partitionKey);
    if (member === undefined || !ownsPartition(member, partitionId)) throw notResolved(groupId);
  }

  /**
   * The same for a poll. A partition that waits to be moved is served on, so that an old member can take up what it has polled;
   * not where `isFenced` (spec P9 9.4), and to nobody once the move is on its way: what was sent then could not be committed.
   */
  requireServed(partitionKey: number, groupId: number, clientId: number, isFenced: boolean): void {
    const member = this.#memberOf(partitionKey, groupId, clientId);
    const { partitionId } = splitPartitionKey(partitionKey);
    const mayPoll = isFenced ? mayPollPartition : ownsPartition;
    if (member === undefined || !mayPoll(member, partitionId)) throw notResolved(groupId);
    if (this.#moves.get(partitionKey)?.get(groupId)?.sourceClientId === clientId) throw notResolved(groupId);
  }

  #memberOf(partitionKey: number, groupId: number, clientId: number): GroupMember | undefined {
    const group = this.find(partitionKey, { kind: "group", id: groupId });
    return group && memberOf(group, clientId);
  }

  /** The client was sent messages up to `lastOffset`. */
  polled(partitionKey: number, groupId: number, clientId: number, lastOffset: number): void {
    this.#options.partitions.require(partitionKey).notePolled(groupId, lastOffset);
    remember(this.#pollers, partitionKey, groupId, clientId);
  }

  /**
   * The group's offset was stored: a promised partition may be free now. The promise, if there is one, resolves when it has
   * moved: who committed sees that with the reply. Undefined otherwise, which is nearly always.
   */
  committed(partitionKey: number, groupId: number): Promise<void> | undefined {
    const { streamId, topicId, partitionId } = splitPartitionKey(partitionKey);
    const pending = pendingRevocationsOf(this.#options.state, { streamId, topicId, groupId });
    for (const target of pending) if (target.partitionId === partitionId) return this.#completeIfSettled(target);
    return undefined;
  }

  /**
   * The event is applied to the state, and its effects on partitions are done. Nobody waits for the moves that follow: the
   * writer waits for this shard, and would wait for itself.
   */
  follow(event: MetadataEvent): void {
    switch (event.kind) {
      case "groupMemberJoined":
        for (const clientId of event.goneClientIds) this.#forgetPolls(event, clientId);
        for (const target of pendingRevocationsOf(this.#options.state, event)) {
          const isNew = target.targetClientId === event.clientId;
          void this.#completeIfSettled(target, isNew ? "unread" : "committed");
        }
        return;
      case "groupMembersLeft":
        for (const clientId of event.clientIds) this.#forgetPolls(event, clientId);
        return;
      case "groupRevocationCompleted":
        this.#forgetPoll(partitionKeyOf(event.streamId, event.topicId, event.partitionId), event.groupId);
        return;
      case "groupDeleted":
        this.#deleteGroup(event);
        return;
      case "topicPurged":
      case "streamPurged":
        // What was polled is gone, so nobody has to commit it.
        for (const target of pendingRevocations(this.#options.state)) void this.#completeIfSettled(target);
        return;
      case "partitionsDeleted":
      case "topicDeleted":
      case "streamDeleted":
        for (const key of this.#pollers.keys()) {
          if (this.#options.partitions.find(key) === undefined) this.#pollers.delete(key);
        }
        return;
      default:
        return; // nothing that concerns groups
    }
  }

  /** Whoever polled before the partition came to the source can not commit any more: nothing to wait for. */
  #completeIfSettled(target: RevocationTarget, reason: SettledReason = "committed"): Promise<void> | undefined {
    const key = partitionKeyOf(target.streamId, target.topicId, target.partitionId);
    const partition = this.#options.partitions.find(key);
    if (partition === undefined) return undefined; // another shard's
    const pollerClientId = this.#pollers.get(key)?.get(target.groupId);
    const isSettled = pollerClientId !== target.sourceClientId || partition.isRevocationSettled(target.groupId);
    return isSettled ? this.#complete(key, target, reason) : undefined;
  }

  /** Until the move is done, or known not to be, nothing more is sent to the member that the partition is taken from. */
  async #complete(partitionKey: number, target: RevocationTarget, reason: SettledReason): Promise<void> {
    const { groupId } = target;
    remember(this.#moves, partitionKey, groupId, target);
    try {
      await this.#options.complete(target, reason);
    } finally {
      const isLatest = this.#moves.get(partitionKey)?.get(groupId) === target;
      if (isLatest) forget(this.#moves, partitionKey, groupId);
    }
  }

  /** Nobody will commit what a member polled that has left. */
  #forgetPolls({ streamId, topicId, groupId }: GroupKey, clientId: number): void {
    for (const [key, pollers] of this.#pollers) {
      const place = splitPartitionKey(key);
      if (place.streamId !== streamId || place.topicId !== topicId) continue;
      if (pollers.get(groupId) === clientId) this.#forgetPoll(key, groupId);
    }
  }

  #forgetPoll(partitionKey: number, groupId: number): void {
    this.#options.partitions.find(partitionKey)?.clearLastPolled(groupId);
    forget(this.#pollers, partitionKey, groupId);
  }

  /** The group is gone by now, whatever becomes of its files: one that stays is known as a deleted group's. */
  #deleteGroup({ streamId, topicId, groupId }: GroupKey): void {
    const topic = this.#options.state.streams.byId.get(streamId)?.topics.byId.get(topicId);
    for (let partitionId = 0; partitionId < (topic?.partitions.length ?? 0); partitionId++) {
      const key = partitionKeyOf(streamId, topicId, partitionId);
      this.#forgetPoll(key, groupId);
      try {
        this.#options.partitions.find(key)?.deleteGroupOffsets(groupId);
      } catch (thrown) {
        this.#options.onFailure(thrown);
      }
    }
  }
}

/** By partition key and group id. */
type ByGroup<Value> = Map<number, Map<number, Value>>;

function remember<Value>(values: ByGroup<Value>, partitionKey: number, groupId: number, value: Value): void {
  const ofPartition = values.get(partitionKey);
  if (ofPartition === undefined) values.set(partitionKey, new Map([[groupId, value]]));
  else ofPartition.set(groupId, value);
}

function forget<Value>(values: ByGroup<Value>, partitionKey: number, groupId: number): void {
  const ofPartition = values.get(partitionKey);
  ofPartition?.delete(groupId);
  if (ofPartition?.size === 0) values.delete(partitionKey);
}

function notResolved(groupId: number): IggyError {
  return new IggyError("NotResolvedConsumer", [groupId]);
}
