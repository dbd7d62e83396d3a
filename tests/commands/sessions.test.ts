// What becomes of a session whose user changes while it goes on, and of names that several clients want at once.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { nameId, numericId } from "../../src/protocol/identifier.ts";
import { useServers } from "../support/server.ts";
import type { Caller } from "./caller.ts";
import { globalFlags, permissions, streamRights } from "./flags.ts";
import { callerOf } from "./play.ts";
import { active, inactive, loginRequest, plainTopic, type Scene, World, waitFor } from "./world.ts";

const servers = useServers();
/** Users cost a password hash each. */
const setUpTimeoutMs = 120_000;
let world: World;

beforeAll(async () => {
  world = await World.build(await servers.start({ shards: 2 }));
}, setUpTimeoutMs);
afterEach(() => world.closeCallers());
afterAll(() => world?.close());

const everything = permissions(globalFlags);

async function membersCount({ stream, topic, group }: Scene): Promise<number> {
  return (await world.root.content("getConsumerGroup", { stream, topic, group })).membersCount;
}

async function isListed({ wire }: Caller): Promise<boolean> {
  const clients = await world.root.content("getClients", undefined);
  return clients.some(({ address }) => address === wire.address);
}

describe("a user that is deleted while it is connected", () => {
  async function deletedUser() {
    const account = await world.createAccount(everything);
    const scene = await world.scene();
    // Enough of them that both shards have some.
    const callers = await Promise.all(Array.from({ length: 6 }, () => world.connectAs(account)));
    await callers[0]!.value("joinConsumerGroup", { stream: scene.stream, topic: scene.topic, group: scene.group });
    await world.root.value("deleteUser", { user: numericId(account.id) });
    return { account, scene, callers };
  }

  test("may do nothing any more, on any connection", async () => {
    const { callers, scene } = await deletedUser();
    for (const caller of callers) {
      expect(await caller.status("getStreams", undefined)).toBe(41);
      expect(await caller.status("getTopic", { stream: scene.stream, topic: scene.topic })).toBe(41);
      expect(await caller.status("createStream", { name: "by a ghost" })).toBe(41);
      expect(await caller.status("getUsers", undefined)).toBe(41);
      expect(await caller.status("getPersonalAccessTokens", undefined)).toBe(20);
      expect(await caller.status("ping", undefined)).toBe(0);
    }
  });

  test("is not listed, has left its groups, and asking for itself ends the connection", async () => {
    const { callers, scene } = await deletedUser();
    for (const caller of callers) expect(await isListed(caller)).toBe(false);
    await waitFor("the group is left", async () => (await membersCount(scene)) === 0);
    for (const caller of callers) {
      expect(await caller.status("getMe", undefined)).toBe(100);
      await caller.wire.ended();
    }
  });

  test("cannot log in, by name or by token", async () => {
    const { account } = await deletedUser();
    expect(await world.loginStatus(account.name, account.password)).toBe(42);
    const caller = await world.connect();
    expect(await caller.status("loginWithPersonalAccessToken", { token: account.token })).toBe(20);
  });

  test("gets no rights from a new user with the same number and name", async () => {
    const { account, callers } = await deletedUser();
    const { name: username, password } = account;
    const request = { username, password, statusCode: active, permissions: everything };
    const again = await world.root.content("createUser", request);
    expect(again.id).toBe(account.id);
    for (const caller of callers) {
      expect(await caller.status("getStreams", undefined)).toBe(41);
      expect(await caller.status("getUser", { user: numericId(account.id) })).toBe(41);
      expect(await caller.status("getPersonalAccessTokens", undefined)).toBe(20);
      expect(await isListed(caller)).toBe(false);
    }
    // The tokens of the old user are not those of the new one.
    const caller = await world.connect();
    expect(await caller.status("loginWithPersonalAccessToken", { token: account.token })).toBe(20);
    expect(await caller.status("loginUser", loginRequest(username, password))).toBe(0);
    expect(await caller.value("getPersonalAccessTokens", undefined)).toBeUndefined();
    expect(await caller.status("getStreams", undefined)).toBe(0);
  });
});

describe("a user that is deactivated", () => {
  test("may do nothing any more, and cannot log in until it is active again", async () => {
    const account = await world.createAccount(everything);
    const user = numericId(account.id);
    const caller = await world.connectAs(account);
    await world.root.value("updateUser", { user, username: undefined, statusCode: inactive });
    expect(await caller.status("createStream", { name: world.uniqueName("by inactive") })).toBe(41);
    expect(await caller.status("getMe", undefined)).toBe(100);
    await caller.wire.ended();
    expect(await world.loginStatus(account.name, account.password)).toBe(47);
    const other = await world.connect();
    expect(await other.status("loginWithPersonalAccessToken", { token: account.token })).toBe(47);
    await world.root.value("updateUser", { user, username: undefined, statusCode: active });
    expect(await other.status("loginWithPersonalAccessToken", { token: account.token })).toBe(0);
    expect(await world.loginStatus(account.name, account.password)).toBe(0);
  });
});

test("a user whose rights are taken leaves the groups that it may not poll any more, and only those", async () => {
  const account = await world.createAccount(everything);
  const [kept, lost] = [await world.scene(), await world.scene()];
  const members = [await world.connectAs(account), await world.connectAs(account), await world.connectAs(account)];
  for (const member of members) {
    for (const { stream, topic, group } of [kept, lost])
      await member.value("joinConsumerGroup", { stream, topic, group });
  }
  expect(await membersCount(lost)).toBe(3);
  const rights = permissions([], [streamRights(kept.streamId, ["readTopics"])]);
  await world.root.value("updatePermissions", { user: numericId(account.id), permissions: rights });
  await waitFor("the group is left", async () => (await membersCount(lost)) === 0);
  expect(await membersCount(kept)).toBe(3);
});

describe("a user that is renamed", () => {
  test("logs in by the new name only, and goes on where it is connected", async () => {
    const account = await world.createAccount();
    const caller = await world.connectAs(account);
    const username = world.uniqueName("new name");
    await world.root.value("updateUser", { user: nameId(account.name), username, statusCode: undefined });
    expect(await caller.value("getUser", { user: nameId(username) })).toMatchObject({ id: account.id, username });
    expect(await world.loginStatus(account.name, account.password)).toBe(42);
    expect(await world.loginStatus(username, account.password)).toBe(0);
  });

  test("may have a name of digits, which is a name and no number", async () => {
    const request = { username: "000", password: "secret", statusCode: active, permissions: undefined };
    const { id } = await world.root.content("createUser", request);
    const caller = await world.connect();
    expect(await caller.content("loginUser", loginRequest("000", "secret"))).toEqual({ userId: id });
  });
});

describe("login and logout on one connection", () => {
  test("a logout ends the memberships, as a disconnect does, and as a login as somebody else does", async () => {
    const scene = await world.scene();
    const account = await world.createAccount(everything);
    const endings: readonly ((member: Caller) => Promise<unknown>)[] = [
      (member) => member.value("logoutUser", undefined),
      (member) => member.value("loginWithPersonalAccessToken", { token: account.token }),
      async (member) => member.close(),
    ];
    for (const end of endings) {
      const member = await callerOf(world, "member", scene);
      await member.value("loginWithPersonalAccessToken", { token: world.rootToken });
      expect(await membersCount(scene)).toBe(1);
      await end(member);
      await waitFor("the group is left", async () => (await membersCount(scene)) === 0);
    }
  });

  test("who has logged out is listed without user and groups, and joins again after a login", async () => {
    const scene = await world.scene();
    const { stream, topic, group } = scene;
    await world.send(scene, 0, "one");
    const member = await callerOf(world, "member", scene);
    await member.value("logoutUser", undefined);
    await waitFor("the group is left", async () => (await membersCount(scene)) === 0);
    const clients = await world.root.content("getClients", undefined);
    const listed = clients.find(({ address }) => address === member.wire.address);
    expect(listed).toMatchObject({ userId: undefined, consumerGroupsCount: 0 });
    expect(await member.status("leaveConsumerGroup", { stream, topic, group })).toBe(40);
    await member.value("loginWithPersonalAccessToken", { token: world.rootToken });
    await member.value("joinConsumerGroup", { stream, topic, group });
    const polled = await member.content("pollMessages", {
      consumer: { kind: "group", id: group },
      ...{ stream, topic, partitionId: 0, strategy: { kind: "next", value: 0n }, count: 1, autoCommit: true },
    });
    expect(polled.messages).toHaveLength(1);
  });

  test("another login replaces the user and what it may do", async () => {
    const account = await world.createAccount(everything);
    const caller = await world.connectAs(account);
    expect(await caller.status("getStreams", undefined)).toBe(0);
    await caller.value("loginWithPersonalAccessToken", { token: world.guest.token });
    expect(await caller.status("getStreams", undefined)).toBe(41);
    // A login that fails changes nothing.
    expect(await caller.status("loginUser", loginRequest(account.name, "wrong"))).toBe(42);
    expect(await caller.content("getMe", undefined)).toMatchObject({ userId: world.guest.id });
    await caller.value("logoutUser", undefined);
    expect(await caller.status("logoutUser", undefined)).toBe(40);
  });
});

describe("one name, wanted by eight clients at once", () => {
  async function outcomes(want: (caller: Caller) => Promise<number>): Promise<number[]> {
    const callers = await Promise.all(Array.from({ length: 8 }, () => world.connectAsRoot()));
    const statuses = await Promise.all(callers.map(want));
    return statuses.toSorted((left, right) => left - right);
  }
  const oneOf = (error: number) => [0, ...Array.from({ length: 7 }, () => error)];

  test("is given once", async () => {
    const { stream, topic } = await world.scene();
    const name = world.uniqueName("wanted");
    const newTopic = { ...plainTopic, stream, partitionsCount: 1, name };
    const newUser = { username: name, password: "secret", statusCode: active, permissions: undefined };
    expect(await outcomes((caller) => caller.status("createStream", { name }))).toEqual(oneOf(1012));
    expect(await outcomes((caller) => caller.status("createTopic", newTopic))).toEqual(oneOf(2013));
    const newGroup = { stream, topic, name };
    expect(await outcomes((caller) => caller.status("createConsumerGroup", newGroup))).toEqual(oneOf(5004));
    expect(await outcomes((caller) => caller.status("createUser", newUser))).toEqual(oneOf(46));
    const newToken = { name, expiryMicros: 0n };
    expect(await outcomes((caller) => caller.status("createPersonalAccessToken", newToken))).toEqual(oneOf(51));
  });
});
