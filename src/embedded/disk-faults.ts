// A disk that fails on demand, over a real one or one in memory, and ends with the broker that uses it: whatever that still has
// under way when it is killed changes nothing any more.

import type { Timers } from "../platform/clock.ts";
import { type Disk, DiskError, type DiskFile, type OpenMode } from "../platform/disk.ts";
import type { Activity } from "../spawn/activity.ts";

/** What is broken now. Each stays until `heal`. */
export class DiskFaults {
  #writesLeft = Number.POSITIVE_INFINITY;
  #writeErrorCode = "EIO";
  #failsSyncs = false;
  #slowMs = 0;
  #losesUnsynced = false;

  failWrites(errorCode: "ENOSPC" | "EIO", after = 0): void {
    if (!(after >= 0)) throw new RangeError(`writes are counted from 0 on, not from ${after}`);
    this.#writeErrorCode = errorCode;
    this.#writesLeft = after;
  }

  failSyncs(): void {
    this.#failsSyncs = true;
  }

  slow(ms: number): void {
    if (!(ms >= 0 && ms < 2 ** 31)) throw new RangeError(`a delay is 0 to 2^31 - 1 ms, not ${ms}`);
    this.#slowMs = ms;
  }

  loseUnsynced(): void {
    this.#losesUnsynced = true;
  }

  heal(): void {
    this.#writesLeft = Number.POSITIVE_INFINITY;
    this.#failsSyncs = false;
    this.#slowMs = 0;
    this.#losesUnsynced = false;
  }

  get failsSyncs(): boolean {
    return this.#failsSyncs;
  }

  get slowMs(): number {
    return this.#slowMs;
  }

  /** The next kill is a power cut. */
  get losesUnsynced(): boolean {
    return this.#losesUnsynced;
  }

  /** A disk without room makes no files either. */
  get isFull(): boolean {
    return this.#writesLeft <= 0 && this.#writeErrorCode === "ENOSPC";
  }

  /** Counts a write; why it fails, if it does. */
  takeWrite(): string | undefined {
    return this.#writesLeft-- > 0 ? undefined : this.#writeErrorCode;
  }
}

export interface FaultyDiskOptions {
  readonly disk: Disk;
  readonly faults: DiskFaults;
  /** What slow calls go by. */
  readonly timers: Timers;
  /** Told of what is under way. */
  readonly activity: Activity;
}

export class FaultyDisk implements Disk {
  readonly #options: FaultyDiskOptions;
  readonly #open = new Set<DiskFile>();
  /** Calls that take their time. */
  readonly #waiting = new Set<() => void>();
  #hasEnded = false;

  constructor(options: FaultyDiskOptions) {
    this.#options = options;
  }

  /** Every call fails from now on, also those that are under way and slow. Files that are open are closed. */
  end(): void {
    this.#hasEnded = true;
    for (const wake of [...this.#waiting]) wake();
    for (const file of this.#open) file.close();
    this.#open.clear();
  }

  open(path: string, mode: OpenMode): DiskFile {
    this.require("open", path);
    const { disk, faults } = this.#options;
    if (mode === "create" && faults.isFull && !disk.exists(path)) throw new DiskError("open", path, "ENOSPC");
    const inner = disk.open(path, mode);
    this.#open.add(inner);
    return new FaultyFile(this, faults, inner, path, () => this.#open.delete(inner));
  }

  exists(path: string): boolean {
    return this.#options.disk.exists(path);
  }

  list(directory: string): string[] {
    this.require("list", directory);
    return this.#options.disk.list(directory);
  }

  makeDirectory(path: string): void {
    this.require("makeDirectory", path);
    const { disk, faults } = this.#options;
    if (faults.isFull && !disk.exists(path)) throw new DiskError("makeDirectory", path, "ENOSPC");
    disk.makeDirectory(path);
  }

  remove(path: string): void {
    this.require("remove", path);
    this.#options.disk.remove(path);
  }

  removeTree(path: string): Promise<void> {
    return this.later("removeTree", path, () => this.#options.disk.removeTree(path));
  }

  rename(from: string, to: string): void {
    this.require("rename", from);
    this.#options.disk.rename(from, to);
  }

  link(from: string, to: string): void {
    this.require("link", from);
    this.#options.disk.link(from, to);
  }

  syncDirectory(path: string): void {
    this.require("syncDirectory", path);
    if (this.#options.faults.failsSyncs) throw new DiskError("syncDirectory", path, "EIO");
    this.#options.disk.syncDirectory(path);
  }

  // For its files.

  require(operation: string, path: string): void {
    if (this.#hasEnded) throw new DiskError(operation, path, "EIO");
  }

  /** Off the event loop, and as slow as is asked. */
  async later<T>(operation: string, path: string, work: () => Promise<T>): Promise<T> {
    this.require(operation, path);
    await this.#delay();
    this.require(operation, path);
    const end = this.#options.activity.begin();
    try {
      return await work();
    } finally {
      end();
    }
  }

  async #delay(): Promise<void> {
    const { faults, timers } = this.#options;
    if (faults.slowMs === 0) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        cancel();
        resolve();
      };
      const cancel = timers.after(faults.slowMs, wake);
      this.#waiting.add(wake);
    });
  }
}

class FaultyFile implements DiskFile {
  readonly fd: number;
  readonly #disk: FaultyDisk;
  readonly #faults: DiskFaults;
  readonly #inner: DiskFile;
  readonly #path: string;
  readonly #onClosed: () => void;

  constructor(disk: FaultyDisk, faults: DiskFaults, inner: DiskFile, path: string, onClosed: () => void) {
    this.#disk = disk;
    this.#faults = faults;
    this.#inner = inner;
    this.#path = path;
    this.#onClosed = onClosed;
    this.fd = inner.fd;
  }

  write(views: readonly Uint8Array[], position: number): void {
    this.#disk.require("write", this.#path);
    const errorCode = this.#faults.takeWrite();
    if (errorCode === undefined) {
      this.#inner.write(views, position);
      return;
    }
    // A part of it is there, as of every write that fails in the middle.
    const [first] = views;
    if (first !== undefined) this.#inner.write([first.subarray(0, first.byteLength >> 1)], position);
    throw new DiskError("write", this.#path, errorCode);
  }

  read(target: Uint8Array, position: number): number {
    this.#disk.require("read", this.#path);
    return this.#inner.read(target, position);
  }

  readAsync(target: Uint8Array, position: number): Promise<number> {
    return this.#disk.later("read", this.#path, () => this.#inner.readAsync(target, position));
  }

  reserve(position: number, sizeBytes: number): boolean {
    this.#disk.require("reserve", this.#path);
    return !this.#faults.isFull && this.#inner.reserve(position, sizeBytes);
  }

  truncate(sizeBytes: number): void {
    this.#disk.require("truncate", this.#path);
    this.#inner.truncate(sizeBytes);
  }

  sizeBytes(): number {
    this.#disk.require("size", this.#path);
    return this.#inner.sizeBytes();
  }

  sync(): Promise<void> {
    return this.#disk.later("sync", this.#path, async () => {
      this.#requireSync();
      await this.#inner.sync();
    });
  }

  syncNow(): void {
    this.#disk.require("sync", this.#path);
    this.#requireSync();
    this.#inner.syncNow();
  }

  close(): void {
    this.#onClosed();
    this.#inner.close();
  }

  /** What it should have covered stays unsynced: nobody may count on it. */
  #requireSync(): void {
    if (this.#faults.failsSyncs) throw new DiskError("sync", this.#path, "EIO");
  }
}
