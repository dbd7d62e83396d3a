// Server-side encryption from outside (spec SB 4.9, 3.8; the suites encryption_scenario and state of spec SB 15): what a
// client sees, and what stands on the disk.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../../src/client/index.ts";
import { MessageLayout, messageHeaderBytes } from "../../src/protocol/message-layout.ts";
import { type TestServer, useServers } from "../support/server.ts";
import {
  batchFrom,
  contents,
  dataDigests,
  encryptedWith,
  fill,
  findInFiles,
  keyOf,
  messagesCount,
  names,
  password,
  read,
  rootPassword,
  secondPassword,
  send,
  unencrypted,
} from "./support.ts";

const servers = useServers();
setDefaultTimeout(120_000);
const key = keyOf(1);
const everyName = Object.values(names);
const everyContent = Object.values(contents);
/** GCM: a nonce of 12 bytes and a tag of 16. */
const overheadBytes = 28;

/** Logs lie below the data directory, too. */
const talkative = { IGGY_SYSTEM_LOGGING_LEVEL: "trace", IGGY_DISPLAY_CONFIG: "true" };

async function startFilled(shards: number, env: NonNullable<Parameters<typeof servers.start>[0]>["env"]) {
  const server = await servers.start({ shards, env: { ...env, IGGY_ROOT_PASSWORD: rootPassword } });
  const root = await connect(server);
  const token = await fill(root, (username) => server.connect({ username, password: secondPassword }));
  await root.close();
  return { server, token };
}

function connect(server: TestServer): Promise<Client> {
  return server.connect({ password: rootPassword });
}

async function userNames(client: Client): Promise<string[]> {
  return (await client.getUsers()).map(({ username }) => username);
}

/** Everything of `fill` is there, and works. */
async function expectFilled(server: TestServer, token: string): Promise<void> {
  const root = await connect(server);
  for (const partitionId of [0, 1]) expect(await read(root, partitionId)).toEqual(batchFrom(0));
  expect(await userNames(root)).toEqual(["iggy", names.username]);
  expect(await root.getConsumerGroup(names.stream, names.topic, names.group)).toMatchObject({ name: names.group });
  await root.close();
  const user = await server.connect({ username: names.username, password: secondPassword });
  expect(await user.loginWithToken(token)).toBe(1);
  await user.close();
}

describe("with a key", () => {
  test.each([
    1, 2,
  ])("clients see clear text, the disk none of it, before and after a restart (%d shards)", async (shards) => {
    const { server, token } = await startFilled(shards, { ...encryptedWith(key), ...talkative });
    const secrets = [...everyName, ...everyContent, password, secondPassword, rootPassword, token];
    await expectFilled(server, token);
    expect(findInFiles(server.dataPath, secrets)).toEqual([]);
    await server.restart();
    await expectFilled(server, token);
    const root = await connect(server);
    await send(root, 1);
    expect(await read(root, 1)).toEqual([...batchFrom(0), ...batchFrom(messagesCount)]);
    await root.close();
    await server.stop();
    expect(findInFiles(server.dataPath, secrets)).toEqual([]);
  });

  test("on the disk payload and headers are 28 bytes longer each, and no two ciphertexts are the same", async () => {
    const { server } = await startFilled(1, encryptedWith(key));
    const path = join(server.dataPath, "streams/0/topics/0/partitions/0/00000000000000000000.log");
    const bytes = readFileSync(path);
    const clearHeadersBytes = 2 * 5 + contents.headerKey.length + contents.headerValue.length;
    const parts = new Set<string>();
    let position = 0;
    for (let index = 0; index < messagesCount; index++) {
      const payloadBytes = bytes.readUInt32LE(position + MessageLayout.payloadLength);
      const userHeadersBytes = bytes.readUInt32LE(position + MessageLayout.userHeadersLength);
      expect(payloadBytes).toBe(`${contents.payload}-${index}`.length + overheadBytes);
      expect(userHeadersBytes).toBe(index % 2 === 0 ? clearHeadersBytes + overheadBytes : 0);
      expect(Number(bytes.readBigUInt64LE(position + MessageLayout.offset))).toBe(index); // the header is clear
      const payloadPosition = position + messageHeaderBytes;
      position = payloadPosition + payloadBytes + userHeadersBytes;
      if (userHeadersBytes > 0) parts.add(bytes.toString("hex", payloadPosition + payloadBytes, position));
    }
    expect(position).toBe(bytes.byteLength);
    expect(parts.size).toBe(messagesCount / 2);
    const root = await connect(server);
    expect(Number((await root.getTopic(names.stream, names.topic))!.sizeBytes)).toBe(2 * bytes.byteLength);
    await root.close();
    await server.stop();
  });

  test.each(["memory", "write", "sync"])("payloads of any size come back (acknowledge = %s)", async (acknowledge) => {
    const server = await servers.start({
      env: { ...encryptedWith(key), IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: acknowledge, IGGY_SYSTEM_SEGMENT_SIZE: "1 MiB" },
    });
    const client = await server.connect();
    await client.createStream("sizes");
    await client.createTopic("sizes", { name: "t", partitionsCount: 1 });
    const target = { stream: "sizes", topic: "t", partitionId: 0 };
    const payloads = [0, 1, 15, 16, 17, 4096, 100_000, 1_200_000, 3].map((sizeBytes) =>
      Buffer.alloc(sizeBytes, sizeBytes),
    );
    const partitioning = { kind: "partition", partitionId: 0 } as const;
    for (const payload of payloads) await client.sendMessages({ ...target, partitioning, messages: [{ payload }] });
    await client.sendMessages({ ...target, partitioning, messages: payloads.map((payload) => ({ payload })) });
    const consumer = { kind: "consumer", id: { kind: "numeric", value: 1 } } as const;
    const seen: Uint8Array[] = [];
    // In portions that end inside batches and segments.
    for (let count = 1; seen.length < 2 * payloads.length; count++) {
      const strategy = { kind: "next", value: 0n } as const;
      const polled = await client.pollMessages({ ...target, consumer, strategy, count, autoCommit: true });
      expect(polled.messages.map(({ offset }) => Number(offset))[0]).toBe(seen.length);
      seen.push(...polled.messages.map(({ payload }) => payload));
    }
    expect(seen.map((bytes) => Bun.hash(bytes))).toEqual([...payloads, ...payloads].map((bytes) => Bun.hash(bytes)));
    await client.close();
    await server.stop();
  });

  test("another key, or none, stops the start with 1, says which file and which setting, and changes nothing", async () => {
    const { server, token } = await startFilled(2, encryptedWith(key));
    await server.stop();
    const before = dataDigests(server.dataPath);
    expect(Object.keys(before).length).toBeGreaterThan(4);
    const refusals = [
      [encryptedWith(keyOf(2)), /state\/\S+ cannot be decrypted: system\.encryption\.key is not the key/],
      [unencrypted, /state\/\S+ is encrypted: set system\.encryption\.enabled, and system\.encryption\.key/],
    ] as const;
    for (const [env, message] of refusals) {
      const ended = await servers.run({ shards: 2, env }, server.directory);
      expect(ended.exitCode).toBe(1);
      expect(ended.stdout).toMatch(message);
      expect(ended.stdout + ended.stderr).not.toMatch(/\n +at /); // no stack: it is no fault of ours
      expect(dataDigests(server.dataPath)).toEqual(before);
    }
    await server.restart();
    await expectFilled(server, token);
    await server.stop();
  });

  test("a key of the wrong size or form stops the start before anything is made", async () => {
    const directory = servers.makeDirectory();
    for (const bad of [Buffer.alloc(31).toString("base64"), "not base64!", ""]) {
      const ended = await servers.run({ env: encryptedWith(bad) }, directory);
      expect(ended.exitCode).toBe(1);
      expect(ended.stderr).toContain("system.encryption.key");
    }
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe("switched on later", () => {
  test("names are readable and new messages too; messages from before are left out", async () => {
    const { server, token } = await startFilled(2, unencrypted);
    await server.restart({ env: encryptedWith(key) });
    const root = await connect(server);
    expect((await root.getStreams()).map(({ name }) => name)).toEqual([names.stream]);
    expect(await userNames(root)).toEqual(["iggy", names.username]);
    expect(await read(root, 0)).toEqual([]);
    await server.logged("messages left out, they cannot be decrypted");
    await send(root, 0);
    expect(await read(root, 0)).toEqual(batchFrom(messagesCount));
    await root.createStream("zebra-later");
    await root.close();
    const user = await server.connect({ username: names.username, password: secondPassword });
    expect(await user.loginWithToken(token)).toBe(1);
    await user.close();
    await server.restart();
    const again = await connect(server);
    expect((await again.getStreams()).map(({ name }) => name)).toEqual([names.stream, "zebra-later"]);
    expect(await read(again, 0)).toEqual(batchFrom(messagesCount));
    await again.close();
    await server.stop();
    // The metadata were written anew, with the key.
    expect(findInFiles(join(server.dataPath, "state"), [...everyName, "zebra-later"])).toEqual([]);
  });
});

describe("without a key", () => {
  test("passwords and tokens stand nowhere, and users log in after a restart (spec SB 15)", async () => {
    const { server, token } = await startFilled(2, { ...unencrypted, ...talkative });
    const credentials = [password, secondPassword, rootPassword, token];
    await expectFilled(server, token);
    await server.restart();
    await expectFilled(server, token);
    await server.stop();
    expect(findInFiles(server.dataPath, credentials)).toEqual([]);
    // The search finds what is there.
    expect(findInFiles(server.dataPath, [contents.payload, names.username])).not.toEqual([]);
  });
});
