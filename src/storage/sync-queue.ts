// Group commit: one sync of the disk answers every batch that was written before it started; batches that come meanwhile
// wait for the next one. Readers see messages when they are durable, not before.

import type { FlushGroup } from "./flush-group.ts";
import type { PartitionLog } from "./partition-log.ts";
import { syncLogs } from "./sync-files.ts";

interface WaitingWrite {
  readonly group: FlushGroup | undefined;
  readonly epoch: number;
  readonly offset: number;
  readonly addedBytes: number;
}

export class SyncQueue {
  readonly #log: PartitionLog;
  #waiting: WaitingWrite[] = [];
  #run: Promise<void> | undefined;

  constructor(log: PartitionLog) {
    this.#log = log;
  }

  /** What was just written, `addedBytes`, waits for the next sync, which starts now unless one is under way. */
  add(group: FlushGroup | undefined, addedBytes: number): void {
    const log = this.#log;
    this.#waiting.push({ group, epoch: log.epoch, offset: log.writtenOffset, addedBytes });
    this.#run ??= this.#syncWhileWaiting();
  }

  /** Resolves when nothing waits for a sync. Never rejects: each failure went to those who waited. */
  async idle(): Promise<void> {
    await this.#run;
  }

  async #syncWhileWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const covered = this.#waiting;
      this.#waiting = [];
      try {
        await syncLogs(this.#log);
        this.#settle(covered);
      } catch (error) {
        this.#fail(covered, error);
      }
    }
    this.#run = undefined;
  }

  #settle(covered: readonly WaitingWrite[]): void {
    const log = this.#log;
    for (const write of covered) {
      if (write.epoch === log.epoch) log.publish(write.offset, write.addedBytes);
      write.group?.resolve();
    }
  }

  #fail(covered: readonly WaitingWrite[], thrown: unknown): void {
    const error = this.#log.fence(thrown);
    for (const write of covered) write.group?.reject(error);
    for (const write of this.#waiting) write.group?.reject(error);
    this.#waiting = [];
  }
}
