// Command line of the benchmark.

import { type ParseArgsConfig, parseArgs } from "node:util";

import { type BenchKind, hasGroup, kindNamed, kinds } from "./kinds.ts";
import { defaultPorts, isEncrypted, isHttp, type Transport, transports } from "./target.ts";

export type BenchOptions = {
  readonly kind: BenchKind;
  readonly transport: Transport;
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** Trusted certificates, PEM. */
  readonly caFile: string | undefined;
  /** Name that the certificate must have; the host if undefined. */
  readonly serverName: string | undefined;
  /** Any certificate is accepted. */
  readonly insecure: boolean;
  /** Producers, consumers, or of each for kinds with both. */
  readonly actors: number;
  readonly messagesPerBatch: number;
  readonly messageSizeBytes: number;
  /** Batches of each actor; undefined: only `seconds` ends the run. */
  readonly batches: number | undefined;
  readonly seconds: number | undefined;
  readonly warmupSeconds: number;
  readonly pipelineDepth: number;
  /** Payload bytes a second of all producers together, by a schedule; undefined: closed loop. */
  readonly bytesPerSecond: number | undefined;
  /** Of the one topic of balanced kinds. */
  readonly partitionsCount: number;
  /** End to end: poll over a second connection. */
  readonly separate: boolean;
  readonly json: boolean;
  /** Directory for the report as a file; undefined: none is written. */
  readonly output: string | undefined;
  /** What the report is to say about the run, by name. */
  readonly labels: Readonly<Record<string, string>>;
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

Usage: npm run bench -- [options]
       npm run bench -- [options] KIND [options] TRANSPORT [options] [output [options]]
                          the original's form (iggy-bench): its words, aliases and defaults; kinds pp, pc, ppc, bp,
                          bcg, bpcg, e2e, transports tcp, quic, http, websocket: -b 500 pp -p 4 tcp output -o results
       npm run bench -- --compare BEFORE.json AFTER.json [--limit 5%] [--json]

What to measure
  --kind KIND             pinned: every actor has its own stream "bench-stream-N", topic "topic-1", one partition
         pinned-producer  send batches (default; short: producer)
         pinned-consumer  poll by offset what is in the streams; writes the data first where a stream is missing
                          (short: consumer)
         pinned-producer-and-consumer
                          both at the same time; consumer latency is then the age of the first message of a poll:
                          from before its send until it was received (short: both)
         single-send      one message a request: what a send costs when nothing is batched (short: single)
         single-poll      one message a request, by offset
         end-to-end       send one message, poll until it is there; latency is that of the whole
                          balanced: one stream with one topic of several partitions for all actors
         balanced-producer
                          the server chooses the partition of each batch
         balanced-consumer-group
                          members of one group read what was written first; every message must come once
         balanced-producer-and-consumer-group
                          both at the same time
  --actors N              producers, consumers, or of each (1); every actor has its own connection
  --partitions N          partitions of the topic of balanced kinds (4)
  --separate              end-to-end: poll over a second connection
  --messages-per-batch N  messages in a send or poll (1000; always 1 for single-send, single-poll and end-to-end)
  --message-size N        payload bytes of a message (1000)
  --pipeline N            requests in flight on a connection (1): latency rises with it, throughput may
  -r, --rate-limit SIZE   payload of all producers in a second, such as 50MB, by a schedule made first (open loop): latency
                          then counts from the planned start of a request, also when the one before was late. Without it
                          each request follows the one before (closed loop), and a server that stalls is asked less

How long: by count or by time, whichever ends first
  --batches N             batches of each actor (${defaultBatches}; one-message kinds ${defaultSingleBatches}; with --seconds no limit)
  --total-data SIZE       payload of all actors together, in the place of --batches
  --seconds N             time limit of the measured part
  --warmup N              seconds that run before and are not measured (0)

Where
  --transport NAME        ${transports.join(", ")} (tcp). QUIC: the client
                          is a relay process, which is part of what is measured
  --server HOST:PORT      address of the transport (127.0.0.1 and the default port of the transport)
  --ca FILE               certificates to trust, PEM; the server's own lies in DATA/certificates/cert.pem
  --server-name NAME      name that the certificate must have (the host)
  --insecure              accept any certificate; not for QUIC
  --username NAME, --password TEXT   (iggy, iggy)

Output
  --json                  one JSON document instead of the table
  --output DIR            write the JSON document to a folder of the run in DIR, report.json
  --label NAME=TEXT       something that the report is to say about the run; may be given more than once
  --keep                  leave the streams that were created; --kind consumer can then read them again
  --help

Compare two reports of --json
  --limit PERCENT         how much slower something may be (5%). Whole seconds are drawn anew from both runs, and a
                          difference counts where its 95 % interval has only one side; needs three seconds, ten are better

Throughput counts payload bytes only; 1 MB is 1,000,000 bytes. Latency is the time from a request to its reply.
Each actor up to the 8th has a process of its own, so that they do not measure each other's event loop.
Producers delete streams of these names before they start. Exit code: 0; 1 if something failed or a consumer found
gaps, duplicates or damaged messages; 2 for a wrong command line; 6 if --compare found something slower than the limit;
130 after Ctrl-C.

Examples
  npm run bench --                                              1,000 batches of 1,000 x 1 KB, one producer
  npm run bench -- --kind pinned-consumer --actors 4 --messages-per-batch 100
  npm run bench -- --kind single-send --actors 8 --seconds 10
  npm run bench -- --kind pinned-producer-and-consumer --seconds 30 --warmup 3 --json
  npm run bench -- --seconds 10 -r 50MB --json > before.json
  npm run bench -- --kind end-to-end --transport websocket --seconds 5
  npm run bench -- --transport quic --ca local_data/certificates/cert.pem --server-name localhost
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

const byteUnits: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

function bytesOf(name: string, text: string): number {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text) ?? [];
  const bytes = Number(digits) * (byteUnits[unit.toLowerCase()] ?? Number.NaN);
  if (!(bytes >= 1 && bytes <= 1e12)) throw new UsageError(`--${name} takes a size such as 50MB, not "${text}"`);
  return bytes;
}

function kindOf(text: string): BenchKind {
  const kind = kindNamed(text);
  if (kind === undefined) throw new UsageError(`--kind is one of ${Object.keys(kinds).join(", ")}, not "${text}"`);
  return kind;
}

function transportOf(text: string): Transport {
  const transport = transports.find((known) => known === text);
  if (transport === undefined) throw new UsageError(`--transport is one of ${transports.join(", ")}, not "${text}"`);
  return transport;
}

/** What does not go together. */
function refuse({
  kind,
  transport,
  caFile,
  serverName,
  insecure,
  pipelineDepth,
  separate,
  bytesPerSecond,
}: BenchOptions): void {
  if (bytesPerSecond !== undefined && !kinds[kind].produces) {
    throw new UsageError(`--rate-limit is for producers, and --kind ${kind} has none that are measured`);
  }
  if (!isEncrypted(transport) && (caFile !== undefined || serverName !== undefined || insecure)) {
    throw new UsageError(`--ca, --server-name and --insecure are for encrypted transports, not for ${transport}`);
  }
  if (isHttp(transport) && hasGroup(kinds[kind])) throw new UsageError("there are no consumer groups over HTTP");
  if (transport === "quic" && insecure) throw new UsageError("QUIC needs a certificate that it can check: --ca FILE");
  if (transport === "quic" && pipelineDepth > 1) {
    throw new UsageError("--pipeline must be 1 over QUIC: the relay has one request of a connection under way");
  }
  if (separate && kind !== "end-to-end") throw new UsageError("--separate is for --kind end-to-end");
  if (pipelineDepth > 1 && (kind === "end-to-end" || (hasGroup(kinds[kind]) && !kinds[kind].produces))) {
    throw new UsageError(`--pipeline must be 1 for --kind ${kind}`);
  }
}

function addressOf(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw new UsageError(`--server takes HOST:PORT, for example 127.0.0.1:8090, not "${text}"`);
  return { host, port: wholeNumber("server", match?.[3] ?? "", 1, 65_535) };
}

/** Options as `parseArgs` takes them. */
export const cliOptions = {
  kind: { type: "string", default: "pinned-producer" },
  transport: { type: "string", default: "tcp" },
  ca: { type: "string" },
  "server-name": { type: "string" },
  insecure: { type: "boolean", default: false },
  partitions: { type: "string", default: "4" },
  separate: { type: "boolean", default: false },
  server: { type: "string" },
  actors: { type: "string", default: "1" },
  "messages-per-batch": { type: "string" },
  "message-size": { type: "string", default: "1000" },
  batches: { type: "string" },
  seconds: { type: "string" },
  warmup: { type: "string", default: "0" },
  username: { type: "string", default: "iggy" },
  password: { type: "string", default: "iggy" },
  pipeline: { type: "string", default: "1" },
  "rate-limit": { type: "string", short: "r" },
  json: { type: "boolean", default: false },
  keep: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
  output: { type: "string" },
  label: { type: "string", multiple: true, default: [] },
  "total-data": { type: "string" },
} as const satisfies ParseArgsConfig["options"];

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: cliOptions,
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Batches of each actor, by their number or by all payload bytes of the run. */
function batchesOf(
  values: ReturnType<typeof parse>,
  batchBytes: number,
  otherwise: number | undefined,
): number | undefined {
  const { batches, actors } = values;
  const total = values["total-data"];
  if (batches !== undefined && total !== undefined) {
    throw new UsageError("--total-data and --batches say the same in two ways; give one of them");
  }
  if (total === undefined) return batches === undefined ? otherwise : wholeNumber("batches", batches, 1, 1_000_000_000);
  const ofEach = bytesOf("total-data", total) / wholeNumber("actors", actors, 1, 1000);
  return Math.max(1, Math.ceil(ofEach / batchBytes));
}

function labelsOf(texts: readonly string[]): Readonly<Record<string, string>> {
  const pairs = texts.map((text): [string, string] => {
    const equals = text.indexOf("=");
    if (equals < 1) throw new UsageError(`--label takes NAME=TEXT, not "${text}"`);
    return [text.slice(0, equals), text.slice(equals + 1)];
  });
  return Object.fromEntries(pairs);
}

/** Reads the command line; "help" if it asks for help. UsageError if it cannot be carried out. */
export function parseOptions(args: readonly string[]): BenchOptions | "help" {
  const values = parse(args);
  if (values.help) return "help";
  const kind = kindOf(values.kind);
  const transport = transportOf(values.transport);
  const { isSingle } = kinds[kind];
  const givenPerBatch = values["messages-per-batch"];
  if (isSingle && givenPerBatch !== undefined && givenPerBatch !== "1") {
    throw new UsageError(`--kind ${kind} has one message a request; other kinds take --messages-per-batch`);
  }
  const messagesPerBatch = isSingle ? 1 : wholeNumber("messages-per-batch", givenPerBatch ?? "1000", 1, 10_000_000);
  const messageSizeBytes = wholeNumber("message-size", values["message-size"], 1, 64_000_000);
  const pipelineDepth = wholeNumber("pipeline", values.pipeline, 1, 1024);
  if (messagesPerBatch * (messageSizeBytes + 80) * pipelineDepth > batchBytesMax) {
    throw new UsageError(
      "messages per batch x message size x pipeline may be at most 512 MiB; make one of them smaller",
    );
  }
  const seconds = values.seconds === undefined ? undefined : positiveSeconds("seconds", values.seconds);
  if (seconds === 0) throw new UsageError("--seconds must be more than 0");
  const countByDefault = isSingle ? defaultSingleBatches : defaultBatches;
  const defaultCount = seconds === undefined ? countByDefault : undefined;
  const options: BenchOptions = {
    kind,
    transport,
    ...addressOf(values.server ?? `127.0.0.1:${defaultPorts[transport]}`),
    caFile: values.ca,
    serverName: values["server-name"],
    insecure: values.insecure,
    username: values.username,
    password: values.password,
    actors: wholeNumber("actors", values.actors, 1, 1000),
    messagesPerBatch,
    messageSizeBytes,
    batches: batchesOf(values, messagesPerBatch * messageSizeBytes, defaultCount),
    seconds,
    warmupSeconds: positiveSeconds("warmup", values.warmup),
    pipelineDepth,
    bytesPerSecond: values["rate-limit"] === undefined ? undefined : bytesOf("rate-limit", values["rate-limit"]),
    partitionsCount: wholeNumber("partitions", values.partitions, 1, 1000),
    separate: values.separate,
    json: values.json,
    output: values.output,
    labels: labelsOf(values.label),
    keep: values.keep,
  };
  refuse(options);
  return options;
}
