// Messages that the server pushes: one subscription for each partition, with as much credit as the consumer has room for, and one
// that says when the partitions are other ones. So a consumer to which nothing comes asks for nothing. Where the server has no
// room for more, partitions are polled, and after a while it is asked again.

import { IggyError } from "../../protocol/errors.ts";
import { noMessages } from "./batch-bytes.ts";
import type { Clock } from "./clock.ts";
import type {
  ConsumerCommands,
  PollFrom,
  PollReply,
  PushCommands,
  PushEnding,
  PushListener,
  Waited,
} from "./commands.ts";
import { allOf, type Feed, type FetchRequest, type FetchRound, PollFeed } from "./feed.ts";

/** One partition. */
interface Lane {
  readonly subscriptionId: number;
  readonly partitionId: number;
  /** Where the next reply begins that is handed over. */
  from: PollFrom;
  /** Bytes that the server may still push; below 0 where the last message was larger. */
  credit: number;
  /** What has come and is not handed over yet, in order. */
  readonly inbox: PollReply[];
  inboxBytes: number;
  hasReceived: boolean;
  /** Nothing comes behind what is in the inbox. */
  ending: PushEnding | undefined;
}

/** Of the subscription that follows the partitions. */
const followId = 0;
/** More is not asked for before this share of the credit is used up. */
const creditShare = 1 / 2;
/** How long a consumer polls after the server had no room; up to twice that, so that many do not ask at the same time. */
const roomRetryMs = 30_000;

export class SubscriptionFeed implements Feed, PushListener {
  readonly #polls: PollFeed;
  readonly #lanes = new Map<number, Lane>();
  readonly #lanesById = new Map<number, Lane>();
  /** Partitions that are read behind their end, which the server does not wait for: polled until there is something. */
  readonly #behind = new Set<number>();
  readonly #pushes: PushCommands;
  readonly #clock: Clock;
  readonly #onNews: () => void;
  /** Partitions that were polled from a time: an empty answer says where their end is, which a subscription does not. */
  readonly #timed = new Set<number>();
  /** Until then the server is not asked again whether it has room for more; it had none. */
  #refusedUntilMs = Number.NEGATIVE_INFINITY;
  #isFollowing = false;
  #assignmentNumber = 0n;
  #failure: { readonly error: unknown } | undefined;
  #lastId = followId;

  constructor(commands: ConsumerCommands, pushes: PushCommands, clock: Clock, onNews: () => void) {
    this.#polls = new PollFeed(commands);
    this.#pushes = pushes;
    this.#clock = clock;
    this.#onNews = onNews;
    pushes.listen(this);
  }

  /** Whoever polls meanwhile looks here each time, so that the second attempt needs no timer. */
  get isPushed(): boolean {
    return this.#clock.nowMs() >= this.#refusedUntilMs;
  }

  get assignmentNumber(): bigint {
    return this.#assignmentNumber;
  }

  async fetch(requests: readonly FetchRequest[]): Promise<FetchRound> {
    this.#throwFailure();
    await this.#follow();
    const polled: FetchRequest[] = [];
    const subscribed = await allOf(
      requests.map(async (request) => {
        const reply = await this.#fetchOne(request);
        if (reply === "poll") polled.push(request);
        return reply;
      }),
    );
    if (polled.length === 0) {
      const replies = subscribed.map((reply) => (reply === "poll" ? undefined : reply));
      return { replies, pauseMs: replies.some((reply) => reply !== undefined) ? 0 : Number.POSITIVE_INFINITY };
    }
    const round = await this.#polls.fetch(polled);
    for (const [index, reply] of round.replies.entries()) {
      if (reply !== undefined && reply.messages.messagesCount > 0) this.#behind.delete(polled[index]!.partitionId);
    }
    const replies = requests.map((request, index) => {
      const reply = subscribed[index];
      return reply === "poll" ? round.replies[polled.indexOf(request)] : reply;
    });
    const isNews = subscribed.some((reply) => reply !== undefined && reply !== "poll");
    return { replies, pauseMs: isNews ? 0 : round.pauseMs };
  }

  wait(requests: readonly FetchRequest[], waitMs: number, knownAssignment: bigint): Promise<Waited> | undefined {
    return this.isPushed || this.#lanes.size > 0 ? undefined : this.#polls.wait(requests, waitMs, knownAssignment);
  }

  hasNews(requests: readonly FetchRequest[]): boolean {
    if (this.#failure !== undefined) return true;
    return requests.some(({ partitionId }) => {
      const lane = this.#lanes.get(partitionId);
      return lane !== undefined && (lane.inbox.length > 0 || lane.ending !== undefined);
    });
  }

  async finish(partitionId: number, from: PollFrom): Promise<readonly PollReply[]> {
    const lane = this.#lanes.get(partitionId);
    if (lane === undefined) return [];
    if (lane.ending === undefined) await this.#pushes.unsubscribe(lane.subscriptionId);
    this.#remove(lane);
    return isSame(lane.from, from) ? lane.inbox : [];
  }

  forget(partitionId: number): void {
    const lane = this.#lanes.get(partitionId);
    this.#behind.delete(partitionId);
    this.#timed.delete(partitionId);
    if (lane === undefined) return;
    this.#remove(lane);
    if (lane.ending === undefined) this.#inBackground(this.#pushes.unsubscribe(lane.subscriptionId));
  }

  // What comes.

  messages(subscriptionId: number, reply: PollReply): void {
    const lane = this.#lanesById.get(subscriptionId);
    if (lane === undefined) return; // ended meanwhile
    const { sizeBytes } = reply.messages;
    lane.inbox.push(reply);
    lane.inboxBytes += sizeBytes;
    lane.credit -= sizeBytes;
    lane.hasReceived = true;
    this.#onNews();
  }

  ended(subscriptionId: number, ending: PushEnding): void {
    if (subscriptionId === followId) {
      this.#isFollowing = false;
      this.#assignmentNumber = 0n;
      if (ending instanceof IggyError) this.failed(ending);
      return;
    }
    const lane = this.#lanesById.get(subscriptionId);
    if (lane === undefined) return;
    lane.ending = ending;
    this.#onNews();
  }

  partitions(subscriptionId: number, assignmentNumber: bigint): void {
    if (subscriptionId !== followId || !this.#isFollowing) return;
    this.#assignmentNumber = assignmentNumber;
    this.#onNews();
  }

  lost(): void {
    const hadSome = this.#isFollowing || this.#lanes.size > 0;
    this.#lanes.clear();
    this.#lanesById.clear();
    this.#behind.clear();
    this.#timed.clear();
    this.#refusedUntilMs = Number.NEGATIVE_INFINITY;
    this.#isFollowing = false;
    this.#assignmentNumber = 0n;
    if (hadSome) this.failed(new IggyError("Disconnected"));
  }

  failed(error: unknown): void {
    this.#failure ??= { error };
    this.#onNews();
  }

  // What is asked for.

  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  async #follow(): Promise<void> {
    if (this.#isFollowing || !this.isPushed) return;
    this.#isFollowing = true;
    try {
      const number = await this.#pushes.follow(followId);
      // A change may have been told with the reply.
      if (this.#assignmentNumber === 0n) this.#assignmentNumber = number;
    } catch (error) {
      this.#isFollowing = false;
      if (!isNoRoom(error)) throw error;
      this.#refused();
    }
  }

  /** `poll`: this partition is to be polled. Undefined: nothing has come. */
  async #fetchOne(request: FetchRequest): Promise<PollReply | "poll" | undefined> {
    let lane = this.#lanes.get(request.partitionId);
    if (lane !== undefined && !isSame(lane.from, request.from)) {
      // Somewhere else than where it was: what lies ready does not fit.
      await this.finish(request.partitionId, request.from);
      lane = undefined;
    }
    if (lane === undefined) {
      if (!this.isPushed || this.#behind.has(request.partitionId)) return "poll";
      if (request.from.kind === "timestamp" && !this.#timed.has(request.partitionId)) {
        this.#timed.add(request.partitionId);
        return "poll";
      }
      return this.#subscribe(request);
    }
    const reply = lane.inbox.shift();
    if (reply !== undefined) {
      lane.inboxBytes -= reply.messages.sizeBytes;
      lane.from = { kind: "offset", offset: reply.messages.lastOffset + 1 };
    } else if (lane.ending !== undefined) return this.#endOf(lane);
    this.#topUp(lane, request.bytes);
    return reply;
  }

  async #subscribe(request: FetchRequest): Promise<PollReply | "poll" | undefined> {
    const { partitionId, from, bytes } = request;
    const subscriptionId = ++this.#lastId;
    const state = { credit: bytes, inbox: [], inboxBytes: 0, hasReceived: false, ending: undefined };
    const lane: Lane = { subscriptionId, partitionId, from, ...state };
    this.#lanes.set(partitionId, lane);
    this.#lanesById.set(subscriptionId, lane);
    try {
      const headOffset = await this.#pushes.subscribe(subscriptionId, request, bytes);
      return { kind: "head", partitionId, headOffset, messages: noMessages };
    } catch (error) {
      this.#remove(lane);
      if (isNoRoom(error)) this.#refused();
      // A poll says what is the matter.
      else if (!(error instanceof IggyError && error.errorName === "NotResolvedConsumer")) throw error;
      return "poll";
    }
  }

  #refused(): void {
    this.#refusedUntilMs = this.#clock.nowMs() + roomRetryMs * (1 + this.#clock.random());
  }

  #endOf(lane: Lane): PollReply | "poll" {
    const { ending, partitionId } = lane;
    this.#remove(lane);
    if (ending instanceof IggyError) throw ending;
    if (ending === "offsetsReset") {
      if (lane.hasReceived) return { kind: "reset", partitionId, headOffset: 0, messages: noMessages };
      // There was a purge, or it is where the program wanted to begin.
      this.#behind.add(partitionId);
    }
    return "poll";
  }

  #topUp(lane: Lane, bytes: number): void {
    const left = lane.credit + lane.inboxBytes;
    if (lane.ending !== undefined || left >= bytes * creditShare) return;
    const more = bytes - left;
    lane.credit += more;
    this.#inBackground(this.#pushes.addCredit(lane.subscriptionId, more));
  }

  #remove(lane: Lane): void {
    if (this.#lanes.get(lane.partitionId) === lane) this.#lanes.delete(lane.partitionId);
    this.#lanesById.delete(lane.subscriptionId);
  }

  /** Nobody waits for it; what it fails with is told at the next round. */
  #inBackground(request: Promise<void>): void {
    request.catch((error: unknown) => this.failed(error));
  }
}

function isNoRoom(error: unknown): boolean {
  return error instanceof IggyError && error.errorName === "FeatureUnavailable";
}

function isSame(one: PollFrom, other: PollFrom): boolean {
  if (one.kind === "offset") return other.kind === "offset" && one.offset === other.offset;
  return other.kind === "timestamp" && one.timestampMicros === other.timestampMicros;
}
