// Large sends that are announced and do not come, or come slowly, keep nobody waiting.
import { expect, setDefaultTimeout, test } from "bun:test";
import { CommandCode } from "../../src/protocol/codes.ts";
import { codeOf } from "../support/error-code.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";

const servers = useServers();
setDefaultTimeout(120_000);

const mebibyte = 1024 * 1024;

function announce(client: WireClient, payloadBytes: number, sentBytes: number): void {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(payloadBytes + 4, 0);
  header.writeUInt32LE(CommandCode.sendMessages, 4);
  client.write(header, new Uint8Array(sentBytes));
}

function sendTo(topic: string, payloadBytes: number) {
  return {
    ...{ stream: "orders", topic, messages: [{ payload: new Uint8Array(payloadBytes) }] },
    partitioning: { kind: "partition", partitionId: 0 },
  } as const;
}

test("sends that are announced, or nearly whole, and do not go on keep no other large send waiting", async () => {
  const env = { IGGY_SYSTEM_MEMORY_POOL_SIZE: "512 MiB" };
  const server = await servers.start({ env });
  const root = await server.connect();
  await root.createStream("orders");
  await root.createTopic("orders", { name: "eu", partitionsCount: 1 });
  // Together they announce twice the memory that there is.
  const slow: WireClient[] = [];
  for (const sentBytes of [1, 1, 100_000, 20 * mebibyte]) {
    const client = await WireClient.connect(server, "sdk");
    await client.login();
    announce(client, 256 * mebibyte, sentBytes);
    slow.push(client);
  }
  for (let count = 0; count < 3; count++) await root.sendMessages(sendTo("eu", 20 * mebibyte));
  expect((await root.getTopic("orders", "eu"))?.messagesCount).toBe(3n);
  expect(server.log).not.toContain("while memory was short");
  for (const client of slow) {
    expect(client.hasEnded).toBe(false);
    client.close();
  }
  root.close();
});

test("who holds memory and does not go on is closed when others need it, and these get their answers", async () => {
  const env = { IGGY_SYSTEM_MEMORY_POOL_SIZE: "512 MiB" };
  const server = await servers.start({ env });
  const root = await server.connect();
  await root.createStream("orders");
  await root.createTopic("orders", { name: "eu", partitionsCount: 1 });
  const payloadBytes = 255 * mebibyte;
  const slow: WireClient[] = [];
  for (let count = 0; count < 2; count++) {
    const client = await WireClient.connect(server, "sdk");
    await client.login();
    announce(client, payloadBytes, payloadBytes - 1);
    slow.push(client);
  }
  // When all of it has arrived, 2 MiB are left: what came quickly is no credit, so these two have ten seconds.
  await eventually(
    "a client that is closed",
    () => root.sendMessages(sendTo("eu", 20 * mebibyte)).then(() => server.log),
    (log) => log.includes("closed a client that was too slow in the middle of a request while memory was short"),
  );
  expect(slow.some((client) => client.hasEnded)).toBe(true);
  for (const client of slow) client.close();
  root.close();
});

test("a user that may send nothing is refused before its payload takes memory", async () => {
  const server = await servers.start();
  const root = await server.connect();
  await root.createUser({ username: "ann", password: "secret-of-ann" });
  const ann = await WireClient.connect(server, "sdk");
  await ann.login("ann", "secret-of-ann");
  announce(ann, 256 * mebibyte, 1);
  expect((await ann.receive())?.status).toBe(41);
  await ann.ended();
  const small = await server.connect({ username: "ann", password: "secret-of-ann" });
  expect(await codeOf(small.sendMessages(sendTo("eu", 10 * mebibyte)))).toBe(41);
  small.close();
  root.close();
});

test("large sends of one connection wait for those before them, and are all answered", async () => {
  const server = await servers.start({ env: { IGGY_LIMITS_LARGE_SENDS_PER_CONNECTION: "1" } });
  const root = await server.connect();
  await root.createStream("orders");
  await root.createTopic("orders", { name: "eu", partitionsCount: 1 });
  await Promise.all([10, 9, 11, 1, 12].map((size) => root.sendMessages(sendTo("eu", size * mebibyte))));
  expect((await root.getTopic("orders", "eu"))?.messagesCount).toBe(5n);
  root.close();
});
