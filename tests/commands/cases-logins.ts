import { expect } from "bun:test";
import { nameId, numericId } from "../../src/protocol/identifier.ts";
import { requestBytes } from "./caller.ts";
import type { Table } from "./table.ts";
import { inactive, loginRequest, unknownId, type World } from "./world.ts";

/** Name of a user that is inactive. */
async function inactiveUser(world: World): Promise<{ readonly name: string; readonly password: string }> {
  const account = await world.createAccount();
  const user = numericId(account.id);
  await world.root.value("updateUser", { user, username: undefined, statusCode: inactive });
  return account;
}

export const loginCases: Pick<Table, "changePassword" | "loginUser" | "logoutUser"> = {
  changePassword: {
    begins: "identifier",
    ordinary: {
      what: "another user's, with that user's password",
      async request({ world }) {
        const { name, password } = await world.createAccount();
        return { user: nameId(name), currentPassword: password, newPassword: "another" };
      },
      async after({ world }, { user, currentPassword }) {
        expect(await world.loginStatus(String(user.value), "another")).toBe(0);
        expect(await world.loginStatus(String(user.value), currentPassword)).toBe(42);
      },
    },
    more: [
      {
        what: "the own one, without rights",
        by: "newcomer",
        async request({ caller }) {
          const { userId } = await caller.content("getMe", undefined);
          const { username } = await caller.content("getUser", { user: numericId(userId ?? -1) });
          return {
            user: numericId(userId ?? -1),
            currentPassword: `secret of ${username}`,
            newPassword: "p".repeat(100),
          };
        },
        async after({ world }, { user }) {
          const { username } = await world.root.content("getUser", { user });
          expect(await world.loginStatus(username, "p".repeat(100))).toBe(0);
        },
      },
    ],
    violations: [
      {
        error: 44,
        what: "a current password of 2 bytes",
        by: "guest",
        request: () => ({ user: unknownId, currentPassword: "ab", newPassword: "secret" }),
      },
      {
        error: 44,
        what: "a new password of 101 bytes",
        by: "guest",
        request: () => ({ user: unknownId, currentPassword: "wrong", newPassword: "p".repeat(101) }),
      },
      {
        error: 20,
        what: "unknown user",
        by: "guest",
        request: () => ({ user: unknownId, currentPassword: "wrong", newPassword: "secret" }),
      },
      {
        error: 41,
        what: "another user, without rights",
        by: "guest",
        request: ({ world }) => ({
          user: numericId(world.subject.id),
          currentPassword: "wrong",
          newPassword: "secret",
        }),
      },
      {
        error: 42,
        what: "a wrong current password, by an administrator",
        request: ({ world }) => ({
          user: numericId(world.subject.id),
          currentPassword: "wrong",
          newPassword: "secret",
        }),
      },
      {
        error: 42,
        what: "a wrong current password of one's own",
        by: "guest",
        request: ({ world }) => ({ user: numericId(world.guest.id), currentPassword: "wrong", newPassword: "secret" }),
      },
    ],
  },

  loginUser: {
    begins: "name",
    ordinary: {
      what: "the user's number",
      by: "anonymous",
      request: ({ world }) => loginRequest(world.guest.name, world.guest.password),
      reply: ({ world }) => ({ userId: world.guest.id }),
    },
    more: [
      {
        what: "version and context are not looked at; who is logged in is replaced",
        by: "newcomer",
        request: () => ({ ...loginRequest("iggy", "iggy"), version: "0.10.0", context: "test" }),
        reply: () => ({ userId: 0 }),
        async after({ caller }) {
          expect(await caller.value("getMe", undefined)).toMatchObject({ userId: 0 });
        },
      },
    ],
    violations: [
      {
        error: 3,
        what: "no version and context, as older clients sent it",
        by: "anonymous",
        request: () => requestBytes("loginUser", loginRequest("ab", "ab")).subarray(0, -8),
      },
      { error: 43, what: "a name of 2 bytes", by: "anonymous", request: () => loginRequest("ab", "ab") },
      { error: 43, what: "a name of 51 bytes", by: "anonymous", request: () => loginRequest("n".repeat(51), "ab") },
      { error: 44, what: "a password of 2 bytes", by: "anonymous", request: () => loginRequest("nobody", "ab") },
      {
        error: 44,
        what: "a password of 101 bytes",
        by: "anonymous",
        request: () => loginRequest("nobody", "p".repeat(101)),
      },
      { error: 42, what: "unknown user", by: "anonymous", request: () => loginRequest("nobody", "secret") },
      { error: 42, what: "wrong password", by: "anonymous", request: () => loginRequest("iggy", "wrong") },
      {
        error: 47,
        what: "an inactive user, also with a wrong password",
        by: "anonymous",
        request: async ({ world }) => loginRequest((await inactiveUser(world)).name, "wrong"),
      },
      {
        error: 47,
        what: "an inactive user",
        by: "anonymous",
        async request({ world }) {
          const { name, password } = await inactiveUser(world);
          return loginRequest(name, password);
        },
      },
      { error: 100, what: "the session's user was deleted", by: "ghost", request: () => loginRequest("iggy", "iggy") },
      { error: 100, what: "the heartbeat was missed", by: "stale", request: () => loginRequest("iggy", "iggy") },
    ],
  },

  logoutUser: {
    begins: "none",
    ordinary: {
      what: "nobody is logged in, the connection stays",
      by: "newcomer",
      request: () => undefined,
      async after({ caller }) {
        expect(await caller.status("getMe", undefined)).toBe(40);
        expect(await caller.status("ping", undefined)).toBe(0);
      },
    },
    violations: [
      { error: 100, what: "the user was deleted", by: "ghost", request: () => undefined },
      { error: 100, what: "the heartbeat was missed", by: "stale", request: () => undefined },
    ],
  },
};
