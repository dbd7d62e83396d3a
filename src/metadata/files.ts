/** Names of the metadata files in their directory, and the steps that more than one of their users needs. */
import { type Disk, freePath, readWhole } from "../platform/disk.ts";

export interface MetadataPaths {
  readonly directory: string;
  readonly log: string;
  /** The log up to the newest snapshot: what is needed if that snapshot turns out damaged. */
  readonly previousLog: string;
  readonly snapshot: string;
  readonly previousSnapshot: string;
  /** Being written; whole once it is synced, even before it is renamed. */
  readonly newSnapshot: string;
  /** There while users are locked because metadata is lost. */
  readonly damageNotice: string;
}

export function metadataPaths(directory: string): MetadataPaths {
  return {
    directory,
    log: `${directory}/metadata.log`,
    previousLog: `${directory}/metadata.log.previous`,
    snapshot: `${directory}/metadata.snapshot`,
    previousSnapshot: `${directory}/metadata.snapshot.previous`,
    newSnapshot: `${directory}/metadata.snapshot.tmp`,
    damageNotice: `${directory}/metadata.damage`,
  };
}

/** All bytes of a file, or undefined if it does not exist. */
export function readFile(disk: Disk, path: string): Uint8Array | undefined {
  return disk.exists(path) ? readWhole(disk, path) : undefined;
}

/** Writes a whole file and makes its bytes durable (its name is durable after `syncDirectory`). */
export function writeFile(disk: Disk, path: string, bytes: Uint8Array): void {
  const file = disk.open(path, "create");
  try {
    file.truncate(0);
    file.write([bytes], 0);
    file.syncNow();
  } finally {
    file.close();
  }
}

/** Where what is damaged at `path` is kept. */
export function damagedPath(disk: Disk, path: string): string {
  return freePath(disk, `${path}.damaged`);
}

export function syncFile(disk: Disk, path: string): void {
  const file = disk.open(path, "readWrite");
  try {
    file.syncNow();
  } finally {
    file.close();
  }
}

/** Puts `bytes` of the file at `path` aside under a name of their own, durably; returns their path. */
export function keepBytes(disk: Disk, { directory }: MetadataPaths, path: string, bytes: Uint8Array): string {
  const keptAs = damagedPath(disk, path);
  try {
    writeFile(disk, keptAs, bytes);
  } catch (error) {
    disk.remove(keptAs);
    throw error;
  }
  disk.syncDirectory(directory);
  return keptAs;
}

/** Keeps the file at `path` as it is under another name too. */
export function keepCopy(disk: Disk, paths: MetadataPaths, path: string): string {
  return keepBytes(disk, paths, path, readFile(disk, path) ?? new Uint8Array(0));
}

/** The file at `path` has another name afterwards, durably. */
export function keepRenamed(disk: Disk, paths: MetadataPaths, path: string): string {
  const keptAs = damagedPath(disk, path);
  disk.rename(path, keptAs);
  disk.syncDirectory(paths.directory);
  return keptAs;
}
