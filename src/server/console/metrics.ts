// Numbers of the whole broker for who looks at the console: taken once for all viewers, and only while there are some.

import { CommandCode } from "../../protocol/codes.ts";
import type { MetricValues } from "../../protocol/console/health.ts";
import { durationBoundsMs, type ShardStatistics } from "../../shard/index.ts";
import type { ServerContext } from "../context.ts";
import { requireRight } from "../rights.ts";
import type { Session } from "../session.ts";
import type { Channel } from "./tail.ts";

/** Between two samples. */
const stepMs = 5000;
const percentile = 0.99;

/** What is counted up to a moment. */
interface Counts {
  readonly atMs: number;
  /** By class of duration. */
  readonly sends: readonly number[];
  readonly polls: readonly number[];
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

export class MetricsSampler {
  readonly #context: ServerContext;
  readonly #viewers = new Set<(values: MetricValues) => void>();
  #timer: Timer | undefined;
  #before: Counts | undefined;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  /** `show` gets a sample at once, whose rates are not known unless others look already, and then each. What is returned ends it. */
  watch(show: (values: MetricValues) => void, onFailure: (error: unknown) => void): () => void {
    this.#viewers.add(show);
    if (this.#viewers.size === 1) this.#timer = setInterval(() => this.#sample(this.#viewers).catch(onFailure), stepMs);
    this.#sample([show]).catch(onFailure);
    return () => {
      this.#viewers.delete(show);
      if (this.#viewers.size > 0) return;
      clearInterval(this.#timer);
      this.#before = undefined;
    };
  }

  async #sample(viewers: Iterable<(values: MetricValues) => void>): Promise<void> {
    const counts = countsOf(await this.#context.shard.allStatistics());
    const values = this.#valuesOf(counts, this.#before);
    // A newcomer's first sample does not cut the others' in two.
    if (viewers === this.#viewers || this.#before === undefined) this.#before = counts;
    for (const show of viewers) show(values);
  }

  #valuesOf(now: Counts, before: Counts | undefined): MetricValues {
    const { shard, systemStats } = this.#context;
    const system = systemStats();
    const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1000;
    const rate = (count: number) => (seconds <= 0 ? null : Math.max(0, count) / seconds);
    const sends = difference(now.sends, before?.sends);
    const polls = difference(now.polls, before?.polls);
    return {
      sends: rate(sum(sends)),
      polls: rate(sum(polls)),
      receivedBytes: rate(now.receivedBytes - (before?.receivedBytes ?? 0)),
      sentBytes: rate(now.sentBytes - (before?.sentBytes ?? 0)),
      sendP99: before === undefined ? null : slowestMs(sends),
      pollP99: before === undefined ? null : slowestMs(polls),
      clients: shard.counters.clients.total,
      memoryBytes: system.memoryUsageBytes,
      cpuPercent: system.cpuUsagePercent,
      diskFreeBytes: system.freeDiskSpaceBytes,
    };
  }
}

/** The channel of one viewer. */
export class Metrics implements Channel {
  readonly #context: ServerContext;
  readonly #session: Session;
  readonly #stop: () => void;

  /** Errors: 41. */
  constructor(
    context: ServerContext,
    session: Session,
    sampler: MetricsSampler,
    show: (values: MetricValues) => void,
    onFailure: (error: unknown) => void,
  ) {
    this.#context = context;
    this.#session = session;
    this.recheck();
    this.#stop = sampler.watch(show, onFailure);
  }

  credit(): void {}

  drained(): void {}

  recheck(): void {
    requireRight(this.#context.shard, this.#session, "getStats");
  }

  close(): void {
    this.#stop();
  }
}

function countsOf(shards: readonly ShardStatistics[]): Counts {
  const samples = shards.flatMap((statistics) => statistics.samples);
  const total = (key: "receivedBytes" | "sentBytes") =>
    samples.reduce((sum, sample) => (sample.key === key ? sum + sample.value : sum), 0);
  const classes = (code: number) => {
    const counts = new Array<number>(durationBoundsMs.length + 1).fill(0);
    for (const command of shards.flatMap(({ commands }) => commands)) {
      if (command.code !== code) continue;
      for (let index = 0; index < counts.length; index++) counts[index]! += command.counts[index] ?? 0;
    }
    return counts;
  };
  return {
    atMs: performance.now(),
    sends: classes(CommandCode.sendMessages),
    polls: classes(CommandCode.pollMessages),
    receivedBytes: total("receivedBytes"),
    sentBytes: total("sentBytes"),
  };
}

function difference(now: readonly number[], before: readonly number[] | undefined): readonly number[] {
  return now.map((count, index) => count - (before?.[index] ?? 0));
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** Upper bound of the class in which the percentile is, ms; Infinity is no JSON, so the last class has the bound before it. */
function slowestMs(counts: readonly number[]): number | null {
  const wanted = sum(counts) * percentile;
  if (wanted === 0) return null;
  let below = 0;
  for (let index = 0; index < durationBoundsMs.length; index++) {
    below += counts[index]!;
    if (below >= wanted) return durationBoundsMs[index]!;
  }
  return durationBoundsMs.at(-1)!;
}
