// What a process that was killed at the first files of a partition left there is durable with the next sync.

import { expect, test } from "bun:test";
import { SimDisk } from "../../src/platform/simulated/sim-disk.ts";
import { Simulation } from "../../src/platform/simulated/simulation.ts";
import { settled } from "./partition-reader.ts";
import { PlaceIdentity } from "./place-identity.ts";
import { appendRandom, openPartition, randomOptions, withDataDirectory } from "./storage-setup.ts";

const attemptsCount = 40;
const changesMax = 12;

test("messages that were flushed with a sync after a kill at any change survive a power loss", async () => {
  let killedCount = 0;
  for (let seed = 0; seed < attemptsCount * changesMax; seed++) {
    const simulation = new Simulation(seed);
    const options = { ...randomOptions(simulation, "write", false), openFilesMax: 64 };
    const identity = new PlaceIdentity();
    const openOn = (disk: SimDisk) => openPartition(disk, options, identity);
    const disk = withDataDirectory(new SimDisk(simulation));
    const first = openOn(disk);
    disk.stopAfter(seed % changesMax);
    await appendRandom(first, simulation).catch(() => {
      killedCount++;
    });
    const survivor = disk.processCrash();
    survivor.heal();
    const second = openOn(survivor);
    await appendRandom(second, simulation, 100);
    await settled(simulation, second.flush(true));
    const { messagesCount } = second.counters;
    expect(openOn(survivor.crash()).counters.messagesCount).toBe(messagesCount);
  }
  expect(killedCount).toBeGreaterThan(attemptsCount);
});
