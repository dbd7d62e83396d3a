// What was answered as removed stays away after a power loss, whatever number it is of; and a kill changes nothing of it.

import { describe, expect, test } from "bun:test";
import { SimDisk } from "../../src/platform/simulated/sim-disk.ts";
import { Simulation } from "../../src/platform/simulated/simulation.ts";
import { deleteSegments } from "../../src/shard/retention.ts";
import type { Partition } from "../../src/storage/partition.ts";
import type { Acknowledge, PartitionIdentity } from "../../src/storage/types.ts";
import { batchOf, randomMessages } from "./messages.ts";
import { settled } from "./partition-reader.ts";
import { appendRandom, openPartition, randomOptions, withDataDirectory } from "./storage-setup.ts";

const seedsCount = 40;
const group = { kind: "group", id: 3 } as const;
const other = { kind: "group", id: 4 } as const;

interface World {
  readonly simulation: Simulation;
  readonly disk: SimDisk;
  /** Log ids of the groups that there are, by number. */
  readonly groups: Map<number, string>;
  openOn(disk: SimDisk): Partition;
  /** One batch, answered. */
  append(partition: Partition): Promise<unknown>;
}

function makeWorld(seed: number, level: Acknowledge): World {
  const simulation = new Simulation(seed);
  const options = { ...randomOptions(simulation, level, false), segmentSizeBytes: 2_000, enforceFsync: true };
  const groups = new Map<number, string>();
  const identity: PartitionIdentity = {
    logId: "a".repeat(24),
    isRemoved: () => false,
    groupLogId: (number) => groups.get(number) ?? null,
  };
  const disk = withDataDirectory(new SimDisk(simulation));
  return {
    simulation,
    disk,
    groups,
    openOn: (on) => openPartition(on, options, identity),
    append: (partition) => appendRandom(partition, simulation),
  };
}

/** With a batch, and an offset of the group. */
async function makeStored(seed: number, level: Acknowledge): Promise<World & { readonly partition: Partition }> {
  const world = makeWorld(seed, level);
  const partition = world.openOn(world.disk);
  await world.append(partition);
  world.groups.set(group.id, "b".repeat(24));
  partition.storeOffset(group, 0);
  return { ...world, partition };
}

test("segments that a command removed at level sync do not come back after a power loss", async () => {
  let removedCount = 0;
  for (let seed = 0; seed < seedsCount; seed++) {
    const { simulation, disk, openOn, append } = makeWorld(seed, "sync");
    const partition = openOn(disk);
    while (partition.counters.segmentsCount < 4) await append(partition);
    removedCount += await deleteSegments(partition, simulation.between(1, 3));
    const { messagesCount, segmentsCount } = partition.counters;
    const after = openOn(disk.crash());
    expect(after.counters).toMatchObject({ messagesCount, segmentsCount });
  }
  expect(removedCount).toBeGreaterThanOrEqual(seedsCount);
});

test("level sync shows nothing of what a failed sync lost, however often the broker is killed and started", async () => {
  for (let seed = 0; seed < seedsCount; seed++) {
    const { disk, openOn, append } = makeWorld(seed, "sync");
    const partition = openOn(disk);
    await append(partition);
    disk.failSyncAfter(0);
    const refused = await append(partition).then(
      () => false,
      () => true,
    );
    expect(refused).toBe(true);
    disk.heal();
    const disk2 = disk.processCrash();
    const shown = openOn(disk2).counters.messagesCount;
    expect(openOn(disk2.crash()).counters.messagesCount).toBe(shown);
  }
});

test("a purge ends a fence: what comes after it is taken, and durable", async () => {
  for (let seed = 0; seed < seedsCount; seed++) {
    const { disk, openOn, append, simulation } = makeWorld(seed, "sync");
    const partition = openOn(disk);
    await append(partition);
    disk.failSyncAfter(0);
    await append(partition).catch(() => undefined);
    expect(partition.isFenced).toBe(true);
    disk.heal();
    await settled(simulation, partition.purge());
    expect(partition.isFenced).toBe(false);
    expect(partition.counters.hasMessages).toBe(false);
    await append(partition);
    const { messagesCount } = partition.counters;
    expect(messagesCount).toBeGreaterThan(0);
    expect(openOn(disk.crash()).counters).toMatchObject({ messagesCount, currentOffset: messagesCount - 1 });
  }
});

describe.each(["write", "sync"] satisfies Acknowledge[])("level %s", (level) => {
  test("the offset of a deleted group is not that of the next one with its number after a power loss", async () => {
    for (let seed = 0; seed < seedsCount; seed++) {
      const { simulation, disk, groups, openOn, append } = makeWorld(seed, level);
      let partition = openOn(disk);
      await append(partition);
      await append(partition);
      groups.set(group.id, "b".repeat(24)).set(other.id, "c".repeat(24));
      partition.storeOffset(group, 1);
      partition.storeOffset(other, 1);
      await settled(simulation, partition.flush(true));
      groups.delete(group.id);
      partition.deleteGroupOffsets(group.id);
      if (simulation.chance(50)) {
        // Another group is written between, when nobody has the number.
        groups.set(other.id, "d".repeat(24));
        partition.storeOffset(other, 0);
      }
      if (simulation.chance(50)) partition = openOn(disk.processCrash());
      groups.set(group.id, "e".repeat(24));
      if (simulation.chance(50)) partition.storeOffset(group, 0);
      const found = openOn(disk.crash()).getOffset(group);
      expect(found ?? 0).toBe(0);
    }
  });

  test("an offset that a killed process stored is durable with the first tick of the next one's saver", async () => {
    for (let seed = 0; seed < seedsCount; seed++) {
      const { simulation, disk, openOn } = await makeStored(seed, level);
      const disk2 = disk.processCrash();
      const next = openOn(disk2);
      await settled(simulation, next.save());
      expect(openOn(disk2.crash()).getOffset(group)).toBe(0);
    }
  });

  test("an offset that a killed process removed does not come back behind the first tick of the next one's saver", async () => {
    for (let seed = 0; seed < seedsCount; seed++) {
      const { simulation, disk, openOn, partition } = await makeStored(seed, level);
      await settled(simulation, partition.flush(true));
      partition.deleteOffset(group);
      const disk2 = disk.processCrash();
      await settled(simulation, openOn(disk2).save());
      expect(openOn(disk2.crash()).getOffset(group)).toBeUndefined();
    }
  });

  test("the first offset of a group leaves no gap where a kill takes messages away that nobody was answered", async () => {
    for (let seed = 0; seed < seedsCount; seed++) {
      const { disk, groups, openOn, append, simulation } = makeWorld(seed, level);
      const partition = openOn(disk);
      await append(partition);
      const { currentOffset } = partition.counters;
      partition.append(batchOf(randomMessages(simulation, 0, false), simulation)).catch(() => undefined);
      groups.set(group.id, "b".repeat(24));
      partition.storeOffset(group, 0);
      const next = openOn(disk.processCrash());
      await append(next);
      expect(next.counters.messagesCount).toBe(next.counters.currentOffset + 1);
      expect(next.counters.currentOffset).toBeGreaterThan(currentOffset);
    }
  });
});
