// A client that ends its sending side and waits for the answers: what has arrived is carried out and answered, then the
// connection ends. Forwarders (socat, ssh, TCP proxies) pass half-closes on, so this happens behind ordinary clients, too.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { encodeSendMessages } from "../../src/protocol/message/send-messages.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { eventually } from "../support/process-facts.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { WireClient, type WireOptions } from "../support/wire-client.ts";

const servers = useServers();
const login = encode(commandCodecs.loginUser.request, {
  username: "iggy",
  password: "iggy",
  version: undefined,
  context: undefined,
});
const createStream = (name: string) => encode(commandCodecs.createStream.request, { name });
const send = (partitionId: number) =>
  encodeSendMessages({
    stream: nameId("orders"),
    topic: nameId("eu"),
    partitioning: { kind: "partition", partitionId },
    messages: [{ payload: new Uint8Array(100) }],
  });
const poll = (partitionId: number, count: number) =>
  encode(commandCodecs.pollMessages.request, {
    consumer: { kind: "consumer", id: { kind: "numeric", value: 1 } },
    stream: nameId("orders"),
    topic: nameId("eu"),
    partitionId,
    strategy: { kind: "offset", value: 0n },
    count,
    autoCommit: false,
  });

/** Sends the frames in one write, ends the sending side, and takes every reply until the server ends the connection. */
async function exchange(
  server: TestServer,
  frames: readonly (readonly [number, Uint8Array?])[],
  options: WireOptions & { readonly tail?: Uint8Array } = {},
): Promise<number[]> {
  const client = await WireClient.connect({ host: server.host, port: server.port }, "sdk", options);
  client.write(...frames.map(([code, payload]) => client.frame(code, payload)), options.tail ?? new Uint8Array(0));
  client.endSending();
  const statuses: number[] = [];
  for (;;) {
    const reply = await client.receive();
    if (reply === undefined) return statuses;
    statuses.push(reply.status);
  }
}

async function startWithTopic(env: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  const server = await servers.start({ shards: 2, env });
  const admin = await server.connect();
  await admin.createStream("orders");
  await admin.createTopic("orders", { name: "eu", partitionsCount: 2 });
  await admin.close();
  return server;
}

test("on a fresh broker: the login, whose password takes time, and what comes behind it", async () => {
  const server = await servers.start({ shards: 2 });
  expect(
    await exchange(server, [
      [CommandCode.loginUser, login],
      [CommandCode.createStream, createStream("late")],
    ]),
  ).toEqual([0, 0]);
  const admin = await server.connect();
  expect((await admin.getStreams()).map(({ name }) => name)).toEqual(["late"]);
  await admin.close();
});

test.each([
  "write",
  "sync",
])("level %s: sends to both shards that wait behind a login are stored and answered", async (acknowledge) => {
  const server = await startWithTopic({ IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: acknowledge });
  const admin = await server.connect();
  const sends = Array.from({ length: 50 }, (_, index) => [CommandCode.sendMessages, send(index % 2)] as const);
  expect(await exchange(server, [[CommandCode.loginUser, login], ...sends])).toEqual(new Array(51).fill(0));
  const topic = await admin.getTopic("orders", "eu");
  expect(topic?.messagesCount).toBe(50n);
  await admin.close();
});

test("a reply of many megabytes arrives whole", async () => {
  const server = await startWithTopic();
  const admin = await server.connect();
  const messages = Array.from({ length: 16 }, () => ({ payload: new Uint8Array(1_000_000) }));
  for (const partitionId of [0, 1]) {
    await admin.sendMessages({
      stream: "orders",
      topic: "eu",
      partitioning: { kind: "partition", partitionId },
      messages,
    });
    expect(
      await exchange(server, [
        [CommandCode.loginUser, login],
        [CommandCode.pollMessages, poll(partitionId, 16)],
      ]),
    ).toEqual([0, 0]);
  }
  await admin.close();
});

test("a request that never gets whole ends the connection behind the replies before it, and leaves no client", async () => {
  const server = await startWithTopic();
  const admin = await server.connect();
  const half = Buffer.from([200, 0, 0, 0, 1]);
  expect(await exchange(server, [[CommandCode.loginUser, login], [CommandCode.ping]], { tail: half })).toEqual([0, 0]);
  expect(await exchange(server, [], { tail: half })).toEqual([]);
  await eventually(
    "one client is left",
    () => admin.getClients(),
    (clients) => clients.length === 1,
  );
  await admin.close();
});

test("over TLS", async () => {
  const server = await servers.start({ env: { IGGY_TCP_TLS_ENABLED: "true" } });
  const ca = readFileSync(join(server.dataPath, "certificates/cert.pem"), "utf8");
  const frames = [
    [CommandCode.loginUser, login],
    [CommandCode.createStream, createStream("late")],
  ] as const;
  expect(await exchange(server, frames, { ca })).toEqual([0, 0]);
});
