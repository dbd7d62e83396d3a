// Subscriptions of a connection (docs/protocol-extensions.md): what is asked for, looked up. How they go on is in subscriptions/.
import { findPartition, pollablePartitions, requireTopic, type Stream, type Topic } from "../../metadata/index.ts";
import { IggyError } from "../../protocol/errors.ts";
import { creditBytesMax, type SubscribeRequest } from "../../protocol/extensions/subscribe.ts";
import { partitionKeyOf } from "../../shard/index.ts";
import { readFrom } from "../commands/message.ts";
import { requireMember, singleKey } from "../consumers.ts";
import type { ServerContext } from "../context.ts";
import { requireLoginHolds, requireRight } from "../rights.ts";
import type { Session } from "../session.ts";
import { PartitionsFollow } from "../subscriptions/partitions-follow.ts";
import type { SubscriptionState } from "../subscriptions/state.ts";
import { extension } from "./extension.ts";

/**
 * Opens a subscription of a session that has a place where things are pushed to; the current offset of the partition. Errors: those
 * of a poll that waits; 3022 for a partition that is not the member's; 5, 3 (`SubscriptionDesk.begin`).
 */
export function openSubscription(
  { shard, subscriptions }: ServerContext,
  session: Session,
  request: SubscribeRequest,
): number {
  const { stream, topic } = requireTopic(shard.state, request.stream, request.topic);
  requireRight(shard, session, "pollMessages", stream.id, topic.id);
  const state = stateOf(session, request, stream, topic);
  subscriptions.begin(session, state);
  const partitionKey = partitionKeyOf(stream.id, topic.id, state.partitionId);
  if (state.group === undefined) session.affinity.note(shard.remoteOwnerOf(partitionKey));
  return shard.counters.partition(partitionKey).currentOffset;
}

export const subscribe = extension("subscribe", (context, session, request) => ({
  currentOffset: BigInt(openSubscription(context, session, request)),
}));

export const addCredit = extension("addCredit", (_context, session, { subscriptionId, credit }) => {
  requireLoginHolds(session);
  session.subscriber?.addCredit(subscriptionId, credit);
  return undefined;
});

export const unsubscribe = extension("unsubscribe", (_context, session, { subscriptionId }) => {
  requireLoginHolds(session);
  return session.subscriber?.remove(subscriptionId);
});

/** Errors: those of a poll that waits; 5, 3 (`SubscriptionDesk.begin`). */
export const followPartitions = extension("followPartitions", ({ shard, subscriptions }, session, request) => {
  const { subscriptionId, consumer } = request;
  const { stream, topic } = requireTopic(shard.state, request.stream, request.topic);
  const userId = session.user!.id;
  const place = { kind: "partitions", id: subscriptionId, userId, streamId: stream.id, topicId: topic.id } as const;
  const follow = new PartitionsFollow({ ...place, consumer, knownNumber: 0n });
  const assignment = follow.assignment(shard, session);
  subscriptions.begin(session, { ...follow.state, knownNumber: assignment.assignmentNumber });
  return assignment;
});

/** Errors: 3007; for a group 30, 5000, 5006, and 3022 for a partition that is not the member's, or none. */
function stateOf(session: Session, request: SubscribeRequest, stream: Stream, topic: Topic): SubscriptionState {
  const isMember = request.consumer.kind === "group";
  const member = isMember ? requireMember(session, request.consumer, stream, topic) : undefined;
  const { partitionId = isMember ? undefined : 0 } = request;
  if (partitionId === undefined || (member && !pollablePartitions(member.member).includes(partitionId))) {
    throw new IggyError("NotResolvedConsumer", [request.consumer.id.value]);
  }
  const partition = findPartition(topic, partitionId);
  if (partition === undefined) throw new IggyError("PartitionNotFound", [partitionId, topic.id, stream.id]);
  const consumer = member ? ({ kind: "group", id: member.key.groupId } as const) : singleKey(request.consumer);
  return {
    kind: "messages",
    id: request.subscriptionId,
    userId: session.user!.id,
    streamId: stream.id,
    topicId: topic.id,
    partitionId,
    createdAtMicros: partition.createdAtMicros,
    consumer,
    group: isMember ? request.consumer : undefined,
    from: readFrom(request.strategy, consumer),
    countMax: request.count,
    autoCommit: request.autoCommit,
    credit: Math.min(request.credit, creditBytesMax),
    epoch: -1,
  };
}
