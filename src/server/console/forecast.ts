// What the history says of the time to come.
import type { History } from "../../observability/history.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Of a shorter time nothing is concluded. */
const knownMsMin = 2 * hourMs;
const points = 96;

/**
 * In how many days the disk is full if it goes on as in the last 24 hours: a straight line through what was free. Undefined: it does
 * not fill, or too little is known.
 */
export function daysUntilFull(history: History, nowMs: number): number | undefined {
  const plan = history.plan(history.rings, nowMs - dayMs, nowMs, nowMs, points);
  const free = history.column("disk.free", plan);
  const known = Array.from(free ?? [], (value, index) => [index * plan.stepMs, value] as const).filter(
    ([, value]) => !Number.isNaN(value),
  );
  const first = known[0];
  const last = known.at(-1);
  if (first === undefined || last === undefined || last[0] - first[0] < knownMsMin) return undefined;
  const meanX = known.reduce((sum, [x]) => sum + x, 0) / known.length;
  const meanY = known.reduce((sum, [, y]) => sum + y, 0) / known.length;
  const below = known.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = known.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / below;
  return slope < 0 ? last[1] / -slope / dayMs : undefined;
}
