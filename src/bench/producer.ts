// A producer: one connection, its own stream or the one of all, `pipelineDepth` batches in flight, each made once.

import type { ActorJob, ActorResult, ActorTask, ProgressCounter } from "./actor-messages.ts";
import { streamNameOf } from "./batch.ts";
import { nowMicros } from "./clock.ts";
import { LatencySeries } from "./latency-series.ts";
import type { Link, Sender } from "./link.ts";
import { Schedule, scheduleOptionsOf } from "./schedule.ts";

export class Producer {
  readonly #senders: readonly Sender[];
  readonly #job: ActorJob;
  readonly #task: ActorTask;
  readonly #progress: ProgressCounter;
  #batchesSent = 0;

  constructor(link: Link, job: ActorJob, task: ActorTask, progress: ProgressCounter) {
    this.#job = job;
    this.#task = task;
    this.#progress = progress;
    const { messagesPerBatch, messageSizeBytes, placement } = job;
    const streamName = streamNameOf(placement === "balanced" ? 0 : task.index);
    this.#senders = Array.from({ length: job.pipelineDepth }, () =>
      link.sender({ streamName, messagesPerBatch, messageSizeBytes, placement }),
    );
  }

  /** Sends until the count or the time of the job is reached. Rejects with the error of the first send that fails. */
  async run(): Promise<ActorResult> {
    const { warmupSeconds, batches, seconds, messagesPerBatch } = this.#job;
    if (warmupSeconds > 0) await this.#sendAll(Number.POSITIVE_INFINITY, warmupSeconds, new LatencySeries());
    const warmupBatches = this.#batchesSent;
    const latency = new LatencySeries();
    const startMicros = nowMicros();
    const unsentRequests = await this.#sendAll(
      batches ?? Number.POSITIVE_INFINITY,
      seconds ?? Number.POSITIVE_INFINITY,
      latency,
    );
    const endMicros = nowMicros();
    const requests = this.#batchesSent - warmupBatches;
    return {
      role: "producer",
      index: this.#task.index,
      startMicros,
      endMicros,
      messages: requests * messagesPerBatch,
      requests,
      emptyPolls: 0,
      messagesInAll: this.#batchesSent * messagesPerBatch,
      unsentRequests,
      perSecond: latency.finish(),
      checks: undefined,
      ranges: [],
    };
  }

  /** Resolves with the number of planned requests that were not sent. */
  async #sendAll(batchesMax: number, seconds: number, latency: LatencySeries): Promise<number> {
    const { bytesPerSecond, messagesPerBatch } = this.#job;
    if (bytesPerSecond !== undefined) {
      const times = scheduleOptionsOf({ ...this.#job, bytesPerSecond }, this.#task.index);
      return await this.#sendPlanned(new Schedule({ ...times, count: batchesMax, seconds }), latency);
    }
    const deadlineMs = performance.now() + seconds * 1000;
    let batchesLeft = batchesMax;
    const sendInTurn = async (sender: Sender) => {
      while (batchesLeft > 0 && performance.now() < deadlineMs) {
        batchesLeft--;
        sender.prepare();
        const sentMs = performance.now();
        await sender.send();
        const doneMs = performance.now();
        latency.record((doneMs - sentMs) * 1000, messagesPerBatch, doneMs);
        this.#batchesSent++;
        this.#progress.producedMessages += messagesPerBatch;
      }
    };
    await Promise.all(this.#senders.map(sendInTurn));
    return 0;
  }

  async #sendPlanned(schedule: Schedule, latency: LatencySeries): Promise<number> {
    const { messagesPerBatch } = this.#job;
    const sendInTurn = async (sender: Sender) => {
      for (;;) {
        const plannedMs = await schedule.next();
        if (plannedMs === undefined) return;
        sender.prepare();
        await sender.send();
        const doneMs = performance.now();
        latency.record((doneMs - plannedMs) * 1000, messagesPerBatch, doneMs);
        this.#batchesSent++;
        this.#progress.producedMessages += messagesPerBatch;
      }
    };
    await Promise.all(this.#senders.map(sendInTurn));
    return schedule.unsent;
  }
}
