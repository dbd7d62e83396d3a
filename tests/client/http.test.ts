// A client over HTTP against the real server: every command does what it does over a connection, producers and consumers work,
// errors have their names.
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { type Client, connect, text } from "../../src/client/index.bun.ts";
import { encode } from "../../src/protocol/codec.ts";
import { headerString, userHeadersCodec } from "../../src/protocol/user-headers.ts";
import { noGlobalRights } from "../support/permissions.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { rejection } from "./scripted-server.ts";

const servers = useServers();
setDefaultTimeout(120_000);
let server: TestServer;
let root: Client;
let tcp: Client;
const consumer = { kind: "consumer", id: { kind: "numeric", value: 1 } } as const;

function urlOf(login = "iggy:iggy@"): string {
  return `iggy+http://${login}${server.host}:${server.portOf("http")}`;
}

beforeAll(async () => {
  server = await servers.start({ shards: 2 });
  root = await connect(urlOf());
  tcp = await server.connect();
});

test("a group says that HTTP has none, and what has", async () => {
  const begin = root.topic("s", "t", text).consumer({ group: "g" })[Symbol.asyncIterator]().next();
  await expect(begin).rejects.toMatchObject({
    errorName: "FeatureUnavailable",
    message: "Feature unavailable: joinConsumerGroup needs TCP or WebSocket",
  });
});

describe("commands", () => {
  test("any messages are polled as they were sent, from any partition", async () => {
    await root.createStream("s");
    await root.createTopic("s", { name: "t", partitionsCount: 4 });
    const message = fc.record(
      {
        id: fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }),
        payload: fc.uint8Array({ minLength: 1, maxLength: 200 }),
        userHeaders: fc
          .tuple(fc.string({ minLength: 1, maxLength: 20 }), fc.string({ minLength: 1, maxLength: 20 }))
          .map(([key, value]) => encode(userHeadersCodec, [{ key: headerString(key), value: headerString(value) }])),
      },
      { requiredKeys: ["payload"] },
    );
    const ends = [0, 0, 0, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 20 }), fc.nat(3), async (sent, partitionId) => {
        const place = { stream: "s", topic: "t" };
        const messages = sent.map(({ id, userHeaders, payload }) => ({
          payload,
          ...(id === undefined ? {} : { id }),
          ...(userHeaders === undefined ? {} : { userHeaders }),
        }));
        await root.sendMessages({ ...place, partitioning: { kind: "partition", partitionId }, messages });
        const strategy = { kind: "offset", value: BigInt(ends[partitionId] ?? 0) } as const;
        const request = { ...place, consumer, partitionId, strategy, count: 100 };
        const polled = await root.pollMessages(request);
        ends[partitionId]! += sent.length;
        // Checksum, times and all.
        expect(polled).toEqual(await tcp.pollMessages(request));
        expect(polled.messages.map(({ payload }) => payload.toHex())).toEqual(
          sent.map(({ payload }) => payload.toHex()),
        );
        expect(polled.messages.map(({ userHeaders }) => userHeaders.toHex())).toEqual(
          sent.map(({ userHeaders }) => userHeaders?.toHex() ?? ""),
        );
        sent.forEach(({ id }, index) => {
          if (id !== undefined) expect(polled.messages[index]?.id).toBe(id);
        });
      }),
      { numRuns: 30 },
    );
  });

  test("streams, topics, partitions and groups are what they are over TCP", async () => {
    const made = await root.createStream("shop: “new” 1234567890123456789,");
    const stream = made.id;
    const options = {
      messageExpiryMicros: 90_000_000n,
      maxTopicSizeBytes: 2_000_000_000n,
      compression: "gzip",
    } as const;
    const topic = await root.createTopic(stream, { name: "orders", partitionsCount: 2, ...options });
    expect(topic).toMatchObject(options);
    for (let index = 0; index < 3; index++)
      await root.sendMessages({ stream, topic: topic.id, messages: [{ payload: new Uint8Array(1_234) }] });
    await root.createPartitions(stream, "orders", 1);
    await root.updateTopic(stream, "orders", { name: "orders-2" });
    expect(await root.getStream(stream)).toEqual((await tcp.getStream(stream))!);
    expect(await root.getStreams()).toEqual(await tcp.getStreams());
    expect(await root.getTopic(stream, "orders-2")).toEqual((await tcp.getTopic(stream, "orders-2"))!);
    expect(await root.getTopics(stream)).toEqual(await tcp.getTopics(stream));
    await root.flushUnsavedBuffer(stream, "orders-2", 0, true);
    await root.createConsumerGroup(stream, "orders-2", "billing");
    await tcp.joinConsumerGroup(stream, "orders-2", "billing");
    expect(await root.getConsumerGroups(stream, "orders-2")).toEqual(await tcp.getConsumerGroups(stream, "orders-2"));
    const group = await root.getConsumerGroup(stream, "orders-2", "billing");
    expect(group).toEqual((await tcp.getConsumerGroup(stream, "orders-2", "billing"))!);
    expect(group?.members).toHaveLength(1);
    await root.deleteConsumerGroup(stream, "orders-2", "billing");
    await root.deletePartitions(stream, "orders-2", 1);
    await root.purgeTopic(stream, "orders-2");
    expect(await root.getTopic(stream, "orders-2")).toMatchObject({ partitionsCount: 2, messagesCount: 0n });
    await root.deleteTopic(stream, "orders-2");
    expect(await root.getTopic(stream, "orders-2")).toBeUndefined();
    await root.updateStream(stream, "renamed");
    await root.purgeStream("renamed");
    await root.deleteStream("renamed");
    expect(await root.getStream("renamed")).toBeUndefined();
  });

  test("users, rights and tokens are what they are over TCP", async () => {
    const rights = {
      poll: { pollMessages: true },
      none: { manageTopic: false, readTopic: false, sendMessages: false },
    };
    const permissions = {
      global: { ...noGlobalRights, readStreams: true },
      streams: [
        {
          streamId: 7,
          manageStream: false,
          readStream: true,
          manageTopics: false,
          readTopics: true,
          pollMessages: false,
          sendMessages: true,
          topics: [{ topicId: 3, ...rights.none, ...rights.poll }],
        },
      ],
    };
    const user = await root.createUser({ username: "ann", password: "secret", permissions });
    expect(user).toEqual((await tcp.getUser("ann"))!);
    expect(user.permissions).toEqual(permissions);
    expect(await root.getUsers()).toEqual(await tcp.getUsers());
    await root.updateUser("ann", { username: "anna" });
    await root.changePassword("anna", "secret", "secret-2");
    await root.updatePermissions("anna", undefined);
    expect(await root.getUser("anna")).toEqual((await tcp.getUser("anna"))!);
    const own = await connect(urlOf("anna:secret-2@"));
    await expect(own.createStream("not-hers")).rejects.toMatchObject({ errorName: "Unauthorized" });
    const token = await own.createPersonalAccessToken("ci-token", 60_000_000n);
    await own.createPersonalAccessToken("for-ever", 0n);
    const entries = await own.getPersonalAccessTokens();
    const byTcp = await server.connect({ username: "anna", password: "secret-2" });
    expect(entries).toEqual(await byTcp.getPersonalAccessTokens());
    await byTcp.close();
    await own.close();
    const byToken = await connect(urlOf(), { credentials: { token } });
    await byToken.deletePersonalAccessToken("ci-token");
    await byToken.logout();
    await expect(byToken.getStreams()).rejects.toMatchObject({ errorName: "Unauthenticated" });
    await byToken.close();
    await root.deleteUser("anna");
    expect(await root.getUser("anna")).toBeUndefined();
  });

  test("the server tells about itself", async () => {
    const [here, there] = [await root.getStats(), await tcp.getStats()];
    expect(Object.keys(here).sort()).toEqual(Object.keys(there).sort());
    const { processId, hostname, serverVersion, serverSemver, streamsCount, totalMemoryBytes } = here;
    expect(there).toMatchObject({ processId, hostname, serverVersion, serverSemver, streamsCount, totalMemoryBytes });
    expect(await root.getClusterMetadata()).toEqual(await tcp.getClusterMetadata());
    const me = await tcp.getMe();
    expect(await root.getClient(me.clientId)).toEqual(me);
    expect((await root.getClients()).map(({ clientId }) => clientId)).toContain(me.clientId);
    expect(await root.getClient(4_000_000)).toBeUndefined();
    expect((await root.getSnapshot({ types: ["test"] })).subarray(0, 2)).toEqual(new TextEncoder().encode("PK"));
    await root.ping();
  });

  test("offsets are stored and read; one that is not there is undefined", async () => {
    await root.createStream("o");
    await root.createTopic("o", { name: "t", partitionsCount: 1 });
    const place = { stream: "o", topic: "t", consumer };
    await root.sendMessages({ ...place, messages: [{ payload: new Uint8Array(1) }] });
    expect(await root.getConsumerOffset(place)).toBeUndefined();
    await root.storeConsumerOffset({ ...place, offset: 0n });
    expect(await root.getConsumerOffset(place)).toEqual({ partitionId: 0, currentOffset: 0n, storedOffset: 0n });
    await expect(root.storeConsumerOffset({ ...place, offset: 7n })).rejects.toMatchObject({
      errorName: "InvalidOffset",
    });
    await root.deleteConsumerOffset(place);
    expect(await root.getConsumerOffset(place)).toBeUndefined();
  });

  test("errors have their names; what needs a connection is not there", async () => {
    await expect(root.deleteStream("none")).rejects.toMatchObject({ errorName: "StreamIdNotFound" });
    await expect(root.getMe()).rejects.toMatchObject({ errorName: "FeatureUnavailable" });
    await expect(root.joinConsumerGroup("s", "t", "g")).rejects.toMatchObject({ errorName: "FeatureUnavailable" });
    await expect(root.features()).rejects.toMatchObject({ errorName: "InvalidCommand" });
    const wrong = await rejection(connect(urlOf("iggy:wrong@")));
    expect(wrong).toMatchObject({ name: "AuthenticationError", errorName: "InvalidCredentials" });
    const nowhere = await rejection(connect("iggy+http://iggy:iggy@127.0.0.1:1"));
    expect(nowhere).toMatchObject({ name: "ConnectionError", hint: expect.stringContaining("127.0.0.1:1") });
  });
});

test("a producer's messages come in order, a consumer goes on where it was", async () => {
  const topic = root.topic("shop", "numbers", text);
  await topic.ensure({ partitionsCount: 2 });
  const numbers = Array.from({ length: 2_500 }, (_, index) => String(index));
  const producer = topic.producer({ batchMessagesMax: 200 });
  expect(await producer.sendAll(numbers.map((value) => ({ value, partitionId: 1, headers: { n: value } })))).toBe(
    2_500,
  );
  await producer.close();
  const seen: string[] = [];
  for (const end of [1_000, 2_500]) {
    const consumer = topic.consumer({ name: "reports" });
    for await (const { value, headers, offset } of consumer) {
      expect(offset).toBe(seen.length);
      expect(headers.get("n")).toBe(value);
      seen.push(value);
      if (seen.length === end) await consumer.commit();
      if (seen.length >= end) break;
    }
    // The message in hand counts as not handled.
    if (end < numbers.length) seen.pop();
    await consumer.close();
  }
  expect(seen).toEqual(numbers);
  const read: string[] = [];
  for await (const { value } of topic.reader({ follow: false })) read.push(value);
  expect(read).toEqual(numbers);
});

test("a server that answers an empty poll with partition 0 and offset 0, as the original does, is no purged one", async () => {
  const origin = `http://${server.host}:${server.portOf("http")}`;
  const before = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const { method, headers } = request;
      const body = method === "GET" ? {} : { body: await request.arrayBuffer() };
      const answer = await fetch(`${origin}${pathname}${search}`, { method, headers, ...body });
      const reply = await answer.text();
      const isEmptyPoll = pathname.endsWith("/messages") && reply.includes('"messages":[]');
      const { status } = answer;
      const nothing = '{"partition_id":0,"current_offset":0,"count":0,"messages":[]}';
      return new Response(isEmptyPoll ? nothing : reply, { status });
    },
  });
  await using client = await connect(`iggy+http://iggy:iggy@127.0.0.1:${before.port}`);
  const topic = client.topic("headless", "t", text);
  await topic.ensure({ partitionsCount: 2 });
  for (const partitionId of [0, 1]) await topic.send(["a", "b", "c"].map((value) => ({ value, partitionId })));
  const read: string[] = [];
  for await (const { value } of topic.reader({ follow: false })) read.push(value);
  expect(read.toSorted().join("")).toBe("aabbcc");
  const seen: string[] = [];
  const kinds: string[] = [];
  const reading = topic.consumer({ name: "n" });
  const events = (async () => {
    for await (const { kind } of reading.events()) kinds.push(kind);
  })();
  const running = reading.run(({ value }) => void seen.push(value));
  for (let n = 0; n < 20 || seen.length < 9; n++) {
    if (n === 10) await topic.send(["d", "e", "f"].map((value) => ({ value, partitionId: 1 })));
    await Bun.sleep(10);
  }
  await reading.close();
  await Promise.all([running, events]);
  expect(seen.toSorted().join("")).toBe("aabbccdef");
  expect(kinds).not.toContain("reset");
  await client.deleteStream("headless");
  await before.stop(true);
});

test("a token whose time is over is renewed by a login, and the request sent again", async () => {
  const origin = `http://${server.host}:${server.portOf("http")}`;
  let refusals = 0;
  let logins = 0;
  const proxy = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      if (pathname === "/users/login") logins++;
      else if (pathname !== "/ping" && refusals > 0) {
        refusals--;
        return new Response(null, { status: 401 });
      }
      const { method, headers } = request;
      return fetch(`${origin}${pathname}${search}`, { method, headers, body: await request.arrayBuffer() });
    },
  });
  const client = await connect(`iggy+http://iggy:iggy@127.0.0.1:${proxy.port}`, { reconnect: { minMs: 1, maxMs: 1 } });
  await client.getStreams();
  expect(logins).toBe(1);
  refusals = 1;
  expect((await client.createStream("again")).name).toBe("again");
  expect(logins).toBe(2);
  await client.close();
  await proxy.stop(true);
});
