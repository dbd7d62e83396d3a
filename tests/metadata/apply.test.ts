import { expect, test } from "bun:test";
import fc from "fast-check";
import { apply } from "../../src/metadata/apply.ts";
import type { Catalog, Named } from "../../src/metadata/catalog.ts";
import type { MetadataEvent } from "../../src/metadata/events.ts";
import { decodePlain, encodePlain } from "../../src/metadata/plain-data.ts";
import { fromPlainState, toPlainState } from "../../src/metadata/plain-state.ts";
import { createState, findStream, findUser, type MetadataState } from "../../src/metadata/state.ts";
import { AssertionError } from "../../src/platform/assert.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import type { Identifier } from "../../src/protocol/identifier.ts";
import {
  buildingEventsCount,
  type Command,
  commandsArbitrary,
  everyEvent,
  membershipEvents,
  named,
  numeric,
  planCommand,
  textOf,
} from "./support.ts";

// A second, naive model: lists that are searched, one function that says which code to expect.
type ModelTopic = { id: number; name: string; partitionsCount: number };
type ModelStream = { id: number; name: string; topics: ModelTopic[] };

function find<T extends { id: number; name: string }>(list: T[], identifier: Identifier): T | undefined {
  return list.find((one) => (identifier.kind === "numeric" ? one.id : one.name) === identifier.value);
}

function expectedCode(model: ModelStream[], command: Command): number {
  const { kind, count } = command;
  if (kind === "createStream") return model.some((one) => one.name === command.name) ? 1012 : 0;
  if (kind === "createTopic" && count > 1000) return 2015;
  if (kind === "createPartitions" && (count === 0 || count > 1000)) return 2015;
  if (kind === "deletePartitions" && count === 0) return 2015;
  const stream = find(model, command.stream);
  if (stream === undefined) return 1009;
  if (kind === "updateStream") return model.some((one) => one !== stream && one.name === command.name) ? 1012 : 0;
  if (kind === "deleteStream" || kind === "purgeStream") return 0;
  if (kind === "createTopic") {
    if (command.maxTopicSizeBytes === 10n) return 1019;
    return stream.topics.some((one) => one.name === command.name) ? 2013 : 0;
  }
  const topic = find(stream.topics, command.topic);
  if (topic === undefined) return 2010;
  if (kind === "updateTopic") {
    return stream.topics.some((one) => one !== topic && one.name === command.name) ? 2013 : 0;
  }
  return kind === "deletePartitions" && count > topic.partitionsCount ? 2019 : 0;
}

function follow(model: ModelStream[], command: Command, newId: number): void {
  const { name, count } = command;
  if (command.kind === "createStream") {
    model.push({ id: newId, name, topics: [] });
    return;
  }
  const stream = find(model, command.stream);
  if (stream === undefined) return;
  const topic = find(stream.topics, command.topic);
  if (command.kind === "updateStream") stream.name = name;
  if (command.kind === "deleteStream") model.splice(model.indexOf(stream), 1);
  if (command.kind === "createTopic") stream.topics.push({ id: newId, name, partitionsCount: count });
  if (topic === undefined) return;
  if (command.kind === "updateTopic") topic.name = name;
  if (command.kind === "deleteTopic") stream.topics.splice(stream.topics.indexOf(topic), 1);
  if (command.kind === "createPartitions") topic.partitionsCount += count;
  if (command.kind === "deletePartitions") topic.partitionsCount -= count;
}

function modelOf(state: MetadataState): ModelStream[] {
  return toPlainState(state).streams.map(({ id, name, topics }) => ({
    id,
    name,
    topics: topics.map((topic) => ({
      id: topic.id,
      name: topic.name,
      partitionsCount: topic.partitionTimesMicros.length,
    })),
  }));
}

function sorted(model: ModelStream[]): ModelStream[] {
  const byId = (left: { id: number }, right: { id: number }) => left.id - right.id;
  return model.map((stream) => ({ ...stream, topics: stream.topics.toSorted(byId) })).toSorted(byId);
}

function expectConsistent(catalog: Catalog<Named>): void {
  expect(catalog.byName.size).toBe(catalog.byId.size);
  for (const [id, entry] of catalog.byId) {
    expect(entry.id).toBe(id);
    expect(catalog.byName.get(entry.name)).toBe(entry);
  }
  const ids = [...catalog.byId.keys(), ...catalog.ids.freedIds].sort((left, right) => left - right);
  expect(ids).toEqual(Array.from({ length: catalog.ids.nextId }, (_, id) => id));
}

function idIn(event: MetadataEvent): number {
  if (event.kind === "streamCreated") return event.streamId;
  return event.kind === "topicCreated" ? event.topicId : -1;
}

function planned(state: MetadataState, command: Command, nowMicros: number): MetadataEvent | number {
  try {
    return planCommand(state, command, nowMicros);
  } catch (error) {
    if (error instanceof IggyError) return error.code;
    throw error;
  }
}

test("any commands: errors, names, look-ups and counts are those of a naive model, and a replay gives the same state", () => {
  fc.assert(
    fc.property(commandsArbitrary, (commands) => {
      const state = createState();
      const model: ModelStream[] = [];
      const events: MetadataEvent[] = [];
      for (const [step, command] of commands.entries()) {
        const event = planned(state, command, 1_750_000_000_000_000 + step);
        expect(typeof event === "number" ? event : 0).toBe(expectedCode(model, command));
        if (typeof event === "number") continue;
        apply(state, event);
        follow(model, command, idIn(event));
        events.push(event);
        expect(modelOf(state)).toEqual(sorted(model));
        expectConsistent(state.streams);
        for (const stream of state.streams.byId.values()) expectConsistent(stream.topics);
      }
      const replica = createState();
      for (const event of events) apply(replica, structuredClone(event));
      expect(replica).toEqual(state);
      expect(textOf(fromPlainState(toPlainState(state)))).toBe(textOf(state));
      expect(structuredClone(state)).toEqual(state);
    }),
    { numRuns: 150 },
  );
});

test("every event survives structuredClone and MessagePack, bigints and large numbers included", () => {
  for (const event of [...everyEvent, ...membershipEvents]) {
    expect(structuredClone(event)).toEqual(event);
    expect(decodePlain(encodePlain(event))).toEqual(event);
  }
});

test("every event changes what it says", () => {
  const state = createState();
  const texts = everyEvent.map((event) => {
    apply(state, event);
    return textOf(state);
  });
  const unchanged = everyEvent.filter((_, step) => step > 0 && texts[step] === texts[step - 1]).map(({ kind }) => kind);
  expect(unchanged).toEqual(["topicPurged", "streamPurged"]);
  expect(findUser(state, named("iggy"))).toBe(findUser(state, numeric(0)));
  expect(findUser(state, named("iggy"))?.permissions?.global.manageServers).toBe(true);
  expect(findStream(state, numeric(0))).toBeUndefined();
});

test("every event about members changes the state, and nothing of it is in what is written", () => {
  const state = createState();
  for (const event of everyEvent.slice(0, buildingEventsCount)) apply(state, event);
  const written = textOf(state);
  for (const event of membershipEvents) {
    const before = structuredClone(state);
    apply(state, event);
    expect(state).not.toEqual(before);
    expect(textOf(state)).toBe(written);
  }
});

test("an event that does not fit is an assertion and changes nothing", () => {
  const state = createState();
  for (const event of everyEvent.slice(0, 4)) apply(state, event);
  const before = textOf(state);
  const topic = everyEvent[3];
  if (topic?.kind !== "topicCreated") throw new Error("the fourth event is the topic");
  const misfits: MetadataEvent[] = [
    { kind: "streamCreated", streamId: 0, name: "other", createdAtMicros: 1 },
    { kind: "streamCreated", streamId: 1, name: "bestellungen", createdAtMicros: 1 },
    { kind: "streamCreated", streamId: 4096, name: "other", createdAtMicros: 1 },
    { kind: "streamUpdated", streamId: 7, name: "other" },
    { kind: "streamDeleted", streamId: 7 },
    { kind: "streamPurged", streamId: 7 },
    topic,
    { ...topic, topicId: 1, name: "eu" },
    { ...topic, topicId: 1, name: "us", messageExpiryMicros: 0n },
    { ...topic, topicId: 1, name: "us", maxTopicSizeBytes: 0n },
    { ...topic, topicId: 4096, name: "us" },
    { kind: "topicDeleted", streamId: 0, topicId: 7 },
    { kind: "topicPurged", streamId: 0, topicId: 7 },
    { kind: "partitionsCreated", streamId: 0, topicId: 0, count: 0, createdAtMicros: 1 },
    { kind: "partitionsDeleted", streamId: 0, topicId: 0, count: 4 },
  ];
  for (const event of misfits) expect(() => apply(state, event)).toThrow(AssertionError);
  expect(textOf(state)).toBe(before);
  for (const event of everyEvent.slice(4, buildingEventsCount)) apply(state, event);
  apply(state, membershipEvents[0]!);
  const full = structuredClone(state);
  const group = { streamId: 0, topicId: 0, groupId: 0 };
  const revoked = { kind: "groupRevocationCompleted", ...group, partitionId: 3, reason: "committed" } as const;
  const later: MetadataEvent[] = [
    { kind: "userCreated", userId: 1, name: "eve", passwordHash: "", status: 1, createdAtMicros: 1, permissions: null },
    { kind: "userCreated", userId: 2, name: "bob", passwordHash: "", status: 1, createdAtMicros: 1, permissions: null },
    { kind: "userCreated", userId: 2e6, name: "e", passwordHash: "", status: 1, createdAtMicros: 1, permissions: null },
    { kind: "userUpdated", userId: 2, status: 1 },
    { kind: "userUpdated", userId: 1, name: "iggy" },
    { kind: "userDeleted", userId: 2 },
    { kind: "userDeleted", userId: 0 },
    { kind: "passwordChanged", userId: 2, passwordHash: "hash" },
    { kind: "permissionsUpdated", userId: 2, permissions: null },
    { kind: "permissionsUpdated", userId: 0, permissions: null },
    { kind: "tokenCreated", userId: 2, name: "new", tokenHash: "dd", expiryAtMicros: 0n },
    { kind: "tokenCreated", userId: 1, name: "old", tokenHash: "dd", expiryAtMicros: 0n },
    { kind: "tokenCreated", userId: 0, name: "new", tokenHash: "aa", expiryAtMicros: 0n },
    { kind: "tokenDeleted", userId: 0, name: "old" },
    {
      kind: "tokensExpired",
      tokens: [
        { userId: 1, name: "old" },
        { userId: 1, name: "none" },
      ],
    },
    { kind: "groupCreated", ...group, name: "other" },
    { kind: "groupCreated", ...group, groupId: 1, name: "billing" },
    { kind: "groupCreated", ...group, topicId: 7, groupId: 1, name: "other" },
    { kind: "groupDeleted", ...group, groupId: 1 },
    { kind: "groupMemberJoined", ...group, clientId: 7, goneClientIds: [], joinedAtMicros: 1 },
    { kind: "groupMemberJoined", ...group, clientId: 8, goneClientIds: [9], joinedAtMicros: 1 },
    { kind: "groupMembersLeft", ...group, clientIds: [7, 8] },
    { ...revoked, sourceClientId: 7, targetClientId: 8 },
    { ...revoked, sourceClientId: 7, targetClientId: 7 },
  ];
  for (const event of later) expect(() => apply(state, event)).toThrow(AssertionError);
  expect(state).toEqual(full);
});

test("an event of an unknown kind is an assertion", () => {
  const state = createState();
  const unknown: unknown = { kind: "toString" };
  expect(() => apply(state, unknown as MetadataEvent)).toThrow('the kind of an event is known (kind="toString")');
});
