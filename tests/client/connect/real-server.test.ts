// The client against the real server: by each transport and in each runtime, through a restart and a kill.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join, resolve } from "node:path";
import {
  aes256Gcm,
  type Client,
  type Connection,
  connect,
  json,
  type Transport,
  text,
} from "../../../src/client/index.bun.ts";
import { EncodedHeaders } from "../../../src/client/topic/headers.ts";
import { bunTcpTransport } from "../../../src/client/transports/tcp-bun.ts";
import { createCipher } from "../../../src/security/encryption.ts";
import { type TestServer, useServers } from "../../support/server.ts";
import { until } from "../scripted-server.ts";

const servers = useServers();
setDefaultTimeout(120_000);
const utf8 = new TextDecoder();
const key = Buffer.alloc(32, 7).toString("base64");

const urlOf = (server: TestServer) => `iggy://iggy:iggy@127.0.0.1:${server.port}`;

/** Payloads of a partition from the start. */
async function storedIn(client: Client, partitionId: number, topic = "orders") {
  const found = [];
  for (let next = 0n; ; ) {
    const { messages } = await client.pollMessages({
      consumer: { kind: "consumer", id: { kind: "numeric", value: 1 } },
      stream: "shop",
      topic,
      partitionId,
      strategy: { kind: "offset", value: next },
      count: 1000,
    });
    if (messages.length === 0) return found;
    found.push(...messages);
    next = messages.at(-1)!.offset + 1n;
  }
}

describe.each(["tcp", "websocket"] as const)("over %s", (transport) => {
  test("ensure, send, a producer, headers and encryption", async () => {
    const server = await servers.start();
    const scheme = transport === "tcp" ? "iggy" : "iggy+ws";
    await using client = await connect(`${scheme}://iggy:iggy@127.0.0.1:${server.portOf(transport)}`);
    expect(client.server).toMatchObject({ transport, username: "iggy" });
    const topic = client.topic("shop", "orders", json<{ n: number }>());
    expect((await topic.ensure({ partitionsCount: 3 })).partitionsCount).toBe(3);
    expect((await topic.ensure({ partitionsCount: 9 })).partitionsCount).toBe(3);

    const sent = await topic.send({ value: { n: -1 }, key: "user-42", headers: { attempt: 2, kind: "x" } });
    expect(sent).toMatchObject({ partitionId: Bun.hash.xxHash32("user-42") % 3, firstOffset: 0 });
    const producer = topic.producer({ keyHeader: "key" });
    const count = 25_000;
    function* values() {
      for (let n = 0; n < count; n++) yield { value: { n }, key: `user-${n % 50}` };
    }
    expect(await producer.sendAll(values())).toBe(count);
    const stored = await Promise.all([0, 1, 2].map((partitionId) => storedIn(client, partitionId)));
    expect(stored.flat()).toHaveLength(count + 1);
    for (const [partitionId, messages] of stored.entries()) {
      const numbers = messages.map(({ payload }): { n: number } => JSON.parse(utf8.decode(payload))).map(({ n }) => n);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      // The server has put the message of `Topic.send` where the client puts its key.
      for (const n of numbers) expect(Bun.hash.xxHash32(`user-${n < 0 ? 42 : n % 50}`) % 3).toBe(partitionId);
    }
    const first = stored[Bun.hash.xxHash32("user-42") % 3]!;
    expect([...new EncodedHeaders(first[0]!.userHeaders)]).toEqual([
      ["attempt", 2],
      ["kind", "x"],
    ]);
    expect(
      new EncodedHeaders(first.find(({ payload }) => utf8.decode(payload) === '{"n":42}')!.userHeaders).get("key"),
    ).toBe("user-42");

    const records = client.topic("shop", "records", text, { encryption: await aes256Gcm(key) });
    await records.ensure({ partitionsCount: 1 });
    await records.producer().send({ value: "secret", headers: { h: true } });
    const [record] = await storedIn(client, 0, "records");
    const cipher = createCipher(key);
    expect(utf8.decode(cipher.decrypt(record!.payload))).toBe("secret");
    expect(new EncodedHeaders(cipher.decrypt(record!.userHeaders)!).get("h")).toBe(true);
    await client.close();
    await server.stop();
  });
});

test("a server that is killed and starts again: nothing that was acknowledged is missing, all in order", async () => {
  const server = await servers.start({ env: { IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: "write" } });
  await using client = await connect(urlOf(server), { requestTimeoutMs: 60_000 });
  const topic = client.topic("shop", "orders", text);
  await topic.ensure({ partitionsCount: 2 });
  const { port } = server;
  const env = { IGGY_TCP_ADDRESS: `127.0.0.1:${port}` };
  const producer = topic.producer({ batchMessagesMax: 10 });
  const acknowledged: number[] = [];
  let sent = 0;
  let isEnough = false;
  const sending = (async () => {
    while (!isEnough) {
      const value = sent++;
      const done = producer.send({ value: String(value), partitionId: value % 2 }).then(() => acknowledged.push(value));
      await (value % 50 === 0 ? done : producer.ready);
    }
  })();
  for (let round = 0; round < 3; round++) {
    const target = acknowledged.length + 500;
    await until(() => acknowledged.length >= target);
    await server.kill();
    await server.restart({ env });
  }
  const target = acknowledged.length + 500;
  await until(() => acknowledged.length >= target);
  isEnough = true;
  await sending;
  await producer.flush();
  expect(acknowledged).toHaveLength(sent);
  for (const partitionId of [0, 1]) {
    const stored = (await storedIn(client, partitionId)).map(({ payload }) => Number(utf8.decode(payload)));
    const expected = Array.from({ length: sent }, (_, value) => value).filter((value) => value % 2 === partitionId);
    expect([...new Set(stored)]).toEqual(expected);
  }
  expect(producer.stats.repeatedBatches).toBeGreaterThan(0);
});

test("connections that are cut, with deduplication: what was sent twice is stored once", async () => {
  const server = await servers.start({ env: { IGGY_SYSTEM_MESSAGE_DEDUPLICATION_ENABLED: "true" } });
  const opened: Connection[] = [];
  const cuttable: Transport = {
    name: "cuttable",
    schemes: ["iggy"],
    async open(address) {
      const connection = await bunTcpTransport.open(address);
      opened.push(connection);
      return connection;
    },
  };
  await using client = await connect(urlOf(server), { transports: [cuttable], reconnect: { minMs: 1, maxMs: 5 } });
  expect(client.server.features.has("deduplication")).toBe(true);
  const topic = client.topic("shop", "orders", text);
  await topic.ensure({ partitionsCount: 1 });
  const producer = topic.producer({ batchMessagesMax: 3 });
  const count = 5_000;
  const sending = producer.sendAll(Array.from({ length: count }, (_, n) => ({ value: String(n) })));
  for (let cut = 1; cut <= 5; cut++) {
    await until(() => producer.stats.sentMessages >= cut * 500 && opened.length === cut + 1);
    opened[cut]!.close();
  }
  expect(await sending).toBe(count);
  expect(producer.stats.repeatedBatches).toBeGreaterThan(0);
  const stored = (await storedIn(client, 0)).map(({ payload }) => Number(utf8.decode(payload)));
  expect(stored).toEqual(Array.from({ length: count }, (_, n) => n));
  await client.close();
  await server.stop();
});

const program = `
const [door, url] = process.argv.slice(2);
const { connect, text } = await import(door);
const client = await connect(url);
const topic = client.topic("shop", "orders", text);
await topic.ensure({ partitionsCount: 2 });
const producer = topic.producer();
const large = "x".repeat(3_000_000);
await producer.send({ value: large, partitionId: 0 });
const count = await producer.sendAll(Array.from({ length: 5000 }, (_, n) => ({ value: String(n), partitionId: 1 })));
await client.close();
console.log(typeof Bun, client.server.transport, count, client.state);
`;

test("in Node, through its own door", async () => {
  const server = await servers.start();
  const directory = servers.makeDirectory();
  const door = resolve(import.meta.dir, "../../../src/client/index.node.ts");
  const built = await Bun.build({ entrypoints: [door], target: "node", outdir: directory });
  expect(built.success).toBe(true);
  const programPath = join(directory, "program.mjs");
  await Bun.write(programPath, program);
  const child = Bun.spawn(["node", programPath, join(directory, "index.node.js"), urlOf(server)], {
    stdout: "pipe",
    stderr: "pipe",
    timeout: 60_000,
  });
  const output = (await new Response(child.stdout).text()) + (await new Response(child.stderr).text());
  expect(output.trim()).toBe("undefined tcp 5000 closed");
  await using client = await connect(urlOf(server));
  expect((await storedIn(client, 0)).map(({ payload }) => payload.length)).toEqual([3_000_000]);
  expect(await storedIn(client, 1)).toHaveLength(5000);
});
