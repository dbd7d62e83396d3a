// When handled offsets are stored. `handled`: every second or 1,000 messages, before the loop waits, at a handover, at the end.
// Stores go out one after the other for a partition, so that none overtakes another.

import { IggyError } from "../../protocol/errors.ts";
import type { Clock } from "./clock.ts";
import type { Cursor } from "./cursor.ts";
import type { CommitPolicy } from "./options.ts";

export interface CommitSchedule {
  readonly everyMs: number;
  readonly everyMessages: number;
}

const defaultSchedule: CommitSchedule = { everyMs: 1_000, everyMessages: 1_000 };

/** By time and count; undefined for the policies that have other rules. */
export function scheduleOf(policy: CommitPolicy): CommitSchedule | undefined {
  if (policy === "handled") return defaultSchedule;
  return typeof policy === "object" ? policy : undefined;
}

export interface CommitsOptions {
  readonly policy: CommitPolicy;
  readonly clock: Clock;
  /** `messagesCount`: those behind the last stored offset. */
  readonly store: (partitionId: number, offset: number, messagesCount: number) => Promise<void>;
  /** All partitions that are read. */
  readonly cursors: () => Iterable<Cursor>;
  readonly onCommitted: (offsets: ReadonlyMap<number, number>) => void;
  readonly onFailed: (cursor: Cursor, error: IggyError) => void;
}

export class Commits {
  readonly #options: CommitsOptions;
  readonly #schedule: CommitSchedule | undefined;
  readonly #stopped = new AbortController();
  #handledSince = 0;
  #isTimed = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: CommitsOptions) {
    this.#options = options;
    this.#schedule = scheduleOf(options.policy);
  }

  /** Messages were handled: stores by count now, by time later. */
  noteHandled(count: number): void {
    const schedule = this.#schedule;
    if (schedule === undefined) return;
    this.#handledSince += count;
    if (this.#handledSince >= schedule.everyMessages) this.storeSoon();
    else if (!this.#isTimed) void this.#storeLater(schedule.everyMs);
  }

  /** Where the policy stores by itself: without waiting for it. A failure is an event, and the next store makes good. */
  storeSoon(): void {
    if (this.#schedule !== undefined && this.#handledSince > 0) void this.store();
  }

  /**
   * Stores what is handled of these partitions, or of all. Resolves with the first error, after all are done: each is told as
   * an event as well.
   */
  store(cursors: Iterable<Cursor> = this.#options.cursors()): Promise<IggyError | undefined> {
    this.#handledSince = 0;
    const chosen = [...cursors];
    const stored = this.#last.then(() => this.#storeNow(chosen));
    this.#last = stored;
    return stored;
  }

  /** Stores an offset that the program names. Rejects with the server's error. */
  async storeExactly(cursor: Cursor, offset: number): Promise<void> {
    const stored = this.#last.then(() => this.#storeOne(cursor, offset));
    this.#last = stored.catch(() => undefined); // told to the caller
    await stored;
    this.#options.onCommitted(new Map([[cursor.partitionId, offset]]));
  }

  /** Leaves no timer behind. */
  stop(): void {
    this.#stopped.abort();
  }

  async #storeLater(ms: number): Promise<void> {
    this.#isTimed = true;
    await this.#options.clock.wait(ms, this.#stopped.signal);
    this.#isTimed = false;
    if (!this.#stopped.signal.aborted) this.storeSoon();
  }

  async #storeNow(cursors: readonly Cursor[]): Promise<IggyError | undefined> {
    const offsets = new Map<number, number>();
    let first: IggyError | undefined;
    let isDue = false;
    await Promise.all(
      cursors.map(async (cursor) => {
        const offset = cursor.handledOffset;
        if (offset === undefined || offset <= (cursor.committedOffset ?? -1) || cursor.isGone) return;
        try {
          await this.#storeOne(cursor, offset);
          offsets.set(cursor.partitionId, offset);
        } catch (thrown) {
          const error = thrown instanceof IggyError ? thrown : new IggyError("Error", [], { cause: thrown });
          first ??= error;
          this.#options.onFailed(cursor, error);
          isDue ||= !cursor.isGone;
        }
      }),
    );
    if (offsets.size > 0) this.#options.onCommitted(offsets);
    if (isDue) this.noteHandled(1); // again, when it is time
    return first;
  }

  async #storeOne(cursor: Cursor, offset: number): Promise<void> {
    const { generation, partitionId, committedOffset, startOffset } = cursor;
    const messagesCount = Math.max(0, offset - (committedOffset ?? startOffset - 1));
    await this.#options.store(partitionId, offset, messagesCount);
    if (cursor.generation === generation) cursor.committedOffset = offset;
  }
}
