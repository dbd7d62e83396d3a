// A request that takes long to read is read only for who may ask for it.
import { afterAll, expect, test } from "bun:test";
import { CommandCode } from "../../src/protocol/codes.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { dispatch } from "../../src/server/index.ts";
import { startShards } from "../shard/setup.ts";
import { makeContext, makeSession } from "./setup.ts";

const shards = startShards();
afterAll(() => shards.close());

test.each(["createUser", "updatePermissions"] as const)("%s", async (name) => {
  const context = makeContext(shards.shards[0]);
  const request = { name: `user-${name}`, passwordHash: "", status: 1, permissions: null } as const;
  const { userId } = await context.shard.control({ kind: "createUser", request });
  const { createdAtMicros } = context.shard.state.users.byId.get(userId)!;
  const session = makeSession(userId);
  session.user = { ...session.user!, id: userId, createdAtMicros };
  const codeOf = (asked: typeof session, sizeBytes: number) => {
    try {
      void dispatch(context, asked, CommandCode[name], new Uint8Array(sizeBytes).fill(255));
      return 0;
    } catch (error) {
      return error instanceof IggyError ? error.code : error;
    }
  };
  // What is no request is found out by reading it.
  const short = codeOf(session, 1000);
  expect(short).not.toBe(41);
  expect(codeOf(makeSession(0), 100_000)).toBe(short);
  expect(codeOf(session, 100_000)).toBe(41);
  expect(codeOf(makeSession(), 100_000)).toBe(40);
});
