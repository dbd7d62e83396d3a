// The tours: programs in another language that use a published SDK. Built once, outside the repository, and run against
// the server; each prints a line per step and ends with an error at the first that is not answered as it should be.
import { describe, test } from "bun:test";
import type { Transport } from "../../src/protocol/records/enumerations.ts";
import { useServers } from "../support/server.ts";
import { runProgram } from "./program.ts";
import type { Tour } from "./tools.ts";

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
