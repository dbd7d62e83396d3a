// kill -9 under load, again and again on the same data: what was acknowledged is there afterwards, once, in order and intact;
// what was deleted is gone, and nothing is found under another name.
import { expect, test } from "bun:test";
import { useServers } from "../support/server.ts";
import { crashSettings, killAgainAndAgain } from "./kill-rounds.ts";
import { turnsPerRun } from "./load.ts";

const servers = useServers();
const roundsCount = 8;

for (const acknowledge of ["write", "sync"] as const) {
  test(`kill -9 under load loses nothing that was acknowledged (${acknowledge})`, async () => {
    const server = await servers.start({ shards: 2, env: crashSettings(acknowledge) });
    const turnsCount = await killAgainAndAgain(server, {
      roundsCount,
      seed: acknowledge === "write" ? 1 : 2,
      onRound: (_, failures) => expect(failures).toEqual([]),
    });
    expect(turnsCount).toBeGreaterThanOrEqual(roundsCount * turnsPerRun);
    expect(server.log).not.toContain("ERROR");
    await server.stop();
  }, 300_000);
}
