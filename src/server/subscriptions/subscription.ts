// One open subscription of a connection (docs/protocol-extensions.md): where it is in its partition, and how many bytes of messages
// its client still takes. While it waits it is this object, which is itself the watch of its partition, and nothing else.
import { findPartition, pollablePartitions, requireTopic } from "../../metadata/index.ts";
import type { Consumer } from "../../protocol/consumer.ts";
import { IggyError } from "../../protocol/errors.ts";
import type { SubscriptionEnding } from "../../protocol/extensions/pushes.ts";
import { creditBytesMax, pushBytesMax } from "../../protocol/extensions/subscribe.ts";
import { numericId } from "../../protocol/identifier.ts";
import { type PlacedRead, partitionKeyOf, type Shard, Watch, type Watcher } from "../../shard/index.ts";
import type { ConsumerKey, ReadFrom } from "../../storage/index.ts";
import { requireMember } from "../consumers.ts";
import { requireRight } from "../rights.ts";
import type { Session } from "../session.ts";
import type { SubscriptionState } from "./state.ts";

/** Why it is over. */
export type Stop = { readonly ending: Exclude<SubscriptionEnding, "error"> } | { readonly error: unknown };

export class Subscription extends Watch {
  readonly kind = "messages";
  readonly id: number;
  readonly userId: number;
  readonly streamId: number;
  readonly topicId: number;
  readonly partitionId: number;
  readonly createdAtMicros: number;
  readonly consumer: ConsumerKey;
  readonly group: Consumer | undefined;
  from: ReadFrom;
  readonly countMax: number;
  readonly autoCommit: boolean;
  /** Bytes; below 1: nothing is read. The message that used it up may have been larger. */
  credit: number;
  epoch: number;
  /** Is to be read, as soon as its turn comes. */
  isDue = false;
  /** Said while it is read: it ends when that is done. */
  stop: Stop | undefined;

  constructor(state: SubscriptionState, watcher: Watcher) {
    super(partitionKeyOf(state.streamId, state.topicId, state.partitionId), watcher);
    this.id = state.id;
    this.userId = state.userId;
    this.streamId = state.streamId;
    this.topicId = state.topicId;
    this.partitionId = state.partitionId;
    this.createdAtMicros = state.createdAtMicros;
    this.consumer = state.consumer;
    this.group = state.group;
    this.from = state.from;
    this.countMax = state.countMax;
    this.autoCommit = state.autoCommit;
    this.credit = state.credit;
    this.epoch = state.epoch;
  }

  get state(): SubscriptionState {
    const { kind, id, userId, streamId, topicId, partitionId, createdAtMicros } = this;
    const { consumer, group, from, countMax, autoCommit, credit, epoch } = this;
    const place = { id, userId, streamId, topicId, partitionId, createdAtMicros };
    return { kind, ...place, consumer, group, from, countMax, autoCommit, credit, epoch };
  }

  addCredit(bytes: number): void {
    this.credit = Math.min(this.credit + bytes, creditBytesMax);
  }

  /** What the credit allows, of what is there. Errors: those of a poll; 3022 where it is not the member's at its owner. */
  read(shard: Shard, { clientId }: Session): PlacedRead | Promise<PlacedRead> {
    return shard.read({
      partitionKey: this.partitionKey,
      from: this.from,
      countMax: this.countMax === 0 ? pushBytesMax : this.countMax,
      bytesMax: Math.min(this.credit, pushBytesMax),
      autoCommit: this.autoCommit,
      consumer: this.consumer,
      memberClientId: this.group && clientId,
      isFenced: this.group !== undefined,
    });
  }

  /** After a change of the metadata or of the login: why it may not go on; undefined: it may. */
  check(shard: Shard, session: Session): Stop | undefined {
    const { streamId, topicId, partitionId, group } = this;
    try {
      requireSameUser(session, this.userId);
      const { stream, topic } = requireTopic(shard.state, numericId(streamId), numericId(topicId));
      requireRight(shard, session, "pollMessages", streamId, topicId);
      if (findPartition(topic, partitionId)?.createdAtMicros !== this.createdAtMicros) {
        throw new IggyError("PartitionNotFound", [partitionId, topicId, streamId]);
      }
      if (group !== undefined) {
        const { member } = requireMember(session, group, stream, topic);
        return pollablePartitions(member).includes(partitionId) ? undefined : { ending: "assignmentChanged" };
      }
      return undefined;
    } catch (error) {
      return { error };
    }
  }
}

/** Throws Unauthenticated (40), or Unauthorized (41) where the session acts as somebody else by now. */
export function requireSameUser({ user }: Session, userId: number): void {
  if (user === undefined) throw new IggyError("Unauthenticated");
  if (user.id !== userId) throw new IggyError("Unauthorized");
}
