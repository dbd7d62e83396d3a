// Numbers of the whole broker every 5 s: into the history, which is always, and to who looks at the console. Without a history
// they are taken only while somebody looks. Nobody who sends or polls notices: it reads what the shards have counted anyway.
import { type History, sampleMs } from "../../observability/history.ts";
import type { SystemStats } from "../../observability/system-stats.ts";
import type { Clock, Timers } from "../../platform/clock.ts";
import { brokerSeries, durationClasses, type MetricValues, percentiles } from "../../protocol/console/history.ts";
import type { Shard, ShardStatistics } from "../../shard/index.ts";
import { readGroupLags } from "../group-lags.ts";
import { allBucketColumns, type Counts, countsOf, difference, percentileMs, sum } from "./counts.ts";
import { noteGroups } from "./group-samples.ts";
import { TopicScan } from "./topic-scan.ts";

/** `at`: µs since the epoch, as decimal text. */
export type MetricsViewer = (at: string, values: MetricValues) => void;

export interface SamplerOptions {
  readonly shard: Shard;
  readonly shardCount: number;
  readonly clock: Clock;
  /** Never steps. */
  readonly elapsed: Clock;
  readonly timers: Timers;
  /** A reader of its own: the use of CPU is that since the last reading. */
  readonly systemStats: () => SystemStats;
  /** Undefined: nothing is kept. */
  readonly history: History | undefined;
  readonly onFailure: (error: unknown) => void;
}

const millisPerSecond = 1000;
const microsPerMilli = 1000;
/** A look at the topics takes at most one part in so many of the time of the event loop. */
const scanShare = 200;
/** More shards than these have no series of their own. */
const shardSeriesMax = 64;

/** Names of the columns of a history that `Sampler` fills. */
export function historyColumns(shardCount: number) {
  return [
    ...[...brokerSeries, ...shardSeries(shardCount)].map((name) => ({ name, kind: "mean" }) as const),
    ...allBucketColumns.map((name) => ({ name, kind: "sum" }) as const),
  ];
}

function shardSeries(shardCount: number): readonly string[] {
  const ids = [...Array(Math.min(shardCount, shardSeriesMax)).keys()];
  return ids.flatMap((id) => [`loop.${id}`, `mailbox.${id}`]);
}

export class Sampler {
  readonly history: History | undefined;
  readonly #options: SamplerOptions;
  readonly #scan: TopicScan;
  readonly #viewers = new Set<MetricsViewer>();
  readonly #columns: readonly string[];
  #stop: (() => void) | undefined;
  #isKept = false;
  #isSampling = false;
  #before: Counts | undefined;
  #last: { readonly at: string; readonly values: MetricValues } | undefined;
  #scannedAtMs = Number.NEGATIVE_INFINITY;
  #scanTookMs = 0;
  #groupsAtMs = Number.NEGATIVE_INFINITY;
  #groupsTookMs = 0;
  /** Of the last scan; messages per second. */
  #inMessages = Number.NaN;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.history = options.history;
    this.#scan = new TopicScan(options.shard);
    this.#columns = historyColumns(options.shardCount).map(({ name }) => name);
  }

  /** Fills the history from now on. */
  start(): void {
    if (this.history === undefined) return;
    this.#isKept = true;
    this.#run();
    this.#sample();
  }

  stop(): void {
    this.#isKept = false;
    this.#viewers.clear();
    this.#rest();
  }

  /** `show` gets the newest sample at once, and then each. What is returned ends it. */
  watch(show: MetricsViewer): () => void {
    this.#viewers.add(show);
    if (this.#last !== undefined) show(this.#last.at, this.#last.values);
    else this.#sample();
    this.#run();
    return () => {
      this.#viewers.delete(show);
      this.#rest();
    };
  }

  #run(): void {
    this.#stop ??= this.#options.timers.every(sampleMs, () => this.#sample());
  }

  #rest(): void {
    if (this.#isKept || this.#viewers.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
    this.#before = undefined;
    this.#last = undefined;
  }

  #sample(): void {
    if (this.#isSampling) return; // a shard is slow to answer
    this.#isSampling = true;
    this.#take()
      .catch((error: unknown) => {
        // A sample under way at the stop may find no shard that answers.
        if (this.#stop !== undefined) this.#options.onFailure(error);
      })
      .finally(() => {
        this.#isSampling = false;
      });
  }

  async #take(): Promise<void> {
    const { shard, clock, elapsed } = this.#options;
    const shards = await shard.allStatistics();
    const counts = countsOf(shards, elapsed.nowMicros() / microsPerMilli);
    const before = this.#before;
    this.#before = counts;
    await this.#look();
    await this.#lookAtGroups();
    const row = this.#rowOf(before && difference(counts, before), depthsOf(shards));
    const atMicros = clock.nowMicros();
    if (this.#isKept) {
      const values = this.#columns.map((name) => row.get(name) ?? Number.NaN);
      this.history?.add(atMicros / microsPerMilli, values);
    }
    this.#last = { at: String(atMicros), values: valuesOf(row) };
    for (const show of this.#viewers) show(this.#last.at, this.#last.values);
  }

  /** Values by column; `since`: what was counted since the sample before. */
  #rowOf(since: Counts | undefined, depths: ReadonlyMap<number, number>): ReadonlyMap<string, number> {
    const { shard, shardCount, systemStats } = this.#options;
    const system = systemStats();
    const row = new Map<string, number>([
      ["in.messages", this.#inMessages],
      ["clients", shard.counters.clients.total],
      ["memory", system.memoryUsageBytes],
      ["cpu", system.cpuUsagePercent],
    ]);
    if (system.totalDiskSpaceBytes > 0) {
      row.set("disk.free", system.freeDiskSpaceBytes);
      row.set("disk.used", system.totalDiskSpaceBytes - system.freeDiskSpaceBytes);
    }
    for (let id = 0; id < Math.min(shardCount, shardSeriesMax); id++) {
      row.set(`loop.${id}`, shard.pulse.takeDelayMs(id));
      row.set(`mailbox.${id}`, depths.get(id) ?? 0);
    }
    if (since === undefined || since.atMs <= 0) return row;
    const rate = (count: number) => (count * millisPerSecond) / since.atMs;
    row.set("in.bytes", rate(since.receivedBytes));
    row.set("out.bytes", rate(since.sentBytes));
    row.set("out.messages", rate(since.deliveredMessages));
    row.set("errors", rate(since.failedCommands));
    row.set("sends", rate(sum(since.durations.send)));
    row.set("polls", rate(sum(since.durations.poll)));
    for (const name of durationClasses) {
      since.durations[name].forEach((count, bucket) => {
        row.set(`${name}.${bucket}`, count);
      });
    }
    return row;
  }

  /** What was sent to topics; less often where there are so many that it would take more than its share. */
  async #look(): Promise<void> {
    const { clock, elapsed } = this.#options;
    const nowMs = elapsed.nowMicros() / microsPerMilli;
    const sinceMs = nowMs - this.#scannedAtMs;
    if (sinceMs < this.#scanTookMs * scanShare) return;
    this.#scannedAtMs = nowMs;
    const { history } = this;
    const perSecond = Number.isFinite(sinceMs) ? millisPerSecond / sinceMs : Number.NaN;
    let newMessages = 0;
    this.#scanTookMs = await this.#scan.run((topic) => {
      newMessages += topic.newMessages;
      if (history === undefined || !this.#isKept) return;
      const key = topicKey(topic.streamId, topic.topicId);
      const values = [topic.newMessages * perSecond, topic.newBytes * perSecond, topic.sizeBytes];
      const atMs = clock.nowMicros() / microsPerMilli;
      history.addSubject(key, topic.createdAtMicros, atMs, values, topic.newMessages > 0);
    });
    this.#inMessages = newMessages * perSecond;
  }

  /** How far groups are behind; less often where it takes long, however it comes to that. */
  async #lookAtGroups(): Promise<void> {
    const { history } = this;
    if (history === undefined || !this.#isKept) return;
    const { shard, clock, elapsed } = this.#options;
    const startedMs = elapsed.nowMicros() / microsPerMilli;
    if (startedMs - this.#groupsAtMs < this.#groupsTookMs * scanShare) return;
    this.#groupsAtMs = startedMs;
    noteGroups(history, await readGroupLags(shard), clock.nowMicros());
    this.#groupsTookMs = elapsed.nowMicros() / microsPerMilli - startedMs;
  }
}

/** Under which the history keeps a topic. */
export function topicKey(streamId: number, topicId: number): string {
  return `topic.${streamId}/${topicId}`;
}

/** Requests of each shard that have no reply yet. */
function depthsOf(shards: readonly ShardStatistics[]): ReadonlyMap<number, number> {
  return new Map(
    shards.map(({ shardId, samples }) => [shardId, samples.find(({ key }) => key === "mailboxDepth")?.value ?? 0]),
  );
}

/** What is shown of a row: percentiles in place of the counts that they come from. */
function valuesOf(row: ReadonlyMap<string, number>): MetricValues {
  const values: Record<string, number | null> = {};
  for (const name of brokerSeries) values[name] = known(row.get(name));
  for (const [name, value] of row) if (/^(?:loop|mailbox)\./.test(name)) values[name] = known(value);
  for (const name of durationClasses) {
    const counts: number[] = [];
    for (let bucket = 0; row.has(`${name}.${bucket}`); bucket++) counts.push(row.get(`${name}.${bucket}`)!);
    for (const [percentile, share] of Object.entries(percentiles)) {
      values[`${percentile}.${name}`] = known(percentileMs(counts, share));
    }
  }
  return values;
}

function known(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
