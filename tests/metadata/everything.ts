// Random commands over everything that metadata holds, planned against the state they meet, and the rules that always hold.
import { expect } from "bun:test";
import fc from "fast-check";
import { apply } from "../../src/metadata/apply.ts";
import type { Catalog, Named } from "../../src/metadata/catalog.ts";
import {
  planCreatePartitions,
  planCreateStream,
  planCreateTopic,
  planDeletePartitions,
  planDeleteStream,
  planDeleteTopic,
  planPurgeStream,
  planPurgeTopic,
  planUpdateStream,
} from "../../src/metadata/commands.ts";
import type { MetadataEvent } from "../../src/metadata/events.ts";
import {
  pendingRevocations,
  planClientGone,
  planCompleteRevocation,
  planCreateGroup,
  planDeleteGroup,
  planJoinGroup,
  planLeaveGroup,
  planTimedOutRevocations,
} from "../../src/metadata/group-commands.ts";
import { nextRemovalId, planRemovalsFinished } from "../../src/metadata/removals.ts";
import type { ConsumerGroup, GroupKey, MetadataState } from "../../src/metadata/state.ts";
import { planCreateToken, planDeleteToken, planExpireTokens } from "../../src/metadata/token-commands.ts";
import {
  planChangePassword,
  planCreateUser,
  planDeleteUser,
  planUpdatePermissions,
  planUpdateUser,
} from "../../src/metadata/user-commands.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import type { Identifier } from "../../src/protocol/identifier.ts";
import { defaults, defaultTopic, emptyPermissions, named, numeric } from "./support.ts";

export const startMicros = 1_750_000_000_000_000;
const tokensMax = 3;

type StepKind =
  | "createStream"
  | "updateStream"
  | "deleteStream"
  | "createTopic"
  | "deleteTopic"
  | "purgeTopic"
  | "purgeStream"
  | "finishRemovals"
  | "createPartitions"
  | "deletePartitions"
  | "createGroup"
  | "deleteGroup"
  | "joinGroup"
  | "leaveGroup"
  | "clientGone"
  | "completeRevocation"
  | "timeOutRevocations"
  | "createUser"
  | "updateUser"
  | "deleteUser"
  | "updatePermissions"
  | "changePassword"
  | "createToken"
  | "deleteToken"
  | "expireTokens";

export type Step = {
  readonly kind: StepKind;
  readonly stream: Identifier;
  readonly topic: Identifier;
  readonly group: Identifier;
  readonly user: Identifier;
  readonly clientId: number;
  readonly goneClientIds: readonly number[];
  readonly name: string;
  readonly count: number;
};

type Planner = (
  state: MetadataState,
  step: Step,
  nowMicros: number,
) => MetadataEvent | readonly MetadataEvent[] | undefined;

const planners: { readonly [Kind in StepKind]: Planner } = {
  createStream: planCreateStream,
  updateStream: planUpdateStream,
  deleteStream: (state, step) => planDeleteStream(state, step, { removalId: nextRemovalId(state) }),
  createTopic: (state, step, now) =>
    planCreateTopic(state, { ...defaultTopic, ...step, partitionsCount: step.count }, now, defaults, logs(now)),
  deleteTopic: (state, step) => planDeleteTopic(state, step, { removalId: nextRemovalId(state) }),
  purgeTopic: (state, step, now) => planPurgeTopic(state, step, { ...logs(now), removalId: nextRemovalId(state) }),
  purgeStream: (state, step, now) => planPurgeStream(state, step, { ...logs(now), removalId: nextRemovalId(state) }),
  finishRemovals: (state, step) => planRemovalsFinished(state, [...state.removals.keys()].slice(0, step.count)),
  createPartitions: (state, step, now) => planCreatePartitions(state, step, now, logs(now)),
  deletePartitions: (state, step) => planDeletePartitions(state, step, { removalId: nextRemovalId(state) }),
  createGroup: (state, step, now) => planCreateGroup(state, step, { logId: logs(now).logBase }),
  deleteGroup: planDeleteGroup,
  joinGroup: (state, step, now) =>
    planJoinGroup(state, step, step.clientId, (id) => !step.goneClientIds.includes(id), now),
  leaveGroup: (state, step) => planLeaveGroup(state, step, step.clientId),
  clientGone: (state, step) => planClientGone(state, step.clientId),
  completeRevocation(state, step) {
    const pending = pendingRevocations(state);
    const one = pending[step.count % Math.max(1, pending.length)];
    return one && planCompleteRevocation(state, one, "committed");
  },
  timeOutRevocations: (state, step, now) => planTimedOutRevocations(state, now, step.count),
  createUser: (state, step, now) =>
    planCreateUser(state, { name: step.name, passwordHash: "hash", status: 1, permissions: rights(state, step) }, now),
  updateUser: (state, step) => planUpdateUser(state, { user: step.user, name: step.name, status: 2 }),
  deleteUser: planDeleteUser,
  updatePermissions: (state, step) =>
    planUpdatePermissions(state, { user: step.user, permissions: rights(state, step) }),
  changePassword: (state, step, now) => planChangePassword(state, { user: step.user, passwordHash: `hash ${now}` }),
  createToken: (state, step, now) =>
    planCreateToken(state, { ...tokenOf(step), tokenHash: `${now}`, expiryMicros: BigInt(step.count) }, now, tokensMax),
  deleteToken: (state, step) => planDeleteToken(state, tokenOf(step)),
  expireTokens: (state, _, now) => planExpireTokens(state, now),
};

/** Times differ from step to step, so do the bases of logs. */
function logs(nowMicros: number): { readonly logBase: string } {
  return { logBase: nowMicros.toString(16).padStart(24, "0") };
}

/** Rights on one stream and its topics, if they exist: what names nothing is for another test. */
function rights(state: MetadataState, { count }: Step) {
  const topics = state.streams.byId.get(count)?.topics.byId;
  return topics?.has(0) && topics.has(1) ? emptyPermissions(count) : null;
}

function tokenOf({ user, name }: Step) {
  return { userId: user.kind === "numeric" ? user.value : 0, name };
}

const nameArbitrary = fc.constantFrom("a", "b", "0", "名前");
const identifierArbitrary = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 1 }).map(numeric) },
  { weight: 1, arbitrary: nameArbitrary.map(named) },
);
const often = [
  "createStream",
  "createTopic",
  "createGroup",
  "joinGroup",
  "joinGroup",
  "joinGroup",
  "joinGroup",
] as const;

/** Few names, ids and clients, so that steps meet. The first ones make something to work on. */
export const stepsArbitrary: fc.Arbitrary<Step[]> = fc
  .array(
    fc.record({
      kind: fc.constantFrom(...(Object.keys(planners) as StepKind[]), ...often),
      stream: identifierArbitrary,
      topic: identifierArbitrary,
      group: identifierArbitrary,
      user: identifierArbitrary,
      clientId: fc.integer({ min: 1, max: 6 }),
      goneClientIds: fc.oneof(
        { weight: 4, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.subarray([1, 2, 3, 4, 5, 6]) },
      ),
      name: nameArbitrary,
      count: fc.integer({ min: 0, max: 5 }),
    }),
    { minLength: 1, maxLength: 60, size: "max" },
  )
  .map((steps) => [...firstSteps, ...steps]);

const firstStep = {
  stream: numeric(0),
  topic: numeric(0),
  group: numeric(0),
  user: numeric(0),
  clientId: 1,
  goneClientIds: [],
  name: "a",
  count: 5,
};
const firstSteps: readonly Step[] = (["createUser", "createStream", "createTopic", "createGroup"] as const).map(
  (kind) => ({ kind, ...firstStep }),
);

/** The events of a step, none where it is refused. */
export function eventsOf(state: MetadataState, step: Step, nowMicros: number): readonly MetadataEvent[] {
  try {
    const planned = planners[step.kind](state, step, nowMicros) ?? [];
    return "kind" in planned ? [planned] : planned;
  } catch (error) {
    if (error instanceof IggyError) return [];
    throw error;
  }
}

/** Applies steps to `state`; calls `onEvent` before each event is applied. */
export function play(state: MetadataState, steps: readonly Step[], onEvent: (event: MetadataEvent) => void): void {
  for (const [number, step] of steps.entries()) {
    for (const event of eventsOf(state, step, startMicros + number)) {
      onEvent(event);
      apply(state, event);
    }
    expectSound(state);
  }
}

function expectSound(state: MetadataState): void {
  expectCatalog(state.streams);
  expectCatalog(state.users);
  for (const stream of state.streams.byId.values()) {
    expectCatalog(stream.topics);
    for (const topic of stream.topics.byId.values()) {
      expectCatalog(topic.groups);
      for (const group of topic.groups.byId.values()) expectGroup(group, topic.partitions.length);
    }
  }
  expectTotals(state);
  expectMemberships(state);
  expectTokens(state);
  for (const { permissions } of state.users.byId.values()) {
    for (const { streamId, topics } of permissions?.streams ?? []) {
      const existing = state.streams.byId.get(streamId)?.topics.byId;
      for (const { topicId } of topics) expect(existing?.has(topicId)).toBe(true);
    }
  }
}

function expectTotals(state: MetadataState): void {
  const topics = [...state.streams.byId.values()].flatMap((stream) => [...stream.topics.byId.values()]);
  expect(state.topicsCount).toBe(topics.length);
  expect(state.partitionsCount).toBe(topics.reduce((sum, topic) => sum + topic.partitions.length, 0));
}

function expectCatalog(catalog: Catalog<Named>): void {
  expect(catalog.byName.size).toBe(catalog.byId.size);
  for (const [id, entry] of catalog.byId)
    expect(entry.id === id && catalog.byName.get(entry.name) === entry).toBe(true);
}

function expectGroup(group: ConsumerGroup, partitionsCount: number): void {
  const { members, membersByClient } = group;
  expect(new Set(membersByClient.values())).toEqual(new Set(members));
  const slots = members.map((member) => member.slot);
  expect(slots).toEqual([...new Set(slots)].sort((left, right) => left - right));
  expect(new Set(members.map((member) => member.memberId)).size).toBe(members.length);
  const owned = members.flatMap((member) => member.partitions).sort((left, right) => left - right);
  const all = Array.from({ length: members.length === 0 ? 0 : partitionsCount }, (_, id) => id);
  expect(owned).toEqual(all); // none twice, none orphaned, none that does not exist

  const promises = members.flatMap((member) => member.pendingRevocations);
  const targets = new Set(promises.map((promise) => promise.targetClientId));
  expect(targets.size).toBe(promises.length);
  for (const { clientId, partitions, pendingRevocations } of members) {
    for (const { partitionId, targetClientId } of pendingRevocations) {
      expect(partitions).toContain(partitionId);
      expect(targetClientId !== clientId && membersByClient.has(targetClientId)).toBe(true);
    }
  }
  const kept = members.map((member) => member.partitions.length - member.pendingRevocations.length);
  const isSomebodyIdle = members.some((member, place) => kept[place] === 0 && !targets.has(member.clientId));
  if (isSomebodyIdle) expect(Math.max(...kept)).toBeLessThanOrEqual(1);
}

function expectMemberships(state: MetadataState): void {
  const text = (clientId: number, { streamId, topicId, groupId }: GroupKey) =>
    [clientId, streamId, topicId, groupId].join();
  const known = [...state.groupsByClient].flatMap(([clientId, keys]) => keys.map((key) => text(clientId, key)));
  const actual: string[] = [];
  for (const [streamId, stream] of state.streams.byId) {
    for (const [topicId, topic] of stream.topics.byId) {
      for (const [groupId, { members }] of topic.groups.byId) {
        actual.push(...members.map(({ clientId }) => text(clientId, { streamId, topicId, groupId })));
      }
    }
  }
  expect(known.sort()).toEqual(actual.sort());
  for (const keys of state.groupsByClient.values()) expect(keys.length).toBeGreaterThan(0);
}

function expectTokens(state: MetadataState): void {
  const byHash = new Map<string, { userId: number; name: string }>();
  for (const { id: userId, tokensByName } of state.users.byId.values()) {
    for (const [name, { tokenHash }] of tokensByName) byHash.set(tokenHash, { userId, name });
  }
  expect(state.tokensByHash).toEqual(byHash);
}
