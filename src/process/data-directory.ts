// The data directory when the process starts. What serves tools only may be missing: on a full disk the broker starts all the
// same, since reading, deleting and retention are what helps then.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import type { Config } from "../config/schema/index.ts";
import { DirectoryLock } from "../platform/directory-lock.ts";
import type { Disk } from "../platform/disk.ts";
import { realDisk } from "../platform/real-disk.ts";

/** Nothing can be started on this directory; the message says why. */
export class DataDirectoryError extends Error {
  override readonly name = "DataDirectoryError";
}

const lockName = "whippet.lock";
/** What every data directory holds from its first start on, of this broker or of the original. */
const dataDirectorySigns: ReadonlySet<string> = new Set([lockName, "state"]);
/** Where Iggy 0.9 keeps its metadata; 0.8 and this broker have no such files (spec P9 17). */
const signsOf09: readonly string[] = ["journal.wal", "snapshot.bin", "superblock.a", "superblock.b"].map((name) =>
  join("metadata", name),
);

/**
 * Empties the data directory (`--fresh`). Throws `DataDirectoryError` on what nobody means, `DirectoryLockedError` where
 * another process runs on it: a start that is going to be refused must not take the data of the one that runs.
 */
export function removeData(path: string): void {
  const fromHere = relative(process.cwd(), resolve(path));
  const holdsWorkingDirectory = fromHere === "" || /^(\.\.\/?)+$/.test(fromHere);
  if (holdsWorkingDirectory || resolve(path) === "/") {
    const reason = "which holds the working directory; set system.path";
    throw new DataDirectoryError(`--fresh would delete ${resolve(path)}, ${reason}`);
  }
  const names = existsSync(path) ? readdirSync(path) : [];
  if (names.length === 0) return;
  if (!names.some((name) => dataDirectorySigns.has(name))) {
    throw new DataDirectoryError(`--fresh would delete ${resolve(path)}, which is no data directory; set system.path`);
  }
  const lock = takeLock(path);
  try {
    // Not the lock itself: a third process would make another one.
    for (const name of names) if (name !== lockName) rmSync(join(path, name), { recursive: true, force: true });
  } finally {
    lock.release();
  }
}

export interface PreparedDirectory {
  readonly lock: DirectoryLock;
  /** What could not be done, and can be done without. */
  readonly failures: readonly { readonly what: string; readonly error: unknown }[];
}

/**
 * Makes the directories that are missing, and takes the lock. Throws `DataDirectoryError` where nothing can be stored at all, and
 * on a directory of Iggy 0.9, of which nothing is changed; `DirectoryLockedError` where another process runs on the same directory.
 */
export async function prepareDataDirectory(
  { system }: Config,
  disk: Pick<Disk, "syncDirectory"> = realDisk,
): Promise<PreparedDirectory> {
  const failures: { what: string; error: unknown }[] = [];
  const attempt = async (what: string, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      failures.push({ what, error });
    }
  };
  const needed = (path: string) =>
    mkdir(path, { recursive: true }).catch((cause: Error) => {
      throw new DataDirectoryError(`${path} is needed and cannot be made: ${cause.message}`, { cause });
    });

  const path = resolve(system.path);
  refuseDirectoryOf09(path);
  const firstMade = await needed(path);
  const lock = takeLock(system.path);
  await needed(join(path, "state"));
  const runtime = join(path, system.runtime.path);
  await attempt("files of an earlier start cannot be removed", () => rm(runtime, { recursive: true, force: true }));
  await attempt("there is no directory for files of this start", () => mkdir(runtime, { recursive: true }));
  const streams = join(path, system.stream.path);
  await attempt("no messages can be stored yet", () => mkdir(streams, { recursive: true }));
  // What is durable in a directory that a power loss takes is lost with it.
  const isOld = firstMade === undefined;
  for (const directory of [path, ...parentsOf(path, firstMade)]) {
    const what = `a power loss may take what was made in ${directory}`;
    await attempt(what, async () => disk.syncDirectory(directory));
    // The parent of an old one was made durable long ago, as a rule, and it may be nothing that this user may read.
    if (isOld && directory !== path && failures.at(-1)?.what === what) failures.pop();
  }
  return { lock, failures };
}

/** Its streams are in places of ours, in another format: without metadata that name them they would be set aside. */
function refuseDirectoryOf09(path: string): void {
  const sign = signsOf09.find((name) => existsSync(join(path, name)));
  if (sign === undefined) return;
  const what = `${path} is the data directory of an Iggy server of version 0.9 or later: it has ${sign}`;
  const advice = "set system.path to another directory and move the data through clients (docs/clients-0.9.md)";
  throw new DataDirectoryError(`${what}. This broker cannot read it, and has changed nothing: ${advice}`);
}

/** Directories with an entry that leads to `path` and was made now; its parent always, since a start may have been cut short. */
function parentsOf(path: string, firstMade: string | undefined): string[] {
  const parents = [dirname(path)];
  const last = dirname(firstMade ?? path);
  while (parents.at(-1) !== last) parents.push(dirname(parents.at(-1)!));
  return parents;
}

function takeLock(path: string): DirectoryLock {
  try {
    return DirectoryLock.take(join(path, lockName), path);
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    throw new DataDirectoryError(`${path} cannot be used: ${error.message}`, { cause: error });
  }
}
