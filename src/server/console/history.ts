// GET /ui/api/history: points of series, to who may see them.
import { requireTopic } from "../../metadata/index.ts";
import type { History, Plan } from "../../observability/history.ts";
import {
  durationClasses,
  type HistoryReply,
  historyLimits,
  percentiles,
  topicSeries,
} from "../../protocol/console/history.ts";
import { IggyError } from "../../protocol/errors.ts";
import { nameId } from "../../protocol/identifier.ts";
import type { ServerContext } from "../context.ts";
import { requireLogin, requireRight } from "../rights.ts";
import type { Session } from "../session.ts";
import { allBucketColumns, bucketColumns, percentileMs } from "./counts.ts";
import { topicKey } from "./sampler.ts";

export interface HistoryQuery {
  readonly series: readonly string[];
  /** Which topic `topic.size` and so on are of. */
  readonly topic: { readonly stream: string; readonly topic: string } | undefined;
  /** ms since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Most of them, about. */
  readonly points: number;
}

const microsPerMilli = 1000;
const topicPattern = /^topic\.(?:(\d{1,10})\/(\d{1,10})\.)?([a-z.]+)$/;
const percentilePattern = /^(p\d+)\.(\w+)$/;
const shardPattern = /^(?:loop|mailbox)\.\d{1,3}$/;

/**
 * Series of a topic need the right to read it, the others that to read servers. All series of an answer have the same points: those of
 * topics go back a day. Errors: 40, 41, InvalidCommand (3) for a series that there is not, FeatureUnavailable (5) without a history.
 */
export function historyOf(context: ServerContext, session: Session, query: HistoryQuery): HistoryReply {
  const { shard, clock, sampler } = context;
  requireLogin(session);
  if (query.series.length === 0 || query.series.length > historyLimits.series) throw new IggyError("InvalidCommand");
  const topics = query.series.map((name) => topicOf(context, name, query.topic));
  for (const topic of topics) {
    if (topic === undefined) requireRight(shard, session, "getStats");
    else requireRight(shard, session, "getTopic", topic.streamId, topic.topicId);
  }
  const { history } = sampler;
  if (history === undefined) throw new IggyError("FeatureUnavailable");
  const nowMs = clock.nowMicros() / microsPerMilli;
  const isOfTopics = topics.some((topic) => topic !== undefined);
  const plan = history.plan(
    isOfTopics ? history.subjectRings : history.rings,
    query.fromMs,
    query.toMs,
    nowMs,
    Math.min(query.points, historyLimits.points),
  );
  const series: Record<string, readonly (number | null)[]> = {};
  query.series.forEach((name, index) => {
    const topic = topics[index];
    const points = topic ? topicPoints(context, history, topic, plan) : brokerPoints(history, name, plan, isOfTopics);
    series[name] = Array.from(points, (value) => (Number.isNaN(value) ? null : value));
  });
  return {
    start: microsText(plan.startMs),
    step: microsText(plan.stepMs),
    series,
    gaps: history.gaps
      .filter(([from, to]) => to > plan.startMs && from < query.toMs)
      .map(([from, to]) => [microsText(from), microsText(to)]),
  };
}

interface TopicSeries {
  readonly streamId: number;
  readonly topicId: number;
  readonly name: string;
}

/** Undefined: the series is none of a topic. Errors: InvalidCommand (3), 1009, 2010. */
function topicOf({ shard }: ServerContext, series: string, named: HistoryQuery["topic"]): TopicSeries | undefined {
  const [, streamId, topicId, name] = topicPattern.exec(series) ?? [];
  if (name === undefined) return undefined;
  if (streamId !== undefined) return { streamId: Number(streamId), topicId: Number(topicId), name };
  if (named === undefined) throw new IggyError("InvalidCommand");
  const { stream, topic } = requireTopic(shard.state, nameId(named.stream), nameId(named.topic));
  return { streamId: stream.id, topicId: topic.id, name };
}

function topicPoints(
  { shard }: ServerContext,
  history: History,
  { streamId, topicId, name }: TopicSeries,
  { tier, firstSlot, perPoint, pointsCount }: Plan,
): Float64Array {
  const column = (topicSeries as readonly string[]).indexOf(name);
  if (column === -1) throw new IggyError("InvalidCommand");
  const topic = shard.state.streams.byId.get(streamId)?.topics.byId.get(topicId);
  const subject = topic && history.subject(topicKey(streamId, topicId), topic.createdAtMicros);
  if (subject === undefined) return new Float64Array(pointsCount).fill(Number.NaN);
  return subject.rings[tier]!.read(column, firstSlot, perPoint, pointsCount);
}

/** A request for topics has the points of topics, at which the broker's own series are not kept. */
function brokerPoints(history: History, name: string, plan: Plan, isOfTopics: boolean): Float64Array {
  // Of a shard that there is not nothing is known: whoever asks need not know how many there are.
  const ofShard = shardPattern.test(name) ? new Float64Array(plan.pointsCount).fill(Number.NaN) : undefined;
  const points = history.column(name, plan) ?? ofShard ?? percentilePoints(history, name, plan);
  const isBucket = allBucketColumns.includes(name);
  if (points === undefined || isBucket || isOfTopics) throw new IggyError("InvalidCommand");
  return points;
}

/** Out of the counts of each class of durations, so that it is right for any length of time. */
function percentilePoints(history: History, name: string, plan: Plan): Float64Array | undefined {
  const [, percentile, className] = percentilePattern.exec(name) ?? [];
  const share = Object.entries(percentiles).find(([known]) => known === percentile)?.[1];
  const durationClass = durationClasses.find((known) => known === className);
  if (share === undefined || durationClass === undefined) return undefined;
  const buckets = bucketColumns(durationClass).map((column) => history.column(column, plan)!);
  return Float64Array.from({ length: plan.pointsCount }, (_, point) =>
    percentileMs(
      buckets.map((bucket) => (Number.isNaN(bucket[point]!) ? 0 : bucket[point]!)),
      share,
    ),
  );
}

function microsText(millis: number): string {
  return String(BigInt(Math.round(millis * microsPerMilli)));
}
