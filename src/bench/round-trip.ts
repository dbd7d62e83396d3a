// From end to end: sends one message and polls until it is there, over the same connection or a second one.

import type { ActorJob, ActorResult, ActorTask, ProgressCounter } from "./actor-messages.ts";
import { payloadOf, streamNameOf } from "./batch.ts";
import { nowMicros } from "./clock.ts";
import { LatencySeries } from "./latency-series.ts";
import type { Link, Poller, Sender } from "./link.ts";
import { messagesCountOf, PollChecker } from "./poll-check.ts";

/** A message that was acknowledged and is not there after so long is lost. */
const visibleWithinMs = 10_000;

export class RoundTrip {
  readonly #sender: Sender;
  readonly #poller: Poller;
  readonly #job: ActorJob;
  readonly #task: ActorTask;
  readonly #progress: ProgressCounter;
  readonly #checker: PollChecker;
  #offset = 0;
  #emptyPolls = 0;

  /** `readLink` may be the same as `writeLink`. */
  constructor(writeLink: Link, readLink: Link, job: ActorJob, task: ActorTask, progress: ProgressCounter) {
    const streamName = streamNameOf(task.index);
    const { messagesPerBatch, messageSizeBytes, placement } = job;
    this.#sender = writeLink.sender({ streamName, messagesPerBatch, messageSizeBytes, placement });
    this.#poller = readLink.poller(streamName, task.index + 1);
    this.#job = job;
    this.#task = task;
    this.#progress = progress;
    this.#checker = new PollChecker(payloadOf(messageSizeBytes));
  }

  /** Rejects if a message does not come back. */
  async run(): Promise<ActorResult> {
    const { warmupSeconds, batches, seconds } = this.#job;
    if (warmupSeconds > 0) await this.#repeat(Number.POSITIVE_INFINITY, warmupSeconds, new LatencySeries());
    const before = this.#offset;
    this.#emptyPolls = 0;
    const latency = new LatencySeries();
    const startMicros = nowMicros();
    await this.#repeat(batches ?? Number.POSITIVE_INFINITY, seconds ?? Number.POSITIVE_INFINITY, latency);
    const messages = this.#offset - before;
    return {
      role: "end-to-end",
      index: this.#task.index,
      startMicros,
      endMicros: nowMicros(),
      messages,
      requests: 2 * messages + this.#emptyPolls,
      emptyPolls: this.#emptyPolls,
      messagesInAll: this.#offset,
      unsentRequests: 0,
      perSecond: latency.finish(),
      checks: this.#checker.counts,
      ranges: [],
    };
  }

  async #repeat(countMax: number, seconds: number, latency: LatencySeries): Promise<void> {
    const deadlineMs = performance.now() + seconds * 1000;
    for (let count = 0; count < countMax && performance.now() < deadlineMs; count++) {
      this.#sender.prepare();
      const sentMs = performance.now();
      await this.#sender.send();
      const reply = await this.#seen(sentMs);
      const doneMs = performance.now();
      latency.record((doneMs - sentMs) * 1000, 1, doneMs);
      this.#offset = this.#checker.check(reply, this.#offset);
      this.#progress.producedMessages++;
      this.#progress.consumedMessages++;
    }
  }

  /** Without a pause between polls: the pause would be what is measured. */
  async #seen(sentMs: number): Promise<Uint8Array> {
    for (;;) {
      const reply = await this.#poller.poll(this.#offset, 1);
      if (messagesCountOf(reply) > 0) return reply;
      this.#emptyPolls++;
      if (performance.now() - sentMs > visibleWithinMs) {
        throw new Error(`the message at offset ${this.#offset} is not there after ${visibleWithinMs / 1000} s`);
      }
    }
  }
}
