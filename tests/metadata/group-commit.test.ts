// Entries that are written first and synced together: what clients see is durable, and what is refused leaves no trace.
import { describe, expect, test } from "bun:test";
import type { MetadataEvent } from "../../src/metadata/events.ts";
import type { MetadataLog } from "../../src/metadata/log.ts";
import { AssertionError } from "../../src/platform/assert.ts";
import { type Disk, DiskError, type DiskFile } from "../../src/platform/disk.ts";
import type { SimDisk } from "../../src/platform/simulated/sim-disk.ts";
import { codeOf as codeOfRequest } from "../support/error-code.ts";
import { wrappedDisk, wrappedFile } from "../support/wrapped-disk.ts";
import { openLog, prefixTexts, sampleEvents } from "./log-support.ts";
import { codeOf, directory, newDisk, textOf } from "./support.ts";

const events = sampleEvents(17);
const texts = prefixTexts(events);
const atSync = { enforceFsync: true, snapshotEveryEntries: Number.POSITIVE_INFINITY };

/** A new disk whose metadata directory itself is durable. */
function startDisk(seed = 1): SimDisk {
  const disk = newDisk(seed);
  disk.makeDirectory("/data");
  disk.syncDirectory("/");
  return disk;
}

/** Writes events and waits for each as the control plane does; publishes what is committed. */
function commitEach(log: MetadataLog, list: readonly MetadataEvent[]): Promise<number>[] {
  return list.map((event) => {
    log.write(event);
    return codeOfRequest(log.committed().then(() => log.publish(event)));
  });
}

/** Counts the syncs of files; fails calls on directories while told to. */
class WatchedDisk {
  syncsCount = 0;
  directoryError: string | undefined;
  openError: string | undefined;
  readonly disk: Disk;

  constructor(inner: SimDisk) {
    this.disk = wrappedDisk(inner, {
      open: (path, mode) => {
        if (this.openError !== undefined) throw new DiskError("open", path, this.openError);
        return this.#watched(inner.open(path, mode));
      },
      syncDirectory: (path) => {
        if (this.directoryError !== undefined) throw new DiskError("syncDirectory", path, this.directoryError);
        inner.syncDirectory(path);
      },
    });
  }

  #watched(file: DiskFile): DiskFile {
    return wrappedFile(file, {
      sync: () => {
        this.syncsCount++;
        return file.sync();
      },
    });
  }
}

describe("where nothing is seen before it is durable", () => {
  test("what is written is planned against at once, and seen after its sync", async () => {
    const disk = startDisk();
    const { log } = openLog(disk, atSync);
    expect(log.write(events[0]!)).toBe(1);
    expect(textOf(log.state)).toBe(texts[1]!);
    expect(textOf(log.publishedState)).toBe(texts[0]!);
    expect(() => log.publish(events[0]!)).toThrow(AssertionError);
    const committed = log.committed();
    await disk.simulation.run();
    await committed;
    expect(textOf(log.publishedState)).toBe(texts[0]!);
    log.publish(events[0]!);
    expect(textOf(log.publishedState)).toBe(texts[1]!);
    expect(textOf(openLog(disk.crash()).state)).toBe(texts[1]!);
  });

  test("one sync answers all who wait: as many syncs for a hundred as for two", async () => {
    const sim = startDisk();
    const watched = new WatchedDisk(sim);
    const { log } = openLog(watched.disk, atSync);
    const many = sampleEvents(100);
    const outcomes = commitEach(log, many);
    await sim.simulation.run();
    expect(await Promise.all(outcomes)).toEqual(many.map(() => 0));
    expect(watched.syncsCount).toBe(2);
    expect(textOf(log.publishedState)).toBe(textOf(log.state));
    await log.sync(); // costs nothing where nothing is new
    expect(watched.syncsCount).toBe(2);
  });

  test("events about members of groups keep their place in the order, and wait for what they build on", async () => {
    const disk = startDisk();
    const { log } = openLog(disk, atSync);
    const key = { streamId: 0, topicId: 0, groupId: 0 };
    const made: MetadataEvent[] = [
      { kind: "streamCreated", streamId: 0, name: "s", createdAtMicros: 1 },
      {
        kind: "topicCreated",
        streamId: 0,
        topicId: 0,
        name: "t",
        createdAtMicros: 1,
        partitionsCount: 2,
        compression: 1,
        messageExpiryMicros: 1n,
        maxTopicSizeBytes: 1n,
        replicationFactor: 1,
      },
      { kind: "groupCreated", ...key, name: "g" },
      { kind: "groupMemberJoined", ...key, clientId: 7, goneClientIds: [], joinedAtMicros: 1 },
    ];
    const outcomes = commitEach(log, made);
    expect(() => log.applyUnlogged({ kind: "groupMembersLeft", ...key, clientIds: [7] })).toThrow(AssertionError);
    expect(() => log.append(events[5]!)).toThrow(AssertionError);
    await disk.simulation.run();
    expect(await Promise.all(outcomes)).toEqual([0, 0, 0, 0]);
    expect(log.lastIndex).toBe(3);
    expect(log.publishedState).toEqual(log.state);
    log.applyUnlogged({ kind: "groupMembersLeft", ...key, clientIds: [7] });
    expect(log.publishedState).toEqual(log.state);
    expect(log.publishedState.groupsByClient.size).toBe(0);
  });

  test("a sync that fails refuses everything behind what is durable, for good", async () => {
    const disk = startDisk();
    const { log } = openLog(disk, atSync);
    log.append(events[0]!);
    disk.failSyncAfter(0);
    const outcomes = commitEach(log, events.slice(1, 5));
    await disk.simulation.run();
    expect(await Promise.all(outcomes)).toEqual([10009, 10009, 10009, 10009]);
    expect(log.isFenced).toBe(true);
    expect(log.lastIndex).toBe(1);
    expect(textOf(log.state)).toBe(texts[1]!);
    expect(textOf(log.publishedState)).toBe(texts[1]!);
    expect(codeOf(() => log.write(events[1]!))).toBe(10005);
    expect(textOf(openLog(disk.processCrash()).state)).toBe(texts[1]!);
  });

  test("what is durable but not published yet stays when a later sync fails", async () => {
    const disk = startDisk();
    const { log } = openLog(disk, atSync);
    log.write(events[0]!);
    const first = log.committed();
    await disk.simulation.run();
    await first;
    disk.failSyncAfter(0);
    log.write(events[1]!);
    const second = codeOfRequest(log.committed());
    await disk.simulation.run();
    expect(await second).toBe(10009);
    expect(textOf(log.state)).toBe(texts[1]!);
    log.publish(events[0]!);
    expect(textOf(log.publishedState)).toBe(texts[1]!);
  });

  test.each([
    "EMFILE",
    "ENFILE",
    "EACCES",
  ])("a directory that cannot be opened (%s) refuses, and ends nothing", async (code) => {
    for (let seed = 0; seed < 20; seed++) {
      const sim = startDisk(seed);
      const watched = new WatchedDisk(sim);
      const { log } = openLog(watched.disk, atSync);
      watched.directoryError = code;
      const refused = commitEach(log, events.slice(0, 3));
      await sim.simulation.run();
      expect(await Promise.all(refused)).toEqual([10009, 10009, 10009]);
      expect(textOf(log.state)).toBe(texts[0]!);
      expect(codeOf(() => log.append(events[0]!))).toBe(10009);
      expect(log.isFenced).toBe(false);
      watched.directoryError = undefined;
      const taken = commitEach(log, events.slice(0, 2));
      await sim.simulation.run();
      expect(await Promise.all(taken)).toEqual([0, 0]);
      expect(textOf(openLog(sim.crash()).state)).toBe(texts[2]!);
    }
  });

  test("the sync of a directory that failed once is made up for by the next append", () => {
    for (let seed = 0; seed < 50; seed++) {
      const sim = startDisk(seed);
      const watched = new WatchedDisk(sim);
      const { log } = openLog(watched.disk, atSync);
      watched.directoryError = "EMFILE";
      expect(codeOf(() => log.append(events[0]!))).toBe(10009);
      watched.directoryError = undefined;
      log.append(events[0]!);
      expect(textOf(openLog(sim.crash()).state)).toBe(texts[1]!);
    }
  });

  test("the sync of a directory that was tried and failed ends the log like that of the file", () => {
    const watched = new WatchedDisk(startDisk());
    const { log } = openLog(watched.disk, atSync);
    watched.directoryError = "EIO";
    expect(codeOf(() => log.append(events[0]!))).toBe(10009);
    watched.directoryError = undefined;
    expect(codeOf(() => log.append(events[0]!))).toBe(10005);
  });

  test("a file that cannot be opened refuses the write, and ends nothing", () => {
    const watched = new WatchedDisk(startDisk());
    const { log } = openLog(watched.disk, atSync);
    watched.openError = "EMFILE";
    expect(codeOf(() => log.write(events[0]!))).toBe(10005);
    watched.openError = undefined;
    expect(log.append(events[0]!)).toBe(1);
  });

  test("a snapshot while a sync is under way: all who wait are answered, and nothing answered is lost", async () => {
    for (let seed = 0; seed < 40; seed++) {
      const disk = startDisk(seed);
      const { log } = openLog(disk, atSync);
      const outcomes = commitEach(log, events.slice(0, 5));
      log.snapshot();
      outcomes.push(...commitEach(log, events.slice(5, 9)));
      log.snapshot();
      await disk.simulation.runSome(seed % 3);
      outcomes.push(...commitEach(log, events.slice(9, 12)));
      await disk.simulation.run();
      expect(await Promise.all(outcomes)).toEqual(Array.from({ length: 12 }, () => 0));
      expect(log.publishedState).toEqual(log.state);
      expect(textOf(openLog(disk.crash()).state)).toBe(texts[12]!);
    }
  });

  test("a sync under way that fails after a snapshot: what the snapshot holds stays, what came behind is refused", async () => {
    const disk = startDisk();
    const { log } = openLog(disk, atSync);
    const held = commitEach(log, events.slice(0, 3));
    log.snapshot();
    const behind = commitEach(log, events.slice(3, 6));
    disk.failSyncAfter(0); // the next to end is the one that began before the snapshot
    await disk.simulation.run();
    expect(await Promise.all(behind)).toEqual([10009, 10009, 10009]);
    expect(textOf(log.state)).toBe(texts[3]!);
    expect(log.isFenced).toBe(true);
    // The first ones may be told either way; the disk has them.
    await Promise.all(held);
    expect(textOf(openLog(disk.crash()).state)).toBe(texts[3]!);
  });

  test("a snapshot that cannot be taken while entries wait for their sync does not hide those that follow", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const sim = startDisk(seed);
      const watched = new WatchedDisk(sim);
      const failures: unknown[] = [];
      const { log } = openLog(watched.disk, {
        ...atSync,
        snapshotEveryEntries: 3,
        onSnapshotFailure: (error) => failures.push(error),
      });
      watched.directoryError = "EMFILE";
      const refused = commitEach(log, events.slice(0, 4));
      await sim.simulation.run();
      expect(await Promise.all(refused)).toEqual([10009, 10009, 10009, 10009]);
      expect(failures.length).toBe(1);
      watched.directoryError = undefined;
      const taken = commitEach(log, events.slice(0, 4));
      await sim.simulation.run();
      expect(await Promise.all(taken)).toEqual([0, 0, 0, 0]);
      expect(textOf(openLog(sim.crash()).state)).toBe(texts[4]!);
    }
  });

  test("seeds × every step: whatever was seen is there after the machine has stopped", async () => {
    let stops = 0;
    for (let seed = 0; seed < 12; seed++) {
      for (let changes = seed % 3; ; changes += 3) {
        const disk = startDisk(seed);
        disk.stopAfter(changes);
        let seen = 0;
        try {
          const { log } = openLog(disk, { ...atSync, snapshotEveryEntries: 5, onSnapshotFailure: () => undefined });
          for (let next = 0; next < events.length && !disk.stopped; ) {
            const batch = events.slice(next, next + 1 + (seed % 4));
            const outcomes = commitEach(log, batch);
            await disk.simulation.run();
            seen += (await Promise.all(outcomes)).filter((code) => code === 0).length;
            expect(textOf(log.publishedState)).toBe(texts[seen]!);
            next += batch.length;
          }
        } catch (error) {
          if (!disk.stopped) throw error;
        }
        if (!disk.stopped) break;
        stops++;
        const { state, log } = openLog(seed % 2 === 0 ? disk.crash() : disk.processCrash());
        expect(log.lastIndex).toBeGreaterThanOrEqual(seen);
        expect(textOf(state)).toBe(texts[log.lastIndex]!);
        expect(textOf(log.publishedState)).toBe(texts[log.lastIndex]!);
      }
    }
    expect(stops).toBeGreaterThan(100);
  });
});

describe("where the saver syncs from time to time", () => {
  test("there is one state, and what is written is seen", async () => {
    const { log } = openLog(startDisk());
    log.write(events[0]!);
    expect(log.publishedState).toBe(log.state);
    await log.committed();
    log.publish(events[0]!);
    expect(textOf(log.state)).toBe(texts[1]!);
  });

  test("after a sync a power loss takes nothing of what came before it", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const disk = startDisk(seed);
      const { log } = openLog(disk);
      for (const event of events.slice(0, 6)) log.append(event);
      const synced = log.sync();
      log.append(events[6]!);
      await disk.simulation.run();
      await synced;
      expect(openLog(disk.crash()).log.lastIndex).toBeGreaterThanOrEqual(6);
    }
  });

  test("what must be durable is so when it is written, with all before it", () => {
    for (let seed = 0; seed < 20; seed++) {
      const disk = startDisk(seed);
      const { log } = openLog(disk);
      log.write(events[0]!);
      expect(log.write(events[1]!, true)).toBe(2);
      log.write(events[2]!);
      expect(openLog(disk.crash()).log.lastIndex).toBeGreaterThanOrEqual(2);
    }
  });

  test("if it cannot be made so it is refused, without a trace; what was answered before stays", () => {
    for (const failing of ["sync", "directory"] as const) {
      const sim = startDisk();
      const watched = new WatchedDisk(sim);
      const { log } = openLog(watched.disk);
      log.write(events[0]!);
      if (failing === "sync") sim.failSyncAfter(0);
      else watched.directoryError = "EMFILE";
      expect(codeOf(() => log.write(events[1]!, true))).toBe(10009);
      expect([log.lastIndex, textOf(log.state)]).toEqual([1, texts[1]!]);
      sim.heal();
      watched.directoryError = undefined;
      expect(log.isFenced).toBe(failing === "sync");
      expect(codeOf(() => log.write(events[1]!, true))).toBe(failing === "sync" ? 10005 : 0);
      expect(textOf(openLog(sim.processCrash()).state)).toBe(texts[failing === "sync" ? 1 : 2]!);
    }
  });

  test("a directory that cannot be synced now is synced the next time; nothing is refused meanwhile", async () => {
    const sim = startDisk();
    const watched = new WatchedDisk(sim);
    const { log } = openLog(watched.disk);
    log.append(events[0]!);
    watched.directoryError = "EMFILE";
    const failed = codeOfRequest(log.sync());
    await sim.simulation.run();
    expect(await failed).toBe(10009);
    expect(log.append(events[1]!)).toBe(2);
    watched.directoryError = undefined;
    const synced = log.sync();
    await sim.simulation.run();
    await synced;
    expect(textOf(openLog(sim.crash()).state)).toBe(texts[2]!);
  });

  test("a sync that failed ends the log; what was seen stays", async () => {
    const disk = startDisk();
    const { log } = openLog(disk);
    log.append(events[0]!);
    disk.failSyncAfter(0);
    const failed = codeOfRequest(log.sync());
    await disk.simulation.run();
    expect(await failed).toBe(10009);
    expect(log.isFenced).toBe(true);
    expect(textOf(log.state)).toBe(texts[1]!);
    expect(await codeOfRequest(log.sync())).toBe(10009);
  });
});

test("the directory of the metadata is named in the parent's durable entries", () => {
  for (let seed = 0; seed < 20; seed++) {
    const disk = startDisk(seed);
    const { log } = openLog(disk, atSync);
    log.append(events[0]!);
    expect(disk.crash().list(directory)).toContain("metadata.log");
  }
});
