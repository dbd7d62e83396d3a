// A broker inside a test: the engine of the server on the calling thread, with time, disk and network in the hands of the test.

import { connect, transports as ownTransports, type Transport } from "../client/index.bun.ts";
import type { Config } from "../config/schema/index.ts";
import { systemClock } from "../platform/clock.ts";
import type { Activity } from "../spawn/activity.ts";
import type { BrokerTransport, InProcessBroker, StartBroker } from "../spawn/broker.ts";
import { BrokerBase, defaultTransports, root } from "../spawn/broker-base.ts";
import { Network } from "../spawn/network.ts";
import { DiskFaults } from "./disk-faults.ts";
import { type ClockScope, clientClockOf, FakeClock } from "./fake-clock.ts";
import { Run } from "./run.ts";
import { settingsOf } from "./settings.ts";
import { type BrokerStorage, storageOf } from "./storage.ts";

/** More than the longest time that closing something may take. */
const closeTimeMs = 15_000;

/** Starts a broker. */
export const startBroker: StartBroker = async (options = {}) => {
  const transports = options.transports ?? defaultTransports;
  const storage = storageOf(options.storage ?? "memory");
  try {
    const broker = new EmbeddedBroker(storage, transports, settingsOf(storage.path, transports, options.config ?? {}));
    await broker.restart();
    return broker;
  } catch (error) {
    storage.remove();
    throw error;
  }
};

class EmbeddedBroker extends BrokerBase implements InProcessBroker {
  readonly clock: FakeClock;
  readonly disk: InProcessBroker["disk"];
  readonly #storage: BrokerStorage;
  readonly #config: Config;
  readonly #faults = new DiskFaults();
  /** Of clients and the network. */
  readonly #timers: ClockScope;
  #run: Run | undefined;

  constructor(storage: BrokerStorage, transports: readonly BrokerTransport[], config: Config) {
    const clock: FakeClock = new FakeClock(systemClock.nowMicros(), () => network.activity.calm());
    const timers = clock.scope();
    const network: Network = new Network(transports, timers);
    super(network, transports, connect, {
      clock: clientClockOf(clock, timers),
      transports: watchedTransports(network.activity),
    });
    this.#storage = storage;
    this.#config = config;
    this.clock = clock;
    this.#timers = timers;
    const faults = this.#faults;
    this.disk = {
      failWrites: (code, after) => faults.failWrites(code, after),
      failSyncs: () => faults.failSyncs(),
      slow: (ms) => faults.slow(ms),
      loseUnsynced: () => {
        if (!storage.canLose) throw new TypeError('only a disk in memory loses what was not synced: storage: "memory"');
        faults.loseUnsynced();
      },
      heal: () => faults.heal(),
    };
  }

  async kill(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    this.network.down();
    await run?.kill();
  }

  async stop(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    try {
      await run?.stop();
    } finally {
      this.network.down();
    }
  }

  protected async start(): Promise<void> {
    const run = await Run.start({
      config: this.#config,
      storage: this.#storage,
      clock: this.clock,
      faults: this.#faults,
      activity: this.network.activity,
      root,
    });
    this.#run = run;
    await this.network.up(run.ports);
    const portOf = (transport: BrokerTransport) => this.network.portOf(transport);
    run.reachableAt({ tcp: portOf("tcp"), websocket: portOf("websocket"), http: portOf("http"), quic: 0 });
  }

  protected async dispose(): Promise<void> {
    const closing = this.clients.close();
    // Where nobody keeps the data there is nothing to flush.
    await (this.#storage.isKept ? this.stop() : this.kill());
    // What a client still waits for comes to an end only if time goes on.
    await this.clock.advance(closeTimeMs);
    await closing;
    this.#timers.end();
    this.#storage.remove();
  }
}

/** Those of the runtime, with the connections that are being opened known to who waits for calm. */
function watchedTransports(activity: Activity): Transport[] {
  return ownTransports.map(({ name, schemes, open }) => ({
    name,
    schemes,
    open: async (address) => {
      const end = activity.begin();
      try {
        return await open(address);
      } finally {
        end();
      }
    },
  }));
}
