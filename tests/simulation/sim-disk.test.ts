import { describe, expect, test } from "bun:test";
import type { DiskFile } from "../../src/platform/disk.ts";
import { SimDisk } from "../../src/platform/simulated/sim-disk.ts";
import { Simulation } from "../../src/platform/simulated/simulation.ts";

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);

function diskWithFile(seed: number): { simulation: Simulation; disk: SimDisk; file: DiskFile } {
  const simulation = new Simulation(seed);
  const disk = new SimDisk(simulation);
  disk.makeDirectory("/d");
  disk.syncDirectory("/");
  const file = disk.open("/d/file", "create");
  disk.syncDirectory("/d");
  return { simulation, disk, file };
}

function filled(sizeBytes: number, value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(sizeBytes).fill(value);
}

function contentOf(disk: SimDisk, path: string): Uint8Array {
  const file = disk.open(path, "read");
  const bytes = new Uint8Array(file.sizeBytes());
  expect(file.read(bytes, 0)).toBe(bytes.byteLength);
  file.close();
  return bytes;
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Error && "errorCode" in error) return String(error.errorCode);
    throw error;
  }
  return "none";
}

async function codeOfAsync(promise: Promise<unknown>): Promise<string> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  return codeOf(() => {
    if (outcome !== undefined) throw outcome;
  });
}

describe("files of a running machine", () => {
  test("views are written one after the other and read back, short at the end", () => {
    const { file } = diskWithFile(1);
    file.write([filled(3, 1), filled(2, 2)], 0);
    const target = filled(10, 9);
    expect(file.read(target, 1)).toBe(4);
    expect([...target]).toEqual([1, 1, 2, 2, 9, 9, 9, 9, 9, 9]);
    expect(file.read(target, 5)).toBe(0);
  });

  test("a gap and a grown file read as zeros, also where bytes were cut before", () => {
    const { file, disk } = diskWithFile(1);
    file.write([filled(4, 7)], 0);
    file.truncate(1);
    file.write([filled(1, 8)], 5);
    file.truncate(8);
    expect([...contentOf(disk, "/d/file")]).toEqual([7, 0, 0, 0, 0, 8, 0, 0]);
  });

  test("names: sorted list, rename replaces, remove of a missing file is fine, an open file outlives its name", () => {
    const { disk, file } = diskWithFile(1);
    file.write([filled(1, 1)], 0);
    disk.open("/d/a", "create").write([filled(1, 2)], 0);
    expect(disk.list("/d")).toEqual(["a", "file"]);
    disk.rename("/d/a", "/d/file");
    expect(disk.list("/d")).toEqual(["file"]);
    expect([...contentOf(disk, "/d/file")]).toEqual([2]);
    expect(file.sizeBytes()).toBe(1);
    disk.remove("/d/a");
    expect(disk.list("/missing")).toEqual([]);
  });

  test("errors carry the code of the operating system", () => {
    const { disk, file } = diskWithFile(1);
    expect(codeOf(() => disk.open("/d/none", "readWrite"))).toBe("ENOENT");
    expect(codeOf(() => disk.open("/none/file", "create"))).toBe("ENOENT");
    expect(codeOf(() => disk.rename("/d/none", "/d/x"))).toBe("ENOENT");
    expect(codeOf(() => disk.open("/d/file", "read").write([filled(1, 1)], 0))).toBe("EBADF");
    file.close();
    expect(codeOf(() => file.sizeBytes())).toBe("EBADF");
  });

  test("a tree is removed with everything in it, when the simulation runs", async () => {
    const { disk, simulation } = diskWithFile(1);
    disk.makeDirectory("/d/e/f");
    const removed = disk.removeTree("/d");
    expect(disk.exists("/d/e/f")).toBe(true);
    await simulation.run();
    await removed;
    expect(disk.exists("/d")).toBe(false);
    expect(disk.list("/")).toEqual([]);
  });
});

describe("power loss", () => {
  test.each(SEEDS)("seed %d: synced bytes survive; an unsynced write is kept, lost or torn, never altered", (seed) => {
    const { disk, file } = diskWithFile(seed);
    file.write([filled(1000, 1)], 0);
    file.syncNow();
    file.write([filled(3000, 2)], 1000);
    const bytes = contentOf(disk.crash(), "/d/file");
    expect(bytes.byteLength).toBeLessThanOrEqual(4000);
    expect(bytes.subarray(0, 1000).every((byte) => byte === 1)).toBe(true);
    expect(bytes.subarray(1000).every((byte) => byte === 2 || byte === 0)).toBe(true);
  });

  test("over many seeds every kind of survival is met", () => {
    const met = new Set<string>();
    for (const seed of SEEDS) {
      const { disk, file } = diskWithFile(seed);
      file.write([filled(3000, 2)], 0);
      const bytes = contentOf(disk.crash(), "/d/file");
      const whole = bytes.every((byte) => byte === 2);
      met.add(bytes.byteLength === 0 ? "lost" : !whole ? "holes" : bytes.byteLength === 3000 ? "kept" : "prefix");
    }
    expect([...met].sort()).toEqual(["holes", "kept", "lost", "prefix"]);
  });

  test("a sector that is overwritten is old or new, not both", () => {
    for (const seed of SEEDS) {
      const { disk, file } = diskWithFile(seed);
      file.write([filled(8, 1)], 0);
      file.syncNow();
      file.write([filled(8, 2)], 0);
      expect(new Set(contentOf(disk.crash(), "/d/file")).size).toBe(1);
    }
  });

  test("after a lost truncation nothing later of that file survives", () => {
    let lostCount = 0;
    for (const seed of SEEDS) {
      const { disk, file } = diskWithFile(seed);
      file.write([filled(100, 1)], 0);
      file.syncNow();
      file.truncate(50);
      file.write([filled(10, 2)], 50);
      const bytes = contentOf(disk.crash(), "/d/file");
      if (bytes.byteLength < 100) continue;
      lostCount++;
      expect(bytes.every((byte) => byte === 1)).toBe(true);
    }
    expect(lostCount).toBeGreaterThan(20);
  });

  test("a name is durable after its directory was synced, not by a sync of the file", () => {
    let lostCount = 0;
    for (const seed of SEEDS) {
      const { disk } = diskWithFile(seed);
      disk.open("/d/new", "create").syncNow();
      const after = disk.crash();
      expect(after.exists("/d/file")).toBe(true);
      if (!after.exists("/d/new")) lostCount++;
    }
    expect(lostCount).toBeGreaterThan(20);
    expect(lostCount).toBeLessThan(SEEDS.length - 20);
  });

  test("a rename is undone or done, and keeps the synced content either way", () => {
    const outcomes = new Set<string>();
    for (const seed of SEEDS) {
      const { disk, file } = diskWithFile(seed);
      file.write([filled(2, 1)], 0);
      file.syncNow();
      const next = disk.open("/d/file.tmp", "create");
      next.write([filled(2, 2)], 0);
      next.syncNow();
      disk.syncDirectory("/d");
      disk.rename("/d/file.tmp", "/d/file");
      const after = disk.crash();
      outcomes.add(`${after.list("/d").join()}:${contentOf(after, "/d/file").join("")}`);
    }
    expect([...outcomes].sort()).toEqual(["file,file.tmp:11", "file:22"]);
  });

  test("a directory is renamed with everything in it or not at all; what is made at its old name never mixes with it", () => {
    const outcomes = new Set<string>();
    for (const seed of SEEDS) {
      const { disk } = diskWithFile(seed);
      disk.makeDirectory("/gone");
      disk.syncDirectory("/");
      disk.rename("/d", "/gone/1");
      disk.makeDirectory("/d");
      disk.open("/d/new", "create").close();
      if (seed % 2 === 0) disk.syncDirectory("/d");
      const after = disk.crash();
      outcomes.add(`${after.list("/d").join()}:${after.list("/gone/1").join()}`);
    }
    expect([...outcomes].sort()).toEqual([":file", "file:", "new:file"]);
  });

  test("a sync that has not ended covers nothing; one that ended covers what was written before it began", async () => {
    let lostCount = 0;
    for (const seed of SEEDS) {
      const { disk, file, simulation } = diskWithFile(seed);
      file.write([filled(10, 1)], 0);
      const first = file.sync();
      await simulation.run();
      await first;
      file.write([filled(10, 2)], 10);
      void file.sync();
      file.write([filled(10, 3)], 20);
      const bytes = contentOf(disk.crash(), "/d/file");
      expect(bytes.byteLength).toBeGreaterThanOrEqual(10);
      if (bytes.byteLength === 10) lostCount++;
    }
    expect(lostCount).toBeGreaterThan(20);
  });
});

describe("kill -9", () => {
  test("every completed write and name survives and stays unsynced", () => {
    let lostCount = 0;
    for (const seed of SEEDS) {
      const { disk, file } = diskWithFile(seed);
      file.write([filled(3000, 1)], 0);
      disk.open("/d/new", "create");
      const killed = disk.processCrash();
      expect(contentOf(killed, "/d/file")).toEqual(filled(3000, 1));
      expect(killed.list("/d")).toEqual(["file", "new"]);
      if (contentOf(killed.crash(), "/d/file").byteLength < 3000) lostCount++;
    }
    expect(lostCount).toBeGreaterThan(20);
  });

  test("the old disk refuses everything afterwards", async () => {
    const { disk, file, simulation } = diskWithFile(1);
    const pending = file.sync();
    disk.processCrash();
    const code = codeOfAsync(pending);
    await simulation.run();
    expect(await code).toBe("EIO");
    expect(codeOf(() => file.write([filled(1, 1)], 0))).toBe("EIO");
    expect(codeOf(() => disk.open("/d/file", "read"))).toBe("EIO");
  });

  test("a machine that stops in a write leaves a prefix of it", () => {
    const sizes = new Set<number>();
    for (const seed of SEEDS) {
      const { disk, file } = diskWithFile(seed);
      disk.stopAfter(1);
      file.write([filled(100, 1)], 0);
      expect(codeOf(() => file.write([filled(100, 2)], 100))).toBe("EIO");
      expect(disk.stopped).toBe(true);
      expect(codeOf(() => file.truncate(0))).toBe("EIO");
      const bytes = contentOf(disk.processCrash(), "/d/file");
      expect(bytes.subarray(0, 100)).toEqual(filled(100, 1));
      expect(bytes.subarray(100).every((byte) => byte === 2)).toBe(true);
      sizes.add(bytes.byteLength);
    }
    expect(sizes.size).toBeGreaterThan(20);
  });
});

describe("faults on demand", () => {
  test("a full disk takes part of a write, answers ENOSPC until healed, and overwriting still works", () => {
    const { disk, file } = diskWithFile(3);
    disk.fillUpAfter(100);
    file.write([filled(80, 1)], 0);
    expect(codeOf(() => file.write([filled(80, 2)], 80))).toBe("ENOSPC");
    expect(file.sizeBytes()).toBeLessThanOrEqual(100);
    file.write([filled(80, 3)], 0);
    file.truncate(80);
    file.write([filled(20, 2)], 80);
    expect(codeOf(() => file.write([filled(1, 2)], 100))).toBe("ENOSPC");
    disk.heal();
    file.write([filled(80, 4)], 80);
    expect(contentOf(disk, "/d/file")).toEqual(Uint8Array.from([...filled(80, 3), ...filled(80, 4)]));
  });

  test("the chosen write fails with EIO, the others do not", () => {
    const { disk, file } = diskWithFile(3);
    disk.failWriteAfter(1);
    file.write([filled(1, 1)], 0);
    expect(codeOf(() => file.write([filled(1, 1)], 1))).toBe("EIO");
    file.write([filled(1, 1)], 1);
    expect(contentOf(disk, "/d/file")).toEqual(filled(2, 1));
  });

  test("after a failed sync a later one succeeds although bytes before it are gone", async () => {
    let lostCount = 0;
    for (const seed of SEEDS) {
      const { disk, file, simulation } = diskWithFile(seed);
      disk.failSyncAfter(0);
      file.write([filled(10, 1)], 0);
      const failed = codeOfAsync(file.sync());
      await simulation.run();
      expect(await failed).toBe("EIO");
      file.syncNow();
      expect(contentOf(disk, "/d/file")).toEqual(filled(10, 1));
      if (contentOf(disk.crash(), "/d/file").byteLength === 0) lostCount++;
    }
    expect(lostCount).toBeGreaterThan(50);
    expect(lostCount).toBeLessThan(150);
  });
});

test("asynchronous calls settle only when the simulation runs, in an order that the seed picks", async () => {
  const orders = new Set<string>();
  for (const seed of SEEDS.slice(0, 50)) {
    const { file, simulation } = diskWithFile(seed);
    file.write([filled(4, 5)], 0);
    const order: string[] = [];
    const target = new Uint8Array(4);
    const calls: Promise<unknown>[] = [
      file.sync().then(() => order.push("first")),
      file.readAsync(target, 0).then((got) => order.push(`read ${got}`)),
      file.sync().then(() => order.push("second")),
    ];
    await Promise.resolve();
    expect(order).toEqual([]);
    await simulation.run();
    await Promise.all(calls);
    expect(target).toEqual(filled(4, 5));
    orders.add(order.join());
  }
  expect(orders.size).toBe(6);
});

test("the same seed gives the same crash, another seed another", () => {
  const survivors = (seed: number): string => {
    const { disk, file } = diskWithFile(seed);
    for (let index = 0; index < 20; index++) file.write([filled(700, index)], index * 700);
    return Bun.hash(contentOf(disk.crash(), "/d/file")).toString();
  };
  expect(survivors(5)).toBe(survivors(5));
  expect(new Set(SEEDS.slice(0, 20).map(survivors)).size).toBeGreaterThan(8);
});

test("a power loss that takes everything leaves exactly what was synced, of bytes and of names", async () => {
  const { simulation, disk, file } = diskWithFile(1);
  file.write([filled(10, 1)], 0);
  const synced = file.sync();
  await simulation.run();
  await synced;
  file.write([filled(20, 2)], 5);
  disk.open("/d/unsynced", "create").close();
  const after = disk.loseUnsynced();
  expect(after.list("/d")).toEqual(["file"]);
  expect(contentOf(after, "/d/file")).toEqual(filled(10, 1));
  expect(codeOf(() => disk.open("/d/file", "read"))).toBe("EIO");
  expect(contentOf(after.loseUnsynced(), "/d/file")).toEqual(filled(10, 1));
});
