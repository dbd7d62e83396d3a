// What an acknowledged purge removed stays away after a power loss, whatever happened to an earlier purge.

import { expect, test } from "bun:test";
import { DiskError, type DiskFile, type OpenMode } from "../../src/platform/disk.ts";
import { SimDisk } from "../../src/platform/simulated/sim-disk.ts";
import { Simulation } from "../../src/platform/simulated/simulation.ts";
import type { Acknowledge } from "../../src/storage/types.ts";
import { settled } from "./partition-reader.ts";
import { appendRandom, openPartition, randomOptions, withDataDirectory } from "./storage-setup.ts";

class ScarceDisk extends SimDisk {
  hasDescriptors = true;
  failsToSyncNames = false;

  override open(path: string, mode: OpenMode): DiskFile {
    if (!this.hasDescriptors) throw new DiskError("open", path, "EMFILE");
    return super.open(path, mode);
  }

  override syncDirectory(path: string): void {
    if (this.failsToSyncNames) throw new DiskError("open", path, "EMFILE");
    super.syncDirectory(path);
  }
}

test.each([
  ["write", "open"],
  ["write", "names"],
  ["sync", "open"],
  ["sync", "names"],
] satisfies [
  Acknowledge,
  string,
][])("a purge after one that failed, level %s, without descriptors for %s", async (level, missing) => {
  for (let seed = 0; seed < 40; seed++) {
    const simulation = new Simulation(seed);
    const options = { ...randomOptions(simulation, level, false), openFilesMax: 64 };
    const disk = withDataDirectory(new ScarceDisk(simulation));
    let partition = openPartition(disk, options);
    const sentCount = await appendRandom(partition, simulation);
    await settled(simulation, partition.flush(true));
    if (missing === "open") disk.hasDescriptors = false;
    else disk.failsToSyncNames = true;
    const answer = await settled(simulation, partition.purge()).then(
      () => "purged",
      () => "failed",
    );
    expect(answer).toBe("failed");
    expect(partition.isFenced).toBe(false);
    disk.hasDescriptors = true;
    disk.failsToSyncNames = false;
    if (simulation.chance(50)) {
      await settled(simulation, partition.close());
      partition = openPartition(disk, options);
    }
    const { messagesCount } = partition.counters;
    expect([0, sentCount]).toContain(messagesCount);
    await settled(simulation, partition.purge());
    const after = openPartition(disk.crash(), options);
    expect(after.counters.messagesCount).toBe(0);
    expect(after.counters.hasMessages).toBe(false);
  }
});
