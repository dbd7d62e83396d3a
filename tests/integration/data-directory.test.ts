// What of the data directory must be there for a start, and what may be missing.
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema/index.ts";
import { DirectoryLockedError } from "../../src/platform/directory-lock.ts";
import { DataDirectoryError, prepareDataDirectory } from "../../src/process/data-directory.ts";
import { useServers } from "../support/server.ts";

const servers = useServers();

function configOf(path: string): Config {
  const environment = { IGGY_SYSTEM_PATH: path, IGGY_CONFIG_PATH: "/dev/null" };
  return loadConfig({ environment, workingDirectory: tmpdir() }).config;
}

test("everything is made where there is nothing, and another process is kept out", async () => {
  const path = join(servers.makeDirectory(), "new/data");
  const { lock, failures } = await prepareDataDirectory(configOf(path));
  expect(failures).toEqual([]);
  expect(readdirSync(path).sort()).toEqual(["runtime", "state", "streams", "whippet.lock"]);
  await expect(prepareDataDirectory(configOf(path))).rejects.toThrow(DirectoryLockedError);
  lock.release();
});

test("what the broker can do without is told and keeps nobody from starting", async () => {
  const path = servers.makeDirectory();
  mkdirSync(join(path, "state"));
  // Where directories are to be, as a full disk would keep them from being made.
  writeFileSync(join(path, "streams"), "");
  const config = configOf(path);
  const runtime = { path: "streams/runtime" };
  const { lock, failures } = await prepareDataDirectory({ ...config, system: { ...config.system, runtime } });
  expect(failures.map(({ what }) => what)).toContain("there is no directory for files of this start");
  expect(failures.map(({ what }) => what)).toContain("no messages can be stored yet");
  lock.release();
});

test("a directory that cannot be used at all is refused with its path and the reason", async () => {
  const path = servers.makeDirectory();
  writeFileSync(join(path, "file"), "");
  const preparing = prepareDataDirectory(configOf(join(path, "file/data")));
  await expect(preparing).rejects.toThrow(DataDirectoryError);
  await expect(preparing).rejects.toThrow(/file\/data is needed and cannot be made: ENOTDIR/);
});

test("the directory, and each that was made on the way to it, is made durable", async () => {
  const root = servers.makeDirectory();
  const path = join(root, "srv/broker/data");
  const synced: string[] = [];
  const prepare = async () => {
    synced.length = 0;
    const { lock, failures } = await prepareDataDirectory(configOf(path), {
      syncDirectory: (directory) => {
        expect(readdirSync(directory)).not.toEqual([]);
        synced.push(directory);
      },
    });
    lock.release();
    expect(failures).toEqual([]);
  };
  await prepare();
  expect(synced).toEqual([path, join(root, "srv/broker"), join(root, "srv"), root]);
  await prepare();
  expect(synced).toEqual([path, join(root, "srv/broker")]);
});

/** What a server of 0.9 leaves after its first start and a topic (spec P9 17): the log of 0.8 is there too, and empty. */
function writeDirectoryOf09(path: string): void {
  const partition = "streams/0/topics/0/partitions/0";
  const files = ["metadata/journal.wal", "metadata/superblock.a", `${partition}/00000000000000000000.log`];
  for (const name of ["metadata", "state", "runtime", partition]) mkdirSync(join(path, name), { recursive: true });
  for (const name of files) writeFileSync(join(path, name), `content of ${name}`);
  writeFileSync(join(path, "state/log"), "");
  writeFileSync(join(path, "runtime/current_config.toml"), "# of the other server");
}

/** Every name below the directory, with the content or the time of the last change. */
function contentOf(path: string): Readonly<Record<string, string>> {
  const names = readdirSync(path, { recursive: true, encoding: "utf8" }).toSorted();
  return Object.fromEntries(
    names.map((name) => {
      const stat = statSync(join(path, name));
      return [name, stat.isFile() ? readFileSync(join(path, name), "utf8") : String(stat.mtimeMs)];
    }),
  );
}

test("a directory of Iggy 0.9 is refused by its name, and nothing in it is changed", async () => {
  const directory = servers.makeDirectory();
  const path = join(directory, "data");
  writeDirectoryOf09(path);
  const before = contentOf(path);
  const { exitCode, stderr } = await servers.run({}, directory);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`${path} is the data directory of an Iggy server of version 0.9 or later`);
  expect(stderr).toContain("it has metadata/journal.wal");
  expect(stderr).not.toMatch(/\n +at /);
  expect(contentOf(path)).toEqual(before);
});

test.each([
  "journal.wal",
  "snapshot.bin",
  "superblock.a",
  "superblock.b",
])("metadata/%s alone is a sign of Iggy 0.9, a directory of that name is none", async (name) => {
  const path = servers.makeDirectory();
  mkdirSync(join(path, "metadata"));
  const first = await prepareDataDirectory(configOf(path));
  first.lock.release();
  writeFileSync(join(path, "metadata", name), "");
  await expect(prepareDataDirectory(configOf(path))).rejects.toThrow(`it has metadata/${name}`);
});
