// A broker inside a test: the engine of the server on the calling thread, with time, disk and network in the hands of the test.

import {
  type Client,
  type ConnectOptions,
  connect,
  transports as ownTransports,
  type Topic,
  type Transport,
} from "../client/index.bun.ts";
import type { Config } from "../config/schema/index.ts";
import { systemClock } from "../platform/clock.ts";
import type { Activity } from "../spawn/activity.ts";
import type { BrokerNetwork, BrokerTransport, InProcessBroker, StartBroker } from "../spawn/broker.ts";
import { BrokerClients } from "../spawn/broker-clients.ts";
import { Network } from "../spawn/network.ts";
import { urlOf } from "../spawn/urls.ts";
import { DiskFaults } from "./disk-faults.ts";
import { type ClockScope, clientClockOf, FakeClock } from "./fake-clock.ts";
import { Run } from "./run.ts";
import { settingsOf } from "./settings.ts";
import { type BrokerStorage, storageOf } from "./storage.ts";

const root = { username: "iggy", password: "iggy" } as const;
/** More than the longest time that closing something may take. */
const closeTimeMs = 15_000;
const defaultTransports: readonly BrokerTransport[] = ["tcp", "websocket"];

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

class EmbeddedBroker implements InProcessBroker {
  readonly clock: FakeClock;
  readonly disk: InProcessBroker["disk"];
  readonly #network: Network;
  readonly #storage: BrokerStorage;
  readonly #config: Config;
  readonly #faults = new DiskFaults();
  readonly #clients: BrokerClients;
  /** Of clients and the network. */
  readonly #timers: ClockScope;
  #run: Run | undefined;
  #disposing: Promise<void> | undefined;

  constructor(storage: BrokerStorage, transports: readonly BrokerTransport[], config: Config) {
    this.#storage = storage;
    this.#config = config;
    this.clock = new FakeClock(systemClock.nowMicros(), () => this.#network.activity.calm());
    this.#timers = this.clock.scope();
    this.#network = new Network(transports, this.#timers);
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
    this.#clients = new BrokerClients({
      connect,
      url: () => this.url(transports.find((transport) => transport !== "http")),
      defaults: {
        clock: clientClockOf(this.clock, this.#timers),
        transports: watchedTransports(this.#network.activity),
      },
    });
  }

  get network(): BrokerNetwork {
    return this.#network;
  }

  url(transport: BrokerTransport = "tcp"): string {
    return urlOf(transport, this.#network.portOf(transport), root);
  }

  client(options?: ConnectOptions): Promise<Client> {
    return this.#clients.client(options);
  }

  freshTopic({
    partitionsCount = 1,
  }: {
    readonly partitionsCount?: number;
  } = {}): Promise<Topic<Uint8Array, Uint8Array>> {
    return this.#clients.freshTopic(partitionsCount);
  }

  async kill(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    this.#network.down();
    await run?.kill();
  }

  async stop(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    try {
      await run?.stop();
    } finally {
      this.#network.down();
    }
  }

  async restart(): Promise<void> {
    if (this.#disposing !== undefined) throw new TypeError("the broker is over");
    await this.stop();
    const run = await Run.start({
      config: this.#config,
      storage: this.#storage,
      clock: this.clock,
      faults: this.#faults,
      activity: this.#network.activity,
      root,
    });
    this.#run = run;
    await this.#network.up(run.ports);
    const portOf = (transport: BrokerTransport) => this.#network.portOf(transport);
    run.reachableAt({ tcp: portOf("tcp"), websocket: portOf("websocket"), http: portOf("http"), quic: 0 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposing ??= this.#dispose();
    return this.#disposing;
  }

  async #dispose(): Promise<void> {
    const closing = this.#clients.close();
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
