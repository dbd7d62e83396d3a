// A consumer: one connection, polls one stream by offset from 0 and checks what it gets. It either reads what is known to
// be there, with `pipelineDepth` polls in flight, or follows a producer, one poll at a time.

import type { ActorJob, ActorResult, ActorTask, ProgressCounter } from "./actor-messages.ts";
import { payloadOf, streamNameOf } from "./batch.ts";
import { nowMicros } from "./clock.ts";
import { LatencySeries } from "./latency-series.ts";
import type { Link, Poller } from "./link.ts";
import { emptyPollPauseMs, firstOriginMicros, messagesCountOf, PollChecker } from "./poll-check.ts";

/** No message for so long although some must be there: the server has lost them or hangs. */
const stallMs = 10_000;

export class Consumer {
  readonly #link: Link;
  readonly #job: ActorJob;
  readonly #task: ActorTask;
  readonly #progress: ProgressCounter;
  readonly #checker: PollChecker;
  /** How many messages there are; undefined while the producer is still writing. */
  #totalMessages: number | undefined;
  #latency = new LatencySeries();
  #requests = 0;
  #emptyPolls = 0;
  #lastMessageMs = 0;

  constructor(link: Link, job: ActorJob, task: ActorTask, progress: ProgressCounter) {
    this.#link = link;
    this.#job = job;
    this.#task = task;
    this.#progress = progress;
    this.#checker = new PollChecker(payloadOf(job.messageSizeBytes));
    this.#totalMessages = task.availableMessages;
  }

  /** No more than this many messages will come. */
  endAt(totalMessages: number): void {
    this.#totalMessages = totalMessages;
  }

  /** Reads to the end or until the job's time is over. Rejects if a poll fails or messages do not come. */
  async run(): Promise<ActorResult> {
    this.#lastMessageMs = performance.now();
    const available = this.#task.availableMessages;
    return available === undefined ? this.#follow() : this.#readAll(available);
  }

  async #readAll(availableMessages: number): Promise<ActorResult> {
    const { warmupSeconds, batches, seconds, messagesPerBatch } = this.#job;
    const warmupEndMs = performance.now() + warmupSeconds * 1000;
    while (performance.now() < warmupEndMs) await this.#readRange(availableMessages, warmupEndMs);
    const limit = batches === undefined ? availableMessages : Math.min(availableMessages, batches * messagesPerBatch);
    const before = this.#startMeasuring();
    await this.#readRange(limit, performance.now() + (seconds ?? Number.POSITIVE_INFINITY) * 1000);
    return this.#result(before);
  }

  /** Offsets 0 to `endOffset` in windows of a batch; a window is polled until it is complete. */
  async #readRange(endOffset: number, deadlineMs: number): Promise<void> {
    const { messagesPerBatch, pipelineDepth } = this.#job;
    let nextStart = 0;
    const readInTurn = async () => {
      const poller = this.#newPoller();
      while (nextStart < endOffset && performance.now() < deadlineMs) {
        let offset = nextStart;
        const windowEnd = Math.min(offset + messagesPerBatch, endOffset);
        nextStart = windowEnd;
        while (offset < windowEnd) {
          const sentMs = performance.now();
          const reply = await this.#poll(poller, offset, windowEnd - offset);
          const doneMs = performance.now();
          this.#latency.record((doneMs - sentMs) * 1000, messagesCountOf(reply), doneMs);
          offset = await this.#take(reply, offset);
        }
      }
    };
    await Promise.all(Array.from({ length: pipelineDepth }, readInTurn));
  }

  async #follow(): Promise<ActorResult> {
    const poller = this.#newPoller();
    const warmupEndMs = performance.now() + this.#job.warmupSeconds * 1000;
    let before: { startMicros: number; messages: number } | undefined;
    let offset = 0;
    while (this.#totalMessages === undefined || offset < this.#totalMessages) {
      if (before === undefined && performance.now() >= warmupEndMs) before = this.#startMeasuring();
      const reply = await this.#poll(poller, offset, this.#job.messagesPerBatch);
      const count = messagesCountOf(reply);
      if (count > 0) this.#latency.record(nowMicros() - firstOriginMicros(reply), count, performance.now());
      offset = await this.#take(reply, offset);
    }
    return this.#result(before ?? this.#startMeasuring());
  }

  #newPoller(): Poller {
    return this.#link.poller(streamNameOf(this.#task.index), this.#task.index + 1);
  }

  #poll(poller: Poller, offset: number, count: number): Promise<Uint8Array> {
    this.#requests++;
    return poller.poll(offset, count);
  }

  /** Checks a reply and returns the offset of the next poll. */
  async #take(reply: Uint8Array, offset: number): Promise<number> {
    const count = messagesCountOf(reply);
    if (count > 0) {
      const nextOffset = this.#checker.check(reply, offset);
      this.#progress.consumedMessages += count;
      this.#lastMessageMs = performance.now();
      if (nextOffset === offset) throw new Error(`the poll at offset ${offset} returned only other messages`);
      return nextOffset;
    }
    this.#emptyPolls++;
    if (this.#totalMessages !== undefined && performance.now() - this.#lastMessageMs > stallMs) {
      const missing = this.#totalMessages - offset;
      throw new Error(`polls at offset ${offset} stay empty for ${stallMs / 1000} s; ${missing} messages are missing`);
    }
    await Bun.sleep(emptyPollPauseMs);
    return offset;
  }

  #startMeasuring(): { startMicros: number; messages: number } {
    this.#latency = new LatencySeries();
    this.#requests = 0;
    this.#emptyPolls = 0;
    return { startMicros: nowMicros(), messages: this.#checker.counts.messages };
  }

  #result(before: { startMicros: number; messages: number }): ActorResult {
    const checks = this.#checker.counts;
    return {
      role: "consumer",
      index: this.#task.index,
      startMicros: before.startMicros,
      endMicros: nowMicros(),
      messages: checks.messages - before.messages,
      requests: this.#requests,
      emptyPolls: this.#emptyPolls,
      messagesInAll: checks.messages,
      unsentRequests: 0,
      perSecond: this.#latency.finish(),
      checks,
      ranges: [],
    };
  }
}
