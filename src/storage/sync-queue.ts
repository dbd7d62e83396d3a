// Group commit: one sync of the disk answers every batch that was written before it started; batches that come meanwhile
// wait for the next one. Readers see messages when they are durable, not before.

import type { IggyError } from "../protocol/errors.ts";
import type { FlushGroup } from "./flush-group.ts";
import type { PartitionLog } from "./partition-log.ts";
import type { Segment } from "./segment.ts";
import { syncError, syncLogFiles } from "./sync-files.ts";

interface WaitingWrite {
  readonly group: FlushGroup | undefined;
  readonly epoch: number;
  readonly offset: number;
  readonly addedBytes: number;
  /** Its log stays open until it is synced: to open it again could fail, with the bytes neither durable nor undone. */
  readonly pinned: Segment | undefined;
}

/** Someone who waits for everything that waited before. */
interface Follower {
  /** Number of the write that is the last of these. */
  readonly last: number;
  readonly resolve: () => void;
}

export class SyncQueue {
  readonly #log: PartitionLog;
  #waiting: WaitingWrite[] = [];
  #isRunning = false;
  /** Writes that were ever added, and of these those that were answered. */
  #addedCount = 0;
  #answeredCount = 0;
  #followers: Follower[] = [];

  constructor(log: PartitionLog) {
    this.#log = log;
  }

  /**
   * What was just written to the active log, `addedBytes`, waits for the next sync, which starts now unless one is under
   * way.
   */
  add(group: FlushGroup | undefined, addedBytes: number): void {
    const log = this.#log;
    const pinned = addedBytes > 0 ? log.active : undefined;
    if (pinned !== undefined) log.context.files.pin(pinned.log);
    this.#waiting.push({ group, epoch: log.epoch, offset: log.writtenOffset, addedBytes, pinned });
    this.#addedCount++;
    if (!this.#isRunning) void this.#syncWhileWaiting();
  }

  /** Resolves when all that waits now was answered, whatever comes later. Never rejects: failures went to those who waited. */
  idle(): Promise<void> {
    if (this.#answeredCount === this.#addedCount) return Promise.resolve();
    return new Promise((resolve) => this.#followers.push({ last: this.#addedCount, resolve }));
  }

  async #syncWhileWaiting(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      const covered = this.#waiting;
      this.#waiting = [];
      const { epoch } = this.#log;
      try {
        // Names were synced before the bytes were written: those made since are of the next segment, and can wait.
        await syncLogFiles(this.#log);
        this.#settle(covered);
      } catch (error) {
        // What was purged meanwhile has nothing to lose. What was deleted has: the deletion may not be durable.
        if (this.#log.isAbandoned) this.#refuse(covered, syncError(this.#log, error));
        else if (this.#log.epoch === epoch) this.#refuse(covered, this.#log.fence(error));
        else this.#settle(covered);
      }
    }
    this.#isRunning = false;
  }

  #settle(covered: readonly WaitingWrite[]): void {
    const log = this.#log;
    for (const write of covered) {
      if (write.epoch === log.epoch) log.publish(write.offset, write.addedBytes);
      write.group?.resolve();
    }
    this.#answered(covered);
  }

  #refuse(covered: readonly WaitingWrite[], error: IggyError): void {
    const all = [...covered, ...this.#waiting];
    this.#waiting = [];
    for (const write of all) write.group?.reject(error);
    this.#answered(all);
  }

  #answered(writes: readonly WaitingWrite[]): void {
    for (const { pinned } of writes) if (pinned !== undefined) this.#log.context.files.unpin(pinned.log);
    this.#answeredCount += writes.length;
    while (this.#followers.length > 0 && this.#followers[0]!.last <= this.#answeredCount) {
      this.#followers.shift()!.resolve();
    }
  }
}
