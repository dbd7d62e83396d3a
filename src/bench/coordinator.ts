// One run from beginning to end: streams, data for consumers, the measured phase, the count afterwards, cleaning up.

import { readFileSync } from "node:fs";
import { type QuicRelay, startQuicRelay } from "../quic-relay/quic-relay.ts";
import type { ActorJob, ActorResult, ActorTask } from "./actor-messages.ts";
import { runPhase } from "./actor-pool.ts";
import { type Admin, withAdmin } from "./admin.ts";
import { streamNameOf } from "./batch.ts";
import { describeError } from "./describe-error.ts";
import { hasGroup, type KindTraits, kinds } from "./kinds.ts";
import type { BenchOptions } from "./options.ts";
import { ProgressLine } from "./progress.ts";
import { type BenchReport, reportOf } from "./report.ts";
import type { Target } from "./target.ts";

/** Batches of one-message polls are written in batches of so many messages or bytes. */
const dataMessagesPerBatch = 1000;
const dataBytesPerBatch = 1_000_000;

/** Batches that are written for consumers if the command line does not say how many. */
const dataBatches = 1000;

type Run = {
  readonly options: BenchOptions;
  readonly traits: KindTraits;
  readonly target: Target;
  readonly signal: AbortSignal;
  readonly progress: ProgressLine;
  /** Streams that this run has made and therefore deletes. */
  readonly created: Set<string>;
};

/** Runs a benchmark. Rejects if the server cannot be reached, an actor fails or `signal` aborts; cleans up either way. */
export async function runBench(options: BenchOptions, signal: AbortSignal): Promise<BenchReport> {
  const relay = options.transport === "quic" ? await startQuicRelay(relayTargetOf(options)) : undefined;
  try {
    return await runAgainst(targetOf(options, relay), options, signal);
  } finally {
    await relay?.stop();
  }
}

function relayTargetOf({ host, port, caFile, serverName }: BenchOptions) {
  return {
    host,
    port,
    serverName: serverName ?? host,
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile, "utf8") }),
  };
}

function targetOf(options: BenchOptions, relay: QuicRelay | undefined): Target {
  const { transport, host, port, username, password, caFile, serverName, insecure } = options;
  const tls = {
    verify: !insecure,
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile, "utf8") }),
    ...(serverName === undefined ? {} : { serverName }),
  };
  const direct = { host, port, username, password, tls };
  if (transport !== "quic") return { ...direct, transport };
  if (relay === undefined) throw new Error("QUIC goes through a relay");
  return { ...direct, transport: "tcp", host: "127.0.0.1", port: relay.port };
}

async function runAgainst(target: Target, options: BenchOptions, signal: AbortSignal): Promise<BenchReport> {
  const traits = kinds[options.kind];
  const run: Run = { options, traits, target, signal, progress: new ProgressLine(), created: new Set() };
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

async function cleanUp({ options, target, created, progress }: Run): Promise<void> {
  progress.end();
  if (options.keep || created.size === 0) return;
  await withAdmin(target, async (admin) => {
    for (const name of created) await admin.deleteStream(name);
  });
}

async function measure(run: Run): Promise<BenchReport> {
  const { options, traits } = run;
  const indexes = Array.from({ length: options.actors }, (_, index) => index);
  if (traits.consumes === "beforehand") {
    const available = await prepareData(run, indexes);
    if (hasGroup(traits)) await withAdmin(run.target, (admin) => admin.createGroup(streamNameOf(0)));
    const tasks = indexes.map((index) => taskOf("consumer", index, available.get(streamOf(run, index)) ?? 0));
    const results = await phase(run, "reading", tasks);
    const total = [...available.values()].reduce((sum, messages) => sum + messages, 0);
    return reportOf(options, results, hasGroup(traits) ? missingProblems(run, results, total) : []);
  }
  await createStreams(run, new Set(indexes.map((index) => streamOf(run, index))));
  if (hasGroup(traits)) await withAdmin(run.target, (admin) => admin.createGroup(streamNameOf(0)));
  const writers = indexes.map((index) => taskOf(traits.isRoundTrip ? "end-to-end" : "producer", index, undefined));
  const consumers = traits.consumes === "meanwhile" ? indexes.map((index) => taskOf("consumer", index, undefined)) : [];
  const results = await phase(run, options.kind, [...writers, ...consumers]);
  const sent = results.filter(({ role }) => role === "producer").reduce((sum, one) => sum + one.messagesInAll, 0);
  const missing = hasGroup(traits) ? missingProblems(run, results, sent) : [];
  return reportOf(options, results, [...(await countProblems(run, results)), ...missing]);
}

/** Name of the stream that an actor works with. */
function streamOf({ traits }: Run, actorIndex: number): string {
  return streamNameOf(traits.placement === "balanced" ? 0 : actorIndex);
}

function taskOf(role: ActorTask["role"], index: number, availableMessages: number | undefined): ActorTask {
  return { role, index, availableMessages };
}

function phase(run: Run, label: string, tasks: readonly ActorTask[], changes: Partial<ActorJob> = {}) {
  const { options, target, traits, signal } = run;
  const { messagesPerBatch, messageSizeBytes, partitionsCount, separate } = options;
  const { batches, seconds, warmupSeconds, pipelineDepth, bytesPerSecond } = options;
  const producersCount = tasks.filter(({ role }) => role === "producer").length;
  const limits = { batches, seconds, warmupSeconds, pipelineDepth, bytesPerSecond, producersCount };
  const shape = { messagesPerBatch, messageSizeBytes, partitionsCount, separate, placement: traits.placement };
  const job = { target, ...shape, ...limits, ...changes };
  return runPhase({ job, tasks, signal, onProgress: (counter) => run.progress.update(label, counter) });
}

async function createStreams(run: Run, names: Iterable<string>): Promise<void> {
  const partitionsCount = run.traits.placement === "balanced" ? run.options.partitionsCount : 1;
  await withAdmin(run.target, async (admin) => {
    for (const name of names) {
      run.signal.throwIfAborted();
      run.created.add(name);
      await admin.createStream(name, partitionsCount);
    }
  });
}

/**
 * Makes sure that every consumer has something to read; gives the number of messages of each stream. Members of a group
 * always get new data: the group's offsets begin with it.
 */
async function prepareData(run: Run, indexes: readonly number[]): Promise<Map<string, number>> {
  const { options } = run;
  const isNew = hasGroup(run.traits);
  const names = new Set(indexes.map((index) => streamOf(run, index)));
  const available = isNew ? new Map<string, number>() : await withAdmin(run.target, (admin) => countsOf(admin, names));
  const missing = indexes.filter((index) => !available.has(streamOf(run, index)));
  if (missing.length > 0) {
    await createStreams(run, new Set(missing.map((index) => streamOf(run, index))));
    const tasks = missing.map((index) => taskOf("producer", index, undefined));
    for (const result of await phase(run, "writing data first", tasks, dataShape(options))) {
      const name = streamOf(run, result.index);
      available.set(name, (available.get(name) ?? 0) + result.messagesInAll);
    }
  }
  for (const [name, messages] of available) {
    if (messages === 0) throw new Error(`${name} is empty; delete it or run --kind pinned-producer --keep first`);
  }
  return available;
}

function dataShape({ messagesPerBatch, messageSizeBytes, batches = dataBatches }: BenchOptions) {
  const limits = { seconds: undefined, warmupSeconds: 0, bytesPerSecond: undefined };
  if (messagesPerBatch > 1) return { ...limits, batches };
  const perBatch = Math.max(
    1,
    Math.min(dataMessagesPerBatch, batches, Math.floor(dataBytesPerBatch / messageSizeBytes)),
  );
  return { ...limits, messagesPerBatch: perBatch, batches: Math.ceil(batches / perBatch) };
}

async function countsOf(admin: Admin, names: Iterable<string>): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const name of names) {
    const messages = await admin.messagesCount(name);
    if (messages !== undefined) counts.set(name, messages);
  }
  return counts;
}

/** Compares what the server counts with what it has acknowledged. */
async function countProblems(run: Run, results: readonly ActorResult[]): Promise<string[]> {
  const acknowledged = new Map<string, number>();
  for (const { role, index, messagesInAll } of results) {
    if (role === "consumer") continue;
    const name = streamOf(run, index);
    acknowledged.set(name, (acknowledged.get(name) ?? 0) + messagesInAll);
  }
  const counted = await withAdmin(run.target, (admin) => countsOf(admin, acknowledged.keys()));
  return [...acknowledged].flatMap(([name, messages]) =>
    counted.get(name) === messages
      ? []
      : [`${name} holds ${counted.get(name)} messages, but ${messages} were acknowledged`],
  );
}

/** Whether the members together got all messages; gaps and duplicates among them are found from what each got. */
function missingProblems({ options, traits }: Run, results: readonly ActorResult[], total: number): string[] {
  const isCutShort = traits.consumes === "beforehand" && options.seconds !== undefined;
  const members = results.filter(({ role }) => role === "consumer");
  const got = members.reduce((sum, member) => sum + member.messagesInAll, 0);
  return got === total || isCutShort ? [] : [`the group got ${got} messages of ${total}`];
}
