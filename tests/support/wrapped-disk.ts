// A disk in front of another one, of which a test changes some calls: to count them, to note them, to let them fail.
import type { Disk, DiskFile } from "../../src/platform/disk.ts";

/** `inner` with `changes` in the place of its own calls. */
export function wrappedDisk(inner: Disk, changes: Partial<Disk>): Disk {
  return {
    open: (path, mode) => inner.open(path, mode),
    exists: (path) => inner.exists(path),
    list: (directory) => inner.list(directory),
    makeDirectory: (path) => inner.makeDirectory(path),
    remove: (path) => inner.remove(path),
    removeTree: (path) => inner.removeTree(path),
    rename: (from, to) => inner.rename(from, to),
    link: (from, to) => inner.link(from, to),
    syncDirectory: (path) => inner.syncDirectory(path),
    ...changes,
  };
}

/** The same for one open file. */
export function wrappedFile(inner: DiskFile, changes: Partial<DiskFile>): DiskFile {
  return {
    fd: inner.fd,
    write: (views, position) => inner.write(views, position),
    read: (target, position) => inner.read(target, position),
    readAsync: (target, position) => inner.readAsync(target, position),
    reserve: (position, sizeBytes) => inner.reserve(position, sizeBytes),
    truncate: (sizeBytes) => inner.truncate(sizeBytes),
    sizeBytes: () => inner.sizeBytes(),
    sync: () => inner.sync(),
    syncNow: () => inner.syncNow(),
    close: () => inner.close(),
    ...changes,
  };
}
