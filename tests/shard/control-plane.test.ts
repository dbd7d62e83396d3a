import { describe, expect, test } from "bun:test";
import { entriesById, type MetadataEvent, MetadataLog, type MetadataState } from "../../src/metadata/index.ts";
import type { Disk } from "../../src/platform/disk.ts";
import { SimDisk } from "../../src/platform/simulated/sim-disk.ts";
import { Simulation } from "../../src/platform/simulated/simulation.ts";
import type { ControlCommand } from "../../src/shard/control-commands.ts";
import { ControlPlane } from "../../src/shard/control-plane.ts";
import { codeOf } from "../support/error-code.ts";
import { makePaths, topicDefaults } from "./setup.ts";

const paths = makePaths("/data");
const seeds = Array.from({ length: 40 }, (_, seed) => seed);
const named = (value: string) => ({ kind: "string", value }) as const;
const settings = {
  compression: 1,
  messageExpiryMicros: 0n,
  maxTopicSizeBytes: 0n,
  replicationFactor: 1,
} as const;

const createStream = (name: string): ControlCommand => ({ kind: "createStream", request: { name } });
const deleteStream = (name: string): ControlCommand => ({ kind: "deleteStream", request: { stream: named(name) } });
const createTopic = (stream: string, name: string, partitionsCount = 2): ControlCommand => ({
  kind: "createTopic",
  request: { stream: named(stream), name, partitionsCount, ...settings },
});
const deleteTopic = (stream: string, topic: string): ControlCommand => ({
  kind: "deleteTopic",
  request: { stream: named(stream), topic: named(topic) },
});

/** The first removal of this path stops between the look at its names and their removal. */
interface HeldRemoval {
  readonly path: string;
  readonly until: Promise<void>;
}

/** A disk that removes trees as the real one does: name by name, with time in between. */
function withSlowRemoval(disk: SimDisk, held: HeldRemoval | undefined): Disk {
  const pause = () => disk.later(() => undefined);
  let hasHeld = false;
  const removeTree = async (path: string): Promise<void> => {
    if (!disk.exists(path)) return;
    for (;;) {
      const names = disk.list(path);
      if (names.length === 0) break;
      if (path === held?.path && !hasHeld) {
        hasHeld = true;
        await held.until;
      }
      for (const name of names) {
        await pause();
        await removeTree(`${path}/${name}`);
      }
    }
    await pause();
    if (disk.list(path).length === 0) await disk.removeTree(path);
    else await removeTree(path);
  };
  return {
    open: (path, mode) => disk.open(path, mode),
    exists: (path) => disk.exists(path),
    list: (path) => disk.list(path),
    makeDirectory: (path) => disk.makeDirectory(path),
    remove: (path) => disk.remove(path),
    removeTree,
    link: (from) => disk.link(from),
    rename: (from, to) => disk.rename(from, to),
    syncDirectory: (path) => disk.syncDirectory(path),
  };
}

/** Control plane over a simulated disk; the broadcast makes directories as storage does, and takes its time. */
function make(seed: number, held?: HeldRemoval) {
  const simulation = new Simulation(seed);
  const disk = new SimDisk(simulation);
  disk.makeDirectory(paths.streamsDirectory);
  const { log, state } = MetadataLog.open({
    disk,
    directory: paths.stateDirectory,
    enforceFsync: false,
    onSnapshotFailure: (error) => {
      throw error;
    },
  });
  const events: MetadataEvent[] = [];
  let nowMicros = 1000;
  const plane = new ControlPlane({
    log,
    disk: withSlowRemoval(disk, held),
    clock: { nowMicros: () => nowMicros++ },
    paths,
    topicDefaults,
    tokensPerUserMax: 100,
    broadcast: async (event) => {
      events.push(event);
      if (event.kind === "topicCreated") makePartitions(event.streamId, event.topicId, 0, event.partitionsCount);
      if (event.kind === "partitionsCreated") {
        const end = state.streams.byId.get(event.streamId)!.topics.byId.get(event.topicId)!.partitions.length;
        makePartitions(event.streamId, event.topicId, end - event.count, end);
      }
      await disk.later(() => undefined);
    },
  });
  const makePartitions = (streamId: number, topicId: number, start: number, end: number) => {
    for (let partitionId = start; partitionId < end; partitionId++) {
      const path = paths.partitionDirectory(streamId, topicId, partitionId);
      if (disk.exists(path)) throw new Error(`${path} is there before its partition`);
      disk.makeDirectory(path);
      disk.open(`${path}/0.log`, "create").close();
    }
  };
  /** Carries out several runs of commands at the same time, each run one after the other; the codes of each run. */
  const executeRuns = async (...runs: readonly ControlCommand[][]): Promise<number[][]> => {
    const outcomes = runs.map(async (commands) => {
      const codes: number[] = [];
      for (const command of commands) codes.push(await codeOf(plane.execute(command)));
      return codes;
    });
    await simulation.run();
    return Promise.all(outcomes);
  };
  /** Carries out commands at the same time; the code of each. */
  const execute = async (...commands: ControlCommand[]): Promise<number[]> =>
    (await executeRuns(...commands.map((command) => [command]))).flat();
  /** Exactly the partitions of the state have a file, and nothing else is below the streams but what was set aside. */
  const checkDisk = () => {
    const expected: string[] = [];
    for (const stream of state.streams.byId.values()) {
      for (const topic of stream.topics.byId.values()) {
        for (let id = 0; id < topic.partitions.length; id++) {
          expected.push(`${paths.partitionDirectory(stream.id, topic.id, id)}/0.log`);
        }
      }
    }
    const kept = (path: string) => !path.startsWith(`${paths.streamsDirectory}/lost+found/`);
    expect(filesBelow(disk, paths.streamsDirectory).filter(kept)).toEqual(expected.sort());
  };
  return { simulation, disk, log, state, events, plane, execute, executeRuns, checkDisk };
}

function filesBelow(disk: SimDisk, path: string): string[] {
  const names = disk.list(path);
  return names
    .flatMap((name) => (name.endsWith(".log") ? [`${path}/${name}`] : filesBelow(disk, `${path}/${name}`)))
    .sort();
}

describe("what lies in a place and no metadata name", () => {
  test("is set aside before its number is used, and stays: stream, topic, partition", async () => {
    const { disk, execute, checkDisk } = make(1);
    const leave = (path: string) => {
      disk.makeDirectory(path);
      disk.open(`${path}/old.log`, "create").close();
    };
    leave(paths.partitionDirectory(0, 5, 7));
    expect(await execute(createStream("orders"))).toEqual([0]);
    checkDisk();
    leave(paths.partitionDirectory(0, 0, 0));
    leave(paths.partitionDirectory(0, 0, 9));
    expect(await execute(createTopic("orders", "paid"))).toEqual([0]);
    checkDisk();
    leave(paths.partitionDirectory(0, 0, 3));
    const request = { stream: named("orders"), topic: named("paid"), count: 3 };
    expect(await execute({ kind: "createPartitions", request })).toEqual([0]);
    checkDisk();
    expect(filesBelow(disk, `${paths.streamsDirectory}/lost+found`)).toEqual(
      [
        "streams-0-1/topics/5/partitions/7",
        "streams-0-topics-0-1/partitions/0",
        "streams-0-topics-0-1/partitions/9",
        "streams-0-topics-0-partitions-3-1",
      ].map((path) => `${paths.streamsDirectory}/lost+found/${path}/old.log`),
    );
  });

  test("does not disturb the plan", async () => {
    const { disk, execute, state } = make(2);
    disk.makeDirectory(paths.partitionDirectory(0, 0, 0));
    expect(await execute(createStream("same"), createStream("same"), createStream("other"))).toEqual([0, 1012, 0]);
    expect([...state.streams.byId.keys()]).toEqual([0, 1]);
  });
});

describe("commands at the same time", () => {
  test.each(seeds)("creations get ids of their own, seed %d", async (seed) => {
    const { execute, state, checkDisk, events } = make(seed);
    const names = Array.from({ length: 12 }, (_, index) => `stream ${index}`);
    expect(new Set(await execute(...names.map(createStream)))).toEqual(new Set([0]));
    expect([...state.streams.byId.keys()].sort((a, b) => a - b)).toEqual(names.map((_, index) => index));
    expect(await execute(...names.map((name) => createTopic(name, "topic")))).toEqual(names.map(() => 0));
    expect(events).toHaveLength(24);
    checkDisk();
  });

  test.each(seeds)("a topic in the place of one that is being removed keeps its files, seed %d", async (seed) => {
    const { execute, checkDisk } = make(seed);
    await execute(createStream("orders"));
    await execute(createTopic("orders", "old", 3));
    expect(await execute(deleteTopic("orders", "old"), createTopic("orders", "new", 3))).toEqual([0, 0]);
    checkDisk();
  });

  test("so does one in a stream that took the place of another", async () => {
    // The topic's own removal has seen its names, and goes on only when its stream's has long ended.
    const gate = Promise.withResolvers<void>();
    const { execute, executeRuns, simulation, checkDisk } = make(1, {
      path: paths.topicDirectory(0, 0),
      until: gate.promise,
    });
    await execute(createStream("orders"));
    await execute(createTopic("orders", "old", 3));
    const done = executeRuns(
      [deleteTopic("orders", "old")],
      [deleteStream("orders")],
      [createStream("fresh"), createTopic("fresh", "new", 3)],
    );
    await simulation.run();
    gate.resolve();
    await simulation.run();
    await simulation.run();
    expect(await done).toEqual([[0], [0], [0, 0]]);
    checkDisk();
  });

  test.each(seeds)("whatever they are, the disk holds what the metadata say, seed %d", async (seed) => {
    const { simulation, execute, checkDisk, state, log, disk } = make(seed);
    const streams = ["a", "b"];
    const topics = ["x", "y"];
    const random = (): ControlCommand => {
      const stream = simulation.pick(streams);
      const topic = simulation.pick(topics);
      const target = { stream: named(stream), topic: named(topic), count: simulation.between(1, 2) };
      return simulation.pick<ControlCommand>([
        createStream(stream),
        deleteStream(stream),
        createTopic(stream, topic, simulation.between(1, 3)),
        createTopic(stream, topic, simulation.between(1, 3)),
        deleteTopic(stream, topic),
        { kind: "createPartitions", request: target },
        { kind: "deletePartitions", request: target },
      ]);
    };
    const documented = new Set([0, 1009, 1012, 2010, 2013, 2019, 3007]);
    for (let round = 0; round < 12; round++) {
      const codes = await execute(...Array.from({ length: simulation.between(1, 5) }, random));
      for (const code of codes) expect(documented).toContain(code);
      checkDisk();
    }
    // And the log tells the same; the order of freed ids is forgotten (spec SB 3.8).
    const contentOf = (from: MetadataState) =>
      entriesById(from.streams).map(({ topics: inner, ...stream }) => ({ ...stream, topics: entriesById(inner) }));
    const before = structuredClone(contentOf(state));
    log.close();
    const again = MetadataLog.open({
      disk,
      directory: paths.stateDirectory,
      enforceFsync: false,
      onSnapshotFailure: () => {},
    });
    expect(contentOf(again.state)).toEqual(before);
  });
});

describe("a command", () => {
  test("is in the log and in the state before it is told to the shards, and answered after", async () => {
    const { execute, plane, simulation, state, events } = make(1);
    await execute(createStream("orders"));
    let isAnswered = false;
    const answer = plane.execute(createTopic("orders", "paid")).then(() => {
      isAnswered = true;
    });
    expect(events.at(-1)).toMatchObject({ kind: "topicCreated", name: "paid" });
    expect(state.streams.byId.get(0)!.topics.byId.size).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isAnswered).toBe(false);
    await simulation.run();
    await answer;
  });

  test("that is refused is neither logged nor told", async () => {
    const { execute, log, events } = make(1);
    await execute(createStream("orders"));
    const before = log.lastIndex;
    expect(await execute(createStream("orders"), createTopic("none", "x"), deleteTopic("orders", "x"))).toEqual([
      1012, 1009, 2010,
    ]);
    expect(log.lastIndex).toBe(before);
    expect(events).toHaveLength(1);
  });

  test("fails when the disk refuses its entry, and the shards are not told", async () => {
    const { execute, disk, events, state } = make(1);
    await execute(createStream("orders"));
    disk.failWriteAfter(0);
    const [code] = await execute(createStream("other"));
    expect(code).not.toBe(0);
    expect(events).toHaveLength(1);
    expect(state.streams.byId.size).toBe(1);
    expect(await execute(createStream("other"))).toEqual([0]);
  });
});
