// Where messages come from. One interface: here over polls, and over a poll that waits where the server has it; over subscriptions
// in subscription-feed.ts. A feed is asked for all partitions at once and says how long to wait before it should be asked again.

import type { ConsumerCommands, PollFrom, PollReply, PollRequest, Waited } from "./commands.ts";

export interface FetchRequest extends PollRequest {
  /** About as much as so many messages take: what may be pushed. */
  readonly bytes: number;
}

export interface FetchRound {
  /** One for each request, in their order; undefined: nothing has come of it. */
  readonly replies: readonly (PollReply | undefined)[];
  /** 0: ask again at once; Infinity: when there is news. */
  readonly pauseMs: number;
}

export interface Feed {
  /** Set by who asks: called when something has come by itself. */
  onNews?: () => void;
  /** Whether what comes is told by `onNews`. */
  readonly isPushed?: boolean;
  /** Of what the consumer may read, told by itself: the same number as long as nothing has changed; 0: not known. */
  readonly assignmentNumber?: bigint;
  /** Whether something lies ready for these. */
  hasNews?(requests: readonly FetchRequest[]): boolean;
  /** A partition goes to another member: what has been read of it from there on, and is not handed over yet. */
  finish?(partitionId: number, from: PollFrom): Promise<readonly PollReply[]>;
  /** A partition is gone. */
  forget?(partitionId: number): void;
  /** Rejects with the error of the first request that is refused; what the others brought is dropped and asked for again. */
  fetch(requests: readonly FetchRequest[]): Promise<FetchRound>;
  /**
   * After a round without messages, of all that a consumer reads now: waits for something in one of them, if the feed can do that;
   * undefined if it can not. A request that goes out meanwhile ends it.
   */
  wait?(requests: readonly FetchRequest[], waitMs: number, knownAssignment: bigint): Promise<Waited> | undefined;
}

/** Pause after the first round without messages, doubled after each further one up to the largest. */
export const idlePauseMinMs = 1;
export const idlePauseMaxMs = 100;

type FeedCommands = Pick<ConsumerCommands, "poll" | "waitForMessages">;

/** Polls all partitions at once, and waits with a poll where the server has those that wait. */
export class PollFeed implements Feed {
  readonly #commands: FeedCommands;
  #pauseMs = idlePauseMinMs;

  constructor(commands: FeedCommands) {
    this.#commands = commands;
  }

  async fetch(requests: readonly PollRequest[]): Promise<FetchRound> {
    const replies = await allOf(requests.map((request) => this.#commands.poll(request)));
    if (replies.some(({ messages }) => messages.messagesCount > 0)) {
      this.#pauseMs = idlePauseMinMs;
      return { replies, pauseMs: 0 };
    }
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(idlePauseMaxMs, pauseMs * 2);
    return { replies, pauseMs };
  }

  wait(requests: readonly PollRequest[], waitMs: number, knownAssignment: bigint): Promise<Waited> | undefined {
    return this.#commands.waitForMessages?.(requests, waitMs, knownAssignment);
  }
}

/** All results, after all are there: none is still under way when the first error is thrown. */
export async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}
