// The original's own bench tool, `iggy-bench` of tag server-0.8.0: its command line (spec SB 11.1) and its line of results (11.3).

import { runProgram } from "../programs.ts";

export type IggyTransport = "tcp" | "websocket" | "quic" | "http";

export type IggyBenchRun = {
  readonly kind: "pinned-producer" | "pinned-consumer";
  readonly transport: IggyTransport;
  readonly port: number;
  readonly actors: number;
  /** Send into streams that are there, instead of making them anew. */
  readonly reuseStreams?: boolean;
  readonly messagesPerBatch: number;
  readonly messageSizeBytes: number;
  /** Of each actor. */
  readonly batches: number;
  /** Before what is measured; consumers have none, for they would read what is to be measured. */
  readonly warmupMs: number;
};

export type IggyBenchResult = {
  readonly megabytesPerSecond: number;
  readonly messagesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

/** What the tool says of a run. */
export type IggyBenchLine = Pick<IggyBenchResult, "p50Ms" | "p99Ms"> & {
  /** Without the warm-up: when the last time slice began in which something ended. */
  readonly totalSeconds: number;
};

/** Time slices of the tool. */
const sliceSeconds = 0.01;

/** The command line of one run; consumers read streams that are there. */
export function iggyBenchArguments(run: IggyBenchRun): string[] {
  const isConsumer = run.kind === "pinned-consumer";
  return [
    ...["--message-size", `${run.messageSizeBytes}`, "--messages-per-batch", `${run.messagesPerBatch}`],
    ...["--message-batches", `${run.batches}`],
    ...(isConsumer || run.reuseStreams === true ? ["--reuse-streams"] : []),
    ...(isConsumer ? [] : ["--warmup-time", `${run.warmupMs}ms`]),
    ...[run.kind, isConsumer ? "--consumers" : "--producers", `${run.actors}`],
    ...[run.transport === "websocket" ? "web-socket" : run.transport, "--server-address", `127.0.0.1:${run.port}`],
  ];
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the tool colours its lines
const colours = /\u001b\[[0-9;]*m/g;

/** The figures of the group of all actors. Throws where the text has none. */
export function parseIggyBench(text: string): IggyBenchLine {
  const line = /(?:Producers|Consumers) Results: (.*)/.exec(text.replace(colours, ""))?.[1];
  if (line === undefined) throw new Error(`iggy-bench printed no results:\n${text.slice(-2_000)}`);
  const numberBehind = (label: string) => {
    const found = new RegExp(`${label}: ([\\d.]+)`).exec(line)?.[1];
    if (found === undefined) throw new Error(`iggy-bench's results have no "${label}": ${line}`);
    return Number(found);
  };
  return {
    p50Ms: numberBehind("p50 latency"),
    p99Ms: numberBehind("p99 latency"),
    totalSeconds: numberBehind("total time"),
  };
}

/**
 * Rates by what was asked for and how long it took. The tool's own are the means of its time slices without those in which nothing ended:
 * a server that stands still for a while would look faster than it is.
 */
export function resultOf(run: IggyBenchRun, { p50Ms, p99Ms, totalSeconds }: IggyBenchLine): IggyBenchResult {
  const messages = run.actors * run.batches * run.messagesPerBatch;
  const messagesPerSecond = messages / (totalSeconds + sliceSeconds / 2);
  return { messagesPerSecond, megabytesPerSecond: (messagesPerSecond * run.messageSizeBytes) / 1e6, p50Ms, p99Ms };
}

/** Runs the tool once. Throws with its output where it fails. */
export async function runIggyBench(program: string, run: IggyBenchRun): Promise<IggyBenchResult> {
  const text = await runProgram([program, ...iggyBenchArguments(run)], { timeoutMs: 120_000 });
  return resultOf(run, parseIggyBench(text));
}
