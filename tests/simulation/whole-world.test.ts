/** Metadata and messages on one disk that crashes: level sync where the seed is even, level write where it is odd. */
import { testSeeds } from "./seeds.ts";
import { WholeWorld } from "./whole-world.ts";

const OPERATIONS_COUNT = 80;

testSeeds("a whole broker survives crashes", 1000, 50, async (simulation, trace) => {
  const level = simulation.seed % 2 === 0 ? "sync" : "write";
  await new WholeWorld(simulation, trace, level).run(OPERATIONS_COUNT);
});
