// Calls that the system refuses (no descriptor, no right, a file system that went read-only) are no failed syncs: nothing is
// lost by them, and the partition goes on when they succeed again.

import { describe, expect, test } from "bun:test";
import { DiskError } from "../../src/platform/disk.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { CachedFile, FileCache } from "../../src/storage/file-cache.ts";
import type { Acknowledge } from "../../src/storage/index.ts";
import { appendNow, directory, type Harness, makeBatch, makeHarness, offsetsOf, range } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

const log0 = `${directory}/00000000000000000000.log`;

async function failureOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    if (thrown instanceof IggyError) return thrown.errorName;
    throw thrown;
  }
  return "none";
}

/** Closes what the cache holds, so that the next use of any file has to open it. */
function closeFiles(harness: Harness): void {
  const fillers = range(0, harness.context.options.openFilesMax).map((id) => new CachedFile("/filler", String(id)));
  for (const filler of fillers) harness.context.files.create(filler);
  for (const filler of fillers) harness.context.files.discard(filler);
}

describe("without descriptors", () => {
  test("the saver and a flush fence nothing, and make good later", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { enforceFsync: true, openFilesMax: 4 });
    const partition = harness.open();
    await appendNow(harness, partition, [10]);
    closeFiles(harness);
    for (const refused of ["open", "syncDirectory"]) {
      disk.fails = (operation) => operation === refused && "EMFILE";
      expect(await failureOf(partition.save())).not.toBe("none");
      expect(await failureOf(partition.flush(true))).not.toBe("none");
      expect(partition.isFenced).toBe(false);
    }
    disk.fails = () => false;
    await appendNow(harness, partition, [10]);
    await partition.save();
    expect(disk.syncs).toContain(log0);
    expect(disk.syncs).toContain(directory);
  });

  test.each([
    "write",
    "sync",
  ] satisfies Acknowledge[])("level %s: an append whose log cannot be opened is refused", async (acknowledge) => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { acknowledge, openFilesMax: 4 });
    const partition = harness.open();
    await appendNow(harness, partition, [10]);
    closeFiles(harness);
    disk.fails = (operation) => operation === "open" && "EMFILE";
    expect(await failureOf(partition.append(makeBatch([40_000])))).toBe("CannotAppendToFile");
    expect(partition.isFenced).toBe(false);
    disk.fails = () => false;
    await appendNow(harness, partition, [10]);
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([0, 1]);
  });

  test("level sync: where the names cannot be synced nothing is written; a sync of them that fails fences", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { acknowledge: "sync" });
    const partition = harness.open();
    disk.fails = (operation) => operation === "syncDirectory" && "EMFILE";
    expect(await failureOf(partition.append(makeBatch([40_000])))).toBe("CannotAppendToFile");
    expect(disk.read(log0).byteLength).toBe(0);
    expect(partition.isFenced).toBe(false);
    disk.fails = () => false;
    await appendNow(harness, partition, [10]);
    const other = harness.open(`${directory}-other`);
    disk.fails = (operation) => operation === "syncDirectory";
    await failureOf(other.append(makeBatch([40_000])));
    expect(other.isFenced).toBe(true);
  });

  test("level sync: a log waits open for its sync, whatever the cache closes meanwhile", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { acknowledge: "sync", openFilesMax: 1 });
    const partition = harness.open();
    const gate = Promise.withResolvers<void>();
    disk.syncGate = gate.promise;
    const appends = range(0, 3).map((number) => partition.append(makeBatch([40_000], number)));
    closeFiles(harness);
    disk.fails = (operation) => operation === "open" && "EMFILE";
    gate.resolve();
    await Promise.all(appends);
    expect(partition.isFenced).toBe(false);
    expect(partition.counters.messagesCount).toBe(3);
  });

  test("the next segment is made when it can be; nothing is lost", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { segmentSizeBytes: 100 });
    const partition = harness.open();
    await appendNow(harness, partition, [100]);
    disk.fails = (operation, path) => operation === "open" && path !== log0 && "EMFILE";
    await appendNow(harness, partition, [100]);
    expect(await failureOf(partition.append(makeBatch([40_000])))).toBe("CannotAppendToFile");
    expect(partition.isFenced).toBe(false);
    disk.fails = () => false;
    await appendNow(harness, partition, [100]);
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([0, 1, 2]);
    await partition.close();
    expect(await offsetsOf(makeHarness(disk).open(), { kind: "first" }, 10)).toEqual([0, 1, 2]);
  });

  test("offsets go on also where the next segment could not be made and all others were removed", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { segmentSizeBytes: 100 });
    const partition = harness.open();
    await appendNow(harness, partition, [100]);
    disk.fails = (operation, path) => operation === "open" && path !== log0 && "EMFILE";
    await appendNow(harness, partition, [100]);
    expect(partition.removeOldestSegments(10)).toBe(0);
    disk.fails = () => false;
    const crashed = makeHarness(disk.copy()).open();
    expect(crashed.counters).toMatchObject({ currentOffset: 1, hasMessages: true });
    expect(partition.removeOldestSegments(10)).toBe(1);
    await partition.close();
    const again = makeHarness(disk);
    const reopened = again.open();
    await appendNow(again, reopened, [1]);
    expect(await offsetsOf(reopened, { kind: "first" }, 10)).toEqual([2]);
  });

  test("the file cache closes what was used longest ago and tries again", () => {
    const disk = new MemoryDisk();
    const files = new FileCache(disk, 100);
    const entries = range(0, 8).map((id) => new CachedFile("/f", String(id)));
    disk.fails = (operation) => operation === "open" && disk.openCount >= 4 && "EMFILE";
    for (const entry of entries) files.create(entry);
    expect(disk.openCount).toBeLessThanOrEqual(4);
    expect(entries[7]!.file).not.toBeNull();
    for (const entry of entries) files.use(entry);
    const held = entries.slice(0, 4);
    for (const entry of held) files.pin(entry);
    expect(() => files.use(entries[5]!)).toThrow("EMFILE");
    for (const entry of held) files.unpin(entry);
    files.use(entries[5]!);
    expect(files.withRoom(() => disk.openCount)).toBeLessThanOrEqual(4);
  });
});

describe("on a file system that went read-only", () => {
  /** Opens for writing fail, as after an error of the device. */
  class ReadOnlyDisk extends MemoryDisk {
    isReadOnly = false;
    override open(path: string, mode: "read" | "readWrite" | "create") {
      if (this.isReadOnly && mode !== "read") throw new DiskError("open", path, "EROFS");
      return super.open(path, mode);
    }
  }

  test("closed segments are read; appends are refused and go on when it can be written again", async () => {
    const disk = new ReadOnlyDisk();
    const harness = makeHarness(disk, { segmentSizeBytes: 100, openFilesMax: 4 });
    const partition = harness.open();
    for (let number = 0; number < 5; number++) await appendNow(harness, partition, [100], number);
    closeFiles(harness);
    disk.isReadOnly = true;
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual(range(0, 5));
    expect(await failureOf(partition.append(makeBatch([40_000])))).toBe("CannotAppendToFile");
    const held = await partition.read({ kind: "last" }, 1);
    disk.isReadOnly = false;
    await appendNow(harness, partition, [100], 5);
    const [part] = held.parts;
    if (part?.kind !== "file") throw new Error("expected a file part");
    expect(part.file.read(new Uint8Array(164), part.position)).toBe(164);
    held.release();
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual(range(0, 6));
    await partition.close();
    expect(disk.openCount).toBe(0);
  });
});

test("a file system that knows no sync of a directory fences nothing", async () => {
  for (const code of ["EINVAL", "ENOTSUP"]) {
    const disk = new MemoryDisk();
    disk.fails = (operation) => operation === "syncDirectory" && code;
    const harness = makeHarness(disk, { acknowledge: "sync" });
    const partition = harness.open();
    await appendNow(harness, partition, [10]);
    await partition.flush(true);
    expect(partition.isFenced).toBe(false);
  }
});
