import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { apply } from "../../src/metadata/apply.ts";
import type { MetadataEvent } from "../../src/metadata/events.ts";
import {
  mayPollPartition,
  memberOf,
  ownsPartition,
  pendingRevocationOf,
  pollablePartitions,
} from "../../src/metadata/group-assignment.ts";
import {
  pendingRevocations,
  pendingRevocationsOf,
  planClientGone,
  planCompleteRevocation,
  planCreateGroup,
  planDeleteGroup,
  planJoinGroup,
  planLeaveGroup,
  planTimedOutRevocations,
} from "../../src/metadata/group-commands.ts";
import { requireGroup } from "../../src/metadata/lookups.ts";
import { fromPlainState, toPlainState } from "../../src/metadata/plain-state.ts";
import { createState, type MetadataState } from "../../src/metadata/state.ts";
import { codeOf, defaultTopic, named, numeric } from "./support.ts";

const now = 1_750_000_000_000_000;
const topic = { stream: named("orders"), topic: named("eu") };
const target = { ...topic, group: named("billing") };
const key = { streamId: 0, topicId: 0, groupId: 0 };

/** Group "billing" (0) on a topic with so many partitions. */
function groupOver(partitionsCount: number): MetadataState {
  const state = createState();
  apply(state, { kind: "streamCreated", streamId: 0, name: "orders", createdAtMicros: now });
  apply(state, { ...defaultTopic, streamId: 0, topicId: 0, name: "eu", partitionsCount });
  apply(state, planCreateGroup(state, { ...topic, name: "billing" }));
  return state;
}

/** The client joins; those of `goneClientIds` are not connected any more. */
function join(state: MetadataState, clientId: number, goneClientIds: number[] = [], atMicros = now): void {
  const event = planJoinGroup(state, target, clientId, (id) => !goneClientIds.includes(id), atMicros);
  if (event !== undefined) apply(state, event);
}

/** As when the group never polled: every promise is kept at once. */
function completeAll(state: MetadataState): void {
  for (const one of pendingRevocations(state)) {
    const event = planCompleteRevocation(state, one, "committed");
    if (event !== undefined) apply(state, event);
  }
}

function leave(state: MetadataState, clientId: number): void {
  apply(state, planLeaveGroup(state, target, clientId));
}

function membersOf(state: MetadataState) {
  return requireGroup(state, target).group.members;
}

/** Partitions of each member in slot order. */
function lists(state: MetadataState): number[][] {
  return membersOf(state).map((member) => [...member.partitions]);
}

function sizes(state: MetadataState): number[] {
  return lists(state).map((list) => list.length);
}

/** Waiting partitions as "partition: from -> to". */
function waiting(state: MetadataState): string[] {
  return pendingRevocations(state).map((one) => `${one.partitionId}: ${one.sourceClientId} -> ${one.targetClientId}`);
}

describe("groups", () => {
  test("names are unique in a topic, unknown things are 1009, 2010, 5000", () => {
    const state = groupOver(2);
    expect(codeOf(() => planCreateGroup(state, { ...topic, name: "billing" }))).toBe(5004);
    expect(codeOf(() => planCreateGroup(state, { ...topic, stream: numeric(9), name: "x" }))).toBe(1009);
    expect(codeOf(() => planCreateGroup(state, { ...topic, topic: numeric(9), name: "x" }))).toBe(2010);
    for (const plan of [
      (asked: typeof target) => planDeleteGroup(state, asked),
      (asked: typeof target) => planJoinGroup(state, asked, 1, () => true, now),
      (asked: typeof target) => planLeaveGroup(state, asked, 1),
    ]) {
      expect(codeOf(() => plan({ ...target, stream: named("none") }))).toBe(1009);
      expect(codeOf(() => plan({ ...target, topic: named("none") }))).toBe(2010);
      expect(codeOf(() => plan({ ...target, group: named("none") }))).toBe(5000);
    }
    expect(codeOf(() => planLeaveGroup(state, target, 1))).toBe(5006);
  });

  test("ids start at 0 in each topic, and the one freed last is used first", () => {
    const state = groupOver(1);
    for (const name of ["b", "c"]) apply(state, planCreateGroup(state, { ...topic, name }));
    for (const name of ["billing", "b"]) apply(state, planDeleteGroup(state, { ...topic, group: named(name) }));
    expect(planCreateGroup(state, { ...topic, name: "d" }).groupId).toBe(1);
    apply(state, { ...defaultTopic, streamId: 0, topicId: 1, name: "us" });
    expect(planCreateGroup(state, { ...topic, topic: named("us"), name: "billing" }).groupId).toBe(0);
  });

  test("what is deleted takes its memberships with it", () => {
    for (const event of [
      { kind: "groupDeleted", ...key },
      { kind: "topicDeleted", streamId: 0, topicId: 0 },
      { kind: "streamDeleted", streamId: 0 },
    ] as const) {
      const state = groupOver(3);
      join(state, 7);
      join(state, 8);
      expect(state.groupsByClient.get(7)).toEqual([key]);
      apply(state, event);
      expect(state.groupsByClient.size).toBe(0);
      expect(planClientGone(state, 7)).toEqual([]);
      expect(pendingRevocations(state)).toEqual([]);
      expect(pendingRevocationsOf(state, key)).toEqual([]);
    }
  });
});

describe("join", () => {
  test.each([
    [6, [[6], [5, 1], [4, 1, 1]]],
    [3, [[3], [2, 1], [1, 1, 1]]],
    [2, [[2], [1, 1], [1, 1, 0]]],
    [0, [[0], [0, 0], [0, 0, 0]]],
    [1, [[1], [1, 0], [1, 0, 0]]],
  ])("%d partitions: one for each joiner, as the table says", (partitionsCount, expected) => {
    const state = groupOver(partitionsCount);
    const found = [1, 2, 3].map((clientId) => {
      join(state, clientId);
      completeAll(state);
      return sizes(state);
    });
    expect(found).toEqual(expected);
    expect(lists(state).flat().sort()).toEqual(Array.from({ length: partitionsCount }, (_, id) => id));
  });

  test("the last of the list is promised, and moves only when the promise is kept", () => {
    const state = groupOver(4);
    join(state, 1);
    join(state, 2);
    expect(lists(state)).toEqual([[0, 1, 2, 3], []]);
    expect(waiting(state)).toEqual(["3: 1 -> 2"]);
    const [first, second] = membersOf(state);
    expect(pollablePartitions(first!)).toEqual([0, 1, 2]);
    expect(pollablePartitions(second!)).toEqual([]);
    expect(ownsPartition(first!, 3)).toBe(true);
    expect(ownsPartition(second!, 3)).toBe(false);
    expect([2, 3].map((id) => mayPollPartition(first!, id))).toEqual([true, false]);
    expect(mayPollPartition(second!, 3)).toBe(false);
    expect(pendingRevocationOf(first!, 3)).toEqual({ partitionId: 3, targetClientId: 2, sinceMicros: now });
    completeAll(state);
    expect(lists(state)).toEqual([[0, 1, 2], [3]]);
    expect(pollablePartitions(second!)).toEqual([3]);
  });

  test("joiners while a promise waits get others, one each", () => {
    const state = groupOver(6);
    for (const clientId of [1, 2, 3, 4]) join(state, clientId);
    expect(waiting(state)).toEqual(["5: 1 -> 2", "4: 1 -> 3", "3: 1 -> 4"]);
    completeAll(state);
    expect(lists(state)).toEqual([[0, 1, 2], [5], [4], [3]]);
  });

  test("more than one source: each gives what it has above its share", () => {
    const state = groupOver(6);
    for (const clientId of [1, 2, 3]) join(state, clientId);
    leave(state, 3);
    expect(lists(state)).toEqual([
      [0, 2, 4],
      [1, 3, 5],
    ]);
    join(state, 3);
    join(state, 4);
    expect(waiting(state)).toEqual(["4: 1 -> 3", "5: 2 -> 4"]);
  });

  test("only as many members keep one more than the even share as the division leaves", () => {
    const state = groupOver(4);
    join(state, 1);
    join(state, 2);
    join(state, 3);
    leave(state, 3);
    expect(sizes(state)).toEqual([2, 2]);
    join(state, 3);
    expect(waiting(state)).toEqual(["3: 2 -> 3"]);
  });

  test("who holds the only partition keeps it, also when the joiner comes before it in slot order", () => {
    const state = groupOver(1);
    join(state, 1);
    join(state, 2);
    leave(state, 1);
    join(state, 3);
    expect(membersOf(state).map((member) => [member.slot, member.clientId, [...member.partitions]])).toEqual([
      [0, 3, []],
      [1, 2, [0]],
    ]);
    expect(waiting(state)).toEqual([]);
  });

  test("joining twice is no event", () => {
    const state = groupOver(2);
    join(state, 1);
    expect(planJoinGroup(state, target, 1, () => false, now)).toBeUndefined();
  });

  test("member ids follow the highest, slots are used again", () => {
    const state = groupOver(2);
    for (const clientId of [11, 12, 13]) join(state, clientId);
    leave(state, 11);
    join(state, 14);
    const shape = () => membersOf(state).map((member) => [member.slot, member.memberId, member.clientId]);
    expect(shape()).toEqual([
      [0, 3, 14],
      [1, 1, 12],
      [2, 2, 13],
    ]);
    for (const clientId of [12, 13, 14]) leave(state, clientId);
    join(state, 15);
    expect(membersOf(state)[0]?.memberId).toBe(0);
  });

  test("members that are gone without having left make room, and nothing of theirs is lost", () => {
    const state = groupOver(6);
    for (const clientId of [1, 2, 3]) join(state, clientId);
    completeAll(state);
    expect(lists(state)).toEqual([[0, 1, 2, 3], [5], [4]]);
    join(state, 4, [1]);
    expect(membersOf(state).map((member) => member.clientId)).toEqual([4, 2, 3]);
    expect(lists(state)).toEqual([[0, 1, 2, 3], [5], [4]]);
    expect(state.groupsByClient.has(1)).toBe(false);
  });

  test("a promise to a member that is gone is made anew to the joiner", () => {
    const state = groupOver(4);
    join(state, 1);
    join(state, 2);
    join(state, 3, [2], now + 5);
    expect(waiting(state)).toEqual(["3: 1 -> 3"]);
    expect(membersOf(state)[0]?.pendingRevocations[0]?.sinceMicros).toBe(now + 5);
  });

  test("everybody gone: the joiner gets all", () => {
    const state = groupOver(3);
    join(state, 1);
    join(state, 2);
    join(state, 3, [1, 2]);
    expect(lists(state)).toEqual([[0, 1, 2]]);
  });
});

describe("full rebalance", () => {
  test("a leave spreads everything round robin and forgets what was pending", () => {
    const state = groupOver(5);
    for (const clientId of [1, 2, 3]) join(state, clientId);
    expect(pendingRevocations(state).length).toBe(2);
    leave(state, 3);
    expect(lists(state)).toEqual([
      [0, 2, 4],
      [1, 3],
    ]);
    expect(waiting(state)).toEqual([]);
    leave(state, 1);
    leave(state, 2);
    expect(lists(state)).toEqual([]);
  });

  test("more and fewer partitions; none at all leaves empty lists", () => {
    const state = groupOver(3);
    join(state, 1);
    join(state, 2);
    apply(state, { kind: "partitionsCreated", streamId: 0, topicId: 0, count: 2, createdAtMicros: now });
    expect(lists(state)).toEqual([
      [0, 2, 4],
      [1, 3],
    ]);
    apply(state, { kind: "partitionsDeleted", streamId: 0, topicId: 0, count: 4 });
    expect(lists(state)).toEqual([[0], []]);
    apply(state, { kind: "partitionsDeleted", streamId: 0, topicId: 0, count: 1 });
    expect(lists(state)).toEqual([[], []]);
    apply(state, { kind: "partitionsCreated", streamId: 0, topicId: 0, count: 2, createdAtMicros: now });
    expect(lists(state)).toEqual([[0], [1]]);
  });

  test("a client that is gone leaves all its groups, and no others", () => {
    const state = groupOver(4);
    apply(state, planCreateGroup(state, { ...topic, name: "other" }));
    for (const clientId of [1, 2]) join(state, clientId);
    const inOther = planJoinGroup(state, { ...topic, group: named("other") }, 1, () => true, now);
    apply(state, inOther!);
    const events = planClientGone(state, 1);
    expect(events.map((event) => [event.groupId, event.clientIds])).toEqual([
      [0, [1]],
      [1, [1]],
    ]);
    for (const event of events) apply(state, event);
    expect(lists(state)).toEqual([[0, 1, 2, 3]]);
    expect([...state.groupsByClient]).toEqual([[2, [key]]]);
    expect(planClientGone(state, 1)).toEqual([]);
  });
});

describe("revocation", () => {
  const promise = { ...key, partitionId: 3, sourceClientId: 1, targetClientId: 2, sinceMicros: now };

  function waitingState(): MetadataState {
    const state = groupOver(4);
    join(state, 1);
    join(state, 2);
    expect(pendingRevocationsOf(state, key)).toEqual([promise]);
    return state;
  }

  test("a report for what nobody waits for is ignored", () => {
    const state = waitingState();
    for (const change of [
      { partitionId: 2 },
      { sourceClientId: 2 },
      { targetClientId: 9 },
      { sinceMicros: now - 1 },
      { groupId: 1 },
      { topicId: 1 },
      { streamId: 1 },
    ]) {
      expect(planCompleteRevocation(state, { ...promise, ...change }, "committed")).toBeUndefined();
    }
    expect(planCompleteRevocation(state, promise, "committed")).toBeDefined();
  });

  test("a report is ignored after the move, and after the partitions were given out anew", () => {
    const moved = waitingState();
    completeAll(moved);
    expect(planCompleteRevocation(moved, promise, "committed")).toBeUndefined();
    for (const clientId of [1, 2]) {
      const state = waitingState();
      leave(state, clientId);
      join(state, clientId, [], now + 1);
      expect(planCompleteRevocation(state, promise, "committed")).toBeUndefined();
    }
    const changed = waitingState();
    apply(changed, { kind: "partitionsDeleted", streamId: 0, topicId: 0, count: 1 });
    expect(planCompleteRevocation(changed, promise, "committed")).toBeUndefined();
  });

  test("what waits too long moves by force", () => {
    const state = groupOver(6);
    join(state, 1);
    join(state, 2, [], now);
    join(state, 3, [], now + 10);
    expect(planTimedOutRevocations(state, now + 29, 30)).toEqual([]);
    const events = planTimedOutRevocations(state, now + 30, 30);
    expect(events).toEqual([
      {
        kind: "groupRevocationCompleted",
        ...key,
        partitionId: 5,
        sourceClientId: 1,
        targetClientId: 2,
        reason: "timedOut",
      },
    ]);
    for (const event of planTimedOutRevocations(state, now + 40, 30)) apply(state, event);
    expect(lists(state)).toEqual([[0, 1, 2, 3], [5], [4]]);
    expect(memberOf(requireGroup(state, target).group, 3)?.partitions).toEqual([4]);
    expect(memberOf(requireGroup(state, target).group, 9)).toBeUndefined();
  });
});

describe("the generation of an assignment", () => {
  const generation = (state: MetadataState) => requireGroup(state, target).group.generation;

  test("is 0 before the first member, whatever happens to the partitions, and 1 with it", () => {
    const state = groupOver(3);
    expect(generation(state)).toBe(0);
    apply(state, { kind: "partitionsCreated", streamId: 0, topicId: 0, count: 1, createdAtMicros: now });
    expect(generation(state)).toBe(0);
    join(state, 1);
    expect(generation(state)).toBe(1);
  });

  test("grows by one with each join, kept promise, leave, disconnection and change of the partitions", () => {
    const state = groupOver(4);
    const found: number[] = [];
    const note = () => found.push(generation(state));
    join(state, 1);
    note();
    join(state, 1); // a member already
    note();
    join(state, 2);
    note();
    completeAll(state);
    note();
    apply(state, { kind: "partitionsCreated", streamId: 0, topicId: 0, count: 2, createdAtMicros: now });
    note();
    apply(state, { kind: "partitionsDeleted", streamId: 0, topicId: 0, count: 1 });
    note();
    join(state, 3, [1, 2]); // three memberships change, by one event
    note();
    leave(state, 3);
    note();
    join(state, 4);
    note();
    for (const event of planClientGone(state, 4)) apply(state, event);
    note();
    expect(found).toEqual([1, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("is that of each group, and the next group under the number begins at 0", () => {
    const state = groupOver(4);
    apply(state, planCreateGroup(state, { ...topic, name: "other" }));
    join(state, 1);
    join(state, 2);
    expect(requireGroup(state, { ...topic, group: named("other") }).group.generation).toBe(0);
    apply(state, { kind: "groupDeleted", ...key });
    apply(state, planCreateGroup(state, { ...topic, name: "billing" }));
    expect(generation(state)).toBe(0);
  });

  test("is on every shard and in no snapshot", () => {
    const state = groupOver(4);
    join(state, 1);
    join(state, 2);
    expect(generation(structuredClone(state))).toBe(2);
    expect(generation(fromPlainState(toPlainState(state)))).toBe(0);
  });

  test("is another whenever a member may poll other partitions than before", () => {
    const polls = (state: MetadataState) =>
      JSON.stringify(membersOf(state).map((member) => [member.clientId, pollablePartitions(member)]));
    const step = fc.record({
      what: fc.constantFrom("join", "join", "leave", "complete", "timeOut", "more", "fewer"),
      clientId: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 6 }), fc.array(step, { maxLength: 40 }), (partitionsCount, steps) => {
        const state = groupOver(partitionsCount);
        for (const { what, clientId } of steps) {
          for (const event of eventsOf(state, what, clientId)) {
            const before = { generation: generation(state), polls: polls(state) };
            apply(state, event);
            if (polls(state) !== before.polls) expect(generation(state)).toBe(before.generation + 1);
            else expect(generation(state) - before.generation).toBeOneOf([0, 1]);
          }
        }
      }),
    );
  });

  function eventsOf(state: MetadataState, what: string, clientId: number): MetadataEvent[] {
    const isMember = requireGroup(state, target).group.membersByClient.has(clientId);
    const { length } = state.streams.byId.get(0)!.topics.byId.get(0)!.partitions;
    switch (what) {
      case "join": {
        const event = planJoinGroup(state, target, clientId, () => true, now);
        return event === undefined ? [] : [event];
      }
      case "leave":
        return isMember ? [planLeaveGroup(state, target, clientId)] : [];
      case "complete": {
        const [first] = pendingRevocations(state);
        const event = first && planCompleteRevocation(state, first, "committed");
        return event === undefined ? [] : [event];
      }
      case "timeOut":
        return planTimedOutRevocations(state, now, 0);
      case "more":
        return [{ kind: "partitionsCreated", streamId: 0, topicId: 0, count: 1, createdAtMicros: now }];
      default:
        return length === 0 ? [] : [{ kind: "partitionsDeleted", streamId: 0, topicId: 0, count: 1 }];
    }
  }
});
