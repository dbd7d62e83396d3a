import { describe, expect, test } from "bun:test";
import { IggyError } from "../../src/protocol/errors.ts";
import { appendNow, directory, errorOf, makeHarness, offsetsOf } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

const consumer = { kind: "consumer", id: 5 } as const;
const group = { kind: "group", id: 0 } as const;
const consumerFile = `${directory}/offsets/consumers/5`;

async function filled() {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk);
  const partition = harness.open();
  await appendNow(harness, partition, [1, 2, 3]);
  return { disk, harness, partition };
}

test("a stored offset is eight little-endian bytes in the file of its consumer or group", async () => {
  const { disk, partition } = await filled();
  partition.storeOffset(consumer, 2);
  partition.storeOffset(group, 1);
  expect([...disk.read(consumerFile)]).toEqual([2, 0, 0, 0, 0, 0, 0, 0]);
  expect([...disk.read(`${directory}/offsets/groups/0`)]).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
  partition.storeOffset(consumer, 0);
  expect(disk.read(consumerFile)[0]).toBe(0);
  expect(partition.getOffset(consumer)).toBe(0);
  expect(partition.getOffset(group)).toBe(1);
  expect(partition.getOffset({ kind: "group", id: 5 })).toBeUndefined();
});

test("an offset above the current one, or any while nothing was written, is 4100", async () => {
  const { partition } = await filled();
  expect(errorOf(() => partition.storeOffset(consumer, 3))).toBe("InvalidOffset");
  expect(errorOf(() => partition.storeOffset(consumer, 2))).toBe("none");
  const empty = makeHarness(new MemoryDisk()).open();
  expect(errorOf(() => empty.storeOffset(consumer, 0))).toBe("InvalidOffset");
});

test("deleting removes the file; deleting again is 3021", async () => {
  const { disk, partition } = await filled();
  partition.storeOffset(consumer, 1);
  partition.deleteOffset(consumer);
  expect(disk.exists(consumerFile)).toBe(false);
  expect(partition.getOffset(consumer)).toBeUndefined();
  expect(errorOf(() => partition.deleteOffset(consumer))).toBe("ConsumerOffsetNotFound");
  partition.storeOffset(consumer, 2);
  expect(disk.read(consumerFile)[0]).toBe(2);
});

describe("where stored offsets are durable when they are answered", () => {
  async function persisting() {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { acknowledge: "memory", persistsOffsets: true });
    const partition = harness.open();
    await appendNow(harness, partition, [1, 2, 3]);
    return { disk, partition };
  }

  test("those that come together share a sync, and those that come while it runs share the next", async () => {
    const { disk, partition } = await persisting();
    let endFirst = () => {};
    disk.syncGate = new Promise((resolve) => {
      endFirst = resolve;
    });
    const ids = Array.from({ length: 20 }, (_, id) => id);
    const store = (offset: number) =>
      ids.map((id) => {
        partition.storeOffset({ kind: "consumer", id }, offset);
        return partition.offsetsDurable();
      });
    const first = store(0);
    await Bun.sleep(0);
    const answered: number[] = [];
    const second = [...store(1), ...store(2)].map((durable, index) => durable?.then(() => answered.push(index)));
    await Bun.sleep(0);
    disk.syncGate = undefined;
    expect(answered).toEqual([]);
    endFirst();
    await Promise.all([...first, ...second]);
    // That whose sync was under way when the others came.
    const syncsOfFile = disk.syncs.filter((path) => path.endsWith("/offsets/consumers/0"));
    expect(syncsOfFile).toHaveLength(2);
    expect(disk.read(`${directory}/offsets/consumers/7`)[0]).toBe(2);
  });

  test("a sync that fails is told to all who wait for it, and made good by the next", async () => {
    const { disk, partition } = await persisting();
    disk.fails = (operation, path) => operation === "sync" && path.endsWith("/offsets/consumers/5");
    partition.storeOffset(consumer, 1);
    const waiting = [partition.offsetsDurable(), partition.offsetsDurable()];
    for (const outcome of await Promise.allSettled(waiting)) {
      const reason = outcome.status === "rejected" ? outcome.reason : undefined;
      expect(reason instanceof IggyError && reason.errorName).toBe("CannotSyncFile");
    }
    expect(partition.isFenced).toBe(false);
    disk.fails = () => false;
    partition.storeOffset(consumer, 2);
    await partition.offsetsDurable();
    expect(disk.syncs.filter((path) => path.endsWith("/offsets/consumers/5")).length).toBeGreaterThan(0);
  });

  test("nobody waits where that was not asked for", async () => {
    const { partition } = await filled();
    partition.storeOffset(consumer, 1);
    expect(partition.offsetsDurable()).toBeUndefined();
  });
});

test("a store that cannot be written is 10006 and changes nothing", async () => {
  const { disk, partition } = await filled();
  partition.storeOffset(consumer, 1);
  disk.fails = (operation) => operation === "write";
  expect(errorOf(() => partition.storeOffset(consumer, 2))).toBe("CannotWriteToFile");
  expect(partition.getOffset(consumer)).toBe(1);
});

test("a new consumer is refused where as many offsets are kept as are allowed; groups count for themselves", async () => {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk, { consumerOffsetsMax: 2 });
  const partition = harness.open();
  await appendNow(harness, partition, [1, 2, 3]);
  const store = (kind: "consumer" | "group", id: number) => errorOf(() => partition.storeOffset({ kind, id }, 1));
  expect([1, 2, 3, 4].map((id) => store("consumer", id))).toEqual([
    ...["none", "none"],
    ...["CannotOpenConsumerOffsetsFile", "CannotOpenConsumerOffsetsFile"],
  ]);
  expect(disk.list(`${directory}/offsets/consumers`).sort()).toEqual(["1", "2"]);
  // Who is known goes on, and who goes makes room.
  expect(errorOf(() => partition.storeOffset({ kind: "consumer", id: 2 }, 2))).toBe("none");
  partition.deleteOffset({ kind: "consumer", id: 1 });
  expect(store("consumer", 3)).toBe("none");
  expect([1, 2, 3].map((id) => store("group", id))).toEqual(["none", "none", "CannotOpenConsumerOffsetsFile"]);
  const warnings = harness.logged.filter((line) => line.includes("limits.consumer_offsets_per_partition"));
  expect(warnings).toHaveLength(1);
  // A limit that is lowered takes nothing away.
  await partition.close();
  const reopened = makeHarness(disk, { consumerOffsetsMax: 1 }).open();
  expect([2, 3].map((id) => reopened.getOffset({ kind: "consumer", id }))).toEqual([2, 1]);
});

describe("after a restart", () => {
  test("offsets are there; one ahead of the log is lowered, for good", async () => {
    const { disk, partition } = await filled();
    partition.storeOffset(consumer, 1);
    partition.storeOffset(group, 2);
    await partition.close();
    disk.put(consumerFile, new Uint8Array([200, 0, 0, 0, 0, 0, 0, 0]));
    const reopened = makeHarness(disk).open();
    expect(reopened.getOffset(consumer)).toBe(2);
    expect(reopened.getOffset(group)).toBe(2);
    expect(disk.read(consumerFile)[0]).toBe(2);
    expect(await offsetsOf(reopened, { kind: "next", consumer }, 10)).toEqual([]);
  });

  test("torn files and files of no consumer are ignored with a warning", async () => {
    const { disk, partition } = await filled();
    await partition.close();
    disk.put(consumerFile, new Uint8Array(7));
    disk.put(`${directory}/offsets/consumers/x`, new Uint8Array(8));
    const harness = makeHarness(disk);
    const reopened = harness.open();
    expect(reopened.getOffset(consumer)).toBeUndefined();
    expect(harness.logged.filter((line) => line.startsWith("warn")).length).toBe(2);
    reopened.storeOffset(consumer, 1);
    expect([...disk.read(consumerFile)]).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
  });

  test("an offset of a partition without messages does not skip the first one that comes", async () => {
    const disk = new MemoryDisk();
    disk.put(consumerFile, new Uint8Array(8));
    const harness = makeHarness(disk);
    const partition = harness.open();
    expect(disk.exists(consumerFile)).toBe(false);
    await appendNow(harness, partition, [1]);
    expect(await offsetsOf(partition, { kind: "next", consumer }, 10)).toEqual([0]);
  });
});

test("deleting a group removes its offset with the file, for good; one that never stored any is fine", async () => {
  const { disk, partition } = await filled();
  partition.storeOffset(group, 1);
  partition.storeOffset(consumer, 1);
  partition.deleteGroupOffsets(group.id);
  partition.deleteGroupOffsets(group.id);
  partition.deleteGroupOffsets(consumer.id);
  expect(partition.getOffset(group)).toBeUndefined();
  expect(disk.exists(`${directory}/offsets/groups/0`)).toBe(false);
  await partition.close();
  const reopened = makeHarness(disk).open();
  expect(reopened.getOffset(group)).toBeUndefined();
  expect(reopened.getOffset(consumer)).toBe(1);
});

describe("a partition may move to another member of a group", () => {
  test("when nothing was polled, or the last polled offset is committed", async () => {
    const { partition } = await filled();
    expect(partition.isRevocationSettled(0)).toBe(true);
    partition.notePolled(0, 1);
    expect(partition.isRevocationSettled(0)).toBe(false);
    expect(partition.isRevocationSettled(1)).toBe(true);
    partition.storeOffset(group, 0);
    expect(partition.isRevocationSettled(0)).toBe(false);
    partition.storeOffset({ kind: "consumer", id: 0 }, 2);
    expect(partition.isRevocationSettled(0)).toBe(false);
    partition.storeOffset(group, 1);
    expect(partition.isRevocationSettled(0)).toBe(true);
    partition.notePolled(0, 2);
    expect(partition.isRevocationSettled(0)).toBe(false);
    partition.storeOffset(group, 2);
    expect(partition.isRevocationSettled(0)).toBe(true);
  });

  test("once what was polled is committed, also if an earlier offset is stored afterwards, or none: nobody holds anything", async () => {
    const { partition } = await filled();
    for (const goBack of [() => partition.storeOffset(group, 0), () => partition.deleteOffset(group)]) {
      partition.notePolled(0, 2);
      partition.storeOffset(group, 2);
      goBack();
      expect(partition.isRevocationSettled(0)).toBe(true);
      partition.notePolled(0, 1);
      expect(partition.isRevocationSettled(0)).toBe(false);
    }
  });

  test("when the member that polled is gone, the group is deleted, or the partition was purged (spec SB 13, trap 37)", async () => {
    const { harness, partition } = await filled();
    partition.notePolled(0, 2);
    partition.clearLastPolled(0);
    expect(partition.isRevocationSettled(0)).toBe(true);
    partition.notePolled(0, 2);
    partition.deleteGroupOffsets(0);
    expect(partition.isRevocationSettled(0)).toBe(true);
    partition.notePolled(0, 2);
    await partition.purge();
    expect(partition.isRevocationSettled(0)).toBe(true);
    await appendNow(harness, partition, [1]);
    expect(partition.isRevocationSettled(0)).toBe(true);
  });
});

describe("an offset that is stored late", () => {
  test("is refused after a purge, also where new messages reach as far, and where the partition is closed or gone", async () => {
    const { harness, partition } = await filled();
    const read = await partition.read({ kind: "first" }, 10);
    await partition.purge();
    await appendNow(harness, partition, [1, 2, 3]);
    expect(errorOf(() => partition.storeOffset(consumer, read.lastOffset, read.epoch))).toBe("InvalidOffset");
    partition.notePolled(0, read.lastOffset, read.epoch);
    expect(partition.isRevocationSettled(0)).toBe(true);
    read.release();
    const later = await partition.read({ kind: "first" }, 10);
    later.release();
    partition.storeOffset(consumer, later.lastOffset, later.epoch);
    expect(partition.getOffset(consumer)).toBe(2);
    partition.abandon();
    expect(errorOf(() => partition.storeOffset(consumer, 1))).toBe("CannotWriteToFile");
  });
});

describe("stored offsets are durable", () => {
  const others = [1, 2, 3].map((id) => ({ kind: "consumer", id }) as const);
  const isOffset = (path: string) => path.includes("/offsets/consumers/");

  async function stored(enforceFsync: boolean) {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk, { enforceFsync });
    const partition = harness.open();
    await appendNow(harness, partition, [1, 2, 3]);
    await partition.flush(true);
    for (const offset of [0, 1, 2]) for (const consumer of others) partition.storeOffset(consumer, offset);
    disk.syncs.length = 0;
    return { disk, harness, partition };
  }

  test("after the saver's tick, with one sync a file, and its directories", async () => {
    const { disk, partition } = await stored(true);
    await partition.save();
    expect(disk.syncs.filter(isOffset).sort()).toEqual(others.map(({ id }) => `${directory}/offsets/consumers/${id}`));
    expect(disk.syncs).toContain(`${directory}/offsets/consumers`);
    expect(disk.syncs).toContain(`${directory}/offsets`);
    disk.syncs.length = 0;
    await partition.save();
    expect(disk.syncs).toEqual([]);
    partition.deleteOffset(others[0]!);
    partition.storeOffset(others[1]!, 1);
    await partition.save();
    expect(disk.syncs).toEqual([`${directory}/offsets/consumers/2`, `${directory}/offsets/consumers`]);
  });

  test("after a flush with a sync, and after a clean close; without a sync where the saver makes none", async () => {
    for (const way of ["flush", "close"] as const) {
      const { disk, partition } = await stored(false);
      await partition.save();
      expect(disk.syncs.filter(isOffset)).toEqual([]);
      await (way === "flush" ? partition.flush(true) : partition.close());
      expect(disk.syncs.filter(isOffset).length).toBe(3);
    }
  });

  test("a sync that fails is told, fences nothing, and is made good by writing anew", async () => {
    const { disk, harness, partition } = await stored(true);
    const file = `${directory}/offsets/consumers/2`;
    disk.fails = (operation, path) => operation === "sync" && path === file;
    expect(await partition.save().then(String, String)).toContain("Cannot sync file");
    disk.fails = () => false;
    disk.writes.length = 0;
    await partition.save();
    expect(disk.writes.map(({ path }) => path)).toEqual([file]);
    expect(disk.syncs.filter((path) => path === file)).toEqual([file]);
    await appendNow(harness, partition, [4]);
  });

  test("also in a partition that is fenced", async () => {
    const { disk, harness, partition } = await stored(true);
    await appendNow(harness, partition, [4]);
    disk.fails = (operation, path) => operation === "sync" && path.endsWith(".log");
    await partition.save().catch(() => undefined);
    expect(partition.isFenced).toBe(true);
    partition.storeOffset(consumer, 1);
    await partition.save().catch(() => undefined);
    expect(disk.syncs).toContain(consumerFile);
  });
});

test("offset files that cannot be read keep no partition shut", async () => {
  const { disk, partition } = await filled();
  partition.storeOffset(consumer, 1);
  partition.storeOffset(group, 1);
  await partition.close();
  const harness = makeHarness(disk);
  disk.fails = (operation, path) => operation === "read" && path === consumerFile;
  const reopened = harness.open();
  expect(reopened.getOffset(consumer)).toBeUndefined();
  expect(reopened.getOffset(group)).toBe(1);
  expect(harness.logged.some((line) => line.startsWith("error") && line.includes(consumerFile))).toBe(true);
});

test("the offset file of a deleted group that cannot be removed is not opened again", async () => {
  const { disk, harness, partition } = await filled();
  partition.storeOffset(group, 2);
  disk.fails = (operation) => operation === "remove";
  expect(errorOf(() => partition.deleteGroupOffsets(0))).toBe("CannotDeleteConsumerOffsetFile");
  disk.fails = () => false;
  await partition.close();
  expect(harness.context.files.openCount).toBe(0);
});

test("a tick of the saver that comes while the one before is at work ends with it", async () => {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk, { enforceFsync: true });
  const partition = harness.open();
  await appendNow(harness, partition, [1]);
  const gate = Promise.withResolvers<void>();
  disk.syncGate = gate.promise;
  const saves = [partition.save(), partition.save(), partition.save()];
  gate.resolve();
  await Promise.all(saves);
  expect(disk.syncs.filter((path) => path.endsWith(".log")).length).toBe(1);
});
