// The feed that the server has: polls, and subscriptions where it pushes. What only subscriptions need is loaded when they are used.

import type { Clock } from "./clock.ts";
import type { ConsumerCommands, PollFrom, PollReply, Waited } from "./commands.ts";
import { type Feed, type FetchRequest, type FetchRound, PollFeed } from "./feed.ts";

export class ServerFeed implements Feed {
  readonly #commands: ConsumerCommands;
  readonly #clock: Clock;
  /** Polls, until subscriptions are loaded. */
  #feed: Feed;
  #isLoaded = false;
  onNews: () => void = () => undefined;

  constructor(commands: ConsumerCommands, clock: Clock) {
    this.#commands = commands;
    this.#clock = clock;
    this.#feed = new PollFeed(commands);
  }

  get isPushed(): boolean {
    return this.#isLoaded ? this.#feed.isPushed === true : this.#commands.pushes !== undefined;
  }

  get assignmentNumber(): bigint {
    return this.#feed.assignmentNumber ?? 0n;
  }

  async fetch(requests: readonly FetchRequest[]): Promise<FetchRound> {
    const { pushes } = this.#commands;
    if (!this.#isLoaded && pushes !== undefined) {
      const [{ SubscriptionFeed }, loaded] = await Promise.all([import("./subscription-feed.ts"), pushes()]);
      this.#feed = new SubscriptionFeed(this.#commands, loaded, this.#clock, () => this.onNews());
      this.#isLoaded = true;
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
