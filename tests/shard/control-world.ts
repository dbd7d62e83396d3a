// A control plane over a simulated disk whose renames and syncs can be made to fail, and one replica beside it.

import { expect } from "bun:test";
import { apply, type MetadataEvent, MetadataLog, type MetadataState } from "../../src/metadata/index.ts";
import { type Disk, DiskError } from "../../src/platform/disk.ts";
import { seededRandom } from "../../src/platform/random.ts";
import { SimDisk } from "../../src/platform/simulated/sim-disk.ts";
import { Simulation } from "../../src/platform/simulated/simulation.ts";
import { type ControlCommand, ControlPlane, tidyStreams } from "../../src/shard/index.ts";
import { codeOf } from "../support/error-code.ts";
import { makePaths, topicDefaults } from "./setup.ts";

export const paths = makePaths("/data");
export const named = (value: string) => ({ kind: "string", value }) as const;
const settings = { compression: 1, messageExpiryMicros: 0n, maxTopicSizeBytes: 0n, replicationFactor: 1 } as const;

export const createStream = (name: string): ControlCommand => ({ kind: "createStream", request: { name } });
export const deleteStream = (name: string): ControlCommand => ({
  kind: "deleteStream",
  request: { stream: named(name) },
});
export const createTopic = (stream: string, name: string, partitionsCount = 2): ControlCommand => ({
  kind: "createTopic",
  request: { stream: named(stream), name, partitionsCount, ...settings },
});
const topicTarget = (stream: string, topic: string) => ({ stream: named(stream), topic: named(topic) });
export const deleteTopic = (stream: string, topic: string): ControlCommand => ({
  kind: "deleteTopic",
  request: topicTarget(stream, topic),
});
export const purgeTopic = (stream: string, topic: string): ControlCommand => ({
  kind: "purgeTopic",
  request: topicTarget(stream, topic),
});
export const changePartitions = (
  kind: "createPartitions" | "deletePartitions",
  stream: string,
  topic: string,
  count: number,
): ControlCommand => ({ kind, request: { ...topicTarget(stream, topic), count } });

export interface WorldOptions {
  readonly enforceFsync?: boolean;
  /** Whether a rename below the streams directory, or a sync of a file, is to fail. */
  readonly fails?: (operation: string, path: string) => boolean;
}

/** `disk`: what a start finds; a fresh one when absent. */
export function openWorld(seed: number, { enforceFsync = false, fails = () => false }: WorldOptions, found?: SimDisk) {
  const simulation = found?.simulation ?? new Simulation(seed);
  const sim = found ?? new SimDisk(simulation);
  if (found === undefined) {
    sim.makeDirectory(paths.streamsDirectory);
    sim.makeDirectory(paths.stateDirectory);
    for (const directory of ["/", "/data", paths.streamsDirectory]) sim.syncDirectory(directory);
  }
  const lists: string[] = [];
  const syncs: string[] = [];
  const disk = withFailures(sim, fails, lists, syncs);
  const { log, state } = MetadataLog.open({
    disk,
    directory: paths.stateDirectory,
    enforceFsync,
    onSnapshotFailure: (error) => {
      throw error;
    },
  });
  const warnings: string[] = [];
  const note = (message: string) => void warnings.push(message);
  const messages = { info: note, warn: note, error: note };
  let setAside = 0;
  const count = (key: string) => {
    if (key === "setAside") setAside++;
  };
  const random = seededRandom(seed);
  void tidyStreams({ metadataLog: log, disk, paths, random, messages, count });
  const replica: MetadataState = structuredClone(state);
  const events: MetadataEvent[] = [];
  let nowMicros = 1000;
  const plane = new ControlPlane({
    log,
    disk,
    clock: { nowMicros: () => nowMicros++ },
    paths,
    topicDefaults,
    tokensPerUserMax: 100,
    random,
    messages,
    count,
    broadcast: async (event) => {
      events.push(event);
      apply(replica, structuredClone(event));
      await sim.later(() => undefined);
    },
  });
  /** 0, or the code of the error; settles when the simulation runs. */
  const start = (command: ControlCommand): Promise<number> => codeOf(plane.execute(command));
  /** Carries out commands at the same time; the code of each. */
  const execute = async (...commands: ControlCommand[]): Promise<number[]> => {
    const outcomes = commands.map(start);
    await simulation.run();
    const codes = await Promise.all(outcomes);
    expect(replica).toEqual(log.publishedState);
    return codes;
  };
  return {
    simulation,
    sim,
    log,
    replica,
    events,
    plane,
    warnings,
    lists,
    syncs,
    start,
    execute,
    setAsideCount: () => setAside,
    idsOf: () => [...log.state.streams.byId.keys()].sort((left, right) => left - right),
  };
}

function withFailures(
  disk: SimDisk,
  fails: (operation: string, path: string) => boolean,
  lists: string[],
  syncs: string[],
): Disk {
  const check = (operation: string, path: string) => {
    if (fails(operation, path)) throw new DiskError(operation, path, "EPERM");
  };
  return {
    open: (path, mode) => {
      const file = disk.open(path, mode);
      return new Proxy(file, {
        get(target, key) {
          if (key === "sync") {
            return async () => {
              syncs.push(path);
              await target.sync();
              check("sync", path);
            };
          }
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    },
    exists: (path) => disk.exists(path),
    list: (path) => {
      lists.push(path);
      return disk.list(path);
    },
    makeDirectory: (path) => disk.makeDirectory(path),
    remove: (path) => disk.remove(path),
    removeTree: (path) => disk.removeTree(path),
    link: (from) => disk.link(from),
    rename: (from, to) => {
      if (!from.startsWith(paths.stateDirectory)) check("rename", from);
      disk.rename(from, to);
    },
    syncDirectory: (path) => disk.syncDirectory(path),
  };
}
