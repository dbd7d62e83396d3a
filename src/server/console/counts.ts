// What all shards have counted up to a moment, and what came of it since the moment before.
import { CommandCode } from "../../protocol/codes.ts";
import { type DurationClass, durationClasses } from "../../protocol/console/history.ts";
import { durationBoundsMs, type ShardStatistics } from "../../shard/index.ts";

/** Classes of durations: those of the bounds, and one for all longer ones. */
export const bucketsCount = durationBoundsMs.length + 1;

export interface Counts {
  readonly atMs: number;
  /** Commands by class of duration. */
  readonly durations: Readonly<Record<DurationClass, Float64Array>>;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly deliveredMessages: number;
  readonly failedCommands: number;
}

/** `atMs`: on a clock that never steps. */
export function countsOf(shards: readonly ShardStatistics[], atMs: number): Counts {
  const durations = {
    send: new Float64Array(bucketsCount),
    poll: new Float64Array(bucketsCount),
    other: new Float64Array(bucketsCount),
  };
  const totals = { receivedBytes: 0, sentBytes: 0, deliveredMessages: 0, failedCommands: 0 };
  for (const { commands, samples, deliveredMessages, failedCommands } of shards) {
    for (const { code, counts } of commands) {
      const into = durations[classOf(code)];
      for (let bucket = 0; bucket < bucketsCount; bucket++) into[bucket]! += counts[bucket] ?? 0;
    }
    for (const { key, value } of samples) if (key === "receivedBytes" || key === "sentBytes") totals[key] += value;
    totals.deliveredMessages += deliveredMessages;
    totals.failedCommands += failedCommands;
  }
  return { atMs, durations, ...totals };
}

/** What was counted between two moments. */
export function difference(now: Counts, before: Counts): Counts {
  const since = (value: number, earlier: number) => Math.max(0, value - earlier);
  const of = (name: DurationClass) =>
    now.durations[name].map((count, bucket) => since(count, before.durations[name][bucket]!));
  return {
    atMs: now.atMs - before.atMs,
    durations: { send: of("send"), poll: of("poll"), other: of("other") },
    receivedBytes: since(now.receivedBytes, before.receivedBytes),
    sentBytes: since(now.sentBytes, before.sentBytes),
    deliveredMessages: since(now.deliveredMessages, before.deliveredMessages),
    failedCommands: since(now.failedCommands, before.failedCommands),
  };
}

export function sum(counts: ArrayLike<number>): number {
  let total = 0;
  for (let index = 0; index < counts.length; index++) total += counts[index]!;
  return total;
}

/**
 * Upper bound of the class of durations that the percentile is in, ms; of the last class the bound before it. NaN: nothing was
 * counted. `share`: 0 to 1.
 */
export function percentileMs(counts: ArrayLike<number>, share: number): number {
  const wanted = sum(counts) * share;
  if (!(wanted > 0)) return Number.NaN;
  let below = 0;
  for (let bucket = 0; bucket < durationBoundsMs.length; bucket++) {
    below += counts[bucket]!;
    if (below >= wanted) return durationBoundsMs[bucket]!;
  }
  return durationBoundsMs.at(-1)!;
}

/** Names of the columns in which the history keeps the counts of a class of commands. */
export function bucketColumns(name: DurationClass): readonly string[] {
  return Array.from({ length: bucketsCount }, (_, bucket) => `${name}.${bucket}`);
}

export const allBucketColumns = durationClasses.flatMap(bucketColumns);

function classOf(code: number): DurationClass {
  if (code === CommandCode.sendMessages) return "send";
  return code === CommandCode.pollMessages ? "poll" : "other";
}
