// How far groups were behind in the last day: noted by the sampler (group-samples.ts), told to who may see the group.
import type { GroupPlace } from "../../protocol/console/groups.ts";
import { type HistoryReply, historyLimits } from "../../protocol/console/history.ts";
import { IggyError } from "../../protocol/errors.ts";
import type { ServerContext } from "../context.ts";
import type { Session } from "../session.ts";
import { groupColumns, groupKey, sinceOf } from "./group-samples.ts";
import { requireVisibleGroup } from "./lag.ts";

const microsPerMilli = 1000;
/** Times in ms since the epoch. Errors: 1009, 2010, 5000, 41; FeatureUnavailable (5) without a history. */
export function groupHistoryOf(
  context: ServerContext,
  session: Session,
  place: GroupPlace,
  query: { readonly fromMs: number; readonly toMs: number; readonly points: number },
): HistoryReply {
  const { stream, topic, group } = requireVisibleGroup(context, session, place);
  const { history } = context.sampler;
  if (history === undefined) throw new IggyError("FeatureUnavailable");
  const nowMs = context.clock.nowMicros() / microsPerMilli;
  const points = Math.min(query.points, historyLimits.points);
  const plan = history.plan(history.subjectRings, query.fromMs, query.toMs, nowMs, points);
  const subject = history.subject(groupKey(stream.id, topic.id, group.id), sinceOf(group));
  const ring = subject?.rings[plan.tier];
  const series = groupColumns.map((name, column) => {
    const read = ring?.read(column, plan.firstSlot, plan.perPoint, plan.pointsCount);
    const values = read ?? new Float64Array(plan.pointsCount).fill(Number.NaN);
    return [name, Array.from(values, (value) => (Number.isNaN(value) ? null : value))] as const;
  });
  return {
    start: microsText(plan.startMs),
    step: microsText(plan.stepMs),
    series: Object.fromEntries(series),
    gaps: history.gaps
      .filter(([from, to]) => to > plan.startMs && from < query.toMs)
      .map(([from, to]) => [microsText(from), microsText(to)]),
  };
}

function microsText(millis: number): string {
  return String(Math.round(millis * microsPerMilli));
}
