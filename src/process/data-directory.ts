// The data directory when the process starts. What serves tools only may be missing: on a full disk the broker starts all the
// same, since reading, deleting and retention are what helps then.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config/schema/index.ts";
import { DirectoryLock } from "../platform/directory-lock.ts";

/** Nothing can be started on this directory; the message says why. */
export class DataDirectoryError extends Error {
  override readonly name = "DataDirectoryError";
}

export interface PreparedDirectory {
  readonly lock: DirectoryLock;
  /** What could not be done, and can be done without. */
  readonly failures: readonly { readonly what: string; readonly error: unknown }[];
}

/**
 * Makes the directories that are missing, and takes the lock. Throws `DataDirectoryError` where nothing can be stored at all,
 * `DirectoryLockedError` where another process runs on the same directory.
 */
export async function prepareDataDirectory({ system }: Config): Promise<PreparedDirectory> {
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

  await needed(system.path);
  const lock = takeLock(system.path);
  await needed(join(system.path, "state"));
  const runtime = join(system.path, system.runtime.path);
  await attempt("files of an earlier start cannot be removed", () => rm(runtime, { recursive: true, force: true }));
  await attempt("there is no directory for files of this start", () => mkdir(runtime, { recursive: true }));
  const streams = join(system.path, system.stream.path);
  await attempt("no messages can be stored yet", () => mkdir(streams, { recursive: true }));
  return { lock, failures };
}

function takeLock(path: string): DirectoryLock {
  try {
    return DirectoryLock.take(join(path, "whippet.lock"), path);
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    throw new DataDirectoryError(`${path} cannot be used: ${error.message}`, { cause: error });
  }
}
