// From the consumer of a request to the partition that is meant and the key under which its offset is kept.
import {
  type ConsumerGroup,
  findGroup,
  findPartition,
  type GroupKey,
  type GroupMember,
  mayPollPartition,
  memberOf,
  ownsPartition,
  pollablePartitions,
  type Stream,
  type Topic,
} from "../metadata/index.ts";
import type { Consumer } from "../protocol/consumer.ts";
import { IggyError } from "../protocol/errors.ts";
import { xxHash32 } from "../protocol/xxhash32.ts";
import type { ConsumerKey } from "../storage/index.ts";
import { lastPolled, notePolled, takeTurn } from "./group-turns.ts";
import { requireLiveMember, type Session } from "./session.ts";

const utf8 = new TextEncoder();

/** A partition and who reads it. */
export interface ConsumerPlace {
  readonly partitionId: number;
  readonly consumer: ConsumerKey;
  /** The client, where it acts as a member of a group: the owner of the partition checks that it is its turn. */
  readonly memberClientId: number | undefined;
}

export interface ConsumerRequest {
  readonly consumer: Consumer;
  readonly partitionId: number | undefined;
}

/**
 * What a poll reads (spec SB 4.5). Undefined: a group's member to whom nothing belongs, an empty success; of one that chooses
 * its partitions also where there is no such member (spec P9 9.4). Errors: 3007 for a single consumer; 30, 5000, 5006 for a
 * group.
 */
export function placeOfPoll(
  session: Session,
  request: ConsumerRequest,
  stream: Stream,
  topic: Topic,
): ConsumerPlace | undefined {
  const { consumer, partitionId } = request;
  if (consumer.kind !== "group") return placeOfSingle(consumer, partitionId, stream, topic);
  if (partitionId !== undefined && isFencedPoll(session, request)) {
    return placeOfFencedPoll(session, consumer, partitionId, stream, topic);
  }
  const { key, member } = requireMember(session, consumer, stream, topic);
  if (partitionId === undefined) {
    const turn = takeTurn(session.groupTurns, key, pollablePartitions(member));
    return turn === undefined ? undefined : placeOfMember(session, key, turn);
  }
  // Also a partition that the topic does not have: its number must not be taken for one of another topic.
  if (!ownsPartition(member, partitionId)) return undefined;
  notePolled(session.groupTurns, key, partitionId);
  return placeOfMember(session, key, partitionId);
}

/**
 * Where an offset is stored or deleted (spec SB 4.8). A member that names no partition means the one that it polled last
 * (the original takes the next one; spec SB 13, trap 33), or before its first poll the one that it will poll. Errors: 3007
 * for a single consumer; 30, 5000, 5006, 3022 for a group.
 */
export function placeOfCommit(
  session: Session,
  { consumer, partitionId }: ConsumerRequest,
  stream: Stream,
  topic: Topic,
): ConsumerPlace {
  if (consumer.kind !== "group") return placeOfSingle(consumer, partitionId, stream, topic);
  const { key, member } = requireMember(session, consumer, stream, topic);
  const meant = partitionId ?? lastPolled(session.groupTurns, key) ?? pollablePartitions(member)[0];
  if (meant === undefined || !ownsPartition(member, meant)) {
    throw new IggyError("NotResolvedConsumer", [consumer.id.value]);
  }
  return placeOfMember(session, key, meant);
}

/**
 * Whether a poll is one of a member that chooses its partition itself, after a sync of its group, as those of 0.9 do: whatever
 * is not its own is answered with the fence, which makes it sync again (spec P9 9.2, 9.4).
 */
export function isFencedPoll({ protocol }: Session, { consumer, partitionId }: ConsumerRequest): boolean {
  return protocol === "0.9" && consumer.kind === "group" && partitionId !== undefined;
}

/**
 * What a client is told whose offset is not stored or deleted. One of 0.9 that commits for a group gets 20 whether the
 * partition, the membership or the group is not there: each time the answer is to sync (spec P9 9.4).
 */
export function refusalOfCommit(
  session: Session,
  { consumer, partitionId }: ConsumerRequest,
  thrown: unknown,
): unknown {
  if (session.protocol !== "0.9" || consumer.kind !== "group" || !(thrown instanceof IggyError)) return thrown;
  switch (thrown.errorName) {
    case "NotResolvedConsumer":
    case "ConsumerGroupMemberNotFound":
    case "ConsumerGroupIdNotFound":
      return new IggyError("ResourceNotFound", [`partition ${partitionId ?? "none"} of the group`]);
    default:
      return thrown;
  }
}

/** Whose stored offset is asked for; membership is not needed. Undefined for an unknown group or partition (spec SB 4.8). */
export function placeOfStored({ consumer, partitionId }: ConsumerRequest, topic: Topic): ConsumerPlace | undefined {
  const meant = partitionId ?? 0;
  if (findPartition(topic, meant) === undefined) return undefined;
  if (consumer.kind !== "group")
    return { partitionId: meant, consumer: singleKey(consumer), memberClientId: undefined };
  const group = findGroup(topic, consumer.id);
  if (group === undefined) return undefined;
  return { partitionId: meant, consumer: { kind: "group", id: group.id }, memberClientId: undefined };
}

/** A single consumer's number: as given, or the hash of its name (spec BP 3.3), beside which the name is kept. */
export function singleKey({ id }: Consumer): ConsumerKey {
  if (id.kind === "numeric") return { kind: "consumer", id: id.value };
  return { kind: "consumer", id: xxHash32(utf8.encode(id.value)), name: id.value };
}

function placeOfSingle(
  consumer: Consumer,
  partitionId: number | undefined,
  stream: Stream,
  topic: Topic,
): ConsumerPlace {
  const meant = partitionId ?? 0;
  if (findPartition(topic, meant) === undefined) {
    throw new IggyError("PartitionNotFound", [meant, topic.id, stream.id]);
  }
  return { partitionId: meant, consumer: singleKey(consumer), memberClientId: undefined };
}

function placeOfFencedPoll(
  session: Session,
  { id }: Consumer,
  partitionId: number,
  stream: Stream,
  topic: Topic,
): ConsumerPlace | undefined {
  requireLiveMember(session);
  const group = findGroup(topic, id);
  const member = group && memberOf(group, session.clientId);
  if (!group || !member || !mayPollPartition(member, partitionId)) return undefined;
  const key = keyOf(stream, topic, group);
  notePolled(session.groupTurns, key, partitionId);
  return placeOfMember(session, key, partitionId);
}

function placeOfMember(session: Session, { groupId }: GroupKey, partitionId: number): ConsumerPlace {
  return { partitionId, consumer: { kind: "group", id: groupId }, memberClientId: session.clientId };
}

/** The member that the client is in a group. Errors: 30, 5000, 5006. */
export function requireMember(
  session: Session,
  consumer: Consumer,
  stream: Stream,
  topic: Topic,
): { readonly key: GroupKey; readonly group: ConsumerGroup; readonly member: GroupMember } {
  requireLiveMember(session);
  const group = findGroup(topic, consumer.id);
  if (group === undefined) throw new IggyError("ConsumerGroupIdNotFound", [consumer.id.value, topic.name]);
  const member = memberOf(group, session.clientId);
  if (member === undefined) {
    throw new IggyError("ConsumerGroupMemberNotFound", [session.clientId, group.id, topic.id]);
  }
  return { key: keyOf(stream, topic, group), group, member };
}

function keyOf(stream: Stream, topic: Topic, group: ConsumerGroup): GroupKey {
  return { streamId: stream.id, topicId: topic.id, groupId: group.id };
}
