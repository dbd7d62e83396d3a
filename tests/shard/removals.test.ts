import { describe, expect, test } from "bun:test";
import { logIdOf, type MetadataState } from "../../src/metadata/index.ts";
import type { SimDisk } from "../../src/platform/simulated/sim-disk.ts";
import { encodeMark } from "../../src/storage/mark-format.ts";
import {
  changePartitions,
  createStream,
  createTopic,
  deleteStream,
  deleteTopic,
  openWorld,
  paths,
  purgeTopic,
} from "./control-world.ts";

/** What a partition that was written has on the disk. */
function writePartition(disk: SimDisk, directory: string, logId: string | undefined): void {
  disk.makeDirectory(directory);
  for (const [name, bytes] of [
    ["partition.mark", encodeMark({ logId, nextOffset: 0, groups: new Map() })],
    ["0.log", new TextEncoder().encode(logId ?? "old")],
  ] as const) {
    const file = disk.open(`${directory}/${name}`, "create");
    file.write([bytes], 0);
    file.close();
  }
}

function logIdAt(state: MetadataState, streamId: number, topicId: number, partitionId: number): string | undefined {
  const topic = state.streams.byId.get(streamId)!.topics.byId.get(topicId)!;
  return logIdOf(topic.partitions[partitionId]!.logBase, topicId, partitionId);
}

/** Every partition of a topic is written. */
function write(disk: SimDisk, state: MetadataState, streamId: number, topicId: number): void {
  const { partitions } = state.streams.byId.get(streamId)!.topics.byId.get(topicId)!;
  for (const partitionId of partitions.keys()) {
    const directory = paths.partitionDirectory(streamId, topicId, partitionId);
    writePartition(disk, directory, logIdAt(state, streamId, topicId, partitionId));
  }
}

const removedIn = (disk: SimDisk) => disk.list(`${paths.streamsDirectory}/.removed`);
const lostIn = (disk: SimDisk) => disk.list(`${paths.streamsDirectory}/lost+found`);
const finish = { kind: "finishRemovals" } as const;

/** A stream with a topic of three partitions, written. */
async function withTopic(options: Parameters<typeof openWorld>[1] = {}) {
  const world = openWorld(1, options);
  await world.execute(createStream("orders"), createStream("other"));
  await world.execute(createTopic("orders", "paid", 3));
  write(world.sim, world.log.state, 0, 0);
  return world;
}

describe("a directory that cannot be taken away", () => {
  test("keeps its number and nothing else: others are made, and it goes as soon as it can", async () => {
    let isStuck = true;
    const world = await withTopic({ fails: (operation) => isStuck && operation === "rename" });
    expect(await world.execute(deleteStream("orders"))).toEqual([0]);
    expect(world.sim.exists(paths.streamDirectory(0))).toBe(true);
    expect(await world.execute(createStream("fresh"), createStream("more"))).toEqual([0, 0]);
    expect(world.idsOf()).toEqual([1, 2, 3]);
    await world.execute(finish);
    expect(world.log.state.removals.size).toBe(1);

    isStuck = false;
    await world.execute(finish);
    expect(world.sim.exists(paths.streamDirectory(0))).toBe(false);
    expect(removedIn(world.sim)).toEqual([]);
    expect(world.log.state.removals.size).toBe(0);
    expect(await world.execute(createStream("last"))).toEqual([0]);
    expect(world.idsOf()).toEqual([0, 1, 2, 3]);
  });

  test("the same for topics; partitions are made again, and what is in their place is left to their owner", async () => {
    let isStuck = true;
    const world = await withTopic({ fails: (operation) => isStuck && operation === "rename" });
    expect(await world.execute(changePartitions("deletePartitions", "orders", "paid", 1))).toEqual([0]);
    expect(await world.execute(changePartitions("createPartitions", "orders", "paid", 2))).toEqual([0]);
    expect(await world.execute(deleteTopic("orders", "paid"))).toEqual([0]);
    expect(await world.execute(createTopic("orders", "next"))).toEqual([0]);
    expect([...world.log.state.streams.byId.get(0)!.topics.byId.keys()]).toEqual([1]);
    isStuck = false;
    await world.execute(finish);
    expect(world.sim.exists(paths.topicDirectory(0, 0))).toBe(false);
    expect(world.log.state.removals.size).toBe(0);
    expect(lostIn(world.sim)).toEqual([]);
  });

  test("that is unknown keeps its number as well", async () => {
    const world = openWorld(1, { fails: (operation) => operation === "rename" });
    writePartition(world.sim, paths.partitionDirectory(0, 0, 0), undefined);
    expect(await world.execute(createStream("orders"))).toEqual([0]);
    expect(world.idsOf()).toEqual([1]);
    expect(world.warnings.length).toBeGreaterThan(0);
  });
});

describe("a start", () => {
  test("finishes logged deletions that were interrupted, and sets nothing aside", async () => {
    for (const command of [
      deleteStream("orders"),
      deleteTopic("orders", "paid"),
      changePartitions("deletePartitions", "orders", "paid", 2),
    ]) {
      const world = await withTopic();
      void world.start(command); // in the log, and no further
      const again = openWorld(2, {}, world.sim.processCrash());
      await again.simulation.run();
      expect(lostIn(again.sim)).toEqual([]);
      expect(removedIn(again.sim)).toEqual([]);
      expect(again.log.state.removals.size).toBe(0);
      const left = [0, 1, 2].filter((id) => again.sim.exists(paths.partitionDirectory(0, 0, id)));
      expect(left).toEqual(command.kind === "deletePartitions" ? [0] : []);
    }
  });

  test("finishes an interrupted purge, and leaves what was written after it", async () => {
    const world = await withTopic();
    void world.start(purgeTopic("orders", "paid"));
    await world.simulation.run();
    // One of three partitions was emptied and written again.
    writePartition(world.sim, paths.partitionDirectory(0, 0, 1), logIdAt(world.log.state, 0, 0, 1));
    // The purge is not done for the others: they are as they were.
    const again = openWorld(2, {}, world.sim.processCrash());
    await again.simulation.run();
    const left = [0, 1, 2].filter((id) => again.sim.exists(paths.partitionDirectory(0, 0, id)));
    expect(left).toEqual([1]);
    expect(lostIn(again.sim)).toEqual([]);
    expect(again.log.state.removals.size).toBe(0);
  });

  test("sets aside what no event named, once, and says so: stream, topic, partition", async () => {
    const world = await withTopic();
    for (const directory of [
      paths.partitionDirectory(7, 0, 0),
      paths.partitionDirectory(0, 4, 0),
      paths.partitionDirectory(0, 0, 3),
    ]) {
      writePartition(world.sim, directory, "0123456789abcdef01234567");
    }
    world.sim.makeDirectory(`${paths.streamsDirectory}/notes`);
    const again = openWorld(2, {}, world.sim.processCrash());
    const expected = ["streams-0-topics-0-partitions-3-1", "streams-0-topics-4-1", "streams-7-1"];
    expect(lostIn(again.sim)).toEqual(expected);
    expect(again.setAsideCount()).toBe(3);
    expect(again.warnings).toHaveLength(3);
    expect(again.sim.exists(`${paths.streamsDirectory}/notes`)).toBe(true);
    expect([0, 1, 2, 3].map((id) => again.sim.exists(paths.partitionDirectory(0, 0, id)))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    const third = openWorld(3, {}, again.sim.processCrash());
    expect(lostIn(third.sim)).toEqual(expected);
    expect(third.setAsideCount()).toBe(0);
  });

  test("tells what came after a deletion from what was deleted, when the later entry is lost", async () => {
    // The number was given again, and the entry that did so did not survive: only the deletion is known.
    const world = await withTopic();
    void world.start(deleteStream("orders"));
    await world.simulation.run();
    writePartition(world.sim, paths.partitionDirectory(0, 0, 0), "fedcba9876543210fedcba98");
    expect(world.log.state.removals.size).toBe(1);
    const again = openWorld(2, {}, world.sim.processCrash());
    expect(lostIn(again.sim)).toEqual(["streams-0-1"]);
    expect(again.setAsideCount()).toBe(1);
  });

  test("looks once at each directory of a stream and a topic, and at none of a partition", async () => {
    const world = openWorld(1, {});
    await world.execute(createStream("orders"));
    for (let topicId = 0; topicId < 20; topicId++) {
      await world.execute(createTopic("orders", `topic ${topicId}`, 4));
      write(world.sim, world.log.state, 0, topicId);
    }
    const again = openWorld(2, {}, world.sim.processCrash());
    expect(again.lists).toHaveLength(1 + 1 + 20 + 1); // streams, topics, partitions of each, what was removed
  });

  test("is not stopped by a disk that refuses, and does not hand out what is taken", async () => {
    const world = await withTopic();
    writePartition(world.sim, paths.partitionDirectory(2, 0, 0), undefined);
    void world.start(deleteStream("orders"));
    const again = openWorld(2, { fails: (operation) => operation === "rename" }, world.sim.processCrash());
    await again.execute(createStream("a"), createStream("b"));
    expect(again.idsOf()).toEqual([1, 3, 4]);
    expect(again.log.state.removals.size).toBe(1);
    const healed = openWorld(3, {}, again.sim.processCrash());
    expect(healed.log.state.removals.size).toBe(0);
    expect(lostIn(healed.sim)).toEqual(["streams-2-1"]);
  });
});

describe("a power loss after an answered deletion", () => {
  const seeds = Array.from({ length: 30 }, (_, seed) => seed);
  test.each(seeds)("never shows it again, and never in what took its place, seed %d", async (seed) => {
    const world = openWorld(seed, { enforceFsync: seed % 2 === 0 });
    await world.execute(createStream("orders"));
    await world.execute(createTopic("orders", "salaries"));
    write(world.sim, world.log.state, 0, 0);
    syncAll(world.sim, paths.partitionDirectory(0, 0, 0));
    const synced = world.log.sync();
    await world.simulation.run();
    await synced;
    expect(await world.execute(deleteTopic("orders", "salaries"))).toEqual([0]);
    expect(await world.execute(createTopic("orders", "public"))).toEqual([0]);
    const again = openWorld(seed, {}, world.sim.crash());
    await again.simulation.run();
    const topic = again.log.state.streams.byId.get(0)!.topics.byName.get("public");
    expect(again.log.state.streams.byId.get(0)!.topics.byName.has("salaries")).toBe(false);
    if (topic !== undefined) expect(again.sim.exists(paths.partitionDirectory(0, topic.id, 0))).toBe(false);
  });
});

/** Every directory from the root to this one. */
function syncAll(disk: SimDisk, directory: string): void {
  for (let path = directory; path !== ""; path = path.slice(0, path.lastIndexOf("/"))) disk.syncDirectory(path);
}
