// Whippet against the original, Apache Iggy 0.8.0, with the original's own `iggy-bench`: both at the same durability and with the same
// number of shards, turn about, row by row, in several rounds. How to get the original's programs: docs/peers.md.

import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { BenchServer } from "../bench-server.ts";
import { endChildrenWithScript } from "../children.ts";
import { fill, measure, removeStreams } from "./original-run.ts";
import { type Measured, summaryOf, tableOf } from "./original-table.ts";
import { batchesFor, type OriginalRow, originalRows } from "./rows.ts";
import { durabilityNotes, type IggyServer, type OriginalSaves, startIggyServer } from "./servers/iggy.ts";
import type { Durability } from "./servers/server.ts";
import { publish } from "./table.ts";
import type { IggyBenchResult } from "./tools/iggy-bench.ts";

const usage = `Compares Whippet with the original, Apache Iggy 0.8.0.

Usage: npm run peers:original -- --server PATH --bench PATH [options]
  --server PATH      iggy-server of tag server-0.8.0, a release build
  --bench PATH       iggy-bench of the same
  --whippet PATH     Whippet's executable, instead of this checkout's source
  --rounds N         measured rounds (6)
  --seconds N        about how long a run takes (2)
  --shards N         of both servers (the number of cores)
  --rows A,B         of ${originalRows.map(({ name }) => name).join(", ")} (all)
  --saves HOW        same: the original writes before it answers, as Whippet does; default: as it is by itself (same)
  --json FILE, --markdown FILE
`;

const { values } = parseArgs({
  options: {
    server: { type: "string" },
    bench: { type: "string" },
    whippet: { type: "string" },
    rounds: { type: "string", default: "6" },
    seconds: { type: "string", default: "2" },
    shards: { type: "string", default: String(availableParallelism()) },
    rows: { type: "string", default: originalRows.map(({ name }) => name).join(",") },
    saves: { type: "string", default: "same" },
    json: { type: "string" },
    markdown: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help || values.server === undefined || values.bench === undefined) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}
endChildrenWithScript();
const tool = resolve(values.bench);
const [rounds, seconds, shards] = [Number(values.rounds), Number(values.seconds), Number(values.shards)];
const saves: OriginalSaves = values.saves === "default" ? "default" : "same";
const names = values.rows.split(",");
const unknown = names.filter((name) => !originalRows.some((row) => row.name === name));
if (unknown.length > 0) throw new Error(`there is no row ${unknown.join(", ")}`);
const rows = originalRows.filter(({ name }) => names.includes(name));

const program = values.whippet === undefined ? undefined : resolve(values.whippet);
const contestants: readonly IggyServer[] = [
  { name: "Whippet", program },
  { name: "the original", program: resolve(values.server) },
];

type Started = { readonly contestant: IggyServer; readonly server: BenchServer };
/** What the streams of a server hold for reading rows. */
const filled = new Map<BenchServer, { readonly actors: number; readonly batches: number }>();

/** Has the streams that a reading row needs, on both servers. */
async function fillFor(row: OriginalRow, started: readonly Started[], counts: ReadonlyMap<string, number>) {
  const alike = rows.filter(({ does, actors }) => does === "read" && actors === row.actors);
  const batches = Math.max(...alike.map(({ name, trialBatches }) => counts.get(name) ?? trialBatches));
  for (const { server } of started) {
    const holds = filled.get(server);
    if (holds?.actors === row.actors && holds.batches >= batches) continue;
    await fill(tool, row, server, batches);
    filled.set(server, { actors: row.actors, batches });
  }
}

/** One round of the rows of one level: both servers are up, and take turns at each row. */
async function roundOf(
  durability: Durability,
  round: number,
  counts: ReadonlyMap<string, number>,
  found: (row: OriginalRow, contestant: IggyServer, result: IggyBenchResult) => void,
): Promise<void> {
  const ofLevel = rows.filter((row) => row.durability === durability);
  if (ofLevel.length === 0) return;
  const started: Started[] = [];
  try {
    for (const contestant of contestants)
      started.push({ contestant, server: await startIggyServer(contestant, durability, shards, saves) });
    for (const row of ofLevel) {
      if (row.does === "read") await fillFor(row, started, counts);
      for (const { contestant, server } of round % 2 === 0 ? started : started.toReversed()) {
        const result = await measure(tool, row, server, counts.get(row.name) ?? row.trialBatches);
        console.error(`${round} ${row.name.padEnd(20)} ${contestant.name.padEnd(13)} ${JSON.stringify(result)}`);
        found(row, contestant, result);
      }
      const isLastReader = row.does === "read" && ofLevel[ofLevel.indexOf(row) + 1]?.does !== "read";
      if (isLastReader) for (const { server } of started) await removeStreams(server);
    }
  } finally {
    for (const { server } of started) {
      filled.delete(server);
      await server.stop();
    }
  }
}

const trials = new Map<string, number[]>();
const counts = new Map<string, number>();
const measured: Measured[] = rows.map((row) => ({ row, whippet: [], original: [] }));
for (const durability of ["write", "sync"] as const)
  await roundOf(durability, 0, counts, ({ name }, _, { messagesPerSecond }) => {
    trials.set(name, [...(trials.get(name) ?? []), messagesPerSecond]);
  });
for (const row of rows) counts.set(row.name, batchesFor(row, trials.get(row.name) ?? [], seconds));
for (let round = 1; round <= rounds; round++)
  for (const durability of ["write", "sync"] as const)
    await roundOf(durability, round, counts, (row, { name }, result) => {
      const results = measured.find((candidate) => candidate.row === row);
      (name === "Whippet" ? results?.whippet : results?.original)?.push(result);
    });

const notes = [
  `iggy-bench of server-0.8.0 for both, ${rounds} rounds, turn about, ${shards} shards; Whippet from ${program === undefined ? "source" : "its executable"}.`,
  ...durabilityNotes(saves),
];
const summaries = measured.map(summaryOf);
publish([tableOf(summaries, notes)], { notes, rows: summaries }, { json: values.json, markdown: values.markdown });
