// A disk in memory with switches for failures. It loses nothing and tears nothing; crashes have their own simulation.

import { type Disk, DiskError, type DiskFile, type OpenMode } from "../../src/platform/disk.ts";

interface Content {
  bytes: Uint8Array;
  sizeBytes: number;
}

export class MemoryDisk implements Disk {
  readonly files = new Map<string, Content>();
  readonly directories = new Set<string>();
  /** Every write: path and the number of views, in order. */
  readonly writes: { path: string; viewsCount: number; sizeBytes: number }[] = [];
  readonly syncs: string[] = [];
  openCount = 0;
  /** Bytes that may still be written before `ENOSPC`; the write that fails leaves what fitted. */
  freeBytes = Number.POSITIVE_INFINITY;
  /** Fails the operation if it returns true or the code of an error. */
  fails: (operation: string, path: string) => boolean | string = () => false;
  /** Writes are counted, not kept. */
  keepsNothing = false;
  /** While set, syncs wait for it. */
  syncGate: Promise<void> | undefined;

  open(path: string, mode: OpenMode): DiskFile {
    this.check("open", path);
    let content = this.files.get(path);
    if (content === undefined) {
      if (mode !== "create") throw new DiskError("open", path, "ENOENT");
      content = { bytes: new Uint8Array(0), sizeBytes: 0 };
      this.files.set(path, content);
    }
    this.openCount++;
    return new MemoryFile(this, path, content);
  }

  exists(path: string): boolean {
    if (this.files.has(path) || this.directories.has(path)) return true;
    return [...this.files.keys()].some((name) => name.startsWith(`${path}/`));
  }

  list(directory: string): string[] {
    const names = new Set<string>();
    for (const path of this.files.keys()) {
      if (path.startsWith(`${directory}/`)) names.add(path.slice(directory.length + 1).split("/")[0]!);
    }
    return [...names].sort();
  }

  makeDirectory(path: string): void {
    this.check("makeDirectory", path);
    this.directories.add(path);
  }

  remove(path: string): void {
    this.check("remove", path);
    this.files.delete(path);
  }

  async removeTree(path: string): Promise<void> {
    this.check("removeTree", path);
    for (const name of [...this.files.keys()]) if (name.startsWith(`${path}/`)) this.files.delete(name);
  }

  rename(from: string, to: string): void {
    this.check("rename", from);
    if (!this.exists(from)) throw new DiskError("rename", from, "ENOENT");
    for (const [path, content] of [...this.files]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.files.delete(path);
      this.files.set(to + path.slice(from.length), content);
    }
    for (const path of [...this.directories]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.directories.delete(path);
      this.directories.add(to + path.slice(from.length));
    }
  }

  link(from: string, to: string): void {
    this.check("link", from);
    const content = this.files.get(from);
    if (content === undefined) throw new DiskError("link", from, "ENOENT");
    this.files.set(to, content);
  }

  syncDirectory(path: string): void {
    this.check("syncDirectory", path);
    this.syncs.push(path);
  }

  check(operation: string, path: string): void {
    const failure = this.fails(operation, path);
    if (failure !== false) throw new DiskError(operation, path, failure === true ? "EIO" : failure);
  }

  /** A copy of a file's bytes. */
  read(path: string): Uint8Array {
    const content = this.files.get(path);
    if (content === undefined) throw new DiskError("read", path, "ENOENT");
    return content.bytes.slice(0, content.sizeBytes);
  }

  put(path: string, bytes: Uint8Array): void {
    this.files.set(path, { bytes: bytes.slice(), sizeBytes: bytes.byteLength });
  }

  /** An independent disk with the same files. */
  copy(): MemoryDisk {
    const disk = new MemoryDisk();
    for (const [path, content] of this.files) disk.put(path, content.bytes.subarray(0, content.sizeBytes));
    return disk;
  }
}

class MemoryFile implements DiskFile {
  readonly fd = -1;
  readonly #disk: MemoryDisk;
  readonly #path: string;
  readonly #content: Content;
  #closed = false;

  constructor(disk: MemoryDisk, path: string, content: Content) {
    this.#disk = disk;
    this.#path = path;
    this.#content = content;
  }

  write(views: readonly Uint8Array[], position: number): void {
    this.#check("write");
    const sizeBytes = views.reduce((sum, view) => sum + view.byteLength, 0);
    this.#disk.writes.push({ path: this.#path, viewsCount: views.length, sizeBytes });
    if (this.#disk.keepsNothing) return;
    let at = position;
    for (const view of views) {
      const fitting = view.subarray(0, Math.max(0, Math.min(view.byteLength, this.#disk.freeBytes)));
      this.#grow(at + fitting.byteLength);
      this.#content.bytes.set(fitting, at);
      this.#disk.freeBytes -= fitting.byteLength;
      at += fitting.byteLength;
      if (fitting.byteLength < view.byteLength) throw new DiskError("write", this.#path, "ENOSPC");
    }
  }

  read(target: Uint8Array, position: number): number {
    this.#check("read");
    const end = Math.min(this.#content.sizeBytes, position + target.byteLength);
    if (position >= end) return 0;
    target.set(this.#content.bytes.subarray(position, end));
    return end - position;
  }

  async readAsync(target: Uint8Array, position: number): Promise<number> {
    await Promise.resolve();
    return this.read(target, position);
  }

  reserve(): boolean {
    return false;
  }

  truncate(sizeBytes: number): void {
    this.#check("truncate");
    this.#grow(sizeBytes);
    this.#content.bytes.fill(0, sizeBytes);
    this.#content.sizeBytes = sizeBytes;
  }

  sizeBytes(): number {
    this.#check("size");
    return this.#content.sizeBytes;
  }

  async sync(): Promise<void> {
    this.#check("sync");
    await this.#disk.syncGate;
    this.syncNow();
  }

  syncNow(): void {
    this.#disk.check("sync", this.#path);
    this.#disk.syncs.push(this.#path);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#disk.openCount--;
  }

  #check(operation: string): void {
    if (this.#closed) throw new DiskError(operation, this.#path, "EBADF");
    this.#disk.check(operation, this.#path);
  }

  #grow(sizeBytes: number): void {
    const content = this.#content;
    if (sizeBytes > content.bytes.byteLength) {
      const bytes = new Uint8Array(Math.max(sizeBytes, 2 * content.bytes.byteLength));
      bytes.set(content.bytes);
      content.bytes = bytes;
    }
    content.sizeBytes = Math.max(content.sizeBytes, sizeBytes);
  }
}
