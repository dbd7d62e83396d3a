import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { encodeEntry } from "../../src/metadata/log-entries.ts";
import { encodePlain } from "../../src/metadata/plain-data.ts";
import { AssertionError } from "../../src/platform/assert.ts";
import { realDisk } from "../../src/platform/real-disk.ts";
import { expectQuick } from "../support/quiet-machine.ts";
import { openLog, prefixTexts, sampleEvents } from "./log-support.ts";
import {
  codeOf,
  commandsArbitrary,
  everyEvent,
  filesOf,
  newDisk,
  planCommand,
  readBytes,
  textOf,
  writeBytes,
} from "./support.ts";

const temporary = mkdtempSync(join(tmpdir(), "metadata-"));
afterAll(() => rmSync(temporary, { recursive: true }));

const events = sampleEvents(8);
const texts = prefixTexts(events);
const noSnapshots = { snapshotEveryEntries: Number.POSITIVE_INFINITY };

describe("restart", () => {
  test("every kind of event is there again, in order", () => {
    const disk = newDisk();
    const first = openLog(disk);
    const indexes = everyEvent.slice(0, 7).map((event) => first.log.append(event));
    first.log.close();
    expect(indexes).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const second = openLog(disk);
    expect(textOf(second.state)).toBe(textOf(first.state));
    expect(second.repairs).toEqual([]);
    expect(second.log.lastIndex).toBe(7);
    expect(second.log.append(everyEvent[7]!)).toBe(8);
  });

  test("holes are refilled from the highest down and freed ids at the end are forgotten", () => {
    const disk = newDisk();
    const { log } = openLog(disk);
    for (const streamId of [0, 1, 2, 3, 4, 5]) {
      log.append({ kind: "streamCreated", streamId, name: `s${streamId}`, createdAtMicros: 1 });
    }
    for (const streamId of [3, 1, 5]) log.append({ kind: "streamDeleted", streamId });
    expect(log.state.streams.ids.freedIds.toReversed()).toEqual([5, 1, 3]);
    log.close();
    const { streams } = openLog(disk).state;
    expect(streams.ids).toEqual({ nextId: 5, freedIds: [1, 3] });
  });

  test("any commands, any snapshot interval, any restarts: the state is the same, without repairs", () => {
    fc.assert(
      fc.property(
        commandsArbitrary,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        (commands, a, b) => {
          const disk = newDisk();
          const twin = openLog(newDisk(), noSnapshots);
          let current = openLog(disk, { snapshotEveryEntries: a });
          for (const [step, command] of commands.entries()) {
            let event: ReturnType<typeof planCommand> | undefined;
            codeOf(() => {
              event = planCommand(current.state, command, step);
            });
            if (event === undefined) continue;
            current.log.append(event);
            twin.log.append(event);
            if (step % b !== 0) continue;
            current.log.close();
            current = openLog(disk, { snapshotEveryEntries: a });
            expect(current.repairs).toEqual([]);
          }
          expect(textOf(current.state)).toBe(textOf(twin.state));
          expect(current.log.lastIndex).toBe(twin.log.lastIndex);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("a log of 100,000 entries without a snapshot opens and then has one", () => {
    const disk = realDisk;
    const long = join(temporary, "long");
    disk.makeDirectory(long);
    const created = { kind: "streamCreated", streamId: 0, name: "first", createdAtMicros: 1 };
    const entries = Array.from({ length: 100_000 }, (_, step) =>
      encodeEntry(
        step + 1,
        encodePlain(step === 0 ? created : { kind: "streamUpdated", streamId: 0, name: `n${step}` }),
      ),
    );
    writeBytes(disk, `${long}/metadata.log`, Buffer.concat(entries));
    const bytes = readBytes(disk, `${long}/metadata.log`);
    const times = [1, 2, 3].map((attempt) => {
      const other = join(temporary, `long-${attempt}`);
      disk.makeDirectory(other);
      writeBytes(disk, `${other}/metadata.log`, bytes);
      const start = performance.now();
      openLog(disk, { directory: other }).log.close();
      return performance.now() - start;
    });
    expectQuick("100,000 entries", Math.min(...times), 1000);
    const { log } = openLog(disk, { directory: long });
    expect(log.lastIndex).toBe(100_000);
    log.append({ kind: "streamUpdated", streamId: 0, name: "last" });
    log.close();
    const again = openLog(disk, { directory: long });
    expect(again.log.lastIndex).toBe(100_001);
    expect(again.state.streams.byName.has("last")).toBe(true);
    again.log.close();
    expect(disk.list(long)).toEqual(["metadata.log.previous", "metadata.snapshot", "metadata.snapshot.previous"]);
  });
});

describe("failing disk", () => {
  test("a failed write leaves no trace: the next append follows without a gap", () => {
    const disk = newDisk();
    const { log, state } = openLog(disk);
    log.append(events[0]!);
    disk.failWriteAfter(0);
    expect(codeOf(() => log.append(events[1]!))).toBe(10005);
    expect(textOf(state)).toBe(texts[1]!);
    expect(log.isFenced).toBe(false);
    expect(log.append(events[1]!)).toBe(2);
    const again = openLog(disk);
    expect(again.repairs).toEqual([]);
    expect(textOf(again.state)).toBe(texts[2]!);
  });

  test("a full disk refuses appends until there is room again", () => {
    const disk = newDisk();
    const { log } = openLog(disk);
    log.append(events[0]!);
    disk.fillUpAfter(30);
    for (let attempt = 0; attempt < 3; attempt++) expect(codeOf(() => log.append(events[1]!))).toBe(10005);
    disk.heal();
    expect(log.append(events[1]!)).toBe(2);
    expect(textOf(openLog(disk).state)).toBe(texts[2]!);
  });

  test("a failed write that cannot be undone fences the log", () => {
    const disk = newDisk();
    const { log, state } = openLog(disk);
    log.append(events[0]!);
    disk.stopAfter(0);
    expect(codeOf(() => log.append(events[1]!))).toBe(10005);
    expect(log.isFenced).toBe(true);
    expect(codeOf(() => log.append(events[1]!))).toBe(10005);
    expect(textOf(state)).toBe(texts[1]!);
    expect(textOf(openLog(disk.processCrash()).state)).toBe(texts[1]!);
  });

  test("a failed sync fences the log", () => {
    const disk = newDisk();
    const { log, state } = openLog(disk, { enforceFsync: true });
    log.append(events[0]!);
    disk.failSyncAfter(0);
    expect(codeOf(() => log.append(events[1]!))).toBe(10009);
    expect(textOf(state)).toBe(texts[1]!);
    expect(codeOf(() => log.append(events[1]!))).toBe(10005);
  });

  test("an event that does not fit is never written", () => {
    const disk = newDisk();
    const { log } = openLog(disk);
    log.append(events[0]!);
    const before = filesOf(disk);
    expect(() => log.append(events[0]!)).toThrow(AssertionError);
    expect(filesOf(disk)).toEqual(before);
    expect(log.append(events[1]!)).toBe(2);
  });

  test("a closed log takes nothing more", () => {
    const { log } = openLog(newDisk());
    log.close();
    expect(codeOf(() => log.append(events[0]!))).toBe(10005);
  });
});
