// The partitions that a consumer has, each with its cursor, from when they come until they go: given, promised to another member
// and finished, or lost. The program's listeners are told.

import type { IggyError } from "../../protocol/errors.ts";
import type { PollReply } from "./commands.ts";
import { Cursor, type Outstanding } from "./cursor.ts";
import type { Feed } from "./feed.ts";
import type { CommitPolicy, ConsumerEvent, PartitionsListener } from "./options.ts";
import type { OpenedAt } from "./positions.ts";
import type { ReceivedMessage } from "./received-message.ts";

/** What a program says about its partitions, and where they are read from. */
export interface PartitionsOptions {
  readonly feed: Feed;
  readonly policy: CommitPolicy;
  /** Where reading of a partition begins. `handledBefore`: as far as it was handled when the connection was lost. */
  readonly open: (partitionId: number, handledBefore: number | undefined) => Promise<OpenedAt>;
  readonly onAssigned?: PartitionsListener | undefined;
  readonly onRevoking?: PartitionsListener | undefined;
  readonly onLost?: PartitionsListener | undefined;
}

export interface HeldPartitionsOptions extends PartitionsOptions {
  /** What lies ready and is in hand, of all partitions. */
  readonly total: Outstanding;
  readonly isPaused: (partitionId: number) => boolean;
  /** Takes what was pushed of a partition before it goes. */
  readonly take: (cursor: Cursor, fetchNumber: number, reply: PollReply) => Promise<void>;
  readonly commit: (cursor: Cursor) => Promise<IggyError | undefined>;
  readonly tell: (event: ConsumerEvent) => void;
  /** A listener has thrown. */
  readonly fail: (reason: unknown) => void;
}

export class HeldPartitions {
  readonly cursors = new Map<number, Cursor>();
  readonly #options: HeldPartitionsOptions;
  /** How far each partition was delivered in earlier readings. */
  readonly #seen = new Map<number, number>();
  /** Partitions of a membership that ended with its connection: what is in hand may still be finished. */
  readonly #before = new Map<number, Cursor>();

  constructor(options: HeldPartitionsOptions) {
    this.#options = options;
  }

  /** Where a message comes from, if that reading still counts. */
  sourceOf({ source, partitionId }: ReceivedMessage<unknown>): Cursor | undefined {
    const cursor = this.cursors.get(partitionId);
    if (cursor === source) return cursor;
    const before = this.#before.get(partitionId);
    return before === source ? before : undefined;
  }

  /** They came, or are kept after all. Where one cannot be opened none of those that are not yet counts as given. */
  async assign(partitionIds: readonly number[]): Promise<void> {
    await this.#tell("assigned", partitionIds);
    const opened = await Promise.allSettled(partitionIds.map((partitionId) => this.#open(partitionId)));
    const refused = opened.find((result) => result.status === "rejected");
    if (refused === undefined) return;
    await this.#tell(
      "lost",
      partitionIds.filter((partitionId) => !this.cursors.has(partitionId)),
    );
    throw refused.reason;
  }

  async #open(partitionId: number): Promise<void> {
    const known = this.cursors.get(partitionId);
    if (known !== undefined) {
      // Promised away and kept after all.
      known.state = "reading";
      known.isReadyToGo = false;
      return;
    }
    const { open, total, isPaused } = this.#options;
    const opened = await open(partitionId, this.#before.get(partitionId)?.handledOffset);
    const cursor = new Cursor(partitionId, opened, total, this.#seen.get(partitionId));
    cursor.committedOffset = opened.committedOffset;
    cursor.isPaused = isPaused(partitionId);
    this.cursors.set(partitionId, cursor);
  }

  /** They are promised to others: each goes when what was read of it is done. */
  async revoke(partitionIds: readonly number[]): Promise<void> {
    for (const partitionId of partitionIds) await this.#takeRest(partitionId);
    for (const partitionId of partitionIds) void this.#revokeOne(partitionId);
  }

  /** What the server has read for the member counts as polled: the partition goes when that is handled. */
  async #takeRest(partitionId: number): Promise<void> {
    const cursor = this.cursors.get(partitionId);
    if (cursor === undefined) return;
    const { fetchNumber } = cursor;
    const rest = await this.#options.feed.finish?.(partitionId, cursor.from);
    for (const reply of rest ?? []) await this.#options.take(cursor, fetchNumber, reply);
  }

  async #revokeOne(partitionId: number): Promise<void> {
    const cursor = this.cursors.get(partitionId);
    if (cursor === undefined) return;
    cursor.state = "revoking";
    await this.#tell("revoking", [partitionId]);
    if (cursor.state !== "revoking") return;
    cursor.isReadyToGo = true;
    await this.letGoIfDone(cursor);
  }

  /** A promised partition goes when what was polled of it is handled and committed: the server moves it with the commit. */
  async letGoIfDone(cursor: Cursor): Promise<void> {
    const isDone = cursor.isReadyToGo && !cursor.hasReady && !cursor.isInHand && cursor.state === "revoking";
    if (!isDone) return;
    const isBehind = (cursor.handledOffset ?? -1) > (cursor.committedOffset ?? -1);
    if (this.#options.policy === "manual" && isBehind) return; // the program commits
    const error = await this.#options.commit(cursor);
    if (error === undefined && cursor.state === "revoking") this.#drop(cursor);
  }

  /** Gone without a handover. */
  async lose(partitionIds: readonly number[]): Promise<void> {
    const lost = partitionIds.filter((partitionId) => this.cursors.has(partitionId));
    for (const partitionId of lost) this.#drop(this.cursors.get(partitionId)!);
    await this.#tell("lost", lost);
  }

  /** The membership is over: all are lost, and come back perhaps, to go on behind what is handled by then. */
  async loseAll(): Promise<void> {
    for (const [partitionId, cursor] of this.cursors) this.#before.set(partitionId, cursor);
    await this.lose([...this.cursors.keys()]);
  }

  /** What came back has come back: what was in hand before counts for nothing any more. */
  forgetEarlier(): void {
    this.#before.clear();
  }

  /** The offsets of the partition name other messages now. */
  forgetSeen(partitionId: number): void {
    this.#seen.delete(partitionId);
  }

  #drop(cursor: Cursor): void {
    this.#seen.set(cursor.partitionId, cursor.seenUpTo);
    this.#options.feed.forget?.(cursor.partitionId);
    cursor.end();
    if (this.cursors.get(cursor.partitionId) === cursor) this.cursors.delete(cursor.partitionId);
  }

  /** Calls the listener; where it fails the consumer does. */
  async #tell(kind: "assigned" | "revoking" | "lost", partitionIds: readonly number[]): Promise<void> {
    if (partitionIds.length === 0) return;
    const { onAssigned, onRevoking, onLost, tell, fail } = this.#options;
    tell({ kind, partitionIds });
    const listener = { assigned: onAssigned, revoking: onRevoking, lost: onLost }[kind];
    try {
      await listener?.(partitionIds);
    } catch (error) {
      fail(error);
    }
  }
}
