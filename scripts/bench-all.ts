// `npm run bench:all`: the standard set over every transport, against servers of its own, as one table. The transports take
// turns, and a figure is the median of its rounds, so that what else the machine does spreads over all of them.

import { parseArgs } from "node:util";
import { runBench } from "../src/bench/coordinator.ts";
import { type BenchOptions, parseOptions, UsageError } from "../src/bench/options.ts";
import { type GroupReport, grouped, relayNote, renderRows } from "../src/bench/report.ts";
import { type Transport, transports } from "../src/bench/target.ts";
import { type BenchServer, type ServerSection, startBenchServer } from "./bench-server.ts";

const usage = `Measures every transport: batches of 1,000 x 1 KB written and read, one-message sends and polls.

Usage: npm run bench:all -- [options]
  --rounds N       rounds; each figure is the median of them (3)
  --seconds N      measured part of each run (0.4)
  --transports A,B only these of ${transports.join(", ")}
  --shards N       shards of the servers (1, so that every transport has the data where its connection is)
  --json           the figures of every round too, as one JSON document
  --help
`;

/** In the order in which they run: what the first writes, the next two read; the last begins anew. */
const kinds = ["pinned-producer", "pinned-consumer", "single-poll", "single-send"] as const;
type Kind = (typeof kinds)[number];

const warmupSeconds = 0.2;

const sections: Readonly<Record<Transport, ServerSection>> = {
  tcp: "tcp",
  tls: "tcp",
  websocket: "websocket",
  wss: "websocket",
  quic: "quic",
  http: "http",
  https: "http",
};
/** Of the server that encrypts; a transport has TLS or has it not. */
const encrypted: ReadonlySet<Transport> = new Set(["tls", "wss", "https"]);

type Sample = {
  readonly round: number;
  readonly transport: Transport;
  readonly kind: Kind;
  readonly group: GroupReport;
};

function optionsOf(transport: Transport, kind: Kind, server: BenchServer, seconds: number): BenchOptions {
  const needsCertificate = encrypted.has(transport) || transport === "quic";
  const options = parseOptions([
    ...["--kind", kind, "--transport", transport],
    ...["--server", `127.0.0.1:${server.portOf(sections[transport])}`],
    ...(needsCertificate ? ["--ca", server.caFile, "--server-name", "localhost"] : []),
    ...["--seconds", String(seconds), "--warmup", String(warmupSeconds)],
    ...(kind === "single-send" ? [] : ["--keep"]),
  ]);
  if (options === "help") throw new Error("these options ask for no help");
  return options;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** The median figures of one transport. */
function rowOf(samples: readonly Sample[], transport: Transport) {
  const figure = (kind: Kind, take: (group: GroupReport) => number) =>
    median(samples.filter((one) => one.transport === transport && one.kind === kind).map(({ group }) => take(group)));
  return {
    transport,
    producerMegabytesPerSecond: figure("pinned-producer", (group) => group.megabytesPerSecond),
    consumerMegabytesPerSecond: figure("pinned-consumer", (group) => group.megabytesPerSecond),
    sendP50Ms: figure("single-send", (group) => group.latency.p50Ms),
    sendP99Ms: figure("single-send", (group) => group.latency.p99Ms),
    pollP50Ms: figure("single-poll", (group) => group.latency.p50Ms),
    pollP99Ms: figure("single-poll", (group) => group.latency.p99Ms),
  };
}

type Row = ReturnType<typeof rowOf>;

function tableOf(rows: readonly Row[]): string[] {
  const head = ["", "producer MB/s", "consumer MB/s", "send p50 ms", "send p99 ms", "poll p50 ms", "poll p99 ms"];
  const cells = rows.map((row) => [
    row.transport,
    grouped(row.producerMegabytesPerSecond),
    grouped(row.consumerMegabytesPerSecond),
    ...[row.sendP50Ms, row.sendP99Ms, row.pollP50Ms, row.pollP99Ms].map((value) => grouped(value, 3)),
  ]);
  return renderRows([head, ...cells]);
}

function readArguments() {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: {
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "0.4" },
      transports: { type: "string", default: transports.join(",") },
      shards: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const rounds = Number(values.rounds);
  const seconds = Number(values.seconds);
  const shards = Number(values.shards);
  if (!(Number.isInteger(rounds) && rounds > 0)) throw new UsageError("--rounds takes a whole number from 1");
  if (!(seconds > 0)) throw new UsageError("--seconds takes a number above 0");
  if (!(Number.isInteger(shards) && shards > 0)) throw new UsageError("--shards takes a whole number from 1");
  const names = values.transports.split(",");
  const chosen = transports.filter((transport) => names.includes(transport));
  const unknown = names.find((name) => !transports.some((transport) => transport === name));
  if (unknown !== undefined) throw new UsageError(`--transports knows ${transports.join(", ")}, not "${unknown}"`);
  return { rounds, seconds, shards, chosen, json: values.json, help: values.help };
}

/** Interleaved: each round has every transport once, each round begins with another one. */
async function measure(
  { rounds, seconds, chosen }: { rounds: number; seconds: number; chosen: readonly Transport[] },
  servers: { readonly plain: BenchServer; readonly secure: BenchServer },
  signal: AbortSignal,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    const order = chosen.map((_, index) => chosen[(index + round) % chosen.length] ?? "tcp");
    for (const transport of order) {
      for (const kind of kinds) {
        const server = encrypted.has(transport) ? servers.secure : servers.plain;
        const { groups, problems } = await runBench(optionsOf(transport, kind, server, seconds), signal);
        const group = groups[0];
        if (problems.length > 0 || group === undefined)
          throw new Error(`${transport}, ${kind}: ${problems.join("; ")}`);
        samples.push({ round, transport, kind, group });
      }
      console.error(`round ${round + 1} of ${rounds}: ${transport}`);
    }
  }
  return samples;
}

async function main(): Promise<number> {
  const given = readArguments();
  if (given.help) {
    process.stdout.write(usage);
    return 0;
  }
  const abort = new AbortController();
  process.on("SIGINT", () => abort.abort());
  process.on("SIGTERM", () => abort.abort());
  const started: BenchServer[] = [];
  const start = async (isEncrypted: boolean) => {
    const server = await startBenchServer(isEncrypted, given.shards);
    started.push(server);
    return server;
  };
  try {
    const servers = { plain: await start(false), secure: await start(true) };
    const samples = await measure(given, servers, abort.signal);
    const rows = given.chosen.map((transport) => rowOf(samples, transport));
    console.log(given.json ? JSON.stringify({ rows, samples }, undefined, 2) : tableOf(rows).join("\n"));
    if (!given.json && given.chosen.includes("quic")) console.log(`\n${relayNote}`);
    return 0;
  } finally {
    for (const server of started) await server.stop();
  }
}

try {
  process.exit(await main());
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\n\n${usage}` : error);
  process.exit(error instanceof UsageError ? 2 : 1);
}
