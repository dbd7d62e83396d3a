// One process of the broker, from its start to its end.

import { ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import type { BrokerOptions, BrokerTransport } from "./broker.ts";
import type { Program } from "./program.ts";

type Ports = Readonly<Record<BrokerTransport, number>>;

export interface ServerProcessOptions {
  readonly program: Program;
  /** Data directory. */
  readonly path: string;
  readonly transports: readonly BrokerTransport[];
  readonly config: NonNullable<BrokerOptions["config"]>;
  readonly root: { readonly username: string; readonly password: string };
}

/** Limits for what never happens: a busy machine takes its time. */
const startTimeoutMs = 60_000;
const stopTimeoutMs = 60_000;
/** The end of a longer log is kept, for when the start fails. */
const logCharsMax = 64 * 1024;
const allTransports: readonly BrokerTransport[] = ["tcp", "websocket", "http"];

/** The last resort, for a program that ends without its broker. */
const running = new Set<ChildProcess>();
function killAll(): void {
  for (const child of running) child.kill("SIGKILL");
}

export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #showsLog: boolean;
  #log = "";

  private constructor(options: ServerProcessOptions) {
    const { program, path } = options;
    this.#showsLog = options.config["system.logging.level"] !== undefined;
    this.#child = spawn(program.path, [...program.arguments], {
      cwd: path,
      env: environmentOf(options),
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (running.size === 0) process.on("exit", killAll);
    running.add(this.#child);
    this.#ended = new Promise<void>((resolve) => {
      this.#child.once("close", () => resolve());
      this.#child.once("error", (error) => {
        this.#log += `${error.message}\n`;
        resolve();
      });
    }).then(() => {
      running.delete(this.#child);
      if (running.size === 0) process.off("exit", killAll);
    });
  }

  /** Resolves with the ports at which it listens. Rejects, with the end of its log, if it does not. */
  static async start(
    options: ServerProcessOptions,
  ): Promise<{ readonly server: ServerProcess; readonly ports: Ports }> {
    const server = new ServerProcess(options);
    try {
      const ports = await server.#listening(options.transports);
      server.#holdProgram(false);
      return { server, ports };
    } catch (error) {
      await server.kill();
      throw error;
    }
  }

  #listening(transports: readonly BrokerTransport[]): Promise<Ports> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        clearTimeout(timer);
        reject(new Error(`the broker ${why}; its log ends with:\n${this.#log}`));
      };
      const timer = setTimeout(() => fail(`did not start within ${startTimeoutMs} ms`), startTimeoutMs);
      let hasStarted = false;
      const take = (text: string) => {
        if (this.#showsLog) process.stderr.write(text);
        if (hasStarted) return;
        this.#log = (this.#log + text).slice(-logCharsMax);
        const unknown = /unknown environment variable.*/.exec(this.#log);
        if (unknown !== null) return fail(`does not know a key of \`config\` (${unknown[0]})`);
        if (!this.#log.includes("whippet is running")) return;
        hasStarted = true;
        clearTimeout(timer);
        resolve(portsIn(this.#log, transports));
      };
      for (const stream of [this.#child.stdout, this.#child.stderr]) {
        stream?.setEncoding("utf8");
        stream?.on("data", take);
      }
      void this.#ended.then(() => fail("has ended"));
    });
  }

  /** Whether this process goes on for as long as the broker's; it does while somebody waits for its start or its end. */
  #holdProgram(isHeld: boolean): void {
    for (const held of [this.#child, this.#child.stdout, this.#child.stderr]) {
      // Pipes of a child are sockets, which their type does not say.
      if (held instanceof ChildProcess || held instanceof Socket) held[isHeld ? "ref" : "unref"]();
    }
  }

  /** As SIGTERM, and as SIGKILL where that does not end it. */
  async stop(): Promise<void> {
    this.#holdProgram(true);
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), stopTimeoutMs);
    await this.#ended;
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    this.#holdProgram(true);
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

/** Of the lines "started tcp address=127.0.0.1:8090". */
function portsIn(log: string, transports: readonly BrokerTransport[]): Ports {
  const ports = { tcp: 0, websocket: 0, http: 0 };
  for (const transport of transports) {
    const port = new RegExp(`started ${transport} address=\\S+:(\\d+)`).exec(log)?.[1];
    if (port === undefined) throw new Error(`the broker does not say where it listens for ${transport}:\n${log}`);
    ports[transport] = Number(port);
  }
  return ports;
}

/** Nothing of the environment or of files near the test reaches the broker. */
function environmentOf({ path, transports, config, root }: ServerProcessOptions): Record<string, string | undefined> {
  const level = config["system.logging.level"] ?? "off";
  const keys = { "system.sharding.cpu_allocation": "1", ...config, "system.logging.file_enabled": false };
  const environment: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(process.env)) if (!name.startsWith("IGGY_")) environment[name] = value;
  for (const [key, value] of Object.entries(keys)) environment[variableOf(key)] = String(value);
  for (const transport of allTransports) {
    environment[variableOf(`${transport}.enabled`)] = String(transports.includes(transport));
    environment[variableOf(`${transport}.address`)] = "127.0.0.1:0";
  }
  return {
    ...environment,
    // Where it listens is told by the main thread, whose lines are always wanted.
    RUST_LOG: `${level},server=info`,
    IGGY_CONFIG_PATH: "/dev/null",
    IGGY_ENV_PATH: "/dev/null",
    IGGY_DISPLAY_CONFIG: "false",
    IGGY_QUIC_ENABLED: "false",
    IGGY_SYSTEM_PATH: path,
    IGGY_ROOT_USERNAME: root.username,
    IGGY_ROOT_PASSWORD: root.password,
  };
}

/** The environment variable of a key (spec SB 1.2). */
function variableOf(key: string): string {
  return `IGGY_${key.toUpperCase().replaceAll(".", "_")}`;
}
