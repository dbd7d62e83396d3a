// A member of the one consumer group of the run: polls the next messages of its partitions, which the poll commits.

import type { ActorJob, ActorResult, ActorTask, ProgressCounter } from "./actor-messages.ts";
import { payloadOf, streamNameOf } from "./batch.ts";
import { nowMicros } from "./clock.ts";
import { LatencySeries } from "./latency-series.ts";
import type { Link } from "./link.ts";
import {
  emptyPollPauseMs,
  firstOffsetOf,
  firstOriginMicros,
  messagesCountOf,
  PollChecker,
  partitionIdOf,
} from "./poll-check.ts";
import { addRange, type OffsetRange } from "./ranges.ts";

export class GroupMember {
  readonly #poll: () => Promise<Uint8Array>;
  readonly #job: ActorJob;
  readonly #task: ActorTask;
  readonly #progress: ProgressCounter;
  readonly #checker: PollChecker;
  readonly #ranges: OffsetRange[] = [];
  /** True once no producer writes any more: an empty partition then stays empty, and the reader may end. */
  #isComplete: boolean;

  private constructor(poll: () => Promise<Uint8Array>, job: ActorJob, task: ActorTask, progress: ProgressCounter) {
    this.#poll = poll;
    this.#job = job;
    this.#task = task;
    this.#progress = progress;
    this.#checker = new PollChecker(payloadOf(job.messageSizeBytes));
    this.#isComplete = task.availableMessages !== undefined;
  }

  /** Joins the group. */
  static async join(link: Link, job: ActorJob, task: ActorTask, progress: ProgressCounter): Promise<GroupMember> {
    const poll = await link.joinGroup(streamNameOf(0), job.messagesPerBatch);
    return new GroupMember(poll, job, task, progress);
  }

  /** No more messages will come. */
  endAt(): void {
    this.#isComplete = true;
  }

  /** Reads until nothing is left in any of its partitions, or the job's time is over. */
  async run(): Promise<ActorResult> {
    const { warmupSeconds, seconds = Number.POSITIVE_INFINITY, partitionsCount } = this.#job;
    const isFollowing = this.#task.availableMessages === undefined;
    const measuredFromMs = performance.now() + warmupSeconds * 1000;
    // While producers write, they end the run and the reader takes what is left.
    const deadlineMs = isFollowing ? Number.POSITIVE_INFINITY : measuredFromMs + seconds * 1000;
    let latency = new LatencySeries();
    const counts = this.#checker.counts;
    let before: { startMicros: number; messages: number } | undefined;
    let endMicros = nowMicros();
    let requests = 0;
    let emptyPolls = 0;
    let emptyInTurn = 0;
    // Each poll looks at the next partition: after as many empty ones there is nothing in any.
    for (;;) {
      if (before === undefined && performance.now() >= measuredFromMs) {
        before = { startMicros: nowMicros(), messages: counts.messages };
        latency = new LatencySeries();
        requests = 0;
        emptyPolls = 0;
      }
      const wasComplete = this.#isComplete;
      const sentMs = performance.now();
      const reply = await this.#poll();
      const receivedMs = performance.now();
      requests++;
      if (messagesCountOf(reply) === 0) {
        emptyPolls++;
        emptyInTurn = wasComplete ? emptyInTurn + 1 : 0;
        if (emptyInTurn > partitionsCount) break;
        await Bun.sleep(emptyPollPauseMs);
        continue;
      }
      emptyInTurn = 0;
      const latencyMicros = isFollowing ? nowMicros() - firstOriginMicros(reply) : (receivedMs - sentMs) * 1000;
      latency.record(latencyMicros, messagesCountOf(reply), receivedMs);
      this.#take(reply);
      endMicros = nowMicros();
      if (receivedMs >= deadlineMs) break;
    }
    const { startMicros, messages } = before ?? { startMicros: endMicros, messages: counts.messages };
    return {
      role: "consumer",
      index: this.#task.index,
      startMicros,
      endMicros: Math.max(startMicros, endMicros),
      messages: counts.messages - messages,
      requests,
      emptyPolls,
      messagesInAll: counts.messages,
      unsentRequests: 0,
      perSecond: latency.finish(),
      checks: counts,
      ranges: this.#ranges,
    };
  }

  #take(reply: Uint8Array): void {
    const firstOffset = firstOffsetOf(reply);
    const endOffset = this.#checker.check(reply, firstOffset);
    addRange(this.#ranges, partitionIdOf(reply), firstOffset, endOffset);
    this.#progress.consumedMessages += messagesCountOf(reply);
  }
}
