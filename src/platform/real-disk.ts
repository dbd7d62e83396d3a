/** The `Disk` of a running broker, on `node:fs`. */
import * as fs from "node:fs";
import { type Disk, DiskError, type DiskFile, type OpenMode } from "./disk.ts";
import { fallocateKeepSize, native } from "./ffi.ts";

/** `writev` takes at most this many parts (IOV_MAX on Linux and macOS). */
const WRITE_PARTS_MAX = 1024;

/** Files hold messages and password hashes: only the broker's user reads them. */
const FILE_MODE = 0o600;

const openFlags: Readonly<Record<OpenMode, number>> = {
  read: fs.constants.O_RDONLY,
  readWrite: fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT,
};

const directorySyncUnknownCodes: ReadonlySet<string> = new Set(["EINVAL", "ENOTSUP", "EOPNOTSUPP"]);

export const realDisk: Disk = {
  open(path, mode) {
    return new RealDiskFile(
      path,
      attempt("open", path, () => fs.openSync(path, openFlags[mode], FILE_MODE)),
    );
  },

  exists(path) {
    return fs.existsSync(path);
  },

  list(directory) {
    return attempt("list", directory, () => ignoringMissing(() => fs.readdirSync(directory), []).sort());
  },

  makeDirectory(path) {
    attempt("makeDirectory", path, () => fs.mkdirSync(path, { recursive: true }));
  },

  remove(path) {
    attempt("remove", path, () => ignoringMissing(() => fs.unlinkSync(path), undefined));
  },

  async removeTree(path) {
    try {
      await fs.promises.rm(path, { recursive: true, force: true });
    } catch (error) {
      throw toDiskError("removeTree", path, error);
    }
  },

  rename(from, to) {
    attempt("rename", from, () => fs.renameSync(from, to));
  },

  link(from, to) {
    attempt("link", from, () => fs.linkSync(from, to));
  },

  syncDirectory(path) {
    // Told apart: without a descriptor nothing was tried, and nothing is lost.
    const fd = attempt("open", path, () => fs.openSync(path, fs.constants.O_RDONLY));
    try {
      attempt("syncDirectory", path, () => fs.fsyncSync(fd));
    } catch (error) {
      // A file system that knows no sync of a directory keeps its names by other means, or not at all.
      if (!(error instanceof DiskError) || !directorySyncUnknownCodes.has(error.errorCode)) throw error;
    } finally {
      fs.closeSync(fd);
    }
  },
};

class RealDiskFile implements DiskFile {
  readonly fd: number;
  readonly #path: string;
  #closed = false;
  #callsUnderWay = 0;

  constructor(path: string, fd: number) {
    this.#path = path;
    this.fd = fd;
  }

  write(views: readonly Uint8Array[], position: number): void {
    this.#requireOpen("write");
    attempt("write", this.#path, () => {
      if (views.length === 1) writeWhole(this.fd, views[0]!, 0, position);
      else writeParts(this.fd, views, position);
    });
  }

  read(target: Uint8Array, position: number): number {
    this.#requireOpen("read");
    return attempt("read", this.#path, () => {
      let doneBytes = 0;
      while (doneBytes < target.byteLength) {
        const got = fs.readSync(this.fd, target, doneBytes, target.byteLength - doneBytes, position + doneBytes);
        if (got === 0) break;
        doneBytes += got;
      }
      return doneBytes;
    });
  }

  async readAsync(target: Uint8Array, position: number): Promise<number> {
    this.#requireOpen("read");
    return this.#track("read", async () => {
      let doneBytes = 0;
      while (doneBytes < target.byteLength) {
        const got = await readSome(this.fd, target, doneBytes, position + doneBytes);
        if (got === 0) break;
        doneBytes += got;
      }
      return doneBytes;
    });
  }

  reserve(position: number, sizeBytes: number): boolean {
    this.#requireOpen("reserve");
    return native !== undefined && native.fallocate(this.fd, fallocateKeepSize, position, sizeBytes) === 0;
  }

  truncate(sizeBytes: number): void {
    this.#requireOpen("truncate");
    attempt("truncate", this.#path, () => fs.ftruncateSync(this.fd, sizeBytes));
  }

  sizeBytes(): number {
    this.#requireOpen("size");
    return attempt("size", this.#path, () => fs.fstatSync(this.fd).size);
  }

  async sync(): Promise<void> {
    this.#requireOpen("sync");
    return this.#track(
      "sync",
      () =>
        new Promise<void>((resolve, reject) => {
          fs.fdatasync(this.fd, (error) => (error ? reject(error) : resolve()));
        }),
    );
  }

  syncNow(): void {
    this.#requireOpen("sync");
    attempt("sync", this.#path, () => fs.fdatasyncSync(this.fd));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#callsUnderWay === 0) this.#release();
  }

  #requireOpen(operation: string): void {
    if (this.#closed) throw new DiskError(operation, this.#path, "EBADF");
  }

  /** The descriptor stays open while a call is under way: its number could otherwise be another file's by then. */
  async #track<T>(operation: string, work: () => Promise<T>): Promise<T> {
    this.#callsUnderWay++;
    try {
      return await work();
    } catch (error) {
      throw toDiskError(operation, this.#path, error);
    } finally {
      this.#callsUnderWay--;
      if (this.#closed && this.#callsUnderWay === 0) this.#release();
    }
  }

  #release(): void {
    attempt("close", this.#path, () => fs.closeSync(this.fd));
  }
}

function writeWhole(fd: number, view: Uint8Array, startBytes: number, position: number): void {
  let doneBytes = startBytes;
  while (doneBytes < view.byteLength) {
    const put = fs.writeSync(fd, view, doneBytes, view.byteLength - doneBytes, position + doneBytes - startBytes);
    if (put <= 0) throw new ShortWriteError();
    doneBytes += put;
  }
}

function writeParts(fd: number, views: readonly Uint8Array[], start: number): void {
  let position = start;
  for (let first = 0; first < views.length; first += WRITE_PARTS_MAX) {
    const parts = views.slice(first, first + WRITE_PARTS_MAX).filter((part) => part.byteLength > 0);
    if (parts.length === 0) continue;
    const put = fs.writevSync(fd, parts, position);
    if (put <= 0) throw new ShortWriteError();
    // A short write leaves off inside some part: the rest of this group goes part by part, which is rare enough.
    let partStart = 0;
    for (const part of parts) {
      const takenBytes = Math.min(Math.max(put - partStart, 0), part.byteLength);
      writeWhole(fd, part, takenBytes, position + partStart + takenBytes);
      partStart += part.byteLength;
    }
    position += partStart;
  }
}

/** The operating system took nothing and gave no reason: going on would loop for ever. */
class ShortWriteError extends Error {
  readonly code = "EIO";
}

function readSome(fd: number, target: Uint8Array, at: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(fd, target, at, target.byteLength - at, position, (error, got) => (error ? reject(error) : resolve(got)));
  });
}

function attempt<T>(operation: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toDiskError(operation, path, error);
  }
}

function ignoringMissing<T>(work: () => T, missing: T): T {
  try {
    return work();
  } catch (error) {
    if (errorCodeOf(error) === "ENOENT") return missing;
    throw error;
  }
}

function toDiskError(operation: string, path: string, error: unknown): DiskError {
  return new DiskError(operation, path, errorCodeOf(error), { cause: error });
}

function errorCodeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "UNKNOWN";
}
