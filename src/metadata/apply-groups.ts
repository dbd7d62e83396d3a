/** Rules of the state machine for consumer groups and their members. */
import { assert } from "../platform/assert.ts";
import { addEntry, assertIdFree, assertNameFree, removeEntry, requireEntry } from "./catalog.ts";
import {
  createGroup,
  joinMember,
  leaveMembers,
  moveRevoked,
  ownsPartition,
  pendingRevocationOf,
  rebalance,
} from "./group-assignment.ts";
import { type Rules, requireTopicEntry } from "./rules.ts";
import type { ConsumerGroup, GroupKey, GroupMember, MetadataState, Topic } from "./state.ts";

export const groupRules: Rules<
  "groupCreated" | "groupDeleted" | "groupMemberJoined" | "groupMembersLeft" | "groupRevocationCompleted"
> = {
  groupCreated(state, event) {
    const { groups } = requireTopicEntry(state, event).topic;
    assertIdFree(groups, event.groupId);
    assertNameFree(groups, event.name);
    return () => addEntry(groups, createGroup(event.groupId, event.name, event.logId));
  },

  groupDeleted(state, event) {
    const { topic, group } = requireGroupEntry(state, event);
    return () => {
      forgetMembers(state, event, group);
      removeEntry(topic.groups, group);
    };
  },

  groupMemberJoined(state, event) {
    const { topic, group } = requireGroupEntry(state, event);
    const { clientId, goneClientIds, joinedAtMicros } = event;
    assert(!group.membersByClient.has(clientId), "who joins a group is not in it", { clientId });
    for (const goneClientId of goneClientIds) requireMember(group, goneClientId);
    return () => {
      joinMember(group, clientId, goneClientIds, topic.partitions.length, joinedAtMicros);
      for (const goneClientId of goneClientIds) forgetMembership(state, goneClientId, event);
      rememberMembership(state, clientId, event);
    };
  },

  groupMembersLeft(state, event) {
    const { topic, group } = requireGroupEntry(state, event);
    for (const clientId of event.clientIds) requireMember(group, clientId);
    return () => {
      leaveMembers(group, event.clientIds, topic.partitions.length);
      for (const clientId of event.clientIds) forgetMembership(state, clientId, event);
    };
  },

  groupRevocationCompleted(state, event) {
    const { group } = requireGroupEntry(state, event);
    const { partitionId, sourceClientId, targetClientId } = event;
    const source = requireMember(group, sourceClientId);
    const target = requireMember(group, targetClientId);
    const pending = pendingRevocationOf(source, partitionId);
    const isPromised = ownsPartition(source, partitionId) && pending?.targetClientId === targetClientId;
    assert(isPromised, "a partition moves to the member it was promised to", {
      partitionId,
      sourceClientId,
      targetClientId,
    });
    return () => {
      moveRevoked(source, target, partitionId);
      if (event.reason !== "unread") group.generation++;
    };
  },
};

/** After the partitions of a topic changed: every group gives them out anew (spec SB 5.4). */
export function rebalanceGroups(topic: Topic): void {
  for (const group of topic.groups.byId.values()) rebalance(group, topic.partitions.length);
}

/** Before a topic goes: nobody is a member of its groups any more. */
export function forgetGroups(state: MetadataState, streamId: number, topic: Topic): void {
  for (const group of topic.groups.byId.values()) {
    forgetMembers(state, { streamId, topicId: topic.id, groupId: group.id }, group);
  }
}

function requireGroupEntry(state: MetadataState, key: GroupKey): { topic: Topic; group: ConsumerGroup } {
  const { topic } = requireTopicEntry(state, key);
  return { topic, group: requireEntry(topic.groups, key.groupId) };
}

function requireMember(group: ConsumerGroup, clientId: number): GroupMember {
  const member = group.membersByClient.get(clientId);
  assert(member !== undefined, "an event names a member of the group", { clientId, groupId: group.id });
  return member;
}

function forgetMembers(state: MetadataState, key: GroupKey, group: ConsumerGroup): void {
  for (const { clientId } of group.members) forgetMembership(state, clientId, key);
}

function rememberMembership(state: MetadataState, clientId: number, { streamId, topicId, groupId }: GroupKey): void {
  const key: GroupKey = { streamId, topicId, groupId };
  const keys = state.groupsByClient.get(clientId);
  if (keys === undefined) state.groupsByClient.set(clientId, [key]);
  else keys.push(key);
}

function forgetMembership(state: MetadataState, clientId: number, key: GroupKey): void {
  const keys = state.groupsByClient.get(clientId) ?? [];
  const rest = keys.filter((other) => !isSameGroup(other, key));
  if (rest.length === 0) state.groupsByClient.delete(clientId);
  else state.groupsByClient.set(clientId, rest);
}

function isSameGroup(one: GroupKey, other: GroupKey): boolean {
  return one.streamId === other.streamId && one.topicId === other.topicId && one.groupId === other.groupId;
}
