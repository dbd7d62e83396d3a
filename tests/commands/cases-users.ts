import { expect } from "bun:test";
import { nameId, numericId } from "../../src/protocol/identifier.ts";
import type { GetUsersReply } from "../../src/protocol/user/get-users.ts";
import { requestBytes } from "./caller.ts";
import { type Expected, isPositive, isRecent } from "./expected.ts";
import { permissions, streamRights, topicRights } from "./flags.ts";
import type { Stage, Table } from "./table.ts";
import { active, inactive, unknownId, unknownName, type World } from "./world.ts";

const rights = permissions(
  ["readServers", "pollMessages"],
  [
    streamRights(
      0,
      ["readStream", "readTopics"],
      [topicRights(0, "readTopic", "pollMessages", "sendMessages"), topicRights(1, "manageTopic")],
    ),
    streamRights(3, ["manageStream"]),
  ],
);

function detailsOf(who: "subject" | "guest") {
  return ({ world }: Stage) => {
    const { id, name: username } = world[who];
    return { id, createdAtMicros: isRecent, status: "active", username, permissions: undefined } as const;
  };
}

function isUserList(world: World): Expected<GetUsersReply> {
  return (users) => {
    const ids = users.map(({ id }) => id);
    const has = (id: number, name: string) => users.some((user) => user.id === id && user.username === name);
    const isAscending = ids.join() === ids.toSorted((left, right) => left - right).join();
    return has(0, "iggy") && has(world.guest.id, world.guest.name) && isAscending;
  };
}

export const userCases: Pick<
  Table,
  "getUser" | "getUsers" | "createUser" | "deleteUser" | "updateUser" | "updatePermissions"
> = {
  getUser: {
    begins: "identifier",
    ordinary: {
      what: "the user without permissions",
      request: ({ world }) => ({ user: numericId(world.subject.id) }),
      reply: detailsOf("subject"),
    },
    more: [
      {
        what: "the same by name",
        request: ({ world }) => ({ user: nameId(world.subject.name) }),
        reply: detailsOf("subject"),
      },
      {
        what: "every permission",
        async request({ world }) {
          const username = world.uniqueName("allowed");
          const password = "secret";
          await world.root.value("createUser", { username, password, statusCode: inactive, permissions: rights });
          return { user: nameId(username) };
        },
        reply: (_stage, { user }) => ({
          id: isPositive,
          createdAtMicros: isRecent,
          status: "inactive",
          username: String(user.value),
          permissions: rights,
        }),
      },
      {
        what: "the own user by number, without rights",
        by: "guest",
        request: ({ world }) => ({ user: numericId(world.guest.id) }),
        reply: detailsOf("guest"),
      },
      {
        what: "the own user by name, without rights",
        by: "guest",
        request: ({ world }) => ({ user: nameId(world.guest.name) }),
        reply: detailsOf("guest"),
      },
      { what: "nothing for an unknown name, also without rights", by: "guest", request: () => ({ user: unknownName }) },
      { what: "nothing for an unknown number", request: () => ({ user: unknownId }) },
    ],
    violations: [
      { error: 41, what: "an unknown number, without rights", by: "guest", request: () => ({ user: unknownId }) },
      { error: 41, what: "another's name", by: "guest", request: () => ({ user: nameId("iggy") }) },
    ],
  },

  getUsers: {
    begins: "none",
    ordinary: {
      what: "every user in ascending order",
      request: () => undefined,
      reply: ({ world }) => isUserList(world),
    },
    violations: [{ error: 41, what: "no right", by: "guest", request: () => undefined }],
  },

  createUser: {
    begins: "name",
    ordinary: {
      what: "the user with its permissions",
      request: ({ world }) => ({
        username: world.uniqueName("created"),
        password: "secret",
        statusCode: active,
        permissions: rights,
      }),
      reply: (_stage, { username }) => ({
        id: isPositive,
        createdAtMicros: isRecent,
        status: "active",
        username,
        permissions: rights,
      }),
      async after({ world }, { username, password }) {
        expect(await world.loginStatus(username, password)).toBe(0);
      },
    },
    more: [
      {
        what: "the longest name and password, no permissions, inactive",
        request: ({ world }) => ({
          username: world.uniqueName("long").padEnd(50, "n"),
          password: "p".repeat(100),
          statusCode: inactive,
          permissions: undefined,
        }),
        reply: (_stage, { username }) => ({
          id: isPositive,
          createdAtMicros: isRecent,
          status: "inactive",
          username,
          permissions: undefined,
        }),
      },
      {
        what: "the shortest name and password",
        request: () => ({ username: "abc", password: "def", statusCode: active, permissions: undefined }),
        reply: (_stage, { username }) => ({
          id: isPositive,
          createdAtMicros: isRecent,
          status: "active",
          username,
          permissions: undefined,
        }),
        async after({ world }) {
          expect(await world.loginStatus("abc", "def")).toBe(0);
        },
      },
    ],
    violations: [
      {
        error: 4,
        what: "permissions of another length, before all else",
        by: "guest",
        request() {
          const request = { username: "iggy", password: "", statusCode: 9, permissions: permissions([]) };
          const bytes = requestBytes("createUser", request);
          bytes[bytes.length - 15]! += 1;
          return new Uint8Array([...bytes, 0]);
        },
      },
      {
        error: 41,
        what: "no right",
        by: "guest",
        request: () => ({ username: "ab", password: "", statusCode: 9, permissions: undefined }),
      },
      {
        error: 43,
        what: "a name of 2 bytes",
        request: () => ({ username: "ab", password: "ab", statusCode: 9, permissions: undefined }),
      },
      {
        error: 43,
        what: "a name of 51 bytes",
        request: () => ({ username: "n".repeat(51), password: "ab", statusCode: 9, permissions: undefined }),
      },
      {
        error: 44,
        what: "a password of 2 bytes",
        request: () => ({ username: "iggy", password: "ab", statusCode: 9, permissions: undefined }),
      },
      {
        error: 44,
        what: "a password of 101 bytes",
        request: () => ({ username: "iggy", password: "p".repeat(101), statusCode: 9, permissions: undefined }),
      },
      {
        error: 3,
        what: "status 0",
        request: () => ({ username: "iggy", password: "secret", statusCode: 0, permissions: undefined }),
      },
      {
        error: 3,
        what: "status 3",
        request: () => ({ username: "iggy", password: "secret", statusCode: 3, permissions: undefined }),
      },
      {
        error: 46,
        what: "name taken",
        request: () => ({ username: "iggy", password: "secret", statusCode: active, permissions: undefined }),
      },
    ],
  },

  deleteUser: {
    begins: "identifier",
    ordinary: {
      what: "the user is gone",
      request: async ({ world }) => ({ user: numericId((await world.createAccount()).id) }),
      async after({ world }, { user }) {
        expect(await world.root.value("getUser", { user })).toBeUndefined();
      },
    },
    violations: [
      { error: 41, what: "no right", by: "guest", request: () => ({ user: unknownId }) },
      { error: 20, what: "unknown number", request: () => ({ user: unknownId }) },
      { error: 20, what: "unknown name", request: () => ({ user: unknownName }) },
      { error: 48, what: "root by number", request: () => ({ user: numericId(0) }) },
      { error: 48, what: "root by name", request: () => ({ user: nameId("iggy") }) },
    ],
  },

  updateUser: {
    begins: "identifier",
    ordinary: {
      what: "another name and status",
      request: async ({ world }) => ({
        user: numericId((await world.createAccount()).id),
        username: world.uniqueName("renamed"),
        statusCode: inactive,
      }),
      async after({ world }, { user, username }) {
        expect(await world.root.value("getUser", { user })).toMatchObject({ username, status: "inactive" });
      },
    },
    more: [
      {
        what: "nothing at all",
        request: ({ world }) => ({ user: nameId(world.subject.name), username: undefined, statusCode: undefined }),
      },
      {
        what: "its own name",
        request: ({ world }) => ({
          user: numericId(world.subject.id),
          username: world.subject.name,
          statusCode: active,
        }),
      },
    ],
    violations: [
      {
        error: 41,
        what: "no right",
        by: "guest",
        request: () => ({ user: unknownId, username: "ab", statusCode: 9 }),
      },
      { error: 43, what: "a name of 2 bytes", request: () => ({ user: unknownId, username: "ab", statusCode: 9 }) },
      {
        error: 43,
        what: "a name of 51 bytes",
        request: () => ({ user: unknownId, username: "n".repeat(51), statusCode: 9 }),
      },
      { error: 3, what: "status 0", request: () => ({ user: unknownId, username: "iggy", statusCode: 0 }) },
      { error: 20, what: "unknown user", request: () => ({ user: unknownId, username: "iggy", statusCode: active }) },
      {
        error: 49,
        what: "root is to be inactive",
        request: () => ({ user: numericId(0), username: undefined, statusCode: inactive }),
      },
      {
        error: 46,
        what: "name taken",
        request: ({ world }) => ({ user: numericId(world.subject.id), username: "iggy", statusCode: active }),
      },
    ],
  },

  updatePermissions: {
    begins: "identifier",
    ordinary: {
      what: "other permissions",
      request: async ({ world }) => ({ user: numericId((await world.createAccount()).id), permissions: rights }),
      async after({ world }, { user }) {
        expect(await world.root.value("getUser", { user })).toMatchObject({ permissions: rights });
        await world.root.value("updatePermissions", { user, permissions: undefined });
        expect((await world.root.content("getUser", { user })).permissions).toBeUndefined();
      },
    },
    violations: [
      { error: 41, what: "no right", by: "guest", request: () => ({ user: unknownId, permissions: rights }) },
      { error: 20, what: "unknown user", request: () => ({ user: unknownName, permissions: rights }) },
      { error: 49, what: "root by number", request: () => ({ user: numericId(0), permissions: undefined }) },
      { error: 49, what: "root by name", request: () => ({ user: nameId("iggy"), permissions: rights }) },
    ],
  },
};
