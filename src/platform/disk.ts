/**
 * What the broker asks of a disk: nothing that a simulation cannot break. Only a composition root creates the real one
 * (`real-disk.ts`); tests put a disk in its place that fails, tears writes and forgets what was not synced.
 */

/** One open file. Calls after `close` throw `DiskError` with `EBADF`. */
export interface DiskFile {
  /** Real descriptor for those who read it directly, or -1 where there is none (simulation). */
  readonly fd: number;
  /**
   * Writes all views one after the other at `position`; returns when the operating system has taken every byte.
   * Synchronous. Throws `DiskError`; then any prefix of the bytes may have been written.
   */
  write(views: readonly Uint8Array[], position: number): void;
  /** Fills `target` from `position`; returns how many bytes were there (less only at the end of the file). Synchronous. */
  read(target: Uint8Array, position: number): number;
  /** Same, off the event loop. `target` belongs to the read until it settles. */
  readAsync(target: Uint8Array, position: number): Promise<number>;
  /**
   * Asks the file system to set room aside for what will be written at `position`; the size of the file stays. It makes
   * appends cheaper and is never needed: false where it cannot be done. What is not used goes with the next `truncate`.
   */
  reserve(position: number, sizeBytes: number): boolean;
  /** Cuts the file, or extends it with zeros, to `sizeBytes`. */
  truncate(sizeBytes: number): void;
  sizeBytes(): number;
  /** Resolves when everything written before the call is durable. Off the event loop. Rejects with `DiskError`. */
  sync(): Promise<void>;
  /** The same, blocking. Throws `DiskError`. */
  syncNow(): void;
  /** Closing twice is fine. Asynchronous calls under way still finish. */
  close(): void;
}

/** Every method throws `DiskError` (an asynchronous one rejects with it). */
export interface Disk {
  /** `create` is read/write, made if missing; the other two fail with `ENOENT` on a missing file. */
  open(path: string, mode: OpenMode): DiskFile;
  exists(path: string): boolean;
  /** Names in a directory, sorted; empty if the directory is missing. */
  list(directory: string): string[];
  /** With parents; an existing one is fine. */
  makeDirectory(path: string): void;
  /** Removes a file; a missing one is fine. */
  remove(path: string): void;
  /** Removes a directory with everything in it; a missing one is fine. */
  removeTree(path: string): Promise<void>;
  /** Atomic; of a file, which replaces an existing one, or of a directory with everything in it, to a name that is free. */
  rename(from: string, to: string): void;
  /**
   * Gives a file a second name, in the same file system: both are the same bytes, and stay when the other is removed. `ENOTSUP`,
   * `EPERM` or `EMLINK` where the file system cannot; `EEXIST` for a name that is taken.
   */
  link(from: string, to: string): void;
  /**
   * Makes creations, renames and removals in the directory durable, as far as the file system can. `DiskError` with
   * operation `open` when the directory could not be opened: then nothing was tried and nothing is lost.
   */
  syncDirectory(path: string): void;
}

export type OpenMode = "read" | "readWrite" | "create";

export class DiskError extends Error {
  override readonly name = "DiskError";
  readonly operation: string;
  readonly path: string;
  /** `ENOSPC`, `EIO`, … */
  readonly errorCode: string;

  constructor(operation: string, path: string, errorCode: string, options?: ErrorOptions) {
    super(`${operation} ${path}: ${errorCode}`, options);
    this.operation = operation;
    this.path = path;
    this.errorCode = errorCode;
  }
}

/** Codes that say that the process or the user may not, now: nothing was tried, and the same call may succeed later. */
const refusalCodes: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOMEM", "EACCES", "EPERM"]);

/**
 * Whether what was written may be lost, whatever is tried again: a sync of bytes failed, or one of names. Any other failure
 * of a disk (no descriptor, no room, no right, a read that fails) changed nothing that was there.
 */
export function isFailedSync(error: unknown): boolean {
  if (!(error instanceof DiskError)) return false;
  return error.operation === "sync" || (error.operation === "syncDirectory" && !refusalCodes.has(error.errorCode));
}

const exhaustedCodes: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOMEM"]);

/** Whether the process has no descriptor or memory left for the call, which says nothing about the file. */
export function isExhausted({ errorCode }: DiskError): boolean {
  return exhaustedCodes.has(errorCode);
}

/** All bytes of a file that is there. */
export function readWhole(disk: Pick<Disk, "open">, path: string): Uint8Array {
  const file = disk.open(path, "read");
  try {
    const bytes = new Uint8Array(file.sizeBytes());
    return bytes.subarray(0, file.read(bytes, 0));
  } finally {
    file.close();
  }
}

/** `<base>-<n>` with the first n, from 1 on, that is free. */
export function freePath(disk: Pick<Disk, "exists">, base: string): string {
  let number = 1;
  while (disk.exists(`${base}-${number}`)) number++;
  return `${base}-${number}`;
}

/** Whether the name is that of a copy of something damaged, which nobody reads. */
export function isKeptAside(name: string): boolean {
  return /\.damaged-\d+$/.test(name);
}
