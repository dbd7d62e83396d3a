import { describe, expect, test } from "bun:test";
import { createConsumerGroupRequestCodec } from "../../src/protocol/group/create-consumer-group.ts";
import { deleteConsumerGroupRequestCodec } from "../../src/protocol/group/delete-consumer-group.ts";
import type { Identifier } from "../../src/protocol/identifier.ts";
import { u64Max } from "../../src/protocol/limits.ts";
import { createPartitionsRequestCodec } from "../../src/protocol/partition/create-partitions.ts";
import { deletePartitionsRequestCodec } from "../../src/protocol/partition/delete-partitions.ts";
import { deleteSegmentsRequestCodec } from "../../src/protocol/segment/delete-segments.ts";
import { createStreamRequestCodec } from "../../src/protocol/stream/create-stream.ts";
import { deleteStreamRequestCodec } from "../../src/protocol/stream/delete-stream.ts";
import { updateStreamRequestCodec } from "../../src/protocol/stream/update-stream.ts";
import { createPersonalAccessTokenRequestCodec } from "../../src/protocol/token/create-personal-access-token.ts";
import { deletePersonalAccessTokenRequestCodec } from "../../src/protocol/token/delete-personal-access-token.ts";
import { createTopicRequestCodec } from "../../src/protocol/topic/create-topic.ts";
import { deleteTopicRequestCodec } from "../../src/protocol/topic/delete-topic.ts";
import { purgeTopicRequestCodec } from "../../src/protocol/topic/purge-topic.ts";
import { updateTopicRequestCodec } from "../../src/protocol/topic/update-topic.ts";
import { createUserRequestCodec } from "../../src/protocol/user/create-user.ts";
import { deleteUserRequestCodec } from "../../src/protocol/user/delete-user.ts";
import { updatePermissionsRequestCodec } from "../../src/protocol/user/update-permissions.ts";
import { updateUserRequestCodec } from "../../src/protocol/user/update-user.ts";
import { readIggyEntries } from "../../src/takeover/iggy-state-log.ts";
import { TakeoverError } from "../../src/takeover/takeover-error.ts";
import { toEvents } from "../../src/takeover/to-events.ts";
import { request, type WrittenEntry, withHash, withId, writeLog } from "./iggy-log.ts";

const createdAtMicros = 1_700_000_000_000_000;
const defaults = { messageExpiryMicros: 7_000_000n, maxTopicSizeBytes: 8_000_000_000n };

/** Events of a log whose entries all have the same time. */
function translate(entries: readonly WrittenEntry[], nowMicros = createdAtMicros + 1000) {
  const log = writeLog(entries.map((entry) => ({ timestampMicros: createdAtMicros, ...entry })));
  return toEvents(readIggyEntries(log, undefined), { defaults, nowMicros });
}

function errorOf(entries: readonly WrittenEntry[]): TakeoverError {
  try {
    translate(entries);
  } catch (error) {
    if (error instanceof TakeoverError) return error;
    throw error;
  }
  throw new Error("the log was taken");
}

const id = (value: number): Identifier => ({ kind: "numeric", value });
const named = (value: string): Identifier => ({ kind: "string", value });
const first = { stream: id(0), topic: id(0) };

const createStream = (streamId: number, name: string): WrittenEntry => ({
  command: "createStream",
  bytes: withId(streamId, createStreamRequestCodec, { name }),
});
const topicSettings = {
  compressionCode: 1,
  messageExpiryMicros: 0n,
  maxTopicSizeBytes: 0n,
  replicationFactor: 0,
  name: "topic",
};
const createTopic = (topicId: number, settings: Partial<typeof topicSettings> = {}): WrittenEntry => ({
  command: "createTopic",
  bytes: withId(topicId, createTopicRequestCodec, { stream: id(0), partitionsCount: 2, ...topicSettings, ...settings }),
});
const createUser = (userId: number, username: string): WrittenEntry => ({
  command: "createUser",
  bytes: withId(userId, createUserRequestCodec, { username, password: "hash", statusCode: 1, permissions: undefined }),
});
const createToken = (name: string, expiryMicros: bigint, userId = 0): WrittenEntry => ({
  command: "createPersonalAccessToken",
  userId,
  bytes: withHash(`hash of ${name} ${expiryMicros}`, createPersonalAccessTokenRequestCodec, { name, expiryMicros }),
});
const deleteToken = (name: string): WrittenEntry => ({
  command: "deletePersonalAccessToken",
  bytes: request(deletePersonalAccessTokenRequestCodec, { name }),
});
const streamAndTopic = [createStream(0, "stream"), createTopic(0)];

describe("topics", () => {
  test("server defaults are resolved at creation and at update", () => {
    const update = {
      command: "updateTopic" as const,
      bytes: request(updateTopicRequestCodec, { ...first, ...topicSettings, name: "renamed" }),
    };
    const { events } = translate([...streamAndTopic, update]);
    const resolved = { ...defaults, compression: 1, replicationFactor: 1 } as const;
    expect(events.slice(1)).toEqual([
      {
        kind: "topicCreated",
        streamId: 0,
        topicId: 0,
        name: "topic",
        partitionsCount: 2,
        createdAtMicros,
        ...resolved,
      },
      { kind: "topicUpdated", streamId: 0, topicId: 0, name: "renamed", ...resolved },
    ]);
  });

  test("values of their own stay", () => {
    const settings = { messageExpiryMicros: u64Max, maxTopicSizeBytes: 5n, replicationFactor: 3, compressionCode: 2 };
    const { events } = translate([createStream(0, "stream"), createTopic(0, settings)]);
    expect(events[1]).toMatchObject({
      messageExpiryMicros: u64Max,
      maxTopicSizeBytes: 5n,
      replicationFactor: 3,
      compression: 2,
    });
  });

  test("an unknown compression names the entry", () => {
    expect(errorOf([createStream(0, "stream"), createTopic(0, { compressionCode: 9 })]).entryIndex).toBe(1);
  });

  test("partitions come and go at the end; a topic without any ignores a deletion", () => {
    const partitions = (command: "createPartitions" | "deletePartitions", partitionsCount: number): WrittenEntry => ({
      command,
      bytes: request(command === "createPartitions" ? createPartitionsRequestCodec : deletePartitionsRequestCodec, {
        ...first,
        partitionsCount,
      }),
    });
    const { state, events } = translate([
      ...streamAndTopic,
      partitions("createPartitions", 3),
      partitions("deletePartitions", 5),
      partitions("deletePartitions", 1),
      partitions("createPartitions", 2),
    ]);
    expect(events).toHaveLength(5);
    expect(state.streams.byId.get(0)?.topics.byId.get(0)?.partitions).toHaveLength(2);
  });

  test("purges and deleted segments leave no event", () => {
    const { events, entriesCount } = translate([
      ...streamAndTopic,
      { command: "purgeTopic", bytes: request(purgeTopicRequestCodec, first) },
      {
        command: "deleteSegments",
        bytes: request(deleteSegmentsRequestCodec, { ...first, partitionId: 0, segmentsCount: 1 }),
      },
    ]);
    expect([events.length, entriesCount]).toEqual([2, 4]);
  });
});

describe("names", () => {
  test("what a command names is looked up at its time", () => {
    const rename = (from: Identifier, name: string): WrittenEntry => ({
      command: "updateStream",
      bytes: request(updateStreamRequestCodec, { stream: from, name }),
    });
    const { events } = translate([
      createStream(0, "a"),
      createStream(1, "b"),
      rename(named("a"), "c"),
      rename(named("b"), "a"),
      rename(named("a"), "d"),
    ]);
    expect(events.slice(2)).toEqual([
      { kind: "streamUpdated", streamId: 0, name: "c" },
      { kind: "streamUpdated", streamId: 1, name: "a" },
      { kind: "streamUpdated", streamId: 1, name: "d" },
    ]);
  });

  test.each([
    ["stream", [createTopic(0)]],
    [
      "topic",
      [
        createStream(0, "stream"),
        {
          command: "createConsumerGroup",
          bytes: withId(0, createConsumerGroupRequestCodec, { ...first, name: "group" }),
        },
      ],
    ],
    ["user", [createStream(0, "stream"), createToken("token", 0n, 7)]],
  ] as [string, WrittenEntry[]][])("a %s that does not exist names the entry", (what, entries) => {
    const error = errorOf(entries);
    expect(error.entryIndex).toBe(entries.length - 1);
    expect(error.reason).toContain(`names the ${what}`);
  });

  test("an entry that does not fit the state is named with the rule it breaks", () => {
    const twice = errorOf([createStream(0, "stream"), createStream(1, "stream")]);
    expect([twice.entryIndex, twice.reason]).toEqual([1, expect.stringContaining("names are unique")]);
    expect(errorOf([createStream(4096, "stream")]).reason).toContain("partition key");
  });

  test("a deletion of what is not there has no effect", () => {
    const { events } = translate([
      createUser(0, "iggy"),
      ...streamAndTopic,
      { command: "deleteStream", bytes: request(deleteStreamRequestCodec, { stream: id(5) }) },
      { command: "deleteTopic", bytes: request(deleteTopicRequestCodec, { stream: id(0), topic: id(5) }) },
      { command: "deleteConsumerGroup", bytes: request(deleteConsumerGroupRequestCodec, { ...first, group: id(5) }) },
      { command: "deleteUser", bytes: request(deleteUserRequestCodec, { user: id(5) }) },
      deleteToken("token"),
    ]);
    expect(events).toHaveLength(3);
  });
});

describe("groups and users", () => {
  test("groups are created with their ids and deleted by name", () => {
    const { events } = translate([
      ...streamAndTopic,
      {
        command: "createConsumerGroup",
        bytes: withId(3, createConsumerGroupRequestCodec, { ...first, name: "group" }),
      },
      {
        command: "deleteConsumerGroup",
        bytes: request(deleteConsumerGroupRequestCodec, { ...first, group: named("group") }),
      },
    ]);
    expect(events.slice(2)).toEqual([
      { kind: "groupCreated", streamId: 0, topicId: 0, groupId: 3, name: "group" },
      { kind: "groupDeleted", streamId: 0, topicId: 0, groupId: 3 },
    ]);
  });

  test("users change as asked and only so", () => {
    const { events } = translate([
      createUser(0, "iggy"),
      createUser(1, "alice"),
      {
        command: "updateUser",
        bytes: request(updateUserRequestCodec, { user: named("alice"), username: undefined, statusCode: 2 }),
      },
      {
        command: "updateUser",
        bytes: request(updateUserRequestCodec, { user: named("alice"), username: "bob", statusCode: undefined }),
      },
      {
        command: "updatePermissions",
        bytes: request(updatePermissionsRequestCodec, { user: named("bob"), permissions: undefined }),
      },
      { command: "deleteUser", bytes: request(deleteUserRequestCodec, { user: named("bob") }) },
    ]);
    expect(events.slice(2)).toEqual([
      { kind: "userUpdated", userId: 1, status: 2 },
      { kind: "userUpdated", userId: 1, name: "bob" },
      { kind: "permissionsUpdated", userId: 1, permissions: null },
      { kind: "userDeleted", userId: 1 },
    ]);
  });
});

describe("tokens", () => {
  test("an expiry counts from the entry; 0 and the largest number are never", () => {
    const { events } = translate([
      createUser(0, "iggy"),
      createToken("one", 5000n),
      createToken("two", 0n),
      createToken("three", u64Max),
      createToken("four", u64Max - 1n),
    ]);
    const expiries = events.slice(1).map((event) => (event.kind === "tokenCreated" ? event.expiryAtMicros : undefined));
    expect(expiries).toEqual([BigInt(createdAtMicros) + 5000n, 0n, 0n, u64Max]);
  });

  test("an expired one is left out, with its deletion, and its name is free again", () => {
    const { events, expiredTokensCount } = translate([
      createUser(0, "iggy"),
      createToken("one", 999n),
      deleteToken("one"),
      createToken("two", 1000n),
      createToken("two", 1001n),
      deleteToken("two"),
    ]);
    expect(events.slice(1).map(({ kind }) => kind)).toEqual(["tokenCreated", "tokenDeleted"]);
    expect(expiredTokensCount).toBe(2);
  });
});
