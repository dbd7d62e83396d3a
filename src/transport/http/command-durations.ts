// The histogram of command durations. Other shards count theirs in their own classes (shard/statistics.ts), so the values are
// set as a whole when somebody asks, which the library's histogram does not offer.
import { Histogram, type OpenMetricsContentType, type Registry } from "prom-client";
import { ownMetrics } from "../../observability/counters.ts";
import { commandNameOf } from "../../protocol/codes.ts";
import { type ExtensionName, extensionNameOf } from "../../protocol/extensions/codes.ts";
import { snakeNameOf } from "../../protocol/snake-name.ts";
import { type CommandName09, NewCommandCode } from "../../protocol/v09/operations.ts";
import { durationBoundsMs, type ShardStatistics } from "../../shard/index.ts";

interface Sample {
  readonly metricName: string;
  readonly labels: { readonly command: string; readonly le?: string };
  readonly value: number;
}

const { name, help, labels } = ownMetrics.commandDurations;

type AnyCommandName = CommandName09 | ExtensionName;

/** Commands that 0.8 does not have, by code. */
const newCommands: ReadonlyMap<number, CommandName09> = new Map(
  Object.entries(NewCommandCode).map(([command, code]) => [code, command as CommandName09]),
);

export class CommandDurations extends Histogram<"command"> {
  #samples: readonly Sample[] = [];

  constructor(registry: Registry<OpenMetricsContentType>) {
    super({ name, help, labelNames: labels, buckets: durationBoundsMs.map(toSeconds), registers: [registry] });
  }

  /** Puts together what all shards have counted. */
  show(shards: readonly ShardStatistics[]): void {
    const byCommand = new Map<AnyCommandName, { counts: number[]; totalMs: number }>();
    for (const { code, counts, totalMs } of shards.flatMap(({ commands }) => commands)) {
      const command = commandNameOf(code) ?? newCommands.get(code) ?? extensionNameOf(code);
      if (command === undefined) continue;
      const known = byCommand.get(command) ?? { counts: counts.map(() => 0), totalMs: 0 };
      byCommand.set(command, {
        counts: known.counts.map((count, index) => count + (counts[index] ?? 0)),
        totalMs: known.totalMs + totalMs,
      });
    }
    this.#samples = [...byCommand].flatMap(([command, { counts, totalMs }]) => samplesOf(command, counts, totalMs));
  }

  /** What the registry writes. */
  getForPromString() {
    return Promise.resolve({ name, help, type: "histogram", values: this.#samples });
  }
}

function samplesOf(commandName: AnyCommandName, counts: readonly number[], totalMs: number): Sample[] {
  const command = snakeNameOf(commandName);
  let below = 0;
  const classes = counts.map((count, index) => {
    below += count;
    const bound = durationBoundsMs[index];
    const le = bound === undefined ? "+Inf" : String(toSeconds(bound));
    return { metricName: `${name}_bucket`, labels: { command, le }, value: below };
  });
  return [
    ...classes,
    { metricName: `${name}_sum`, labels: { command }, value: totalMs / 1000 },
    { metricName: `${name}_count`, labels: { command }, value: below },
  ];
}

function toSeconds(durationMs: number): number {
  return durationMs / 1000;
}
