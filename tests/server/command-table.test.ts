import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Codec, encode } from "../../src/protocol/codec.ts";
import { CommandCode, type CommandName, payloadSizes } from "../../src/protocol/codes.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { ExtensionCode } from "../../src/protocol/extensions/codes.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { commandTable, dispatch, type ServerContext } from "../../src/server/index.ts";
import { commandValues } from "../protocol/arbitraries.ts";
import { startShards, type TestShards } from "../shard/setup.ts";
import { makeContext, makeSession, startTimeMicros } from "./setup.ts";

/** Works on the frame's memory, outside of the table. */
const elsewhere: readonly CommandName[] = ["sendMessages"];
const withoutLogin: ReadonlySet<CommandName> = new Set(["ping", "loginUser", "loginWithPersonalAccessToken"]);

const allNames = Object.keys(CommandCode) as CommandName[];
const tableNames = [...commandTable.values()].map(({ name }) => name);
const guarded = tableNames.filter((name) => !withoutLogin.has(name));

let shards: TestShards;
let context: ServerContext;

beforeAll(() => {
  shards = startShards();
  context = makeContext(shards.shards[0]);
});
afterAll(() => shards.close());

/** Code of the error that dispatch throws or rejects with; 0 for an answer. */
async function statusOf(code: number, payload: Uint8Array, userId?: number): Promise<number> {
  try {
    await dispatch(context, makeSession(userId), code, payload);
    return 0;
  } catch (error) {
    if (error instanceof IggyError) return error.code;
    throw error;
  }
}

describe("the table", () => {
  test("holds every command of the protocol but the one that is named here", () => {
    const expected = allNames.filter((name) => !elsewhere.includes(name));
    expect(tableNames.toSorted()).toEqual(expected.toSorted());
  });

  test("has each command under its code, once", () => {
    for (const [code, command] of commandTable) expect<number>(CommandCode[command.name]).toBe(code);
    expect(new Set(tableNames).size).toBe(tableNames.length);
  });

  test("asks for a login except where the protocol does not", () => {
    for (const { name, needsLogin } of commandTable.values()) {
      expect({ name, needsLogin }).toEqual({ name, needsLogin: !withoutLogin.has(name) });
    }
  });
});

describe("before login", () => {
  test.each(guarded)("a well-formed %s is refused with 40", async (name) => {
    const codec: Codec<unknown> = commandCodecs[name].request;
    await fc.assert(
      fc.asyncProperty(commandValues[name].request, async (request) => {
        expect(await statusOf(CommandCode[name], encode(codec, request))).toBe(40);
      }),
      { numRuns: 20 },
    );
  });

  const withPayload = guarded.filter((name) => payloadSizes[name].bytesMin > 0);
  test.each(withPayload)("a malformed %s is refused by decoding: 3 or 4", async (name) => {
    const codec: Codec<unknown> = commandCodecs[name].request;
    await fc.assert(
      fc.asyncProperty(commandValues[name].request, fc.nat(), async (request, at) => {
        const bytes = encode(codec, request);
        expect([3, 4]).toContain(await statusOf(CommandCode[name], bytes.subarray(0, at % bytes.byteLength)));
      }),
      { numRuns: 20 },
    );
  });

  const withoutPayload = guarded.filter((name) => payloadSizes[name].bytesMax === 0);
  test.each(withoutPayload)("%s does not look at its payload", async (name) => {
    expect(await statusOf(CommandCode[name], new Uint8Array(9).fill(0xff))).toBe(40);
  });

  test("ping is answered and counts as a heartbeat", async () => {
    const session = makeSession();
    expect(await dispatch(context, session, CommandCode.ping, new Uint8Array(3))).toEqual(new Uint8Array(0));
    expect(session.heartbeatMicros).toBe(startTimeMicros + 1_000_000);
  });
});

test("a request of our own that is longer than any may be is refused before it is read", async () => {
  expect(await statusOf(ExtensionCode.getFeatures, new Uint8Array(64 * 1024), 0)).toBe(0);
  expect(await statusOf(ExtensionCode.getFeatures, new Uint8Array(64 * 1024 + 1), 0)).toBe(3);
});

test.each([0, 2, 13, 99, 100_000, 0xffff_ffff])("code %d is no command, with and without a login", async (code) => {
  expect(await statusOf(code, new Uint8Array(4))).toBe(3);
  expect(await statusOf(code, new Uint8Array(4), 0)).toBe(3);
});

describe("login", () => {
  const login = (username: string, password: string) =>
    encode(commandCodecs.loginUser.request, { username, password, version: undefined, context: undefined });

  test.each([
    ["ab", "secret", 43],
    ["a".repeat(51), "secret", 43],
    ["ab", "s", 43],
    ["alice", "ab", 44],
    ["alice", "s".repeat(101), 44],
    ["nobody", "secret", 42],
    ["é".repeat(2), "secret", 42],
    ["é".repeat(26), "secret", 43],
  ])("of %s with %s gives %d", async (username, password, status) => {
    expect(await statusOf(CommandCode.loginUser, login(username, password))).toBe(status);
  });

  test("is refused with 8 while the server stops", async () => {
    const stopping = makeContext(shards.shards[0], { isShuttingDown: () => true });
    const attempt = dispatch(stopping, makeSession(), CommandCode.loginUser, login("alice", "secret"));
    await expect(Promise.resolve(attempt)).rejects.toMatchObject({ code: 8 });
  });

  test("logout ends the session's login", async () => {
    const session = makeSession(0);
    await dispatch(context, session, CommandCode.logoutUser, new Uint8Array(0));
    expect(session.user).toBeUndefined();
    expect(() => dispatch(context, session, CommandCode.getStreams, new Uint8Array(0))).toThrow("Unauthenticated");
  });
});
