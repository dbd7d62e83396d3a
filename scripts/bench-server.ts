// A server of the bench's own: on free ports, with an empty data directory that is gone afterwards.

import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse } from "toml";
import { remember } from "./children.ts";
import { cpuSecondsOf } from "./standing/process-tree.ts";

const ownRoot = resolve(import.meta.dir, "..");
const startTimeoutMs = 30_000;
const stopTimeoutMs = 40_000;
const pollMs = 20;

const serverSections = ["tcp", "websocket", "quic", "http"] as const;
export type ServerSection = (typeof serverSections)[number];

export type BenchServer = {
  /** Certificate that its encrypted transports show, PEM. It names `localhost`. */
  readonly caFile: string;
  readonly pid: number;
  /** Throws for a transport that does not run. */
  portOf(section: ServerSection): number;
  /** CPU time of the server so far, of all its threads; Linux only. */
  cpuSeconds(): number;
  stop(): Promise<void>;
};

export type BenchServerOptions = {
  /** Checkout whose server runs, with its own `node_modules`; this one when absent. */
  readonly root?: string;
  /** Executable that runs instead: of Whippet, or of the original, which takes the same variables and writes the same file. */
  readonly program?: string;
  readonly env?: Readonly<Record<string, string>>;
};

type ConfigSections = Readonly<Record<string, { readonly address?: string } | undefined>>;

/** The configuration that the server says it runs with; undefined while it is not there, or not whole. */
function configIn(path: string): ConfigSections | undefined {
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, "utf8");
  try {
    const sections: ConfigSections = Object.fromEntries(Object.entries(parse(text)));
    return serverSections.every((section) => sections[section] !== undefined) ? sections : undefined;
  } catch {
    // The original writes its file in place: what cannot be read yet is read again, until the time for the start is over.
    return undefined;
  }
}

/** `encrypted`: TCP, WebSocket and HTTP with TLS only. QUIC is on where they are not. */
export async function startBenchServer(
  encrypted: boolean,
  shards: number,
  { root = ownRoot, program, env = {} }: BenchServerOptions = {},
): Promise<BenchServer> {
  const directory = mkdtempSync(join(tmpdir(), "whippet-bench-"));
  const dataPath = join(directory, "data");
  const configPath = join(dataPath, "runtime/current_config.toml");
  const logPath = join(directory, "log.txt");
  const log = openSync(logPath, "w");
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("IGGY_"));
  const source = [process.execPath, "--no-env-file", join(root, "src/process/main.ts")];
  const child = Bun.spawn(program === undefined ? source : [program], {
    // Away from the repository, whose config.toml would be found.
    cwd: directory,
    env: {
      ...Object.fromEntries(inherited),
      IGGY_CONFIG_PATH: "/dev/null",
      IGGY_SYSTEM_PATH: dataPath,
      IGGY_SYSTEM_SHARDING_CPU_ALLOCATION: String(shards),
      IGGY_ROOT_USERNAME: "iggy",
      IGGY_ROOT_PASSWORD: "iggy",
      IGGY_TCP_ADDRESS: "127.0.0.1:0",
      IGGY_WEBSOCKET_ADDRESS: "127.0.0.1:0",
      IGGY_HTTP_ADDRESS: "127.0.0.1:0",
      IGGY_QUIC_ADDRESS: "127.0.0.1:0",
      IGGY_QUIC_ENABLED: String(!encrypted),
      IGGY_TCP_TLS_ENABLED: String(encrypted),
      IGGY_WEBSOCKET_TLS_ENABLED: String(encrypted),
      IGGY_HTTP_TLS_ENABLED: String(encrypted),
      ...env,
    },
    stdin: "ignore",
    stdout: log,
    stderr: log,
  });
  const remove = () => rmSync(directory, { recursive: true, force: true });
  remember(child, remove);
  const kill = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  const deadlineMs = performance.now() + startTimeoutMs;
  let config = configIn(configPath);
  while (config === undefined) {
    if (child.exitCode !== null || performance.now() > deadlineMs) {
      await kill();
      const text = readFileSync(logPath, "utf8");
      remove();
      throw new Error(`the server does not start. Its log:\n${text}`);
    }
    await Bun.sleep(pollMs);
    config = configIn(configPath);
  }
  const sections = config;
  return {
    caFile: join(dataPath, "certificates/cert.pem"),
    pid: child.pid,
    portOf: (section) => {
      const port = Number(/:(\d+)$/.exec(sections[section]?.address ?? "")?.[1]);
      if (!(port > 0))
        throw new Error(`the server does not listen for ${section}. Its log:\n${readFileSync(logPath, "utf8")}`);
      return port;
    },
    cpuSeconds: () => cpuSecondsOf(child.pid),
    stop: async () => {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
      await child.exited;
      clearTimeout(timer);
      remove();
    },
  };
}
