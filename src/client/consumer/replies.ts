// What a reply to a poll means: messages, a gap, a purge, or that the partition is somebody else's.

import type { EventChannel } from "../event-channel.ts";
import type { Assignment } from "./assignment.ts";
import type { Bell, Clock } from "./clock.ts";
import type { PollReply, PollRequest } from "./commands.ts";
import type { Cursor, StartFrom } from "./cursor.ts";
import type { ConsumerObserver } from "./observer.ts";
import type { CommitPolicy, ConsumerEvent } from "./options.ts";
import type { Prefetch } from "./prefetch.ts";

export interface RepliesOptions {
  readonly assignment: Assignment;
  readonly prefetch: Prefetch;
  readonly policy: CommitPolicy;
  readonly clock: Clock;
  readonly poll: (request: PollRequest) => Promise<PollReply>;
  /** Where reading goes on after a purge. */
  readonly reopen: (partitionId: number) => Promise<StartFrom>;
  readonly events: EventChannel<ConsumerEvent>;
  /** Rings when a message lies ready, or the head is reached. */
  readonly arrived: Bell;
  readonly observer: ConsumerObserver;
  readonly onRefused: (partitionId: number) => Promise<void>;
  readonly onReset: (partitionId: number) => void;
}

/** Time between two looks at a partition that has one message. */
const lookMs = 1_000;

export class Replies {
  readonly #options: RepliesOptions;

  constructor(options: RepliesOptions) {
    this.#options = options;
  }

  /** `fetchNumber`: that of the cursor when it was asked. */
  async take(cursor: Cursor, fetchNumber: number, reply: PollReply): Promise<void> {
    const { partitionId } = cursor;
    const { prefetch, policy, events, arrived, observer } = this.#options;
    if (reply.kind === "head") {
      cursor.headOffset ??= reply.headOffset;
      return;
    }
    if (reply.kind === undefined && (await this.#isRefused(cursor, reply))) return;
    if (cursor.fetchNumber !== fetchNumber || cursor.isGone || cursor.isPaused) return;
    if (reply.kind === "reset") return this.#reset(cursor);
    const { lastOffset, messagesCount, sizeBytes } = reply.messages;
    const { isAtHead } = cursor;
    const { gap, isReset } = cursor.accept(reply);
    if (isReset) return this.#reset(cursor);
    if (gap !== undefined) events.tell({ kind: "gap", partitionId, ...gap });
    if (messagesCount === 0) {
      if (!isAtHead) arrived.ring(); // a reader may end there
      return cursor.mayHideReset ? this.#look(cursor) : undefined;
    }
    prefetch.noteReply(messagesCount, sizeBytes);
    reply.messages.onTaken = observer.received(partitionId, messagesCount);
    if (policy === "before-delivery") {
      cursor.committedOffset = lastOffset;
      events.tell({ kind: "committed", offsets: new Map([[partitionId, lastOffset]]) });
    }
    arrived.ring();
  }

  async #isRefused({ partitionId }: Cursor, reply: PollReply): Promise<boolean> {
    const { assignment, onRefused } = this.#options;
    if (!(await assignment.isRefusal(partitionId, reply))) return false;
    assignment.forget(partitionId);
    await onRefused(partitionId);
    return true;
  }

  /**
   * A partition that has one message has the head 0, and so has one that was purged (spec SB 4.2). So that one is read again from
   * time to time: it is gone, or another one, if there was a purge.
   */
  async #look(cursor: Cursor): Promise<void> {
    const { clock, poll } = this.#options;
    const nowMs = clock.nowMs();
    if (nowMs < cursor.nextLookMs) return;
    cursor.nextLookMs = nowMs + lookMs;
    const { partitionId, fetchNumber } = cursor;
    const reply = await poll({ partitionId, from: { kind: "offset", offset: 0 }, count: 1, autoCommit: false });
    if (await this.#isRefused(cursor, reply)) return;
    if (cursor.fetchNumber !== fetchNumber || cursor.isGone) return;
    if (!cursor.isSameFirst(reply.messages)) await this.#reset(cursor);
  }

  async #reset(cursor: Cursor): Promise<void> {
    const { reopen, events, onReset } = this.#options;
    const { partitionId, from, fetchNumber } = cursor;
    const start = await reopen(partitionId);
    if (cursor.fetchNumber !== fetchNumber) return;
    cursor.seek(start, true);
    onReset(partitionId);
    const offsetOf = (place: typeof from) => (place.kind === "offset" ? place.offset : 0);
    events.tell({ kind: "reset", partitionId, fromOffset: offsetOf(from), toOffset: offsetOf(start.from) });
  }
}
