// A producer: one connection, its own stream, `pipelineDepth` batches in flight, each with a frame of its own.

import type { TcpConnection } from "../client/index.ts";
import type { ActorJob, ActorResult, ActorTask, ProgressCounter } from "./actor-messages.ts";
import { BatchFrame, streamNameOf } from "./batch.ts";
import { nowMicros } from "./clock.ts";
import { Histogram } from "./histogram.ts";

export class Producer {
  readonly #connection: TcpConnection;
  readonly #job: ActorJob;
  readonly #task: ActorTask;
  readonly #progress: ProgressCounter;
  readonly #frames: readonly BatchFrame[];
  #batchesSent = 0;

  constructor(connection: TcpConnection, job: ActorJob, task: ActorTask, progress: ProgressCounter) {
    this.#connection = connection;
    this.#job = job;
    this.#task = task;
    this.#progress = progress;
    this.#frames = Array.from(
      { length: job.pipelineDepth },
      () => new BatchFrame(streamNameOf(task.index), job.messagesPerBatch, job.messageSizeBytes),
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
    };
  }

  async #sendAll(batchesMax: number, seconds: number, latency: Histogram): Promise<void> {
    const deadlineMs = performance.now() + seconds * 1000;
    let batchesLeft = batchesMax;
    const sendInTurn = async (frame: BatchFrame) => {
      while (batchesLeft > 0 && performance.now() < deadlineMs) {
        batchesLeft--;
        frame.renew(nowMicros());
        const sentMs = performance.now();
        await this.#connection.requestFrame(frame.bytes);
        latency.record((performance.now() - sentMs) * 1000);
        this.#batchesSent++;
        this.#progress.producedMessages += this.#job.messagesPerBatch;
      }
    };
    await Promise.all(this.#frames.map(sendInTurn));
  }
}
