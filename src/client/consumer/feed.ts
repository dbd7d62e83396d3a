// Where messages come from. One interface: here over polls; over a poll that waits, or a subscription, where the server has
// them. A feed asks once for all partitions and says how long to wait before it should be asked again.

import type { ConsumerCommands, PollReply, PollRequest, Waited } from "./commands.ts";

export interface FetchRound {
  /** One for each request, in their order. */
  readonly replies: readonly PollReply[];
  /** 0: ask again at once. */
  readonly pauseMs: number;
}

export interface Feed {
  /** Rejects with the error of the first request that is refused; what the others brought is dropped and asked for again. */
  fetch(requests: readonly PollRequest[]): Promise<FetchRound>;
  /**
   * After a round without messages, of all that a consumer reads now: waits for something in one of them, if the feed can do that;
   * undefined if it can not. A request that goes out meanwhile ends it.
   */
  wait?(requests: readonly PollRequest[], waitMs: number, knownAssignment: bigint): Promise<Waited> | undefined;
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
async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}
