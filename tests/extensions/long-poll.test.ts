// The poll that waits, on the real server: over TCP and WebSocket, on one shard and on two, where half of the partitions belong to
// the shard that the connection is not on.
import { beforeAll, describe, expect, test } from "bun:test";
import type { Client } from "../../src/client/index.ts";
import { ConnectionLostError } from "../../src/client/index.ts";
import { decode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { ExtensionCode } from "../../src/protocol/extensions/codes.ts";
import { pollWaitingReplyCodec } from "../../src/protocol/extensions/poll-waiting.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { noGlobalRights } from "../support/permissions.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";
import { freshTopic, metric, payloadsOf, send, streamName, waitingCount, waitOptions, waitRequest } from "./support.ts";

const servers = useServers();
const running = new Map<number, TestServer>();
const admins = new Map<number, Client>();

beforeAll(async () => {
  for (const shards of [1, 2]) {
    const server = await servers.start({ shards });
    running.set(shards, server);
    admins.set(shards, await server.connect());
  }
});

const cases = [1, 2].flatMap((shards) =>
  (["tcp", "websocket"] as const).flatMap((transport) =>
    (shards === 1 ? [0] : [0, 1]).map((partitionId) => ({ shards, transport, partitionId })),
  ),
);

describe.each(cases)("$shards shards, $transport, partition $partitionId", ({ shards, transport, partitionId }) => {
  const server = () => running.get(shards)!;
  const admin = () => admins.get(shards)!;
  const connect = () => server().connect({ transport, port: server().portOf(transport) });
  /** A client whose poll waits at a topic of its own. */
  const wait = async (changes: Parameters<typeof waitOptions>[1] = {}) => {
    const client = await connect();
    const topic = await freshTopic(admin(), 2);
    const waiting = client.pollWaiting(waitOptions(topic, { partitionId, ...changes }));
    await waitingCount(server(), 1);
    return { client, topic, waiting };
  };

  test("what is there comes at once, as from a poll", async () => {
    const client = await connect();
    const topic = await freshTopic(admin(), 2);
    await send(admin(), topic, partitionId, "a", "b", "c");
    const reply = await client.pollWaiting(waitOptions(topic, { partitionId, count: 2 }));
    expect(reply).toMatchObject({ ending: "messages", assignmentNumber: 0n, partitionIds: undefined });
    expect(reply.polled).toMatchObject({ partitionId, currentOffset: 2n });
    expect(payloadsOf(reply)).toEqual(["a", "b"]);
    client.close();
  });

  test("a message that is sent later ends the wait", async () => {
    const { client, topic, waiting } = await wait();
    await send(admin(), topic, 1 - partitionId, "elsewhere");
    await send(admin(), topic, partitionId, "late");
    const reply = await waiting;
    expect(reply.ending).toBe("messages");
    expect(payloadsOf(reply)).toEqual(["late"]);
    await waitingCount(server(), 0);
    client.close();
  });

  test("the end of the time ends it, empty", async () => {
    const client = await connect();
    const topic = await freshTopic(admin(), 2);
    await send(admin(), topic, partitionId, "read");
    const startedMs = performance.now();
    const options = waitOptions(topic, { partitionId, strategy: { kind: "offset", value: 1n }, waitMs: 100 });
    const reply = await client.pollWaiting(options);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(100);
    expect(reply).toMatchObject({ ending: "timeOver", polled: { partitionId, currentOffset: 0n, messages: [] } });
    await waitingCount(server(), 0);
    client.close();
  });

  test("another request behind it ends it, empty, and is answered", async () => {
    const { client, waiting } = await wait();
    await client.ping();
    expect((await waiting).ending).toBe("overtaken");
    await waitingCount(server(), 0);
    client.close();
  });

  test("requests that are sent along with it: each poll ends for the next request, in their order", async () => {
    const topic = await freshTopic(admin(), 2);
    const place = { host: server().host, port: server().portOf(transport) };
    const client = await WireClient.connect(place, "sdk", { transport });
    await client.login();
    const changes = { partitionId, strategy: { kind: "next", value: 0n } } as const;
    const poll = client.frame(ExtensionCode.pollWaiting, waitRequest(topic, changes));
    client.write(poll, poll, poll, client.frame(CommandCode.ping), poll);
    const replies = await client.receiveMany(4);
    expect(replies.map(({ status }) => status)).toEqual([0, 0, 0, 0]);
    for (const reply of replies.slice(0, 3)) {
      expect(decode(pollWaitingReplyCodec, reply.payload).ending).toBe("overtaken");
    }
    expect(replies[3]!.payload.byteLength).toBe(0);
    // The last one waits.
    await waitingCount(server(), 1);
    // The first byte of a next request is enough.
    client.write(client.frame(CommandCode.ping).subarray(0, 1));
    expect(decode(pollWaitingReplyCodec, (await client.receive())!.payload).ending).toBe("overtaken");
    client.write(client.frame(CommandCode.ping).subarray(1));
    expect((await client.receive())!.status).toBe(0);
    client.close();
  });

  test("without a time it does not wait; more than the most is the most", async () => {
    const client = await connect();
    const topic = await freshTopic(admin(), 2);
    expect((await client.pollWaiting(waitOptions(topic, { partitionId, waitMs: 0 }))).ending).toBe("notWaited");
    expect((await client.pollWaiting(waitOptions(topic, { partitionId, count: 0 }))).ending).toBe("notWaited");
    const waiting = client.pollWaiting(waitOptions(topic, { partitionId, waitMs: 0xffff_ffff }));
    await waitingCount(server(), 1);
    await client.ping();
    expect((await waiting).ending).toBe("overtaken");
    client.close();
  });

  test("auto-commit stores what the wait brought, and nothing where it brought nothing", async () => {
    const client = await connect();
    const topic = await freshTopic(admin(), 2);
    const options = waitOptions(topic, { partitionId, strategy: { kind: "next", value: 0n }, autoCommit: true });
    const stored = () =>
      admin().getConsumerOffset({ consumer: options.consumer, stream: streamName, topic, partitionId });
    const first = client.pollWaiting(options);
    await waitingCount(server(), 1);
    await client.ping();
    await first;
    expect(await stored()).toBeUndefined();
    const second = client.pollWaiting(options);
    await waitingCount(server(), 1);
    await send(admin(), topic, partitionId, "a", "b");
    expect(payloadsOf(await second)).toEqual(["a", "b"]);
    expect((await stored())?.storedOffset).toBe(1n);
    client.close();
  });

  test("bytes are bounded, but for one message", async () => {
    const client = await connect();
    const topic = await freshTopic(admin(), 2);
    const large = "x".repeat(1000);
    await send(admin(), topic, partitionId, large, large, large);
    const two = await client.pollWaiting(waitOptions(topic, { partitionId, bytesMax: 2200 }));
    expect(payloadsOf(two)).toEqual([large, large]);
    const one = await client.pollWaiting(waitOptions(topic, { partitionId, bytesMax: 1 }));
    expect(payloadsOf(one)).toEqual([large]);
    client.close();
  });

  test("a reply of many megabytes after a wait arrives whole", async () => {
    const { client, topic, waiting } = await wait();
    await send(admin(), topic, partitionId, "y".repeat(3_000_000), "end");
    expect(payloadsOf(await waiting).map((payload) => payload.length)).toEqual([3_000_000, 3]);
    client.close();
  });

  test("a deleted partition, topic and stream end it as a poll would be refused; a purge says that offsets begin anew", async () => {
    const client = await connect();
    const polling = async (topic: string, changes: Parameters<typeof waitOptions>[1], act: () => Promise<unknown>) => {
      const waiting = client.pollWaiting(waitOptions(topic, { partitionId, ...changes }));
      const outcome = waiting.then(
        ({ ending, polled }) => ({ ending, head: polled.currentOffset }),
        (error: { code: number }) => error.code,
      );
      await waitingCount(server(), 1);
      await act();
      const result = await outcome;
      await waitingCount(server(), 0);
      return result;
    };
    const topic = await freshTopic(admin(), 2);
    await send(admin(), topic, partitionId, "a", "b", "c");
    const behind = { strategy: { kind: "offset", value: 3n } } as const;
    expect(await polling(topic, behind, () => admin().purgeTopic(streamName, topic))).toEqual({
      ending: "offsetsReset",
      head: 0n,
    });
    // Who comes with a position of before learns it at once.
    expect((await client.pollWaiting(waitOptions(topic, { partitionId, ...behind }))).ending).toBe("offsetsReset");
    expect(await polling(topic, {}, () => admin().deletePartitions(streamName, topic, 2))).toBe(3007);
    const second = await freshTopic(admin(), 2);
    expect(await polling(second, {}, () => admin().deleteTopic(streamName, second))).toBe(2010);
    await admin().createStream("short");
    await admin().createTopic("short", { name: "t", partitionsCount: 2 });
    expect(await polling("t", { stream: "short" }, () => admin().deleteStream("short"))).toBe(1009);
    client.close();
  });

  test("refusals are those of a poll", async () => {
    const client = await connect();
    const topic = await freshTopic(admin(), 2);
    const codeOf = (changes: Parameters<typeof waitOptions>[1]) =>
      client.pollWaiting(waitOptions(topic, changes)).then(
        () => 0,
        (error: { code: number }) => error.code,
      );
    expect(await codeOf({ stream: "missing" })).toBe(1009);
    expect(await codeOf({ topic: "missing" })).toBe(2010);
    expect(await codeOf({ partitionId: 7 })).toBe(3007);
    expect(await codeOf({ consumer: { kind: "group", id: nameId("missing") } })).toBe(5000);
    await admin().createConsumerGroup(streamName, topic, "group");
    expect(await codeOf({ consumer: { kind: "group", id: nameId("group") } })).toBe(5006);
    client.close();
  });

  test("a right that is taken away, and a user that is deleted, end it with 41", async () => {
    const topic = await freshTopic(admin(), 2);
    for (const end of ["permissions", "user"] as const) {
      await admin().createUser({
        username: "guest",
        password: "secret",
        permissions: { global: { ...noGlobalRights, pollMessages: true }, streams: [] },
      });
      const client = await server().connect({
        transport,
        port: server().portOf(transport),
        username: "guest",
        password: "secret",
      });
      const waiting = client.pollWaiting(waitOptions(topic, { partitionId })).then(
        () => 0,
        (error: { code: number }) => error.code,
      );
      await waitingCount(server(), 1);
      if (end === "permissions") await admin().updatePermissions("guest", undefined);
      else await admin().deleteUser("guest");
      expect(await waiting).toBe(41);
      await waitingCount(server(), 0);
      if (end === "permissions") await admin().deleteUser("guest");
      client.close();
    }
  });

  test("a connection that closes leaves nothing behind", async () => {
    const topic = await freshTopic(admin(), 2);
    const clients = await Promise.all(Array.from({ length: 20 }, connect));
    const outcomes = clients.map((client) =>
      client.pollWaiting(waitOptions(topic, { partitionId })).catch((error: unknown) => error),
    );
    await waitingCount(server(), 20);
    for (const client of clients) client.close();
    for (const outcome of await Promise.all(outcomes)) expect(outcome).toBeInstanceOf(ConnectionLostError);
    await waitingCount(server(), 0);
    await send(admin(), topic, partitionId, "nobody waits");
  });
});

test("a half-closed connection gets its answer at once", async () => {
  const server = running.get(1)!;
  const topic = await freshTopic(admins.get(1)!);
  const client = await WireClient.connect(server);
  await client.login();
  client.write(client.frame(ExtensionCode.pollWaiting, waitRequest(topic)));
  await waitingCount(server, 1);
  client.endSending();
  expect(decode(pollWaitingReplyCodec, (await client.receive())!.payload).ending).toBe("overtaken");
  await client.ended();
});

test("who waits when the server stops is answered, and the server does not wait for it", async () => {
  const server = await servers.start({ shards: 2 });
  const admin = await server.connect();
  const topic = await freshTopic(admin, 2);
  const clients = await Promise.all(
    (["tcp", "websocket"] as const).map((transport) => server.connect({ transport, port: server.portOf(transport) })),
  );
  const waits = clients.flatMap((client, index) => [client.pollWaiting(waitOptions(topic, { partitionId: index }))]);
  await waitingCount(server, 2);
  const stopped = server.stop();
  for (const reply of await Promise.all(waits)) expect(reply.ending).toBe("overtaken");
  await stopped;
});

test("at level sync a message ends the wait too", async () => {
  const server = await servers.start({ env: { IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: "sync" } });
  const admin = await server.connect();
  const topic = await freshTopic(admin);
  const client = await server.connect();
  for (let round = 0; round < 20; round++) {
    const value = BigInt(round);
    const waiting = client.pollWaiting(waitOptions(topic, { strategy: { kind: "offset", value } }));
    await waitingCount(server, 1);
    await send(admin, topic, 0, `message ${round}`);
    expect(payloadsOf(await waiting)).toEqual([`message ${round}`]);
  }
  await admin.close();
  client.close();
});

test("limits: more polls than may wait are answered without waiting, of a user and of all", async () => {
  const server = await servers.start({
    shards: 2,
    env: { IGGY_LIMITS_WAITING_POLLS: "3", IGGY_LIMITS_WAITING_POLLS_PER_USER: "2" },
  });
  const admin = await server.connect();
  const topic = await freshTopic(admin, 2);
  await admin.createUser({
    username: "guest",
    password: "secret",
    permissions: { global: { ...noGlobalRights, pollMessages: true }, streams: [] },
  });
  const guest = { username: "guest", password: "secret" };
  const [first, second, third, fourth, fifth] = [
    await server.connect(),
    await server.connect(),
    await server.connect(),
    await server.connect(guest),
    await server.connect(guest),
  ];
  const waits = [
    first.pollWaiting(waitOptions(topic, { partitionId: 0 })),
    second.pollWaiting(waitOptions(topic, { partitionId: 1 })),
  ];
  await waitingCount(server, 2);
  expect((await third.pollWaiting(waitOptions(topic))).ending).toBe("notWaited"); // of the user
  waits.push(fourth.pollWaiting(waitOptions(topic)));
  await waitingCount(server, 3);
  expect((await fifth.pollWaiting(waitOptions(topic))).ending).toBe("notWaited"); // of all
  expect(await metric(server, "whippet_refused_waits_total")).toBe(2);
  await first.ping();
  const again = third.pollWaiting(waitOptions(topic));
  await waitingCount(server, 3);
  await send(admin, topic, 0, "x");
  await send(admin, topic, 1, "x");
  expect((await again).ending).toBe("messages");
  await Promise.all(waits);
  await waitingCount(server, 0);
});
