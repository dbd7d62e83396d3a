// Unpacking what a single-file executable carries.
import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeFrame, type PackedFile, unpackFile } from "../../src/transport/quic/packed-file.ts";
import { prepareSidecarProgram, SidecarUnavailableError } from "../../src/transport/quic/sidecar-program.ts";

const root = mkdtempSync(join(tmpdir(), "whippet-packed-test-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** More than one read of the check. */
const contents = new Uint8Array(2_500_000).map((_, index) => (index * index) >>> 5);
const packed = pack("engine", contents);

function pack(name: string, bytes: Uint8Array): PackedFile {
  const path = join(root, `${name}.zst`);
  const parts = [bytes.subarray(0, 900_000), bytes.subarray(900_000)];
  const compressed = parts.map((part) => Bun.zstdCompressSync(part));
  writeFileSync(path, Buffer.concat(compressed));
  const frames = parts.map((part, index) => describeFrame(part, compressed[index]!.byteLength));
  return { path, frames, name: `${name}-${Bun.hash.xxHash3(bytes).toString(16)}`, sizeBytes: bytes.byteLength };
}

function makeDirectory(): string {
  return mkdtempSync(join(root, "case-"));
}

describe("a packed file", () => {
  test("is unpacked on first use, for its owner only, and is there at the next", async () => {
    const directory = join(makeDirectory(), "cache", "whippet");
    const path = await unpackFile(packed, directory);
    expect(readFileSync(path).equals(contents)).toBe(true);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    const { ino } = statSync(path);
    expect(await unpackFile(packed, directory)).toBe(path);
    expect(statSync(path).ino).toBe(ino);
    expect(readdirSync(directory)).toEqual([packed.name]);
  });

  test.each<[string, (path: string) => void]>([
    ["is cut short", (path) => truncateSync(path, 1_200_000)],
    ["has one wrong byte", (path) => writeFileSync(path, contents.with(2_400_000, contents[2_400_000]! ^ 1))],
    ["cannot be executed", (path) => chmodSync(path, 0o600)],
    [
      "is a link to somewhere else",
      (path) => {
        rmSync(path);
        symlinkSync("/bin/sh", path);
      },
    ],
  ])("that %s is replaced", async (_, damage) => {
    const directory = makeDirectory();
    const path = await unpackFile(packed, directory);
    damage(path);
    expect(await unpackFile(packed, directory)).toBe(path);
    expect(readFileSync(path).equals(contents)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(readdirSync(directory)).toEqual([packed.name]);
  });

  test("is whole when several unpack it at the same time", async () => {
    const directory = makeDirectory();
    const paths = await Promise.all(Array.from({ length: 4 }, () => unpackFile(packed, directory)));
    expect(new Set(paths).size).toBe(1);
    expect(readFileSync(paths[0]!).equals(contents)).toBe(true);
    expect(readdirSync(directory)).toEqual([packed.name]);
  });

  test("leaves what others unpack now, and removes what they have left behind long ago", async () => {
    const directory = makeDirectory();
    const [young, old] = ["young", "old"].map((suffix) => `${packed.name}.${suffix}`);
    for (const name of [young!, old!]) writeFileSync(join(directory, name), "half");
    const hourAgo = Date.now() / 1000 - 3600;
    utimesSync(join(directory, old!), hourAgo, hourAgo);
    await unpackFile(packed, directory);
    expect(readdirSync(directory).sort()).toEqual([packed.name, young!]);
  });

  test("is refused if it is damaged inside the executable, and leaves nothing", async () => {
    const directory = makeDirectory();
    const [first, second] = packed.frames;
    const other = { ...packed, frames: [first!, { ...second!, checksum: "0" }] };
    await expect(unpackFile(other, directory)).rejects.toThrow("damaged inside the executable");
    const torn = { ...packed, path: join(root, "torn.zst") };
    const compressed = readFileSync(packed.path);
    writeFileSync(torn.path, compressed.subarray(0, compressed.byteLength / 2));
    await expect(unpackFile(torn, directory)).rejects.toThrow();
    expect(readdirSync(directory)).toEqual([]);
  });

  test("is not put where others could put a program", async () => {
    const directory = makeDirectory();
    chmodSync(directory, 0o777);
    await expect(unpackFile(packed, directory)).rejects.toThrow("can be written by others");
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe("the sidecar's program in an executable", () => {
  const origin = { kind: "executable", runtime: packed, script: pack("script", new Uint8Array(10)) } as const;

  test("lies in the user's cache", async () => {
    const cache = makeDirectory();
    const runtime = join(makeDirectory(), "runtime");
    const program = await prepareSidecarProgram(runtime, origin, { XDG_CACHE_HOME: cache });
    expect(program.runtimePath).toBe(join(cache, "whippet", packed.name));
    expect(program.scriptPath).toBe(join(cache, "whippet", origin.script.name));
    expect(existsSync(runtime)).toBe(false);
  });

  test("lies in the data directory where there is no cache", async () => {
    const directory = makeDirectory();
    const runtime = join(directory, "runtime");
    const program = await prepareSidecarProgram(runtime, origin, { XDG_CACHE_HOME: packed.path });
    expect(program.runtimePath).toBe(join(runtime, packed.name));
  });

  test("is missing, with every reason, where it cannot be written at all", async () => {
    const error: unknown = await prepareSidecarProgram(join(packed.path, "runtime"), origin, {
      XDG_CACHE_HOME: packed.path,
    }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SidecarUnavailableError);
    expect(String(error)).toMatch(/cannot be unpacked: .*ENOTDIR.*; .*ENOTDIR/);
  });

  test("is missing in an executable that was built without it", async () => {
    const directory = makeDirectory();
    mkdirSync(join(directory, "cache"));
    const made = prepareSidecarProgram(directory, { kind: "none" }, { XDG_CACHE_HOME: join(directory, "cache") });
    await expect(made).rejects.toThrow(SidecarUnavailableError);
    expect(readdirSync(join(directory, "cache"))).toEqual([]);
  });
});
