/** Commands on consumer groups and their members, planned as in `commands.ts` (spec BP 4.9; spec SB 6). */
import { IggyError } from "../protocol/errors.ts";
import type { Identifier } from "../protocol/identifier.ts";
import type { TopicTarget } from "./commands.ts";
import type {
  GroupCreated,
  GroupDeleted,
  GroupMemberJoined,
  GroupMembersLeft,
  GroupRevocationCompleted,
  RevocationReason,
} from "./events.ts";
import { peekId } from "./id-allocator.ts";
import { requireGroup, requireTopic } from "./lookups.ts";
import type { GroupKey, GroupMember, MetadataState } from "./state.ts";

export interface GroupTarget extends TopicTarget {
  readonly group: Identifier;
}

/** Which promise is kept: a report about an earlier one for the same partition must not end a later one. */
export interface RevocationTarget extends GroupKey {
  readonly partitionId: number;
  readonly sourceClientId: number;
  readonly targetClientId: number;
  readonly sinceMicros: number;
}

/** Errors: 1009, 2010, ConsumerGroupNameAlreadyExists (5004). `logId`: 96 random bits in hex, for the group alone. */
export function planCreateGroup(
  state: MetadataState,
  request: TopicTarget & { readonly name: string },
  log?: { readonly logId: string },
): GroupCreated {
  const { stream, topic } = requireTopic(state, request.stream, request.topic);
  if (topic.groups.byName.has(request.name)) {
    throw new IggyError("ConsumerGroupNameAlreadyExists", [request.name, request.topic.value]);
  }
  const groupId = peekId(topic.groups.ids);
  return { kind: "groupCreated", streamId: stream.id, topicId: topic.id, groupId, name: request.name, ...log };
}

/** Errors: 1009, 2010, 5000. */
export function planDeleteGroup(state: MetadataState, request: GroupTarget): GroupDeleted {
  return { kind: "groupDeleted", ...requireGroup(state, request).key };
}

/**
 * Undefined if the client is a member already: joining twice is harmless (spec SB 6.1). `isClientConnected` is asked about
 * the other members: whoever is gone without having left makes room. Errors: 1009, 2010, 5000.
 */
export function planJoinGroup(
  state: MetadataState,
  request: GroupTarget,
  clientId: number,
  isClientConnected: (clientId: number) => boolean,
  nowMicros: number,
): GroupMemberJoined | undefined {
  const { group, key } = requireGroup(state, request);
  if (group.membersByClient.has(clientId)) return undefined;
  const goneClientIds = group.members.map((member) => member.clientId).filter((id) => !isClientConnected(id));
  return { kind: "groupMemberJoined", ...key, clientId, goneClientIds, joinedAtMicros: nowMicros };
}

/** Errors: 1009, 2010, 5000, ConsumerGroupMemberNotFound (5006). */
export function planLeaveGroup(state: MetadataState, request: GroupTarget, clientId: number): GroupMembersLeft {
  const { group, key } = requireGroup(state, request);
  if (!group.membersByClient.has(clientId)) {
    throw new IggyError("ConsumerGroupMemberNotFound", [clientId, request.group.value, request.topic.value]);
  }
  return { kind: "groupMembersLeft", ...key, clientIds: [clientId] };
}

/** A client disconnected or became stale: it leaves every group it is in. Each event fits whether or not the others are applied. */
export function planClientGone(state: MetadataState, clientId: number): GroupMembersLeft[] {
  const keys = state.groupsByClient.get(clientId) ?? [];
  return keys.map((key) => ({ kind: "groupMembersLeft", ...key, clientIds: [clientId] }));
}

/**
 * The owner of the partition found that the group has committed what it polled, or never polled (spec SB 6.5). Undefined if
 * the promise no longer stands: group, member or partition are gone, or the partitions were given out anew meanwhile.
 */
export function planCompleteRevocation(
  state: MetadataState,
  target: RevocationTarget,
  reason: RevocationReason,
): GroupRevocationCompleted | undefined {
  const { streamId, topicId, groupId, partitionId, sourceClientId, targetClientId, sinceMicros } = target;
  const group = state.streams.byId.get(streamId)?.topics.byId.get(topicId)?.groups.byId.get(groupId);
  const isPending = group?.membersByClient
    .get(sourceClientId)
    ?.pendingRevocations.some(
      (pending) =>
        pending.partitionId === partitionId &&
        pending.targetClientId === targetClientId &&
        pending.sinceMicros === sinceMicros,
    );
  if (isPending !== true) return undefined;
  return {
    kind: "groupRevocationCompleted",
    streamId,
    topicId,
    groupId,
    partitionId,
    sourceClientId,
    targetClientId,
    reason,
  };
}

/** What has waited for `timeoutMicros` moves by force. Each event fits whether or not the others are applied. */
export function planTimedOutRevocations(
  state: MetadataState,
  nowMicros: number,
  timeoutMicros: number,
): GroupRevocationCompleted[] {
  return pendingRevocations(state)
    .filter(({ sinceMicros }) => nowMicros - sinceMicros >= timeoutMicros)
    .map(({ sinceMicros: _, ...target }) => ({ kind: "groupRevocationCompleted", ...target, reason: "timedOut" }));
}

/** Every partition that waits to be moved. */
export function pendingRevocations(state: MetadataState): RevocationTarget[] {
  const targets: RevocationTarget[] = [];
  for (const [clientId, keys] of state.groupsByClient) {
    for (const key of keys) {
      const { streamId, topicId, groupId } = key;
      const group = state.streams.byId.get(streamId)?.topics.byId.get(topicId)?.groups.byId.get(groupId);
      const member = group?.membersByClient.get(clientId);
      if (member !== undefined) targets.push(...targetsOf(key, member));
    }
  }
  return targets;
}

/** The partitions of one group that wait to be moved: what the owners of the partitions have to look after. */
export function pendingRevocationsOf(state: MetadataState, key: GroupKey): RevocationTarget[] {
  const { streamId, topicId, groupId } = key;
  const group = state.streams.byId.get(streamId)?.topics.byId.get(topicId)?.groups.byId.get(groupId);
  return (group?.members ?? []).flatMap((member) => targetsOf({ streamId, topicId, groupId }, member));
}

function targetsOf(key: GroupKey, member: GroupMember): RevocationTarget[] {
  return member.pendingRevocations.map((pending) => ({ ...key, sourceClientId: member.clientId, ...pending }));
}
