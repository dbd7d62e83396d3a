// Syncs of the files of a partition, off the event loop. Each remembers how far it got, so that none is made twice. A
// failure is for the caller, who fences the partition: after a failed sync nothing is known about the pages, and another
// try could succeed without them.

import type { PartitionLog } from "./partition-log.ts";
import type { Segment } from "./segment.ts";

/** Makes every written message durable: logs from the oldest that needs it, and the entries of their directories. */
export async function syncLogs(log: PartitionLog): Promise<void> {
  for (const directory of log.unsyncedDirectories) log.context.disk.syncDirectory(directory);
  log.unsyncedDirectories.clear();
  // Those that need it stand together at the end: segments are sealed, and synced, in their order.
  let first = log.segments.length - 1;
  while (first > 0 && isLogUnsynced(log.segments[first - 1]!)) first--;
  for (const segment of log.segments.slice(first)) await syncLog(log, segment);
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
  if (log.unsyncedDirectories.size > 0) return true;
  return log.segments.some((segment) => isLogUnsynced(segment) || segment.index.unsynced);
}

function isLogUnsynced(segment: Segment): boolean {
  return segment.syncedSizeBytes < segment.logSizeBytes;
}
