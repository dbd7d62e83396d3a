import { expect, test } from "bun:test";
import { apply } from "../../src/metadata/apply.ts";
import { Sessions } from "../../src/server/index.ts";
import { rootCreatedAtMicros, startShards } from "../shard/setup.ts";

test("of two sessions that want a new password at once, only the one that gets it stays logged in", async () => {
  const shards = startShards();
  const { shard, state } = shards.shards[0];
  const clock = { nowMicros: () => rootCreatedAtMicros };
  const onFailure = (error: unknown) => {
    throw error;
  };
  const sessions = new Sessions({ shard, clock, onFailure });
  const [first, second, third] = ["a:1", "a:2", "a:3"].map((address) => {
    const session = sessions.open("tcp", address);
    sessions.logIn(session, state.users.byId.get(0)!);
    return session;
  });
  const isDone = Promise.withResolvers<void>();
  const changes = [
    sessions.staysThrough(first!, { passwordHash: "hash of the first" }, () => isDone.promise),
    sessions.staysThrough(second!, { passwordHash: "hash of the second" }, () => isDone.promise),
  ];
  const event = { kind: "passwordChanged", userId: 0, passwordHash: "hash of the second" } as const;
  apply(state, event);
  sessions.follow(event);
  isDone.resolve();
  await Promise.all(changes);
  expect([first, second, third].map((session) => session!.isLoginOver)).toEqual([true, false, true]);
  expect(sessions.clients().map(({ address }) => address)).toEqual(["a:2"]);
  await shards.close();
});
