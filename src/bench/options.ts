// Command line of the benchmark.

import { parseArgs } from "node:util";

export const benchKinds = ["producer", "consumer", "both", "single"] as const;
export type BenchKind = (typeof benchKinds)[number];

export type BenchOptions = {
  readonly kind: BenchKind;
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** Producers, consumers, or of each for `both`. */
  readonly actors: number;
  readonly messagesPerBatch: number;
  readonly messageSizeBytes: number;
  /** Batches of each actor; undefined: only `seconds` ends the run. */
  readonly batches: number | undefined;
  readonly seconds: number | undefined;
  readonly warmupSeconds: number;
  readonly pipelineDepth: number;
  readonly json: boolean;
  readonly keep: boolean;
};

/** A command line that cannot be carried out; the message says what is wrong and what would be right. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const defaultBatches = 1000;
/** One-message batches are so short that 1,000 of them would measure the start of the process. */
const defaultSingleBatches = 20_000;
/** Frames are built whole in memory, once for each request in flight. */
const batchBytesMax = 512 * 1024 * 1024;

export const helpText = `Measures a running server and checks what it measures.

Usage: bun run bench [options]

What to measure
  --kind producer         send batches; each producer has its own stream (default)
         consumer         poll by offset what is in the streams; writes the data first where a stream is missing
         both             producers and consumers at the same time; consumer latency is then the age of the first
                          message of a poll: from before its send until it was received
         single           one message a request: what a send costs when nothing is batched
  --actors N              producers, consumers, or of each (1); every actor has its own connection, stream
                          "bench-stream-N", topic "topic-1" and single partition
  --messages-per-batch N  messages in a send or poll (1000; always 1 for single)
  --message-size N        payload bytes of a message (1000)
  --pipeline N            requests in flight on a connection (1): latency rises with it, throughput may

How long: by count or by time, whichever ends first
  --batches N             batches of each actor (${defaultBatches}; single ${defaultSingleBatches}; with --seconds no limit)
  --seconds N             time limit of the measured part
  --warmup N              seconds that run before and are not measured (0)

Where
  --server HOST:PORT      TCP address (127.0.0.1:8090)
  --username NAME, --password TEXT   (iggy, iggy)

Output
  --json                  one JSON document instead of the table
  --keep                  leave the streams that were created; --kind consumer can then read them again
  --help

Throughput counts payload bytes only; 1 MB is 1,000,000 bytes. Latency is the time from a request to its reply.
Each actor up to the 8th has a process of its own, so that they do not measure each other's event loop.
Producers delete streams of these names before they start. Exit code: 0; 1 if something failed or a consumer found
gaps, duplicates or damaged messages; 2 for a wrong command line; 130 after Ctrl-C.

Examples
  bun run bench                                              1,000 batches of 1,000 x 1 KB, one producer
  bun run bench --kind consumer --actors 4 --messages-per-batch 100
  bun run bench --kind single --actors 8 --seconds 10
  bun run bench --kind both --seconds 30 --warmup 3 --json
`;

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^\d[\d_]*$/.test(text) ? Number(text.replaceAll("_", "")) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new UsageError(`--${name} takes a whole number, not "${text}"`);
  if (value < min || value > max) throw new UsageError(`--${name} must be between ${min} and ${max}, not ${text}`);
  return value;
}

function positiveSeconds(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0 || value > 86_400) {
    throw new UsageError(`--${name} takes seconds between 0 and 86400, not "${text}"`);
  }
  return value;
}

function kindOf(text: string): BenchKind {
  const kind = benchKinds.find((known) => known === text);
  if (kind === undefined) throw new UsageError(`--kind is one of ${benchKinds.join(", ")}, not "${text}"`);
  return kind;
}

function addressOf(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw new UsageError(`--server takes HOST:PORT, for example 127.0.0.1:8090, not "${text}"`);
  return { host, port: wholeNumber("server", match?.[3] ?? "", 1, 65_535) };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        kind: { type: "string", default: "producer" },
        server: { type: "string", default: "127.0.0.1:8090" },
        actors: { type: "string", default: "1" },
        "messages-per-batch": { type: "string" },
        "message-size": { type: "string", default: "1000" },
        batches: { type: "string" },
        seconds: { type: "string" },
        warmup: { type: "string", default: "0" },
        username: { type: "string", default: "iggy" },
        password: { type: "string", default: "iggy" },
        pipeline: { type: "string", default: "1" },
        json: { type: "boolean", default: false },
        keep: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Reads the command line; "help" if it asks for help. UsageError if it cannot be carried out. */
export function parseOptions(args: readonly string[]): BenchOptions | "help" {
  const values = parse(args);
  if (values.help) return "help";
  const kind = kindOf(values.kind);
  const givenPerBatch = values["messages-per-batch"];
  if (kind === "single" && givenPerBatch !== undefined && givenPerBatch !== "1") {
    throw new UsageError("--kind single sends one message a request; use --kind producer with --messages-per-batch");
  }
  const messagesPerBatch =
    kind === "single" ? 1 : wholeNumber("messages-per-batch", givenPerBatch ?? "1000", 1, 10_000_000);
  const messageSizeBytes = wholeNumber("message-size", values["message-size"], 1, 64_000_000);
  const pipelineDepth = wholeNumber("pipeline", values.pipeline, 1, 1024);
  if (messagesPerBatch * (messageSizeBytes + 80) * pipelineDepth > batchBytesMax) {
    throw new UsageError(
      "messages per batch x message size x pipeline may be at most 512 MiB; make one of them smaller",
    );
  }
  const seconds = values.seconds === undefined ? undefined : positiveSeconds("seconds", values.seconds);
  if (seconds === 0) throw new UsageError("--seconds must be more than 0");
  const countByDefault = kind === "single" ? defaultSingleBatches : defaultBatches;
  const defaultCount = seconds === undefined ? countByDefault : undefined;
  return {
    kind,
    ...addressOf(values.server),
    username: values.username,
    password: values.password,
    actors: wholeNumber("actors", values.actors, 1, 1000),
    messagesPerBatch,
    messageSizeBytes,
    batches: values.batches === undefined ? defaultCount : wholeNumber("batches", values.batches, 1, 1_000_000_000),
    seconds,
    warmupSeconds: positiveSeconds("warmup", values.warmup),
    pipelineDepth,
    json: values.json,
    keep: values.keep,
  };
}
