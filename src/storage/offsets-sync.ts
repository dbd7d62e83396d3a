// What of the consumer offsets of one partition is not durable: files that were written, and directories in which files were
// made or removed. However often an offset is stored, a sync costs one call for each file and directory.

import { DiskError, isFailedSync } from "../platform/disk.ts";
import type { CachedFile } from "./file-cache.ts";
import type { PartitionLog } from "./partition-log.ts";
import { requireNotAbandoned, syncDirectoryOf } from "./sync-files.ts";

/** One offset, as it is in memory and in its file. */
export interface StoredOffset {
  offset: number;
  /** By this process; undefined: by an earlier one. */
  storedAtMicros: number | undefined;
  readonly file: CachedFile;
  isUnsynced: boolean;
  /** A sync of it failed: the file may not have what the cache of the system says, so it is written anew before the next. */
  isLost: boolean;
}

export class UnsyncedOffsets {
  readonly #log: PartitionLog;
  readonly #write: (stored: StoredOffset) => void;
  // Made when there is something to put in: there may be very many partitions.
  #files: Set<StoredOffset> | undefined;
  #directories: Set<string> | undefined;
  #syncing: Promise<void> | undefined;
  /** That which has not begun. */
  #next: Promise<void> | undefined;

  /** `write` writes an offset to its file once more. */
  constructor(log: PartitionLog, write: (stored: StoredOffset) => void) {
    this.#log = log;
    this.#write = write;
  }

  get isThere(): boolean {
    return this.#files !== undefined || this.#directories !== undefined;
  }

  /** Its file was written. */
  add(stored: StoredOffset): void {
    if (stored.isUnsynced) return;
    stored.isUnsynced = true;
    this.#files ??= new Set();
    this.#files.add(stored);
  }

  /** Its file was removed. */
  drop(stored: StoredOffset): void {
    stored.isUnsynced = false;
    this.#files?.delete(stored);
  }

  addDirectory(path: string): void {
    this.#directories ??= new Set();
    this.#directories.add(path);
  }

  forget(): void {
    this.#files = undefined;
    this.#directories = undefined;
  }

  /**
   * Resolves when all before the call is durable. One at a time, and all who call before the next one begins share it.
   * Rejects with `DiskError`; with `CannotSyncFile` where the partition was deleted before.
   */
  sync(): Promise<void> {
    this.#next ??= this.#syncNext();
    return this.#next;
  }

  async #syncNext(): Promise<void> {
    await this.#syncing?.catch(() => undefined); // told to those who wait for it
    this.#next = undefined;
    requireNotAbandoned(this.#log);
    if (!this.isThere) return;
    this.#syncing = this.#syncAll();
    try {
      await this.#syncing;
    } finally {
      this.#syncing = undefined;
    }
  }

  async #syncAll(): Promise<void> {
    const log = this.#log;
    const { epoch } = log;
    const files = this.#files ?? new Set();
    const directories = this.#directories ?? new Set();
    this.forget();
    let failure: DiskError | undefined;
    for (const stored of files) {
      requireNotAbandoned(log);
      if (log.epoch !== epoch) return; // purged meanwhile, with everything that was in it
      if (!stored.isUnsynced) continue;
      stored.isUnsynced = false;
      try {
        await this.#syncFile(stored);
      } catch (thrown) {
        if (!(thrown instanceof DiskError)) throw thrown;
        requireNotAbandoned(log);
        if (log.epoch !== epoch) return;
        failure ??= thrown;
        if (isFailedSync(thrown)) stored.isLost = true;
        this.add(stored);
      }
    }
    requireNotAbandoned(log); // before anything is touched by its name
    if (log.epoch !== epoch) return;
    for (const path of [...directories].sort()) {
      try {
        syncDirectoryOf(log, path);
      } catch (thrown) {
        if (!(thrown instanceof DiskError)) throw thrown;
        failure ??= thrown;
        this.addDirectory(path);
      }
    }
    if (failure !== undefined) throw failure;
  }

  async #syncFile(stored: StoredOffset): Promise<void> {
    if (stored.isLost) this.#write(stored);
    stored.isLost = false;
    const { files } = this.#log.context;
    const file = files.pin(stored.file);
    try {
      await file.sync();
    } finally {
      files.unpin(stored.file);
      // The partition may have closed all others while this waited.
      if (this.#log.isClosed) files.discard(stored.file);
    }
  }
}
