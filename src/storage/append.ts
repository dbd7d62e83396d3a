// Appends of one partition. The batch is stamped in place, and its bytes go from where they are to the disk: nothing is
// done per message here. What comes in one turn of the event loop is written with one call at its end; a large batch is
// written at once, behind what waits.
//
// Order that holds: log bytes first, index rows later; durable first (sync level), visible and answered later.

import { assert } from "../platform/assert.ts";
import { DiskError, type DiskFile, isFailedSync } from "../platform/disk.ts";
import { IggyError } from "../protocol/errors.ts";
import { Deduplication } from "./deduplication.ts";
import { encryptBatch } from "./encryption.ts";
import { type FlushGroup, makeFlushGroup, settled } from "./flush-group.ts";
import { clockStepBackMicrosMax, pendingRowsBytesMax, segmentBytesMax, writeAtOnceBytes } from "./limits.ts";
import type { PartitionLog } from "./partition-log.ts";
import { cutBehindMessages, reserveAhead, undoWrite } from "./reserve.ts";
import { Sealing } from "./sealing.ts";
import type { Segment } from "./segment.ts";
import { syncDirectories } from "./sync-files.ts";
import { SyncQueue } from "./sync-queue.ts";
import type { IncomingBatch } from "./types.ts";

export class Appender {
  readonly #log: PartitionLog;
  readonly #isMemoryLevel: boolean;
  readonly #isSyncLevel: boolean;
  readonly #deduplication: Deduplication | undefined;
  // Made when they are needed: there may be very many partitions.
  #syncQueue: SyncQueue | undefined;
  #sealing: Sealing | undefined;
  /** Who waits for the next write. */
  #group: FlushGroup | undefined;
  #isScheduled = false;

  constructor(log: PartitionLog) {
    this.#log = log;
    const { deduplication } = log.context.options;
    this.#deduplication = deduplication && new Deduplication(deduplication);
    this.#isMemoryLevel = log.context.options.acknowledge === "memory";
    this.#isSyncLevel = log.context.options.acknowledge === "sync";
  }

  /** See `Partition.append`. */
  append(batch: IncomingBatch): Promise<void> {
    const { context, refusal } = this.#log;
    if (refusal !== undefined) return Promise.reject(refusal);
    if (this.#deduplication?.isToRecover(this.#log)) return this.#appendLater(batch, this.#deduplication);
    batch.firstOffset = this.#log.nextOffset;
    try {
      const fresh = this.#deduplication === undefined ? batch : this.#admit(batch, this.#deduplication);
      if (fresh === undefined) return this.#afterDuplicates();
      if (context.encryption !== undefined) return this.#appendFresh(encryptBatch(fresh, context.encryption), false);
      return this.#appendFresh(fresh, this.#isMemoryLevel);
    } catch (thrown) {
      this.#deduplication?.refuse();
      return Promise.reject(thrown instanceof IggyError ? thrown : this.#log.fence(thrown));
    }
  }

  /**
   * Writes what waits to the log. `mayRotate` is false for writes that were asked for: they never rotate (spec SB 3.6).
   * Returns the failure, which those who wait got as well.
   */
  writeJournal(mayRotate: boolean): IggyError | undefined {
    const log = this.#log;
    const { journal, active } = log;
    if (journal.sizeBytes === 0) return undefined;
    const group = this.#group;
    this.#group = undefined;
    if (log.refusal !== undefined) {
      // At memory level the journal was acknowledged: it stays readable as long as the process lives.
      return this.#isMemoryLevel ? log.refusal : this.#dropJournal(group, log.refusal);
    }
    const isFull = active.logSizeBytes >= log.context.options.segmentSizeBytes;
    let file: DiskFile | undefined;
    try {
      log.createActiveFiles();
      // The names before the bytes: a sync that cannot even begin refuses a batch of which nothing is written.
      if (this.#isSyncLevel && log.hasUnsyncedDirectories) syncDirectories(log);
      file = log.context.files.useToWrite(active.log);
      if (active.hasLeftover) cutBehindMessages(active, file);
      if (active.acceptedSizeBytes > active.reservedBytes) reserveAhead(active, file);
      file.write(journal.blocks, active.logSizeBytes);
    } catch (thrown) {
      return this.#failedWrite(group, thrown, file);
    }
    const writtenBytes = journal.sizeBytes;
    journal.clear();
    active.logSizeBytes = active.acceptedSizeBytes;
    log.writtenOffset = log.nextOffset;
    this.#deduplication?.written();
    if (this.#isSyncLevel) this.#addToSync(group, writtenBytes);
    else if (!this.#isMemoryLevel) {
      log.publish(log.writtenOffset, writtenBytes);
      group?.resolve();
    }
    // At sync level the rows are written while the sync runs, so that the files are whole when it is answered.
    const isDue = active.index.pendingBytes(active.index.rowsCount) >= pendingRowsBytesMax;
    if (isDue || this.#isSyncLevel) this.#tryWriteIndex(active);
    if (isFull && mayRotate) this.#rotate();
    return undefined;
  }

  /** Resolves when all that waits for a sync now was answered. Never rejects: failures went to those who waited. */
  async synced(): Promise<void> {
    await this.#syncQueue?.idle();
  }

  /** Resolves when no sync of a sealed segment is under way. A failure fenced the partition. */
  async sealed(): Promise<void> {
    await this.#sealing?.idle();
  }

  /** The partition was purged. */
  forgetIds(): void {
    this.#deduplication?.clear();
  }

  /** Refuses what waits, for a partition that goes away. */
  reject(error: IggyError): void {
    const group = this.#group;
    this.#group = undefined;
    if (this.#log.journal.sizeBytes > 0) this.#dropJournal(group, error);
  }

  /** In the order of the calls, when the ids are known that the log ends with. */
  #appendLater(batch: IncomingBatch, deduplication: Deduplication): Promise<void> {
    return new Promise((resolve) => deduplication.whenRecovered(this.#log, () => resolve(this.append(batch))));
  }

  /** `isBorrowed`: whether the memory of the batch is somebody else's again after the answer. */
  #appendFresh(batch: IncomingBatch, isBorrowed: boolean): Promise<void> {
    if (!this.#isMemoryLevel) {
      this.#accept(batch, false);
      return this.#afterAppend(batch);
    }
    const isDue = this.#isDueWith(batch);
    this.#accept(batch, isBorrowed && !isDue);
    return this.#afterMemoryAppend(batch, isDue);
  }

  #admit(batch: IncomingBatch, deduplication: Deduplication): IncomingBatch | undefined {
    const { clock, log } = this.#log.context;
    const fresh = deduplication.admit(batch, clock.nowMicros());
    if (fresh === batch) return batch;
    log.warn("duplicate messages dropped", {
      directory: this.#log.directory,
      count: batch.messagesCount - (fresh?.messagesCount ?? 0),
    });
    return fresh;
  }

  /** Nothing is left of a batch: it succeeds when the messages that it repeats do. */
  #afterDuplicates(): Promise<void> {
    if (this.#isMemoryLevel) return settled;
    const log = this.#log;
    if (log.journal.sizeBytes > 0) {
      this.#group ??= makeFlushGroup();
      return this.#group.promise;
    }
    if (log.writtenOffset === log.visibleOffset) return settled;
    const group = makeFlushGroup();
    this.#addToSync(group, 0);
    return group.promise;
  }

  #addToSync(group: FlushGroup | undefined, writtenBytes: number): void {
    this.#syncQueue ??= new SyncQueue(this.#log);
    this.#syncQueue.add(group, writtenBytes);
  }

  /** `copies`: whether the bytes must outlive the append. */
  #accept(batch: IncomingBatch, copies: boolean): void {
    const log = this.#log;
    const { messagesCount, messagesSizeBytes } = batch;
    assert(messagesCount > 0 && messagesSizeBytes <= segmentBytesMax, "a batch was validated");
    const nowMicros = log.context.clock.nowMicros();
    if (nowMicros < log.lastTimestampMicros - clockStepBackMicrosMax) this.#followClock(nowMicros);
    if (log.active.acceptedSizeBytes + messagesSizeBytes > segmentBytesMax) this.#makeRoom();
    const active = log.active;
    const firstOffset = log.nextOffset;
    assert(firstOffset === active.endOffset, "an append continues where the segment ends");
    // One time for the whole batch, never before that of an earlier message of the segment: reads by time search for it.
    const timestampMicros = Math.max(nowMicros, log.lastTimestampMicros);
    batch.kernel.stamp(
      batch.rowsPosition,
      messagesCount,
      batch.messagesPosition,
      messagesSizeBytes,
      firstOffset,
      active.startOffset,
      active.acceptedSizeBytes,
      timestampMicros,
    );
    active.index.append(batch.memory, batch.rowsPosition, messagesCount);
    active.acceptedSizeBytes += messagesSizeBytes;
    active.lastTimestampMicros = timestampMicros;
    log.lastTimestampMicros = timestampMicros;
    log.nextOffset = firstOffset + messagesCount;
    const end = batch.messagesPosition + messagesSizeBytes;
    const block = copies
      ? batch.memory.slice(batch.messagesPosition, end)
      : batch.memory.subarray(batch.messagesPosition, end);
    log.journal.push(block, messagesCount);
    this.#deduplication?.accepted();
    const lastEnd = active.index.endPosition(active.index.rowsCount - 1);
    assert(lastEnd === active.acceptedSizeBytes, "the last index row ends where the log will end");
  }

  #afterAppend(batch: IncomingBatch): Promise<void> {
    if (batch.messagesSizeBytes >= writeAtOnceBytes) {
      if (this.#isSyncLevel) this.#group ??= makeFlushGroup();
      const group = this.#group;
      const failure = this.#writeForGroup();
      if (group !== undefined) return group.promise;
      return failure === undefined ? settled : Promise.reject(failure);
    }
    this.#group ??= makeFlushGroup();
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#log.context.schedule(() => this.#endTurn());
    }
    return this.#group.promise;
  }

  #endTurn(): void {
    this.#isScheduled = false;
    this.#writeForGroup();
  }

  /** A broken rule of our own fences the partition and is told to everyone who waits; it never ends the shard. */
  #writeForGroup(): IggyError | undefined {
    const group = this.#group;
    try {
      return this.writeJournal(true);
    } catch (thrown) {
      const error = this.#log.fence(thrown);
      group?.reject(error);
      return error;
    }
  }

  /** Whether the journal has to be written with this batch (memory level, spec SB 3.4). */
  #isDueWith(batch: IncomingBatch): boolean {
    const { active, context, journal } = this.#log;
    const { options } = context;
    return (
      active.logSizeBytes >= options.segmentSizeBytes ||
      journal.messagesCount + batch.messagesCount >= options.messagesRequiredToSave ||
      journal.sizeBytes + batch.messagesSizeBytes >= options.bytesRequiredToSave
    );
  }

  /** Memory level: the thresholds are checked inside the request that reaches them. */
  #afterMemoryAppend(batch: IncomingBatch, isDue: boolean): Promise<void> {
    const log = this.#log;
    if (isDue) {
      const failure = this.writeJournal(true);
      if (failure !== undefined) {
        // What was acknowledged stays in memory for the next try; only this batch is refused.
        this.#takeBack(batch.messagesCount, batch.messagesSizeBytes);
        this.#deduplication?.refuse();
        return Promise.reject(failure);
      }
    }
    log.publish(log.nextOffset, batch.messagesSizeBytes);
    return settled;
  }

  /**
   * The clock was ahead when the last messages were dated. Inside a segment times do not go back, so those that are dated
   * rightly begin another one.
   */
  #followClock(nowMicros: number): void {
    const log = this.#log;
    const { directory, lastTimestampMicros } = log;
    this.#makeRoom();
    log.lastTimestampMicros = 0;
    log.context.log.warn(
      "the clock went back: earlier messages keep the time that it had, later ones get the time that it has",
      {
        directory,
        had: textOfTime(lastTimestampMicros),
        has: textOfTime(nowMicros),
      },
    );
  }

  /** Begins another segment: this one cannot hold the batch behind what it has. */
  #makeRoom(): void {
    const failure = this.writeJournal(false);
    if (failure !== undefined) throw failure;
    if (this.#log.active.logSizeBytes > 0) this.#rotate();
  }

  /** `file`: the log, where it was open for the write. */
  #failedWrite(group: FlushGroup | undefined, thrown: unknown, file: DiskFile | undefined): IggyError {
    const log = this.#log;
    const { active } = log;
    log.context.count?.("refusedWrites");
    log.context.log.error("write to the log failed", {
      path: active.log.path,
      error: thrown instanceof Error ? thrown.message : String(thrown),
    });
    if (!(thrown instanceof DiskError) || isFailedSync(thrown)) log.fence(thrown);
    const isUndone = file === undefined || undoWrite(active, file, thrown);
    const error = new IggyError(isUndone ? "CannotAppendToFile" : "CannotSyncFile", [], { cause: thrown });
    if (!this.#isMemoryLevel) this.#dropJournal(group, error);
    return error;
  }

  /** Goes back to what was written; everyone who waits for the rest gets `error`. */
  #dropJournal(group: FlushGroup | undefined, error: IggyError): IggyError {
    const { journal } = this.#log;
    this.#takeBack(journal.messagesCount, journal.sizeBytes);
    journal.clear();
    this.#deduplication?.dropJournal();
    group?.reject(error);
    return error;
  }

  /** Takes the last `messagesCount` accepted messages back, the newest block of the journal with them. */
  #takeBack(messagesCount: number, sizeBytes: number): void {
    const log = this.#log;
    log.nextOffset -= messagesCount;
    log.active.acceptedSizeBytes -= sizeBytes;
    log.active.index.truncate(log.active.index.rowsCount - messagesCount);
    log.journal.pop(messagesCount);
  }

  /** Seals the active segment and starts the next one behind it (spec SB 3.6). */
  #rotate(): void {
    const log = this.#log;
    const sealed = log.active;
    this.#tryWriteIndex(sealed);
    if (log.context.options.cacheIndexes !== "all") sealed.index.stopKeeping();
    log.startSegment();
    // First, so that a process that is killed in between leaves no room behind that is nobody's.
    this.#sealing ??= new Sealing(log);
    this.#sealing.start(sealed);
    try {
      log.createActiveFiles();
    } catch (thrown) {
      if (!(thrown instanceof DiskError)) throw thrown;
      log.context.log.warn("new segment not created yet", { path: log.active.log.path, error: thrown.message });
    }
  }

  /** The index can be made again from the log: a failure here is nobody's failure. */
  #tryWriteIndex(segment: Segment): void {
    try {
      segment.index.writeUpTo(segment.index.rowsCount);
    } catch (thrown) {
      if (!(thrown instanceof DiskError)) throw thrown;
      this.#log.context.log.warn("index rows not written yet", {
        path: segment.index.file.path,
        error: thrown.message,
      });
    }
  }
}

function textOfTime(micros: number): string {
  return new Date(Math.floor(micros / 1000)).toISOString();
}
