// What a shard does from time to time, whether or not anybody asks.
import type { Config } from "../config/schema/index.ts";
import type { Logger } from "../observability/log.ts";
import type { Timers } from "../platform/clock.ts";
import type { Sessions } from "../server/index.ts";
import type { Cleaner, OwnWork, Shard } from "../shard/index.ts";
import { StrangersGarbage } from "./strangers-garbage.ts";

export interface MaintenanceOptions {
  readonly config: Config;
  readonly shard: Shard;
  readonly sessions: Sessions;
  readonly cleaner: Cleaner;
  readonly timers: Timers;
  readonly log: Logger;
}

/** The longest delay of a timer, ms: a longer one would fire at once. */
const timerMsMax = 2 ** 31 - 1;

const loginCheckIntervalMicros = 1_000_000;
const garbageIntervalMicros = 1_000_000;

/** What could not be removed is tried again. */
const removalsIntervalMicros = 60_000_000;

/**
 * Does `work` each interval until what is returned is called, never twice at a time: on a slow disk a tick may take longer than the
 * interval, and the next one finds what is new. What it throws is logged and tried again; out of a timer it would end the
 * shard, and the process with it.
 */
export function repeat(
  timers: Timers,
  intervalMicros: number,
  what: string,
  log: Pick<Logger, "error">,
  work: () => void | Promise<void>,
): () => void {
  let isRunning = false;
  const run = async () => {
    if (isRunning) return;
    isRunning = true;
    try {
      await work();
    } catch (error) {
      log.error(`${what} failed`, { error });
    } finally {
      isRunning = false;
    }
  };
  return timers.every(Math.min(intervalMicros / 1000, timerMsMax), () => void run());
}

/** Starts the periodic work of one shard; the answer stops it. */
export function startMaintenance({ config, shard, sessions, cleaner, timers, log }: MaintenanceOptions): () => void {
  const stops: (() => void)[] = [];
  const every = (intervalMicros: number, what: string, kind: OwnWork, work: () => void | Promise<void>) => {
    const stop = repeat(timers, intervalMicros, what, log, () => {
      shard.pulse.began(kind);
      return work();
    });
    stops.push(stop);
  };

  if (config.messageSaver.enabled) {
    every(config.messageSaver.intervalMicros, "the saver", "the saver", () => shard.save());
  }
  const { messages } = config.dataMaintenance;
  if (messages.cleanerEnabled) {
    every(messages.intervalMicros, "the cleaner of messages", "the cleaner of messages", async () => {
      await cleaner.run();
    });
  }
  if (config.heartbeat.enabled) {
    const { intervalMicros } = config.heartbeat;
    every(intervalMicros, "the check of heartbeats", "other maintenance", () => {
      const count = sessions.dropStale(intervalMicros);
      if (count > 0) log.warn("dropped clients that do not ping", { count });
    });
  }
  const garbage = new StrangersGarbage(shard.statistics);
  every(garbageIntervalMicros, "the collection of garbage", "other maintenance", () => garbage.look());
  const { loginTimeoutMicros } = config.connections;
  if (loginTimeoutMicros > 0) {
    every(loginCheckIntervalMicros, "the check for logins", "other maintenance", () => {
      const count = sessions.closeWithoutLogin(loginTimeoutMicros / 1000);
      if (count === 0) return;
      shard.statistics.add("closedBeforeLogin", count);
      log.warn("closed clients that did not log in within connections.login_timeout", { count });
    });
  }
  if (shard.shardId === 0) {
    every(removalsIntervalMicros, "the removal of what was deleted", "other maintenance", async () => {
      await shard.control({ kind: "finishRemovals" });
    });
    const { rebalancingCheckIntervalMicros, rebalancingTimeoutMicros } = config.consumerGroup;
    every(
      rebalancingCheckIntervalMicros,
      "the check of partitions that wait for their old member",
      "other maintenance",
      async () => {
        const timeoutMicros = rebalancingTimeoutMicros;
        const event = await shard.control({ kind: "timeOutRevocations", timeoutMicros });
        if (event !== undefined) log.warn("partitions were taken from members that did not commit in time");
      },
    );
    const { cleaner } = config.personalAccessToken;
    if (cleaner.enabled) {
      every(cleaner.intervalMicros, "the cleaner of access tokens", "other maintenance", async () => {
        const event = await shard.control({ kind: "expireTokens" });
        if (event?.kind === "tokensExpired") log.info("removed expired access tokens", { count: event.tokens.length });
      });
    }
  }
  return () => {
    for (const stop of stops) stop();
  };
}
