// Metadata files that a bad disk or a power loss has changed: what a start makes of them, says, and keeps.
import { describe, expect, test } from "bun:test";
import { encodeEntry, encodeMark, scanEntries } from "../../src/metadata/log-entries.ts";
import { encodePlain } from "../../src/metadata/plain-data.ts";
import { createCipher } from "../../src/security/encryption.ts";
import { filesAfter, openLog, prefixTexts, sampleEvents } from "./log-support.ts";
import { directory, diskWith, everyEvent, filesOf, newDisk, readBytes, textOf, writeBytes } from "./support.ts";

const events = sampleEvents(8);
const texts = prefixTexts(events);
const noSnapshots = { snapshotEveryEntries: Number.POSITIVE_INFINITY };
const closed = filesAfter(events, Number.POSITIVE_INFINITY)["metadata.log"]!;
const scanned = scanEntries(closed).entries;
/** The log without the mark of a clean stop. */
const intact = closed.slice(0, scanned.at(-1)!.end);
const log = `${directory}/metadata.log`;
const noticePath = `${directory}/metadata.damage`;

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const changed = bytes.slice();
  changed[bit >> 3]! ^= 1 << (bit & 7);
  return changed;
}

/** Zeros in place of both copies of the entries from `first` to `last`. */
function withoutEntries(bytes: Uint8Array, first: number, last = first): Uint8Array {
  return bytes.slice().fill(0, scanned[first - 1]!.position, scanned[last - 1]!.end);
}

describe("the end of the log", () => {
  const sixth = scanned[5]!;

  test("a file that ends at any byte of the last three entries gives those of which one copy is whole", () => {
    for (let end = sixth.position; end <= intact.byteLength; end++) {
      const disk = diskWith({ "metadata.log": intact.slice(0, end) });
      const opened = openLog(disk, noSnapshots);
      const whole = scanned.filter((entry) => (entry.position + entry.end) / 2 <= end);
      const last = whole.at(-1)!;
      const used = last.end <= end ? last.end : (last.position + last.end) / 2;
      expect(textOf(opened.state)).toBe(texts[whole.length]!);
      expect(opened.damage).toBeUndefined();
      if (end === used) expect(opened.repairs).toEqual([]);
      else {
        expect(opened.repairs).toMatchObject([{ path: log, droppedBytes: end - used, keptAs: `${log}.damaged-1` }]);
        expect(readBytes(disk, `${log}.damaged-1`)).toEqual(intact.slice(used, end));
      }
      expect(opened.log.append(everyEvent[0]!)).toBe(whole.length + 1);
      opened.log.close();
      const again = openLog(disk, noSnapshots);
      expect(again.repairs).toEqual([]);
      expect(again.log.lastIndex).toBe(whole.length + 1);
    }
  });

  test("a repair does not overwrite what an earlier one kept", () => {
    const disk = diskWith({
      "metadata.log": intact.slice(0, -1),
      "metadata.log.damaged-1": Uint8Array.of(1),
      "metadata.log.damaged-2": Uint8Array.of(2),
    });
    expect(openLog(disk).repairs).toMatchObject([{ keptAs: `${log}.damaged-3` }]);
    expect(readBytes(disk, `${log}.damaged-1`)).toEqual(Uint8Array.of(1));
  });

  test("a torn end on a full disk keeps nobody from starting", () => {
    const disk = diskWith({ "metadata.log": intact.slice(0, -1) });
    disk.fillUpAfter(0);
    const opened = openLog(disk, { onSnapshotFailure: () => undefined });
    expect(textOf(opened.state)).toBe(texts[8]!);
    expect(opened.repairs).toMatchObject([{ keptAs: undefined }]);
    disk.heal();
    expect(opened.log.append(everyEvent[0]!)).toBe(9);
  });

  test("bytes put in anywhere in the last three entries cost none of them", () => {
    const junk = [new Uint8Array(1), new Uint8Array(64), new Uint8Array(64).fill(0xff), intact.slice(sixth.position)];
    for (let at = sixth.position; at < intact.byteLength; at++) {
      for (const extra of junk) {
        const bytes = Buffer.concat([intact.subarray(0, at), extra, intact.subarray(at)]);
        const disk = diskWith({ "metadata.log": bytes });
        const opened = openLog(disk, noSnapshots);
        expect(textOf(opened.state)).toBe(texts[8]!);
        expect(opened.repairs.length).toBeGreaterThan(0);
        expect(opened.log.append(everyEvent[0]!)).toBe(9);
      }
    }
  });
});

describe("one flipped bit, anywhere", () => {
  const key = createCipher(Buffer.alloc(32, 1).toString("base64"));
  const many = sampleEvents(7);
  const final = prefixTexts(many).at(-1)!;

  test.each([
    ["in clear", undefined],
    ["encrypted", key],
  ])(
    "%s: the start succeeds, nothing is missing, and a line says what was found; the next start finds nothing",
    (_, cipher) => {
      const files = filesAfter(many, 3, cipher);
      expect(Object.keys(files)).toEqual([
        "metadata.log",
        "metadata.log.previous",
        "metadata.snapshot",
        "metadata.snapshot.previous",
      ]);
      for (const [name, bytes] of Object.entries(files)) {
        for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
          const disk = diskWith({ ...files, [name]: flipped(bytes, bit) });
          const opened = openLog(disk, { cipher });
          expect(textOf(opened.state) === final && opened.log.lastIndex === 7).toBe(true);
          expect(opened.damage).toBeUndefined();
          expect(opened.repairs.map(({ path }) => path)).toEqual([`${directory}/${name}`]);
          opened.log.close();
          if (bit % 64 !== 0) continue;
          const again = openLog(disk, { cipher });
          expect(again.repairs).toEqual([]);
          expect(textOf(again.state)).toBe(final);
        }
      }
    },
    120_000,
  );

  test("also in a log that was not closed, at its very end", () => {
    for (let bit = scanned[6]!.position * 8; bit < intact.byteLength * 8; bit++) {
      const opened = openLog(diskWith({ "metadata.log": flipped(intact, bit) }));
      expect(textOf(opened.state)).toBe(texts[8]!);
      expect(opened.repairs.length).toBe(1);
    }
  });
});

describe("both copies of an entry damaged", () => {
  test("what was once durable: those behind are applied, the missing ones are named, files and snapshot are kept", () => {
    const files = filesAfter(events, 3);
    const kept = scanEntries(files["metadata.log"]!).entries;
    expect(kept.map(({ index }) => index)).toEqual([7, 8]);
    const bytes = files["metadata.log"]!.slice().fill(0x55, kept[0]!.position + 4, kept[0]!.end - 4);
    const disk = diskWith({ ...files, "metadata.log": bytes });
    const opened = openLog(disk);
    expect(opened.damage).toEqual({ missing: [{ firstIndex: 7, lastIndex: 7 }], unapplied: [], isOpenEnded: false });
    expect([...opened.state.streams.byName.keys()]).toEqual([0, 1, 2, 3, 4, 5, 7].map((id) => `stream-${id}`));
    expect(opened.state.areUsersLocked).toBe(true);
    expect(opened.log.append({ kind: "streamCreated", streamId: 20, name: "next", createdAtMicros: 1 })).toBe(9);
    expect(readBytes(disk, `${log}.damaged-1`)).toEqual(bytes);
    expect(readBytes(disk, `${directory}/metadata.snapshot.damaged-1`)).toEqual(files["metadata.snapshot"]!);
    expect(new TextDecoder().decode(readBytes(disk, noticePath))).toContain("entry 7 is lost");
    opened.log.close();
    const again = openLog(disk);
    expect(again.repairs).toEqual([]);
    expect(again.damage).toBeUndefined();
    expect(again.state.areUsersLocked).toBe(true);
    expect(textOf(again.state)).toBe(textOf(opened.state));
  });

  test("an entry that builds on a missing one is left out and named", () => {
    const built = Buffer.concat([
      encodeEntry(1, encodePlain({ kind: "streamCreated", streamId: 0, name: "a", createdAtMicros: 1 })),
      encodeEntry(3, encodePlain({ kind: "streamUpdated", streamId: 1, name: "c" })),
      encodeEntry(4, encodePlain({ kind: "streamUpdated", streamId: 0, name: "d" })),
      encodeMark(4),
    ]);
    const { state, damage, log: opened } = openLog(diskWith({ "metadata.log": built }));
    expect(damage).toEqual({
      missing: [{ firstIndex: 2, lastIndex: 2 }],
      unapplied: [{ index: 3, kind: "streamUpdated" }],
      isOpenEnded: false,
    });
    expect([...state.streams.byName.keys()]).toEqual(["d"]);
    expect(opened.lastIndex).toBe(4);
  });

  test("what the mark of a clean stop speaks of is missed also at the end", () => {
    const {
      state,
      damage,
      log: opened,
    } = openLog(diskWith({ "metadata.log": withoutEntries(closed, 7, 8) }), noSnapshots);
    expect(damage?.missing).toEqual([{ firstIndex: 7, lastIndex: 8 }]);
    expect(textOf(state)).toBe(texts[6]!);
    expect(opened.append({ kind: "streamCreated", streamId: 30, name: "next", createdAtMicros: 1 })).toBe(9);
  });

  test("what was never known to be durable is a power loss: the state is that before it, the rest is kept aside", () => {
    const bytes = withoutEntries(intact, 4);
    const disk = diskWith({ "metadata.log": bytes });
    const opened = openLog(disk, noSnapshots);
    expect(textOf(opened.state)).toBe(texts[3]!);
    expect(opened.damage).toBeUndefined();
    expect(opened.state.areUsersLocked).toBe(false);
    expect(readBytes(disk, `${log}.damaged-1`)).toEqual(bytes.slice(scanned[2]!.end));
  });

  test("no power loss explains it while the system has not been started anew", () => {
    const disk = newDisk();
    const first = openLog(disk, { ...noSnapshots, bootId: "one" }).log;
    for (const event of events) first.append(event); // killed: nothing is synced, no mark is written
    const bytes = withoutEntries(readBytes(disk, log), 4);
    const damageSeen = (bootId: string | undefined) => {
      const other = diskWith({ ...filesOf(disk), "metadata.log": bytes });
      return openLog(other, { ...noSnapshots, bootId }).damage?.missing;
    };
    expect(damageSeen("one")).toEqual([{ firstIndex: 4, lastIndex: 4 }]);
    expect(damageSeen("another")).toBeUndefined();
    expect(damageSeen(undefined)).toBeUndefined();
  });

  test("all snapshots damaged: what the logs still hold is applied, and everything is kept", () => {
    const many = sampleEvents(17);
    const files = filesAfter(many, 5);
    const bad = Object.fromEntries(
      Object.entries(files).map(([name, bytes]) => [
        name,
        name.includes("snapshot") ? bytes.slice().fill(1, 40) : bytes,
      ]),
    );
    const disk = diskWith(bad);
    const opened = openLog(disk);
    expect(opened.damage?.missing).toEqual([{ firstIndex: 1, lastIndex: 10 }]);
    expect(opened.state.streams.byId.size).toBe(7);
    expect(opened.log.lastIndex).toBe(17);
    const after = filesOf(disk);
    for (const [name, bytes] of Object.entries(bad)) expect(after[`${name}.damaged-1`]).toEqual(bytes);
  });

  test("nothing left but a damaged snapshot is a loss, too", () => {
    const { damage, state } = openLog(diskWith({ "metadata.snapshot": new Uint8Array(100).fill(7) }));
    expect(damage).toEqual({ missing: [], unapplied: [], isOpenEnded: true });
    expect(state.areUsersLocked).toBe(true);
  });

  test("a full disk does not keep it from starting; the users are locked all the same, now and then", () => {
    const disk = diskWith({ "metadata.log": withoutEntries(closed, 4) });
    disk.fillUpAfter(0);
    const opened = openLog(disk, { onSnapshotFailure: () => undefined });
    expect(opened.damage?.missing).toEqual([{ firstIndex: 4, lastIndex: 4 }]);
    expect(opened.state.areUsersLocked).toBe(true);
    disk.heal();
    const again = openLog(disk);
    expect(again.damage?.missing).toEqual([{ firstIndex: 4, lastIndex: 4 }]);
    expect(textOf(again.state)).toBe(textOf(opened.state));
  });

  test("every step of the repair: a second crash finds the damage again, or its notice", () => {
    for (let changes = 0, isDone = false; !isDone; changes++) {
      const disk = diskWith({ "metadata.log": withoutEntries(closed, 4) });
      const file = disk.open(log, "readWrite");
      file.syncNow();
      file.close();
      for (const path of [directory, "/data", "/"]) disk.syncDirectory(path);
      disk.stopAfter(changes);
      try {
        openLog(disk, { onSnapshotFailure: () => undefined });
        isDone = !disk.stopped;
      } catch (error) {
        if (!disk.stopped) throw error;
      }
      const { state } = openLog(disk.crash());
      expect(state.areUsersLocked).toBe(true);
      expect(state.streams.byId.size).toBe(7);
    }
  });
});

describe("the operator's confirmation", () => {
  test("lets users in again, for good, and only what an earlier start has said", () => {
    const disk = diskWith({ "metadata.log": withoutEntries(closed, 4) });
    const found = openLog(disk, { acceptDamage: true });
    expect(found.state.areUsersLocked).toBe(true);
    expect(found.acceptedNotice).toBeUndefined();
    found.log.close();
    const accepted = openLog(disk, { acceptDamage: true });
    expect(accepted.state.areUsersLocked).toBe(false);
    expect(accepted.acceptedNotice).toBe(`${noticePath}.accepted.damaged-1`);
    accepted.log.close();
    expect(openLog(disk).state.areUsersLocked).toBe(false);
  });
});

test("an intact entry that does not fit the state is a bug: it stops the start and stays where it is", () => {
  const bytes = encodeEntry(1, encodePlain({ kind: "streamDeleted", streamId: 0 }));
  const disk = diskWith({ "metadata.log": bytes });
  expect(() => openLog(disk)).toThrow("metadata log entry 1 is intact but cannot be applied");
  expect(filesOf(disk)).toEqual({ "metadata.log": bytes });
});

test("an entry that was refused and cut off does not come back behind the one in its place", () => {
  const entry = (index: number, name: string, previous: number) =>
    encodeEntry(index, encodePlain({ kind: "streamCreated", streamId: index, name, createdAtMicros: 1 }), false, {
      previous,
    });
  const first = entry(1, "first", 0);
  const refused = [entry(2, "refused, and longer than what follows", 1), entry(3, "behind it", 77)];
  const taken = entry(2, "taken", 0);
  const bytes = Buffer.concat([first, ...refused]);
  bytes.set(taken, first.byteLength);
  const { state, log: opened } = openLog(diskWith({ "metadata.log": new Uint8Array(bytes) }));
  expect([...state.streams.byName.keys()]).toEqual(["first", "taken"]);
  expect(opened.lastIndex).toBe(2);
});

test("what is put aside does not hide behind an older file of the same name", () => {
  const disk = diskWith({ "metadata.log": withoutEntries(closed, 4) });
  writeBytes(disk, `${log}.damaged-1`, Uint8Array.of(1));
  openLog(disk);
  expect(readBytes(disk, `${log}.damaged-1`)).toEqual(Uint8Array.of(1));
  expect(readBytes(disk, `${log}.damaged-2`)).toEqual(withoutEntries(closed, 4));
});
