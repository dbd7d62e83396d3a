// One run of one row of the comparison with the original, on one server that is up.

import { connect } from "../../src/client/index.bun.ts";
import type { BenchServer } from "../bench-server.ts";
import { keepBusy } from "./busy.ts";
import type { OriginalRow } from "./rows.ts";
import { type IggyBenchResult, type IggyBenchRun, runIggyBench } from "./tools/iggy-bench.ts";

/** Of a sending run: until the server's compiler and the disk's caches are as they stay. */
const warmupMs = 500;
/** Of a reading run, apart: what is read before the measured run. */
const warmupBatches = 50;

/** The streams of earlier runs, and with them what the system still had to write of them. */
export async function removeStreams(server: BenchServer): Promise<void> {
  await using client = await connect(`iggy://iggy:iggy@127.0.0.1:${server.portOf("tcp")}`);
  for (const { name } of await client.getStreams()) await client.deleteStream(name);
}

const runOf = (row: OriginalRow, server: BenchServer, batches: number): IggyBenchRun => ({
  kind: row.does === "read" ? "pinned-consumer" : "pinned-producer",
  transport: row.transport,
  port: server.portOf(row.transport),
  actors: row.actors,
  messagesPerBatch: row.messagesPerBatch,
  messageSizeBytes: row.messageSizeBytes,
  batches,
  warmupMs,
});

/** What several runs of the tool that went on at the same time did together. */
function together(results: readonly IggyBenchResult[]): IggyBenchResult {
  const sum = (take: (result: IggyBenchResult) => number) => results.reduce((total, result) => total + take(result), 0);
  return {
    megabytesPerSecond: sum(({ megabytesPerSecond }) => megabytesPerSecond),
    messagesPerSecond: sum(({ messagesPerSecond }) => messagesPerSecond),
    p50Ms: sum(({ p50Ms }) => p50Ms) / results.length,
    p99Ms: sum(({ p99Ms }) => p99Ms) / results.length,
  };
}

/** Streams with `batches` messages for each actor of a reading row, written over TCP. */
export async function fill(tool: string, row: OriginalRow, server: BenchServer, batches: number): Promise<void> {
  await removeStreams(server);
  const write = { kind: "pinned-producer", transport: "tcp", port: server.portOf("tcp"), warmupMs: 0 } as const;
  await runIggyBench(tool, { ...runOf(row, server, batches), ...write });
}

async function read(tool: string, row: OriginalRow, server: BenchServer, batches: number): Promise<IggyBenchResult> {
  await runIggyBench(tool, runOf(row, server, Math.min(warmupBatches, batches)));
  return runIggyBench(tool, runOf(row, server, batches));
}

async function send(tool: string, row: OriginalRow, server: BenchServer, batches: number): Promise<IggyBenchResult> {
  if (!row.onePartition) return runIggyBench(tool, runOf(row, server, batches));
  const single = { ...runOf(row, server, batches), actors: 1 };
  // It makes the stream; the others, with what they share, find it.
  await runIggyBench(tool, { ...single, batches: 10, warmupMs: 0 });
  const runs = Array.from({ length: row.actors }, () => runIggyBench(tool, { ...single, reuseStreams: true }));
  return together(await Promise.all(runs));
}

/** Measures `batches` for each actor; a reading row needs {@link fill} before. Sent streams are removed. */
export async function measure(
  tool: string,
  row: OriginalRow,
  server: BenchServer,
  batches: number,
): Promise<IggyBenchResult> {
  const end = row.isBusy ? keepBusy() : async () => {};
  try {
    if (row.does === "read") return await read(tool, row, server, batches);
    return await send(tool, row, server, batches);
  } finally {
    await end();
    if (row.does === "send") await removeStreams(server);
  }
}
