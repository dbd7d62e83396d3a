// A producer: one connection, its own stream or the one of all, `pipelineDepth` batches in flight, each made once.

import type { ActorJob, ActorResult, ActorTask, ProgressCounter } from "./actor-messages.ts";
import { streamNameOf } from "./batch.ts";
import { nowMicros } from "./clock.ts";
import { Histogram } from "./histogram.ts";
import type { Link, Sender } from "./link.ts";

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
    if (warmupSeconds > 0) await this.#sendAll(Number.POSITIVE_INFINITY, warmupSeconds, new Histogram());
    const warmupBatches = this.#batchesSent;
    const latency = new Histogram();
    const startMicros = nowMicros();
    await this.#sendAll(batches ?? Number.POSITIVE_INFINITY, seconds ?? Number.POSITIVE_INFINITY, latency);
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
      latency: latency.toData(),
      checks: undefined,
      ranges: [],
    };
  }

  async #sendAll(batchesMax: number, seconds: number, latency: Histogram): Promise<void> {
    const deadlineMs = performance.now() + seconds * 1000;
    let batchesLeft = batchesMax;
    const sendInTurn = async (sender: Sender) => {
      while (batchesLeft > 0 && performance.now() < deadlineMs) {
        batchesLeft--;
        sender.prepare();
        const sentMs = performance.now();
        await sender.send();
        latency.record((performance.now() - sentMs) * 1000);
        this.#batchesSent++;
        this.#progress.producedMessages += this.#job.messagesPerBatch;
      }
    };
    await Promise.all(this.#senders.map(sendInTurn));
  }
}
