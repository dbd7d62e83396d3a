// Keeps two brokers out of one data directory. The lock belongs to the process and ends with it, also after kill -9; where
// the system call cannot be reached nothing is locked.
import { closeSync, openSync } from "node:fs";
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

  /** `path`: the lock file, made if missing. Throws `DirectoryLockedError` when another process holds it. */
  static take(path: string, directory: string): DirectoryLock {
    const fd = openSync(path, "a", 0o600);
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
