// One run from beginning to end: streams, data for consumers, the measured phase, the count afterwards, cleaning up.

import { IggyClient } from "../client/index.ts";
import type { ActorJob, ActorResult, ActorTask } from "./actor-messages.ts";
import { runPhase } from "./actor-pool.ts";
import { streamNameOf } from "./batch.ts";
import { describeError } from "./describe-error.ts";
import type { BenchOptions } from "./options.ts";
import { ProgressLine } from "./progress.ts";
import { type BenchReport, reportOf } from "./report.ts";
import { benchMessagesCount, createBenchStream, deleteBenchStream } from "./streams.ts";

/** Batches that are written for consumers if the command line does not say how many. */
const dataBatches = 1000;

type Run = {
  readonly options: BenchOptions;
  readonly signal: AbortSignal;
  readonly progress: ProgressLine;
  /** Actors whose stream this run has made and therefore deletes. */
  readonly created: Set<number>;
};

/** Runs a benchmark. Rejects if the server cannot be reached, an actor fails or `signal` aborts; cleans up either way. */
export async function runBench(options: BenchOptions, signal: AbortSignal): Promise<BenchReport> {
  const run: Run = { options, signal, progress: new ProgressLine(), created: new Set() };
  let report: BenchReport;
  try {
    report = await measure(run);
  } catch (error) {
    // What went wrong first is what matters; that cleaning up failed too is only said.
    await cleanUp(run).catch((cause: unknown) => {
      console.error(`The streams of this run could not be deleted: ${describeError(cause)}`);
    });
    throw error;
  }
  await cleanUp(run);
  return report;
}

async function cleanUp({ options, created, progress }: Run): Promise<void> {
  progress.end();
  if (options.keep || created.size === 0) return;
  await withClient(options, async (client) => {
    for (const index of created) await deleteBenchStream(client, index);
  });
}

/** A client for one piece of work: between the pieces it would idle for minutes and be taken for dead. */
async function withClient<T>(options: BenchOptions, work: (client: IggyClient) => Promise<T>): Promise<T> {
  const { host, port, username, password } = options;
  const client = await IggyClient.connect({ host, port, username, password });
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

async function measure(run: Run): Promise<BenchReport> {
  const { options } = run;
  const indexes = Array.from({ length: options.actors }, (_, index) => index);
  if (options.kind === "consumer") {
    const available = await prepareData(run, indexes);
    const tasks = indexes.map((index) => taskOf("consumer", index, available.get(index) ?? 0));
    return reportOf(options, await phase(run, "reading", tasks), []);
  }
  await createStreams(run, indexes);
  const producers = indexes.map((index) => taskOf("producer", index, undefined));
  const consumers = options.kind === "both" ? indexes.map((index) => taskOf("consumer", index, undefined)) : [];
  const results = await phase(run, options.kind, [...producers, ...consumers]);
  return reportOf(options, results, await countProblems(run, results));
}

function taskOf(role: ActorTask["role"], index: number, availableMessages: number | undefined): ActorTask {
  return { role, index, availableMessages };
}

function phase(run: Run, label: string, tasks: readonly ActorTask[], changes: Partial<ActorJob> = {}) {
  const { host, port, username, password, messagesPerBatch, messageSizeBytes } = run.options;
  const { batches, seconds, warmupSeconds, pipelineDepth } = run.options;
  const limits = { batches, seconds, warmupSeconds, pipelineDepth };
  const job = { host, port, username, password, messagesPerBatch, messageSizeBytes, ...limits, ...changes };
  return runPhase({ job, tasks, signal: run.signal, onProgress: (counter) => run.progress.update(label, counter) });
}

async function createStreams(run: Run, indexes: readonly number[]): Promise<void> {
  await withClient(run.options, async (client) => {
    for (const index of indexes) {
      run.signal.throwIfAborted();
      run.created.add(index);
      await createBenchStream(client, index);
    }
  });
}

/** Makes sure that every consumer has something to read; gives the number of messages of each. */
async function prepareData(run: Run, indexes: readonly number[]): Promise<Map<number, number>> {
  const available = await withClient(run.options, (client) => countsOf(client, indexes));
  const missing = indexes.filter((index) => !available.has(index));
  if (missing.length > 0) {
    await createStreams(run, missing);
    const tasks = missing.map((index) => taskOf("producer", index, undefined));
    const limits = { batches: run.options.batches ?? dataBatches, seconds: undefined, warmupSeconds: 0 };
    for (const result of await phase(run, "writing data first", tasks, limits)) {
      available.set(result.index, result.messagesInAll);
    }
  }
  for (const [index, messages] of available) {
    if (messages === 0)
      throw new Error(`${streamNameOf(index)} is empty; delete it or run --kind producer --keep first`);
  }
  return available;
}

async function countsOf(client: IggyClient, indexes: readonly number[]): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  for (const index of indexes) {
    const messages = await benchMessagesCount(client, index);
    if (messages !== undefined) counts.set(index, messages);
  }
  return counts;
}

/** Compares what the server counts with what it has acknowledged. */
async function countProblems(run: Run, results: readonly ActorResult[]): Promise<string[]> {
  return withClient(run.options, async (client) => {
    const problems: string[] = [];
    for (const { role, index, messagesInAll } of results) {
      if (role !== "producer") continue;
      const counted = await benchMessagesCount(client, index);
      if (counted !== messagesInAll) {
        problems.push(`${streamNameOf(index)} holds ${counted} messages, but ${messagesInAll} were acknowledged`);
      }
    }
    return problems;
  });
}
