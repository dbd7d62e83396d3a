// The tours: programs in another language that use a published SDK. Built once, outside the repository, and run against
// the server; each prints a line per step and ends with an error at the first that is not answered as it should be.
import { describe, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Transport } from "../../src/protocol/records/enumerations.ts";
import { useServers } from "../support/server.ts";
import { runProgram } from "./program.ts";

/**
 * A tour finishes in a few seconds on a machine that is not busy. One that hangs ends itself before: every chapter has a limit
 * of 90 seconds.
 */
const tourTimeoutMs = 240_000;

/** A few megabytes make several segments, and retention acts within a second. */
const serverEnvironment = {
  IGGY_SYSTEM_SEGMENT_SIZE: "1MiB",
  IGGY_DATA_MAINTENANCE_MESSAGES_CLEANER_ENABLED: "true",
  IGGY_DATA_MAINTENANCE_MESSAGES_INTERVAL: "200ms",
};

const quicEnvironment = { IGGY_QUIC_ENABLED: "true", IGGY_QUIC_ADDRESS: "127.0.0.1:0" };

/** How a tour is run, or why it cannot be built here. */
export type Tour =
  | { readonly kind: "ready"; readonly command: readonly string[] }
  | { readonly kind: "missing"; readonly reason: string };

/** A directory that outlives the clone, for what `name` is built from: another content of `files` has another directory. */
export function cacheDirectory(name: string, files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file)).update("\0");
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "whippet-tests");
  mkdirSync(cache, { recursive: true });
  return join(cache, `${name}-${hash.digest("hex").slice(0, 16)}`);
}

/** Every file of a directory, sorted. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Undefined if the command succeeded, otherwise what it said: the first line with an error, or else the last. */
export function failureOf(command: readonly string[], timeoutMs: number): string | undefined {
  try {
    const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { timeout: timeoutMs });
    if (exitCode === 0) return undefined;
    const lines = `${stdout}${stderr}`.trim().split("\n");
    return lines.find((line) => /error/i.test(line)) ?? (lines.at(-1) || `exit code ${exitCode}`);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Registers the tests of a tour: over each transport, with each number of shards. `argumentsFor` gives the arguments for a
 * transport of a server. A tour that cannot be built is skipped with its reason in the name, and fails in continuous
 * integration.
 */
export function testTour(
  name: string,
  tour: Tour,
  transports: readonly Transport[],
  argumentsFor: (transport: Transport, host: string, port: number) => readonly string[],
  shardCounts: readonly number[] = [1, 2],
): void {
  if (tour.kind === "missing" && process.env.CI !== "true") {
    test.skip(`${name}, because ${tour.reason}`, () => {});
    return;
  }
  const servers = useServers();
  const variants = transports.flatMap((transport) => shardCounts.map((shards) => ({ transport, shards })));
  describe.each(variants)(`${name} over $transport, $shards shard(s)`, ({ transport, shards }) => {
    test(
      "every step of the tour is answered as by the original",
      async () => {
        if (tour.kind === "missing") throw new Error(tour.reason);
        const env = transport === "quic" ? { ...serverEnvironment, ...quicEnvironment } : serverEnvironment;
        const server = await servers.start({ shards, env });
        const command = [...tour.command, ...argumentsFor(transport, server.host, server.portOf(transport))];
        const output = await runProgram(command, { name: "the tour", server, timeoutMs: tourTimeoutMs });
        process.stdout.write(output);
        await server.stop();
      },
      tourTimeoutMs + 30_000,
    );
  });
}
