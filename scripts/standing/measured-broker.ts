// A broker as a process of its own whose start is timed: to the line that says that it runs, by the clock of the one who started it.
// Nothing of the environment or of the working directory reaches it.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "toml";
import type { Client } from "../../src/client/index.ts";
import { connectClient } from "../../tests/support/client.ts";
import { linesOf } from "../../tests/transport/lines.ts";

const sourcePath = resolve(import.meta.dir, "../../src/process/main.ts");
const readyText = "Iggy server is running";
const rootPassword = "iggy";

export interface MeasuredBrokerOptions {
  /** Working directory, made if missing; it holds `data`, `home` and nothing else. */
  readonly directory: string;
  /** A single-file executable; the source when absent. */
  readonly program?: string | undefined;
  /** `system.sharding.cpu_allocation` */
  readonly shards: number;
  /** Whether QUIC, which has a process of its own, is on. */
  readonly withQuic: boolean;
  /** More of the configuration, by the names of the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export class MeasuredBroker {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "inherit">;
  readonly #configPath: string;
  /** From the start of the process to the line that says that it runs, ms. */
  readonly readyMs: number;

  private constructor(child: Bun.Subprocess<"ignore", "pipe", "inherit">, configPath: string, readyMs: number) {
    this.#child = child;
    this.#configPath = configPath;
    this.readyMs = readyMs;
  }

  /** Resolves when the broker runs. Throws with its log where it ends before. */
  static async start(options: MeasuredBrokerOptions): Promise<MeasuredBroker> {
    const { directory, program, shards, withQuic, env } = options;
    const configPath = join(directory, "data/runtime/current_config.toml");
    mkdirSync(directory, { recursive: true });
    rmSync(configPath, { force: true });
    const startedAtMs = performance.now();
    const child = Bun.spawn(program === undefined ? [process.execPath, "--no-env-file", sourcePath] : [program], {
      cwd: directory,
      env: {
        PATH: process.env.PATH,
        // The executable unpacks the QUIC engine below it.
        HOME: join(directory, "home"),
        IGGY_CONFIG_PATH: "/dev/null",
        IGGY_SYSTEM_PATH: join(directory, "data"),
        IGGY_SYSTEM_SHARDING_CPU_ALLOCATION: String(shards),
        IGGY_ROOT_USERNAME: "iggy",
        IGGY_ROOT_PASSWORD: rootPassword,
        IGGY_TCP_ADDRESS: "127.0.0.1:0",
        IGGY_WEBSOCKET_ADDRESS: "127.0.0.1:0",
        IGGY_HTTP_ADDRESS: "127.0.0.1:0",
        IGGY_QUIC_ADDRESS: "127.0.0.1:0",
        IGGY_QUIC_ENABLED: String(withQuic),
        ...env,
      },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    process.once("exit", () => child.kill("SIGKILL"));
    const log: string[] = [];
    const ready = Promise.withResolvers<number>();
    void (async () => {
      for await (const line of linesOf(child.stdout)) {
        if (line.includes(readyText)) ready.resolve(performance.now() - startedAtMs);
        if (log.length < 1000) log.push(line);
      }
      ready.reject(new Error(`the broker ended before it ran. Its log:\n${log.join("\n")}`));
    })();
    return new MeasuredBroker(child, configPath, await ready.promise);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** A client that is logged in as root. The caller closes it. */
  connect(): Promise<Client> {
    const options = { host: "127.0.0.1", port: this.#port, reconnect: false } as const;
    return connectClient({ ...options, username: "iggy", password: rootPassword });
  }

  /** For who connects in another process, as root. */
  get url(): string {
    return `iggy://iggy:${rootPassword}@127.0.0.1:${this.#port}`;
  }

  get #port(): number {
    if (!existsSync(this.#configPath)) throw new Error(`there is no ${this.#configPath}`);
    const config: Record<string, { readonly address?: string } | undefined> = Object.fromEntries(
      Object.entries(parse(readFileSync(this.#configPath, "utf8"))),
    );
    return Number(/:(\d+)$/.exec(config.tcp?.address ?? "")?.[1]);
  }

  /** SIGKILL: nothing is flushed. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}
