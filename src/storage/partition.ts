// One partition: the door to its log and its consumer offsets. Called by one shard only, so calls never overlap except
// where a promise is waited for.

import { DiskError, isFailedSync } from "../platform/disk.ts";
import { IggyError } from "../protocol/errors.ts";
import { Appender } from "./append.ts";
import { removeDirectory } from "./directory-removal.ts";
import { settled } from "./flush-group.ts";
import { PartitionMark } from "./mark.ts";
import { ConsumerOffsets, offsetsDirectoryName } from "./offsets.ts";
import { PartitionLog, toStorageError } from "./partition-log.ts";
import { persistOffsets, syncAll, syncMessages, syncOffsets } from "./partition-sync.ts";
import { PartitionView } from "./partition-view.ts";
import { linkPoint } from "./point.ts";
import { Reader } from "./read.ts";
import { giveReservedBack, hasReserve, IdleReserve } from "./reserve.ts";
import {
  holderOf,
  oldestRemovable,
  type RemovableSegment,
  removeExpired,
  removeOldest,
  type SegmentHolder,
} from "./retention.ts";
import { isUnsynced, syncDirectories, syncLogsNow, syncNames, syncRecoveredNow } from "./sync-files.ts";
import type {
  ConsumerKey,
  IncomingBatch,
  PartitionCounters,
  PartitionIdentity,
  ReadFrom,
  ReadResult,
  StorageContext,
} from "./types.ts";

export class Partition {
  readonly #log: PartitionLog;
  readonly #offsets: ConsumerOffsets;
  // Made by the first who appends or reads: there may be very many partitions, and few in use.
  #madeAppender: Appender | undefined;
  #madeReader: Reader | undefined;
  /** Log id of a purge that was logged and could not be done yet. */
  #unfinishedPurge: string | undefined;
  #saving: Promise<void> | undefined;
  #idleReserve: IdleReserve | undefined;

  private constructor(log: PartitionLog, offsets: ConsumerOffsets) {
    this.#log = log;
    this.#offsets = offsets;
  }

  /**
   * Opens what is in `directory`, repairing it (spec SB 3.7), or starts empty; nothing is created before the first write.
   * Synchronous. Damaged content is repaired and reported, never thrown. Throws `DiskError` where the disk itself fails.
   *
   * `onChange` gets the counters, always the same object, whenever they have changed. With an `identity`, what lies in the
   * directory and belongs to another log, or to a group that is gone, is taken away first (`mark.ts`).
   */
  static open(
    context: StorageContext,
    directory: string,
    onChange: (counters: PartitionCounters) => void,
    identity?: PartitionIdentity,
  ): Partition {
    // A list that fails costs more than the question before it, and most partitions may be empty.
    const isThere = context.disk.exists(directory);
    let names = isThere ? context.files.withRoom(() => context.disk.list(directory)) : [];
    const marked = identity && PartitionMark.open(context, directory, names, identity);
    const isTakenAway = marked?.isOurs === false && names.length > 0;
    if (isTakenAway) names = [];
    const log = new PartitionLog(context, directory, names, onChange, marked?.mark);
    if (isTakenAway) log.noteDirectories();
    const offsets = new ConsumerOffsets(log);
    if (names.includes(offsetsDirectoryName)) offsets.load();
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
   * then), with `CannotSyncFile` (10009) when it could not be made durable (it may or may not be there after a restart), also
   * where the partition was deleted before.
   */
  append(batch: IncomingBatch): Promise<void> {
    return this.#appender.append(batch);
  }

  /**
   * Up to `countMax` messages (0 to 2^32 - 1; fewer where they would be more than `bytesMax`), by spec SB 4.6. Synchronous where
   * nothing has to be checked first. Damaged messages are left out: the result is without gaps, so it ends before them or
   * starts behind them. Rejects with `CannotReadFile` (10002) where the disk does not give what is needed.
   */
  read(from: ReadFrom, countMax: number, bytesMax?: number): ReadResult | Promise<ReadResult> {
    return this.#reader.read(from, countMax, bytesMax);
  }

  /**
   * Stores the offset and writes it to its file before it returns. Throws `InvalidOffset` (4100) above the current offset
   * or while nothing was ever written (spec SB 4.8), and where `epoch`, that of the read whose end this is, was ended by a
   * purge; `CannotWriteToFile` (10006), also in a partition that is closed and where a logged purge could not be done yet.
   */
  storeOffset(consumer: ConsumerKey, offset: number, epoch?: number): void {
    const log = this.#log;
    if (log.isClosed) throw new IggyError("CannotWriteToFile", [], { cause: new Error("the partition is closed") });
    // The log that readers still see has ended: its offsets go with it, or with the next start.
    if (this.#unfinishedPurge !== undefined) throw new IggyError("CannotWriteToFile", [], { cause: log.refusal });
    if (offset >= log.visibleOffset || !this.#isOfNow(epoch)) throw new IggyError("InvalidOffset", [offset]);
    this.#offsets.store(consumer, offset);
  }

  /**
   * Resolves when every offset that was stored or deleted before the call is durable, with what names it; many who wait share
   * one sync. Undefined where nobody is to wait for that. Rejects with `CannotSyncFile` (10009): then a later sync makes good.
   */
  offsetsDurable(): Promise<void> | undefined {
    const log = this.#log;
    return log.context.options.persistsOffsets === true ? persistOffsets(log, this.#offsets) : undefined;
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

  /**
   * Whether the partition may move to another member: nothing was polled, or all of it is committed (spec SB 6.5), or nothing
   * can be, because a purge has ended the log.
   */
  isRevocationSettled(groupId: number): boolean {
    return this.#unfinishedPurge !== undefined || this.#offsets.isSettled(groupId);
  }

  /** The member that polled is gone: nobody will commit what it was sent (spec SB 6.5). */
  clearLastPolled(groupId: number): void {
    this.#offsets.clearLastPolled(groupId);
  }

  /** Writes what is only in memory to the files, and syncs them where asked, stored offsets too. Rejects with what failed. */
  async flush(fsync: boolean): Promise<void> {
    const failure = this.#madeAppender?.writeJournal(false);
    if (failure !== undefined) throw failure;
    try {
      this.#log.writeIndexRows();
    } catch (thrown) {
      throw new IggyError("CannotSaveIndexToSegment", [], { cause: thrown });
    }
    await this.#madeAppender?.synced();
    if (fsync) await syncAll(this.#log, this.#offsets);
  }

  /** Links what was acknowledged before the call, or all that a fenced one has, into `directory` (`point.ts`). Throws what failed. */
  linkInto(directory: string): void {
    const failure = this.#log.isFenced ? undefined : this.#madeAppender?.writeJournal(false);
    if (failure !== undefined) throw failure;
    if (this.#unfinishedPurge === undefined) linkPoint(this.#log, this.#offsets, directory);
  }

  /**
   * The tick of the message saver (spec SB 3.4). Cheap when nothing is new. A tick that comes while the one before is at work
   * ends with it.
   */
  save(): Promise<void> {
    if (this.#saving !== undefined || this.#log.isClosed) return this.#saving ?? settled;
    this.#giveBackIdleReserve();
    const saving = this.#saveNow();
    if (saving === settled) return settled;
    this.#saving = this.#unlessAbandoned(saving).finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  #giveBackIdleReserve(): void {
    const { active, context } = this.#log;
    if (!hasReserve(active)) return;
    this.#idleReserve ??= new IdleReserve();
    this.#idleReserve.tick(context, active);
  }

  /** Of a partition that is deleted meanwhile nothing is to be saved. */
  async #unlessAbandoned(saving: Promise<void>): Promise<void> {
    try {
      await saving;
    } catch (thrown) {
      if (!this.#log.isAbandoned) throw thrown;
    }
  }

  #saveNow(): Promise<void> {
    if (this.#unfinishedPurge !== undefined) return this.purge(this.#unfinishedPurge);
    const { journal, context } = this.#log;
    const isClean = journal.sizeBytes === 0 && !this.#log.hasPendingRows;
    const fsync = context.options.enforceFsync || context.options.acknowledge === "sync";
    if (isClean && !(fsync && (isUnsynced(this.#log) || this.#offsets.isUnsynced))) return settled;
    return this.flush(fsync);
  }

  /**
   * Removes all messages and consumer offsets; offsets start at 0 again (spec SB 5.3). What comes after it belongs to the
   * log with the id `newLogId`; a partition that was fenced takes messages again. The directory is taken away in one step:
   * whatever fails, everything is as before or as after, also after a restart. Rejects with `CannotDeleteFile` (10008) where
   * it is as before; with `newLogId`, whose purge was logged, neither a message nor an offset is taken then until a later try,
   * each time the saver comes, or the next start has done it. Rejects with another error where it is as after and something
   * else failed.
   */
  async purge(newLogId?: string): Promise<void> {
    const log = this.#log;
    const isAgain = this.#unfinishedPurge !== undefined;
    if (log.refusal !== undefined && !isAgain && (log.isClosed || !log.isFenced)) throw log.refusal;
    this.#madeAppender?.writeJournal(false);
    await this.#madeAppender?.synced();
    await this.#madeAppender?.sealed();
    if (log.isAbandoned) return; // deleted meanwhile: nothing is left to purge
    // From here on without a pause: nothing comes between. What was appended while waiting goes as well, after its answer.
    this.#madeAppender?.writeJournal(false);
    const isOnDisk = log.context.disk.exists(log.directory);
    if (isOnDisk) this.#takeDirectoryAway(newLogId);
    this.#unfinishedPurge = undefined;
    log.mark?.startLog(newLogId);
    log.restart();
    this.#offsets.forget();
    this.#madeAppender?.forgetIds();
    // Where nothing is on the disk, an earlier purge may have taken it away without a sync: a log id tells that apart.
    if (isOnDisk || newLogId === undefined) log.noteDirectories();
    try {
      syncDirectories(log); // what was purged does not come back after a power loss
      if (!isOnDisk) return;
      log.createActiveFiles();
      syncLogsNow(log);
    } catch (thrown) {
      throw thrown instanceof DiskError && !isFailedSync(thrown) ? toStorageError(thrown) : log.fence(thrown);
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

  /** What may be seen of it now. */
  get view(): PartitionView {
    return new PartitionView(this.#log, this.#offsets);
  }

  /** Which consumer keeps segments that were to be removed. */
  get segmentHolder(): SegmentHolder | undefined {
    return holderOf(this.#log, this.#offsets);
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

  /** At level sync: removed segments do not come back after a power loss; `CannotSyncFile` (10009) where that is not certain. */
  syncRemovals(): void {
    if (this.#log.context.options.acknowledge === "sync") syncNames(this.#log);
  }

  /** Flushes, syncs and closes. Appends are refused from the call on. Rejects with what failed; it is closed then, too. */
  async close(): Promise<void> {
    const log = this.#log;
    if (log.isClosed) return;
    const wasFenced = log.isFenced;
    const failure = wasFenced ? undefined : this.#madeAppender?.writeJournal(false);
    log.close();
    try {
      if (failure !== undefined) throw failure;
      if (!wasFenced) {
        await this.#madeAppender?.synced();
        log.writeIndexRows();
        giveReservedBack(log.context.files, log.active);
        await syncMessages(log);
      }
      await syncOffsets(this.#offsets);
    } catch (thrown) {
      if (!log.isAbandoned) throw toStorageError(thrown); // deleted meanwhile: nothing is to be kept
    } finally {
      await this.#madeAppender?.sealed();
      this.#closeFiles();
    }
  }

  /** The topic is deleted: closes files and refuses what waits, without writing anything. */
  abandon(): void {
    this.#log.abandon();
    this.#madeAppender?.reject(new IggyError("CannotAppendToFile"));
    this.#closeFiles();
    this.#offsets.forget();
  }

  get #appender(): Appender {
    this.#madeAppender ??= new Appender(this.#log);
    return this.#madeAppender;
  }

  get #reader(): Reader {
    this.#madeReader ??= new Reader(this.#log, this.#offsets);
    return this.#madeReader;
  }

  #takeDirectoryAway(newLogId: string | undefined): void {
    const { context, directory } = this.#log;
    try {
      removeDirectory(context, directory);
    } catch (thrown) {
      if (!(thrown instanceof DiskError)) throw thrown;
      const error = new IggyError("CannotDeleteFile", [], { cause: thrown });
      context.log.error("partition not purged", { directory, error: thrown.message });
      if (newLogId !== undefined) {
        this.#unfinishedPurge = newLogId;
        this.#log.refusal ??= error;
      }
      throw error;
    }
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

  /**
   * Sync level: readers see only what is durable, and a killed process may have left what is not. Throws `DiskError` where the
   * sync could not begin, for want of a descriptor: then the partition can be opened later.
   */
  #syncRecovered(): void {
    try {
      syncRecoveredNow(this.#log);
    } catch (thrown) {
      if (thrown instanceof DiskError && !isFailedSync(thrown)) {
        this.#closeFiles();
        throw thrown;
      }
      this.#log.fence(thrown);
    }
  }
}
