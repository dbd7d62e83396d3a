// What a login costs that is refused because too many wait.
import { heapStats } from "bun:jsc";
import { afterEach, expect, test } from "bun:test";
import { CommandCode } from "../../../src/protocol/codes.ts";
import { dispatch, Logins } from "../../../src/server/index.ts";
import { refusalDelayMs, tooManyWait } from "../../../src/server/logins/logins.ts";
import type { DeskRequestMessage } from "../../../src/server/logins/messages.ts";
import { requestBytes } from "../../commands/caller.ts";
import { startShards, type TestShards } from "../../shard/setup.ts";
import { makeContext, makeSession } from "../setup.ts";

let shards: TestShards;
afterEach(() => shards.close());

const byPassword = { username: "iggy", password: "a guess", version: undefined, context: undefined };
const requests = [
  ["a password", CommandCode.loginUser, requestBytes("loginUser", byPassword)],
  [
    "a token",
    CommandCode.loginWithPersonalAccessToken,
    requestBytes("loginWithPersonalAccessToken", { token: "a guess" }),
  ],
] as const;

/** A broker whose desk has no room. */
function start() {
  shards = startShards();
  const [shard] = shards.shards;
  let answer: (message: { readonly data: unknown }) => void = () => undefined;
  const logins = new Logins({
    addEventListener: (_, listener) => {
      answer = listener;
    },
    start: () => undefined,
    postMessage: ({ id }: DeskRequestMessage) =>
      setImmediate(() => answer({ data: { id, answer: { kind: "refused" } } })),
  });
  const context = makeContext(shard, { logins });
  const refused = () => shard.shard.statistics.countOf("refusedLogins");
  return { context, refused };
}

const exceptionsCount = () => heapStats().objectTypeCounts.Exception ?? 0;

test.each(
  requests,
)("with %s: all have the same error, which nothing throws on its way to the client", async (_, code, payload) => {
  const { context, refused } = start();
  const count = 200;
  const tried = () => Promise.resolve(dispatch(context, makeSession(), code, payload)).catch((error: unknown) => error);
  await tried();
  Bun.gc(true);
  const before = exceptionsCount();
  const errors = await Promise.all(Array.from({ length: count }, tried));
  expect(new Set(errors)).toEqual(new Set([tooManyWait]));
  expect(refused()).toBe(count + 1);
  // An exception for each throw, also for those that are caught.
  expect(exceptionsCount() - before).toBeLessThan(count / 2);
});

test.each(requests)("with %s: the answer does not come at once", async (_, code, payload) => {
  const { context } = start();
  const startedMs = performance.now();
  const login = dispatch(context, makeSession(), code, payload);
  await expect(Promise.resolve(login)).rejects.toBe(tooManyWait);
  // A timer may fire a millisecond early.
  expect(performance.now() - startedMs).toBeGreaterThan(refusalDelayMs - 5);
});
