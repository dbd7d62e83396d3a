// A disk that keeps what a repair is about to overwrite. Recovery itself keeps what it cuts off logs, and damaged metadata;
// indexes and stored offsets it just puts right, which is what a start does, but not what somebody wants who looks closer.
import { copyFileSync } from "node:fs";
import { type Disk, type DiskFile, freePath, type OpenMode } from "../platform/disk.ts";

const isKeptFirst = /(\.index|\/offsets\/(consumers|groups)\/\d+)$/;

/** `base` with the methods that change something replaced; `onKept` gets the path of each copy. */
export class KeepingDisk implements Disk {
  readonly #base: Disk;
  readonly #onKept: (path: string) => void;
  readonly #kept = new Set<string>();

  constructor(base: Disk, onKept: (path: string) => void) {
    this.#base = base;
    this.#onKept = onKept;
  }

  open(path: string, mode: OpenMode): DiskFile {
    const file = this.#base.open(path, mode);
    return mode === "read" || !isKeptFirst.test(path) ? file : keepingFile(file, () => this.#keep(path));
  }

  exists(path: string): boolean {
    return this.#base.exists(path);
  }

  list(directory: string): string[] {
    return this.#base.list(directory);
  }

  makeDirectory(path: string): void {
    this.#base.makeDirectory(path);
  }

  remove(path: string): void {
    if (isKeptFirst.test(path) && this.#base.exists(path)) this.#keep(path);
    this.#base.remove(path);
  }

  removeTree(path: string): Promise<void> {
    return this.#base.removeTree(path);
  }

  rename(from: string, to: string): void {
    this.#base.rename(from, to);
  }

  link(from: string, to: string): void {
    this.#base.link(from, to);
  }

  syncDirectory(path: string): void {
    this.#base.syncDirectory(path);
  }

  /** Once for each file: as it was before the repair. */
  #keep(path: string): void {
    if (this.#kept.has(path)) return;
    this.#kept.add(path);
    const keptAs = freePath(this.#base, `${path}.damaged`);
    copyFileSync(path, keptAs);
    this.#onKept(keptAs);
  }
}

/** The file, with `keep` called before the first byte of it changes that is there already. */
function keepingFile(file: DiskFile, keep: () => void): DiskFile {
  return {
    fd: file.fd,
    write(views, position) {
      if (position < file.sizeBytes()) keep();
      file.write(views, position);
    },
    truncate(sizeBytes) {
      if (sizeBytes < file.sizeBytes()) keep();
      file.truncate(sizeBytes);
    },
    read: (target, position) => file.read(target, position),
    readAsync: (target, position) => file.readAsync(target, position),
    reserve: (position, sizeBytes) => file.reserve(position, sizeBytes),
    sizeBytes: () => file.sizeBytes(),
    sync: () => file.sync(),
    syncNow: () => file.syncNow(),
    close: () => file.close(),
  };
}
