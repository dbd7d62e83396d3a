// NATS's own bench tool, `nats bench` of natscli: its command line and its line of results.

import { runProgram } from "../programs.ts";
import { natsCommandIn } from "../servers/nats.ts";

export type NatsBenchResult = {
  readonly messagesPerSecond: number;
  /** Of the time that one call took; a message each for the synchronous kind. Undefined where the tool does not say it. */
  readonly p99Ms: number | undefined;
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: the tool may colour its lines
const colours = /\u001b\[[0-9;]*m/g;

/** Figures of the last line of statistics, that of all clients. Throws where the text has none. */
export function parseNatsBench(text: string): NatsBenchResult {
  const line = [...text.replace(colours, "").matchAll(/stats: (.*)/g)].at(-1)?.[1];
  const rate = /([\d,]+) msgs\/sec/.exec(line ?? "")?.[1];
  if (line === undefined || rate === undefined)
    throw new Error(`nats bench printed no results:\n${text.slice(-2_000)}`);
  const p99Micros = /P99: ([\d.,]+)us/.exec(line)?.[1]?.replaceAll(",", "");
  return {
    messagesPerSecond: Number(rate.replaceAll(",", "")),
    p99Ms: p99Micros === undefined ? undefined : Number(p99Micros) / 1_000,
  };
}

/** `nats bench js …` on one connection, without its progress bar. */
export async function runNatsBench(cache: string, port: number, args: readonly string[]): Promise<NatsBenchResult> {
  const program = [natsCommandIn(cache), "--server", `nats://127.0.0.1:${port}`, "bench", "js", ...args];
  // The tool keeps its contexts in the home directory; it has none here.
  const env = { XDG_CONFIG_HOME: "/nonexistent" };
  return parseNatsBench(await runProgram([...program, "--no-progress"], { env, timeoutMs: 120_000 }));
}
