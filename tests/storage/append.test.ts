import { describe, expect, test } from "bun:test";
import { IggyError } from "../../src/protocol/errors.ts";
import { appendNow, directory, makeBatch, makeHarness, offsetsOf, poll, range } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

const log0 = `${directory}/00000000000000000000.log`;
const index0 = `${directory}/00000000000000000000.index`;

function segmentStarts(disk: MemoryDisk): number[] {
  return disk
    .list(directory)
    .filter((name) => name.endsWith(".log"))
    .map((name) => Number.parseInt(name, 10));
}

async function failureOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof IggyError) return error.errorName;
    throw error;
  }
  return "none";
}

test("nothing is created on the disk before the first write", async () => {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk);
  const partition = harness.open();
  await partition.save();
  await partition.flush(true);
  await partition.close();
  expect([...disk.files.keys()]).toEqual([]);
  expect([...disk.directories]).toEqual([]);
});

test("log and index have the bytes of the format: messages back to back, a row of 16 bytes for each", async () => {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk);
  const partition = harness.open();
  await appendNow(harness, partition, [5, 6]);
  await appendNow(harness, partition, [7], 2);
  await partition.flush(false);
  const seen = await poll(partition, { kind: "first" }, 10);
  expect(Buffer.compare(disk.read(log0), seen.bytes)).toBe(0);
  const rows = disk.read(index0);
  const view = new DataView(rows.buffer);
  const ends = [69, 139, 210];
  expect(rows.byteLength).toBe(48);
  for (const [row, message] of seen.messages.entries()) {
    expect(view.getUint32(row * 16, true)).toBe(row);
    expect(view.getUint32(row * 16 + 4, true)).toBe(ends[row]!);
    expect(Number(view.getBigUint64(row * 16 + 8, true))).toBe(message.timestampMicros);
  }
});

describe("write level", () => {
  test("what comes in one turn is one write of the log", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk);
    const partition = harness.open();
    const appends = range(0, 50).map((number) => partition.append(makeBatch([100], number)));
    expect(disk.writes).toEqual([]);
    harness.endTurn();
    await Promise.all(appends);
    expect(disk.writes).toEqual([{ path: log0, viewsCount: 50, sizeBytes: 50 * 164 }]);
    expect(await offsetsOf(partition, { kind: "first" }, 100)).toEqual(range(0, 50));
  });

  test("a batch of 32 KiB is written at once, behind what waits, without a copy", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk);
    const partition = harness.open();
    const small = partition.append(makeBatch([100], 0));
    const large = partition.append(makeBatch([40_000], 1));
    await Promise.all([small, large]);
    expect(disk.writes.map((write) => write.viewsCount)).toEqual([2]);
    await partition.append(makeBatch([40_000], 2));
    expect(disk.writes.length).toBe(2);
    harness.endTurn();
    expect(disk.writes.length).toBe(2);
    const { messages } = await poll(partition, { kind: "first" }, 10);
    expect(messages.map((message) => message.payload[0])).toEqual([0, 1, 2]);
  });

  test("index rows are written when 64 KiB of them wait, not before", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { segmentSizeBytes: 1e9 });
    const partition = harness.open();
    await partition.append(makeBatch(new Array(4000).fill(0)));
    expect(disk.read(index0).byteLength).toBe(0);
    await partition.append(makeBatch(new Array(1000).fill(0)));
    expect(disk.read(index0).byteLength).toBe(5000 * 16);
    expect(await offsetsOf(partition, { kind: "offset", offset: 4990 }, 3)).toEqual([4990, 4991, 4992]);
  });

  test("save writes rows, and does nothing when nothing is new", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk);
    const partition = harness.open();
    await appendNow(harness, partition, [1]);
    await partition.save();
    expect(disk.read(index0).byteLength).toBe(16);
    const writes = disk.writes.length;
    await partition.save();
    expect(disk.writes.length).toBe(writes);
    expect(disk.syncs).toEqual([]);
  });
});

describe("memory level", () => {
  const options = { acknowledge: "memory", messagesRequiredToSave: 10, bytesRequiredToSave: 10_000 } as const;

  test("nothing is written before a threshold", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, options);
    const partition = harness.open();
    for (let number = 0; number < 9; number++) await partition.append(makeBatch([10], number));
    expect(disk.writes).toEqual([]);
    expect(await offsetsOf(partition, { kind: "first" }, 100)).toEqual(range(0, 9));
    await partition.append(makeBatch([10], 9));
    expect(disk.writes.map((write) => write.path)).toEqual([log0]);
    await partition.append(makeBatch([10_000], 10));
    expect(disk.writes.length).toBe(2);
    expect(await offsetsOf(partition, { kind: "first" }, 100)).toEqual(range(0, 11));
  });

  test("the batch's memory can be used again when append has settled", async () => {
    const harness = makeHarness(new MemoryDisk(), options);
    const partition = harness.open();
    const batch = makeBatch([10, 10]);
    await partition.append(batch);
    batch.memory.fill(0xff);
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([0, 1]);
  });

  test.each([
    true,
    false,
  ])("a threshold writes and never syncs; the saver syncs with enforceFsync (%p)", async (enforceFsync) => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { ...options, enforceFsync });
    const partition = harness.open();
    await partition.append(makeBatch(new Array(10).fill(1)));
    expect(disk.read(log0).byteLength).toBe(650);
    expect(disk.syncs).toEqual([]);
    await partition.append(makeBatch([1]));
    await partition.save();
    expect(disk.read(log0).byteLength).toBe(715);
    expect(disk.syncs.includes(log0)).toBe(enforceFsync);
  });

  test("a failed write refuses the batch that asked for it, and keeps what was acknowledged for the next try", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, options);
    const partition = harness.open();
    await partition.append(makeBatch(new Array(9).fill(1)));
    disk.freeBytes = 100;
    expect(await failureOf(partition.append(makeBatch([1, 1])))).toBe("CannotAppendToFile");
    expect(await offsetsOf(partition, { kind: "first" }, 100)).toEqual(range(0, 9));
    expect(disk.read(log0).byteLength).toBe(0);
    disk.freeBytes = 1e9;
    await partition.append(makeBatch([1]));
    expect(await offsetsOf(partition, { kind: "first" }, 100)).toEqual(range(0, 10));
    expect(disk.read(log0).byteLength).toBe(650);
  });
});

describe("sync level", () => {
  test("one sync answers every batch written before it started; later ones wait for the next", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { acknowledge: "sync" });
    const partition = harness.open();
    const gate = Promise.withResolvers<void>();
    disk.syncGate = gate.promise;
    const answered: number[] = [];
    const append = (number: number) => partition.append(makeBatch([10], number)).then(() => answered.push(number));
    const appends = [append(0), append(1)];
    harness.endTurn();
    appends.push(append(2));
    harness.endTurn();
    appends.push(append(3));
    harness.endTurn();
    expect(disk.read(log0).byteLength).toBe(4 * 74);
    await Bun.sleep(1);
    expect(answered).toEqual([]);
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([]);
    expect(partition.counters.hasMessages).toBe(false);
    gate.resolve();
    await Promise.all(appends);
    expect(answered).toEqual([0, 1, 2, 3]);
    expect(disk.syncs.filter((path) => path === log0).length).toBe(2);
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([0, 1, 2, 3]);
    expect(partition.counters).toMatchObject({ messagesCount: 4, sizeBytes: 4 * 74, currentOffset: 3 });
  });

  test("the entries of new directories are durable before the first answer", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { acknowledge: "sync" });
    await appendNow(harness, harness.open(), [10]);
    expect(disk.syncs).toContain(directory);
    expect(disk.syncs).toContain("/data/streams/0/topics/0/partitions");
    expect(disk.syncs).toContain("/");
  });

  test("log and index are whole when a batch is answered", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { acknowledge: "sync" });
    const partition = harness.open();
    await appendNow(harness, partition, [10, 20]);
    expect(disk.read(index0).byteLength).toBe(2 * 16);
    await appendNow(harness, partition, [30]);
    expect(disk.read(index0).byteLength).toBe(3 * 16);
  });

  test("a failed sync fences the partition: all who wait get 10009, nothing more is taken, durable data is read", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { acknowledge: "sync" });
    const partition = harness.open();
    await appendNow(harness, partition, [10, 10]);
    disk.fails = (operation) => operation === "sync";
    const first = failureOf(partition.append(makeBatch([10])));
    harness.endTurn();
    const second = failureOf(partition.append(makeBatch([10])));
    harness.endTurn();
    expect(await Promise.all([first, second])).toEqual(["CannotSyncFile", "CannotSyncFile"]);
    disk.fails = () => false;
    expect(await failureOf(partition.append(makeBatch([10])))).toBe("CannotSyncFile");
    expect(partition.isFenced).toBe(true);
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([0, 1]);
    expect(harness.logged.some((line) => line.includes("fenced"))).toBe(true);
    await partition.close();
  });

  test("messages stay in order over a rotation", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { acknowledge: "sync", segmentSizeBytes: 1000 });
    const partition = harness.open();
    const appends: Promise<void>[] = [];
    for (let number = 0; number < 30; number++) {
      appends.push(partition.append(makeBatch([236], number)));
      if (number % 2 === 0) harness.endTurn();
    }
    harness.endTurn();
    await Promise.all(appends);
    expect(await offsetsOf(partition, { kind: "first" }, 100)).toEqual(range(0, 30));
    expect(segmentStarts(disk).length).toBeGreaterThan(3);
  });
});

describe("failures of the log write", () => {
  test("every append of the flush is refused, the file is cut, and the next append takes their offsets", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk);
    const partition = harness.open();
    await appendNow(harness, partition, [10, 10]);
    disk.freeBytes = 100;
    const refused = [failureOf(partition.append(makeBatch([10]))), failureOf(partition.append(makeBatch([10])))];
    harness.endTurn();
    expect(await Promise.all(refused)).toEqual(["CannotAppendToFile", "CannotAppendToFile"]);
    expect(disk.read(log0).byteLength).toBe(148);
    expect(partition.counters).toMatchObject({ messagesCount: 2, sizeBytes: 148, currentOffset: 1 });
    disk.freeBytes = 1e9;
    await appendNow(harness, partition, [10]);
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([0, 1, 2]);
    await partition.close();
    expect(disk.read(index0).byteLength).toBe(48);
  });

  test("a large batch is refused by its own promise", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk);
    const partition = harness.open();
    disk.freeBytes = 100;
    expect(await failureOf(partition.append(makeBatch([40_000])))).toBe("CannotAppendToFile");
    expect(partition.counters.hasMessages).toBe(false);
    expect(partition.isFenced).toBe(false);
  });

  test("what a failed write left and cannot be cut off is cut before the next write, and no partition is fenced", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk);
    const partition = harness.open();
    await appendNow(harness, partition, [10]);
    disk.freeBytes = 100;
    disk.fails = (operation) => operation === "truncate";
    expect(await failureOf(partition.append(makeBatch([40_000])))).toBe("CannotSyncFile");
    expect(disk.read(log0).byteLength).toBe(174);
    expect(await failureOf(partition.append(makeBatch([40_000])))).toBe("CannotSyncFile");
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([0]);
    disk.fails = () => false;
    disk.freeBytes = 1e9;
    await appendNow(harness, partition, [1]);
    expect(partition.isFenced).toBe(false);
    expect(disk.read(log0).byteLength).toBe(74 + 65);
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([0, 1]);
  });

  test("a failed write of the index costs nobody anything; flush reports it and a later one makes good", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk);
    const partition = harness.open();
    await appendNow(harness, partition, [10]);
    disk.fails = (operation, path) => operation === "write" && path === index0;
    expect(await failureOf(partition.flush(false))).toBe("CannotSaveIndexToSegment");
    await appendNow(harness, partition, [10]);
    disk.fails = () => false;
    await partition.flush(false);
    expect(disk.read(index0).byteLength).toBe(32);
  });

  test("a batch that breaks a rule of our own fences the partition", async () => {
    const harness = makeHarness(new MemoryDisk());
    const partition = harness.open();
    const batch = makeBatch([10]);
    new DataView(batch.memory.buffer).setUint32(batch.messagesPosition + 52, 1000, true);
    expect(await failureOf(partition.append(batch))).toBe("CannotAppendToFile");
    expect(partition.isFenced).toBe(true);
  });
});

describe("rotation", () => {
  test("5 KiB segments, 1000 bytes a message, a flush each: segments 0, 7, 14, 21", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { segmentSizeBytes: 5 * 1024 });
    const partition = harness.open();
    for (let number = 0; number < 25; number++) await appendNow(harness, partition, [936], number);
    expect(segmentStarts(disk)).toEqual([0, 7, 14, 21]);
    expect(disk.read(log0).byteLength).toBe(7000);
    expect(disk.read(index0).byteLength).toBe(7 * 16);
    expect(partition.counters).toEqual({
      segmentsCount: 4,
      currentOffset: 24,
      hasMessages: true,
      sizeBytes: 25_000,
      messagesCount: 25,
    });
    expect(await offsetsOf(partition, { kind: "first" }, 100)).toEqual(range(0, 25));
  });

  test("the same at memory level with a threshold of one message", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, {
      acknowledge: "memory",
      messagesRequiredToSave: 1,
      segmentSizeBytes: 5 * 1024,
    });
    const partition = harness.open();
    for (let number = 0; number < 25; number++) await partition.append(makeBatch([936], number));
    expect(segmentStarts(disk)).toEqual([0, 7, 14, 21]);
  });

  test("flush by command never rotates; the next append goes into the full segment and rotates", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { acknowledge: "memory", segmentSizeBytes: 100 });
    const partition = harness.open();
    await partition.append(makeBatch([100]));
    await partition.flush(false);
    await partition.flush(true);
    expect(segmentStarts(disk)).toEqual([0]);
    await partition.append(makeBatch([100]));
    expect(segmentStarts(disk)).toEqual([0, 2]);
    expect(disk.read(log0).byteLength).toBe(328);
  });

  test("neither does a flush or save that finds appends waiting for a full segment", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { segmentSizeBytes: 100 });
    const partition = harness.open();
    await appendNow(harness, partition, [100]);
    const waiting = [partition.append(makeBatch([100], 1))];
    await partition.flush(false);
    waiting.push(partition.append(makeBatch([100], 2)));
    await partition.save();
    await Promise.all(waiting);
    expect(segmentStarts(disk)).toEqual([0]);
    await appendNow(harness, partition, [100], 3);
    expect(segmentStarts(disk)).toEqual([0, 4]);
  });

  test("a sealed segment is synced, log and index", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { segmentSizeBytes: 100 });
    const partition = harness.open();
    await appendNow(harness, partition, [100]);
    await appendNow(harness, partition, [100]);
    await Bun.sleep(1);
    expect(disk.syncs).toEqual([log0, index0]);
  });

  test("a sealed segment that cannot be synced fences the partition", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { segmentSizeBytes: 100 });
    const partition = harness.open();
    disk.fails = (operation) => operation === "sync";
    await appendNow(harness, partition, [100]);
    await appendNow(harness, partition, [100]);
    await Bun.sleep(1);
    expect(await failureOf(partition.append(makeBatch([1])))).toBe("CannotSyncFile");
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([0, 1]);
  });

  test("a new segment that cannot be created is created by the next append", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { segmentSizeBytes: 100 });
    const partition = harness.open();
    await appendNow(harness, partition, [100]);
    disk.fails = (operation, path) => operation === "open" && !path.includes("00000000000000000000.");
    await appendNow(harness, partition, [100]);
    expect(await failureOf(partition.append(makeBatch([40_000])))).toBe("CannotAppendToFile");
    disk.fails = () => false;
    await appendNow(harness, partition, [100]);
    expect(segmentStarts(disk)).toEqual([0, 2]);
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([0, 1, 2]);
  });
});

test("a large batch of many messages comes back as it was sent", async () => {
  const harness = makeHarness(new MemoryDisk(), { segmentSizeBytes: 1e9 });
  const partition = harness.open();
  const sizes = range(0, 10_000).map((number) => number % 50);
  await partition.append(makeBatch(sizes));
  const { messages } = await poll(partition, { kind: "first" }, 20_000);
  expect(messages.map((message) => message.payload.byteLength)).toEqual(sizes);
  expect(await offsetsOf(partition, { kind: "offset", offset: 9_999 }, 10)).toEqual([9_999]);
});

test("close refuses later appends and reads; abandon refuses what waits and writes nothing", async () => {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk);
  const closed = harness.open();
  const waiting = closed.append(makeBatch([10]));
  await closed.close();
  await waiting;
  expect(await failureOf(closed.append(makeBatch([10])))).toBe("CannotAppendToFile");
  expect(await failureOf(Promise.resolve(closed.read({ kind: "first" }, 1)))).toBe("CannotReadFile");
  expect(disk.openCount).toBe(0);

  const abandoned = harness.open();
  const refused = failureOf(abandoned.append(makeBatch([10])));
  const bytesBefore = disk.read(log0).byteLength;
  abandoned.abandon();
  harness.endTurn();
  expect(await refused).toBe("CannotAppendToFile");
  expect(disk.read(log0).byteLength).toBe(bytesBefore);
  expect(disk.openCount).toBe(0);
});

test("a segment never grows past what a row can point to, whatever the batch", async () => {
  // Gigabytes that nobody touches: the kernel writes the last row only, the disk keeps nothing.
  const disk = new MemoryDisk();
  const positions: number[] = [];
  const memory = new Uint8Array(16 + 3 * 2 ** 29);
  const view = new DataView(memory.buffer);
  const messagesSizeBytes = memory.byteLength - 16;
  const kernel = {
    validate: () => 0,
    stamp: (...numbers: number[]) => {
      positions.push(numbers[6]!);
      view.setUint32(4, numbers[6]! + messagesSizeBytes, true);
    },
    scan: () => ({ messagesCount: 0, validBytes: 0, stop: "end" as const }),
    unpackRecord: () => 0,
    packRecords: () => ({ usedBytes: 0, writtenBytes: 0, messagesCount: 0 }),
    measureRecords: () => 0,
  };
  disk.keepsNothing = true;
  const harness = makeHarness(disk, { segmentSizeBytes: 2 ** 40 });
  const partition = harness.open();
  for (let count = 0; count < 5; count++) {
    await partition.append({
      kernel,
      memory,
      rowsPosition: 0,
      messagesCount: 1,
      messagesPosition: 16,
      messagesSizeBytes,
    });
  }
  expect(positions).toEqual([0, messagesSizeBytes, 0, messagesSizeBytes, 0]);
  expect(segmentStarts(disk)).toEqual([0, 2, 4]);
});
