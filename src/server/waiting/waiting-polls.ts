// The polls of one shard that wait: how many may, when their time is over, and which of them a change of the metadata concerns.
import type { MetadataEvent } from "../../metadata/index.ts";
import type { Shard } from "../../shard/index.ts";
import type { Reply } from "../reply.ts";
import type { Session } from "../session.ts";
import type { Deadlines } from "./deadlines.ts";
import { isHarmlessForReaders } from "./harmless-events.ts";
import { type WaitDesk, WaitingPoll, type WaitPlan, type WantedPartition } from "./waiting-poll.ts";

export interface WaitingPollsOptions {
  readonly shard: Shard;
  readonly deadlines: Deadlines;
  readonly nowMs: () => number;
  /** Most partitions for which polls of all shards wait, and those of one user; 0: no limit. */
  readonly limits: { readonly ofAll: number; readonly ofUser: number };
}

const noPolls: ReadonlySet<WaitingPoll> = new Set();

export class WaitingPolls implements WaitDesk {
  readonly shard: Shard;
  readonly #options: WaitingPollsOptions;
  /** By stream: under way, whether they wait already or still read. */
  readonly #polls = new Map<number, Set<WaitingPoll>>();

  constructor(options: WaitingPollsOptions) {
    this.shard = options.shard;
    this.#options = options;
  }

  /** Polls that are under way on this shard. */
  get count(): number {
    let count = 0;
    for (const polls of this.#polls.values()) count += polls.size;
    return count;
  }

  /** Polls of this shard that wait until their time is over. */
  get waitingCount(): number {
    return this.#options.deadlines.count;
  }

  /** Carries out the poll, which reads in this order; at most one of a session at a time. */
  poll(session: Session, plan: WaitPlan, wanted: readonly WantedPartition[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const poll = new WaitingPoll(this, session, plan, wanted, resolve, reject);
      const ofStream = this.#polls.get(plan.streamId);
      if (ofStream === undefined) this.#polls.set(plan.streamId, new Set([poll]));
      else ofStream.add(poll);
      poll.start();
    });
  }

  begin(poll: WaitingPoll): boolean {
    const { deadlines, nowMs, limits } = this.#options;
    if (!this.shard.counters.waits.begin(poll.userId, placesOf(poll), limits)) {
      this.shard.statistics.add("refusedWaits");
      return false;
    }
    deadlines.add(poll, nowMs() + poll.plan.waitMs);
    return true;
  }

  ended(poll: WaitingPoll, hasBegun: boolean): void {
    const { streamId } = poll.plan;
    const ofStream = this.#polls.get(streamId);
    ofStream?.delete(poll);
    if (ofStream?.size === 0) this.#polls.delete(streamId);
    if (!hasBegun) return;
    this.#options.deadlines.remove(poll);
    this.shard.counters.waits.end(poll.userId, placesOf(poll));
  }

  /** An event is applied to this shard's state, and sessions know what follows from it. */
  follow(event: MetadataEvent): void {
    if (this.#polls.size === 0 || isHarmlessForReaders(event)) return;
    const concerned = "streamId" in event ? [this.#polls.get(event.streamId) ?? noPolls] : [...this.#polls.values()];
    for (const polls of concerned) for (const poll of [...polls]) poll.recheck();
  }
}

/** A member without partitions waits in one place. */
function placesOf({ places }: WaitingPoll): number {
  return Math.max(1, places.length);
}
