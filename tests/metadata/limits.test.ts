// What the operator allows, asked when a command is planned.
import { expect, test } from "bun:test";
import { apply } from "../../src/metadata/apply.ts";
import type { MetadataLimits } from "../../src/metadata/limits.ts";
import { createState, type MetadataState } from "../../src/metadata/state.ts";
import type { Permissions } from "../../src/protocol/records/permissions.ts";
import { type ControlCommand, planControl } from "../../src/shard/control-commands.ts";
import { noGlobalRights } from "../support/permissions.ts";
import { codeOf, defaults, named } from "./support.ts";

const none: MetadataLimits = {
  partitions: 0,
  partitionsPerStream: 0,
  partitionsPerTopic: 0,
  consumerGroupsPerTopic: 0,
  permissionsPerUser: 0,
};

const settings = {
  compression: 1,
  messageExpiryMicros: 0n,
  maxTopicSizeBytes: 0n,
  replicationFactor: 1,
} as const;

function plan(state: MetadataState, command: ControlCommand, limits: Partial<MetadataLimits>) {
  return planControl(state, command, {
    nowMicros: 1000,
    elapsedMicros: 1000,
    topicDefaults: defaults,
    tokensPerUserMax: 1,
    limits: { ...none, ...limits },
    makeLogId: () => "0".repeat(24),
    isStreamIdUsable: () => true,
    isTopicIdUsable: () => true,
    finishedRemovals: [],
  });
}

/** The code of the answer; what is allowed is applied. */
function tryOut(state: MetadataState, command: ControlCommand, limits: Partial<MetadataLimits>): number {
  return codeOf(() => {
    for (const event of plan(state, command, limits)) apply(state, event);
  });
}

function createTopic(stream: string, name: string, partitionsCount: number): ControlCommand {
  return { kind: "createTopic", request: { stream: named(stream), name, partitionsCount, ...settings } };
}

function createPartitions(stream: string, topic: string, count: number): ControlCommand {
  return { kind: "createPartitions", request: { stream: named(stream), topic: named(topic), count } };
}

/** Streams a and b; a has the topic t with two partitions. */
function sampleState(): MetadataState {
  const state = createState();
  for (const name of ["a", "b"]) tryOut(state, { kind: "createStream", request: { name } }, {});
  tryOut(state, createTopic("a", "t", 2), {});
  return state;
}

test("partitions of a topic", () => {
  const state = sampleState();
  const limits = { partitionsPerTopic: 3 };
  expect(tryOut(state, createPartitions("a", "t", 2), limits)).toBe(2015);
  expect(tryOut(state, createPartitions("a", "t", 1), limits)).toBe(0);
  expect(tryOut(state, createPartitions("a", "t", 1), limits)).toBe(2015);
  expect(tryOut(state, createTopic("a", "u", 4), limits)).toBe(2015);
  expect(tryOut(state, createTopic("a", "u", 3), limits)).toBe(0);
  expect(tryOut(state, createPartitions("a", "t", 1), {})).toBe(0);
});

test("partitions of a stream leave room for those of others; those of all together do not", () => {
  const state = sampleState();
  const limits = { partitionsPerStream: 5, partitions: 8 };
  expect(tryOut(state, createTopic("a", "u", 4), limits)).toBe(2015);
  expect(tryOut(state, createTopic("a", "u", 3), limits)).toBe(0);
  expect(tryOut(state, createPartitions("a", "t", 1), limits)).toBe(2015);
  expect(tryOut(state, createTopic("b", "t", 4), limits)).toBe(2015);
  expect(tryOut(state, createTopic("b", "t", 3), limits)).toBe(0);
  expect(tryOut(state, createPartitions("b", "t", 1), limits)).toBe(2015);
  // What is deleted makes room, and a topic without partitions needs none.
  expect(tryOut(state, createTopic("b", "empty", 0), limits)).toBe(0);
  expect(tryOut(state, { kind: "deleteTopic", request: { stream: named("a"), topic: named("t") } }, limits)).toBe(0);
  expect(tryOut(state, createPartitions("b", "t", 2), limits)).toBe(0);
});

test("groups of a topic", () => {
  const state = sampleState();
  tryOut(state, createTopic("a", "u", 1), {});
  const limits = { consumerGroupsPerTopic: 2 };
  const group = (topic: string, name: string): ControlCommand => {
    return { kind: "createGroup", request: { stream: named("a"), topic: named(topic), name } };
  };
  expect(["g", "h", "i"].map((name) => tryOut(state, group("t", name), limits))).toEqual([0, 0, 5007]);
  expect(tryOut(state, group("t", "g"), limits)).toBe(5004); // what is there already is told as ever
  expect(tryOut(state, group("u", "g"), limits)).toBe(0);
});

test("entries of the permissions of one user, streams and topics together", () => {
  const state = sampleState();
  const flags = { readTopics: false, pollMessages: false, sendMessages: false } as const;
  const permissions = (streams: number, topicsOfEach: number): Permissions => ({
    global: noGlobalRights,
    streams: Array.from({ length: streams }, (_, streamId) => ({
      ...{ streamId, manageStream: false, readStream: true, manageTopics: false, ...flags },
      topics: Array.from({ length: topicsOfEach }, (_, topicId) => ({
        ...{ topicId, manageTopic: false, readTopic: true, pollMessages: false, sendMessages: false },
      })),
    })),
  });
  const limits = { permissionsPerUser: 6 };
  const create = (name: string, given: Permissions | null): ControlCommand => ({
    kind: "createUser",
    request: { name, passwordHash: "hash", status: 1, permissions: given },
  });
  expect(tryOut(state, create("root", null), limits)).toBe(0);
  expect(tryOut(state, create("ann", permissions(7, 0)), limits)).toBe(49);
  expect(tryOut(state, create("ann", permissions(2, 2)), limits)).toBe(0);
  const update = (given: Permissions): ControlCommand => ({
    kind: "updatePermissions",
    request: { user: named("ann"), permissions: given },
  });
  expect(tryOut(state, update(permissions(3, 2)), limits)).toBe(49);
  expect(tryOut(state, update(permissions(6, 0)), limits)).toBe(0);
  expect(tryOut(state, update(permissions(3, 2)), {})).toBe(0);
});
