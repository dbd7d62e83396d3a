// The commands of docs/operations.md, as they stand there, on the data of a real server.
import { expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Client } from "../../src/client/index.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { read } from "./markdown.ts";

const servers = useServers();
const pageText = read("docs/operations.md");
const decoder = new TextDecoder();

/** The block of commands that has `part` in it. */
function commandsWith(part: string): string {
  const blocks = [...pageText.matchAll(/^( *)```sh\n([\s\S]*?)^\1```$/gm)].map(([, , commands = ""]) => commands);
  const found = blocks.filter((commands) => commands.includes(part));
  if (found.length !== 1) throw new Error(`${found.length} blocks of commands have ${part}`);
  return found[0]!;
}

const source = resolve(import.meta.dir, "../../src");
/** What `npm run` runs in the place of these. */
const programs = {
  doctor: "doctor/main.ts",
  backup: "backup/main.ts backup",
  restore: "backup/main.ts restore",
} as const;

/** In the directory that has the data directory. */
function shell(server: TestServer, commands: string, env: Readonly<Record<string, string>> = {}): string {
  const data = server.dataPath.slice(server.directory.length + 1);
  let text = commands.replaceAll("local_data", data);
  for (const [name, program] of Object.entries(programs)) {
    text = text.replaceAll(`npm run ${name} --`, `${process.execPath} --no-env-file ${source}/${program}`);
  }
  return execFileSync("sh", ["-e", "-c", text], {
    cwd: server.directory,
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
}

async function send(client: Client, partitionId: number, texts: readonly string[]): Promise<void> {
  await client.sendMessages({
    stream: "orders",
    topic: "created",
    partitioning: { kind: "partition", partitionId },
    messages: texts.map((text) => ({ payload: new TextEncoder().encode(text) })),
  });
}

const consumer = { kind: "consumer", id: { kind: "numeric", value: 7 } } as const;

async function poll(client: Client, partitionId: number): Promise<string[]> {
  const { messages } = await client.pollMessages({
    stream: "orders",
    topic: "created",
    partitionId,
    consumer,
    strategy: { kind: "offset", value: 0n },
    count: 10,
  });
  return messages.map(({ payload }) => decoder.decode(payload));
}

async function makeTopic(client: Client): Promise<void> {
  await client.createStream("orders");
  await client.createTopic("orders", { name: "created", partitionsCount: 3 });
}

test("what is in lost+found is served again, with its offsets, and what was in its place can be deleted", async () => {
  const server = await servers.start();
  const first = await server.connect();
  for (const name of ["a", "b", "c"]) await first.createStream(name);
  await makeTopic(first);
  await send(first, 2, ["one", "two", "three"]);
  await first.storeConsumerOffset({ stream: "orders", topic: "created", partitionId: 2, consumer, offset: 1n });
  first.close();
  await server.stop();
  const state = join(server.dataPath, "state");
  for (const name of readdirSync(state)) if (name.startsWith("metadata")) rmSync(join(state, name));

  await server.restart();
  await server.logged("a directory that the metadata do not name was set aside");
  const second = await server.connect();
  await makeTopic(second);
  await send(second, 2, ["in its place"]);
  second.close();
  await server.stop();
  shell(server, commandsWith("lost="));

  await server.restart();
  const third = await server.connect();
  expect(await poll(third, 2)).toEqual(["one", "two", "three"]);
  const place = { stream: "orders", topic: "created", partitionId: 2, consumer };
  expect((await third.getConsumerOffset(place))?.storedOffset).toBe(1n);
  const lostAndFound = join(server.dataPath, "streams/lost+found");
  expect(readdirSync(lostAndFound).sort()).toEqual(["replaced", "streams-3-1"]);
  const freeing = commandsWith("rm -r");
  for (const name of ["replaced", "streams-3-1"]) {
    expect(shell(server, freeing.replace("NAME", name))).toContain(name);
  }
  expect(readdirSync(lostAndFound)).toEqual([]);
  await send(third, 2, ["four"]);
  expect(await poll(third, 2)).toEqual(["one", "two", "three", "four"]);
  third.close();
  await server.stop();
}, 120_000);

test("a backup has everything, and damaged files are found", async () => {
  const server = await servers.start();
  const first = await server.connect();
  await makeTopic(first);
  await send(first, 1, ["one", "two"]);
  await first.createUser({ username: "anna", password: "annas password" });
  first.close();
  await server.stop();
  const backup = commandsWith("backup.tar").replace(/ && IGGY_SYSTEM_PATH=.*/, "");
  shell(server, backup);
  const restored = join(server.directory, "restored");
  expect(readdirSync(restored).sort()).toEqual(["console", "state", "streams"]);
  expect(shell(server, commandsWith("run doctor"))).toContain("the directory is sound");
  rmSync(server.dataPath, { recursive: true });
  renameSync(restored, server.dataPath);

  await server.restart();
  const second = await server.connect({ username: "anna", password: "annas password" });
  second.close();
  const third = await server.connect();
  expect(await poll(third, 1)).toEqual(["one", "two"]);
  third.close();
  expect(existsSync(join(server.dataPath, "streams/lost+found"))).toBe(false);
  await server.stop();

  const damaged = join(server.dataPath, "state/metadata.log.damaged-1");
  writeFileSync(damaged, "damaged");
  expect(shell(server, commandsWith("-name"))).toContain("state/metadata.log.damaged-1");
  expect(readFileSync(damaged, "utf8")).toBe("damaged");
}, 120_000);

test("a backup of a broker that runs is restored, and served", async () => {
  const server = await servers.start();
  const first = await server.connect();
  await makeTopic(first);
  await send(first, 1, ["one", "two"]);
  await first.storeConsumerOffset({ stream: "orders", topic: "created", partitionId: 1, consumer, offset: 1n });
  const url = `iggy://iggy:iggy@${server.host}:${server.portOf("tcp")}`;
  const made = shell(server, commandsWith("run backup"), { WHIPPET_URL: url });
  expect(made).toBe(`${join(server.directory, "backup-of-today")}\n`);
  await send(first, 1, ["afterwards"]);
  first.close();
  await server.stop();
  shell(server, commandsWith("run restore").replace(/\nIGGY_SYSTEM_PATH=.*/, ""));
  rmSync(server.dataPath, { recursive: true });
  renameSync(join(server.directory, "restored"), server.dataPath);

  await server.restart();
  const second = await server.connect();
  expect(await poll(second, 1)).toEqual(["one", "two"]);
  const place = { stream: "orders", topic: "created", partitionId: 1, consumer };
  expect((await second.getConsumerOffset(place))?.storedOffset).toBe(1n);
  second.close();
  await server.stop();
}, 120_000);
