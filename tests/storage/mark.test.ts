import { describe, expect, test } from "bun:test";
import { Partition, type PartitionIdentity } from "../../src/storage/index.ts";
import { decodeMark, encodeMark } from "../../src/storage/mark-format.ts";
import { appendNow, directory, errorOf, type Harness, makeBatch, makeHarness, offsetsOf } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

const markPath = `${directory}/partition.mark`;
const group = { kind: "group", id: 0 } as const;
const groupFile = `${directory}/offsets/groups/0`;
const idOf = (digit: string) => digit.repeat(24);

/** What the metadata says, as a test changes it. */
class Identity implements PartitionIdentity {
  logId: string | undefined;
  readonly removed = new Set<string>();
  readonly groups = new Map<number, string | undefined>();

  constructor(logId: string | undefined) {
    this.logId = logId;
  }

  isRemoved(logId: string): boolean {
    return this.removed.has(logId);
  }

  groupLogId(number: number): string | undefined | null {
    return this.groups.has(number) ? this.groups.get(number) : null;
  }
}

function openAs(harness: Harness, identity: PartitionIdentity): Partition {
  return Partition.open(harness.context, directory, () => {}, identity);
}

async function failureOf(work: Promise<unknown>): Promise<string> {
  const outcome = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return errorOf(() => {
    if (outcome !== undefined) throw outcome;
  });
}

/** Three messages of the log `a`, closed. */
async function filled(identity = new Identity(idOf("a"))): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk);
  const partition = openAs(harness, identity);
  await appendNow(harness, partition, [1, 2, 3]);
  await partition.close();
  return disk;
}

describe("the format", () => {
  const content = {
    logId: idOf("a"),
    nextOffset: 2 ** 40,
    groups: new Map([
      [7, idOf("b")],
      [0xffff_ffff, idOf("c")],
    ]),
  };

  test("comes back; nothing else is a mark", () => {
    const bytes = encodeMark(content);
    expect(decodeMark(bytes)).toEqual({ content, isWhole: true });
    const legacy = { logId: undefined, nextOffset: 0, groups: new Map<number, string>() };
    expect(decodeMark(encodeMark(legacy))?.content).toEqual(legacy);
    expect(decodeMark(new Uint8Array(0))).toBeUndefined();
    expect(decodeMark(new Uint8Array(200))).toBeUndefined();
    expect(decodeMark(bytes.subarray(0, 30))).toBeUndefined();
  });

  test("one flipped bit, any, leaves the content", () => {
    const bytes = encodeMark(content);
    for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(decodeMark(bytes)).toEqual({ content, isWhole: false });
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  });
});

describe("a partition's mark", () => {
  test("is there before its first file, and not before; level sync: durable before the first message", async () => {
    for (const acknowledge of ["write", "sync"] as const) {
      const disk = new MemoryDisk();
      const harness = makeHarness(disk, { acknowledge });
      const partition = openAs(harness, new Identity(idOf("a")));
      expect(disk.files.size).toBe(0);
      const created: string[] = [];
      disk.fails = (operation, path) => {
        if (operation === "open") created.push(path);
        return false;
      };
      await appendNow(harness, partition, [1]);
      expect(created[0]).toStartWith(markPath);
      expect(disk.syncs.some((path) => path.startsWith(markPath))).toBe(acknowledge === "sync");
      await partition.flush(true);
      expect(disk.syncs.some((path) => path.startsWith(markPath))).toBe(true);
    }
  });

  test("of the same log lets everything be as it was, also with a flipped bit, which is mended", async () => {
    const disk = await filled();
    const whole = disk.read(markPath);
    const damaged = whole.slice();
    damaged[20]! ^= 4;
    disk.put(markPath, damaged);
    const harness = makeHarness(disk);
    const partition = openAs(harness, new Identity(idOf("a")));
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([0, 1, 2]);
    expect(disk.read(markPath)).toEqual(whole);
    expect(harness.logged.some((line) => line.includes("second copy"))).toBe(true);
  });

  test("of another log: nothing of it is shown, it is set aside, and new messages begin at 0", async () => {
    const disk = await filled();
    const harness = makeHarness(disk);
    const partition = openAs(harness, new Identity(idOf("b")));
    expect(partition.counters.hasMessages).toBe(false);
    expect(harness.logged.some((line) => line.startsWith("warn") && line.includes("set aside"))).toBe(true);
    await appendNow(harness, partition, [9]);
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([0]);
    expect([...disk.files.keys()].some((path) => path.includes("/lost+found/0-1/00000000000000000000.log"))).toBe(true);
  });

  test("of a log whose deletion was logged: it is removed", async () => {
    const disk = await filled();
    const identity = new Identity(idOf("b"));
    identity.removed.add(idOf("a"));
    const partition = openAs(makeHarness(disk), identity);
    expect(partition.counters.hasMessages).toBe(false);
    await Bun.sleep(1);
    expect([...disk.files.keys()]).toEqual([]);
  });

  test("missing or damaged beyond repair: set aside, unless an older version made the partition, which is adopted", async () => {
    for (const damage of ["missing", "damaged"] as const) {
      for (const logId of [idOf("a"), undefined]) {
        const disk = await filled(new Identity(logId));
        if (damage === "missing") disk.remove(markPath);
        else disk.put(markPath, new Uint8Array(disk.read(markPath).byteLength));
        const partition = openAs(makeHarness(disk), new Identity(logId));
        expect(partition.counters.messagesCount).toBe(logId === undefined ? 3 : 0);
        if (logId === undefined) expect(decodeMark(disk.read(markPath))?.isWhole).toBe(true);
      }
    }
  });

  test("a directory that cannot be taken away, or whose mark cannot be read, is not opened", async () => {
    const disk = await filled();
    disk.fails = (operation) => operation === "rename" && "EPERM";
    expect(() => openAs(makeHarness(disk), new Identity(idOf("b")))).toThrow("EPERM");
    disk.fails = (operation, path) => operation === "read" && path === markPath;
    expect(() => openAs(makeHarness(disk), new Identity(idOf("a")))).toThrow("EIO");
    disk.fails = () => false;
    expect(openAs(makeHarness(disk), new Identity(idOf("a"))).counters.messagesCount).toBe(3);
  });

  test("carries the next offset where no other file does", async () => {
    const disk = await filled();
    const identity = new Identity(idOf("a"));
    identity.groups.set(0, idOf("c"));
    const first = openAs(makeHarness(disk), identity);
    first.storeOffset(group, 2);
    await first.close();
    for (const name of disk.list(directory)) if (/log|index|checkpoint/.test(name)) disk.remove(`${directory}/${name}`);
    const harness = makeHarness(disk);
    const partition = openAs(harness, identity);
    expect(partition.counters).toMatchObject({ currentOffset: 2, hasMessages: true, messagesCount: 0 });
    expect(partition.getOffset(group)).toBe(2);
    await appendNow(harness, partition, [1]);
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([3]);
    await partition.close();
    expect(openAs(makeHarness(disk), identity).counters).toMatchObject({ currentOffset: 3, messagesCount: 1 });
  });
});

describe("the offset of a deleted group", () => {
  async function stored() {
    const disk = await filled();
    const identity = new Identity(idOf("a"));
    identity.groups.set(0, idOf("c"));
    const harness = makeHarness(disk);
    const partition = openAs(harness, identity);
    partition.storeOffset(group, 1);
    return { disk, identity, partition };
  }

  test("is not that of the next one with its number, whether or not its file could be removed", async () => {
    const { disk, identity, partition } = await stored();
    disk.fails = (operation) => operation === "remove";
    identity.groups.delete(0);
    expect(errorOf(() => partition.deleteGroupOffsets(0))).toBe("CannotDeleteConsumerOffsetFile");
    disk.fails = () => false;
    expect(partition.getOffset(group)).toBeUndefined();
    identity.groups.set(0, idOf("d"));
    expect(partition.getOffset(group)).toBeUndefined();
    expect(disk.exists(groupFile)).toBe(true);
    const crashed = openAs(makeHarness(disk.copy()), identity);
    expect(crashed.getOffset(group)).toBeUndefined();
    partition.storeOffset(group, 0);
    await partition.close();
    expect(openAs(makeHarness(disk), identity).getOffset(group)).toBe(0);
  });

  test("goes at the next start where the broker was killed before its file went", async () => {
    const { disk, identity } = await stored();
    expect(openAs(makeHarness(disk.copy()), identity).getOffset(group)).toBe(1);
    identity.groups.delete(0);
    expect(openAs(makeHarness(disk), identity).getOffset(group)).toBeUndefined();
    expect(disk.exists(groupFile)).toBe(false);
  });

  test("a commit that comes after the deletion is refused", async () => {
    const { identity, partition } = await stored();
    identity.groups.delete(0);
    partition.deleteGroupOffsets(0);
    expect(errorOf(() => partition.storeOffset(group, 2))).toBe("ConsumerGroupIdNotFound");
    expect(partition.getOffset(group)).toBeUndefined();
  });

  test("groups and partitions of an older version keep theirs; a new group does not take one over", async () => {
    const disk = new MemoryDisk();
    const older = makeHarness(disk);
    const before = older.open();
    await appendNow(older, before, [1, 2, 3]);
    before.storeOffset(group, 1);
    before.storeOffset({ kind: "group", id: 1 }, 1);
    await before.close();
    const identity = new Identity(undefined);
    identity.groups.set(0, undefined).set(1, idOf("c"));
    const partition = openAs(makeHarness(disk), identity);
    expect(partition.getOffset(group)).toBe(1);
    expect(partition.getOffset({ kind: "group", id: 1 })).toBeUndefined();
    partition.storeOffset(group, 2);
    await partition.close();
    expect(openAs(makeHarness(disk), identity).getOffset(group)).toBe(2);
  });
});

describe("a purge", () => {
  test("that was logged and not begun is finished by the next start", async () => {
    const disk = await filled();
    const identity = new Identity(idOf("b"));
    identity.removed.add(idOf("a"));
    const harness = makeHarness(disk);
    const partition = openAs(harness, identity);
    expect(partition.counters).toMatchObject({ hasMessages: false, messagesCount: 0 });
    await appendNow(harness, partition, [1]);
    await partition.close();
    expect(await offsetsOf(openAs(makeHarness(disk), identity), { kind: "first" }, 10)).toEqual([0]);
  });

  test("that cannot be done leaves everything readable, takes no message, and is done by the saver", async () => {
    const disk = await filled();
    const identity = new Identity(idOf("a"));
    const harness = makeHarness(disk);
    const partition = openAs(harness, identity);
    partition.storeOffset({ kind: "consumer", id: 5 }, 1);
    disk.fails = (operation) => operation === "rename" && "EPERM";
    identity.logId = idOf("b");
    expect(await failureOf(partition.purge(idOf("b")))).toBe("CannotDeleteFile");
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([0, 1, 2]);
    expect(partition.getOffset({ kind: "consumer", id: 5 })).toBe(1);
    expect(await failureOf(partition.append(makeBatch([1])))).toBe("CannotDeleteFile");
    expect(await failureOf(partition.save())).toBe("CannotDeleteFile");
    disk.fails = () => false;
    await partition.save();
    expect(partition.counters.hasMessages).toBe(false);
    await appendNow(harness, partition, [1]);
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([0]);
    await partition.close();
    expect(decodeMark(disk.read(markPath))?.content.logId).toBe(idOf("b"));
    expect(openAs(makeHarness(disk), identity).counters.messagesCount).toBe(1);
  });

  test("that cannot be done takes no offset, which would go with it: not of a client, and not of a poll that commits", async () => {
    const disk = await filled();
    const identity = new Identity(idOf("a"));
    identity.groups.set(group.id, idOf("c"));
    const harness = makeHarness(disk);
    const partition = openAs(harness, identity);
    const consumer = { kind: "consumer", id: 5 } as const;
    partition.storeOffset(consumer, 0);
    const read = await partition.read({ kind: "first" }, 10);
    read.release();
    partition.notePolled(group.id, read.lastOffset, read.epoch);
    expect(partition.isRevocationSettled(group.id)).toBe(false);
    disk.fails = (operation) => operation === "rename" && "EPERM";
    identity.logId = idOf("b");
    expect(await failureOf(partition.purge(idOf("b")))).toBe("CannotDeleteFile");
    expect(errorOf(() => partition.storeOffset(consumer, 2))).toBe("CannotWriteToFile");
    expect(errorOf(() => partition.storeOffset(group, read.lastOffset, read.epoch))).toBe("CannotWriteToFile");
    expect(partition.getOffset(consumer)).toBe(0);
    expect(partition.isRevocationSettled(group.id)).toBe(true); // nobody can commit what was polled
    disk.fails = () => false;
    await partition.save();
    await appendNow(harness, partition, [1, 2, 3]);
    partition.storeOffset(consumer, 1);
    await partition.close();
    expect(openAs(makeHarness(disk), identity).getOffset(consumer)).toBe(1);
  });

  test("without a log id, that cannot be done, leaves everything as it was", async () => {
    const disk = new MemoryDisk();
    const harness = makeHarness(disk);
    const partition = harness.open();
    await appendNow(harness, partition, [1, 2]);
    partition.storeOffset(group, 1);
    disk.fails = (operation) => operation === "rename" && "EPERM";
    expect(await failureOf(partition.purge())).toBe("CannotDeleteFile");
    await appendNow(harness, partition, [3]);
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual([0, 1, 2]);
    expect(partition.getOffset(group)).toBe(1);
  });
});
