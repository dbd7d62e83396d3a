// Subscriptions on the real server: over TCP and WebSocket, on one shard and on two, where half of the partitions belong to the
// shard that the connection is not on.
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Client } from "../../src/client/index.ts";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { noGlobalRights } from "../support/permissions.ts";
import { eventually } from "../support/process-facts.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { PushClient, type SubscribeOptions } from "./push-client.ts";
import { freshTopic, metric, send, streamName } from "./support.ts";

const servers = useServers();
setDefaultTimeout(120_000);
const running = new Map<number, TestServer>();
const admins = new Map<number, Client>();
/** Of a message with a payload of 1,000 bytes: header and payload. */
const messageBytes = 1064;
const large = "x".repeat(1000);

beforeAll(async () => {
  for (const shards of [1, 2]) {
    const server = await servers.start({ shards });
    running.set(shards, server);
    admins.set(shards, await server.connect());
  }
});

/** Until so many subscriptions are open. */
async function openCount(server: TestServer, count: number): Promise<void> {
  await eventually(
    `${count} subscriptions`,
    () => metric(server, "whippet_subscriptions"),
    (now) => now === count,
  );
}

async function loginAs(client: PushClient, username: string): Promise<void> {
  await client.wire.login(username, "secret");
}

async function makeGuest(admin: Client): Promise<void> {
  const permissions = { global: { ...noGlobalRights, pollMessages: true }, streams: [] };
  await admin.createUser({ username: "guest", password: "secret", permissions });
}

const cases = [1, 2].flatMap((shards) =>
  (["tcp", "websocket"] as const).flatMap((transport) =>
    (shards === 1 ? [0] : [0, 1]).map((partitionId) => ({ shards, transport, partitionId })),
  ),
);

describe.each(cases)("$shards shards, $transport, partition $partitionId", ({ shards, transport, partitionId }) => {
  const server = () => running.get(shards)!;
  const admin = () => admins.get(shards)!;
  const connect = () => PushClient.connect(server(), transport);
  const open = async (topicName: string, changes: Partial<SubscribeOptions> = {}) => {
    const client = await connect();
    await client.subscribe({ topicName, partitionId, ...changes });
    return client;
  };

  test("what is there comes behind the reply, what is sent later by itself, in order", async () => {
    const topic = await freshTopic(admin(), 2);
    await send(admin(), topic, partitionId, "a", "b", "c");
    const client = await connect();
    expect(await client.subscribe({ topicName: topic, partitionId, strategy: { kind: "offset", value: 1n } })).toBe(2n);
    const push = await client.push();
    expect(push).toMatchObject({ kind: "messages", subscriptionId: 1, polled: { partitionId, currentOffset: 2n } });
    for (let round = 0; round < 20; round++) {
      await send(admin(), topic, 1 - partitionId, "elsewhere");
      await send(admin(), topic, partitionId, `later ${round}`);
      expect(await client.texts(1, 1)).toEqual([`later ${round}`]);
    }
    expect(await client.isQuiet()).toBe(true);
    client.close();
    await openCount(server(), 0);
  });

  test("without credit nothing is read; more of it goes on where the last push ended", async () => {
    const topic = await freshTopic(admin(), 2);
    await send(admin(), topic, partitionId, ...Array<string>(10).fill(large));
    const client = await open(topic, { credit: 0 });
    expect(await client.isQuiet()).toBe(true);
    await client.addCredit(2 * messageBytes);
    expect(await client.texts(1, 2)).toEqual([large, large]);
    expect(await client.isQuiet()).toBe(true);
    // One message comes whatever its size; what it takes too much is taken off the next credit.
    await client.addCredit(1);
    expect(await client.texts(1, 1)).toEqual([large]);
    await client.addCredit(messageBytes - 1);
    expect(await client.isQuiet()).toBe(true);
    await client.addCredit(100 * messageBytes);
    expect((await client.texts(1, 7)).length).toBe(7);
    await send(admin(), topic, partitionId, "last");
    expect(await client.texts(1, 1)).toEqual(["last"]);
    client.close();
  });

  test("several of a connection share it; a count bounds each push", async () => {
    const topic = await freshTopic(admin(), 2);
    const client = await connect();
    await send(admin(), topic, 0, "a", "b", "c");
    await send(admin(), topic, 1, "d", "e", "f");
    await client.subscribe({ topicName: topic, partitionId: 0, subscriptionId: 3, count: 1 });
    expect(await client.texts(3, 1)).toEqual(["a"]);
    await client.unsubscribe(3);
    while (!(await client.isQuiet())) await client.push();
    for (const id of [0, 1])
      await client.subscribe({ topicName: topic, partitionId: id, subscriptionId: id, count: 1 });
    const seen = new Map<number, string[]>([0, 1].map((id) => [id, []]));
    for (let taken = 0; taken < 6; taken++) {
      const push = await client.push();
      if (push.kind !== "messages") throw new Error(push.kind);
      expect(push.polled.messages).toHaveLength(1);
      seen.get(push.subscriptionId)!.push(new TextDecoder().decode(push.polled.messages[0]!.payload));
    }
    expect([...seen.values()]).toEqual([
      ["a", "b", "c"],
      ["d", "e", "f"],
    ]);
    client.close();
  });

  test("many megabytes come in pushes of about one each, however slowly they are read", async () => {
    const topic = await freshTopic(admin(), 2);
    for (let round = 0; round < 4; round++) {
      await send(admin(), topic, partitionId, ...Array<string>(30).fill("y".repeat(100_000)));
    }
    await send(admin(), topic, partitionId, "z".repeat(3_000_000), "end");
    const client = await connect();
    await client.subscribe({ topicName: topic, partitionId, credit: 2 ** 32 - 1 });
    client.wire.pauseReading();
    await send(admin(), topic, 1 - partitionId, "meanwhile");
    client.wire.resumeReading();
    let count = 0;
    for (let last = ""; last !== "end"; ) {
      const push = await client.push();
      if (push.kind !== "messages") throw new Error(push.kind);
      const { messages } = push.polled;
      const bytes = messages.reduce((sum, { payload }) => sum + payload.byteLength + 64, 0);
      if (messages.length > 1) expect(bytes).toBeLessThanOrEqual(1024 * 1024);
      for (const message of messages) expect(message.offset).toBe(BigInt(count++));
      last = new TextDecoder().decode(messages.at(-1)!.payload);
    }
    expect(count).toBe(122);
    client.close();
    await openCount(server(), 0);
  });

  test("ended by the client: nothing comes behind the reply, and the number is free again", async () => {
    const topic = await freshTopic(admin(), 2);
    const client = await open(topic);
    await openCount(server(), 1);
    await expect(client.subscribe({ topicName: topic, partitionId })).rejects.toThrow("InvalidCommand");
    await client.unsubscribe();
    await client.unsubscribe(77); // none is no error: it may have ended meanwhile
    await client.addCredit(1, 77);
    await openCount(server(), 0);
    await send(admin(), topic, partitionId, "a");
    expect(await client.isQuiet()).toBe(true);
    await client.subscribe({ topicName: topic, partitionId });
    expect(await client.texts(1, 1)).toEqual(["a"]);
    client.close();
  });

  test("a purge ends it, also while it has no credit; a position behind the end too", async () => {
    const topic = await freshTopic(admin(), 2);
    await send(admin(), topic, partitionId, "a", "b", "c");
    const reset = { kind: "end", ending: "offsetsReset", errorCode: 0 };
    const client = await open(topic);
    await client.texts(1, 3);
    await client.subscribe({ topicName: topic, partitionId, subscriptionId: 2, credit: 1 });
    await client.texts(2, 1);
    await admin().purgeTopic(streamName, topic);
    expect(await client.push()).toMatchObject({ ...reset, subscriptionId: 1 });
    // The other one learns it when it would be read on, although there is a message with that offset again.
    await send(admin(), topic, partitionId, "d", "e", "f");
    await client.addCredit(1000, 2);
    expect(await client.push()).toMatchObject({ ...reset, subscriptionId: 2 });
    await client.subscribe({ topicName: topic, partitionId, strategy: { kind: "offset", value: 4n } });
    expect(await client.push()).toMatchObject({ ...reset, subscriptionId: 1 });
    await client.subscribe({ topicName: topic, partitionId, strategy: { kind: "offset", value: 3n } });
    expect(await client.isQuiet()).toBe(true);
    client.close();
    await openCount(server(), 0);
  });

  test("a deleted partition, topic and stream end it as a poll would be refused", async () => {
    const endedBy = async (topic: string, act: () => Promise<unknown>, changes: Partial<SubscribeOptions> = {}) => {
      const client = await open(topic, changes);
      await act();
      const push = await client.push();
      await openCount(server(), 0);
      client.close();
      return push.kind === "end" && push.errorCode;
    };
    const topic = await freshTopic(admin(), 2);
    expect(await endedBy(topic, () => admin().deletePartitions(streamName, topic, 2))).toBe(3007);
    const second = await freshTopic(admin(), 2);
    expect(await endedBy(second, () => admin().deleteTopic(streamName, second))).toBe(2010);
    await admin().createStream("short");
    await admin().createTopic("short", { name: "t", partitionsCount: 2 });
    expect(await endedBy("t", () => admin().deleteStream("short"), { stream: nameId("short") })).toBe(1009);
  });

  test("refusals are those of a poll that waits", async () => {
    const topic = await freshTopic(admin(), 2);
    await admin().createConsumerGroup(streamName, topic, "group");
    const client = await connect();
    const refused = (changes: Partial<SubscribeOptions>) =>
      client.subscribe({ topicName: topic, ...changes }).catch((error: Error) => error.message);
    const group = { kind: "group", id: nameId("group") } as const;
    expect(await refused({ stream: nameId("missing") })).toBe("StreamIdNotFound");
    expect(await refused({ topicName: "missing" })).toBe("TopicIdNotFound");
    expect(await refused({ partitionId: 7 })).toBe("PartitionNotFound");
    expect(await refused({ consumer: { kind: "group", id: nameId("missing") } })).toBe("ConsumerGroupIdNotFound");
    expect(await refused({ consumer: group })).toBe("ConsumerGroupMemberNotFound");
    await client.join(topic, "group");
    expect(await refused({ consumer: group, partitionId: 7 })).toBe("NotResolvedConsumer");
    expect(await refused({ consumer: group, partitionId: undefined })).toBe("NotResolvedConsumer");
    await expect(client.follow("missing", "consumer", "reader")).rejects.toThrow("TopicIdNotFound");
    await expect(client.follow(topic, "group", "missing")).rejects.toThrow("ConsumerGroupIdNotFound");
    const stranger = await PushClient.connect(server(), transport, { isAnonymous: true });
    await expect(stranger.subscribe({ topicName: topic })).rejects.toThrow("Unauthenticated");
    stranger.close();
    client.close();
    await openCount(server(), 0);
  });

  test("who may not poll any more, or is nobody any more, is told so at once", async () => {
    const logout = (client: PushClient) => client.request(CommandCode.logoutUser);
    const ends = {
      permissions: [41, () => admin().updatePermissions("guest", undefined)],
      status: [41, () => admin().updateUser("guest", { status: "inactive" })],
      user: [41, () => admin().deleteUser("guest")],
      logout: [40, logout],
      login: [41, (client: PushClient) => client.request(CommandCode.loginUser, loginPayload)],
    } as const;
    for (const [name, [code, act]] of Object.entries(ends)) {
      await makeGuest(admin());
      const topic = await freshTopic(admin(), 2);
      const client = await PushClient.connect(server(), transport, { isAnonymous: true });
      await loginAs(client, "guest");
      await client.subscribe({ topicName: topic, partitionId });
      // Also the one that only follows the partitions.
      await client.follow(topic, "consumer", "reader");
      await act(client);
      // In any order: one of them may just have been read.
      const pushes = [await client.push(), await client.push()];
      pushes.sort((one, other) => one.subscriptionId - other.subscriptionId);
      expect(pushes).toEqual(
        [1, 9].map((subscriptionId) => ({ kind: "end", subscriptionId, ending: "error", errorCode: code })),
      );
      await send(admin(), topic, partitionId, "secret");
      if (name !== "logout") expect(await client.isQuiet()).toBe(true);
      client.close();
      if (name !== "user") await admin().deleteUser("guest");
    }
    await openCount(server(), 0);
  });

  test("auto-commit stores what was pushed, and `next` goes on there", async () => {
    const topic = await freshTopic(admin(), 2);
    const options = { strategy: { kind: "next", value: 0n }, autoCommit: true, credit: 1 } as const;
    await send(admin(), topic, partitionId, "a", "b");
    const first = await open(topic, options);
    expect(await first.texts(1, 1)).toEqual(["a"]);
    const consumer = { kind: "consumer", id: nameId("reader") } as const;
    const stored = () => admin().getConsumerOffset({ consumer, stream: streamName, topic, partitionId });
    expect((await stored())?.storedOffset).toBe(0n);
    first.close();
    const second = await open(topic, { ...options, credit: 100_000 });
    expect(await second.texts(1, 1)).toEqual(["b"]);
    await send(admin(), topic, partitionId, "c");
    expect(await second.texts(1, 1)).toEqual(["c"]);
    expect((await stored())?.storedOffset).toBe(2n);
    second.close();
  });

  test("followed partitions: those of the topic, at each change", async () => {
    const topic = await freshTopic(admin(), 2);
    const client = await connect();
    const first = await client.follow(topic, "consumer", "reader");
    expect(first.partitionIds).toEqual([0, 1]);
    await admin().createPartitions(streamName, topic, 2);
    const push = await client.push();
    expect(push).toMatchObject({ kind: "partitions", subscriptionId: 9, partitionIds: [0, 1, 2, 3] });
    expect(push.kind === "partitions" && push.assignmentNumber).not.toBe(first.assignmentNumber);
    await admin().createTopic(streamName, { name: `${topic}-other`, partitionsCount: 1 });
    expect(await client.isQuiet()).toBe(true);
    client.close();
  });

  test("a member: messages of its own partitions, told of each that it gets and gives", async () => {
    const topic = await freshTopic(admin(), 2);
    await admin().createConsumerGroup(streamName, topic, "billing");
    const consumer = { kind: "group", id: nameId("billing") } as const;
    const ana = await connect();
    await ana.join(topic, "billing");
    const had = await ana.follow(topic, "group", "billing");
    expect(had.partitionIds).toEqual([0, 1]);
    for (const id of [0, 1]) await ana.subscribe({ topicName: topic, consumer, partitionId: id, subscriptionId: id });
    await send(admin(), topic, 1, "first");
    expect(await ana.texts(1, 1)).toEqual(["first"]);
    const ben = await connect();
    await ben.join(topic, "billing");
    const none = await ben.follow(topic, "group", "billing");
    expect(none.partitionIds).toEqual([]);
    // Partition 1 is promised, and polled of: it moves when that is committed.
    const told = [await ana.push(), await ana.push()];
    expect(told).toContainEqual({ kind: "end", subscriptionId: 1, ending: "assignmentChanged", errorCode: 0 });
    expect(told).toContainEqual(expect.objectContaining({ kind: "partitions", partitionIds: [0] }));
    await send(admin(), topic, 1, "second");
    expect(await ana.isQuiet()).toBe(true);
    await ana.store(topic, "billing", 1, 0);
    expect(await ben.push()).toMatchObject({ kind: "partitions", subscriptionId: 9, partitionIds: [1] });
    await ben.subscribe({ topicName: topic, consumer, partitionId: 1, strategy: { kind: "next", value: 0n } });
    expect(await ben.texts(1, 1)).toEqual(["second"]);
    ana.close();
    expect(await ben.push()).toBeDefined();
    ben.close();
    await openCount(server(), 0);
  });

  test("connections that are cut, closed and half-closed leave nothing behind", async () => {
    const topic = await freshTopic(admin(), 2);
    const clients = await Promise.all(Array.from({ length: 12 }, () => open(topic)));
    await openCount(server(), 12);
    for (const [index, client] of clients.entries()) {
      if (index % 2 === 0 || transport === "websocket") client.close();
      else client.wire.endSending();
    }
    await openCount(server(), 0);
    await send(admin(), topic, partitionId, "nobody");
    for (const client of clients) client.close();
  });
});

const loginPayload = encode(commandCodecs.loginUser.request, {
  username: "iggy",
  password: "iggy",
  version: undefined,
  context: undefined,
});

test("a subscriber that does not read holds up nobody, and gets everything when it does", async () => {
  const server = running.get(2)!;
  const admin = admins.get(2)!;
  const topic = await freshTopic(admin, 2);
  const slow = await PushClient.connect(server);
  await slow.subscribe({ topicName: topic, credit: 2 ** 32 - 1 });
  slow.wire.pauseReading();
  const quick = await PushClient.connect(server);
  await quick.subscribe({ topicName: topic, credit: 2 ** 32 - 1 });
  for (let round = 0; round < 40; round++) {
    await send(admin, topic, 0, "w".repeat(500_000));
    expect((await quick.texts(1, 1))[0]!.length).toBe(500_000);
  }
  slow.wire.resumeReading();
  expect(await slow.texts(1, 40)).toHaveLength(40);
  slow.close();
  quick.close();
});

test("a connection moves to the shard of its partition with what it has subscribed, and nothing is lost or comes twice", async () => {
  const server = running.get(2)!;
  const admin = admins.get(2)!;
  const topic = await freshTopic(admin, 2);
  const before = await metric(server, "whippet_moved_connections_total");
  // The system chooses the shard of each: that the messages are on the same shard for all of them is as good as impossible.
  const clients = await Promise.all(Array.from({ length: 20 }, () => PushClient.connect(server)));
  await Promise.all(
    clients.map((client) => client.subscribe({ topicName: topic, partitionId: 1, credit: 2 ** 32 - 1, count: 3 })),
  );
  await Promise.all(clients.map((client) => client.follow(topic, "consumer", "reader")));
  const sent = Array.from({ length: 300 }, (_, index) => `m${index}`);
  const read = Promise.all(clients.map((client) => client.texts(1, sent.length)));
  for (const text of sent) await send(admin, topic, 1, text);
  for (const texts of await read) expect(texts).toEqual(sent);
  await admin.createPartitions(streamName, topic, 1);
  for (const client of clients) expect(await client.push()).toMatchObject({ kind: "partitions", subscriptionId: 9 });
  expect(await metric(server, "whippet_moved_connections_total")).toBeGreaterThan(before);
  expect(await metric(server, "whippet_subscriptions")).toBe(2 * clients.length);
  for (const client of clients) client.close();
});

test("limits: of a connection, of a user and of all", async () => {
  const server = await servers.start({
    shards: 2,
    env: { IGGY_LIMITS_SUBSCRIPTIONS: "1030", IGGY_LIMITS_SUBSCRIPTIONS_PER_USER: "1026" },
  });
  const admin = await server.connect();
  const topic = await freshTopic(admin, 2);
  await makeGuest(admin);
  const [first, second, third] = [
    await PushClient.connect(server),
    await PushClient.connect(server),
    await PushClient.connect(server, "websocket", { isAnonymous: true }),
  ] as const;
  await loginAs(third, "guest");
  const openAll = async (client: PushClient, count: number) => {
    for (let id = 0; id < count; id++) {
      await client.subscribe({ topicName: topic, partitionId: id % 2, subscriptionId: id });
    }
  };
  await openAll(first, 1024);
  await expect(first.subscribe({ topicName: topic, subscriptionId: 9999 })).rejects.toThrow("FeatureUnavailable");
  await openAll(second, 2);
  await expect(second.subscribe({ topicName: topic, subscriptionId: 9999 })).rejects.toThrow("FeatureUnavailable");
  await openAll(third, 4);
  await expect(third.follow(topic, "consumer", "reader")).rejects.toThrow("FeatureUnavailable");
  expect(await metric(server, "whippet_refused_subscriptions_total")).toBe(3);
  await second.unsubscribe(0);
  await third.follow(topic, "consumer", "reader");
  await send(admin, topic, 1, "to all");
  let pushed = 0;
  for (; pushed < 512; pushed++) expect((await first.push()).kind).toBe("messages");
  expect(await first.isQuiet()).toBe(true);
  for (const client of [first, second, third]) client.close();
  await openCount(server, 0);
});

test("who has subscribed when the server stops is told that, and the server does not wait for it", async () => {
  const server = await servers.start({ shards: 2 });
  const admin = await server.connect();
  const topic = await freshTopic(admin, 2);
  const clients = await Promise.all([PushClient.connect(server), PushClient.connect(server, "websocket")]);
  await Promise.all(clients.map((client, partitionId) => client.subscribe({ topicName: topic, partitionId })));
  await openCount(server, 2);
  const stopped = server.stop();
  expect(await clients[0]!.wire.receive()).toEqual({ status: 8, payload: new Uint8Array(0) });
  for (const client of clients) await client.wire.ended();
  await stopped;
  expect(server.log).not.toContain("ERROR");
});

test.each([
  ["level sync", { IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: "sync" }],
  [
    "encryption",
    { IGGY_SYSTEM_ENCRYPTION_ENABLED: "true", IGGY_SYSTEM_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString("base64") },
  ],
])("with %s messages are pushed as they are polled", async (_name, env) => {
  const server = await servers.start({ shards: 2, env });
  const admin = await server.connect();
  const topic = await freshTopic(admin, 2);
  const client = await PushClient.connect(server);
  for (const partitionId of [0, 1])
    await client.subscribe({ topicName: topic, partitionId, subscriptionId: partitionId });
  for (let round = 0; round < 10; round++) {
    for (const partitionId of [0, 1]) {
      await send(admin, topic, partitionId, `message ${round}`);
      expect(await client.texts(partitionId, 1)).toEqual([`message ${round}`]);
    }
  }
  client.close();
});
