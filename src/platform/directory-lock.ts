// Keeps two brokers out of one data directory. The lock belongs to the process and ends with it, also after kill -9; where
// the system call cannot be reached nothing is locked.
import { closeSync, existsSync, openSync } from "node:fs";
import { native } from "./ffi.ts";

/** flock: exclusive, and without waiting. */
const lockExclusiveNow = 2 | 4;

export class DirectoryLockedError extends Error {
  override readonly name = "DirectoryLockedError";
}

export class DirectoryLock {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * `path`: the lock file, made if missing. Throws `DirectoryLockedError` when another process holds it, and what the system
   * says where neither the file nor the directory can be opened.
   */
  static take(path: string, directory: string): DirectoryLock {
    const fd = openToLock(path, directory);
    if (native !== undefined && native.flock(fd, lockExclusiveNow) !== 0) {
      closeSync(fd);
      throw new DirectoryLockedError(`${directory} is in use by another process (it holds ${path})`);
    }
    return new DirectoryLock(fd);
  }

  release(): void {
    closeSync(this.#fd);
  }
}

/**
 * The lock file; on a full disk one that is there already, for reading, or else the directory. Who starts while there is no
 * room for the file locks the directory too, so that two such processes do not meet.
 */
function openToLock(path: string, directory: string): number {
  try {
    return openSync(path, "a", 0o600);
  } catch {
    return openSync(existsSync(path) ? path : directory, "r");
  }
}
