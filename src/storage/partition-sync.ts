// Makes what a partition holds durable: its messages with their index rows and what names them, and its stored offsets.
import { DiskError } from "../platform/disk.ts";
import { IggyError } from "../protocol/errors.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import type { ConsumerOffsets } from "./offsets.ts";
import type { PartitionLog } from "./partition-log.ts";
import { isUnsynced, requireNotAbandoned, syncError, syncIndexes, syncLogs, syncNames } from "./sync-files.ts";

/**
 * All of it. Consumers go on where no message is taken any more: their offsets are synced whatever becomes of the rest. Rejects
 * with what failed.
 */
export async function syncAll(log: PartitionLog, offsets: ConsumerOffsets): Promise<void> {
  try {
    await syncMessages(log);
  } finally {
    await syncOffsets(offsets);
  }
}

/** What the files of the log hold, and a checkpoint behind it. Rejects with what failed; a failed sync fences the partition. */
export async function syncMessages(log: PartitionLog): Promise<void> {
  if (!isUnsynced(log)) return;
  requireNotAbandoned(log);
  try {
    await syncLogs(log);
    await syncIndexes(log);
  } catch (thrown) {
    throw syncError(log, thrown);
  }
  const { active, context, directory } = log;
  if (log.isAbandoned || !active.onDisk || active.syncedSizeBytes === 0) return; // or the directory is no longer ours
  const checkpoint = { segmentStartOffset: active.startOffset, position: active.syncedSizeBytes };
  writeCheckpoint(context.disk, directory, checkpoint, context.log);
}

/** Stored and deleted offsets. Rejects with `CannotSyncFile` (10009). */
export async function syncOffsets(offsets: ConsumerOffsets): Promise<void> {
  try {
    await offsets.sync();
  } catch (thrown) {
    if (!(thrown instanceof DiskError)) throw thrown;
    throw new IggyError("CannotSyncFile", [], { cause: thrown });
  }
}

/** The same, and what names the partition before them. */
export async function persistOffsets(log: PartitionLog, offsets: ConsumerOffsets): Promise<void> {
  syncNames(log);
  await syncOffsets(offsets);
}
