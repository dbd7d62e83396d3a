/**
 * A partition on a disk that crashes, fills up and lies, beside a plain model. The level of acknowledgement follows from the
 * seed: 0 and 1 modulo 5 sync, 2 and 3 write, 4 memory; some partitions are `persisted` beside others that are not.
 */
import type { Acknowledge } from "../../src/storage/types.ts";
import { testSeeds } from "./seeds.ts";
import { StorageWorld } from "./storage-world.ts";

const OPERATIONS_COUNT = 100;
const LEVELS: readonly Acknowledge[] = ["sync", "sync", "write", "write", "memory"];

testSeeds("a partition survives crashes", 1000, 50, async (simulation, trace) => {
  const level = LEVELS[simulation.seed % LEVELS.length]!;
  await new StorageWorld(simulation, trace, level).run(OPERATIONS_COUNT);
});
