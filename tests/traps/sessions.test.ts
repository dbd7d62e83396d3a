// Traps of spec SB 13 about connections, their users and their groups, on the real server.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { allPermissions } from "../../src/process/root-user.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { nameId, numericId } from "../../src/protocol/identifier.ts";
import { encodeSendMessages } from "../../src/protocol/message/send-messages.ts";
import { Caller } from "../commands/caller.ts";
import { eventually } from "../support/process-facts.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";

const stream = nameId("orders");
const topic = nameId("eu");
const group = nameId("billing");
const target = { stream, topic };
const hello = { payload: new TextEncoder().encode("hello") };
const consumer = { kind: "consumer", id: nameId("reader") } as const;

let server: TestServer;
let root: Caller;

// Before the hook of useServers, which kills what still runs.
afterAll(async () => {
  root.close();
  await server.stop();
  expect(server.log).not.toMatch(/ ERROR /);
});

const servers = useServers();

beforeAll(async () => {
  server = await servers.start({ shards: 2 });
  root = await Caller.withPassword(server, "iggy", "iggy");
  await root.value("createStream", { name: "orders" });
  const settings = { compressionCode: 1, messageExpiryMicros: 0n, maxTopicSizeBytes: 0n, replicationFactor: 1 };
  await root.value("createTopic", { stream, partitionsCount: 2, ...settings, name: "eu" });
  await root.value("createConsumerGroup", { ...target, name: "billing" });
});

async function createUser(username: string, password: string): Promise<number> {
  const request = { username, password, statusCode: 1, permissions: allPermissions };
  return (await root.content("createUser", request)).id;
}

async function membersCount(): Promise<number> {
  return (await root.content("getConsumerGroup", { ...target, group })).membersCount;
}

function send(caller: Caller, partitionId: number): Promise<number> {
  const partitioning = { kind: "partition", partitionId } as const;
  return caller.status("sendMessages", { ...target, partitioning, messages: [hello] });
}

async function storedAfterPoll(kind: "first" | "last"): Promise<bigint> {
  const strategy = { kind, value: 0n } as const;
  await root.value("pollMessages", { ...target, consumer, partitionId: 1, strategy, count: 1, autoCommit: true });
  return (await root.content("getConsumerOffset", { ...target, consumer, partitionId: 1 })).storedOffset;
}

describe("groups of a connection", () => {
  test("stay with it when it moves to another shard (trap 39)", async () => {
    const member = await Caller.withPassword(server, "iggy", "iggy");
    await member.value("joinConsumerGroup", { ...target, group });
    const before = await member.content("getMe", undefined);
    expect(before.consumerGroups).toHaveLength(1);
    // The partitions belong to different shards: the connection follows its sends to one of them and back.
    for (const partitionId of [0, 1]) {
      for (let number = 0; number < 20; number++) expect(await send(member, partitionId)).toBe(0);
      expect(await member.content("getMe", undefined)).toEqual(before);
      const listed = (await root.content("getClients", undefined)).find(({ clientId }) => clientId === before.clientId);
      expect(listed).toMatchObject({ userId: 0, consumerGroupsCount: 1 });
    }
    expect(await membersCount()).toBe(1);
    member.close();
    await eventually("the member is gone", membersCount, (count) => count === 0);
  });

  test("end with a logout, not only with the connection (trap 41)", async () => {
    const member = await Caller.withPassword(server, "iggy", "iggy");
    await member.value("joinConsumerGroup", { ...target, group });
    await member.value("logoutUser", undefined);
    expect(await member.status("leaveConsumerGroup", { ...target, group })).toBe(40);
    await eventually("the member is gone", membersCount, (count) => count === 0);
    member.close();
  });

  test("are numbered from 0, and one that does not exist cannot be joined by number (traps 42 and 77)", async () => {
    expect(await root.content("getConsumerGroup", { ...target, group })).toMatchObject({ id: 0, name: "billing" });
    expect(await root.status("joinConsumerGroup", { ...target, group: numericId(1) })).toBe(5000);
  });
});

describe("users", () => {
  test("a name of digits is a name, also where a user has that number (trap 44)", async () => {
    const named = String(await createUser("first", "first-secret")).padStart(3, "0");
    const id = await createUser(named, "second-secret");
    const me = await Caller.withPassword(server, named, "second-secret");
    expect((await me.content("getMe", undefined)).userId).toBe(id);
    me.close();
    const other = await Caller.connect(server);
    const login = { username: "1000000", password: "second-secret", version: undefined, context: undefined };
    expect(await other.status("loginUser", login)).toBe(42);
    other.close();
  });

  test("one that is deactivated has no sessions any more, and gets no new ones (trap 47)", async () => {
    const user = numericId(await createUser("sleeper", "sleeper-secret"));
    const session = await Caller.withPassword(server, "sleeper", "sleeper-secret");
    await root.value("updateUser", { user, username: undefined, statusCode: 2 });
    expect(await session.status("getStreams", undefined)).toBe(41);
    const other = await Caller.connect(server);
    const login = { username: "sleeper", password: "sleeper-secret", version: undefined, context: undefined };
    expect(await other.status("loginUser", login)).toBe(47);
    session.close();
    other.close();
  });

  test("sessions of one that is deleted may do nothing, also when a new user gets its number (trap 47)", async () => {
    const id = await createUser("mayfly", "mayfly-secret");
    const session = await Caller.withPassword(server, "mayfly", "mayfly-secret");
    expect(await session.status("getStreams", undefined)).toBe(0);
    await root.value("deleteUser", { user: numericId(id) });
    expect(await session.status("getStreams", undefined)).toBe(41);
    expect(await createUser("successor", "successor-secret")).toBe(id);
    expect(await session.status("getStreams", undefined)).toBe(41);
    expect(await send(session, 0)).toBe(41);
    expect(await session.status("getPersonalAccessTokens", undefined)).toBe(20);
    expect(await session.status("ping", undefined)).toBe(0);
    session.close();
  });

  test("a password is changed with the current one of its owner only, also by root (trap 51)", async () => {
    const user = numericId(await createUser("keeper", "old-secret"));
    const change = { user, newPassword: "new-secret" };
    expect(await root.status("changePassword", { ...change, currentPassword: "iggy" })).toBe(42);
    expect(await root.status("changePassword", { ...change, currentPassword: "old-secret" })).toBe(0);
    (await Caller.withPassword(server, "keeper", "new-secret")).close();
  });

  test("a token of other than Latin letters is unknown and harms nobody (spec BP 4.4)", async () => {
    const caller = await Caller.connect(server);
    for (const token of ["abc€", "ab€", "€€€€€", "🂡🂡🂡"]) {
      expect(await caller.status("loginWithPersonalAccessToken", { token })).toBe(20);
    }
    expect(await caller.status("ping", undefined)).toBe(0);
    caller.close();
  });
});

describe("messages", () => {
  test("an automatic commit may go back (trap 21)", async () => {
    for (let number = 0; number < 3; number++) expect(await send(root, 1)).toBe(0);
    expect(await storedAfterPoll("last")).toBeGreaterThan(0n);
    expect(await storedAfterPoll("first")).toBe(0n);
  });

  test("a batch is checked before the topic is looked up, the topic before the right (trap 29)", async () => {
    const { id } = await root.content("createUser", {
      username: "guest",
      password: "guest-secret",
      statusCode: 1,
      permissions: undefined,
    });
    const guest = await Caller.withPassword(server, "guest", "guest-secret");
    const partitioning = { kind: "partition", partitionId: 0 } as const;
    const nowhere = { stream: nameId("nowhere"), topic, partitioning };
    expect(await guest.status("sendMessages", { ...nowhere, messages: [] })).toBe(4009);
    expect(await guest.status("sendMessages", { ...nowhere, messages: [hello] })).toBe(1009);
    expect(await send(guest, 0)).toBe(41);
    guest.close();
    await root.value("deleteUser", { user: numericId(id) });
  });

  test("a refused frame is read to its end; one above 16 MiB ends the connection (trap 30)", async () => {
    const client = await WireClient.connect(server);
    await client.login();
    const ping = client.frame(CommandCode.ping);
    const pings = (bytes: number) => Buffer.alloc(bytes, ping);
    const badMetadata = Buffer.concat([Buffer.from([0xff, 0xff, 0, 0]), pings(1000)]);
    client.write(
      client.frame(CommandCode.createStream, pings(11 * 1024 * 1024)),
      client.frame(CommandCode.sendMessages, badMetadata),
      client.frame(
        CommandCode.sendMessages,
        encodeSendMessages({ ...target, partitioning: { kind: "partition", partitionId: 9 }, messages: [hello] }),
      ),
      ping,
    );
    const statuses = (await client.receiveMany(4)).map(({ status }) => status);
    expect(statuses).toEqual([3, 3, 3007, 0]);
    client.write(client.frame(CommandCode.createStream, pings(17 * 1024 * 1024)));
    expect((await client.receive())?.status).toBe(3);
    await client.ended();
    expect(client.waitingReplies).toBe(0);
    client.close();
  });
});
