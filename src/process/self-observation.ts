// What the broker measures of itself for its console, on shard 0: a sampler, and the history that it fills and that outlives a
// restart. Without a console nothing is kept.
import { join } from "node:path";
import { History } from "../observability/history.ts";
import type { Logger } from "../observability/log.ts";
import { createSystemStatsReader } from "../observability/system-stats.ts";
import { historyColumns, Sampler } from "../server/index.ts";
import type { Shard, ShardSetup } from "../shard/index.ts";
import { HistoryKeeper } from "./history-keeper.ts";
import type { ShardHost } from "./shard-host.ts";

export class SelfObservation {
  readonly sampler: Sampler;
  readonly #keeper: HistoryKeeper | undefined;
  #starting: Promise<void> | undefined;

  constructor(
    { config, shardId, shardCount }: ShardSetup,
    { disk, clock, elapsed, timers }: ShardHost,
    shard: Shard,
    log: Logger,
  ) {
    const { enabled, memoryBytes, persist } = config.observability.history;
    const isKept = enabled && shardId === 0 && config.http.enabled && config.http.webUi;
    const history = isKept ? new History(historyColumns(shardCount), memoryBytes) : undefined;
    this.sampler = new Sampler({
      shard,
      shardCount,
      clock,
      elapsed,
      timers,
      systemStats: createSystemStatsReader(config.system.path),
      history,
      onFailure: (error) => log.error("the numbers of the broker could not be taken", { error }),
    });
    if (history === undefined || !persist) return;
    const path = join(config.system.path, "console", "history");
    this.#keeper = new HistoryKeeper({ history, disk, path, timers, log });
  }

  /** Once the broker serves clients. */
  start(): void {
    this.#starting ??= this.#start();
  }

  /** Takes no more samples. */
  rest(): void {
    this.sampler.stop();
  }

  /** Writes what is known. */
  async stop(): Promise<void> {
    await this.#starting;
    this.sampler.stop();
    if (this.#starting !== undefined) await this.#keeper?.stop();
  }

  /** Writes nothing any more. */
  abandon(): void {
    this.sampler.stop();
    this.#keeper?.abandon();
  }

  async #start(): Promise<void> {
    await this.#keeper?.start();
    this.sampler.start();
  }
}
