/**
 * Who gets which partition of a consumer group (spec SB 6.2, 6.3, 6.5). Two ways: `rebalance` gives all partitions out anew
 * and evenly, after somebody left or the partitions changed; `joinMember` takes at most one partition from each member that
 * has too many, and only once its messages are committed. Both keep the rule: while there is a member, every partition of
 * the topic belongs to exactly one. Unlike in the original the partitions of members that are found gone at a join are given
 * out again, and lists are empty once there is no partition left (spec SB 13, traps 35 and 36).
 */
import { assert } from "../platform/assert.ts";
import { createIdAllocator, freeId, peekId, takeId } from "./id-allocator.ts";
import type { ConsumerGroup, GroupMember, PendingRevocation } from "./state.ts";

/** A group without members. */
export function createGroup(id: number, name: string, logId: string | undefined): ConsumerGroup {
  return { id, name, logId, members: [], membersByClient: new Map(), slots: createIdAllocator(), generation: 0 };
}

/** The partitions of the topic have changed: all are given out anew. Nothing changes for a group without members. */
export function rebalance(group: ConsumerGroup, partitionsCount: number): void {
  if (group.members.length === 0) return;
  giveAllAnew(group, partitionsCount);
  group.generation++;
}

/** Adds a member for `clientId`, after the members of `goneClientIds` are removed. */
export function joinMember(
  group: ConsumerGroup,
  clientId: number,
  goneClientIds: readonly number[],
  partitionsCount: number,
  nowMicros: number,
): void {
  for (const goneClientId of goneClientIds) removeMember(group, goneClientId);
  addMember(group, clientId);
  giveUnassigned(group, partitionsCount);
  promiseExcess(group, partitionsCount, nowMicros);
  group.generation++;
}

/** Removes members and gives all partitions out anew. */
export function leaveMembers(group: ConsumerGroup, clientIds: readonly number[], partitionsCount: number): void {
  for (const clientId of clientIds) removeMember(group, clientId);
  giveAllAnew(group, partitionsCount);
  group.generation++;
}

/** Carries out a pending revocation: the partition moves to the member it was promised to. */
export function moveRevoked(source: GroupMember, target: GroupMember, partitionId: number): void {
  removeFirst(source.pendingRevocations, (pending) => pending.partitionId === partitionId);
  removeFirst(source.partitions, (id) => id === partitionId);
  target.partitions.push(partitionId);
}

/** The member of a client; undefined if it is not in the group. */
export function memberOf(group: ConsumerGroup, clientId: number): GroupMember | undefined {
  return group.membersByClient.get(clientId);
}

/** Whether a partition is served to this member, by an explicit poll also while it waits to be moved (spec SB 6.4). */
export function ownsPartition(member: GroupMember, partitionId: number): boolean {
  return member.partitions.includes(partitionId);
}

/** Whether it is served to this member and does not wait to be moved: what a member of 0.9 may poll (spec P9 9.4). */
export function mayPollPartition(member: GroupMember, partitionId: number): boolean {
  return ownsPartition(member, partitionId) && !isPending(member, partitionId);
}

/** What polls go round: the member's partitions without those that wait to be moved. The caller must not change the list. */
export function pollablePartitions(member: GroupMember): readonly number[] {
  if (member.pendingRevocations.length === 0) return member.partitions;
  return member.partitions.filter((id) => !isPending(member, id));
}

/** The promise that a partition of this member goes to another one, if there is one. */
export function pendingRevocationOf(member: GroupMember, partitionId: number): PendingRevocation | undefined {
  return member.pendingRevocations.find((pending) => pending.partitionId === partitionId);
}

/** Partition i goes to member i modulo the number of members, in slot order. Nothing stays pending. */
function giveAllAnew({ members }: ConsumerGroup, partitionsCount: number): void {
  for (const member of members) {
    member.partitions.length = 0;
    member.pendingRevocations.length = 0;
  }
  giveRoundRobin(members, range(partitionsCount));
}

function addMember(group: ConsumerGroup, clientId: number): void {
  const { members, membersByClient, slots } = group;
  const slot = peekId(slots);
  takeId(slots, slot);
  const memberId = members.reduce((highest, member) => Math.max(highest, member.memberId), -1) + 1;
  const member: GroupMember = { slot, memberId, clientId, partitions: [], pendingRevocations: [] };
  const place = members.findIndex((other) => other.slot > slot);
  members.splice(place < 0 ? members.length : place, 0, member);
  membersByClient.set(clientId, member);
}

/** Its partitions belong to nobody afterwards; what it was promised stays where it is. */
function removeMember(group: ConsumerGroup, clientId: number): void {
  const member = group.membersByClient.get(clientId);
  assert(member !== undefined, "who leaves a group is a member of it", { clientId, groupId: group.id });
  removeFirst(group.members, (other) => other === member);
  group.membersByClient.delete(clientId);
  freeId(group.slots, member.slot);
  for (const other of group.members) {
    removeFirst(other.pendingRevocations, (pending) => pending.targetClientId === clientId);
  }
}

/** Partitions that belong to nobody go round the members that have none; the joiner is one of them. */
function giveUnassigned(group: ConsumerGroup, partitionsCount: number): void {
  const assigned = new Set(group.members.flatMap((member) => member.partitions));
  const unassigned = range(partitionsCount).filter((id) => !assigned.has(id));
  giveRoundRobin(
    group.members.filter((member) => member.partitions.length === 0),
    unassigned,
  );
}

/**
 * Promises partitions of members that have more than their share to members that have and expect none, one to each. A
 * member's share is the even one, and one more for the first who hold any while the division leaves a rest.
 */
function promiseExcess(group: ConsumerGroup, partitionsCount: number, nowMicros: number): void {
  const { members } = group;
  const promised = new Set(members.flatMap((member) => member.pendingRevocations).map((one) => one.targetClientId));
  const idle = members.filter((member) => member.partitions.length === 0 && !promised.has(member.clientId));
  const fairShare = Math.floor(partitionsCount / members.length);
  let rest = partitionsCount % members.length;
  for (const source of members) {
    const kept = source.partitions.filter((id) => !isPending(source, id));
    if (kept.length === 0) continue; // idle, or about to be: it takes no part of the rest
    const allowed = rest > 0 ? fairShare + 1 : fairShare;
    rest = Math.max(0, rest - 1);
    while (kept.length > allowed) {
      const target = idle.shift();
      if (target === undefined) return;
      const partitionId = kept.pop()!;
      source.pendingRevocations.push({ partitionId, targetClientId: target.clientId, sinceMicros: nowMicros });
    }
  }
}

function giveRoundRobin(members: readonly GroupMember[], partitionIds: readonly number[]): void {
  if (members.length === 0) return;
  for (const [place, partitionId] of partitionIds.entries()) {
    members[place % members.length]!.partitions.push(partitionId);
  }
}

function isPending(member: GroupMember, partitionId: number): boolean {
  return member.pendingRevocations.some((pending) => pending.partitionId === partitionId);
}

function removeFirst<T>(list: T[], isRemoved: (entry: T) => boolean): void {
  const place = list.findIndex(isRemoved);
  if (place >= 0) list.splice(place, 1);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
