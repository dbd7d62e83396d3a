import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { entriesById, MetadataLog, type MetadataState } from "../../src/metadata/index.ts";
import { toPlainState } from "../../src/metadata/plain-state.ts";
import { SimDisk } from "../../src/platform/simulated/sim-disk.ts";
import { Simulation } from "../../src/platform/simulated/simulation.ts";
import { type Codec, decode } from "../../src/protocol/codec.ts";
import { getConsumerGroupsReplyCodec } from "../../src/protocol/group/get-consumer-groups.ts";
import { u64Max } from "../../src/protocol/limits.ts";
import { CompressionCode, UserStatusCode } from "../../src/protocol/records/enumerations.ts";
import { getStreamsReplyCodec } from "../../src/protocol/stream/get-streams.ts";
import { getPersonalAccessTokensReplyCodec } from "../../src/protocol/token/get-personal-access-tokens.ts";
import { getTopicReplyCodec } from "../../src/protocol/topic/get-topic.ts";
import { getUserReplyCodec } from "../../src/protocol/user/get-user.ts";
import { getUsersReplyCodec } from "../../src/protocol/user/get-users.ts";
import { verifyPassword } from "../../src/security/password.ts";
import { type TakenOver, takeOver } from "../../src/takeover/take-over.ts";
import { TakeoverError } from "../../src/takeover/takeover-error.ts";
import { recordedLog } from "./iggy-log.ts";

const directory = "/data/state";
const defaults = { messageExpiryMicros: u64Max, maxTopicSizeBytes: u64Max };
const nowMicros = 1_900_000_000_000_000;

function openLog(disk: SimDisk): MetadataLog {
  return MetadataLog.open({
    disk,
    directory,
    enforceFsync: false,
    onSnapshotFailure: (error) => {
      throw error;
    },
  }).log;
}

function run(disk: SimDisk, infos: string[] = []): TakenOver | undefined {
  return takeOver({
    disk,
    stateDirectory: directory,
    defaults,
    nowMicros,
    openLog: () => openLog(disk),
    onInfo: (message) => infos.push(message),
  });
}

/** A disk that holds what Iggy left, durably. */
function diskWith(log: Uint8Array, seed = 1): SimDisk {
  const disk = new SimDisk(new Simulation(seed));
  disk.makeDirectory(directory);
  for (const path of ["/", "/data"]) disk.syncDirectory(path);
  write(disk, "log", log);
  write(disk, "info", new TextEncoder().encode("0.8.0"));
  return disk;
}

function write(disk: SimDisk, name: string, bytes: Uint8Array): void {
  const file = disk.open(`${directory}/${name}`, "create");
  file.write([bytes], 0);
  file.syncNow();
  file.close();
  disk.syncDirectory(directory);
}

function contentOf(disk: SimDisk, name: string): Uint8Array {
  const file = disk.open(`${directory}/${name}`, "read");
  const bytes = new Uint8Array(file.sizeBytes());
  file.read(bytes, 0);
  file.close();
  return bytes;
}

/** What a server that starts now knows. */
function stateOf(disk: SimDisk): MetadataState {
  const log = openLog(disk);
  log.close();
  return log.state;
}

/** `state` is that of the recorded directory, and the original is kept as it was. */
const wanted = (() => {
  const disk = diskWith(recordedLog);
  run(disk);
  return toPlainState(stateOf(disk));
})();

describe("recorded directory", () => {
  const recorded: Record<string, { readonly reply: string }> = JSON.parse(
    readFileSync(join(import.meta.dir, "../golden/data-directory.json"), "utf8"),
  );
  const reply = <T>(codec: Codec<T>, name: string) => decode(codec, Buffer.from(recorded[name]!.reply, "hex"));
  const disk = diskWith(recordedLog);
  const infos: string[] = [];
  const result = run(disk, infos);
  const state = stateOf(disk);

  test("it is said what was taken over, and the original is kept", () => {
    expect(result).toEqual({ entriesCount: 14, keptAs: `${directory}/log.iggy` });
    expect(infos).toEqual(["took over the metadata of an Iggy server"]);
    expect(contentOf(disk, "log.iggy")).toEqual(recordedLog);
    expect(disk.exists(`${directory}/log`)).toBe(false);
    expect(disk.exists(`${directory}/log.takeover`)).toBe(false);
  });

  test("streams answer as recorded", () => {
    const found = entriesById(state.streams).map(({ id, name, createdAtMicros, topics }) => ({
      id,
      name,
      createdAtMicros: BigInt(createdAtMicros),
      topicsCount: topics.byId.size,
    }));
    expect(found).toMatchObject([...reply(getStreamsReplyCodec, "streams")].map(withoutCounters));
  });

  test.each([0, 1])("the topic of stream %d answers as recorded, each partition with its own time", (streamId) => {
    const topic = state.streams.byId.get(streamId)!.topics.byId.get(0)!;
    const { id, createdAtMicros, name, messageExpiryMicros, maxTopicSizeBytes, replicationFactor } = topic;
    const details = reply(getTopicReplyCodec, `topic ${streamId}/0`);
    expect(withoutCounters(details)).toEqual({
      id,
      createdAtMicros: BigInt(createdAtMicros),
      name,
      messageExpiryMicros,
      maxTopicSizeBytes,
      replicationFactor,
      partitionsCount: topic.partitions.length,
      compression: details.compression,
      partitions: topic.partitions.map((partition, partitionId) => ({
        id: partitionId,
        createdAtMicros: BigInt(partition.createdAtMicros),
      })),
    });
    expect(topic.compression).toBe(CompressionCode[details.compression]);
  });

  test("users answer as recorded, with their rights", () => {
    const users = reply(getUsersReplyCodec, "users");
    const found = entriesById(state.users).map(({ id, name, createdAtMicros, status }) => ({
      id,
      username: name,
      createdAtMicros: BigInt(createdAtMicros),
      status,
    }));
    expect(found).toEqual(users.map((user) => ({ ...user, status: UserStatusCode[user.status] })));
    expect(state.users.byName.get("alice")?.permissions).toEqual(reply(getUserReplyCodec, "user alice").permissions!);
    expect(state.users.byName.get("bobby")?.permissions).toBeNull();
  });

  test("the last password counts", async () => {
    const { passwordHash } = state.users.byName.get("alice")!;
    expect(verifyPassword("secret9", passwordHash)).toBe(true);
    expect(verifyPassword("secret1", passwordHash)).toBe(false);
  });

  test("tokens answer as recorded and are found by their hash", () => {
    const tokens = [...state.users.byId.get(0)!.tokensByName.values()];
    expect(tokens.map(({ name, expiryAtMicros }) => ({ name, expiryAtMicros }))).toEqual([
      ...reply(getPersonalAccessTokensReplyCodec, "tokens"),
    ]);
    const hash = "511ed9a6ba4022ba1a3213d27328a1cbcd9aa016ed127fd4e3a1eb86f5487f92";
    expect(state.tokensByHash.get(hash)).toEqual({ userId: 0, name: "ci-token" });
  });

  test("groups answer as recorded, without members", () => {
    const { groups, partitions } = state.streams.byId.get(0)!.topics.byId.get(0)!;
    const found = entriesById(groups).map(({ id, name, members }) => ({
      id,
      name,
      partitionsCount: partitions.length,
      membersCount: members.length,
    }));
    expect(found).toEqual([...reply(getConsumerGroupsReplyCodec, "groups 0/0")]);
  });

  test("the next start takes nothing over and knows the same", () => {
    const again: string[] = [];
    expect(run(disk, again)).toBeUndefined();
    expect(again).toEqual([]);
    expect(toPlainState(stateOf(disk))).toEqual(wanted);
  });
});

/** Sizes and counts of messages are those of the partitions, not of the metadata. */
function withoutCounters(value: unknown): Record<string, unknown> {
  const counters = ["sizeBytes", "messagesCount", "segmentsCount", "currentOffset"];
  return JSON.parse(
    JSON.stringify(value, (key, part: unknown) => {
      if (counters.includes(key)) return undefined;
      return typeof part === "bigint" ? { bigint: String(part) } : part;
    }),
    (_, part) => (typeof part?.bigint === "string" ? BigInt(part.bigint) : part),
  );
}

describe("when it must not happen", () => {
  test("an entry that cannot be read leaves everything as it was", () => {
    for (let position = 0; position < recordedLog.byteLength; position += 7) {
      const damaged = recordedLog.slice();
      damaged[position]! ^= 0xff;
      const disk = diskWith(damaged);
      const infos: string[] = [];
      expect(() => run(disk, infos)).toThrow(TakeoverError);
      expect(disk.list(directory)).toEqual(["info", "log"]);
      expect(contentOf(disk, "log")).toEqual(damaged);
      expect(infos).toEqual([]);
    }
  });

  test("a directory of our own is not touched, and the log says why", () => {
    const disk = diskWith(recordedLog);
    const own = openLog(disk);
    own.append({ kind: "streamCreated", streamId: 0, name: "own", createdAtMicros: 1 });
    own.close();
    const before = disk.list(directory);
    const infos: string[] = [];
    expect(run(disk, infos)).toBeUndefined();
    expect(infos).toEqual([expect.stringContaining("not read")]);
    expect(disk.list(directory)).toEqual(before);
    expect([...stateOf(disk).streams.byName.keys()]).toEqual(["own"]);
  });

  test("a new directory has nothing to take over", () => {
    const disk = new SimDisk(new Simulation(1));
    disk.makeDirectory(directory);
    expect(run(disk)).toBeUndefined();
    expect(disk.list(directory)).toEqual([]);
  });

  test("an original that was kept before is not replaced", () => {
    const disk = diskWith(recordedLog);
    write(disk, "log.iggy", new Uint8Array([1]));
    expect(run(disk)?.keptAs).toBe(`${directory}/log.iggy.2`);
    expect(contentOf(disk, "log.iggy")).toEqual(new Uint8Array([1]));
  });

  test("an empty log of the original is put aside", () => {
    const disk = diskWith(new Uint8Array(0));
    expect(run(disk)).toEqual({ entriesCount: 0, keptAs: `${directory}/log.iggy` });
    expect(stateOf(disk).users.byId.size).toBe(0);
  });
});

describe("crashes", () => {
  /** Runs until the machine stops after `count` changes, or to the end; true if it stopped. */
  function runUntil(disk: SimDisk, count: number): boolean {
    disk.stopAfter(count);
    try {
      run(disk);
    } catch (error) {
      if (!disk.stopped) throw error;
    }
    return disk.stopped;
  }

  const kinds = ["power", "kill"] as const;
  const restart = (disk: SimDisk, kind: (typeof kinds)[number]) =>
    kind === "power" ? disk.crash() : disk.processCrash();

  function expectTakenOver(disk: SimDisk): void {
    expect(toPlainState(stateOf(disk))).toEqual(wanted);
    expect(contentOf(disk, "log.iggy")).toEqual(recordedLog);
    expect(disk.list(directory).filter((name) => name.startsWith("log"))).toEqual(["log.iggy"]);
  }

  test.each(kinds)("%s loss at any step is made good by the next start", (kind) => {
    let count = 0;
    for (let stopped = true; stopped; count++) {
      for (let seed = 0; seed < 5; seed++) {
        const disk = diskWith(recordedLog, seed);
        stopped = runUntil(disk, count);
        const next = restart(disk, kind);
        run(next);
        expectTakenOver(next);
      }
    }
    expect(count).toBeGreaterThan(20);
  });

  test("a second crash, in the repetition, is made good as well", () => {
    for (let first = 0; first < 28; first += 3) {
      for (let second = 0; second < 36; second += 2) {
        const disk = diskWith(recordedLog, first * 100 + second);
        runUntil(disk, first);
        const middle = restart(disk, kinds[first % 2]!);
        runUntil(middle, second);
        const last = restart(middle, kinds[second % 4 < 2 ? 0 : 1]!);
        run(last);
        expectTakenOver(last);
      }
    }
  });

  test("a disk that is full ends the start, and one with room finishes it", () => {
    const disk = diskWith(recordedLog);
    disk.fillUpAfter(600);
    expect(() => run(disk)).toThrow();
    expect(contentOf(disk, "log")).toEqual(recordedLog);
    disk.heal();
    const infos: string[] = [];
    run(disk, infos);
    expect(infos[0]).toContain("starts again");
    expectTakenOver(disk);
  });
});
