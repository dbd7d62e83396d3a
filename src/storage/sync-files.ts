// Syncs of the files of a partition, off the event loop. Each remembers how far it got, so that none is made twice. A
// failure is for the caller, who fences the partition: after a failed sync nothing is known about the pages, and another
// try could succeed without them.

import { DiskError } from "../platform/disk.ts";
import type { PartitionLog } from "./partition-log.ts";
import type { Segment } from "./segment.ts";

/** Makes every written message durable: logs from the oldest that needs it, and the entries of their directories. */
export async function syncLogs(log: PartitionLog): Promise<void> {
  syncDirectories(log);
  const { active, epoch } = log;
  for (const segment of log.segments.slice(log.segmentIndexOf(log.syncedBefore))) await syncLog(log, segment);
  if (log.epoch === epoch) log.syncedBefore = active.startOffset;
}

/** The same at once, blocking; for what recovery found. */
export function syncLogsNow(log: PartitionLog): void {
  syncDirectories(log);
  for (const segment of log.segments) {
    if (!isLogUnsynced(segment)) continue;
    log.context.files.use(segment.log).syncNow();
    segment.syncedSizeBytes = segment.logSizeBytes;
  }
}

function syncDirectories(log: PartitionLog): void {
  for (const directory of log.unsyncedDirectories) {
    try {
      log.context.disk.syncDirectory(directory);
    } catch (thrown) {
      // A directory that we may not even read was not made by us, and neither was our entry in it.
      const isForeign = thrown instanceof DiskError && thrown.errorCode === "EACCES" && directory !== log.directory;
      if (!isForeign) throw thrown;
    }
  }
  log.forgetDirectories();
}

/** Makes the index files durable as well. */
export async function syncIndexes(log: PartitionLog): Promise<void> {
  for (const segment of [...log.segments]) await syncIndex(log, segment);
}

export async function syncLog(log: PartitionLog, segment: Segment): Promise<void> {
  if (segment.isRemoved || !isLogUnsynced(segment)) return;
  const files = log.context.files;
  const coveredBytes = segment.logSizeBytes;
  const file = files.pin(segment.log);
  try {
    await file.sync();
  } finally {
    files.unpin(segment.log);
  }
  // Of two syncs of one file at a time only one is told of an error; the other one's success means nothing then.
  if (log.isFenced && log.refusal !== undefined) throw log.refusal;
  segment.syncedSizeBytes = Math.max(segment.syncedSizeBytes, coveredBytes);
}

export async function syncIndex(log: PartitionLog, segment: Segment): Promise<void> {
  const { index } = segment;
  if (segment.isRemoved || !index.unsynced) return;
  const files = log.context.files;
  const file = files.pin(index.file);
  index.unsynced = false;
  try {
    await file.sync();
  } finally {
    files.unpin(index.file);
  }
}

/** Whether a sync would make anything more durable. */
export function isUnsynced(log: PartitionLog): boolean {
  if (log.unsyncedDirectories.length > 0) return true;
  return log.segments.some((segment) => isLogUnsynced(segment) || segment.index.unsynced);
}

function isLogUnsynced(segment: Segment): boolean {
  return segment.syncedSizeBytes < segment.logSizeBytes;
}
