// Redis's own bench tool, `redis-benchmark`: its command line and its CSV.

import { runProgram } from "../programs.ts";
import { redisEnvironment, redisProgram } from "../servers/redis.ts";

export type RedisBenchmarkResult = { readonly requestsPerSecond: number; readonly p99Ms: number };

/** Figures of the one command that ran. Throws where the text has none. */
export function parseRedisBenchmark(text: string): RedisBenchmarkResult {
  const rows = text
    .split("\n")
    .map((line) => [...line.matchAll(/"([^"]*)"/g)].map(([, cell = ""]) => cell))
    .filter((cells) => cells.length > 1);
  const [head, row] = [rows.at(-2), rows.at(-1)];
  const column = (name: string) => {
    const value = row?.[head?.indexOf(name) ?? -1];
    if (value === undefined || !Number.isFinite(Number(value))) {
      throw new Error(`redis-benchmark printed no "${name}":\n${text.slice(-2_000)}`);
    }
    return Number(value);
  };
  return { requestsPerSecond: column("rps"), p99Ms: column("p99_latency_ms") };
}

/** Sends one command again and again over one connection, `pipeline` of them at a time. */
export async function runRedisBenchmark(
  cache: string,
  port: number,
  requests: number,
  pipeline: number,
  command: readonly string[],
): Promise<RedisBenchmarkResult> {
  const options = ["-h", "127.0.0.1", "-p", `${port}`, "-c", "1", "-n", `${requests}`, "-P", `${pipeline}`, "--csv"];
  const program = [redisProgram(cache, "redis-benchmark"), ...options, ...command];
  return parseRedisBenchmark(await runProgram(program, { env: redisEnvironment(cache), timeoutMs: 120_000 }));
}
