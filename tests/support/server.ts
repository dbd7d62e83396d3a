// The real server as a child process, for tests that need what only a process has: signals, exit codes, kill -9, its own
// memory and descriptors. Every wait is bounded and fails with the server's log; nothing of the environment or of the
// working directory (IGGY_*, config.toml, .env) reaches the server.
import { afterAll } from "bun:test";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse } from "toml";
import type { Client } from "../../src/client/index.ts";
import { type ClientOptions, connectClient } from "./client.ts";
import { eventually } from "./process-facts.ts";

const mainPath = resolve(import.meta.dir, "../../src/process/main.ts");
/** These limits are for what never happens: a busy machine takes its time. */
const startTimeoutMs = 60_000;
/** The server itself gives its shards 35 seconds. */
const stopTimeoutMs = 60_000;
const pollMs = 5;
/** The end of a longer log is kept. */
const logCharsMax = 1_000_000;

const transports = ["tcp", "websocket", "quic", "http"] as const;
export type Transport = (typeof transports)[number];

export interface ServerOptions {
  /** Number of shards; 1 if not given. */
  readonly shards?: number;
  /** Added to the environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A data directory that the server starts with a copy of. */
  readonly dataFrom?: string;
  /** Command line after the program. */
  readonly arguments?: readonly string[];
  /** A single-file executable; `src/process/main.ts` if not given. */
  readonly program?: string;
  /** Put before the program, which it is to become, as `sh -c 'ulimit -n 500; exec "$@"' sh` does. */
  readonly launcher?: readonly string[];
}

/** How a process ended. */
export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const running = new Set<Bun.Subprocess>();
// The last resort, for a test process that ends without its afterAll.
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

function environmentOf(directory: string, options: ServerOptions): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("IGGY_") && name !== "RUST_LOG");
  return {
    ...Object.fromEntries(inherited),
    IGGY_CONFIG_PATH: "/dev/null",
    IGGY_DISPLAY_CONFIG: "false",
    IGGY_SYSTEM_PATH: join(directory, "data"),
    IGGY_SYSTEM_SHARDING_CPU_ALLOCATION: String(options.shards ?? 1),
    IGGY_TCP_ADDRESS: "127.0.0.1:0",
    IGGY_WEBSOCKET_ADDRESS: "127.0.0.1:0",
    IGGY_HTTP_ADDRESS: "127.0.0.1:0",
    // A sidecar for each test server would take longer than the test; tests of QUIC turn it on.
    IGGY_QUIC_ENABLED: "false",
    IGGY_QUIC_ADDRESS: "127.0.0.1:0",
    IGGY_ROOT_USERNAME: "iggy",
    IGGY_ROOT_PASSWORD: "iggy",
    ...options.env,
  };
}

/** One process of the server with everything that it wrote. */
class ServerProcess {
  readonly child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  stdout = "";
  stderr = "";
  readonly #drained: Promise<unknown>;

  constructor(directory: string, options: ServerOptions) {
    const command = options.program === undefined ? [process.execPath, mainPath] : [options.program];
    const child = Bun.spawn([...(options.launcher ?? []), ...command, ...(options.arguments ?? [])], {
      // Away from the repository, whose config.toml and .env would be found.
      cwd: directory,
      env: environmentOf(directory, options),
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.child = child;
    running.add(child);
    this.#drained = Promise.all([
      drain(child.stdout, (text) => {
        this.stdout = (this.stdout + text).slice(-logCharsMax);
      }),
      drain(child.stderr, (text) => {
        this.stderr = (this.stderr + text).slice(-logCharsMax);
      }),
    ]);
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  get log(): string {
    return `${this.stdout}${this.stderr}`;
  }

  /** Waits for the end of the process and of its output; kills it and throws after `timeoutMs`. */
  async ended(what: string, timeoutMs: number): Promise<Ended> {
    const inTime = await Promise.race([this.child.exited.then(() => true), Bun.sleep(timeoutMs).then(() => false)]);
    if (!inTime) {
      await this.kill();
      throw new Error(`the server did not ${what} within ${timeoutMs} ms; it is killed. Its log:\n${this.log}`);
    }
    running.delete(this.child);
    await this.#drained;
    return { exitCode: this.child.exitCode, stdout: this.stdout, stderr: this.stderr };
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.child.exited;
    running.delete(this.child);
    await this.#drained;
  }
}

async function drain(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
}

export class TestServer {
  /** Working directory of the server; holds `data`. */
  readonly directory: string;
  #options: ServerOptions;
  #process: ServerProcess;
  #ports: ReadonlyMap<Transport, number> = new Map();

  private constructor(directory: string, options: ServerOptions) {
    this.directory = directory;
    this.#options = options;
    this.#process = new ServerProcess(directory, options);
  }

  /** Starts a server below `directory` and waits until it listens. Tests use `useServers`, which cleans up. */
  static async start(directory: string, options: ServerOptions): Promise<TestServer> {
    // A file of an earlier run would tell an old port.
    rmSync(join(directory, "data/runtime/current_config.toml"), { force: true });
    if (options.dataFrom !== undefined) cpSync(options.dataFrom, join(directory, "data"), { recursive: true });
    const server = new TestServer(directory, options);
    await server.#listening();
    return server;
  }

  get host(): string {
    return "127.0.0.1";
  }

  /** Of TCP. */
  get port(): number {
    return this.portOf("tcp");
  }

  /** Throws for a transport that is off. */
  portOf(transport: Transport): number {
    const port = this.#ports.get(transport);
    if (port === undefined) throw new Error(`the server does not listen for ${transport}`);
    return port;
  }

  get pid(): number {
    return this.#process.child.pid;
  }

  /** `system.path`. */
  get dataPath(): string {
    return join(this.directory, "data");
  }

  get currentConfigPath(): string {
    return join(this.dataPath, "runtime/current_config.toml");
  }

  /** What the current process wrote to stdout and stderr so far. */
  get log(): string {
    return this.#process.log;
  }

  get stdout(): string {
    return this.#process.stdout;
  }

  get hasEnded(): boolean {
    return this.#process.hasEnded;
  }

  /**
   * Waits until the log of the current process has `part`, `count` times: what a server writes comes through a pipe, later than
   * the answer to the client that caused it. Returns the whole log.
   */
  logged(part: string | RegExp, count = 1): Promise<string> {
    const every = typeof part === "string" ? part : new RegExp(part, `${part.flags.replace("g", "")}g`);
    const isThere = (log: string) =>
      (typeof every === "string" ? log.split(every).length - 1 : (log.match(every) ?? []).length) >= count;
    return eventually(`${part} in the log`, () => this.log, isThere);
  }

  /** A client that is logged in as root. The caller closes it. */
  connect(options: Partial<ClientOptions> = {}): Promise<Client> {
    const root = { username: "iggy", password: "iggy" };
    return connectClient({ host: this.host, port: this.port, reconnect: false, ...root, ...options });
  }

  /** SIGTERM, then waits for the end. Throws unless the process ends with `exitCode` (0). */
  async stop({ exitCode = 0 }: { exitCode?: number } = {}): Promise<Ended> {
    this.#process.child.kill("SIGTERM");
    const ended = await this.#process.ended("stop", stopTimeoutMs);
    if (ended.exitCode !== exitCode) {
      throw new Error(`the server ended with ${ended.exitCode} instead of ${exitCode}. Its log:\n${this.log}`);
    }
    return ended;
  }

  /** SIGKILL: nothing is flushed. */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  /**
   * Starts again on the same data, with the given options in place of the earlier ones; first stops the server in good
   * order if it still runs. The port is another one.
   */
  async restart(options: ServerOptions = {}): Promise<void> {
    if (!this.hasEnded) await this.stop();
    this.#options = { ...this.#options, ...options, env: { ...this.#options.env, ...options.env } };
    rmSync(this.currentConfigPath, { force: true });
    this.#process = new ServerProcess(this.directory, this.#options);
    await this.#listening();
  }

  async #listening(): Promise<void> {
    const deadlineMs = performance.now() + startTimeoutMs;
    // The file, which has the ports, is not there on a full disk.
    while (!existsSync(this.currentConfigPath) && !this.log.includes("whippet is running")) {
      if (this.hasEnded) {
        const { exitCode } = await this.#process.ended("end", stopTimeoutMs);
        throw new Error(`the server did not start: it ended with ${exitCode}. Its log:\n${this.log}`);
      }
      if (performance.now() > deadlineMs) {
        await this.kill();
        throw new Error(`the server did not listen within ${startTimeoutMs} ms. Its log:\n${this.log}`);
      }
      await Bun.sleep(pollMs);
    }
    this.#ports = existsSync(this.currentConfigPath) ? readPorts(this.currentConfigPath) : portsOf(this.log);
  }
}

/** The ports of the transports that are on. */
function readPorts(path: string): ReadonlyMap<Transport, number> {
  const config = new Map<string, unknown>(Object.entries(parse(readFileSync(path, "utf8"))));
  const ports = new Map<Transport, number>();
  for (const transport of transports) {
    const section = config.get(transport);
    if (typeof section !== "object" || section === null || !("address" in section)) continue;
    if ("enabled" in section && section.enabled === false) continue;
    const port = Number(/:(\d+)$/.exec(String(section.address))?.[1]);
    if (port > 0) ports.set(transport, port);
  }
  return ports;
}

/** The same from the lines of the log. */
function portsOf(log: string): ReadonlyMap<Transport, number> {
  const ports = new Map<Transport, number>();
  for (const transport of transports) {
    const port = new RegExp(`started ${transport} address=\\S+:(\\d+)`).exec(log)?.[1];
    if (port !== undefined) ports.set(transport, Number(port));
  }
  return ports;
}

export interface TestServers {
  /** Starts a server with an empty data directory of its own. */
  start(options?: ServerOptions): Promise<TestServer>;
  /** Runs the server until it ends by itself, in `directory` (a new one if not given); throws after a minute. */
  run(options?: ServerOptions, directory?: string): Promise<Ended>;
  /** A directory that is deleted at the end. */
  makeDirectory(): string;
}

/** Call it at the top of a test file: what it starts and makes is gone after the file's last test. */
export function useServers(): TestServers {
  const directories: string[] = [];
  const servers: TestServer[] = [];
  const makeDirectory = (): string => {
    const directory = mkdtempSync(join(tmpdir(), "whippet-test-"));
    directories.push(directory);
    return directory;
  };
  afterAll(async () => {
    await Promise.all(servers.filter((server) => !server.hasEnded).map((server) => server.kill()));
    for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  });
  return {
    makeDirectory,
    async start(options = {}) {
      const server = await TestServer.start(makeDirectory(), options);
      servers.push(server);
      return server;
    },
    run: (options = {}, directory = makeDirectory()) =>
      new ServerProcess(directory, options).ended("end by itself", stopTimeoutMs),
  };
}
