// Points of several series over time: as the broker sends them, and how what happens now goes on behind them. Pure.
import type { HistoryReply, MetricValues } from "../../client/console-client.ts";

/** Times are ms since the epoch. */
export type Points = {
  readonly startMs: number;
  readonly stepMs: number;
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
  /** Nothing was measured between these. */
  readonly gaps: readonly (readonly [fromMs: number, toMs: number])[];
};

const microsPerMilli = 1000;
/** Between two samples of what happens now. */
const sampleMs = 5000;
/** Of series that are percentiles, which have no mean. */
const percentilePattern = /^p\d+\./;

export function pointsOf({ start, step, series, gaps }: HistoryReply): Points {
  return {
    startMs: Number(start) / microsPerMilli,
    stepMs: Number(step) / microsPerMilli,
    series,
    gaps: gaps.map(([from, to]) => [Number(from) / microsPerMilli, Number(to) / microsPerMilli]),
  };
}

/**
 * The points with one more sample. Within the newest point it counts as one of those that make it; a percentile there is the highest of
 * them, which may be more than that of all. What is older than `reachMs` before the sample leaves.
 */
export function continued(points: Points, atMs: number, values: MetricValues, reachMs: number): Points {
  const { startMs, stepMs } = points;
  const place = Math.floor((atMs - startMs) / stepMs);
  if (place < 0) return points; // the clock of the broker was set back
  const first = Math.max(0, Math.floor((atMs - reachMs - startMs) / stepMs));
  const weight = Math.floor((atMs - startMs - place * stepMs) / sampleMs);
  const series: Record<string, readonly (number | null)[]> = {};
  for (const [name, before] of Object.entries(points.series)) {
    const all = before.slice(first, place + 1);
    while (all.length < place + 1 - first) all.push(null);
    const old = all.at(-1) ?? null;
    const value = values[name] ?? null;
    if (value !== null)
      all[all.length - 1] = percentilePattern.test(name) ? Math.max(old ?? 0, value) : mean(old, weight, value);
    series[name] = all;
  }
  return { ...points, startMs: startMs + first * stepMs, series };
}

function mean(old: number | null, weight: number, value: number): number {
  return old === null ? value : (old * weight + value) / (weight + 1);
}

/** The end of an axis that begins at 0: a round number, not less than `most`. `isBinary`: of bytes, 1,024 of which are a KB. */
export function niceMax(most: number, isBinary: boolean): number {
  if (!(most > 0)) return 1;
  if (isBinary) return 2 ** Math.ceil(Math.log2(Math.max(1, most)));
  const power = 10 ** Math.floor(Math.log10(most));
  return power * [1, 2, 5, 10].find((step) => step * power >= most * (1 - 1e-9))!;
}
