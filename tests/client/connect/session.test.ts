import { afterEach, describe, expect, test } from "bun:test";
import {
  AuthenticationError,
  type Client,
  type ClientEvent,
  ConnectionError,
  ConnectionLostError,
  connect,
  text,
} from "../../../src/client/index.bun.ts";
import { decode } from "../../../src/protocol/codec.ts";
import { CommandCode } from "../../../src/protocol/codes.ts";
import { commandCodecs } from "../../../src/protocol/registry.ts";
import { FakeBroker } from "../fake-broker.ts";
import { rejection, until } from "../scripted-server.ts";

const clients: Client[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close({ timeoutMs: 0 })));
});

async function connected(broker: FakeBroker, options: Parameters<FakeBroker["connect"]>[0] = {}): Promise<Client> {
  const client = await broker.connect(options);
  clients.push(client);
  return client;
}

/** What each connection logged in with. */
function loginsOf(broker: FakeBroker): unknown[] {
  return broker.connections.flatMap(({ requests }) =>
    requests.flatMap(({ code, payload }): object[] => {
      if (code === CommandCode.loginUser) return [decode(commandCodecs.loginUser.request, payload)];
      const { request } = commandCodecs.loginWithPersonalAccessToken;
      return code === CommandCode.loginWithPersonalAccessToken ? [decode(request, payload)] : [];
    }),
  );
}

describe("the first connect", () => {
  test("logs in, asks for features, and says where it is", async () => {
    const client = await connected(new FakeBroker());
    expect(client.server).toEqual({ transport: "fake", address: "broker:8090", username: "iggy", features: new Set() });
    expect(client.state).toBe("open");
  });

  test("without credentials a ping shows that somebody understands", async () => {
    const broker = new FakeBroker();
    const client = await connect("fake://broker", { transports: [broker.transport] });
    clients.push(client);
    expect(broker.connections[0]!.requests[0]!.code).toBe(CommandCode.ping);
  });

  test("nobody there: one attempt, a ConnectionError with a hint and without the password", async () => {
    const broker = new FakeBroker();
    broker.refusal = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    const error = await rejection(broker.connect());
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: 9, attempts: 1, url: "fake://iggy:***@broker" });
    expect((error as ConnectionError).hint).toContain("nobody listens at broker:8090");
    expect(String(error)).not.toContain("secret");
  });

  test("waitForServerMs: as many attempts as fit, until somebody is there", async () => {
    const broker = new FakeBroker();
    broker.refusal = new Error("no");
    const failed = await rejection(broker.connect({ waitForServerMs: 30 }));
    expect((failed as ConnectionError).attempts).toBeGreaterThan(1);
    const connecting = connected(broker, { waitForServerMs: 60_000 });
    await Bun.sleep(10);
    broker.refusal = undefined;
    expect((await connecting).state).toBe("open");
  });

  test("a refused login is an AuthenticationError, at once", async () => {
    const broker = new FakeBroker();
    broker.onLogin = () => "InvalidCredentials";
    const error = await rejection(broker.connect({ waitForServerMs: 60_000 }));
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error).toMatchObject({ code: 42 });
    expect(broker.connections[0]!.isClosed).toBe(true);
  });

  test("somebody who does not answer as a broker: a hint about the port", async () => {
    const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
    const error = await rejection(connect(`iggy://a:b@127.0.0.1:${silent.port}`, { connectTimeoutMs: 1_500 }));
    silent.stop(true);
    expect(error).toBeInstanceOf(ConnectionError);
    expect((error as ConnectionError).hint).toContain("it may be an HTTP port");
    const http = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("x") });
    const other = await rejection(connect(`iggy://a:b@127.0.0.1:${http.port}`, { connectTimeoutMs: 5_000 }));
    await http.stop(true);
    expect((other as ConnectionError).hint).toContain("it may be an HTTP port");
  });

  test.each([
    ["iggy+ws"],
    ["iggy+http"],
  ])("%s: at the port of something else: a hint about the port", async (scheme) => {
    const closing = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: (socket) => void socket.end() } });
    const other = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (socket) => void socket.end(new Uint8Array(16)) },
    });
    const http = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("x", { status: 404 }) });
    for (const { port } of [closing, other, http]) {
      const error = await rejection(connect(`${scheme}://a:b@127.0.0.1:${port}`, { connectTimeoutMs: 5_000 }));
      expect((error as ConnectionError).hint).toContain("it may be a port for another transport");
    }
    closing.stop(true);
    other.stop(true);
    await http.stop(true);
  });

  test("a real port without a listener", async () => {
    const gone = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
    const { port } = gone;
    gone.stop(true);
    const error = await rejection(connect(`iggy://a:b@127.0.0.1:${port}`));
    expect((error as ConnectionError).hint).toMatch(/nobody listens|nothing at/);
  });

  test("a signal ends it with its reason, before and meanwhile", async () => {
    const broker = new FakeBroker();
    const reason = new Error("enough");
    expect(await rejection(broker.connect({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    broker.refusal = new Error("no");
    const controller = new AbortController();
    const connecting = rejection(broker.connect({ waitForServerMs: 60_000, signal: controller.signal }));
    controller.abort(reason);
    expect(await connecting).toBe(reason);
  });
});

describe("a lost connection", () => {
  test("comes back, logged in as last time, and tells what happens", async () => {
    const broker = new FakeBroker();
    const client = await connected(broker);
    const events: ClientEvent[] = [];
    const reading = (async () => {
      for await (const event of client.events()) events.push(event);
    })();
    broker.connections[0]!.close();
    expect(await client.getStreams()).toEqual([]);
    await client.close();
    await reading;
    expect(events.map(({ kind }) => kind)).toEqual(["disconnected", "reconnecting", "connected", "closed"]);
    expect(events[1]).toMatchObject({ attempt: 1, error: { code: 8 } });
    expect(loginsOf(broker)).toHaveLength(2);
  });

  test("a read is repeated, a write that had left is not", async () => {
    const broker = new FakeBroker();
    const client = await connected(broker);
    const handle = broker.handle.bind(broker);
    let cuts = 2;
    broker.handle = (connection, code, payload, done) => {
      if ((code === CommandCode.getStreams || code === CommandCode.purgeStream) && cuts-- > 0) connection.close();
      else handle(connection, code, payload, done);
    };
    expect(await client.getStreams()).toEqual([]);
    cuts = 1;
    const lost = await rejection(client.purgeStream("s"));
    expect(lost).toBeInstanceOf(ConnectionLostError);
    expect(lost).toMatchObject({ requestSent: true });
  });

  test("a new name, a new password and a login by hand are followed", async () => {
    const broker = new FakeBroker();
    const client = await connected(broker);
    await client.updateUser("iggy", { username: "other" });
    await client.changePassword(7, "secret", "fresh");
    broker.connections[0]!.close();
    await client.getStreams();
    await client.loginWithToken("token");
    expect(client.server.username).toBeUndefined();
    broker.connections[1]!.close();
    await client.getStreams();
    expect(loginsOf(broker)).toMatchObject([
      { username: "iggy", password: "secret" },
      { username: "other", password: "fresh" },
      { token: "token" },
      { token: "token" },
    ]);
  });

  test("a function for credentials is asked before every login, also of a producer's connection", async () => {
    const broker = new FakeBroker();
    let asked = 0;
    const client = await connected(broker, { credentials: async () => ({ token: `token ${++asked}` }) });
    await client.topic("s", "t", text).producer().send({ value: "a" });
    broker.connections[0]!.close();
    await client.getStreams();
    expect(loginsOf(broker)).toEqual([{ token: "token 1" }, { token: "token 2" }, { token: "token 3" }]);
  });

  test("a login that is refused meanwhile ends it: AuthenticationError for all that waits and comes", async () => {
    const broker = new FakeBroker();
    const client = await connected(broker);
    broker.onLogin = () => "InvalidCredentials";
    broker.connections[0]!.close();
    expect(await rejection(client.getStreams())).toBeInstanceOf(AuthenticationError);
    expect(client.state).toBe("closed");
    expect(await rejection(client.getStreams())).toBeInstanceOf(AuthenticationError);
  });

  test("requestTimeoutMs in all: a ConnectionLostError that nothing was sent", async () => {
    const broker = new FakeBroker();
    const client = await connected(broker, { requestTimeoutMs: 60 });
    broker.refusal = new Error("no");
    broker.connections[0]!.close();
    const lost = await rejection(client.createStream("s"));
    expect(lost).toMatchObject({ name: "ConnectionLostError", requestSent: false });
    expect(client.state).toBe("reconnecting");
  });

  test("reconnect: false: it stays lost", async () => {
    const broker = new FakeBroker();
    const client = await connected(broker, { reconnect: false });
    broker.connections[0]!.close();
    expect(await rejection(client.getStreams())).toBeInstanceOf(ConnectionLostError);
    await until(() => client.state === "closed");
  });

  test("no byte for requestTimeoutMs with something under way: the connection is dead, another one is opened", async () => {
    const broker = new FakeBroker();
    const client = await connected(broker, { requestTimeoutMs: 40 });
    const handle = broker.handle.bind(broker);
    broker.handle = (connection, code, payload, done) => {
      if (connection !== broker.connections[0]) handle(connection, code, payload, done);
    };
    expect(await rejection(client.getStreams())).toMatchObject({ name: "ConnectionLostError", requestSent: true });
    await until(() => broker.connections.length === 2 && client.state === "open");
    expect(await client.getStreams()).toEqual([]);
  });
});

describe("limits and the end", () => {
  test("pings go out, in time", async () => {
    const broker = new FakeBroker();
    await connected(broker, { heartbeatMs: 5 });
    await until(() => broker.connections[0]!.requests.filter(({ code }) => code === CommandCode.ping).length >= 3);
  });

  test("1,024 commands are under way at most; the next one goes when one is answered", async () => {
    const broker = new FakeBroker();
    const client = await connected(broker);
    const waiting: (() => void)[] = [];
    const handle = broker.handle.bind(broker);
    broker.handle = (connection, code, payload, done) => {
      if (code !== CommandCode.getStreams) return handle(connection, code, payload, done);
      waiting.push(() => handle(connection, code, payload, done));
    };
    const asked = Promise.all(Array.from({ length: 1100 }, () => client.getStreams()));
    await Bun.sleep(20);
    expect(waiting).toHaveLength(1024);
    waiting.shift()!();
    await until(() => waiting.length === 1024);
    broker.handle = handle;
    for (const answer of waiting) answer();
    expect(await asked).toHaveLength(1100);
  });

  test("a closed client rejects; closing again and `await using` do no harm; the connect signal closes", async () => {
    const broker = new FakeBroker();
    const controller = new AbortController();
    {
      await using client = await broker.connect({ signal: controller.signal });
      await client.close();
      expect(await rejection(client.getStreams())).toBeInstanceOf(ConnectionLostError);
      expect(() => client.topic("s", "t").producer()).toThrow("the client is closed");
    }
    const client = await broker.connect({ signal: controller.signal });
    controller.abort();
    await until(() => client.state === "closed");
  });
});

describe("topics by handle", () => {
  test("a consumer needs the name of a group, or one of its own", async () => {
    const topic = (await connected(new FakeBroker())).topic("shop", "orders", text);
    for (const options of [{}, { grup: "x" }, { group: undefined }]) {
      expect(() => topic.consumer(options as unknown as { group: string })).toThrow(
        new TypeError("a consumer needs `group` or `name`"),
      );
    }
  });

  test("send: one request for each partition, never repeated, ids left to the server", async () => {
    const broker = new FakeBroker();
    const client = await connected(broker);
    const topic = client.topic("shop", "orders", text);
    expect(await topic.send({ value: "a", partitionId: 2 })).toMatchObject({ messagesCount: 1, partitionId: 2 });
    expect(await topic.send({ value: "b", key: "k" })).toMatchObject({ partitionId: undefined });
    const many = Array.from({ length: 100 }, (_, index) => ({ value: String(index), key: `k${index}` }));
    expect((await topic.send(many)).messagesCount).toBe(100);
    expect(broker.sends.map(({ partitioning }) => partitioning.kind)).toEqual([
      "partition",
      "key",
      "partition",
      "partition",
      "partition",
    ]);
    for (const { value, key } of many) expect(broker.stored.get(Bun.hash.xxHash32(key) % 3)).toContain(value);
    expect(broker.sends[0]!.messages[0]!.id).toBe(0n);
    expect((await topic.send([])).messagesCount).toBe(0);

    broker.onSend = (send) => send.connection.close();
    expect(await rejection(topic.send({ value: "c" }))).toMatchObject({
      name: "ConnectionLostError",
      requestSent: true,
    });
    expect(broker.sends).toHaveLength(6);
    const bytes = client.topic("shop", "orders");
    expect(await rejection(bytes.send({ value: "text" as unknown as Uint8Array }))).toBeInstanceOf(TypeError);
    expect(broker.sends).toHaveLength(6);
  });

  test("ensure makes nothing that is there, and cannot make what has only a number", async () => {
    const broker = new FakeBroker();
    const client = await connected(broker);
    expect((await client.topic("s", "t").ensure({ partitionsCount: 1 })).partitionsCount).toBe(3);
    broker.partitionsCount = undefined;
    expect(await rejection(client.topic("s", 4).ensure({ partitionsCount: 1 }))).toMatchObject({ code: 2010 });
    expect(await rejection(client.topic(4, "t").ensure({ partitionsCount: 1 }))).toMatchObject({ code: 1009 });
  });
});
