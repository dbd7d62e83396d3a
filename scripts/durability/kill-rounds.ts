// Rounds of kill -9 of the real server under load, with two shards: metadata, groups, purges, removals of segments by command
// and by retention. One line for each failure, one at the end.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { crashSettings, killAgainAndAgain } from "../../tests/crash/kill-rounds.ts";
import { TestServer } from "../../tests/support/server.ts";

const usage = "node scripts/bun.mjs scripts/durability/kill-rounds.ts [--rounds 200] [--seed 1] [--acknowledge write]";
/** The data grow with each round, and each check reads all of them. */
const roundsPerDirectory = 20;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
    acknowledge: { type: "string", default: "write" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}

const roundsCount = Number(values.rounds);
let failedCount = 0;
let doneCount = 0;
let turnsCount = 0;
for (let seed = Number(values.seed); doneCount < roundsCount; seed++) {
  const directory = mkdtempSync(join(tmpdir(), "whippet-kill-"));
  const server = await TestServer.start(directory, { shards: 2, env: crashSettings(values.acknowledge) });
  try {
    turnsCount += await killAgainAndAgain(server, {
      roundsCount: Math.min(roundsPerDirectory, roundsCount - doneCount),
      seed,
      onRound: (round, failures) => {
        doneCount++;
        if (failures.length === 0) return;
        failedCount++;
        console.log(`FAILED seed ${seed}, round ${round}`);
        for (const failure of failures) console.log(`  ${failure}`);
      },
    });
  } catch (error) {
    // A server that does not start ends the rounds on this directory.
    doneCount++;
    failedCount++;
    console.log(`FAILED seed ${seed}: ${error}`);
  } finally {
    if (!server.hasEnded) await server.kill();
    rmSync(directory, { recursive: true, force: true });
  }
  console.log(`${doneCount} of ${roundsCount} rounds, ${failedCount} failed, ${turnsCount} turns of the load`);
}
console.log(`${doneCount - failedCount} passed, ${failedCount} failed`);
process.exit(failedCount === 0 ? 0 : 1);
