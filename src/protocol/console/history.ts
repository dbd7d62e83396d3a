// Numbers of the broker over time: GET /ui/api/history, and those of now on the channel of metrics. Rates are per second; times
// that commands take are ms, the upper bound of the class of durations that the percentile is in; sizes are bytes. Null: not
// known, or nothing happened.

/** Of the whole broker. Beside them there are `loop.{shard}` (by how much a timer was late, ms) and `mailbox.{shard}` (requests under way). */
export const brokerSeries = [
  "in.messages",
  "in.bytes",
  "out.messages",
  "out.bytes",
  "sends",
  "polls",
  "errors",
  "clients",
  "memory",
  "cpu",
  "disk.used",
  "disk.free",
] as const;
/** Of commands: of each, `p50.{class}`, `p99.{class}` and `p999.{class}`. */
export const durationClasses = ["send", "poll", "other"] as const;
export const percentiles = { p50: 0.5, p99: 0.99, p999: 0.999 } as const;
/** Of a topic, `topic.{stream id}/{topic id}.in.messages` and so on; of one whose names are given apart, `topic.in.messages`. */
export const topicSeries = ["in.messages", "in.bytes", "size"] as const;

export type DurationClass = (typeof durationClasses)[number];
export type PercentileName = keyof typeof percentiles;

/** By name of the series. */
export type MetricValues = Readonly<Record<string, number | null>>;

/** Times are µs since the epoch, as decimal text. */
export type HistoryReply = {
  /** Of the first point, of the time that it stands for its begin. */
  readonly start: string;
  readonly step: string;
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
  /** Nothing was measured between these: the broker was down, or its machine asleep. */
  readonly gaps: readonly (readonly [from: string, to: string])[];
};

export const historyLimits = { series: 64, points: 1000 } as const;
