/** One open file of a simulated disk. What it does is the disk's; it knows whether it may. */
import { DiskError, type DiskFile, type OpenMode } from "../disk.ts";
import type { SimContent } from "./sim-content.ts";
import type { SimOperation } from "./sim-faults.ts";

/** What the disk does for its files. */
export interface FileOwner {
  opened(change: 1 | -1): void;
  requireRunning(operation: string, path: string): void;
  checkFaults(operation: SimOperation, path: string): void;
  writeTo(content: SimContent, path: string, bytes: Uint8Array, position: number): void;
  truncate(content: SimContent, path: string, sizeBytes: number): void;
  reserve(content: SimContent, path: string, end: number): boolean;
  endSync(content: SimContent, path: string, mark: number): void;
  later<T>(work: () => T): Promise<T>;
}

export class SimFile implements DiskFile {
  readonly fd = -1;
  readonly #disk: FileOwner;
  readonly #path: string;
  readonly #content: SimContent;
  readonly #writable: boolean;
  #closed = false;

  constructor(disk: FileOwner, path: string, content: SimContent, mode: OpenMode) {
    this.#disk = disk;
    this.#path = path;
    this.#content = content;
    this.#writable = mode !== "read";
    disk.opened(1);
  }

  write(views: readonly Uint8Array[], position: number): void {
    this.#require("write", true);
    this.#disk.writeTo(this.#content, this.#path, joined(views), position);
  }

  read(target: Uint8Array, position: number): number {
    this.#require("read", false);
    this.#disk.checkFaults("read", this.#path);
    return this.#content.read(target, position);
  }

  async readAsync(target: Uint8Array, position: number): Promise<number> {
    this.#require("read", false);
    return this.#disk.later(() => {
      this.#disk.requireRunning("read", this.#path);
      this.#disk.checkFaults("read", this.#path);
      return this.#content.read(target, position);
    });
  }

  reserve(position: number, sizeBytes: number): boolean {
    this.#require("reserve", true);
    return this.#disk.reserve(this.#content, this.#path, position + sizeBytes);
  }

  truncate(sizeBytes: number): void {
    this.#require("truncate", true);
    this.#disk.truncate(this.#content, this.#path, sizeBytes);
  }

  sizeBytes(): number {
    this.#require("size", false);
    return this.#content.sizeBytes;
  }

  async sync(): Promise<void> {
    this.#require("sync", false);
    const mark = this.#content.syncMark();
    return this.#disk.later(() => this.#disk.endSync(this.#content, this.#path, mark));
  }

  syncNow(): void {
    this.#require("sync", false);
    this.#disk.endSync(this.#content, this.#path, this.#content.syncMark());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#disk.opened(-1);
  }

  #require(operation: string, writing: boolean): void {
    if (this.#closed || (writing && !this.#writable)) throw new DiskError(operation, this.#path, "EBADF");
    this.#disk.requireRunning(operation, this.#path);
  }
}

function joined(views: readonly Uint8Array[]): Uint8Array {
  if (views.length === 1) return views[0]!;
  const bytes = new Uint8Array(views.reduce((sum, view) => sum + view.byteLength, 0));
  let position = 0;
  for (const view of views) {
    bytes.set(view, position);
    position += view.byteLength;
  }
  return bytes;
}
