import { expect, test } from "bun:test";
import { apply } from "../../src/metadata/apply.ts";
import { isAllowed, requireAllowed } from "../../src/metadata/permissions.ts";
import { createState, type MetadataState, type User } from "../../src/metadata/state.ts";
import { type Operation, operations } from "../../src/protocol/permissions.ts";
import type { Permissions } from "../../src/protocol/records/permissions.ts";
import { codeOf, defaultTopic, emptyPermissions } from "./support.ts";

// The table of spec SB 7.3 as it stands there, word by word.
const specification = `
Poll messages; get, store, delete offset | poll_messages, read_topics, manage_topics, read_streams, manage_streams | poll_messages, read_topics, manage_topics, read_stream, manage_stream | poll_messages, read_topic, manage_topic
Send messages; flush | send_messages, manage_topics, manage_streams | send_messages, manage_topics, manage_stream | send_messages, manage_topic
Get stream | read_streams, manage_streams | read_stream, manage_stream | –
List streams | read_streams, manage_streams | – | –
Create stream | manage_streams | – | –
Update, delete, purge stream | manage_streams | manage_stream | –
Get topic; all consumer group commands (create, delete, get, list, join, leave) | read_topics, manage_topics, read_streams, manage_streams | read_topics, manage_topics, read_stream, manage_stream | read_topic, manage_topic
List topics | read_topics, manage_topics, read_streams, manage_streams | read_topics, manage_topics, read_stream, manage_stream | –
Create topic | manage_topics, manage_streams | manage_topics, manage_stream | –
Update, delete, purge topic; create, delete partitions; delete segments | manage_topics, manage_streams | manage_topics, manage_stream | manage_topic
Get user, list users | read_users, manage_users | – | –
Create, update, delete user; update permissions | manage_users | – | –
Change password | manage_users | – | –
Stats, clients, client | read_servers, manage_servers | – | –
Disconnect a client (no command of the original) | manage_servers | – | –
Backup (no command of the original) | manage_servers | – | –
`;

const rowOf: { readonly [O in Operation]: string } = {
  pollMessages: "Poll messages; get, store, delete offset",
  sendMessages: "Send messages; flush",
  getStream: "Get stream",
  getStreams: "List streams",
  createStream: "Create stream",
  updateStream: "Update, delete, purge stream",
  deleteStream: "Update, delete, purge stream",
  purgeStream: "Update, delete, purge stream",
  getTopic: "Get topic; all consumer group commands (create, delete, get, list, join, leave)",
  consumerGroup: "Get topic; all consumer group commands (create, delete, get, list, join, leave)",
  getTopics: "List topics",
  createTopic: "Create topic",
  updateTopic: "Update, delete, purge topic; create, delete partitions; delete segments",
  deleteTopic: "Update, delete, purge topic; create, delete partitions; delete segments",
  purgeTopic: "Update, delete, purge topic; create, delete partitions; delete segments",
  createPartitions: "Update, delete, purge topic; create, delete partitions; delete segments",
  deletePartitions: "Update, delete, purge topic; create, delete partitions; delete segments",
  deleteSegments: "Update, delete, purge topic; create, delete partitions; delete segments",
  getUser: "Get user, list users",
  getUsers: "Get user, list users",
  createUser: "Create, update, delete user; update permissions",
  updateUser: "Create, update, delete user; update permissions",
  deleteUser: "Create, update, delete user; update permissions",
  updatePermissions: "Create, update, delete user; update permissions",
  changePassword: "Change password",
  getStats: "Stats, clients, client",
  getClients: "Stats, clients, client",
  getClient: "Stats, clients, client",
  disconnectClient: "Disconnect a client (no command of the original)",
  backup: "Backup (no command of the original)",
  getSnapshot: "Stats, clients, client", // stricter than the table: trap 50
};

const levels = ["global", "stream", "topic"] as const;
type Level = (typeof levels)[number];

const table = new Map(
  specification
    .trim()
    .split("\n")
    .map((line) => {
      const [row = "", ...cells] = line.split(" | ");
      const flags = cells.map((cell) => (cell === "–" ? [] : cell.split(", ").map(camelCase)));
      return [row, { global: flags[0] ?? [], stream: flags[1] ?? [], topic: flags[2] ?? [] }] as const;
    }),
);

function camelCase(flag: string): string {
  return flag.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

const streamId = 3;
const topicId = 1;
const blank = emptyPermissions(streamId);

/** One single flag at one level, on stream 3 and topic 1. */
function only(level: Level, flag: string): Permissions {
  if (level === "global") return { ...blank, global: { ...blank.global, [flag]: true } };
  const streams = blank.streams.map((stream) =>
    level === "stream"
      ? { ...stream, [flag]: true }
      : {
          ...stream,
          topics: stream.topics.map((topic) => (topic.topicId === topicId ? { ...topic, [flag]: true } : topic)),
        },
  );
  return { ...blank, streams };
}

function flagsOf(level: Level): string[] {
  const stream = blank.streams[0]!;
  const record = level === "global" ? blank.global : level === "stream" ? stream : stream.topics[0]!;
  return Object.entries(record).flatMap(([flag, value]) => (typeof value === "boolean" ? [flag] : []));
}

function userWith(permissions: Permissions | null): User {
  const tokensByName = new Map();
  return {
    ...{ id: 5, name: "alice", passwordHash: "", status: 1, createdAtMicros: 1, permissions, tokensByName },
    ...{ credentialsVersion: 0, keptAccessTokenId: null },
  };
}

test("the levels have 10, 6 and 4 flags, and every row of the table is some operation", () => {
  expect(levels.map((level) => flagsOf(level).length)).toEqual([10, 6, 4]);
  expect(new Set(Object.values(rowOf))).toEqual(new Set(table.keys()));
  expect(operations.toSorted()).toEqual(Object.keys(rowOf).toSorted() as Operation[]);
});

test.each(
  operations.map((operation) => [operation]),
)("%s: each single flag at each level, as in the table", (operation) => {
  const row = table.get(rowOf[operation])!;
  for (const level of levels) {
    for (const flag of flagsOf(level)) {
      const user = userWith(only(level, flag));
      const expected = row[level].includes(flag);
      const where = `${level} ${flag}`;
      expect({ where, allowed: isAllowed(user, operation, streamId, topicId) }).toEqual({ where, allowed: expected });
      const global = level === "global" && expected;
      expect({ where, allowed: isAllowed(user, operation, 4, topicId) }).toEqual({ where, allowed: global });
      expect({ where, allowed: isAllowed(user, operation) }).toEqual({ where, allowed: global });
      const inherited = level !== "topic" && expected;
      expect({ where, allowed: isAllowed(user, operation, streamId, 0) }).toEqual({ where, allowed: inherited });
      expect({ where, allowed: isAllowed(user, operation, streamId, 99) }).toEqual({ where, allowed: inherited });
      expect({ where, allowed: isAllowed(user, operation, streamId) }).toEqual({ where, allowed: inherited });
    }
  }
});

test("levels add up: a right at one is not taken away by an entry without it at another", () => {
  const poll = only("topic", "pollMessages");
  const user = userWith({ ...poll, global: { ...poll.global, sendMessages: true } });
  expect(isAllowed(user, "pollMessages", streamId, topicId)).toBe(true);
  expect(isAllowed(user, "sendMessages", streamId, topicId)).toBe(true);
  expect(isAllowed(user, "sendMessages", 77, 0)).toBe(true);
  expect(isAllowed(user, "pollMessages", 77, 0)).toBe(false);
  expect(isAllowed(user, "getTopic", streamId, topicId)).toBe(false);
});

test("without permissions, or deleted meanwhile, a user may do nothing", () => {
  for (const operation of operations) {
    expect(isAllowed(userWith(null), operation, streamId, topicId)).toBe(false);
    expect(isAllowed(undefined, operation, streamId, topicId)).toBe(false);
    expect(codeOf(() => requireAllowed(undefined, operation, streamId, topicId))).toBe(41);
  }
  expect(codeOf(() => requireAllowed(userWith(only("topic", "pollMessages")), "pollMessages", streamId, topicId))).toBe(
    0,
  );
});

function stateWithRights(): MetadataState {
  const state = createState();
  const base = { passwordHash: "", status: 1, createdAtMicros: 1 } as const;
  apply(state, { kind: "userCreated", userId: 0, name: "iggy", ...base, permissions: null });
  apply(state, { kind: "userCreated", userId: 1, name: "alice", ...base, permissions: emptyPermissions(0, 1) });
  apply(state, { kind: "userCreated", userId: 2, name: "bob", ...base, permissions: emptyPermissions(1) });
  for (const id of [0, 1]) {
    apply(state, { kind: "streamCreated", streamId: id, name: `s${id}`, createdAtMicros: 1 });
    for (const topic of [0, 1]) apply(state, { ...defaultTopic, streamId: id, topicId: topic, name: `t${topic}` });
  }
  return state;
}

function rightsOf(state: MetadataState, userId: number): [number, number[]][] | undefined {
  const permissions = state.users.byId.get(userId)?.permissions;
  return permissions?.streams.map((stream) => [stream.streamId, stream.topics.map((topic) => topic.topicId)]);
}

test("rights that name a deleted topic go with it, in its stream only", () => {
  const state = stateWithRights();
  const untouched = state.users.byId.get(2)?.permissions;
  apply(state, { kind: "topicDeleted", streamId: 0, topicId: 1 });
  expect(rightsOf(state, 1)).toEqual([
    [0, [0]],
    [1, [0, 1]],
  ]);
  expect(state.users.byId.get(2)?.permissions).toBe(untouched!);
  expect(state.users.byId.get(0)?.permissions).toBeNull();
});

test("rights that name a deleted stream go with it, so that a new one with its number starts without", () => {
  const state = stateWithRights();
  apply(state, { kind: "streamDeleted", streamId: 1 });
  expect(rightsOf(state, 1)).toEqual([[0, [0, 1]]]);
  expect(rightsOf(state, 2)).toEqual([]);
  apply(state, { kind: "streamCreated", streamId: 1, name: "new", createdAtMicros: 2 });
  expect(rightsOf(state, 2)).toEqual([]);
});
