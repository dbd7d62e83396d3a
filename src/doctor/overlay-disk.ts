// A disk whose changes stay in memory: a whole start can be tried on a data directory without a byte of it being changed.
// What was not changed is read from the disk below, which is only ever opened for reading.
import { assert } from "../platform/assert.ts";
import { type Disk, DiskError, type DiskFile, type OpenMode, readWhole } from "../platform/disk.ts";

/** Content of a changed file; its bytes are replaced when it grows. */
interface ChangedFile {
  bytes: Uint8Array;
}

export class OverlayDisk implements Disk {
  readonly #base: Disk;
  /** Files that are not as they are below; null: removed. */
  readonly #changed = new Map<string, ChangedFile | null>();
  readonly #madeDirectories = new Set<string>();

  constructor(base: Disk) {
    this.#base = base;
  }

  /** Paths of the files that were changed, made or removed. */
  get changedPaths(): string[] {
    return [...this.#changed.keys()];
  }

  open(path: string, mode: OpenMode): DiskFile {
    const changed = this.#changed.get(path);
    if (changed === null && mode !== "create") throw new DiskError("open", path, "ENOENT");
    if (changed === undefined && mode === "create" && !this.#base.exists(path)) this.#changed.set(path, emptyFile());
    if (changed === null) this.#changed.set(path, emptyFile());
    const below = this.#changed.has(path) ? undefined : this.#base.open(path, "read");
    return new OverlayFile(path, below, {
      current: () => this.#changed.get(path) ?? undefined,
      change: () => this.#change(path),
    });
  }

  exists(path: string): boolean {
    const changed = this.#changed.get(path);
    if (changed !== undefined) return changed !== null;
    return this.#madeDirectories.has(path) || this.#base.exists(path);
  }

  list(directory: string): string[] {
    const names = new Set(this.#base.list(directory));
    const prefix = `${directory}/`;
    for (const [path, changed] of this.#changed) {
      if (!path.startsWith(prefix)) continue;
      const name = path.slice(prefix.length);
      if (name.includes("/")) continue;
      if (changed === null) names.delete(name);
      else names.add(name);
    }
    return [...names].sort();
  }

  makeDirectory(path: string): void {
    this.#madeDirectories.add(path);
  }

  remove(path: string): void {
    if (this.exists(path)) this.#changed.set(path, null);
  }

  removeTree(path: string): Promise<void> {
    return Promise.reject(new DiskError("removeTree", path, "ENOTSUP"));
  }

  /** Of files only: nothing that is tried here moves a directory. */
  rename(from: string, to: string): void {
    const file = this.#change(from);
    this.#changed.set(to, file);
    this.#changed.set(from, null);
  }

  link(from: string): never {
    throw new DiskError("link", from, "ENOTSUP");
  }

  syncDirectory(): void {
    // nothing here is to last
  }

  #change(path: string): ChangedFile {
    const changed = this.#changed.get(path);
    if (changed === null) throw new DiskError("open", path, "ENOENT");
    if (changed !== undefined) return changed;
    const file = { bytes: readWhole(this.#base, path) };
    this.#changed.set(path, file);
    return file;
  }
}

function emptyFile(): ChangedFile {
  return { bytes: new Uint8Array(0) };
}

/** How an open file reaches what the overlay has of it. */
interface OverlayAccess {
  /** Undefined: it is as it is below. */
  current(): ChangedFile | undefined;
  change(): ChangedFile;
}

class OverlayFile implements DiskFile {
  readonly fd = -1;
  readonly #path: string;
  readonly #below: DiskFile | undefined;
  readonly #access: OverlayAccess;

  constructor(path: string, below: DiskFile | undefined, access: OverlayAccess) {
    this.#path = path;
    this.#below = below;
    this.#access = access;
  }

  write(views: readonly Uint8Array[], position: number): void {
    const file = this.#access.change();
    let at = position;
    for (const view of views) {
      if (at + view.byteLength > file.bytes.byteLength) file.bytes = resized(file.bytes, at + view.byteLength);
      file.bytes.set(view, at);
      at += view.byteLength;
    }
  }

  read(target: Uint8Array, position: number): number {
    const changed = this.#access.current();
    if (changed === undefined) return this.#requireBelow().read(target, position);
    const bytes = changed.bytes.subarray(position, position + target.byteLength);
    target.set(bytes);
    return bytes.byteLength;
  }

  async readAsync(target: Uint8Array, position: number): Promise<number> {
    return this.read(target, position);
  }

  reserve(): boolean {
    return false;
  }

  truncate(sizeBytes: number): void {
    const file = this.#access.change();
    file.bytes = resized(file.bytes, sizeBytes);
  }

  sizeBytes(): number {
    return this.#access.current()?.bytes.byteLength ?? this.#requireBelow().sizeBytes();
  }

  async sync(): Promise<void> {
    // nothing here is to last
  }

  syncNow(): void {
    // the same
  }

  close(): void {
    this.#below?.close();
  }

  #requireBelow(): DiskFile {
    assert(this.#below !== undefined, "a file that was not changed is open below", { path: this.#path });
    return this.#below;
  }
}

function resized(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  const result = new Uint8Array(sizeBytes);
  result.set(bytes.subarray(0, sizeBytes));
  return result;
}
