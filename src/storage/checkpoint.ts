// The checkpoint says up to where the log of a partition was durable: recovery looks closely only at what comes behind.
// It is never needed. A missing, damaged or outdated one costs a longer scan, so nothing here is synced.
//
// Layout, little-endian: [segment start offset u64][position u64][XXH3 of the first 16 bytes u64]

import { type Disk, DiskError } from "../platform/disk.ts";
import type { StorageLog } from "./types.ts";

export interface Checkpoint {
  readonly segmentStartOffset: number;
  /** Bytes of that segment's log that a sync covered. */
  readonly position: number;
}

/** Name of its file in the directory of the partition. */
export const checkpointName = "checkpoint";
const temporaryName = "checkpoint.tmp";
const checkedBytes = 16;
const fileBytes = 24;

/** The checkpoint of a partition directory, where there is one; undefined, and a line in the log, when it cannot be trusted. */
export function readCheckpoint(disk: Disk, directory: string, log: StorageLog): Checkpoint | undefined {
  const path = `${directory}/${checkpointName}`;
  const bytes = new Uint8Array(fileBytes);
  const view = new DataView(bytes.buffer);
  try {
    const file = disk.open(path, "read");
    try {
      const isWhole = file.read(bytes, 0) === fileBytes;
      if (isWhole && view.getBigUint64(checkedBytes, true) === Bun.hash.xxHash3(bytes.subarray(0, checkedBytes))) {
        return {
          segmentStartOffset: Number(view.getBigUint64(0, true)),
          position: Number(view.getBigUint64(8, true)),
        };
      }
    } finally {
      file.close();
    }
    log.warn("checkpoint is damaged, all of the last segment is looked at", { path });
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    log.warn("checkpoint cannot be read, all of the last segment is looked at", { path, error: error.message });
  }
  return undefined;
}

/** Replaces the checkpoint. Call it after the sync that covers the position. A failure is only logged. */
export function writeCheckpoint(disk: Disk, directory: string, checkpoint: Checkpoint, log: StorageLog): void {
  const bytes = new Uint8Array(fileBytes);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(checkpoint.segmentStartOffset), true);
  view.setBigUint64(8, BigInt(checkpoint.position), true);
  view.setBigUint64(checkedBytes, Bun.hash.xxHash3(bytes.subarray(0, checkedBytes)), true);
  try {
    const file = disk.open(`${directory}/${temporaryName}`, "create");
    try {
      file.truncate(0);
      file.write([bytes], 0);
    } finally {
      file.close();
    }
    disk.rename(`${directory}/${temporaryName}`, `${directory}/${checkpointName}`);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    log.warn("checkpoint not written, the next start scans more", { directory, error: error.message });
  }
}
