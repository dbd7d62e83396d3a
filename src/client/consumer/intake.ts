// The background half of a consumer: joins, follows the assignment, keeps messages ready, lets partitions go that are promised
// to others, comes back after a lost connection. One loop does all of it, one thing after the other; the loops of the program
// take what lies ready and say what is handled.

import { IggyError } from "../../protocol/errors.ts";
import { EventChannel } from "../event-channel.ts";
import type { Assignment } from "./assignment.ts";
import { Bell, backoffMs, type Clock } from "./clock.ts";
import type { PollReply, PollRequest } from "./commands.ts";
import { Commits } from "./commits.ts";
import { Cursor, type Outstanding, type StartFrom } from "./cursor.ts";
import type { Feed } from "./feed.ts";
import { isConnectionLoss, isMembershipLoss } from "./losses.ts";
import type { ConsumerObserver } from "./observer.ts";
import type { CommitPolicy, ConsumerEvent, PartitionsListener } from "./options.ts";
import { PausedPartitions } from "./paused-partitions.ts";
import type { OpenedAt } from "./positions.ts";
import type { Prefetch } from "./prefetch.ts";
import { Ready } from "./ready.ts";
import type { ReceivedMessage } from "./received-message.ts";
import type { RepeatFilter } from "./repeat-filter.ts";
import { Replies } from "./replies.ts";

/** How long a lost connection may stay lost before the consumer gives up. */
const reconnectTimeoutMs = 30_000;
/** Longest wait of one poll: about as long as between two pings, which end it. */
const waitMsMax = 5_000;
const reconnectMinMs = 100;
const reconnectMaxMs = 5_000;

export interface IntakeOptions {
  readonly assignment: Assignment;
  readonly feed: Feed;
  readonly prefetch: Prefetch;
  readonly clock: Clock;
  readonly policy: CommitPolicy;
  /** Where reading of a partition begins. `handledBefore`: as far as it was handled when the connection was lost. */
  readonly open: (partitionId: number, handledBefore: number | undefined) => Promise<OpenedAt>;
  /** Where it goes on after a purge. */
  readonly reopen: (partitionId: number) => Promise<StartFrom>;
  readonly poll: (request: PollRequest) => Promise<PollReply>;
  /** `messagesCount`: those behind the last stored offset. */
  readonly store: (partitionId: number, offset: number, messagesCount: number) => Promise<void>;
  readonly observer: ConsumerObserver;
  /** Leaves out what was stored twice, if it is given. */
  readonly repeats?: RepeatFilter | undefined;
  readonly onAssigned?: PartitionsListener | undefined;
  readonly onRevoking?: PartitionsListener | undefined;
  readonly onLost?: PartitionsListener | undefined;
}

export class Intake {
  readonly cursors = new Map<number, Cursor>();
  readonly commits: Commits;
  readonly events: EventChannel<ConsumerEvent>;
  /** Rings when a message lies ready, and when there will be no more. */
  readonly arrived = new Bell();
  readonly paused = new PausedPartitions();
  readonly #options: IntakeOptions;
  /** What lies ready, for the loops of the program. */
  readonly ready: Ready;
  readonly #replies: Replies;
  readonly #total: Outstanding = { messages: 0, bytes: 0 };
  readonly #awake = new Bell();
  /** How far each partition was delivered in earlier readings. */
  readonly #seen = new Map<number, number>();
  /** Partitions of a membership that ended with its connection: what is in hand may still be finished. */
  readonly #before = new Map<number, Cursor>();
  #failure: { readonly reason: unknown } | undefined;
  #isStopped = false;
  #isJoined = false;
  #isDisconnected = false;
  #waitsForRoom = false;
  #nextRoundMs = 0;
  /** The last wait brought nothing. */
  #isQuiet = false;
  #isRoundDue = false;
  /** How often somebody said that something has changed: a step that was under way looks again. */
  #wakes = 0;
  /** Of the member's partitions, as the last poll that waited said; 0: not known. */
  #assignmentNumber = 0n;
  #loop: Promise<void> | undefined;
  #isOpened = false;
  readonly #opened = new Bell();

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.events = new EventChannel((event) => options.observer.happened(event));
    options.feed.onNews = this.wake;
    this.ready = new Ready(this.cursors, options.repeats, (message) => this.finish(message));
    this.#replies = new Replies({
      ...options,
      events: this.events,
      arrived: this.arrived,
      onRefused: (partitionId) => {
        this.#askAgain();
        return this.#lose([partitionId]);
      },
      onReset: (partitionId) => this.#seen.delete(partitionId),
    });
    this.commits = new Commits({
      policy: options.policy,
      clock: options.clock,
      store: options.store,
      cursors: () => this.cursors.values(),
      onCommitted: (offsets) => this.events.tell({ kind: "committed", offsets }),
      onFailed: (cursor, error) => this.#commitFailed(cursor, error),
    });
  }

  /** Begins with the first call. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /** Why there will be no more messages: an error, the reason of a signal. */
  get failure(): { readonly reason: unknown } | undefined {
    return this.#failure;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  get isMember(): boolean {
    return this.#isJoined && this.#options.assignment.isMembership;
  }

  /** No more messages; loops that wait throw the reason. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    void this.stop();
  }

  /** Ends reading; resolves when nothing is under way any more. What lies ready stays. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#awake.ring();
    this.arrived.ring();
    this.#opened.ring();
    await this.#loop;
  }

  /** Whether the partitions are known. */
  get isOpened(): boolean {
    return this.#isOpened;
  }

  /** Resolves when the partitions are known, or never will be. */
  async opened(): Promise<void> {
    while (!this.#isOpened && !this.#isStopped) await this.#opened.rung();
  }

  /** Something has changed that the loop should look at. */
  readonly wake = (): void => {
    this.#wakes++;
    this.#awake.ring();
  };

  /** A message in hand is handled. */
  finish(message: ReceivedMessage<unknown>): void {
    const cursor = this.#sourceOf(message);
    if (cursor === undefined || !cursor.finish(message)) return;
    this.noteHandled(cursor, 1);
  }

  noteHandled(cursor: Cursor, count: number): void {
    this.#options.prefetch.noteHandled(count);
    if (cursor.isGone) return;
    this.commits.noteHandled(count);
    if (cursor.state === "revoking") void this.letGoIfDone(cursor);
    if (this.#waitsForRoom && this.#options.prefetch.hasRoom(this.#total, cursor.outstanding, this.cursors.size)) {
      this.wake();
    }
  }

  /** Where a message comes from, if that reading still counts. */
  #sourceOf({ source, partitionId }: ReceivedMessage<unknown>): Cursor | undefined {
    const cursor = this.cursors.get(partitionId);
    if (cursor === source) return cursor;
    const before = this.#before.get(partitionId);
    return before === source ? before : undefined;
  }

  /** Gives messages in hand back: they come again. */
  putBack(messages: readonly ReceivedMessage<unknown>[]): void {
    // Without `Map.groupBy`, which Node 20 does not have.
    const byCursor = new Map<Cursor, ReceivedMessage<unknown>[]>();
    for (const message of messages) {
      const cursor = this.#sourceOf(message);
      if (cursor === undefined || cursor.isGone) continue;
      const own = byCursor.get(cursor);
      if (own === undefined) byCursor.set(cursor, [message]);
      else own.push(message);
    }
    for (const [cursor, own] of byCursor) cursor.putBack(own);
    this.arrived.ring();
  }

  async #run(): Promise<void> {
    let failures = 0;
    let failingSinceMs = 0;
    const { clock, assignment } = this.#options;
    while (!this.#isStopped) {
      const beganMs = clock.nowMs();
      try {
        await this.#step();
        failures = 0;
      } catch (error) {
        if (this.#isStopped) return;
        const isLost = isConnectionLoss(error);
        if (!isLost && !(assignment.isMembership && isMembershipLoss(error))) return this.fail(error);
        // A connection that comes back by itself has waited in there.
        if (failures === 0) failingSinceMs = beganMs;
        if (clock.nowMs() - failingSinceMs > reconnectTimeoutMs) return this.fail(error);
        await this.#disconnected();
        // Where only the membership is lost there is a connection: the first attempt is made at once.
        const pauseMs = isLost || failures > 0 ? backoffMs(failures, reconnectMinMs, reconnectMaxMs, clock) : 0;
        failures++;
        if (pauseMs > 0) await this.#rest(pauseMs);
      }
    }
  }

  async #step(): Promise<void> {
    const { assignment, clock, feed } = this.#options;
    if (!this.#isJoined) {
      await assignment.join();
      this.#isJoined = true;
      this.#nextRoundMs = clock.nowMs();
    }
    this.#followAssignment();
    if (clock.nowMs() >= this.#nextRoundMs) {
      await this.#round();
      this.#nextRoundMs = clock.nowMs() + assignment.roundMs;
    }
    const wakes = this.#wakes;
    const chosen = this.#chosen();
    let pauseMs = this.#nextRoundMs - clock.nowMs();
    if ((chosen.length > 0 || feed.isPushed === true) && !this.#isStopped) {
      // A wait reads first: after one that brought nothing the next one is all that is asked for.
      const isWaitEnough = feed.isPushed !== true && this.#isQuiet && !chosen.some(({ cursor }) => cursor.mayHideReset);
      if (!isWaitEnough) {
        const round = await feed.fetch(chosen.map(({ request }) => request));
        for (const [index, { cursor, fetchNumber }] of chosen.entries()) {
          const reply = round.replies[index];
          if (reply !== undefined) await this.#replies.take(cursor, fetchNumber, reply);
        }
        pauseMs = Math.min(pauseMs, round.pauseMs);
      }
      this.#isQuiet = false;
      if (pauseMs > 0 && (await this.#waitForNews())) pauseMs = 0;
      else if (isWaitEnough) return;
    } else if (this.cursors.size === 0 && pauseMs > 0 && (await this.#waitForNews())) pauseMs = 0;
    this.#followAssignment();
    const isNews = feed.hasNews?.(chosen.map(({ request }) => request)) === true;
    const isToLook = feed.isPushed === true && (isNews || wakes !== this.#wakes || this.#nextRoundMs <= clock.nowMs());
    if (isToLook) pauseMs = 0;
    this.#reconnected();
    if (pauseMs > 0 && !this.#isStopped) await this.#rest(pauseMs);
  }

  /** Where the server says when the partitions are other ones: then a round is made, and as long as nothing changes none. */
  #followAssignment(): void {
    const { feed, clock, assignment } = this.#options;
    const { assignmentNumber = 0n } = feed;
    if (assignmentNumber === 0n || !this.#isJoined) return;
    if (assignmentNumber !== this.#assignmentNumber) this.#askAgain();
    else if (assignment.isSettled && !this.#isRoundDue) this.#nextRoundMs = clock.nowMs() + assignment.roundMs;
    this.#assignmentNumber = assignmentNumber;
  }

  /** What belongs to this member may be something else: a round tells. */
  #askAgain(): void {
    this.#isRoundDue = true;
    this.#nextRoundMs = Math.min(this.#nextRoundMs, this.#options.clock.nowMs());
  }

  /** Where the feed can wait, it does, for all that is read. False: a pause has to be made. */
  async #waitForNews(): Promise<boolean> {
    const { feed, clock, assignment, policy } = this.#options;
    const chosen = this.#chosen();
    const isFollowed = this.#assignmentNumber !== 0n && assignment.isSettled;
    const waitMs = isFollowed ? waitMsMax : Math.min(waitMsMax, this.#nextRoundMs - clock.nowMs());
    // A member is woken by what is new in any of its partitions; who named some waits for those that it would read now.
    const isAll = !assignment.isMembership || chosen.length === this.cursors.size;
    const isByOffset = chosen.every(({ request }) => request.from.kind === "offset");
    const isSomething = chosen.length > 0 || assignment.isMembership;
    if (!isAll || !isByOffset || !isSomething || waitMs < 1 || this.#isStopped) return false;
    // What a wait stores for a member may be of a partition that it does not know yet: the poll that follows reads and stores.
    const isOnlyWoken = assignment.isMembership && policy === "before-delivery";
    const requests = chosen.map(({ request }) => (isOnlyWoken ? { ...request, autoCommit: false } : request));
    const waiting = feed.wait?.(requests, waitMs, this.#assignmentNumber);
    if (waiting === undefined) return false;
    const waited = await this.#awake.rungOr(waiting);
    if (waited === undefined) return true; // what is asked next ends the wait of the server
    const reply = isOnlyWoken && waited.reply?.messages.messagesCount ? undefined : waited.reply;
    if (waited.assignmentNumber !== 0n) {
      // The same as before: nothing has changed since a round was made under this number.
      const isSame = waited.assignmentNumber === this.#assignmentNumber && assignment.isSettled;
      this.#nextRoundMs = isSame ? clock.nowMs() + assignment.roundMs : Math.min(this.#nextRoundMs, clock.nowMs());
    }
    this.#assignmentNumber = waited.assignmentNumber;
    this.#isQuiet = !waited.isRefused && !waited.reply?.messages.messagesCount;
    const asked = chosen.find(({ cursor }) => cursor.partitionId === reply?.partitionId);
    if (reply !== undefined && asked !== undefined) await this.#replies.take(asked.cursor, asked.fetchNumber, reply);
    return !waited.isRefused;
  }

  /** Until something has changed, or for so long. */
  #rest(ms: number): Promise<void> {
    return this.#awake.rungWithin(ms, this.#options.clock);
  }

  async #round(): Promise<void> {
    this.#isRoundDue = false;
    const { assigned, revoking, lost } = await this.#options.assignment.round();
    await this.#lose(lost);
    if (assigned.length > 0) await this.#assigned(assigned);
    for (const partitionId of revoking) await this.#takeRest(partitionId);
    for (const partitionId of revoking) void this.#revoke(partitionId);
    this.#before.clear();
    this.#isOpened = true;
    this.#opened.ring();
    this.arrived.ring();
  }

  async #assigned(partitionIds: readonly number[]): Promise<void> {
    await this.#tell("assigned", partitionIds);
    await Promise.all(
      partitionIds.map(async (partitionId) => {
        const known = this.cursors.get(partitionId);
        if (known !== undefined) {
          // Promised away and kept after all.
          known.state = "reading";
          known.isReadyToGo = false;
          return;
        }
        const opened = await this.#options.open(partitionId, this.#before.get(partitionId)?.handledOffset);
        const cursor = new Cursor(partitionId, opened, this.#total, this.#seen.get(partitionId));
        cursor.committedOffset = opened.committedOffset;
        cursor.isPaused = this.paused.has(partitionId);
        this.cursors.set(partitionId, cursor);
      }),
    );
  }

  /** What the server has read for the member counts as polled: the partition goes when that is handled. */
  async #takeRest(partitionId: number): Promise<void> {
    const cursor = this.cursors.get(partitionId);
    if (cursor === undefined) return;
    const { fetchNumber } = cursor;
    const rest = await this.#options.feed.finish?.(partitionId, cursor.from);
    for (const reply of rest ?? []) await this.#replies.take(cursor, fetchNumber, reply);
  }

  async #revoke(partitionId: number): Promise<void> {
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
    const error = await this.commits.store([cursor]);
    if (error === undefined && cursor.state === "revoking") this.#drop(cursor);
  }

  #drop(cursor: Cursor): void {
    this.#seen.set(cursor.partitionId, cursor.seenUpTo);
    this.#options.feed.forget?.(cursor.partitionId);
    cursor.end();
    if (this.cursors.get(cursor.partitionId) === cursor) this.cursors.delete(cursor.partitionId);
  }

  /** Gone without a handover. */
  async #lose(partitionIds: readonly number[]): Promise<void> {
    const lost = partitionIds.filter((partitionId) => this.cursors.has(partitionId));
    for (const partitionId of lost) this.#drop(this.cursors.get(partitionId)!);
    if (lost.length > 0) await this.#tell("lost", lost);
  }

  #chosen() {
    const { prefetch, policy } = this.#options;
    const reading = [...this.cursors.values()].filter(({ state, isPaused }) => state === "reading" && !isPaused);
    const open = reading.filter(({ outstanding }) => prefetch.hasRoom(this.#total, outstanding, reading.length));
    this.#waitsForRoom = open.length < reading.length;
    return open.map((cursor) => {
      const count = prefetch.countFor(this.#total, cursor.outstanding, reading.length, open.length);
      const { partitionId, from, fetchNumber } = cursor;
      const bytes = prefetch.bytesFor(count);
      const request = { partitionId, from, count, bytes, autoCommit: policy === "before-delivery" };
      return { cursor, fetchNumber, request };
    });
  }

  /** Membership ended, if there is one: everything that it gave is gone, but for what is in hand. */
  async #disconnected(): Promise<void> {
    if (!this.#isDisconnected) this.events.tell({ kind: "disconnected" });
    this.#isDisconnected = true;
    if (!this.#options.assignment.isMembership) return;
    this.#isJoined = false;
    this.#assignmentNumber = 0n;
    this.#options.assignment.forgetAll();
    for (const [partitionId, cursor] of this.cursors) this.#before.set(partitionId, cursor);
    await this.#lose([...this.cursors.keys()]);
  }

  #reconnected(): void {
    if (!this.#isDisconnected) return;
    this.#isDisconnected = false;
    this.events.tell({ kind: "rejoined" });
  }

  /** Told like a commit that failed: it may explain why partitions come to others late. */
  noteLeaveFailed(thrown: unknown): void {
    const error = thrown instanceof IggyError ? thrown : new IggyError("Error", [], { cause: thrown });
    this.events.tell({ kind: "leave-failed", error });
  }

  #commitFailed(cursor: Cursor, error: IggyError): void {
    this.events.tell({ kind: "commit-failed", error });
    if (error.errorName !== "NotResolvedConsumer") return;
    this.#options.assignment.forget(cursor.partitionId);
    this.#askAgain();
    void this.#lose([cursor.partitionId]);
  }

  /** Calls the listener; where it fails the consumer does. */
  async #tell(kind: "assigned" | "revoking" | "lost", partitionIds: readonly number[]): Promise<void> {
    this.events.tell({ kind, partitionIds });
    const { onAssigned, onRevoking, onLost } = this.#options;
    const listener = { assigned: onAssigned, revoking: onRevoking, lost: onLost }[kind];
    try {
      await listener?.(partitionIds);
    } catch (error) {
      this.fail(error);
    }
  }
}
