// What takes a while, because a password is hashed, is refused where the login has ended meanwhile.
import { afterEach, expect, test } from "bun:test";
import { apply } from "../../src/metadata/apply.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { numericId } from "../../src/protocol/identifier.ts";
import { dispatch, Logins } from "../../src/server/index.ts";
import { requestBytes } from "../commands/caller.ts";
import { globalFlags, permissions } from "../commands/flags.ts";
import { startShards, type TestShards } from "../shard/setup.ts";
import { makeContext, makeSession, startTimeMicros } from "./setup.ts";

let shards: TestShards;
afterEach(() => shards.close());

const newUser = { username: "back door", password: "secret", statusCode: 1, permissions: undefined };
const newPassword = { user: numericId(1), currentPassword: "secret", newPassword: "other secret" };

test.each([
  ["createUser", CommandCode.createUser, requestBytes("createUser", newUser)],
  ["changePassword", CommandCode.changePassword, requestBytes("changePassword", newPassword)],
] as const)("%s of a user that is deactivated while the password is hashed", async (_name, code, payload) => {
  shards = startShards();
  const [testShard] = shards.shards;
  const { state } = testShard;
  const user = { name: "alice", passwordHash: "old", status: 1, createdAtMicros: startTimeMicros } as const;
  apply(state, { kind: "userCreated", userId: 1, ...user, permissions: permissions(globalFlags) });
  const logins: Logins = Object.assign(Object.create(Logins.prototype), {
    check: async () => "right",
    async hash() {
      apply(state, { kind: "userUpdated", userId: 1, status: 2 });
      return "new";
    },
  });
  let thrown: unknown;
  try {
    await dispatch(makeContext(testShard, { logins }), makeSession(1), code, payload);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(IggyError);
  expect(thrown).toMatchObject({ errorName: "Unauthorized" });
  expect(state.users.byId.get(1)?.passwordHash).toBe("old");
  expect(state.users.byName.has("back door")).toBe(false);
});
