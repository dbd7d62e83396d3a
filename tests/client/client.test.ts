import { afterEach, describe, expect, test } from "bun:test";
import { type Client, ConnectionLostError, connect as connectByUrl } from "../../src/client/index.bun.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { ExtensionCode } from "../../src/protocol/extensions/codes.ts";
import { nameId, numericId } from "../../src/protocol/identifier.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { type ClientOptions, connectClient } from "../support/client.ts";
import {
  rejection,
  type Script,
  type ScriptedRequest,
  type ScriptedServer,
  startScriptedServer,
  until,
  userIdReply,
} from "./scripted-server.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** Answers logins, and that it can nothing beyond 0.8; everything else goes to the script. */
function serve(script: Script, port = 0): ScriptedServer {
  const server = startScriptedServer(
    (request) => {
      if (request.code === CommandCode.loginUser) return request.reply(userIdReply(7));
      return request.code === ExtensionCode.getFeatures ? request.refuse(3) : script(request);
    },
    "sdk",
    port,
  );
  cleanups.push(() => server.stop());
  return server;
}

async function connect(server: ScriptedServer, options: Partial<ClientOptions> = {}): Promise<Client> {
  const client = await connectClient({
    host: "127.0.0.1",
    port: server.port,
    username: "iggy",
    password: "secret",
    reconnect: { minMs: 5, maxMs: 5 },
    ...options,
  });
  cleanups.push(() => void client.close());
  return client;
}

/** Without the questions what it can do. */
const requestsOf = (server: ScriptedServer) =>
  server.requests.filter(({ code }) => code !== (ExtensionCode.getFeatures as number));
const codesOf = (server: ScriptedServer, connectionIndex: number) =>
  requestsOf(server)
    .filter((request) => request.connectionIndex === connectionIndex)
    .map((request) => request.code);

const batch = {
  stream: "s",
  topic: 1,
  partitioning: { kind: "partition", partitionId: 0 },
  messages: [{ payload: Uint8Array.of(1, 2, 3), originTimestampMicros: 5n }],
} as const;

describe("commands", () => {
  test("connecting with a password logs in first", async () => {
    const server = serve((request) => request.reply());
    const client = await connect(server);
    await client.ping();
    expect(codesOf(server, 0)).toEqual([CommandCode.loginUser, CommandCode.ping]);
    const login = decode(commandCodecs.loginUser.request, requestsOf(server)[0]!.payload);
    expect(login).toMatchObject({ username: "iggy", password: "secret" });
  });

  test("a missing object is undefined, an empty list is empty", async () => {
    const client = await connect(serve((request) => request.reply()));
    const offset = { consumer: { kind: "consumer", id: numericId(1) }, stream: 1, topic: 1, partitionId: 0 } as const;
    expect(await client.getStream("none")).toBeUndefined();
    expect(await client.getTopic(1, "none")).toBeUndefined();
    expect(await client.getClient(3)).toBeUndefined();
    expect(await client.getUser("none")).toBeUndefined();
    expect(await client.getPersonalAccessTokens()).toEqual([]);
    expect(await client.getConsumerGroup(1, 1, 1)).toBeUndefined();
    expect(await client.getConsumerOffset(offset)).toBeUndefined();
    expect(await client.getStreams()).toEqual([]);
  });

  test("a stream is created by name and found as the server describes it", async () => {
    const header = { id: 3, createdAtMicros: 9n, topicsCount: 0, sizeBytes: 0n, messagesCount: 0n, name: "orders" };
    const server = serve((request) => request.reply(encode(commandCodecs.createStream.reply, header)));
    const client = await connect(server);
    expect(await client.createStream("orders")).toEqual(header);
    expect(await client.getStream("orders")).toEqual({ ...header, topics: [] });
    expect(decode(commandCodecs.getStream.request, requestsOf(server)[2]!.payload)).toEqual({
      stream: nameId("orders"),
    });
  });

  test("a topic without options lives for ever and has no limit", async () => {
    const server = serve((request) => request.refuse(2013));
    const client = await connect(server);
    const error = await rejection(client.createTopic("s", { name: "t", partitionsCount: 2 }));
    expect(error).toMatchObject({ code: 2013 });
    expect(decode(commandCodecs.createTopic.request, requestsOf(server)[1]!.payload)).toEqual({
      stream: nameId("s"),
      partitionsCount: 2,
      compressionCode: 1,
      messageExpiryMicros: 2n ** 64n - 1n,
      maxTopicSizeBytes: 2n ** 64n - 1n,
      replicationFactor: 1,
      name: "t",
    });
  });

  test("messages that are sent and polled keep their bytes", async () => {
    const polled = {
      partitionId: 0,
      currentOffset: 0n,
      messages: [
        {
          checksum: 1n,
          id: 2n,
          offset: 0n,
          timestampMicros: 3n,
          originTimestampMicros: 5n,
          reserved: 0n,
          payload: Uint8Array.of(1, 2, 3),
          userHeaders: new Uint8Array(0),
        },
      ],
    };
    const server = serve((request) =>
      request.reply(
        request.code === CommandCode.pollMessages ? encode(commandCodecs.pollMessages.reply, polled) : undefined,
      ),
    );
    const client = await connect(server);
    await client.sendMessages(batch);
    const sent = decode(commandCodecs.sendMessages.request, requestsOf(server)[1]!.payload);
    expect(sent.messages[0]?.payload).toEqual(Uint8Array.of(1, 2, 3));
    expect(sent.topic).toEqual(numericId(1));
    const reply = await client.pollMessages({
      consumer: { kind: "consumer", id: numericId(1) },
      stream: "s",
      topic: 1,
      strategy: { kind: "offset", value: 0n },
      count: 10,
    });
    expect(reply).toEqual(polled);
  });

  test("a reply that does not decode is InvalidFormat with its cause", async () => {
    const client = await connect(serve((request) => request.reply(Uint8Array.of(1, 2))));
    const error = await rejection(client.getMe());
    expect(error).toMatchObject({ errorName: "InvalidFormat", cause: expect.any(IggyError) });
  });
});

describe("connecting", () => {
  test("nobody there is CannotEstablishConnection", async () => {
    const server = serve(() => undefined);
    server.stop();
    expect(await rejection(connect(server))).toMatchObject({ errorName: "CannotEstablishConnection" });
  });

  test("a refused login is the error of the server, after one attempt", async () => {
    const server = startScriptedServer((request) => request.refuse(42));
    cleanups.push(() => server.stop());
    expect(await rejection(connect(server))).toMatchObject({ errorName: "InvalidCredentials" });
    expect(server.requests.length).toBe(1);
  });
});

describe("reconnecting", () => {
  /** Cuts the first request with this code, answers everything else. */
  function cutOnce(code: number): Script {
    let done = false;
    return (request: ScriptedRequest) => {
      if (request.code !== code || done) return request.reply();
      done = true;
      request.cut();
    };
  }

  test("a read whose reply was lost is repeated on a new, logged in connection", async () => {
    const server = serve(cutOnce(CommandCode.getStreams));
    const client = await connect(server);
    expect(await client.getStreams()).toEqual([]);
    expect(codesOf(server, 1)).toEqual([CommandCode.loginUser, CommandCode.getStreams]);
  });

  test("a send whose reply was lost rejects and is not repeated; the next one goes through", async () => {
    const server = serve(cutOnce(CommandCode.sendMessages));
    const client = await connect(server);
    const error = await rejection(client.sendMessages(batch));
    expect(error).toBeInstanceOf(ConnectionLostError);
    expect(error).toMatchObject({ errorName: "Disconnected", requestSent: true });
    expect(String(error)).toContain("may have been carried out or not");
    await client.sendMessages(batch);
    expect(codesOf(server, 1)).toEqual([CommandCode.loginUser, CommandCode.sendMessages]);
  });

  for (const autoCommit of [false, true]) {
    test(`a poll ${autoCommit ? "that commits is not" : "without commit is"} repeated`, async () => {
      let polls = 0;
      const empty = encode(commandCodecs.pollMessages.reply, { partitionId: 0, currentOffset: 0n, messages: [] });
      const server = serve((request) => (polls++ === 0 ? request.cut() : request.reply(empty)));
      const client = await connect(server);
      const poll = client.pollMessages({
        consumer: { kind: "consumer", id: numericId(1) },
        stream: 1,
        topic: 1,
        strategy: { kind: "next", value: 0n },
        count: 1,
        autoCommit,
      });
      if (autoCommit) expect(await rejection(poll)).toBeInstanceOf(ConnectionLostError);
      else expect((await poll).messages).toEqual([]);
      expect(polls).toBe(autoCommit ? 1 : 2);
    });
  }

  test("many requests that need the connection share one reconnect", async () => {
    const server = serve(cutOnce(CommandCode.ping));
    const client = await connect(server);
    await Promise.all([client.ping(), client.getStreams(), client.getClients(), client.ping()]);
    expect(server.connectionsCount).toBe(2);
    expect(codesOf(server, 1)[0]).toBe(CommandCode.loginUser);
  });

  test("a request waits for a server that comes back", async () => {
    const first = serve((request) => request.reply());
    const client = await connect(first);
    await client.ping();
    first.stop();
    const sent = client.sendMessages(batch).catch(() => client.sendMessages(batch));
    await Bun.sleep(20);
    const second = serve((request) => request.reply(), first.port);
    await sent;
    expect(codesOf(second, 0)).toEqual([CommandCode.loginUser, CommandCode.sendMessages]);
  });

  test("attempts end, and the last error tells why", async () => {
    const server = serve((request) => request.reply());
    const url = `iggy://iggy:secret@127.0.0.1:${server.port}?reconnection_retries=2`;
    const client = await connectByUrl(url, { reconnect: { minMs: 1, maxMs: 1 } });
    cleanups.push(() => void client.close());
    server.stop();
    expect(await rejection(client.getStreams())).toMatchObject({ errorName: "CannotEstablishConnection" });
  });

  test("without reconnect a lost connection stays lost", async () => {
    const server = serve(cutOnce(CommandCode.ping));
    const client = await connect(server, { reconnect: false });
    for (const _ of [1, 2]) expect(await rejection(client.ping())).toMatchObject({ errorName: "Disconnected" });
    expect(server.connectionsCount).toBe(1);
  });

  test("a login made later is repeated, a logout ends that", async () => {
    const server = serve(cutOnce(CommandCode.getStats));
    const client = await connectClient({ host: "127.0.0.1", port: server.port });
    cleanups.push(() => void client.close());
    expect(await client.login("other", "secret")).toBe(7);
    await rejection(client.getStats()); // repeated, but an empty reply is no stats
    expect(codesOf(server, 1)).toEqual([CommandCode.loginUser, CommandCode.getStats]);
    await client.logout();
    const request = server.requests.at(-1);
    request?.cut();
    await until(() => client.state !== "open");
    await client.ping();
    // Who has nothing to log in with asks with a ping whether the server understands.
    expect(codesOf(server, 2)).toEqual([CommandCode.ping, CommandCode.ping]);
  });

  for (const own of ["iggy", 7]) {
    test(`a new name and password of the own user, given as ${own}, are what a reconnect logs in with`, async () => {
      const server = serve(cutOnce(CommandCode.ping));
      const client = await connect(server);
      await client.changePassword("someone-else", "theirs", "their-new-one");
      await client.changePassword(own, "secret", "secret-2");
      await client.updateUser(8, { username: "someone" });
      await client.updateUser(own, { status: "active" });
      await client.updateUser(own, { username: "renamed" });
      await client.ping();
      const login = server.requests.find((request) => request.connectionIndex === 1)!;
      expect(login.code).toBe(CommandCode.loginUser);
      expect(decode(commandCodecs.loginUser.request, login.payload)).toMatchObject({
        username: "renamed",
        password: "secret-2",
      });
    });
  }

  test("a closed client does not reconnect", async () => {
    const server = serve(() => undefined);
    const client = await connect(server);
    const waiting = rejection(client.ping());
    await client.close();
    expect(await waiting).toMatchObject({ errorName: "Disconnected" });
    expect(await rejection(client.ping())).toMatchObject({ errorName: "Disconnected" });
    expect(server.connectionsCount).toBe(1);
  });
});
