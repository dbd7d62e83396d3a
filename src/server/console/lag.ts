// One consumer group as the console shows it: how far it is behind in each partition, and who reads which.
import { type ConsumerGroup, isAllowed, requireGroup, type Stream, type Topic } from "../../metadata/index.ts";
import {
  type GroupLag,
  type GroupPlace,
  type LagMember,
  type LagPartition,
  lagPartitionsMax,
} from "../../protocol/console/groups.ts";
import { nameId } from "../../protocol/identifier.ts";
import type { GroupPartitionReport } from "../../shard/index.ts";
import type { ServerContext } from "../context.ts";
import { requireRight, userOf } from "../rights.ts";
import type { Session } from "../session.ts";

export interface FoundGroup {
  readonly stream: Stream;
  readonly topic: Topic;
  readonly group: ConsumerGroup;
}

/** Errors: 1009, 2010, 41, 5000. */
export function requireVisibleGroup({ shard }: ServerContext, session: Session, place: GroupPlace): FoundGroup {
  const target = { stream: nameId(place.stream), topic: nameId(place.topic), group: nameId(place.group) };
  const found = requireGroup(shard.state, target);
  requireRight(shard, session, "consumerGroup", found.stream.id, found.topic.id);
  return found;
}

/** Errors: 1009, 2010, 41, 5000. */
export async function lagOf(context: ServerContext, session: Session, place: GroupPlace): Promise<GroupLag> {
  const found = requireVisibleGroup(context, session, place);
  const reports = await groupPartitions(context, found, 0, lagPartitionsMax);
  return {
    at: String(context.clock.nowMicros()),
    members: await membersOf(context, session, found.group),
    partitions: reports.map(partitionOf),
    more: Math.max(0, found.topic.partitions.length - lagPartitionsMax),
  };
}

/** Of the partitions from `firstPartition` to `endPartition` (exclusive) those that are open, in their order. */
export async function groupPartitions(
  { shard }: ServerContext,
  { stream, topic, group }: FoundGroup,
  firstPartition: number,
  endPartition: number,
): Promise<readonly GroupPartitionReport[]> {
  const question = { streamId: stream.id, topicId: topic.id, groupId: group.id, firstPartition, endPartition };
  const answers = await shard.reports({ kind: "group", question });
  return answers.flat().sort((left, right) => left.partitionId - right.partitionId);
}

/** Users and addresses are for who may read servers. */
export async function membersOf(
  { shard }: ServerContext,
  session: Session,
  { members }: ConsumerGroup,
): Promise<readonly LagMember[]> {
  const isOpen = isAllowed(userOf(shard, session), "getClients");
  const clients = isOpen && members.length > 0 ? await shard.clients() : [];
  const byId = new Map(clients.map((client) => [client.clientId, client]));
  return members.map(({ clientId, partitions }) => {
    const client = byId.get(clientId);
    const user = client?.userId === undefined ? undefined : shard.state.users.byId.get(client.userId)?.name;
    return {
      clientId,
      partitions: [...partitions].sort((left, right) => left - right),
      ...(user === undefined ? {} : { user }),
      ...(client === undefined ? {} : { address: client.address }),
    };
  });
}

function partitionOf(report: GroupPartitionReport): LagPartition {
  const { partitionId, firstOffset, endOffset, storedOffset, polledOffset, storedAtMicros, lag, unreadMicros } = report;
  return {
    id: partitionId,
    first: String(firstOffset),
    end: String(endOffset),
    ...(storedOffset === undefined ? {} : { stored: String(storedOffset) }),
    ...(polledOffset === undefined ? {} : { polled: String(polledOffset) }),
    lag: String(lag),
    ...(storedAtMicros === undefined ? {} : { committedAt: String(storedAtMicros) }),
    ...(unreadMicros === undefined || lag === 0 ? {} : { unreadSince: String(unreadMicros) }),
  };
}
