import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "../../src/client/index.ts";
import { decodeStrict, encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { encodeRequestFrame } from "../../src/protocol/frame.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { encodeSendMessages } from "../../src/protocol/message/send-messages.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { connectClient } from "../support/client.ts";
import { descriptorCount, eventually, growsLessThan, residentBytes } from "../support/process-facts.ts";
import { TestServer, useServers } from "../support/server.ts";
import { QuicClient, type QuicTarget } from "./quic-client.ts";

setDefaultTimeout(120_000);

const servers = useServers();
const quicOn = { IGGY_QUIC_ENABLED: "true", IGGY_QUIC_ADDRESS: "127.0.0.1:0" };
const consumer = { kind: "consumer", id: nameId("reader") } as const;
const mebibyte = 1024 * 1024;

let client: QuicClient;

beforeAll(() => {
  client = new QuicClient(servers.makeDirectory());
});

afterAll(() => client.stop());

function targetOf(server: TestServer, options: Partial<QuicTarget> = {}): QuicTarget {
  const certPem = readFileSync(join(server.dataPath, "certificates/cert.pem"), "utf8");
  return { port: server.portOf("quic"), certPem, ...options };
}

/** Children of a process that run the sidecar. */
function sidecarsOf(pid: number): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((candidate) => candidate > 0 && parentOf(candidate) === pid);
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  } catch {
    return undefined; // it has just ended
  }
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function sidecarOf(server: TestServer): Promise<number> {
  const [pid] = await eventually(
    "one sidecar",
    () => sidecarsOf(server.pid),
    (pids) => pids.length === 1,
  );
  return pid!;
}

function sendFrame(payload: Uint8Array, { count = 1, topic = "eu" } = {}): Uint8Array {
  const messages = Array.from({ length: count }, () => ({ payload }));
  const partitioning = { kind: "partition", partitionId: 0 } as const;
  const request = { stream: nameId("orders"), topic: nameId(topic), partitioning, messages };
  return encodeRequestFrame(CommandCode.sendMessages, encodeSendMessages(request));
}

function pollFrame(count: number, topic = "eu"): Uint8Array {
  const strategy = { kind: "offset", value: 0n } as const;
  const target = { consumer, stream: nameId("orders"), topic: nameId(topic), partitionId: 0 };
  const request = encode(commandCodecs.pollMessages.request, { ...target, strategy, count, autoCommit: false });
  return encodeRequestFrame(CommandCode.pollMessages, request);
}

async function createTopic(server: TestServer): Promise<Client> {
  const root = await server.connect();
  await root.createStream("orders");
  await root.createTopic("orders", { name: "eu", partitionsCount: 1 });
  return root;
}

async function messagesCount(root: Client): Promise<bigint | undefined> {
  return (await root.getTopic("orders", "eu"))?.messagesCount;
}

const ping = encodeRequestFrame(CommandCode.ping, new Uint8Array(0));
const success = new Uint8Array(8);

describe("QUIC", () => {
  let server: TestServer;
  let root: Client;

  beforeAll(async () => {
    server = await servers.start({ shards: 2, env: quicOn });
    root = await createTopic(server);
  });

  test("a client without ALPN is served, as the SDKs connect; one that insists on it is refused, as by the original", async () => {
    await client.open("alpn", targetOf(server));
    expect(await client.exchange("alpn", ping)).toEqual(success);
    await client.close("alpn");
    await expect(client.open("alpn", targetOf(server, { alpnProtocols: ["h3"] }))).rejects.toThrow("error 120");
  });

  test("a login on one stream counts for the later ones, and ends with the connection", async () => {
    await client.open("session", targetOf(server));
    expect((await client.request("session", CommandCode.getStreams)).status).toBe(
      new IggyError("Unauthenticated").code,
    );
    await client.login("session");
    const { payload } = await client.request("session", CommandCode.getMe);
    const me = decodeStrict(commandCodecs.getMe.reply, payload);
    expect(me).toMatchObject({ userId: 0, transport: "quic" });
    expect(me.address).toMatch(/^127\.0\.0\.1:\d+$/);
    // The listing is complete on every shard.
    const listed = (await root.getClients()).find(({ clientId }) => clientId === me.clientId);
    expect(listed).toMatchObject({ transport: "quic", address: me.address });
    await client.close("session");
    await eventually(
      "clients",
      () => root.getClients(),
      (clients) => clients.every(({ clientId }) => clientId !== me.clientId),
    );
  });

  test("the client library works over it: 10,000 messages are sent and polled in order", async () => {
    const port = await client.relay(targetOf(server));
    const user = { username: "iggy", password: "iggy", reconnect: false } as const;
    const over = await connectClient({ host: "127.0.0.1", port, ...user });
    await over.createTopic("orders", { name: "many", partitionsCount: 1 });
    for (let batch = 0; batch < 10; batch++) {
      const messages = Array.from({ length: 1000 }, (_, index) => ({
        payload: new TextEncoder().encode(`message ${batch * 1000 + index}`),
      }));
      await over.sendMessages({
        stream: "orders",
        topic: "many",
        partitioning: { kind: "partition", partitionId: 0 },
        messages,
      });
    }
    const polled = await over.pollMessages({
      consumer,
      stream: "orders",
      topic: "many",
      partitionId: 0,
      strategy: { kind: "offset", value: 0n },
      count: 10_000,
    });
    const texts = polled.messages.map(({ payload }) => new TextDecoder().decode(payload));
    expect(texts).toEqual(Array.from({ length: 10_000 }, (_, index) => `message ${index}`));
    over.close();
  });

  test("a stream is answered before the client finishes its side, and a second request on it is never read", async () => {
    await client.open("early", targetOf(server));
    expect(await client.exchange("early", ping, false)).toEqual(success);
    expect(await client.exchange("early", Buffer.concat([ping, ping, ping]))).toEqual(success);
    expect(await client.exchange("early", ping)).toEqual(success);
    await client.close("early");
  });

  test("frames as the project's page pictures them are served too", async () => {
    await client.open("page", targetOf(server));
    const page = encodeRequestFrame(CommandCode.ping, new Uint8Array(0), "page");
    expect(await client.exchange("page", page)).toEqual(success);
    expect(await client.exchange("page", page)).toEqual(success);
    await client.close("page");
  });

  test("a client that vanishes without a word is forgotten after the idle time-out", async () => {
    const idle = { IGGY_QUIC_MAX_IDLE_TIMEOUT: "3 s", IGGY_QUIC_KEEP_ALIVE_INTERVAL: "0 s" };
    const strict = await servers.start({ env: { ...quicOn, ...idle } });
    const watcher = await strict.connect();
    const vanishing = new QuicClient(servers.makeDirectory());
    await vanishing.open("vanishing", targetOf(strict));
    await vanishing.login("vanishing");
    expect(await watcher.getClients()).toHaveLength(2);
    await vanishing.stop();
    await eventually(
      "clients",
      () => watcher.getClients(),
      (clients) => clients.length === 1,
    );
  });

  test("many streams at once are all answered, each with its own reply", async () => {
    await client.open("streams", targetOf(server));
    await client.login("streams");
    const before = await messagesCount(root);
    const sends = Array.from({ length: 100 }, () => client.exchange("streams", sendFrame(new Uint8Array(100))));
    const asks = Array.from({ length: 100 }, (_, index) =>
      client.request("streams", index % 2 === 0 ? CommandCode.getMe : CommandCode.getStreams),
    );
    for (const reply of await Promise.all(sends)) expect(reply).toEqual(success);
    for (const [index, { status, payload }] of (await Promise.all(asks)).entries()) {
      expect(status).toBe(0);
      if (index % 2 === 0) expect(decodeStrict(commandCodecs.getMe.reply, payload).transport).toBe("quic");
      else expect(decodeStrict(commandCodecs.getStreams.reply, payload)[0]?.name).toBe("orders");
    }
    expect(await messagesCount(root)).toBe((before ?? 0n) + 100n);
    await client.close("streams");
  });

  test.each([1, 3, 30])("%d MiB go in and come out", async (sizeMebibytes) => {
    const topic = nameId(`big ${sizeMebibytes}`);
    await root.createTopic("orders", { name: `big ${sizeMebibytes}`, partitionsCount: 1 });
    await client.open("big", targetOf(server));
    await client.login("big");
    const payload = crypto.getRandomValues(new Uint8Array(65_536));
    const messages = Array.from({ length: sizeMebibytes * 16 }, () => ({ payload }));
    const partitioning = { kind: "partition", partitionId: 0 } as const;
    const request = encodeSendMessages({ stream: nameId("orders"), topic, partitioning, messages });
    expect(await client.exchange("big", encodeRequestFrame(CommandCode.sendMessages, request))).toEqual(success);
    const poll = encode(commandCodecs.pollMessages.request, {
      ...{ consumer, stream: nameId("orders"), topic, partitionId: 0 },
      ...{ strategy: { kind: "offset", value: 0n }, count: messages.length, autoCommit: false },
    });
    const reply = await client.request("big", CommandCode.pollMessages, poll);
    const polled = decodeStrict(commandCodecs.pollMessages.reply, reply.payload);
    expect(polled.messages).toHaveLength(messages.length);
    expect(polled.messages.every((message) => Buffer.from(message.payload).equals(payload))).toBe(true);
    await client.close("big");
  });

  test("a stream that ends too early or says nonsense costs that stream only (spec BP 2.6)", async () => {
    await client.open("cut", targetOf(server));
    await client.login("cut");
    const before = await messagesCount(root);
    const nothing = new Uint8Array(0);
    const send = sendFrame(new Uint8Array(1000));
    const quicError = new Uint8Array(8);
    quicError[0] = new IggyError("QuicError").code;
    expect(await client.exchange("cut", nothing)).toEqual(nothing);
    expect(await client.exchange("cut", ping.subarray(0, 5))).toEqual(nothing);
    expect(await client.exchange("cut", pollFrame(1).subarray(0, 20))).toEqual(nothing);
    expect(await client.exchange("cut", new Uint8Array([3, 0, 0, 0, 1, 0, 0, 0]))).toEqual(nothing);
    expect(await client.exchange("cut", send.subarray(0, 500))).toEqual(quicError);
    // The session goes on, and nothing of the half send was taken.
    expect((await client.request("cut", CommandCode.getMe)).status).toBe(0);
    expect(await messagesCount(root)).toBe(before);
    await client.close("cut");
  });

  test("a send of many megabytes that ends too early ends its connection, and nothing of it is stored", async () => {
    await client.open("cut big", targetOf(server));
    await client.login("cut big");
    const before = await messagesCount(root);
    const ended = client.ended("cut big");
    const send = sendFrame(new Uint8Array(mebibyte), { count: 4 });
    await client.exchange("cut big", send.subarray(0, 3 * mebibyte)).catch(() => undefined);
    expect(await ended).toContain('"closeCode":0');
    expect(await messagesCount(root)).toBe(before);
  });

  test("streams of random bytes harm nobody else", async () => {
    const sidecar = await sidecarOf(server);
    const random = (sizeBytes: number) => crypto.getRandomValues(new Uint8Array(sizeBytes));
    for (let index = 0; index < 50; index++) {
      const name = `random ${index}`;
      await client.open(name, targetOf(server));
      // The small length makes it a frame that ends; without it nearly all are longer than what follows.
      const frame = Buffer.concat([Uint8Array.of(index, 0, 0, 0), random(index * 20)]);
      const streams = [random(index), random(5000), frame];
      await Promise.all(streams.map((bytes) => client.exchange(name, bytes).catch(() => undefined)));
      await client.close(name);
    }
    await client.open("after random", targetOf(server));
    await client.login("after random");
    expect(await sidecarOf(server)).toBe(sidecar);
    await client.close("after random");
  });

  test("connections that come and go leave nothing behind", async () => {
    const sidecar = await sidecarOf(server);
    const alone = (clients: readonly unknown[]) => clients.length === 1;
    await eventually("clients", () => root.getClients(), alone);
    const before = descriptorCount(server.pid) + descriptorCount(sidecar);
    const names = Array.from({ length: 100 }, (_, index) => `guest ${index}`);
    await Promise.all(
      names.map(async (name) => {
        await client.open(name, targetOf(server));
        await client.login(name);
        await client.exchange(name, pollFrame(10));
      }),
    );
    expect(await root.getClients()).toHaveLength(101);
    for (const name of names) await client.close(name);
    await eventually("clients", () => root.getClients(), alone);
    await eventually(
      "descriptors",
      () => descriptorCount(server.pid) + descriptorCount(sidecar) - before,
      (more) => more <= 2,
    );
  });

  test("clients that ask and do not read do not grow the memory of the sidecar or the server", async () => {
    await root.createTopic("orders", { name: "slow", partitionsCount: 1 });
    await client.open("filler", targetOf(server));
    await client.login("filler");
    await Promise.all(
      Array.from({ length: 8 }, () =>
        client.exchange("filler", sendFrame(new Uint8Array(mebibyte), { topic: "slow" })),
      ),
    );
    const sidecar = await sidecarOf(server);
    const before = residentBytes(sidecar) + residentBytes(server.pid);
    const names = Array.from({ length: 10 }, (_, index) => `slow ${index}`);
    await Promise.all(
      names.map(async (name) => {
        await client.open(name, targetOf(server));
        await client.login(name);
        expect(await client.ask(name, pollFrame(8, "slow"), 100, 1500)).toBeLessThan(100);
      }),
    );
    // 8 GB were asked for.
    await growsLessThan(100 * mebibyte, () => residentBytes(sidecar) + residentBytes(server.pid), before);
    for (const name of names) await client.close(name);
    expect(await client.exchange("filler", ping)).toEqual(success);
    await client.close("filler");
  });
});

describe("the sidecar", () => {
  test("that is killed is started again at the same port; nobody else notices", async () => {
    const server = await servers.start({ env: quicOn });
    const root = await createTopic(server);
    await client.open("before", targetOf(server, { idleTimeoutMs: 5000 }));
    await client.login("before");
    expect(await root.getClients()).toHaveLength(2);
    const first = await sidecarOf(server);
    process.kill(first, "SIGKILL");
    await eventually(
      "the client of the dead sidecar is gone",
      () => root.getClients(),
      (clients) => clients.length === 1,
    );
    const second = await eventually(
      "another sidecar",
      () => sidecarsOf(server.pid).filter((pid) => pid !== first && isRunning(pid)),
      (pids) => pids.length === 1,
    );
    expect(second).not.toContain(first);
    await eventually(
      "log",
      () => server.log,
      (log) => log.includes("listens again"),
    );
    expect(server.log).toMatch(/ERROR.*QUIC sidecar ended.*SIGKILL/);
    // The client's engine finds out by its idle time-out.
    expect(await client.ended("before")).toContain("timed out");
    await client.open("after", targetOf(server));
    await client.login("after");
    expect(await client.exchange("after", sendFrame(new Uint8Array(10)))).toEqual(success);
    await server.stop();
  });

  test("ends with the server, in good order and after kill -9; connected clients are told of a stop", async () => {
    const server = await servers.start({ env: quicOn });
    await client.open("stop", targetOf(server));
    await client.login("stop");
    const ended = client.ended("stop");
    const first = await sidecarOf(server);
    process.kill(first, "SIGTERM"); // as a service manager does
    await server.stop();
    expect(server.log).not.toMatch(/ERROR/);
    expect(isRunning(first)).toBe(false);
    expect(await ended).toContain('"closeCode":0');

    await server.restart();
    const second = await sidecarOf(server);
    await server.kill();
    await eventually(
      "the sidecar is gone",
      () => isRunning(second),
      (running) => !running,
    );
  });

  test("may do nothing else: its permissions name its address and its socket only", async () => {
    const server = await servers.start({ env: quicOn });
    const commandLine = readFileSync(`/proc/${await sidecarOf(server)}/cmdline`, "utf8").split("\0");
    const socketPath = join(server.dataPath, "runtime/quic/quic.sock");
    expect(commandLine.filter((word) => word.startsWith("--allow"))).toEqual([
      `--allow-net=127.0.0.1:0,unix:${socketPath}`,
      `--allow-read=${socketPath}`,
      `--allow-write=${socketPath}`,
    ]);
    expect(commandLine).toContain("--v8-flags=--expose-gc,--max-semi-space-size=1");
    const environment = readFileSync(`/proc/${await sidecarOf(server)}/environ`, "utf8").split("\0");
    expect(environment.map((entry) => entry.split("=")[0]).filter((name) => name !== "")).toEqual([
      "DENO_DIR",
      "DENO_NO_UPDATE_CHECK",
      "NO_COLOR",
      "MALLOC_ARENA_MAX",
      "MALLOC_TRIM_THRESHOLD_",
    ]);
  });

  test("takes up a changed certificate on SIGHUP without dropping a connection", async () => {
    const server = await servers.start({ env: quicOn });
    const earlier = targetOf(server);
    await client.open("open", earlier);
    await client.login("open");
    const files = ["cert.pem", "key.pem"].map((name) => join(server.dataPath, "certificates", name));
    for (const file of files) await Bun.file(file).delete();
    process.kill(server.pid, "SIGHUP");
    await eventually(
      "log",
      () => server.log,
      (log) => log.includes("certificates are read again"),
    );
    expect(targetOf(server).certPem).not.toBe(earlier.certPem);
    await eventually(
      "a connection that trusts the new certificate only",
      () =>
        client.open("new", targetOf(server)).then(
          () => true,
          () => false,
        ),
      (isOpen) => isOpen,
    );
    await expect(client.open("old", earlier)).rejects.toThrow(/certificate/i);
    expect((await client.request("open", CommandCode.getMe)).status).toBe(0);
  });

  test("cannot take an address that is in use: the server says so and does not start", async () => {
    const server = await servers.start({ env: quicOn });
    const env = { ...quicOn, IGGY_QUIC_ADDRESS: `127.0.0.1:${server.portOf("quic")}` };
    const { exitCode, stdout, stderr } = await servers.run({ env });
    expect(exitCode).toBe(1);
    expect(stdout + stderr).toMatch(/QUIC.*in use/i);
  });

  test("works where the data directory's path is too long for a socket", async () => {
    const directory = join(servers.makeDirectory(), "a-long-name".repeat(10));
    mkdirSync(directory);
    const server = await TestServer.start(directory, { env: quicOn });
    const socketDirectory = /--allow-read=(\S+)\/quic.sock/.exec(
      readFileSync(`/proc/${await sidecarOf(server)}/cmdline`, "utf8").replaceAll("\0", " "),
    )?.[1];
    expect(socketDirectory).toStartWith(tmpdir());
    expect(statSync(socketDirectory ?? "").mode & 0o777).toBe(0o700);
    await client.open("long", targetOf(server));
    expect(await client.exchange("long", ping)).toEqual(success);
    await server.stop();
    expect(existsSync(socketDirectory ?? "")).toBe(false);
  });
});

test("connections without a login make room for newer ones, and who is logged in stays", async () => {
  const server = await servers.start({ env: { ...quicOn, IGGY_CONNECTIONS_MAX_WITHOUT_LOGIN: "2" } });
  await client.open("known", targetOf(server));
  await client.login("known");
  for (const name of ["first", "second", "third"]) {
    await client.open(name, targetOf(server));
    await client.request(name, CommandCode.ping);
  }
  await server.logged("closed a client that is not logged in, to make room for another");
  const isOpen = (name: string) =>
    client.request(name, CommandCode.ping).then(
      ({ status }) => status === 0,
      () => false,
    );
  await eventually(
    "the end of the first",
    () => isOpen("first"),
    (open) => !open,
  );
  expect([await isOpen("second"), await isOpen("third"), await isOpen("known")]).toEqual([true, true, true]);
  await server.stop();
});
