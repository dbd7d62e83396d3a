// `whippet restore`: makes a data directory of a backup, or of the directory of a broker that is stopped. Everything is copied, so
// that the backup stays what it is, whatever becomes of the data directory.
import { existsSync } from "node:fs";
import { mkdir, readdir, stat } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { loadConfig } from "../config/load.ts";
import { DirectoryLock } from "../platform/directory-lock.ts";
import { backupPointsName, removedDirectoryName } from "../shard/directories.ts";
import { backupName, progressOf } from "./backup.ts";
import { copyWhole, syncDirectory } from "./file-copies.ts";
import { BackupError, type BackupHost } from "./host.ts";
import { markerName, TargetDirectory } from "./target-directory.ts";
import { verify } from "./verify.ts";

export interface RestoreOptions {
  readonly from: string;
  readonly to: string;
  readonly verifies: boolean;
}

const lockName = "whippet.lock";

/** Resolves with whether the copy is sound; undefined where that was not looked at. Throws `BackupError`, and what went wrong. */
export async function restore({ from, to, verifies }: RestoreOptions, host: BackupHost): Promise<boolean | undefined> {
  const source = resolve(host.workingDirectory, from);
  if (!existsSync(join(source, "state"))) throw new BackupError(`${source} is neither a backup nor a data directory`);
  if (existsSync(join(source, markerName))) throw new BackupError(`${source} was cut short: it is no whole backup`);
  // A backup has none; in a data directory it keeps a broker from starting meanwhile.
  const lockPath = join(source, lockName);
  const lock = existsSync(lockPath) ? DirectoryLock.take(lockPath, source) : undefined;
  try {
    const target = await TargetDirectory.begin(resolve(host.workingDirectory, to));
    try {
      await copyTree(source, target.unfinishedPath, host);
      const isSound = verifies ? await verify(target.unfinishedPath, host) : undefined;
      await target.finish();
      host.print(`${target.path}\n`);
      return isSound;
    } catch (error) {
      await target.abandon();
      throw error;
    }
  } finally {
    lock?.release();
  }
}

async function copyTree(from: string, to: string, host: BackupHost): Promise<void> {
  const { environment, workingDirectory, signal } = host;
  const { system } = loadConfig({ environment, workingDirectory }).config;
  // What each start makes anew, and what is about to be removed.
  const leftOut = new Set([
    lockName,
    backupName,
    join(system.runtime.path),
    join(system.logging.path),
    join(system.stream.path, removedDirectoryName),
    join(system.stream.path, backupPointsName),
  ]);
  const files: { readonly path: string; readonly sizeBytes: number }[] = [];
  const directories: string[] = [];
  const look = async (directory: string): Promise<void> => {
    directories.push(directory);
    for (const item of await readdir(directory, { withFileTypes: true })) {
      const path = join(directory, item.name);
      if (leftOut.has(relative(from, path))) continue;
      if (item.isDirectory()) await look(path);
      else if (item.isFile()) files.push({ path, sizeBytes: (await stat(path)).size });
      else host.say(`Left out: ${path}, which is no file.\n`);
    }
  };
  await look(from);
  const progress = progressOf("restore", host);
  progress.onTotal(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  for (const directory of directories) await mkdir(join(to, relative(from, directory)), { recursive: true });
  for (const { path } of files) await copyWhole(path, join(to, relative(from, path)), { signal, ...progress });
  for (const directory of directories.reverse()) await syncDirectory(join(to, relative(from, directory)));
  host.showProgress?.("");
  host.say(`Copied ${files.length} files of ${basename(from)}.\n`);
}
