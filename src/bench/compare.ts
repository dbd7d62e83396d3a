// Two reports side by side. Whole seconds are drawn anew a thousand times from each run (a bootstrap), which gives the spread that a
// ratio has within these runs: a difference counts only where all of its 95 % interval lies beyond one, and fails only beyond the limit.

import { Histogram } from "./histogram.ts";
import type { SecondData } from "./latency-series.ts";
import { type BenchReport, type GroupReport, grouped, renderRows } from "./report.ts";

const drawsCount = 1_000;
/** With fewer seconds drawing them anew says nothing. */
const secondsMin = 3;

export type Verdict = "faster" | "as before" | "slower, within the limit" | "SLOWER than the limit";

export type MetricComparison = {
  readonly role: GroupReport["role"];
  readonly metric: string;
  readonly before: number;
  readonly after: number;
  /** after / before. */
  readonly ratio: number;
  /** 95 % of the ratios lie between them. */
  readonly low: number;
  readonly high: number;
  readonly verdict: Verdict;
};

/** Reports that cannot be compared; the message says why. */
export class ComparisonError extends Error {
  override readonly name = "ComparisonError";
}

const percentiles = [50, 99, 99.9] as const;
/** In the order of `figuresOf`. */
const metrics = ["MB/s", ...percentiles.map((percent) => `p${percent} ms`)];

/**
 * Compares each role that both reports have. `limit`: how much worse it may be, 0.05 for 5 %. ComparisonError if nothing is comparable or
 * a run has less than three whole seconds.
 */
export function compareReports(before: BenchReport, after: BenchReport, limit: number): MetricComparison[] {
  const comparisons = before.groups.flatMap((group) => {
    const other = after.groups.find(({ role }) => role === group.role);
    if (other === undefined) return [];
    const sides = [sideOf(group, before), sideOf(other, after)] as const;
    return compareGroups(group.role, sides, limit);
  });
  if (comparisons.length === 0)
    throw new ComparisonError("the reports have no role in common: they measured different kinds");
  return comparisons;
}

type Side = { readonly seconds: readonly SecondData[]; readonly messageSizeBytes: number };

function sideOf({ perSecond, seconds }: GroupReport, { options }: BenchReport): Side {
  // The last second is cut short; one without a reply, in a stall, counts as well.
  const whole = Math.floor(seconds);
  if (whole < secondsMin) {
    throw new ComparisonError(
      `a run of ${seconds.toFixed(1)} s is too short to compare: it takes ${secondsMin} whole seconds`,
    );
  }
  const bySecond = new Map(perSecond.map((data) => [data.second, data]));
  return {
    seconds: Array.from({ length: whole }, (_, second) => bySecond.get(second) ?? emptySecond(second)),
    messageSizeBytes: options.messageSizeBytes,
  };
}

function emptySecond(second: number): SecondData {
  return { second, messages: 0, latency: new Histogram().toData() };
}

function compareGroups(
  role: GroupReport["role"],
  [before, after]: readonly [Side, Side],
  limit: number,
): MetricComparison[] {
  const random = randomFrom(0x5eed);
  const drawn = Array.from({ length: drawsCount }, () => {
    const earlier = figuresOf(before, drawnFrom(before.seconds, random));
    const later = figuresOf(after, drawnFrom(after.seconds, random));
    return earlier.map((figure, index) => ratioOf(figure, later[index] ?? 0));
  });
  const [earlier, later] = [figuresOf(before, before.seconds), figuresOf(after, after.seconds)];
  return metrics.map((metric, index) => {
    const ratios = drawn.map((figures) => figures[index] ?? 1).toSorted((one, other) => one - other);
    const low = ratios[Math.floor(drawsCount * 0.025)] ?? 1;
    const high = ratios[Math.ceil(drawsCount * 0.975) - 1] ?? 1;
    const figures = { before: earlier[index] ?? 0, after: later[index] ?? 0 };
    const verdict = verdictOf(index === 0 ? { low, high } : { low: 1 / high, high: 1 / low }, limit);
    return { role, metric, ...figures, ratio: ratioOf(figures.before, figures.after), low, high, verdict };
  });
}

/** MB/s and the percentiles of some seconds. */
function figuresOf({ messageSizeBytes }: Side, seconds: readonly SecondData[]): number[] {
  const latency = new Histogram();
  let messages = 0;
  for (const second of seconds) {
    latency.merge(second.latency);
    messages += second.messages;
  }
  return [
    (messages * messageSizeBytes) / 1e6 / seconds.length,
    ...percentiles.map((percent) => latency.percentileMicros(percent) / 1000),
  ];
}

function drawnFrom(seconds: readonly SecondData[], random: () => number): SecondData[] {
  return seconds.flatMap(() => seconds[Math.floor(random() * seconds.length)] ?? []);
}

/** Nothing beside nothing is the same. */
function ratioOf(before: number, after: number): number {
  return before === after ? 1 : after / before;
}

/** Of ratios of which more is better. */
function verdictOf({ low, high }: { readonly low: number; readonly high: number }, limit: number): Verdict {
  if (low > 1) return "faster";
  if (high >= 1) return "as before";
  return high < 1 / (1 + limit) ? "SLOWER than the limit" : "slower, within the limit";
}

/** Numbers from 0 up to 1, the same ones in each comparison (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The comparison as a table. */
export function renderComparison(comparisons: readonly MetricComparison[]): string {
  const rows = comparisons.map(({ role, metric, before, after, ratio, low, high, verdict }) => [
    `${role} ${metric}`,
    ...[before, after].map((figure) => grouped(figure, metric === "MB/s" ? 2 : 3)),
    ratio.toFixed(2),
    `${low.toFixed(2)} … ${high.toFixed(2)}`,
    verdict,
  ]);
  const head = ["", "before", "after", "after/before", "95 %, seconds resampled", ""];
  return renderRows([head, ...rows])
    .map((line) => line.trimEnd())
    .join("\n");
}
