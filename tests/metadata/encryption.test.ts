import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { MetadataKeyError } from "../../src/metadata/cipher.ts";
import { encodeEntry, scanEntries } from "../../src/metadata/log-entries.ts";
import { parseSnapshot } from "../../src/metadata/snapshot.ts";
import type { Disk } from "../../src/platform/disk.ts";
import { createCipher } from "../../src/security/encryption.ts";
import { filesAfter, openLog, prefixTexts, sampleEvents } from "./log-support.ts";
import { directory, diskWith, everyEvent, filesOf, newDisk, readBytes, textOf } from "./support.ts";

const cipher = createCipher(Buffer.alloc(32, 1).toString("base64"));
const otherCipher = createCipher(Buffer.alloc(32, 2).toString("base64"));
const noSnapshots = { snapshotEveryEntries: Number.POSITIVE_INFINITY };

const events = sampleEvents(17);
const texts = prefixTexts(events);
const final = texts.at(-1)!;
const clearFiles = filesAfter(events, 5);
const encryptedFiles = filesAfter(events, 5, cipher);

/** How many intact entries and snapshots are in clear, and how many are encrypted. */
function countContents(files: Readonly<Record<string, Uint8Array>>): { clear: number; encrypted: number } {
  const counts = { clear: 0, encrypted: 0 };
  for (const [name, bytes] of Object.entries(files)) {
    const snapshot = name.includes("snapshot") ? parseSnapshot(bytes) : undefined;
    for (const { isEncrypted } of snapshot === undefined ? scanEntries(bytes).entries : [snapshot]) {
      if (isEncrypted) counts.encrypted++;
      else counts.clear++;
    }
  }
  return counts;
}

function holdsText(disk: Disk, text: string): boolean {
  return Object.values(filesOf(disk)).some((bytes) => Buffer.from(bytes).includes(text));
}

/** The error of opening, which must leave every file as it was. */
function keyErrorOf(disk: Disk, options: Parameters<typeof openLog>[1]): MetadataKeyError {
  const before = filesOf(disk);
  let caught: unknown;
  try {
    openLog(disk, options);
  } catch (error) {
    caught = error;
  }
  expect(filesOf(disk)).toEqual(before);
  if (!(caught instanceof MetadataKeyError)) throw new Error("expected a MetadataKeyError", { cause: caught });
  return caught;
}

describe("with a key", () => {
  test("the state is there after restarts, and no name or hash is readable in any file", () => {
    const disk = newDisk();
    let current = openLog(disk, { cipher, snapshotEveryEntries: 4 });
    const twin = openLog(newDisk());
    for (const event of everyEvent.slice(0, 14)) {
      current.log.append(event);
      twin.log.append(event);
      current.log.close();
      current = openLog(disk, { cipher, snapshotEveryEntries: 4 });
      expect(current.repairs).toEqual([]);
      expect(textOf(current.state)).toBe(textOf(twin.state));
    }
    for (const text of ["iggy", "argon2id", "bestellungen", "ci-token", "userCreated", "streams"]) {
      expect(holdsText(disk, text)).toBe(false);
    }
    expect(countContents(filesOf(disk))).toEqual({ clear: 0, encrypted: expect.any(Number) });
  });

  test("a file that ends at any byte of the last entries is repaired as without one", () => {
    const entries = scanEntries(filesAfter(events, Number.POSITIVE_INFINITY, cipher)["metadata.log"]!).entries;
    const intact = filesAfter(events, Number.POSITIVE_INFINITY, cipher)["metadata.log"]!.slice(0, entries.at(-1)!.end);
    const lastHalf = (entries.at(-1)!.position + intact.byteLength) / 2;
    for (let end = entries.at(-2)!.position; end < lastHalf; end++) {
      const disk = diskWith({ "metadata.log": intact.slice(0, end) });
      const whole = entries.filter((entry) => (entry.position + entry.end) / 2 <= end).length;
      const { state, log } = openLog(disk, { cipher, ...noSnapshots });
      expect(textOf(state)).toBe(texts[whole]!);
      expect(log.append(events[whole]!)).toBe(whole + 1);
    }
  });

  test("bytes that are changed in both copies are damage, not a wrong key", () => {
    const intact = filesAfter(events, Number.POSITIVE_INFINITY, cipher)["metadata.log"]!;
    const last = scanEntries(intact).entries.at(-1)!;
    const sizeBytes = (last.end - last.position) / 2;
    for (let at = last.position; at < last.position + sizeBytes; at++) {
      const bytes = intact.slice();
      bytes[at]! ^= 0x80;
      bytes[at + sizeBytes]! ^= 0x80;
      const { state, damage } = openLog(diskWith({ "metadata.log": bytes }), { cipher });
      expect(textOf(state)).toBe(texts[16]!);
      expect(damage?.missing).toEqual([{ firstIndex: 17, lastIndex: 17 }]);
    }
  });

  test("a damaged snapshot falls back to the previous one", () => {
    const bytes = encryptedFiles["metadata.snapshot"]!.slice();
    for (const at of [40, 40 + (bytes.byteLength - 16) / 2]) bytes[at]! ^= 1;
    const disk = diskWith({ ...encryptedFiles, "metadata.snapshot": bytes });
    const { state, repairs } = openLog(disk, { cipher });
    expect(textOf(state)).toBe(final);
    expect(repairs.map(({ reason }) => reason)).toEqual(["damaged snapshot"]);
    expect(countContents(filesOf(disk)).clear).toBe(0);
  });
});

describe("a missing or wrong key stops the start and changes nothing", () => {
  test.each(Object.keys(encryptedFiles))("for %s alone, which the error names", (name) => {
    const disk = diskWith({ [name]: encryptedFiles[name]! });
    for (const [options, reason] of [
      [{}, "missing"],
      [{ cipher: otherCipher }, "wrong"],
    ] as const) {
      const error = keyErrorOf(disk, options);
      expect(error).toMatchObject({ path: `${directory}/${name}`, reason });
      expect(error.message).toContain("system.encryption.key");
      expect(error.message).toContain(name);
    }
  });

  test("whatever else is damaged or torn", () => {
    const torn = withTornEntry(encryptedFiles["metadata.log"]!);
    const damaged = encryptedFiles["metadata.snapshot"]!.slice().fill(1, 100);
    const disk = diskWith({ ...encryptedFiles, "metadata.log": torn, "metadata.snapshot": damaged });
    expect(keyErrorOf(disk, {}).reason).toBe("missing");
    expect(keyErrorOf(disk, { cipher: otherCipher }).reason).toBe("wrong");
    expect(textOf(openLog(disk, { cipher }).state)).toBe(texts[16]!);
  });

  test("also where encrypted entries follow clear ones", () => {
    const disk = diskWith({ "metadata.log": clearLogThenEncrypted() });
    expect(keyErrorOf(disk, {}).reason).toBe("missing");
    expect(keyErrorOf(disk, { cipher: otherCipher }).reason).toBe("wrong");
    expect(textOf(openLog(disk, { cipher }).state)).toBe(final);
  });

  test("an intact entry in the middle that does not decrypt stops it as well", () => {
    const intact = filesAfter(events, Number.POSITIVE_INFINITY, cipher)["metadata.log"]!;
    const entries = scanEntries(intact).entries.map(({ index, payload }) => {
      const changed = payload.slice();
      if (index === 9) changed[20]! ^= 1;
      return encodeEntry(index, changed, true);
    });
    const disk = diskWith({ "metadata.log": Buffer.concat(entries) });
    expect(keyErrorOf(disk, { cipher })).toMatchObject({ path: `${directory}/metadata.log`, reason: "wrong" });
  });
});

/** The log without the end of its last entry's first copy. */
function withTornEntry(log: Uint8Array): Uint8Array {
  const { position, end } = scanEntries(log).entries.at(-1)!;
  return log.slice(0, (position + end) / 2 - 3);
}

/** What a failed snapshot leaves when encryption is switched on: entries of both kinds in one file. */
function clearLogThenEncrypted(): Uint8Array {
  const disk = newDisk();
  const clear = openLog(disk, noSnapshots);
  for (const event of events.slice(0, 9)) clear.log.append(event);
  clear.log.close();
  disk.fillUpAfter(0);
  const failures: unknown[] = [];
  const opened = openLog(disk, { cipher, ...noSnapshots, onSnapshotFailure: (error) => failures.push(error) });
  expect(failures).toMatchObject([{ errorCode: "ENOSPC" }]);
  expect(textOf(opened.state)).toBe(texts[9]!);
  disk.heal();
  for (const event of events.slice(9)) opened.log.append(event);
  opened.log.close();
  const bytes = readBytes(disk, `${directory}/metadata.log`);
  expect(countContents({ "metadata.log": bytes })).toEqual({ clear: 9, encrypted: 8 });
  return bytes;
}

describe("encryption switched on later", () => {
  function expectEncrypted(disk: Disk): void {
    const { state, log, repairs } = openLog(disk, { cipher });
    expect(textOf(state)).toBe(final);
    expect(repairs).toEqual([]);
    expect(countContents(filesOf(disk)).clear).toBe(0);
    expect(holdsText(disk, "stream-1")).toBe(false);
    expect(log.append({ kind: "streamCreated", streamId: 99, name: "stream-1 again", createdAtMicros: 1 })).toBe(18);
    log.close();
    expect(holdsText(disk, "stream-1")).toBe(false);
    expect(openLog(disk, { cipher }).log.lastIndex).toBe(18);
    expect(keyErrorOf(disk, {}).reason).toBe("missing");
  }

  test("reads the clear files, and leaves none of them", () => {
    expect(countContents(clearFiles)).toEqual({ clear: 9, encrypted: 0 });
    expectEncrypted(diskWith(clearFiles));
  });

  test("also where there is only a log, only a snapshot, or both kinds in one file", () => {
    expectEncrypted(diskWith(filesAfter(events, Number.POSITIVE_INFINITY)));
    expectEncrypted(diskWith(filesAfter(events, 17)));
    expectEncrypted(diskWith({ "metadata.log": clearLogThenEncrypted() }));
  });

  test("also for files of version 1", () => {
    const old = (name: string) => new Uint8Array(readFileSync(join(import.meta.dir, "version-1", name)));
    const names = ["metadata.snapshot", "metadata.log.previous", "metadata.log"];
    const disk = diskWith(Object.fromEntries(names.map((name) => [name, old(name)])));
    const { state } = openLog(diskWith(filesOf(disk)));
    expect(textOf(openLog(disk, { cipher }).state)).toBe(textOf(state));
    expect(countContents(filesOf(disk))).toEqual({ clear: 0, encrypted: 2 });
    expect(textOf(openLog(disk, { cipher }).state)).toBe(textOf(state));
  });

  test("a torn clear tail is cut and kept as ever", () => {
    const torn = withTornEntry(clearFiles["metadata.log"]!);
    const disk = diskWith({ ...clearFiles, "metadata.log": torn });
    const { state, repairs } = openLog(disk, { cipher });
    expect(textOf(state)).toBe(texts[16]!);
    expect(repairs.length).toBe(1);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])("a machine that stops after %d changes loses nothing", (count) => {
    const disk = diskWith(clearFiles);
    for (const name of Object.keys(clearFiles)) {
      const file = disk.open(`${directory}/${name}`, "readWrite");
      file.syncNow();
      file.close();
    }
    for (const path of [directory, "/data", "/"]) disk.syncDirectory(path);
    disk.stopAfter(count);
    try {
      openLog(disk, { cipher, onSnapshotFailure: () => undefined });
    } catch (error) {
      if (!disk.stopped) throw error;
    }
    const next = disk.crash();
    const { state, repairs } = openLog(next, { cipher });
    expect(textOf(state)).toBe(final);
    expect(repairs).toEqual([]);
    expect(countContents(filesOf(next)).clear).toBe(0);
  });
});

test("an entry keeps index, payload and flag, whatever they are", () => {
  const payloads = fc.uint8Array({ minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 53 - 1 }), payloads, fc.boolean(), (index, payload, isEncrypted) => {
      const bytes = encodeEntry(index, payload, isEncrypted);
      const { entries, intactBytes } = scanEntries(bytes);
      expect(entries).toMatchObject([{ index, position: 0, isEncrypted, payload, isCorrected: false, isOld: false }]);
      expect(intactBytes).toBe(bytes.byteLength);
    }),
  );
});
