/** Names of the metadata files in their directory, and the steps that more than one of their users needs. */
import type { Disk } from "../platform/disk.ts";

export interface MetadataPaths {
  readonly directory: string;
  readonly log: string;
  /** The log up to the newest snapshot: what is needed if that snapshot turns out damaged. */
  readonly previousLog: string;
  readonly snapshot: string;
  readonly previousSnapshot: string;
  /** Being written; whole once it is synced, even before it is renamed. */
  readonly newSnapshot: string;
}

export function metadataPaths(directory: string): MetadataPaths {
  return {
    directory,
    log: `${directory}/metadata.log`,
    previousLog: `${directory}/metadata.log.previous`,
    snapshot: `${directory}/metadata.snapshot`,
    previousSnapshot: `${directory}/metadata.snapshot.previous`,
    newSnapshot: `${directory}/metadata.snapshot.tmp`,
  };
}

/** All bytes of a file, or undefined if it does not exist. */
export function readFile(disk: Disk, path: string): Uint8Array | undefined {
  if (!disk.exists(path)) return undefined;
  const file = disk.open(path, "read");
  try {
    const bytes = new Uint8Array(file.sizeBytes());
    return bytes.subarray(0, file.read(bytes, 0));
  } finally {
    file.close();
  }
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

/** `<path>.damaged-<n>` with the first n that is free. */
export function damagedPath(disk: Disk, path: string): string {
  let number = 1;
  while (disk.exists(`${path}.damaged-${number}`)) number++;
  return `${path}.damaged-${number}`;
}
