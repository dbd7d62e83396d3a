// Rounds of load, kill -9, start and check, on the same data.
import { seededRandom } from "../../src/platform/random.ts";
import type { TestServer } from "../support/server.ts";
import { checkBroker } from "./check.ts";
import { History, nothingLost } from "./history.ts";
import { Load } from "./load.ts";

/** Settings of a server under the load of these tests: small segments, and a cleaner that is always at work. */
export function crashSettings(acknowledge: string): Readonly<Record<string, string>> {
  return {
    IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: acknowledge,
    IGGY_SYSTEM_SEGMENT_SIZE: "64 KiB",
    IGGY_DATA_MAINTENANCE_MESSAGES_CLEANER_ENABLED: "true",
    IGGY_DATA_MAINTENANCE_MESSAGES_INTERVAL: "100 ms",
  };
}

/** About as long as a start takes. */
const startMs = 500;

export interface KillOptions {
  readonly roundsCount: number;
  readonly seed: number;
  /** Called after each round with what was wrong. */
  readonly onRound: (round: number, failures: readonly string[], turnsCount: number) => void;
}

/** Resolves with the turns that the actors of the load have made; the broker runs afterwards. */
export async function killAgainAndAgain(server: TestServer, options: KillOptions): Promise<number> {
  let moment = 1;
  const history = new History(() => moment++);
  const load = new Load(history, options.seed);
  const random = seededRandom(options.seed);
  await load.prepare(server);
  for (let round = 0; round < options.roundsCount; round++) {
    await load.runFor(150 + (random.u32() % 500), server);
    await server.kill();
    await load.stop();
    if (random.u32() % 3 === 0) await killWhileStarting(server, random.u32() % startMs);
    await server.restart();
    options.onRound(round, await checkBroker(history, nothingLost, server, true), load.turnsCount);
  }
  return load.turnsCount;
}

/** One more kill, while the server reads and repairs what the first one has left. */
async function killWhileStarting(server: TestServer, afterMs: number): Promise<void> {
  const started = server.restart().then(
    () => true,
    () => false,
  );
  await Bun.sleep(afterMs);
  await server.kill();
  await started;
}
