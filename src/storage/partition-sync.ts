// Makes what a partition holds durable: its messages with their index rows and what names them, and its stored offsets.
import { DiskError } from "../platform/disk.ts";
import { IggyError } from "../protocol/errors.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import type { ConsumerOffsets } from "./offsets.ts";
import type { PartitionLog } from "./partition-log.ts";
import { isUnsynced, requireNotAbandoned, syncError, syncIndexes, syncLogs, syncNames } from "./sync-files.ts";

export class PartitionSync {
  readonly #log: PartitionLog;
  readonly #offsets: ConsumerOffsets;

  constructor(log: PartitionLog, offsets: ConsumerOffsets) {
    this.#log = log;
    this.#offsets = offsets;
  }

  /**
   * All of it. Consumers go on where no message is taken any more: their offsets are synced whatever becomes of the rest. Rejects
   * with what failed.
   */
  async all(): Promise<void> {
    try {
      await this.messages();
    } finally {
      await this.offsets();
    }
  }

  /** What the files of the log hold, and a checkpoint behind it. Rejects with what failed; a failed sync fences the partition. */
  async messages(): Promise<void> {
    const log = this.#log;
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
  async offsets(): Promise<void> {
    try {
      await this.#offsets.sync();
    } catch (thrown) {
      if (!(thrown instanceof DiskError)) throw thrown;
      throw new IggyError("CannotSyncFile", [], { cause: thrown });
    }
  }

  /** The same, and what names the partition before them. */
  async persistOffsets(): Promise<void> {
    syncNames(this.#log);
    await this.offsets();
  }
}
