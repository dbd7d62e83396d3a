// A broker for tests as a process of its own: the executable, or the sources under Bun. Its clock and its disk are those of the
// machine; the network between it and its clients is in the hands of the test.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Connect } from "../client/index.node.ts";
import { systemTimers } from "../platform/clock.ts";
import type { Broker, BrokerOptions, BrokerTransport } from "./broker.ts";
import { BrokerBase, defaultTransports, root } from "./broker-base.ts";
import { Network } from "./network.ts";
import { findProgram, type Program } from "./program.ts";
import { ServerProcess } from "./server-process.ts";

export type SpawnOptions = BrokerOptions & {
  /** Path of the executable; without it the sources of this package are run under Bun. */
  readonly executable?: string;
};

/** Rejects, with the end of the broker's log, where it does not start. */
export type SpawnBroker = (options?: SpawnOptions) => Promise<Broker>;

/** `spawnBroker` with the client of a runtime. */
export function spawnBrokerWith(connect: Connect): SpawnBroker {
  return async (options = {}) => {
    const broker = new SpawnedBroker(connect, await findProgram(options.executable), options);
    try {
      await broker.restart();
      return broker;
    } catch (error) {
      await broker[Symbol.asyncDispose]();
      throw error;
    }
  };
}

class SpawnedBroker extends BrokerBase {
  readonly #program: Program;
  readonly #options: SpawnOptions;
  readonly #transports: readonly BrokerTransport[];
  readonly #path: string;
  readonly #isKept: boolean;
  #server: ServerProcess | undefined;

  constructor(connect: Connect, program: Program, options: SpawnOptions) {
    const { storage = "memory", transports = defaultTransports } = options;
    super(new Network(transports, systemTimers, false), transports, connect, {});
    this.#program = program;
    this.#options = options;
    this.#transports = transports;
    this.#isKept = typeof storage === "object";
    this.#path = typeof storage === "object" ? resolve(storage.directory) : mkdtempSync(join(tmpdir(), "whippet-"));
  }

  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.network.down();
    await server?.kill();
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.stop();
    this.network.down();
  }

  protected async start(): Promise<void> {
    mkdirSync(this.#path, { recursive: true });
    const { config = {} } = this.#options;
    const { server, ports } = await ServerProcess.start({
      program: this.#program,
      path: this.#path,
      transports: this.#transports,
      config,
      root,
    });
    this.#server = server;
    await this.network.up(ports);
  }

  protected async dispose(): Promise<void> {
    await this.clients.close();
    await (this.#isKept ? this.stop() : this.kill());
    if (!this.#isKept) rmSync(this.#path, { recursive: true, force: true });
  }
}
