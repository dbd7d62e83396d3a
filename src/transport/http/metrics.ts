// Metrics as OpenMetrics text, served as `text/plain` like the original's (spec HA 6, SB 8.5) to whoever does not ask for it by name. The original's families come
// first, under its names; those of our own begin with `whippet_` and are those of the table in observability/counters.ts.
// Everything is computed when somebody asks, from live state, so that it is right after a restart too.
import { Counter, Gauge, type OpenMetricsContentType, Registry } from "prom-client";
import { type MetricKey, type MetricSample, metricKeys, ownMetrics } from "../../observability/counters.ts";
import type { SystemStats } from "../../observability/system-stats.ts";
import { expiryOf } from "../../security/certificates.ts";
import {
  allTotals,
  type GroupLag,
  readGroupLags,
  type SegmentHolderView,
  type ServerContext,
  segmentHolders,
  topicTotals,
} from "../../server/index.ts";
import type { TlsCertificates } from "../../shard/index.ts";
import { CommandDurations } from "./command-durations.ts";

interface Named {
  readonly id: number;
  readonly name: string;
}

interface Totals {
  readonly streams: number;
  readonly topics: number;
  readonly partitions: number;
  readonly segments: number;
  readonly messages: number;
  readonly users: number;
  readonly clients: number;
}

const totalNames = ["streams", "topics", "partitions", "segments", "messages", "users", "clients"] as const;
/** Who names it in Accept, as Prometheus does, gets types and help texts of counters, too. */
const openMetricsType = "application/openmetrics-text";

/** Content type of the answer. `accept`: the header of the request. */
export function metricsType(accept: string | null): string {
  return accept?.includes(openMetricsType) === true ? Registry.OPENMETRICS_CONTENT_TYPE : "text/plain; charset=utf-8";
}

const requestsName = "http_requests_total";
/** The original's families, none of which has a label. */
export const originalNames: readonly string[] = [requestsName, ...totalNames];

/** An answer that took longer than this to make is used again for `freshMs`. */
const dearMs = 50;
const freshMs = 1000;

export class HttpMetrics {
  readonly #context: ServerContext;
  readonly #certificates: () => TlsCertificates;
  readonly #topicsMax: number;
  readonly #registry = new Registry<OpenMetricsContentType>();
  readonly #requests: Counter;
  readonly #totals: ReadonlyMap<keyof Totals, Gauge>;
  readonly #durations: CommandDurations;
  /** What is shown as it is counted: all but the histogram. */
  readonly #own: ReadonlyMap<MetricKey, Counter | Gauge>;
  #running: Promise<string> | undefined;
  #freshUntilMs = Number.NEGATIVE_INFINITY;

  /** `certificates`: those that are shown now. `topicsMax`: so many topics have metrics of their own. */
  constructor(context: ServerContext, certificates: () => TlsCertificates, topicsMax: number) {
    this.#topicsMax = topicsMax;
    this.#certificates = certificates;
    const registers = [this.#registry];
    this.#registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    this.#context = context;
    this.#requests = new Counter({ name: requestsName, help: "total count of http_requests.", registers });
    this.#totals = new Map(
      totalNames.map((name) => [name, new Gauge({ name, help: `total count of ${name}.`, registers })]),
    );
    this.#durations = new CommandDurations(this.#registry);
    const own = new Map<MetricKey, Counter | Gauge>();
    for (const key of metricKeys) {
      const { name, help, type, labels } = ownMetrics[key];
      if (type === "histogram") continue;
      const Kind = type === "counter" ? Counter : Gauge;
      own.set(key, new Kind({ name, help, labelNames: labels, registers }));
    }
    this.#own = own;
  }

  /** One request came in, whatever becomes of it. */
  countRequest(): void {
    this.#requests.inc();
  }

  /**
   * All families. Who asks while an answer is being made gets the same one, and so does who asks within a second of one that
   * was dear to make (there are very many groups): asking may take no token, and many may ask.
   */
  text(): Promise<string> {
    if (this.#running === undefined || performance.now() > this.#freshUntilMs) {
      const startedMs = performance.now();
      this.#freshUntilMs = Number.POSITIVE_INFINITY; // while it is being made
      this.#running = this.#make().finally(() => {
        const nowMs = performance.now();
        this.#freshUntilMs = nowMs - startedMs > dearMs ? nowMs + freshMs : Number.NEGATIVE_INFINITY;
      });
    }
    return this.#running;
  }

  /** Of the first topics, so that no number of topics makes the answer large. */
  #topicSamples(): MetricSample[] {
    const { shard, hidesNames } = this.#context;
    const label = labelWith(hidesNames);
    const samples: MetricSample[] = [];
    for (const stream of shard.state.streams.byId.values()) {
      for (const topic of stream.topics.byId.values()) {
        if (samples.length >= 2 * this.#topicsMax) return samples;
        const labels = { stream: label(stream), topic: label(topic) };
        const { messagesCount, sizeBytes } = topicTotals(shard.counters, stream.id, topic);
        samples.push({ key: "topicMessages", labels, value: messagesCount });
        samples.push({ key: "topicBytes", labels, value: sizeBytes });
      }
    }
    return samples;
  }

  async #make(): Promise<string> {
    const lags = await readGroupLags(this.#context.shard);
    const { shard, hidesNames, systemStats } = this.#context;
    const shards = await shard.allStatistics();
    const held = shards.flatMap((statistics) => statistics.held);
    this.#showTotals();
    this.#durations.show(shards);
    this.#showOwn([
      ...shards.flatMap(({ samples }) => samples),
      ...machineSamples(systemStats()),
      ...certificateSamples(this.#certificates()),
      ...this.#topicSamples(),
      { key: "waitingPolls", labels: {}, value: shard.counters.waits.total },
      { key: "subscriptions", labels: {}, value: shard.counters.subscriptions.total },
      ...lags.map((lag) => lagSample(lag, hidesNames)),
      ...segmentHolders(shard.state, held).map((holder) => holderSample(holder, hidesNames)),
    ]);
    return this.#registry.metrics();
  }

  #showTotals(): void {
    const totals = countTotals(this.#context);
    for (const [name, gauge] of this.#totals) gauge.set(totals[name]);
  }

  #showOwn(samples: readonly MetricSample[]): void {
    for (const metric of this.#own.values()) metric.reset();
    for (const { key, labels, value } of samples) this.#own.get(key)?.inc(labels, value);
  }
}

/** A disk that does not say how large it is has no row, rather than none left. */
function machineSamples({ freeDiskSpaceBytes, totalDiskSpaceBytes, memoryUsageBytes }: SystemStats): MetricSample[] {
  const memory: MetricSample = { key: "processMemory", labels: {}, value: memoryUsageBytes };
  if (totalDiskSpaceBytes === 0) return [memory];
  return [
    memory,
    { key: "diskFree", labels: {}, value: freeDiskSpaceBytes },
    { key: "diskSize", labels: {}, value: totalDiskSpaceBytes },
  ];
}

function certificateSamples(certificates: TlsCertificates): MetricSample[] {
  return Object.entries(certificates).map(([transport, { certPem }]) => ({
    key: "certificateExpiry",
    labels: { transport },
    value: expiryOf(certPem),
  }));
}

/** Where names are none of a reader's business, numbers stand in their places. */
function lagSample({ stream, topic, group, lag }: GroupLag, hidesNames: boolean): MetricSample {
  const label = labelWith(hidesNames);
  const labels = { stream: label(stream), topic: label(topic), group: label(group) };
  return { key: "groupLag", labels, value: lag };
}

function holderSample(holder: SegmentHolderView, hidesNames: boolean): MetricSample {
  const { stream, topic, partitionId, kind, consumerId, consumerName, groupName, segmentsCount } = holder;
  const label = labelWith(hidesNames);
  const consumer = label({ id: consumerId, name: groupName ?? consumerName ?? String(consumerId) });
  const labels = { stream: label(stream), topic: label(topic), partition: String(partitionId), kind, consumer };
  return { key: "heldSegments", labels, value: segmentsCount };
}

function labelWith(hidesNames: boolean): (named: Named) => string {
  return ({ id, name }) => (hidesNames ? String(id) : name);
}

function countTotals({ shard }: ServerContext): Totals {
  const { state, counters } = shard;
  const { segmentsCount, messagesCount, topicsCount, partitionsCount } = allTotals(shard);
  return {
    streams: state.streams.byId.size,
    topics: topicsCount,
    partitions: partitionsCount,
    segments: segmentsCount,
    messages: messagesCount,
    users: state.users.byId.size,
    clients: counters.clients.total,
  };
}
