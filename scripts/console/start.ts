// What the console costs before anybody is signed in: the first request of a broker that has just started, which makes the page from
// source or unpacks it, and the memory of the history that it keeps.
import { existsSync } from "node:fs";
import { residentBytes } from "../../tests/support/process-facts.ts";
import { type BenchServerOptions, startBenchServer } from "../bench-server.ts";
import { median } from "../ratios.ts";
import { originOf } from "./measured-page.ts";

const withoutQuic = { IGGY_QUIC_ENABLED: "false" };

/** Time of one request of the page, ms. Throws for any answer but the page. */
async function requestMs(origin: string): Promise<number> {
  const startedAtMs = performance.now();
  const response = await fetch(`${origin}/ui`);
  const text = await response.text();
  if (response.status !== 200 || !text.includes("<script"))
    throw new Error(`${response.status}: ${text.slice(0, 200)}`);
  return performance.now() - startedAtMs;
}

async function measureFirstRequests(kind: string, options: BenchServerOptions, rounds: number): Promise<void> {
  const firsts: number[] = [];
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const server = await startBenchServer(false, 1, { ...options, env: withoutQuic });
    try {
      // Of another part: the connection and the listener are warm, the page is not.
      await (await fetch(`${originOf(server)}/ping`)).text();
      firsts.push(await requestMs(originOf(server)));
      seconds.push(await requestMs(originOf(server)));
    } finally {
      await server.stop();
    }
  }
  const each = firsts.map((ms) => ms.toFixed(0)).join(", ");
  console.log(
    `${kind}: first request median ${median(firsts).toFixed(0)} ms (${each}), second ${median(seconds).toFixed(1)} ms`,
  );
}

/** Both brokers run at the same time, and nobody asks them for anything. */
async function measureMemory(kind: string, options: BenchServerOptions, seconds: number): Promise<void> {
  const start = (isEnabled: boolean) =>
    startBenchServer(false, 1, {
      ...options,
      env: { ...withoutQuic, IGGY_OBSERVABILITY_HISTORY_ENABLED: String(isEnabled) },
    });
  const servers = [await start(true), await start(false)];
  try {
    await Bun.sleep(seconds * 1000);
    const [kept = "", none = ""] = servers.map(({ pid }) => (residentBytes(pid) / 1e6).toFixed(1));
    console.log(`${kind}: resident after ${seconds} s ${kept} MB with history, ${none} MB without`);
  } finally {
    for (const server of servers) await server.stop();
  }
}

export type StartOptions = {
  readonly rounds: number;
  /** Until memory is read. */
  readonly seconds: number;
  /** The executable; left out with a line that says so where there is none. */
  readonly program: string;
};

export async function measureStart({ rounds, seconds, program }: StartOptions): Promise<void> {
  const kinds: [string, BenchServerOptions][] = [["source", {}]];
  if (existsSync(program)) kinds.push(["executable", { program }]);
  else console.log(`there is no ${program}: npm run build makes it`);
  for (const [kind, options] of kinds) await measureFirstRequests(kind, options, rounds);
  for (const [kind, options] of kinds) await measureMemory(kind, options, seconds);
}
