// The background half of a consumer: joins, follows the assignment, keeps messages ready, comes back after a lost connection. One
// loop does all of it, one thing after the other; the loops of the program take what lies ready and say what is handled. What
// becomes of a partition is in held-partitions.ts.

import { IggyError } from "../../protocol/errors.ts";
import { EventChannel } from "../event-channel.ts";
import type { Assignment } from "./assignment.ts";
import { Bell, backoffMs, type Clock } from "./clock.ts";
import type { PollReply, PollRequest } from "./commands.ts";
import { Commits } from "./commits.ts";
import type { Cursor, Outstanding, StartFrom } from "./cursor.ts";
import { HeldPartitions, type PartitionsOptions } from "./held-partitions.ts";
import { isConnectionLoss, isMembershipLoss } from "./losses.ts";
import type { ConsumerObserver } from "./observer.ts";
import type { ConsumerEvent } from "./options.ts";
import { PausedPartitions } from "./paused-partitions.ts";
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

export interface IntakeOptions extends PartitionsOptions {
  readonly assignment: Assignment;
  readonly prefetch: Prefetch;
  readonly clock: Clock;
  /** Where it goes on after a purge. */
  readonly reopen: (partitionId: number) => Promise<StartFrom>;
  readonly poll: (request: PollRequest) => Promise<PollReply>;
  /** `messagesCount`: those behind the last stored offset. */
  readonly store: (partitionId: number, offset: number, messagesCount: number) => Promise<void>;
  readonly observer: ConsumerObserver;
  /** Leaves out what was stored twice, if it is given. */
  readonly repeats?: RepeatFilter | undefined;
}

export class Intake {
  readonly cursors: ReadonlyMap<number, Cursor>;
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
  readonly #held: HeldPartitions;
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
    this.#held = new HeldPartitions({
      ...options,
      total: this.#total,
      isPaused: (partitionId) => this.paused.has(partitionId),
      take: (cursor, fetchNumber, reply) => this.#replies.take(cursor, fetchNumber, reply),
      commit: (cursor) => this.commits.store([cursor]),
      tell: (event) => this.events.tell(event),
      fail: (reason) => this.fail(reason),
    });
    this.cursors = this.#held.cursors;
    this.ready = new Ready(this.cursors, options.repeats, (message) => this.finish(message));
    this.#replies = new Replies({
      ...options,
      events: this.events,
      arrived: this.arrived,
      onRefused: (partitionId) => {
        this.#askAgain();
        return this.#held.lose([partitionId]);
      },
      onReset: (partitionId) => this.#held.forgetSeen(partitionId),
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
    const cursor = this.#held.sourceOf(message);
    if (cursor === undefined || !cursor.finish(message)) return;
    this.noteHandled(cursor, 1);
  }

  noteHandled(cursor: Cursor, count: number): void {
    this.#options.prefetch.noteHandled(count);
    if (cursor.isGone) return;
    this.commits.noteHandled(count);
    if (cursor.state === "revoking") void this.#held.letGoIfDone(cursor);
    if (this.#waitsForRoom && this.#options.prefetch.hasRoom(this.#total, cursor.outstanding, this.cursors.size)) {
      this.wake();
    }
  }

  /** Gives messages in hand back: they come again. */
  putBack(messages: readonly ReceivedMessage<unknown>[]): void {
    // Without `Map.groupBy`, which Node 20 does not have.
    const byCursor = new Map<Cursor, ReceivedMessage<unknown>[]>();
    for (const message of messages) {
      const cursor = this.#held.sourceOf(message);
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
      // Something that was refused meanwhile wants another one.
      this.#nextRoundMs = clock.nowMs() + (this.#isRoundDue ? 0 : assignment.roundMs);
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

  /**
   * What belongs to this member may be something else: a round tells. The number that was known does not stand for what the round
   * finds: a partition may come back behind it, under the same number.
   */
  #askAgain(): void {
    this.#isRoundDue = true;
    this.#assignmentNumber = 0n;
    this.#nextRoundMs = Math.min(this.#nextRoundMs, this.#options.clock.nowMs());
  }

  /** Where the feed can wait, it does, for all that is read. False: a pause has to be made. */
  async #waitForNews(): Promise<boolean> {
    if (this.#isRoundDue) return true;
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
      const isSettled = assignment.isSettled && !this.#isRoundDue;
      const isSame = waited.assignmentNumber === this.#assignmentNumber && isSettled;
      this.#nextRoundMs = isSame ? clock.nowMs() + assignment.roundMs : Math.min(this.#nextRoundMs, clock.nowMs());
    }
    this.#assignmentNumber = waited.assignmentNumber;
    if (waited.isOfStranger) this.#askAgain();
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
    await this.#held.lose(lost);
    await this.#assigned(assigned);
    await this.#held.revoke(revoking);
    this.#held.forgetEarlier();
    this.#isOpened = true;
    this.#opened.ring();
    this.arrived.ring();
  }

  /** Those that cannot be opened are to be found again by the next round. */
  async #assigned(partitionIds: readonly number[]): Promise<void> {
    try {
      await this.#held.assign(partitionIds);
    } catch (error) {
      for (const partitionId of partitionIds) {
        if (!this.cursors.has(partitionId)) this.#options.assignment.forget(partitionId);
      }
      throw error;
    }
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
    await this.#held.loseAll();
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
    void this.#held.lose([cursor.partitionId]);
  }
}
