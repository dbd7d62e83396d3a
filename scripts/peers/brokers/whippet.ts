// Whippet as the others are measured: by its own bench.

import { runBench } from "../../../src/bench/coordinator.ts";
import { parseOptions } from "../../../src/bench/options.ts";
import { startIggyServer } from "../servers/iggy.ts";
import { type BrokerFigure, type BrokerWork, batchMessages, type Contestant, messageSizeBytes } from "./contestant.ts";

const kinds = { one: "single-send", batch: "pinned-producer", read: "pinned-consumer" } as const;
/** Sends under way for batches, as the producers of the others have several. */
const pipelineDepth = 4;

/** `program`: its executable; from source without one. */
export function whippetContestant(version: string, program: string | undefined, shards: number): Contestant {
  return {
    name: "Whippet",
    version,
    durability: { write: "system.partition.acknowledge = write", sync: "system.partition.acknowledge = sync" },
    tool: "npm run bench, one connection, 4 requests of batches under way",
    async start(durability) {
      const server = await startIggyServer({ name: "Whippet", program }, durability, shards);
      return {
        measure: (work, messages) => measure(server.portOf("tcp"), work, messages),
        stop: () => server.stop(),
      };
    },
  };
}

async function measure(port: number, work: BrokerWork, messages: number): Promise<BrokerFigure> {
  const batch = work === "one" ? 1 : batchMessages;
  const options = parseOptions([
    ...["--kind", kinds[work], "--server", `127.0.0.1:${port}`, "--message-size", `${messageSizeBytes}`],
    ...["--batches", `${Math.max(1, Math.round(messages / batch))}`, "--warmup", work === "read" ? "0" : "0.5"],
    ...(work === "batch" ? ["--pipeline", `${pipelineDepth}`] : []),
  ]);
  if (options === "help") throw new Error("these options ask for no help");
  const { groups, problems } = await runBench(options, new AbortController().signal);
  const group = groups[0];
  if (problems.length > 0 || group === undefined) throw new Error(`${work}: ${problems.join("; ")}`);
  return {
    messagesPerSecond: group.messagesPerSecond,
    p99Ms: work === "one" ? group.latency.p99Ms : undefined,
  };
}
