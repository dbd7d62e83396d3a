import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, inflateRawSync, zstdDecompressSync } from "node:zlib";
import { runProgram } from "../../src/observability/external-program.ts";
import { createLogger } from "../../src/observability/log.ts";
import { readLogTail } from "../../src/observability/log-tail.ts";
import { makeSnapshot, type SnapshotRequest } from "../../src/observability/snapshot.ts";
import { writeZip, type ZipMethod } from "../../src/observability/zip.ts";

let directory = "";
let lines: string[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "whippet-snapshot-"));
  lines = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Reads an archive from its end record on, checking what the two headers of each entry say against each other. */
function readZip(archive: Uint8Array): Map<string, Buffer> {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const end = bytes.byteLength - 22;
  expect(bytes.readUInt32LE(end)).toBe(0x06054b50);
  const count = bytes.readUInt16LE(end + 10);
  let position = bytes.readUInt32LE(end + 16);
  expect(position + bytes.readUInt32LE(end + 12)).toBe(end);
  const entries = new Map<string, Buffer>();
  for (let index = 0; index < count; index++) {
    expect(bytes.readUInt32LE(position)).toBe(0x02014b50);
    const local = bytes.readUInt32LE(position + 42);
    expect(bytes.readUInt32LE(local)).toBe(0x04034b50);
    expect(bytes.subarray(local + 4, local + 28)).toEqual(bytes.subarray(position + 6, position + 30));
    const nameBytes = bytes.readUInt16LE(position + 28);
    const name = bytes.toString("utf8", position + 46, position + 46 + nameBytes);
    expect(bytes.toString("utf8", local + 30, local + 30 + nameBytes)).toBe(name);
    const dataStart = local + 30 + nameBytes;
    const data = bytes.subarray(dataStart, dataStart + bytes.readUInt32LE(position + 20));
    const content = unpack(bytes.readUInt16LE(position + 10), data);
    expect(content.byteLength).toBe(bytes.readUInt32LE(position + 24));
    expect(crc32(content)).toBe(bytes.readUInt32LE(position + 16));
    entries.set(name, content);
    position += 46 + nameBytes;
  }
  expect(position).toBe(end);
  return entries;
}

function unpack(method: number, data: Buffer): Buffer {
  if (method === 0) return data;
  if (method === 8) return inflateRawSync(data);
  expect(method).toBe(93);
  return zstdDecompressSync(data);
}

function snapshot(request: Partial<SnapshotRequest>): Promise<Uint8Array> {
  const log = createLogger({ filter: "info", write: (line) => lines.push(line) });
  return makeSnapshot({
    types: ["test"],
    compression: "stored",
    logsDirectory: directory,
    currentConfigMasked: "[http]\n",
    log,
    ...request,
  });
}

describe("zip", () => {
  const entries = [
    { name: "empty.txt", content: new Uint8Array(0) },
    { name: "größe.txt", content: Buffer.from("abc".repeat(10_000)) },
    { name: "random.bin", content: crypto.getRandomValues(new Uint8Array(5000)) },
  ];

  test.each(["stored", "deflated", "zstd"] as ZipMethod[])("%s entries are read back", async (method) => {
    const archive = await writeZip(entries, method, new Date("2026-05-06T07:08:10Z"));
    const found = readZip(archive);
    expect([...found.keys()]).toEqual(entries.map(({ name }) => name));
    for (const { name, content } of entries) expect(found.get(name)).toEqual(Buffer.from(content));
    if (method !== "stored") expect(archive.byteLength).toBeLessThan(10_000);
  });

  test("an archive without entries is one", async () => {
    expect(readZip(await writeZip([], "deflated", new Date())).size).toBe(0);
  });

  for (const tool of [
    ["unzip", "-t"],
    ["python3", "-m", "zipfile", "-t"],
  ]) {
    test.if(Bun.which(tool[0]!) !== null).each(["stored", "deflated"] as ZipMethod[])(
      `${tool[0]} accepts %s entries`,
      async (method) => {
        const path = join(directory, "test.zip");
        writeFileSync(path, await writeZip(entries, method, new Date()));
        const { exitCode, stdout } = Bun.spawnSync([...tool, path]);
        expect({ exitCode, text: stdout.toString() }).toMatchObject({ exitCode: 0 });
      },
    );
  }
});

describe("snapshot", () => {
  test("test is one entry with the word test", async () => {
    expect(readZip(await snapshot({ types: ["test"], compression: "deflated" }))).toEqual(
      new Map([["test.txt", Buffer.from("test\n")]]),
    );
    expect(lines).toEqual([]);
  });

  test("the logs are in the order in which they were written", async () => {
    writeFileSync(join(directory, "iggy-server.log"), "newest\n");
    writeFileSync(join(directory, "iggy-server.log.1"), "older\n");
    writeFileSync(join(directory, "iggy-server.log.2"), "oldest\n");
    writeFileSync(join(directory, "other"), "not a log");
    const found = readZip(await snapshot({ types: ["serverLogs", "serverConfig"] }));
    expect(found.get("server_logs.txt")?.toString()).toBe("oldest\nolder\nnewest\n");
    expect(found.get("server_config.txt")?.toString()).toBe("[http]\n");
  });

  test("of long logs the end is taken, over several files", async () => {
    writeFileSync(join(directory, "iggy-server.log"), "56789");
    writeFileSync(join(directory, "iggy-server.log.1"), "01234");
    const tails = await Promise.all([0, 1, 5, 7, 10, 11].map((bytesMax) => readLogTail(directory, bytesMax)));
    expect(tails.map((tail) => Buffer.from(tail).toString())).toEqual([
      "",
      "9",
      "56789",
      "3456789",
      "0123456789",
      "0123456789",
    ]);
  });

  test("no logs yet is an empty entry", async () => {
    const found = readZip(await snapshot({ types: ["serverLogs"], logsDirectory: join(directory, "missing") }));
    expect(found.get("server_logs.txt")?.byteLength).toBe(0);
  });

  test.if(process.platform === "linux")("all is every part but test, and shows no environment", async () => {
    const found = readZip(await snapshot({ types: ["all"], compression: "zstd" }));
    const wanted = ["process_list.txt", "server_logs.txt", "server_config.txt"];
    if (Bun.which("ls") !== null) wanted.push("filesystem_overview.txt");
    if (Bun.which("top") !== null) wanted.push("resource_usage.txt");
    expect([...found.keys()].sort()).toEqual(wanted.sort());
    const list = found.get("process_list.txt")!.toString();
    expect(list).toStartWith("=== Process List (ps -e) ===\n");
    for (const part of ["/proc/meminfo", "/proc/net/dev", "/proc/self/status", "Threads:"])
      expect(list).toContain(part);
    expect(list).not.toContain("environ");
  });

  test.if(process.platform === "linux")("of other processes it has the names, not the command lines", async () => {
    const secret = "--password=of-another-process";
    const other = Bun.spawn(["sh", "-c", "read line", secret], { stdin: "pipe", stdout: "ignore" });
    try {
      const found = readZip(await snapshot({ types: ["processList", "resourceUsage"] }));
      const texts = [...found.values()].map((content) => content.toString());
      expect(texts.join()).not.toContain(secret);
      if (Bun.which("ps") !== null) expect(texts[0]).toMatch(new RegExp(`\\b${other.pid} .* sh\n`));
    } finally {
      other.kill();
      await other.exited;
    }
  });

  test("no types give an empty archive, a repeated one an entry", async () => {
    expect(readZip(await snapshot({ types: [] })).size).toBe(0);
    expect(readZip(await snapshot({ types: ["test", "test"] })).size).toBe(1);
  });

  test.each(["bzip2", "lzma", "xz"] as const)("%s becomes deflate, and the log says so", async (compression) => {
    expect(
      readZip(await snapshot({ compression }))
        .get("test.txt")
        ?.toString(),
    ).toBe("test\n");
    expect(lines.join()).toContain(`compression=${compression}`);
  });

  test("a part that fails is left out and logged", async () => {
    writeFileSync(join(directory, "file"), "");
    const found = readZip(await snapshot({ types: ["serverLogs", "test"], logsDirectory: join(directory, "file") }));
    expect([...found.keys()]).toEqual(["test.txt"]);
    expect(lines.join()).toContain("part=server_logs");
  });
});

describe("external program", () => {
  test("a missing one is refused", () => expect(runProgram(["no-such-program-here"])).rejects.toThrow("no program"));

  test("one that fails says why", () => {
    expect(runProgram(["ls", "/no such directory"])).rejects.toThrow("ls failed");
  });

  test("one that does not end is ended", async () => {
    await expect(runProgram(["sleep", "600"], 100)).rejects.toThrow("too long");
  });
});
