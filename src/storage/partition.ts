// One partition: the door to its log and its consumer offsets. Called by one shard only, so calls never overlap except
// where a promise is waited for.

import { DiskError } from "../platform/disk.ts";
import { IggyError } from "../protocol/errors.ts";
import { Appender } from "./append.ts";
import { removeCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { settled } from "./flush-group.ts";
import { ConsumerOffsets, offsetsDirectoryName } from "./offsets.ts";
import { PartitionLog, toStorageError } from "./partition-log.ts";
import { Reader } from "./read.ts";
import { giveReservedBack } from "./reserve.ts";
import { oldestRemovable, type RemovableSegment, removeExpired, removeOldest } from "./retention.ts";
import { isUnsynced, syncError, syncIndexes, syncLogs, syncLogsNow } from "./sync-files.ts";
import type { ConsumerKey, IncomingBatch, PartitionCounters, ReadFrom, ReadResult, StorageContext } from "./types.ts";

export class Partition {
  readonly #log: PartitionLog;
  readonly #offsets: ConsumerOffsets;
  readonly #appender: Appender;
  readonly #reader: Reader;

  private constructor(log: PartitionLog, offsets: ConsumerOffsets) {
    this.#log = log;
    this.#offsets = offsets;
    this.#appender = new Appender(log);
    this.#reader = new Reader(log, offsets);
  }

  /**
   * Opens what is in `directory`, repairing it (spec SB 3.7), or starts empty; nothing is created before the first write.
   * Synchronous. Damaged content is repaired and reported, never thrown. Throws `DiskError` where the disk itself fails.
   *
   * `onChange` gets the counters, always the same object, whenever they have changed.
   */
  static open(context: StorageContext, directory: string, onChange: (counters: PartitionCounters) => void): Partition {
    // A list that fails costs more than the question before it, and most partitions may be empty.
    const names = context.disk.exists(directory) ? context.disk.list(directory) : [];
    const log = new PartitionLog(context, directory, names, onChange);
    const offsets = new ConsumerOffsets(context, directory);
    if (names.includes(offsetsDirectoryName)) offsets.load(log.nextOffset);
    const partition = new Partition(log, offsets);
    if (context.options.acknowledge === "sync") partition.#syncRecovered();
    return partition;
  }

  get counters(): Readonly<PartitionCounters> {
    return this.#log.counters;
  }

  /** Changes with each purge and with the deletion: of what is read before, nothing is to be stored after. */
  get epoch(): number {
    return this.#log.epoch;
  }

  /** Whether appends are refused because the disk or a rule of our own failed. */
  get isFenced(): boolean {
    return this.#log.isFenced;
  }

  /**
   * Appends a validated batch; its memory belongs to the partition until the promise settles, at the configured level.
   * Rejects with `CannotAppendToFile` (10005) when the log could not be written (the batch is not part of the partition
   * then), with `CannotSyncFile` (10009) when it could not be made durable (it may or may not be there after a restart).
   */
  append(batch: IncomingBatch): Promise<void> {
    return this.#appender.append(batch);
  }

  /**
   * Up to `countMax` messages (0 to 2^32 - 1; fewer where the reply would be too large), by spec SB 4.6. Synchronous where
   * nothing has to be checked first. Damaged messages are left out: the result is without gaps, so it ends before them or
   * starts behind them. Rejects with `CannotReadFile` (10002) where the disk does not give what is needed.
   */
  read(from: ReadFrom, countMax: number): ReadResult | Promise<ReadResult> {
    return this.#reader.read(from, countMax);
  }

  /**
   * Stores the offset and writes it to its file before it returns. Throws `InvalidOffset` (4100) above the current offset
   * or while nothing was ever written (spec SB 4.8), and where `epoch`, that of the read whose end this is, was ended by a
   * purge; `CannotWriteToFile` (10006), also in a partition that is closed.
   */
  storeOffset(consumer: ConsumerKey, offset: number, epoch?: number): void {
    const log = this.#log;
    if (log.isClosed) throw new IggyError("CannotWriteToFile", [], { cause: new Error("the partition is closed") });
    if (offset >= log.visibleOffset || !this.#isOfNow(epoch)) throw new IggyError("InvalidOffset", [offset]);
    this.#offsets.store(consumer, offset);
  }

  getOffset(consumer: ConsumerKey): number | undefined {
    return this.#offsets.get(consumer);
  }

  /** Throws `ConsumerOffsetNotFound` (3021). */
  deleteOffset(consumer: ConsumerKey): void {
    this.#offsets.delete(consumer);
  }

  /** Removes the stored offset of a group that is deleted, with its file. Throws `CannotDeleteConsumerOffsetFile` (3011). */
  deleteGroupOffsets(groupId: number): void {
    this.#offsets.deleteGroup(groupId);
  }

  /**
   * A member of the group was sent messages up to `lastOffset` (spec SB 6.5). Kept in memory only. Messages of an `epoch`
   * that a purge ended, or of a partition that is closed, leave nothing to commit.
   */
  notePolled(groupId: number, lastOffset: number, epoch?: number): void {
    if (!this.#log.isClosed && this.#isOfNow(epoch)) this.#offsets.notePolled(groupId, lastOffset);
  }

  /** Whether the partition may move to another member: nothing was polled, or all of it is committed (spec SB 6.5). */
  isRevocationSettled(groupId: number): boolean {
    return this.#offsets.isSettled(groupId);
  }

  /** The member that polled is gone: nobody will commit what it was sent (spec SB 6.5). */
  clearLastPolled(groupId: number): void {
    this.#offsets.clearLastPolled(groupId);
  }

  /** Writes what is only in memory to the files, and syncs them where asked. Rejects with what failed. */
  async flush(fsync: boolean): Promise<void> {
    const failure = this.#appender.writeJournal(false);
    if (failure !== undefined) throw failure;
    try {
      this.#appender.writeIndexRows();
    } catch (thrown) {
      throw new IggyError("CannotSaveIndexToSegment", [], { cause: thrown });
    }
    await this.#appender.syncQueue.idle();
    if (fsync) await this.#sync();
  }

  /** The tick of the message saver (spec SB 3.4). Cheap when nothing is new. */
  save(): Promise<void> {
    const { journal, context } = this.#log;
    const isClean = journal.sizeBytes === 0 && !this.#appender.hasPendingRows;
    const fsync = context.options.enforceFsync;
    if (isClean && !(fsync && isUnsynced(this.#log))) return settled;
    return this.flush(fsync);
  }

  /** Removes all messages and consumer offsets; offsets start at 0 again (spec SB 5.3). */
  async purge(): Promise<void> {
    const log = this.#log;
    if (log.refusal !== undefined) throw log.refusal;
    this.#appender.writeJournal(false);
    await this.#appender.syncQueue.idle();
    await this.#appender.sealed();
    if (log.isAbandoned) return; // deleted meanwhile: nothing is left to purge
    // From here on without a pause: nothing comes between. What was appended while waiting goes as well, after its answer.
    this.#appender.writeJournal(false);
    const { context, directory } = log;
    const isOnDisk = log.segments.some((segment) => segment.onDisk);
    try {
      removeCheckpoint(context.disk, directory);
      this.#offsets.clear();
      this.#appender.forgetIds();
      for (const segment of log.segments) segment.removeFiles(context);
      log.restart();
      if (isOnDisk) {
        log.createActiveFiles();
        syncLogsNow(log); // what was purged does not come back after a power loss
      }
    } catch (thrown) {
      throw log.fence(thrown);
    }
  }

  /** The oldest segment, where retention may remove it (spec SB 5.1). Throws `CannotReadFile` (10002). */
  oldestRemovableSegment(): RemovableSegment | undefined {
    if (this.#log.isClosed) return undefined;
    try {
      return oldestRemovable(this.#log, this.#offsets);
    } catch (thrown) {
      if (!(thrown instanceof DiskError)) throw thrown;
      throw new IggyError("CannotReadFile", [], { cause: thrown });
    }
  }

  /**
   * Removes up to `countMax` of the oldest sealed segments that no stored offset blocks; how many (spec SB 5.2). Throws
   * `CannotDeleteFile` (10008) when the disk refuses.
   */
  removeOldestSegments(countMax: number): number {
    return this.#remove(() => removeOldest(this.#log, this.#offsets, countMax));
  }

  /** The same for those whose newest message is at least `expiryMicros` old (spec SB 5.1). */
  removeExpiredSegments(expiryMicros: number, countMax = Number.POSITIVE_INFINITY): number {
    const nowMicros = this.#log.context.clock.nowMicros();
    return this.#remove(() => removeExpired(this.#log, this.#offsets, nowMicros, expiryMicros, countMax));
  }

  /** Flushes, syncs and closes. Appends are refused from the call on. Rejects with what failed; it is closed then, too. */
  async close(): Promise<void> {
    const log = this.#log;
    if (log.isClosed) return;
    const wasFenced = log.isFenced;
    const failure = wasFenced ? undefined : this.#appender.writeJournal(false);
    log.close();
    try {
      if (failure !== undefined) throw failure;
      if (wasFenced) return;
      await this.#appender.syncQueue.idle();
      this.#appender.writeIndexRows();
      giveReservedBack(log.context.files, log.active);
      await this.#sync();
    } catch (thrown) {
      throw toStorageError(thrown);
    } finally {
      await this.#appender.sealed();
      this.#closeFiles();
    }
  }

  /** The topic is deleted: closes files and refuses what waits, without writing anything. */
  abandon(): void {
    this.#log.abandon();
    this.#appender.reject(new IggyError("CannotAppendToFile"));
    this.#closeFiles();
  }

  #isOfNow(epoch: number | undefined): boolean {
    return epoch === undefined || epoch === this.#log.epoch;
  }

  #remove(work: () => number): number {
    if (this.#log.isClosed) return 0;
    try {
      return work();
    } catch (thrown) {
      if (!(thrown instanceof DiskError)) throw thrown;
      throw new IggyError("CannotDeleteFile", [], { cause: thrown });
    }
  }

  #closeFiles(): void {
    for (const segment of this.#log.segments) segment.closeFiles(this.#log.context.files);
    this.#offsets.close();
  }

  async #sync(): Promise<void> {
    const log = this.#log;
    if (!isUnsynced(log)) return;
    try {
      await syncLogs(log);
      await syncIndexes(log);
    } catch (thrown) {
      throw syncError(log, thrown);
    }
    if (log.isAbandoned) return; // the directory is no longer ours
    this.#writeCheckpoint();
  }

  #writeCheckpoint(): void {
    const { active, context, directory } = this.#log;
    if (!active.onDisk || active.syncedSizeBytes === 0) return;
    const checkpoint = { segmentStartOffset: active.startOffset, position: active.syncedSizeBytes };
    writeCheckpoint(context.disk, directory, checkpoint, context.log);
  }

  /** Sync level: readers see only what is durable, and a killed process may have left what is not. */
  #syncRecovered(): void {
    try {
      syncLogsNow(this.#log);
    } catch (thrown) {
      this.#log.fence(thrown);
    }
  }
}
