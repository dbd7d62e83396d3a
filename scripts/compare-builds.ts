// The speed of this checkout against that of another one, in alternating pairs of runs, each with a server that was just started: the
// median of the ratios with its 95 % interval, by throughput and by the CPU time that the server spends on a megabyte. On a
// machine that does other things too the second one says more.

import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { runBench } from "../src/bench/coordinator.ts";
import { parseOptions } from "../src/bench/options.ts";
import { renderRows } from "../src/bench/report.ts";
import { type BenchServer, startBenchServer } from "./bench-server.ts";
import { describedRatios, median } from "./ratios.ts";

const usage = `Compares this checkout with another one.

Usage: node scripts/bun.mjs scripts/compare-builds.ts --before DIRECTORY [options]
  --before DIRECTORY   checkout to compare with, with its node_modules
  --pairs N            pairs of runs for each row (20)
  --seconds N          measured part of each run (5)
  --levels A,B         of memory, write, sync (write,sync)
  --rows A,B           of send, send-one, poll, poll-one (all)
`;

const kindOfRow = {
  send: "pinned-producer",
  "send-one": "single-send",
  poll: "pinned-consumer",
  "poll-one": "single-poll",
} as const;
type Row = keyof typeof kindOfRow;

const warmupSeconds = 0.5;

interface Run {
  readonly megabytesPerSecond: number;
  readonly cpuSecondsPerMegabyte: number;
}

const { values } = parseArgs({
  options: {
    before: { type: "string" },
    pairs: { type: "string", default: "20" },
    seconds: { type: "string", default: "5" },
    levels: { type: "string", default: "write,sync" },
    rows: { type: "string", default: Object.keys(kindOfRow).join(",") },
    help: { type: "boolean", default: false },
  },
});
if (values.help || values.before === undefined) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}
const pairsCount = Number(values.pairs);
const rows = values.rows.split(",").filter((row): row is Row => row in kindOfRow);
const abort = new AbortController();
process.on("SIGINT", () => abort.abort());

async function runOnce(server: BenchServer, row: Row, seconds: number): Promise<Run> {
  const options = parseOptions([
    ...["--kind", kindOfRow[row], "--server", `127.0.0.1:${server.portOf("tcp")}`],
    ...["--seconds", String(seconds), "--warmup", String(warmupSeconds), "--keep"],
  ]);
  if (options === "help") throw new Error("these options ask for no help");
  const cpuBefore = server.cpuSeconds();
  const { groups, problems } = await runBench(options, abort.signal);
  const cpuSeconds = server.cpuSeconds() - cpuBefore;
  const group = groups[0];
  if (problems.length > 0 || group === undefined) throw new Error(`${row}: ${problems.join("; ")}`);
  // The warm-up is part of the CPU time, so it is part of the megabytes as well.
  const megabytes = group.megabytesPerSecond * (seconds + warmupSeconds);
  return { megabytesPerSecond: group.megabytesPerSecond, cpuSecondsPerMegabyte: cpuSeconds / megabytes };
}

/**
 * Both with a server that was just started: where the pages of a process lie, which is luck and stays as long as the process, can
 * make it half as fast as another one of the same build.
 */
async function runPair(level: string, row: Row, beforeFirst: boolean): Promise<{ before: Run; after: Run }> {
  const env = { IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: level };
  const before = await startBenchServer(false, 1, { root: resolve(values.before ?? "."), env });
  const after = await startBenchServer(false, 1, { env });
  try {
    const first = await runOnce(beforeFirst ? before : after, row, Number(values.seconds));
    const second = await runOnce(beforeFirst ? after : before, row, Number(values.seconds));
    return beforeFirst ? { before: first, after: second } : { before: second, after: first };
  } finally {
    await before.stop();
    await after.stop();
  }
}

const table = [["level, row", "before MB/s", "after MB/s", "throughput after/before", "CPU per MB before/after"]];
for (const level of values.levels.split(",")) {
  for (const row of rows) {
    const pairs: { readonly before: Run; readonly after: Run }[] = [];
    for (let pair = 0; pair < pairsCount; pair++) pairs.push(await runPair(level, row, pair % 2 === 0));
    const megabytes = (take: "before" | "after") => median(pairs.map((pair) => pair[take].megabytesPerSecond));
    const line = [
      `${level}, ${row}`,
      megabytes("before").toFixed(1),
      megabytes("after").toFixed(1),
      describedRatios(pairs.map((pair) => pair.after.megabytesPerSecond / pair.before.megabytesPerSecond)),
      describedRatios(pairs.map((pair) => pair.before.cpuSecondsPerMegabyte / pair.after.cpuSecondsPerMegabyte)),
    ];
    table.push(line);
    console.error(line.join(" | "));
  }
}
console.log(renderRows(table).join("\n"));
process.exit(0);
