// Passwords and tokens: what is left of them on the disk and after a restart, the limit of tokens, and how guesses are slowed.
import { beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { nameId, numericId } from "../../src/protocol/identifier.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { Caller } from "./caller.ts";
import { permissions, streamRights, topicRights } from "./flags.ts";
import { active, inactive, loginRequest } from "./world.ts";

const servers = useServers();
const rootPassword = "root-pass-3f81";

function startServer(env: Readonly<Record<string, string>>, shards = 2): Promise<TestServer> {
  return servers.start({ shards, env: { IGGY_ROOT_PASSWORD: rootPassword, ...env } });
}

/** Paths below `directory` of files that contain one of the texts. */
function filesWith(directory: string, texts: readonly string[]): string[] {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(names.length).toBeGreaterThan(0);
  return names
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => {
      const content = readFileSync(path);
      return texts.some((text) => content.includes(text));
    });
}

const rights = permissions(["readServers"], [streamRights(2, ["readStream"], [topicRights(1, "pollMessages")])]);

describe("users and tokens", () => {
  let server: TestServer;
  const secrets: string[] = [rootPassword];
  /** Of "alice". */
  let token = "";
  let expiringToken = "";

  beforeAll(async () => {
    server = await startServer({ IGGY_PERSONAL_ACCESS_TOKEN_MAX_TOKENS_PER_USER: "2" });
    const root = await Caller.withPassword(server, "iggy", rootPassword);
    const user = { statusCode: active, permissions: undefined };
    await root.value("createUser", { ...user, username: "alice", password: "alice-pass-77a1" });
    await root.value("createUser", { ...user, username: "bob", password: "bob-pass-12c9", permissions: rights });
    await root.value("createUser", { ...user, username: "carol", password: "carol-pass-5d0e" });
    await root.value("changePassword", {
      user: nameId("carol"),
      currentPassword: "carol-pass-5d0e",
      newPassword: "carol-pass-new-9b",
    });
    await root.value("updateUser", { user: nameId("bob"), username: undefined, statusCode: inactive });
    const alice = await Caller.withPassword(server, "alice", "alice-pass-77a1");
    const neverExpires = { name: "for ever", expiryMicros: 0n };
    ({ token } = await alice.content("createPersonalAccessToken", neverExpires));
    const hour = { name: "for an hour", expiryMicros: 3_600_000_000n };
    ({ token: expiringToken } = await alice.content("createPersonalAccessToken", hour));
    const guess = await Caller.connect(server);
    expect(await guess.status("loginUser", loginRequest("alice", "guess-pass-0000"))).toBe(42);
    expect(await guess.status("loginWithPersonalAccessToken", { token: "guessed-token-0000" })).toBe(20);
    secrets.push("alice-pass-77a1", "bob-pass-12c9", "carol-pass-5d0e", "carol-pass-new-9b", token, expiringToken);
    secrets.push("guess-pass-0000", "guessed-token-0000");
    for (const caller of [root, alice, guess]) caller.close();
  }, 120_000);

  test("a third token is one too many (52), before its name is looked at, and only for its owner", async () => {
    const alice = await Caller.withToken(server, token);
    const create = (name: string) => alice.status("createPersonalAccessToken", { name, expiryMicros: 0n });
    expect(await create("third")).toBe(52);
    expect(await create("for ever")).toBe(52);
    expect(await create("ab")).toBe(50);
    await alice.value("deletePersonalAccessToken", { name: "for an hour" });
    expect(await alice.status("loginWithPersonalAccessToken", { token: expiringToken })).toBe(20);
    expect(await create("for ever")).toBe(51);
    expect(await create("third")).toBe(0);
    expect(await create("fourth")).toBe(52);
    const carol = await Caller.withPassword(server, "carol", "carol-pass-new-9b");
    expect(await carol.status("createPersonalAccessToken", { name: "for ever", expiryMicros: 0n })).toBe(0);
    alice.close();
    carol.close();
  });

  test("are the same after a restart", async () => {
    const root = await Caller.withPassword(server, "iggy", rootPassword);
    const users = await root.content("getUsers", undefined);
    const bob = await root.content("getUser", { user: nameId("bob") });
    expect(bob).toMatchObject({ status: "inactive", permissions: rights });
    const alice = await Caller.withToken(server, token);
    const tokens = await alice.content("getPersonalAccessTokens", undefined);
    expect(tokens.map(({ name }) => name)).toEqual(["for ever", "third"]);

    await server.restart();
    const rootAgain = await Caller.withPassword(server, "iggy", rootPassword);
    expect(await rootAgain.content("getUsers", undefined)).toEqual(users);
    expect(await rootAgain.content("getUser", { user: nameId("bob") })).toEqual(bob);
    const aliceAgain = await Caller.withToken(server, token);
    expect(await aliceAgain.content("getPersonalAccessTokens", undefined)).toEqual(tokens);
    expect(await aliceAgain.status("createPersonalAccessToken", { name: "another", expiryMicros: 0n })).toBe(52);
    const other = await Caller.connect(server);
    expect(await other.status("loginUser", loginRequest("alice", "alice-pass-77a1"))).toBe(0);
    expect(await other.status("loginUser", loginRequest("bob", "bob-pass-12c9"))).toBe(47);
    expect(await other.status("loginUser", loginRequest("carol", "carol-pass-5d0e"))).toBe(42);
    expect(await other.status("loginUser", loginRequest("carol", "carol-pass-new-9b"))).toBe(0);
    for (const caller of [root, alice, rootAgain, aliceAgain, other]) caller.close();
  }, 120_000);

  test("leave no clear text below the data directory or in the log, neither while running nor afterwards", async () => {
    expect(filesWith(server.dataPath, secrets)).toEqual([]);
    // The check would find what is there.
    expect(filesWith(server.dataPath, ["alice"])).not.toEqual([]);
    await server.stop();
    expect(filesWith(server.directory, secrets)).toEqual([]);
    expect(secrets.filter((secret) => server.log.includes(secret))).toEqual([]);
  }, 120_000);
});

describe("numbers that are free again", () => {
  test("the last one freed is given first; after a restart holes from above, and the end anew", async () => {
    const server = await startServer({});
    let root = await Caller.withPassword(server, "iggy", rootPassword);
    const kinds = {
      streams: {
        create: async (name: string) => (await root.content("createStream", { name })).id,
        remove: (id: number) => root.value("deleteStream", { stream: numericId(id) }),
      },
      topics: {
        create: async (name: string) => {
          const settings = { compressionCode: 1, messageExpiryMicros: 0n, maxTopicSizeBytes: 0n, replicationFactor: 1 };
          const request = { stream: nameId("holder"), partitionsCount: 1, ...settings, name };
          return (await root.content("createTopic", request)).id;
        },
        remove: (id: number) => root.value("deleteTopic", { stream: nameId("holder"), topic: numericId(id) }),
      },
      groups: {
        create: async (name: string) => {
          const request = { stream: nameId("holder"), topic: nameId("holder"), name };
          return (await root.content("createConsumerGroup", request)).id;
        },
        remove: (id: number) => {
          const request = { stream: nameId("holder"), topic: nameId("holder"), group: numericId(id) };
          return root.value("deleteConsumerGroup", request);
        },
      },
      users: {
        create: async (username: string) => {
          const request = { username, password: "secret", statusCode: active, permissions: undefined };
          return (await root.content("createUser", request)).id;
        },
        remove: (id: number) => root.value("deleteUser", { user: numericId(id) }),
      },
    };
    // So that each kind has the number 0 in use: root is user 0.
    await kinds.streams.create("holder");
    await kinds.topics.create("holder");
    await kinds.groups.create("holder");
    const all = Object.entries(kinds);

    const before: Record<string, number[]> = {};
    for (const [kind, { create, remove }] of all) {
      const ids = [];
      for (const name of ["one", "two", "three", "four", "five", "six"]) ids.push(await create(name));
      for (const id of [2, 4]) await remove(id);
      ids.push(await create("seven"), await create("eight"), await create("nine"));
      for (const id of [7, 1, 3]) await remove(id);
      before[kind] = ids;
    }
    const given = [1, 2, 3, 4, 5, 6, 4, 2, 7];
    expect(before).toEqual({ streams: given, topics: given, groups: given, users: given });

    root.close();
    await server.restart();
    root = await Caller.withPassword(server, "iggy", rootPassword);
    const after: Record<string, number[]> = {};
    for (const [kind, { create }] of all) {
      after[kind] = [await create("ten"), await create("eleven"), await create("twelve")];
    }
    const refilled = [3, 1, 7];
    expect(after).toEqual({ streams: refilled, topics: refilled, groups: refilled, users: refilled });
    root.close();
  }, 120_000);
});

describe("guessing", () => {
  /** 3 failures are free, then 100 ms, 200 ms, 400 ms. */
  test("becomes slower with each failure, and holds up nobody else, no right token, and no password that was right there", async () => {
    const server = await startServer({}, 1);
    const guesser = await Caller.connect(server);
    const other = await Caller.withPassword(server, "iggy", rootPassword);
    const { token } = await other.content("createPersonalAccessToken", { name: "mine", expiryMicros: 0n });
    const guess = async () => {
      const startMs = performance.now();
      expect(await guesser.status("loginWithPersonalAccessToken", { token: "wrong" })).toBe(20);
      return performance.now() - startMs;
    };
    for (let failure = 0; failure < 4; failure++) await guess();
    expect(await guess()).toBeGreaterThanOrEqual(95);
    // One of several: a machine that was held up for longer than a guess waits has others, which wait for longer.
    let heldUpCount = 0;
    let nextMs = 200;
    for (let isHeldUp = true; isHeldUp; nextMs = Math.min(1000, 2 * nextMs)) {
      let isOver = false;
      const slow = guess().finally(() => {
        isOver = true;
      });
      await other.value("getStreams", undefined);
      await other.value("loginWithPersonalAccessToken", { token });
      await other.value("loginUser", loginRequest("iggy", rootPassword));
      isHeldUp = isOver;
      if (isHeldUp) expect(++heldUpCount).toBeLessThan(6);
      expect(await slow).toBeGreaterThanOrEqual(nextMs - 5);
    }

    // What is right does not make the next guess cheaper.
    await guesser.value("loginWithPersonalAccessToken", { token });
    expect(await guess()).toBeGreaterThanOrEqual(nextMs - 5);
    guesser.close();
    other.close();
  }, 120_000);
});
