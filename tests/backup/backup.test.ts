// `whippet backup` of a broker at work, and `whippet restore`.
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Client } from "../../src/client/index.ts";
import { diagnose } from "../doctor/support.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { Load, textOf } from "./load.ts";
import { backUp, restoreTo, urlOf } from "./support.ts";

const servers = useServers();
const room = mkdtempSync(join(tmpdir(), "whippet-backups-"));
afterAll(() => rmSync(room, { recursive: true, force: true }));

const decoder = new TextDecoder();
/** Several batches fill several segments. */
const messagesAtOnce = 20;
const smallSegments = { IGGY_SYSTEM_SEGMENT_SIZE: "4096" };

async function pollAll(client: Client, partitionId: number): Promise<string[]> {
  const texts: string[] = [];
  for (;;) {
    const { messages } = await client.pollMessages({
      stream: "orders",
      topic: "created",
      partitionId,
      consumer: { kind: "consumer", id: { kind: "numeric", value: 1 } },
      strategy: { kind: "offset", value: BigInt(texts.length) },
      count: 500,
    });
    if (messages.length === 0) return texts;
    texts.push(...messages.map(({ payload }) => decoder.decode(payload)));
  }
}

async function makeTopic(server: TestServer, partitionsCount: number, messagesCount: number): Promise<void> {
  const client = await server.connect();
  await client.createStream("orders");
  await client.createTopic("orders", { name: "created", partitionsCount });
  for (let partitionId = 0; partitionId < partitionsCount; partitionId++) {
    const partitioning = { kind: "partition", partitionId } as const;
    for (let first = 0; first < messagesCount; first += messagesAtOnce) {
      const count = Math.min(messagesAtOnce, messagesCount - first);
      const messages = Array.from({ length: count }, (_, index) => ({
        payload: Buffer.from(textOf(partitionId, first + index)),
      }));
      await client.sendMessages({ stream: "orders", topic: "created", partitioning, messages });
    }
  }
  await client.close();
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await Bun.sleep(1);
}

function backupPointsOf(server: TestServer): string[] {
  const path = join(server.dataPath, "streams/.backup");
  return existsSync(path) ? readdirSync(path) : [];
}

test.each([
  ["write", [], 2],
  ["memory", ["--copy"], 1],
  ["sync", [], 1],
] as const)(
  "at level %s every message that was acknowledged before the command is in it",
  async (acknowledge, options, shards) => {
    const server = await servers.start({
      shards,
      env: { ...smallSegments, IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: acknowledge },
    });
    const load = await Load.start(server, 4);
    await until(() => load.rounds > 2 && load.acknowledged().every((count) => count > 60));
    const before = load.acknowledged();
    const to = join(room, `load-${acknowledge}`);
    const made = await backUp(server, to, options);
    await load.stop();
    const after = load.acknowledged();
    expect(made).toMatchObject({ exitCode: 0, printed: `${to}\n` });
    expect(made.said).toContain("Verified: Nothing was found");
    expect(backupPointsOf(server)).toEqual([]);
    await server.stop();

    const restored = join(room, `restored-${acknowledge}`);
    expect((await restoreTo(to, restored)).exitCode).toBe(0);
    expect(await diagnose(restored)).toMatchObject({ exitCode: 0, findings: [] });
    const second = await servers.start({ dataFrom: restored, env: smallSegments });
    const client = await second.connect();
    for (const [partitionId, count] of before.entries()) {
      const texts = await pollAll(client, partitionId);
      expect(texts).toEqual(texts.map((_, index) => textOf(partitionId, index)));
      expect(texts.length).toBeGreaterThanOrEqual(count);
      expect(texts.length).toBeLessThanOrEqual(after[partitionId]!);
    }
    await client.close();
    const { stdout, stderr } = await second.stop();
    expect(stdout + stderr).not.toMatch(/ WARN storage| ERROR |set aside/);
  },
  120_000,
);

test("a broker goes on after a backup, and neither changes the other", async () => {
  const server = await servers.start({ env: smallSegments });
  await makeTopic(server, 1, 100);
  const to = join(room, "independent");
  expect((await backUp(server, to)).said).toContain("by second names");
  const logs = join("streams/0/topics/0/partitions/0");
  const sealed = readdirSync(join(to, logs))
    .filter((name) => name.endsWith(".log"))
    .sort()[0]!;
  expect(statSync(join(to, logs, sealed)).nlink).toBe(2);
  const files = () => readdirSync(join(to, logs)).map((name) => readFileSync(join(to, logs, name), "latin1"));
  const before = files();

  const client = await server.connect();
  await client.sendMessages({ stream: "orders", topic: "created", messages: [{ payload: Buffer.from("more") }] });
  await client.purgeTopic("orders", "created");
  await client.close();
  expect(files()).toEqual(before);
  const restored = join(room, "independent-restored");
  expect((await restoreTo(to, restored)).exitCode).toBe(0);
  expect(statSync(join(restored, logs, sealed)).nlink).toBe(1);
}, 60_000);

test("a command that is killed in the middle leaves nothing that looks whole, and the next one works", async () => {
  const server = await servers.start({ env: smallSegments });
  await makeTopic(server, 40, 60);
  const to = join(room, "killed");
  let isCaught = false;
  for (let attempt = 0; attempt < 20 && !isCaught; attempt++) {
    rmSync(to, { recursive: true, force: true });
    const program = resolve(import.meta.dir, "../../src/backup/main.ts");
    const child = Bun.spawn(
      [process.execPath, program, "backup", "--url", urlOf(server), "--to", to, "--copy", "--no-verify"],
      { cwd: room, stdout: "ignore", stderr: "ignore" },
    );
    await until(() => existsSync(`${to}.unfinished/state`) || existsSync(to));
    child.kill("SIGKILL");
    await child.exited;
    isCaught = existsSync(`${to}.unfinished`);
    expect(existsSync(to)).toBe(!isCaught);
  }
  expect(isCaught).toBe(true);
  expect(readFileSync(join(`${to}.unfinished`, "UNFINISHED"), "utf8")).toContain("cut short");
  expect((await restoreTo(`${to}.unfinished`, join(room, "of-half"))).said).toContain("cut short");
  expect(backupPointsOf(server)).not.toEqual([]);
  expect((await diagnose(server.dataPath, ["--live"])).exitCode).toBe(0);

  expect((await backUp(server, to)).exitCode).toBe(0);
  expect(existsSync(`${to}.unfinished`)).toBe(false);
  expect((await diagnose(to)).exitCode).toBe(0);
  await server.kill();
  await server.restart();
  expect(backupPointsOf(server)).toEqual([]);
}, 120_000);

test("a point is kept, given back, and gone; only who manages servers has one, and the audit log says so", async () => {
  const server = await servers.start();
  await makeTopic(server, 1, 3);
  const root = await server.connect();
  const { names } = await root.features();
  expect(names.has("backup")).toBe(true);
  const point = await root.beginBackup();
  expect(point).toMatchObject({ partitionsCount: 1, closed: [] });
  expect(existsSync(join(point.directory, "state/metadata.snapshot"))).toBe(true);
  await root.keepBackup(point.pointId);
  await root.endBackup(point.pointId);
  expect(existsSync(point.directory)).toBe(false);
  await expect(root.keepBackup(point.pointId)).rejects.toMatchObject({ code: 20 });
  await root.endBackup(point.pointId);
  await server.logged("began a backup");
  await server.logged("ended a backup");

  const points = await Promise.all([1, 2, 3, 4].map(() => root.beginBackup()));
  await expect(root.beginBackup()).rejects.toMatchObject({ code: 9000 });
  await server.logged("a backup was refused");
  expect(await backUp(server, join(room, "refused"))).toMatchObject({
    exitCode: 1,
    said: expect.stringContaining("too many backups are under way"),
  });
  for (const { pointId } of points) await root.endBackup(pointId);

  await root.createUser({ username: "reader", password: "secret", permissions: readServersOnly });
  const reader = await server.connect({ username: "reader", password: "secret" });
  await expect(reader.beginBackup()).rejects.toMatchObject({ code: 41 });
  const to = join(room, "forbidden");
  expect(await backUp(server, to, [], "reader:secret")).toMatchObject({
    exitCode: 1,
    said: expect.stringContaining("needed is manage_servers"),
  });
  expect(existsSync(to) || existsSync(`${to}.unfinished`)).toBe(false);
  await reader.close();
  await root.close();
}, 60_000);

const noRights = {
  manageServers: false,
  readServers: true,
  manageUsers: false,
  readUsers: false,
  manageStreams: false,
  readStreams: false,
  manageTopics: false,
  readTopics: false,
  pollMessages: false,
  sendMessages: false,
};
const readServersOnly = { global: noRights, streams: [] };

test("directories that are not empty, or in use, are refused", async () => {
  const server = await servers.start();
  await makeTopic(server, 1, 3);
  const full = mkdtempSync(join(room, "full-"));
  writeFileSync(join(full, "mine"), "mine");
  expect(await backUp(server, full)).toMatchObject({ exitCode: 1, said: expect.stringContaining("is not empty") });
  expect(await restoreTo(server.dataPath, join(room, "running"))).toMatchObject({
    exitCode: 1,
    said: expect.stringContaining("in use by another process"),
  });
  const to = join(room, "for-full");
  await backUp(server, to);
  expect(await restoreTo(to, full)).toMatchObject({ exitCode: 1, said: expect.stringContaining("is not empty") });
  expect(await restoreTo(full, join(room, "of-nothing"))).toMatchObject({ exitCode: 1 });
  expect(readdirSync(full)).toEqual(["mine"]);
  await server.stop();
  // Of a broker that is stopped, also without a backup.
  expect((await restoreTo(server.dataPath, join(room, "of-stopped"))).exitCode).toBe(0);
}, 60_000);

test("of an encrypted broker nothing is in clear, and without its key nothing is said to be sound", async () => {
  const environment = {
    IGGY_SYSTEM_ENCRYPTION_ENABLED: "true",
    IGGY_SYSTEM_ENCRYPTION_KEY: Buffer.alloc(32, 9).toString("base64"),
  };
  const server = await servers.start({ env: { ...smallSegments, ...environment } });
  await makeTopic(server, 1, 60);
  const to = join(room, "encrypted");
  expect(await backUp(server, to, [], undefined, environment)).toMatchObject({
    exitCode: 0,
    said: expect.stringContaining("Verified: Nothing was found"),
  });
  expect(await backUp(server, `${to}-unseen`)).toMatchObject({
    exitCode: 0,
    said: expect.stringContaining("Not verified"),
  });
  for (const item of readdirSync(to, { recursive: true, withFileTypes: true })) {
    if (!item.isFile()) continue;
    const text = readFileSync(join(item.parentPath, item.name), "latin1");
    expect(text.includes("orders") || text.includes(textOf(0, 0))).toBe(false);
  }
}, 60_000);
