import { describe, expect, test } from "bun:test";
import { encodeEntry, scanEntries } from "../../src/metadata/log-entries.ts";
import { encodePlain } from "../../src/metadata/plain-data.ts";
import { DataVersionError, encodeSnapshot, parseSnapshot, readSnapshot } from "../../src/metadata/snapshot.ts";
import type { Disk } from "../../src/platform/disk.ts";
import { SimDisk } from "../../src/platform/simulated/sim-disk.ts";
import { Simulation } from "../../src/platform/simulated/simulation.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { filesAfter, openLog, prefixTexts, sampleEvents } from "./log-support.ts";
import {
  buildingEventsCount,
  directory,
  diskWith,
  everyEvent,
  filesOf,
  newDisk,
  readBytes,
  textOf,
  writeBytes,
} from "./support.ts";

const events = sampleEvents(17);
const texts = prefixTexts(events);
const snapshotEveryEntries = 5;
const final = texts.at(-1)!;
const files = filesAfter(events, snapshotEveryEntries);

function expectRecovered(disk: Disk, repairs: number): void {
  const opened = openLog(disk, { snapshotEveryEntries });
  expect(textOf(opened.state)).toBe(final);
  expect(opened.log.lastIndex).toBe(17);
  expect(opened.repairs.length).toBe(repairs);
  opened.log.close();
}

/** In both copies. */
function damage(disk: Disk, name: string, at = 30): void {
  const path = `${directory}/${name}`;
  const bytes = readBytes(disk, path);
  for (const place of [at, at + copyBytes(bytes)]) bytes[place]! ^= 0x40;
  writeBytes(disk, path, bytes);
}

/** Of each of the two behind magic and checksum. */
function copyBytes(snapshot: Uint8Array): number {
  return (snapshot.byteLength - 16) / 2;
}

describe("snapshot files", () => {
  test("two snapshots and the log since the older one are kept", () => {
    expect(Object.keys(files)).toEqual([
      "metadata.log",
      "metadata.log.previous",
      "metadata.snapshot",
      "metadata.snapshot.previous",
    ]);
    expect(parseSnapshot(files["metadata.snapshot"]!)?.lastIndex).toBe(15);
    expect(parseSnapshot(files["metadata.snapshot.previous"]!)?.lastIndex).toBe(10);
  });

  test("holds every kind of thing", () => {
    const disk = newDisk();
    const { log } = openLog(disk);
    for (const event of everyEvent.slice(0, buildingEventsCount)) log.append(event);
    const path = `${directory}/some.snapshot`;
    writeBytes(disk, path, encodeSnapshot({ state: log.state, lastIndex: buildingEventsCount }));
    const read = readSnapshot(disk, path);
    if (typeof read === "string") throw new Error(`the snapshot is ${read}`);
    expect(read.lastIndex).toBe(buildingEventsCount);
    expect(textOf(read.state)).toBe(textOf(log.state));
    expect(read.state.users).toEqual(log.state.users);
    expect(read.state.streams).toEqual(log.state.streams);
    expect(read.state.tokensByHash).toEqual(log.state.tokensByHash);
  });

  test("any changed byte is made good by the other copy, any end is seen as damage", () => {
    const bytes = files["metadata.snapshot"]!;
    const payload = parseSnapshot(bytes)!.payload;
    const copy = copyBytes(bytes);
    for (let at = 0; at < bytes.byteLength; at++) {
      const isFirstWhole = at >= 16 + copy;
      expect(parseSnapshot(bytes.slice(0, at))?.isCorrected).toBe(isFirstWhole ? true : undefined);
      const changed = bytes.slice();
      changed[at] = changed[at]! ^ 0x10;
      expect(parseSnapshot(changed)).toMatchObject({ isCorrected: true, payload });
      if (at < 16) continue;
      changed[at < 16 + copy ? at + copy : at - copy]! ^= 0x10;
      expect(parseSnapshot(changed)).toBeUndefined();
    }
  });

  test.each([
    [4, "a newer one wrote it"],
    [0, "it is too old"],
  ])("an intact one of version %d stops the start, says so, and changes nothing", (found, text) => {
    const bytes = files["metadata.snapshot"]!.slice();
    const view = new DataView(bytes.buffer);
    view.setUint32(16, found, true);
    view.setBigUint64(8, Bun.hash.xxHash3(bytes.subarray(16)), true); // whatever is behind the version
    const disk = diskWith({
      ...files,
      "metadata.snapshot": bytes,
      "metadata.log": files["metadata.log"]!.slice(0, -3),
    });
    const before = filesOf(disk);
    expect(() => openLog(disk)).toThrow(DataVersionError);
    expect(() => openLog(disk)).toThrow(text);
    expect(filesOf(disk)).toEqual(before);
  });

  test("0.1.0, which checks the sum over the whole file first, finds it intact and of a version that it does not know", () => {
    const bytes = files["metadata.snapshot"]!;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    expect(new TextDecoder().decode(bytes.subarray(0, 8))).toBe("WHIPMETA");
    expect(view.getBigUint64(8, true)).toBe(Bun.hash.xxHash3(bytes.subarray(16)));
    expect(view.getUint32(16, true)).toBe(3);
  });

  test("the first start writes one, so that an earlier version leaves the directory alone", () => {
    const disk = newDisk();
    openLog(disk);
    expect(Object.keys(filesOf(disk))).toEqual(["metadata.snapshot"]);
    expect(parseSnapshot(filesOf(disk)["metadata.snapshot"]!)).toMatchObject({ version: 3, lastIndex: 0 });
  });

  test("one that cannot be taken is reported, and the log goes on and tries again", () => {
    const disk = newDisk();
    const failures: unknown[] = [];
    const { log, state } = openLog(disk, {
      snapshotEveryEntries,
      onSnapshotFailure: (error) => failures.push(error),
    });
    for (const event of events.slice(0, 4)) log.append(event);
    disk.failWriteAfter(1); // the entry is written, the snapshot is not
    for (const event of events.slice(4)) log.append(event);
    expect(failures).toMatchObject([{ errorCode: "EIO" }]);
    expect(textOf(state)).toBe(final);
    expect(parseSnapshot(filesOf(disk)["metadata.snapshot"]!)?.lastIndex).toBe(15);
    expectRecovered(disk, 0);
  });
});

describe("damaged snapshot", () => {
  test.each([
    ["the newest", ["metadata.snapshot"]],
    ["the previous", ["metadata.snapshot.previous"]],
  ])("%s one damaged loses nothing, neither now nor when the next one is damaged", (_name, names) => {
    const disk = diskWith(files);
    for (const name of names) damage(disk, name);
    expectRecovered(disk, 1);
    if (names[0] !== "metadata.snapshot") return;
    expect(disk.list(directory)).toContain("metadata.snapshot.damaged-1");
    for (let round = 0; round < 3; round++) {
      damage(disk, "metadata.snapshot");
      expectRecovered(disk, 1);
    }
  });

  test("the newest one lost altogether loses nothing", () => {
    const { "metadata.snapshot": _lost, ...rest } = files;
    expectRecovered(diskWith(rest), 0);
  });

  test("the only one damaged: the log from the beginning is still there", () => {
    const early = filesAfter(events.slice(0, 7), snapshotEveryEntries);
    const disk = diskWith(early);
    for (const name of ["metadata.snapshot", "metadata.snapshot.previous"]) damage(disk, name);
    const { state, log } = openLog(disk, { snapshotEveryEntries });
    expect(textOf(state)).toBe(texts[7]!);
    expect(log.append(events[7]!)).toBe(8);
  });

  test("damaged log entries that the snapshot holds are not missed, and appends follow without a gap", () => {
    // A crash came before the log was restarted: it still holds the entries of the newest snapshot.
    const bytes = Buffer.concat(events.slice(5, 10).map((event, step) => encodeEntry(step + 6, encodePlain(event))));
    const snapshot = filesAfter(events.slice(0, 10), snapshotEveryEntries)["metadata.snapshot"]!;
    const disk = diskWith({ "metadata.snapshot": snapshot, "metadata.log": bytes.subarray(0, bytes.byteLength - 3) });
    const { state, log } = openLog(disk, { snapshotEveryEntries });
    expect(textOf(state)).toBe(texts[10]!);
    for (const event of events.slice(10)) log.append(event);
    log.close();
    expectRecovered(disk, 0);
    damage(disk, "metadata.snapshot");
    expectRecovered(disk, 1);
  });
});

describe("crash", () => {
  const seeds = Array.from({ length: 40 }, (_, seed) => seed);

  /** Runs until the machine stops in its `changes`th change; returns how many appends were acknowledged. */
  function runUntilStop(disk: SimDisk, changes: number): { acknowledged: number; stopped: boolean } {
    disk.makeDirectory("/data");
    disk.syncDirectory("/");
    disk.stopAfter(changes);
    let acknowledged = 0;
    try {
      const { log } = openLog(disk, { enforceFsync: true, snapshotEveryEntries, onSnapshotFailure: () => undefined });
      while (acknowledged < events.length) {
        log.append(events[acknowledged]!);
        acknowledged++;
      }
      log.close();
    } catch (error) {
      if (!disk.stopped) throw error;
      if (!(error instanceof IggyError) && !(error instanceof Error && error.name === "DiskError")) throw error;
    }
    return { acknowledged, stopped: disk.stopped };
  }

  function syncFiles(disk: Disk): void {
    for (const name of disk.list(directory)) {
      const file = disk.open(`${directory}/${name}`, "readWrite");
      file.syncNow();
      file.close();
    }
    for (const path of ["/", "/data", directory]) disk.syncDirectory(path);
  }

  function durableDisk(seed: number, content: Readonly<Record<string, Uint8Array>>): SimDisk {
    const disk = new SimDisk(new Simulation(seed));
    disk.makeDirectory(directory);
    for (const [name, bytes] of Object.entries(content)) writeBytes(disk, `${directory}/${name}`, bytes);
    syncFiles(disk);
    return disk;
  }

  /** False if the machine stopped on the way. */
  function opens(disk: SimDisk): boolean {
    try {
      openLog(disk, { snapshotEveryEntries });
      return true;
    } catch (error) {
      if (!disk.stopped) throw error;
      return false;
    }
  }

  function expectAcknowledged(disk: Disk, acknowledged: number, context: string): void {
    const { state, log } = openLog(disk, { snapshotEveryEntries });
    const found = log.lastIndex;
    // The append under way when the machine stopped may have made it.
    expect(`${context}: ${found >= acknowledged && found <= acknowledged + 1}`).toBe(`${context}: true`);
    expect(textOf(state)).toBe(texts[found]!);
    if (found < events.length) log.append(events[found]!);
    log.close();
    const again = openLog(disk, { snapshotEveryEntries });
    expect(textOf(again.state)).toBe(texts[Math.min(found + 1, events.length)]!);
    expect(again.repairs).toEqual([]);
  }

  test("seeds × every step: what was acknowledged is there, also if then the newest snapshot is damaged", () => {
    let stops = 0;
    for (const seed of seeds) {
      for (let changes = seed % 4; ; changes += 4) {
        const context = `seed ${seed}, change ${changes}`;
        const disk = new SimDisk(new Simulation(seed));
        const { acknowledged, stopped } = runUntilStop(disk, changes);
        if (!stopped) break;
        stops++;
        const after = seed % 8 < 4 ? disk.crash() : disk.processCrash();
        const damaged = diskWith(filesOf(after));
        expectAcknowledged(after, acknowledged, context);
        if (!damaged.exists(`${directory}/metadata.snapshot`)) continue;
        damage(damaged, "metadata.snapshot");
        expectAcknowledged(damaged, acknowledged, `${context}, damaged`);
      }
    }
    expect(stops).toBeGreaterThan(500);
  });

  test("without fsync a power loss costs the newest entries at most, never a start and never a snapshot", () => {
    for (const seed of seeds) {
      for (let count = 0; count <= events.length; count++) {
        const disk = new SimDisk(new Simulation(seed));
        disk.makeDirectory("/data");
        disk.syncDirectory("/");
        const { log } = openLog(disk, { snapshotEveryEntries });
        for (const event of events.slice(0, count)) log.append(event);
        const after = disk.crash();
        const damaged = diskWith(filesOf(after));
        if (count >= snapshotEveryEntries) damage(damaged, "metadata.snapshot");
        for (const next of [after, damaged]) {
          const { log: found, state } = openLog(next, { snapshotEveryEntries });
          expect(found.lastIndex).toBeLessThanOrEqual(count);
          expect(found.lastIndex).toBeGreaterThanOrEqual(count - (count % snapshotEveryEntries));
          expect(textOf(state)).toBe(texts[found.lastIndex]!);
        }
      }
    }
  });

  test("a failed sync and a restart, then a power loss: what was synced after the restart is there", () => {
    for (const seed of seeds) {
      const disk = durableDisk(seed, files);
      const first = openLog(disk, { snapshotEveryEntries: 100 }).log;
      first.append({ kind: "streamUpdated", streamId: 0, name: "unsynced" });
      disk.failSyncAfter(0);
      expect(() => first.close()).toThrow("EIO");
      const second = openLog(disk, { snapshotEveryEntries: 100, enforceFsync: true }).log;
      second.append({ kind: "streamUpdated", streamId: 0, name: "synced" });
      const { log, state } = openLog(disk.crash());
      expect(log.lastIndex).toBe(19);
      expect(state.streams.byName.has("synced")).toBe(true);
    }
  });

  test("a disk too full for a snapshot does not prevent a start", () => {
    const disk = durableDisk(1, files);
    disk.fillUpAfter(0);
    const failures: unknown[] = [];
    const { state } = openLog(disk, { onSnapshotFailure: (error) => failures.push(error) });
    expect(textOf(state)).toBe(final);
    expect(failures).toMatchObject([{ errorCode: "ENOSPC" }]);
    disk.heal();
    expectRecovered(disk.crash(), 0);
  });

  test("seeds × every step of cutting a damaged tail: its bytes are always in some file", () => {
    const log = files["metadata.log"]!;
    const last = scanEntries(log).entries.at(-1)!;
    const torn = log.slice(0, (last.position + last.end) / 2 - 5);
    const tail = Buffer.from(torn.subarray(last.position)).toString("latin1");
    for (const seed of seeds) {
      for (let changes = 0, survived = false; !survived; changes++) {
        const disk = durableDisk(seed, { ...files, "metadata.log": torn });
        disk.stopAfter(changes);
        survived = opens(disk);
        const after = Object.values(filesOf(disk.crash()));
        expect(after.some((bytes) => Buffer.from(bytes).toString("latin1").includes(tail))).toBe(true);
      }
    }
  });

  test("seeds × every step of a repair: a second crash loses nothing either", () => {
    for (const seed of seeds) {
      for (let changes = 0; ; changes++) {
        const disk = durableDisk(seed, files);
        damage(disk, "metadata.snapshot");
        syncFiles(disk);
        disk.stopAfter(changes);
        if (opens(disk)) break;
        const { state, log } = openLog(disk.crash(), { snapshotEveryEntries });
        expect(`seed ${seed}, change ${changes}: ${textOf(state)}`).toBe(`seed ${seed}, change ${changes}: ${final}`);
        expect(log.lastIndex).toBe(17);
      }
    }
  });
});
