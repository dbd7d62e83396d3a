// A disk without room, and a standard output that goes away: neither ends the server nor keeps it from starting.
import { afterAll, describe, expect, test } from "bun:test";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../../src/client/index.ts";
import { codeOf } from "../support/error-code.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";

const mounts: string[] = [];
// Before the harness removes the directories. Lazily: a server that a failed test left there ends a little later.
afterAll(() => {
  for (const directory of mounts) run("umount", "-l", directory);
});
const servers = useServers();

function run(...command: string[]): boolean {
  return Bun.spawnSync(command, { stdout: "ignore", stderr: "ignore" }).success;
}

/** A file system of its own, as large as said; undefined where this process may not mount. */
function mountSmall(sizeBytes: number): string | undefined {
  const directory = join(servers.makeDirectory(), "small");
  mkdirSync(directory);
  if (!run("mount", "-t", "tmpfs", "-o", `size=${sizeBytes}`, "tmpfs", directory)) return undefined;
  mounts.push(directory);
  return directory;
}

const canMount = mountSmall(64 * 1024) !== undefined;

/** Leaves not a byte. */
function fill(path: string): void {
  for (const chunk of [Buffer.alloc(64 * 1024), Buffer.alloc(1)]) {
    try {
      for (;;) appendFileSync(path, chunk);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
    }
  }
}

const consumer = { kind: "consumer", id: { kind: "numeric", value: 1 } } as const;
const place = { stream: "orders", topic: "eu", partitionId: 0 };

function send(client: Client, count: number): Promise<void> {
  const messages = Array.from({ length: count }, () => ({ payload: new Uint8Array(100) }));
  return client.sendMessages({ ...place, partitioning: { kind: "partition", partitionId: 0 }, messages });
}

async function countOf(client: Client): Promise<number> {
  const strategy = { kind: "first", value: 0n } as const;
  return (await client.pollMessages({ ...place, consumer, strategy, count: 1000 })).messages.length;
}

describe.skipIf(!canMount)("a full disk", () => {
  test("under the data keeps nobody from starting, reading and deleting; with room again writing goes on", async () => {
    const path = mountSmall(24 * 1024 * 1024)!;
    const server = await servers.start({ shards: 2, env: { IGGY_SYSTEM_PATH: path } });
    const before = await server.connect();
    await before.createStream("orders");
    await before.createTopic("orders", { name: "eu", partitionsCount: 4 });
    await before.createTopic("orders", { name: "us", partitionsCount: 4 });
    await send(before, 10);
    await before.storeConsumerOffset({ ...place, consumer, offset: 4n });
    await before.close();
    fill(join(path, "filler"));
    await server.kill();
    fill(join(path, "filler"));

    await server.restart({ env: { IGGY_SYSTEM_PATH: path } });
    await server.logged("the file of the current configuration, which is for tools only, cannot be written");
    const after = await server.connect();
    expect(await countOf(after)).toBe(10);
    expect((await after.getConsumerOffset({ ...place, consumer }))?.storedOffset).toBe(4n);
    rmSync(join(path, "filler"));
    await after.deleteTopic("orders", "us");
    await send(after, 5);
    expect(await countOf(after)).toBe(15);
    await after.close();
    await server.stop();
    expect(existsSync(join(path, "streams"))).toBe(true);
  }, 120_000);

  test("under standard output loses lines until there is room", async () => {
    const path = mountSmall(64 * 1024)!;
    const output = join(path, "output");
    fill(join(path, "filler"));
    const launcher = ["sh", "-c", `exec "$@" > ${output}`, "sh"];
    const server = await servers.start({ launcher, env: frequentLines });
    await codeOf(server.connect({ password: "wrong" }));
    expect(readFileSync(output, "utf8")).toBe("");
    rmSync(join(path, "filler"));
    await eventually(
      "lines again",
      () => readFileSync(output, "utf8"),
      (text) => text.includes("sysinfo"),
    );
    const client = await server.connect();
    await client.ping();
    await client.close();
    await server.stop();
    expect(readFileSync(output, "utf8")).toContain("stopped; everything is flushed and synced");
  }, 120_000);
});

/** Lines come without anybody asking. */
const frequentLines = {
  IGGY_SYSTEM_LOGGING_SYSINFO_PRINT_INTERVAL: "100 ms",
  IGGY_SYSTEM_LOGGING_LEVEL: "info,shard-0::sysinfo=debug",
};

test.each([1, 2])("a reader of standard output that goes away ends nothing (%d shards)", async (shards) => {
  const launcher = ["bash", "-c", 'exec "$@" > >(head -n 1 > /dev/null)', "bash"];
  const server = await servers.start({ shards, launcher, env: frequentLines });
  const logPath = join(server.dataPath, "logs/iggy-server.log");
  await eventually(
    "a line that says so",
    () => readFileSync(logPath, "utf8"),
    (text) => text.includes("standard output cannot be written; its lines are lost until it can"),
  );
  const client = await server.connect();
  await client.ping();
  await client.close();
  await server.stop();
  expect(readFileSync(logPath, "utf8")).toContain("stopped; everything is flushed and synced");
}, 120_000);
