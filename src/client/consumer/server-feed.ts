// The feed that the server has: polls, and subscriptions where it pushes, which is known when it has been connected to.

import type { Clock } from "./clock.ts";
import type { ConsumerCommands, PollFrom, PollReply, Waited } from "./commands.ts";
import { type Feed, type FetchRequest, type FetchRound, PollFeed } from "./feed.ts";
import { SubscriptionFeed } from "./subscription-feed.ts";

export class ServerFeed implements Feed {
  readonly #commands: ConsumerCommands;
  readonly #clock: Clock;
  /** Polls, until it is known that the server pushes. */
  #feed: Feed;
  #isPushing = false;
  onNews: () => void = () => undefined;

  constructor(commands: ConsumerCommands, clock: Clock) {
    this.#commands = commands;
    this.#clock = clock;
    this.#feed = new PollFeed(commands);
  }

  get isPushed(): boolean {
    return this.#isPushing ? this.#feed.isPushed === true : this.#commands.pushes !== undefined;
  }

  get assignmentNumber(): bigint {
    return this.#feed.assignmentNumber ?? 0n;
  }

  fetch(requests: readonly FetchRequest[]): Promise<FetchRound> {
    const { pushes } = this.#commands;
    if (!this.#isPushing && pushes !== undefined) {
      this.#feed = new SubscriptionFeed(this.#commands, pushes(), this.#clock, () => this.onNews());
      this.#isPushing = true;
    }
    return this.#feed.fetch(requests);
  }

  wait(requests: readonly FetchRequest[], waitMs: number, knownAssignment: bigint): Promise<Waited> | undefined {
    return this.#feed.wait?.(requests, waitMs, knownAssignment);
  }

  hasNews(requests: readonly FetchRequest[]): boolean {
    return this.#feed.hasNews?.(requests) === true;
  }

  async finish(partitionId: number, from: PollFrom): Promise<readonly PollReply[]> {
    return (await this.#feed.finish?.(partitionId, from)) ?? [];
  }

  forget(partitionId: number): void {
    this.#feed.forget?.(partitionId);
  }
}
