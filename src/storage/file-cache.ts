// Open files of one shard. A partition costs descriptors only while it is used: files open on demand, and the least
// recently used one closes when there are too many, or when the process may open no more. A pinned file (a reply that still
// needs it, a sync under way) stays open, so the limit can be passed for a moment.
//
// A file that may not be opened for writing (a file system that went read-only) is still read; whoever writes asks for that.
//
// Unsynced bytes of a closed file are not lost: they belong to the inode, and a sync through a later descriptor of the
// same file covers them.

import { assert } from "../platform/assert.ts";
import { type Disk, DiskError, type DiskFile, type OpenMode } from "../platform/disk.ts";

/** The process, or the system, has no descriptor left. */
const exhaustedCodes: ReadonlySet<string> = new Set(["EMFILE", "ENFILE"]);
/** The file can perhaps be read, but not written. */
const readOnlyCodes: ReadonlySet<string> = new Set(["EROFS", "EACCES", "EPERM"]);

/** One file that may be open or not. Used through its cache only. */
export class CachedFile {
  // Apart: there may be very many files, and those of a directory share the text of its path.
  readonly #directory: string;
  readonly #name: string;
  /** Set while open. */
  file: DiskFile | null = null;
  pinsCount = 0;
  /** Neighbours in the order of use while open. */
  newer: CachedFile | null = null;
  older: CachedFile | null = null;
  /** Closed for good as soon as the last pin is gone. */
  discarded = false;
  /** Whether `file` cannot be written. */
  isReadOnly = false;
  /** A descriptor that cannot be written and that somebody still reads, beside one that can. */
  readOnlyFile: DiskFile | null = null;

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#name = name;
  }

  get path(): string {
    return `${this.#directory}/${this.#name}`;
  }
}

export class FileCache {
  readonly #disk: Disk;
  readonly #openFilesMax: number;
  #newest: CachedFile | null = null;
  #oldest: CachedFile | null = null;
  #openCount = 0;

  constructor(disk: Disk, openFilesMax: number) {
    assert(openFilesMax >= 1, "a shard may keep at least one file open");
    this.#disk = disk;
    this.#openFilesMax = openFilesMax;
  }

  get openCount(): number {
    return this.#openCount;
  }

  /**
   * The open file, for reads and syncs, valid until the next call to this cache; throws `DiskError` (`ENOENT` for a missing
   * file).
   */
  use(entry: CachedFile): DiskFile {
    const file = entry.file;
    if (file !== null) {
      if (this.#newest !== entry) {
        this.#unlink(entry);
        this.#link(entry);
      }
      return file;
    }
    try {
      return this.#open(entry, "readWrite");
    } catch (thrown) {
      if (!hasCode(thrown, readOnlyCodes)) throw thrown;
      const readable = this.#open(entry, "read");
      entry.isReadOnly = true;
      return readable;
    }
  }

  /** The same for changes: throws `DiskError` as long as the file cannot be written. */
  useToWrite(entry: CachedFile): DiskFile {
    if (entry.file === null) return this.#open(entry, "readWrite");
    if (entry.isReadOnly) this.#makeWritable(entry, entry.file);
    return this.use(entry);
  }

  /**
   * Runs `work`, which takes a descriptor for a moment; where there is none, files that were not used lately close and it
   * runs again.
   */
  withRoom<T>(work: () => T): T {
    for (;;) {
      try {
        return work();
      } catch (thrown) {
        if (!hasCode(thrown, exhaustedCodes) || !this.#closeSome()) throw thrown;
      }
    }
  }

  /** Makes the file, or empties it if there is one, and leaves it open. */
  create(entry: CachedFile): DiskFile {
    const file = entry.file === null ? this.#open(entry, "create") : this.useToWrite(entry);
    if (file.sizeBytes() > 0) file.truncate(0);
    return file;
  }

  /** Like `use`, but the file stays open until `unpin`. */
  pin(entry: CachedFile): DiskFile {
    const file = this.use(entry);
    entry.pinsCount++;
    return file;
  }

  unpin(entry: CachedFile): void {
    assert(entry.pinsCount > 0, "a file is unpinned as often as it was pinned");
    entry.pinsCount--;
    if (entry.pinsCount > 0) return;
    entry.readOnlyFile?.close();
    entry.readOnlyFile = null;
    if (entry.discarded) this.#close(entry);
    else if (this.#openCount > this.#openFilesMax) this.#evict();
  }

  /** Closes the file, at its last unpin if it is pinned. The entry can be used again afterwards. */
  discard(entry: CachedFile): void {
    if (entry.file === null) return;
    if (entry.pinsCount > 0) entry.discarded = true;
    else this.#close(entry);
  }

  #open(entry: CachedFile, mode: OpenMode): DiskFile {
    const file = this.withRoom(() => this.#disk.open(entry.path, mode));
    entry.file = file;
    entry.discarded = false;
    entry.isReadOnly = false;
    this.#openCount++;
    this.#link(entry);
    if (this.#openCount > this.#openFilesMax) this.#evict();
    return file;
  }

  #makeWritable(entry: CachedFile, readable: DiskFile): void {
    entry.file = this.withRoom(() => this.#disk.open(entry.path, "readWrite"));
    entry.isReadOnly = false;
    if (entry.pinsCount > 0) entry.readOnlyFile = readable;
    else readable.close();
  }

  /** Closes a quarter of the files, the least recently used ones that nobody holds; whether there was any. */
  #closeSome(): boolean {
    const openBefore = this.#openCount;
    const enough = openBefore - Math.ceil(openBefore / 4);
    let entry = this.#oldest;
    while (entry !== null && this.#openCount > enough) {
      const next = entry.newer;
      if (entry.pinsCount === 0) this.#close(entry);
      entry = next;
    }
    return this.#openCount < openBefore;
  }

  /** Closes the oldest files that nobody holds; never the newest, which is about to be used. */
  #evict(): void {
    let entry = this.#oldest;
    while (entry !== null && entry !== this.#newest && this.#openCount > this.#openFilesMax) {
      const next = entry.newer;
      if (entry.pinsCount === 0) this.#close(entry);
      entry = next;
    }
  }

  #close(entry: CachedFile): void {
    const file = entry.file;
    if (file === null) return;
    this.#unlink(entry);
    entry.file = null;
    entry.discarded = false;
    this.#openCount--;
    file.close();
  }

  #link(entry: CachedFile): void {
    entry.older = this.#newest;
    entry.newer = null;
    if (this.#newest !== null) this.#newest.newer = entry;
    this.#newest = entry;
    this.#oldest ??= entry;
  }

  #unlink(entry: CachedFile): void {
    if (entry.newer !== null) entry.newer.older = entry.older;
    else this.#newest = entry.older;
    if (entry.older !== null) entry.older.newer = entry.newer;
    else this.#oldest = entry.newer;
    entry.newer = null;
    entry.older = null;
  }
}

function hasCode(thrown: unknown, codes: ReadonlySet<string>): boolean {
  return thrown instanceof DiskError && codes.has(thrown.errorCode);
}
