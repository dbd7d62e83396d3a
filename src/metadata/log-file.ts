/**
 * The file that the metadata log appends to, and what of it is durable. One sync at a time answers all who wait (group
 * commit). Only a sync that failed ends the file: after it nothing is known about the pages, so nothing is tried again on
 * them. Whatever was not even begun (no descriptor, no room, no permission) is refused and may be tried again. Nothing
 * counts as durable before the name of the file is: a directory that could not be synced is made up for at the next sync.
 */
import { type Disk, type DiskFile, isFailedSync } from "../platform/disk.ts";
import { type ErrorName, IggyError } from "../protocol/errors.ts";
import type { MetadataPaths } from "./files.ts";

export interface MetadataLogFileOptions {
  readonly disk: Disk;
  readonly paths: MetadataPaths;
  /** Where the next entry goes; everything before it is durable, the name of the file included. */
  readonly sizeBytes: number;
  /** A sync for those who wait has failed; called before they are told. */
  readonly onFailedSync: () => void;
}

/** How many entries, and their bytes. */
interface Progress {
  readonly count: number;
  readonly bytes: number;
}

interface Waiter {
  /** Waits until so many entries are durable. */
  readonly count: number;
  readonly resolve: () => void;
  readonly reject: (reason: IggyError) => void;
}

export class MetadataLogFile {
  readonly #disk: Disk;
  readonly #paths: MetadataPaths;
  readonly #onFailedSync: () => void;
  #file: DiskFile | undefined;
  #sizeBytes: number;
  #isNameDurable = true;
  /** What was written since the start, over all files, and what of it is durable. */
  #written: Progress = { count: 0, bytes: 0 };
  #durable: Progress = this.#written;
  /** What was written before the last entry. */
  #beforeLast: Progress = this.#written;
  /** A blocking sync came up to here while another was under way: it counts once that one has not failed. */
  #provisional: Progress = this.#written;
  /** In the order of their calls; while there is one, a sync is under way. */
  readonly #waiters: Waiter[] = [];
  #fencedBy: unknown;

  constructor({ disk, paths, sizeBytes, onFailedSync }: MetadataLogFileOptions) {
    this.#disk = disk;
    this.#paths = paths;
    this.#sizeBytes = sizeBytes;
    this.#onFailedSync = onFailedSync;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Entries that were written since the start. */
  get writtenCount(): number {
    return this.#written.count;
  }

  /** Those of them that are durable. */
  get durableCount(): number {
    return this.#durable.count;
  }

  isDurableUpTo(writtenCount: number): boolean {
    return writtenCount <= this.#durable.count;
  }

  /** Takes nothing more. */
  get isFenced(): boolean {
    return this.#fencedBy !== undefined;
  }

  /** Puts `entry` behind the last one. Throws CannotAppendToFile (10005), and then no trace of it is left. */
  write(entry: Uint8Array): void {
    if (this.#fencedBy !== undefined) throw failure("CannotAppendToFile", this.#fencedBy);
    try {
      this.#open().write([entry], this.#sizeBytes);
    } catch (error) {
      this.#truncate();
      throw failure("CannotAppendToFile", error);
    }
    this.#beforeLast = this.#written;
    this.#sizeBytes += entry.byteLength;
    this.#written = { count: this.#written.count + 1, bytes: this.#written.bytes + entry.byteLength };
  }

  /** Makes everything written durable, blocking. Throws `DiskError`. */
  syncNow(): void {
    const file = this.#open();
    try {
      file.syncNow();
      this.#syncName();
    } catch (error) {
      this.#fenceIfLost(error);
      throw error;
    }
    if (this.#waiters.length > 0) this.#provisional = this.#written;
    else this.#durable = this.#written;
  }

  /**
   * Resolves when everything written before the call is durable, off the event loop; at once where it is. Rejects with
   * CannotSyncFile (10009). Calls are answered in their order.
   */
  sync(): Promise<void> {
    if (this.#waiters.length === 0) {
      if (this.isDurableUpTo(this.#written.count)) return Promise.resolve();
      if (this.#fencedBy !== undefined) {
        this.#onFailedSync();
        return Promise.reject(failure("CannotSyncFile", this.#fencedBy));
      }
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiters.push({ count: this.#written.count, resolve, reject });
    if (this.#waiters.length === 1) void this.#syncForWaiters();
    return promise;
  }

  /** Cuts off what is not durable. A file that cannot be cut takes no more entries. */
  takeBackUnsynced(): void {
    this.#sizeBytes -= this.#written.bytes - this.#durable.bytes;
    this.#written = this.#durable;
    this.#truncate();
  }

  /** Cuts off the entry that was written last, which nobody was told of; the same. */
  takeBackLast(): void {
    this.#sizeBytes -= this.#written.bytes - this.#beforeLast.bytes;
    this.#written = this.#beforeLast;
    this.#truncate();
  }

  /** A snapshot holds everything that was written: the file is kept as the previous one, the next entry begins another. */
  rotate(): void {
    this.#durable = this.#written;
    if (this.#sizeBytes === 0) return;
    this.#close();
    this.#disk.rename(this.#paths.log, this.#paths.previousLog);
    this.#sizeBytes = 0; // the names become durable with that of the new file, at the next sync
  }

  /** Removes the file and the previous one: both snapshots hold everything that was written. Durable when it returns. */
  discard(): void {
    this.#durable = this.#written;
    this.#close();
    this.#disk.remove(this.#paths.previousLog);
    this.#disk.remove(this.#paths.log);
    this.#sizeBytes = 0;
    this.#disk.syncDirectory(this.#paths.directory);
  }

  /** Makes everything durable, puts `mark`, which says so, behind it, and lets go of the file. Throws `DiskError`. */
  close(mark: Uint8Array): void {
    const file = this.#file;
    try {
      if (file !== undefined) {
        this.syncNow();
        if (this.#sizeBytes > 0 && this.isDurableUpTo(this.#written.count)) this.#writeMark(file, mark);
      }
    } finally {
      this.#close();
      this.#fencedBy ??= new Error("the metadata log is closed");
    }
  }

  /** Of use only when the disk is found damaged later: without it nothing is lost. */
  #writeMark(file: DiskFile, mark: Uint8Array): void {
    try {
      file.write([mark], this.#sizeBytes);
    } catch {
      this.#truncate();
    }
  }

  async #syncForWaiters(): Promise<void> {
    while (this.#waiters.length > 0) {
      try {
        await this.#syncOnce();
        this.#answerDurable();
      } catch (error) {
        this.#answerDurable(); // by a snapshot that came meanwhile
        this.#onFailedSync();
        for (const { reject } of this.#waiters.splice(0)) reject(failure("CannotSyncFile", error));
      }
    }
  }

  #answerDurable(): void {
    const count = this.#waiters.findIndex((waiter) => !this.isDurableUpTo(waiter.count));
    for (const { resolve } of this.#waiters.splice(0, count < 0 ? this.#waiters.length : count)) resolve();
  }

  async #syncOnce(): Promise<void> {
    const mark = this.#written;
    if (this.isDurableUpTo(mark.count)) return; // a snapshot came first
    if (this.#fencedBy !== undefined) throw this.#fencedBy;
    const file = this.#open();
    try {
      await file.sync();
      this.#syncName();
    } catch (error) {
      this.#fenceIfLost(error);
      throw error;
    }
    for (const progress of [mark, this.#provisional]) {
      if (progress.count > this.#durable.count) this.#durable = progress;
    }
  }

  #syncName(): void {
    if (this.#isNameDurable) return;
    this.#disk.syncDirectory(this.#paths.directory);
    this.#isNameDurable = true;
  }

  #fenceIfLost(error: unknown): void {
    if (isFailedSync(error)) this.#fencedBy ??= error;
  }

  /** Cuts the file to what it should have. */
  #truncate(): void {
    if (this.#file === undefined) return; // it could not even be opened
    try {
      this.#file.truncate(this.#sizeBytes);
    } catch (error) {
      this.#fencedBy ??= error;
    }
  }

  /** Opened at the first use, so that an append after a failed restart of the file tries again. */
  #open(): DiskFile {
    if (this.#file !== undefined) return this.#file;
    const isNew = !this.#disk.exists(this.#paths.log);
    this.#file = this.#disk.open(this.#paths.log, "create");
    if (isNew) this.#isNameDurable = false;
    return this.#file;
  }

  #close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

export function failure(name: ErrorName, cause: unknown): IggyError {
  return new IggyError(name, [], { cause });
}
