// One run of the broker in this process, from its start to its stop or its death: the shard of the server on the calling thread.

import type { Config } from "../config/schema/index.ts";
import { createLogger } from "../observability/log.ts";
import { ShardProcess } from "../process/shard-process.ts";
import { hashPassword } from "../security/password.ts";
import type { BoundPorts } from "../shard/index.ts";
import { createArena, createLoopMemory, createSharedCounters } from "../shard/index.ts";
import type { Activity } from "../spawn/activity.ts";
import { type DiskFaults, FaultyDisk } from "./disk-faults.ts";
import type { ClockScope, FakeClock } from "./fake-clock.ts";
import { hashQuickly, openLocalLogins } from "./local-logins.ts";
import type { BrokerStorage } from "./storage.ts";

/** As the supervisor's: clients are given so long to take their last replies. */
const quiesceTimeoutMs = 5000;
const filesMax = 256;
const unlimited = Number.POSITIVE_INFINITY;
const anyPorts: BoundPorts = { tcp: 0, websocket: 0, quic: 0, http: 0 };

export interface RunOptions {
  readonly config: Config;
  readonly storage: BrokerStorage;
  readonly clock: FakeClock;
  readonly faults: DiskFaults;
  readonly activity: Activity;
  readonly root: { readonly username: string; readonly password: string };
}

export class Run {
  /** Where the shard listens. */
  readonly ports: BoundPorts;
  readonly #options: RunOptions;
  readonly #disk: FaultyDisk;
  readonly #timers: ClockScope;
  readonly #shard: ShardProcess;
  readonly #output: Output;

  private constructor(
    options: RunOptions,
    parts: { readonly disk: FaultyDisk; readonly timers: ClockScope; readonly output: Output },
    shard: ShardProcess,
    ports: BoundPorts,
  ) {
    this.#options = options;
    this.#disk = parts.disk;
    this.#timers = parts.timers;
    this.#output = parts.output;
    this.#shard = shard;
    this.ports = ports;
  }

  /** Rejects with what keeps the broker from its data; nothing is left of the start then. */
  static async start(options: RunOptions): Promise<Run> {
    const { config, storage, clock, faults, activity, root } = options;
    const timers = clock.scope();
    const output = new Output();
    const disk = new FaultyDisk({ disk: await storage.open(config), faults, timers, activity });
    const hash = storage.isKept ? hashPassword : hashQuickly;
    const host = {
      disk,
      clock,
      elapsed: clock,
      timers,
      // The process is the test's, and so are its descriptors.
      descriptors: { filesPerShard: filesMax, clients: unlimited, http: unlimited, handshakesPerShard: unlimited },
      loginPort: openLocalLogins(hash, clock, timers),
      hashPassword: hash,
      spans: undefined,
    };
    const start = {
      shardId: 0,
      shardCount: 1,
      config,
      settingOrigins: {},
      logFilter: config.system.logging.level,
      logFile: undefined,
      startTimeMicros: clock.nowMicros(),
      follower: false,
      counters: createSharedCounters(),
      loops: createLoopMemory(1),
      memories: [createArena()],
      ports: [undefined],
      root,
      tls: {},
      state: undefined,
    };
    let shard: ShardProcess | undefined;
    try {
      const log = createLogger({ filter: start.logFilter, ...output, now: () => new Date(clock.nowMicros() / 1000) });
      ({ shard } = await ShardProcess.open(start, host, log));
      return new Run(options, { disk, timers, output }, shard, await shard.listen(anyPorts));
    } catch (error) {
      output.end();
      disk.end();
      timers.end();
      await shard?.abandon();
      storage.close();
      throw error;
    }
  }

  /** Clients reach it at these ports. */
  reachableAt(ports: BoundPorts): void {
    this.#shard.bound(ports);
    this.#shard.startSysinfo();
  }

  /** Finishes what is under way, flushes, syncs and closes. */
  async stop(): Promise<void> {
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, quiesceTimeoutMs);
    });
    await Promise.race([this.#shard.quiesce(), late]);
    clearTimeout(timer);
    try {
      await this.#shard.close();
    } finally {
      this.#end();
      this.#options.storage.close();
    }
  }

  /** As kill -9: nothing that is under way is finished, and nothing of it changes anything any more. */
  async kill(): Promise<void> {
    this.#end();
    await this.#shard.abandon();
    this.#options.storage.killed(this.#options.faults.losesUnsynced);
  }

  #end(): void {
    this.#output.end();
    this.#disk.end();
    this.#timers.end();
  }
}

/** The lines of a run, on standard error; of one that is over nobody wants to hear. */
class Output {
  #hasEnded = false;

  readonly write = (line: string): void => {
    if (!this.#hasEnded) process.stderr.write(`${line}\n`);
  };

  end(): void {
    this.#hasEnded = true;
  }
}
