// Syncs of the files of a partition, off the event loop. Each remembers how far it got, so that none is made twice, and of
// each file one is under way at a time: of two, only one would be told of an error. A failure is for the caller, who fences
// the partition if a sync itself failed: after that nothing is known about the pages, and another try could succeed without
// them. A sync that could not begin (no descriptor) changed nothing and is tried again.

import { DiskError, isFailedSync } from "../platform/disk.ts";
import { IggyError } from "../protocol/errors.ts";
import { tailCopyBytes } from "./limits.ts";
import { type PartitionLog, toStorageError } from "./partition-log.ts";
import type { Segment } from "./segment.ts";
import type { StorageContext } from "./types.ts";

/** A file system that knows no sync of a directory: there is nothing to wait for. */
const directorySyncUnknownCodes: ReadonlySet<string> = new Set(["EINVAL", "ENOTSUP", "EOPNOTSUPP"]);

/** Makes every written message durable: logs from the oldest that needs it, and the entries of their directories. */
export async function syncLogs(log: PartitionLog): Promise<void> {
  syncDirectories(log);
  await syncLogFiles(log);
}

/** The same for messages whose names were made durable before they were written. */
export async function syncLogFiles(log: PartitionLog): Promise<void> {
  const { active, epoch } = log;
  for (const segment of log.segments.slice(log.segmentIndexOf(log.syncedBefore))) await syncLog(log, segment);
  if (log.epoch === epoch) log.syncedBefore = active.startOffset;
}

/**
 * The same at once, blocking, for what recovery found. It is written anew before: where a sync of an earlier process failed,
 * the system takes its pages for written, and another sync would succeed without them.
 */
export function syncRecoveredNow(log: PartitionLog): void {
  for (const segment of log.segments) if (isLogUnsynced(segment)) writeAnew(log.context, segment);
  syncLogsNow(log);
}

/** The same at once, blocking. */
export function syncLogsNow(log: PartitionLog): void {
  syncDirectories(log);
  for (const segment of log.segments) {
    if (!isLogUnsynced(segment)) continue;
    log.context.files.use(segment.log).syncNow();
    segment.syncedSizeBytes = segment.logSizeBytes;
  }
}

function writeAnew({ files, log }: StorageContext, segment: Segment): void {
  const bytes = new Uint8Array(Math.min(tailCopyBytes, segment.logSizeBytes - segment.syncedSizeBytes));
  try {
    const file = files.useToWrite(segment.log);
    for (let position = segment.syncedSizeBytes; position < segment.logSizeBytes; ) {
      const got = file.read(bytes.subarray(0, segment.logSizeBytes - position), position);
      if (got === 0) return; // shorter than when it was opened: nothing is left to make durable
      file.write([bytes.subarray(0, got)], position);
      position += got;
    }
  } catch (thrown) {
    if (!(thrown instanceof DiskError)) throw thrown;
    // A disk that is full or read-only loses nothing by a sync of what it has.
    log.warn("recovered messages not written anew before their sync", { path: thrown.path, error: thrown.message });
  }
}

/**
 * What names the messages: the mark, and the entries of directories, from the top down, so that none is durable in a
 * directory whose own is not. Throws `DiskError`.
 */
export function syncDirectories(log: PartitionLog): void {
  log.mark?.sync();
  for (const directory of log.unsyncedDirectories) syncDirectoryOf(log, directory);
  log.forgetDirectories();
}

/**
 * The same for a partition that is in use, where anything of it needs a sync. Fences it where a sync failed, and throws the
 * error for those who wait.
 */
export function syncNames(log: PartitionLog): void {
  const isDurable = !log.hasUnsyncedDirectories && log.mark?.isUnsynced !== true;
  if (isDurable || log.isClosed) return;
  try {
    syncDirectories(log);
  } catch (thrown) {
    throw syncError(log, thrown);
  }
}

/** Makes the entries of `path` durable, which is the directory of the partition, above or below it. Throws `DiskError`. */
export function syncDirectoryOf(log: PartitionLog, path: string): void {
  const { disk, files } = log.context;
  try {
    files.withRoom(() => disk.syncDirectory(path));
  } catch (thrown) {
    if (!(thrown instanceof DiskError)) throw thrown;
    // A directory that we may not even read was not made by us, and neither was our entry in it.
    const isForeign = thrown.errorCode === "EACCES" && !path.startsWith(log.directory);
    // One that was taken away has no entries.
    const isGone = thrown.errorCode === "ENOENT";
    if (!isForeign && !isGone && !directorySyncUnknownCodes.has(thrown.errorCode)) throw thrown;
  }
}

/** Makes the index files durable as well. */
export async function syncIndexes(log: PartitionLog): Promise<void> {
  for (const segment of [...log.segments]) await syncIndex(log, segment);
}

/**
 * Resolves when what the log of `segment` held at the call is durable, or the segment was purged or removed by retention.
 * Rejects with `CannotSyncFile` where the partition was deleted before.
 */
export async function syncLog(log: PartitionLog, segment: Segment): Promise<void> {
  const wantedBytes = segment.logSizeBytes;
  while (segment.syncedSizeBytes < wantedBytes) {
    requireNotAbandoned(log);
    if (segment.isRemoved) return;
    if (log.isFenced && log.refusal !== undefined) throw log.refusal;
    if (segment.logSync === undefined) {
      const file = log.context.files.pin(segment.log);
      segment.logSync = endLogSync(log, segment, file.sync());
    }
    await segment.logSync;
  }
}

async function endLogSync(log: PartitionLog, segment: Segment, syncing: Promise<void>): Promise<void> {
  const coveredBytes = segment.logSizeBytes;
  try {
    await syncing;
  } finally {
    segment.logSync = undefined;
    log.context.files.unpin(segment.log);
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

/**
 * Nobody is told that something of a partition is durable which is not, only because the partition is deleted: below level
 * sync the deletion is carried out before it is durable, and a power loss may bring back the partition, without what was
 * not synced. Throws `CannotSyncFile` (10009).
 */
export function requireNotAbandoned(log: PartitionLog): void {
  if (!log.isAbandoned) return;
  throw new IggyError("CannotSyncFile", [], { cause: new Error("the partition was deleted before the sync") });
}

/**
 * The error for those who wait for a sync that did not succeed. Fences the partition if a sync itself failed, unless it was
 * deleted meanwhile.
 */
export function syncError(log: PartitionLog, thrown: unknown): IggyError {
  if (log.isAbandoned) return toStorageError(thrown);
  const changedNothing = thrown instanceof DiskError && !isFailedSync(thrown);
  return changedNothing ? new IggyError("CannotSyncFile", [], { cause: thrown }) : log.fence(thrown);
}

/** Whether a sync would make anything more durable. */
export function isUnsynced(log: PartitionLog): boolean {
  if (log.hasUnsyncedDirectories || log.mark?.isUnsynced === true) return true;
  return log.segments.some((segment) => isLogUnsynced(segment) || segment.index.unsynced);
}

function isLogUnsynced(segment: Segment): boolean {
  return segment.syncedSizeBytes < segment.logSizeBytes;
}
