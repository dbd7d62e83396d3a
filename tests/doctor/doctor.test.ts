// `whippet doctor` on a data directory that a real server wrote: it finds each damage, and nothing on a sound one.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { makeSmallDirectory, smallSettings } from "../power/small-directory.ts";
import { TestServer } from "../support/server.ts";
import { corruptions } from "./corruptions.ts";
import { copyDirectory, diagnose, flipBit, putFiles } from "./support.ts";

const room = mkdtempSync(join(tmpdir(), "whippet-doctor-"));
/** As a server left it that was killed. */
const killed = join(room, "killed");
let copies = 0;

afterAll(() => rmSync(room, { recursive: true, force: true }));

function copy(): string {
  const path = join(room, `copy-${copies++}`);
  copyDirectory(killed, path);
  return path;
}

/** Every file with its bytes, without the lock. */
function contentOf(directory: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const item of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!item.isFile() || item.name === "whippet.lock") continue;
    const path = join(item.parentPath, item.name);
    files.set(relative(directory, path), readFileSync(path, "latin1"));
  }
  return files;
}

async function sendBatches(server: TestServer, count: number): Promise<void> {
  const client = await server.connect();
  for (let batch = 0; batch < count; batch++) {
    await client.sendMessages({
      stream: "stream",
      topic: "topic",
      partitioning: { kind: "partition", partitionId: 0 },
      messages: Array.from({ length: 12 }, (_, index) => ({
        payload: Buffer.from(`${batch} ${index} ${"x".repeat(100)}`),
      })),
    });
  }
  client.close();
}

beforeAll(async () => {
  const { files } = await makeSmallDirectory(mkdtempSync(join(room, "small-")));
  const small = join(room, "small");
  putFiles(small, files);
  // Several segments: one in the middle can be lost.
  const server = await TestServer.start(mkdtempSync(join(room, "server-")), { env: smallSettings, dataFrom: small });
  try {
    await sendBatches(server, 5);
    const client = await server.connect();
    for (const name of ["third", "fourth"]) await client.createStream(name);
    client.close();
    await server.kill();
    copyDirectory(server.dataPath, killed);
    rmSync(join(killed, "runtime"), { recursive: true }); // names the ports of the server that is gone
  } finally {
    if (!server.hasEnded) await server.kill();
  }
}, 120_000);

test("a directory that a killed server left is sound, and nothing of it is changed", async () => {
  const directory = copy();
  const before = contentOf(directory);
  const { exitCode, findings, said } = await diagnose(directory);
  expect(findings.filter(({ severity }) => severity !== "start")).toEqual([]);
  expect(exitCode).toBe(0);
  expect(said).toContain("4 streams, 2 topics, 3 partitions");
  expect(contentOf(directory)).toEqual(before);
});

test("there are at least 25 kinds of damage", () => {
  expect(corruptions.length).toBeGreaterThanOrEqual(25);
});

for (const { name, make, kind, file, severity = "damage", lostMessages } of corruptions) {
  test(`found: ${name}`, async () => {
    const directory = copy();
    const { findings: before } = await diagnose(directory);
    make(directory);
    const damaged = contentOf(directory);
    const { exitCode, findings } = await diagnose(directory);
    const known = new Set(before.map((finding) => JSON.stringify(finding)));
    const made = findings.filter((finding) => !known.has(JSON.stringify(finding)));
    const found = made.filter((finding) => finding.kind === kind && file.test(finding.file));
    expect({ made, found: found.map((finding) => finding.severity) }).toEqual({
      made,
      found: expect.arrayContaining([severity]),
    });
    expect(exitCode).toBe(made.some((finding) => finding.severity === "damage") ? 6 : 0);
    if (lostMessages !== undefined) {
      expect(made.reduce((sum, finding) => sum + finding.lost_messages, 0)).toBe(lostMessages);
    }
    expect(contentOf(directory)).toEqual(damaged);
    rmSync(directory, { recursive: true });
  });
}

test("--repair does what a start does, keeps what it overwrites, and a second look finds less", async () => {
  const directory = copy();
  const partition = join(directory, "streams/0/topics/0/partitions/0");
  const index = join(partition, "00000000000000000000.index");
  flipBit(index, 36);
  const wrongIndex = readFileSync(index);
  const active = readdirSync(partition)
    .filter((name) => name.endsWith(".log"))
    .sort()
    .at(-1)!;
  writeFileSync(join(partition, active), "torn", { flag: "a" });
  flipBit(join(directory, "state/metadata.log"), 40);
  flipBit(join(partition, "offsets/consumers/7"), 5);
  const storedOffset = readFileSync(join(partition, "offsets/consumers/7"));

  expect((await diagnose(directory, ["--repair"])).exitCode).toBe(0);
  expect(readFileSync(`${index}.damaged-1`)).toEqual(wrongIndex);
  expect(readFileSync(join(partition, `${active}.damaged-1`), "latin1")).toBe("torn");
  expect(readFileSync(join(partition, "offsets/consumers/7.damaged-1"))).toEqual(storedOffset);
  const { findings } = await diagnose(directory);
  expect(findings.filter(({ severity }) => severity !== "notice")).toEqual([]);

  // A broker starts on it and has nothing to say.
  const server = await TestServer.start(mkdtempSync(join(room, "repaired-")), {
    env: smallSettings,
    dataFrom: directory,
  });
  await sendBatches(server, 1);
  const ended = await server.stop();
  expect(ended.stderr + ended.stdout).not.toMatch(/ WARN | ERROR /);
}, 60_000);

test.each([
  "memory",
  "write",
  "sync",
] as const)("after kill -9 under load at level %s there is no damage", async (acknowledge) => {
  const server = await TestServer.start(mkdtempSync(join(room, "load-")), {
    env: { ...smallSettings, IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: acknowledge },
    dataFrom: killed,
  });
  const sending = sendBatches(server, 100_000).catch((error: unknown) => error);
  const path = join(server.dataPath, "streams/0/topics/0/partitions/0");
  while (readdirSync(path).filter((name) => name.endsWith(".log")).length < 30) await Bun.sleep(5);
  await server.kill();
  expect(await sending).toBeInstanceOf(Error);
  const { exitCode, findings } = await diagnose(server.dataPath);
  expect(findings.filter(({ severity }) => severity !== "start")).toEqual([]);
  expect(exitCode).toBe(0);
}, 60_000);

test("a directory that a broker uses is refused, and --live looks beside it", async () => {
  const server = await TestServer.start(mkdtempSync(join(room, "live-")), { env: smallSettings, dataFrom: killed });
  const refused = await diagnose(server.dataPath);
  expect(refused.exitCode).toBe(1);
  expect(refused.said).toContain("in use by another process");
  const sending = sendBatches(server, 30);
  const live = await diagnose(server.dataPath, ["--live"]);
  await sending;
  expect(live.findings).toEqual([]);
  expect(live.exitCode).toBe(0);
  expect(live.said).toContain("may still move");
  await server.stop();
}, 60_000);

test("an encrypted directory is looked at with its key, and with no other", async () => {
  const environment = {
    IGGY_SYSTEM_ENCRYPTION_ENABLED: "true",
    IGGY_SYSTEM_ENCRYPTION_KEY: Buffer.alloc(32, 5).toString("base64"),
  };
  const server = await TestServer.start(mkdtempSync(join(room, "encrypted-")), {
    env: { ...smallSettings, ...environment },
  });
  const client = await server.connect();
  await client.createStream("stream");
  await client.createTopic("stream", { name: "topic", partitionsCount: 1 });
  client.close();
  await sendBatches(server, 3);
  await server.stop();
  const sound = await diagnose(server.dataPath, [], environment);
  expect(sound).toMatchObject({ exitCode: 0, findings: [] });
  flipBit(join(server.dataPath, "streams/0/topics/0/partitions/0/00000000000000000000.log"), 80);
  expect((await diagnose(server.dataPath, [], environment)).findings).toMatchObject([
    { kind: "messages", lost_messages: 1 },
  ]);
  const clear = await diagnose(copy(), [], environment);
  expect(clear.exitCode).toBe(6);
  expect(new Set(clear.findings.map(({ kind }) => kind))).toContain("key");
  const keyless = await diagnose(server.dataPath);
  expect(keyless.exitCode).toBe(1);
  expect(keyless.said).toContain("is encrypted");
}, 60_000);

test("what is no data directory, and a wrong command line, are refused", async () => {
  expect(await diagnose(join(room, "nothing"))).toMatchObject({ exitCode: 1 });
  expect(await diagnose(killed, ["--fast"])).toMatchObject({ exitCode: 2 });
  expect(await diagnose(killed, ["--live", "--repair"])).toMatchObject({ exitCode: 2 });
});
