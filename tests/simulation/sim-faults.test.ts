import { expect, test } from "bun:test";
import { DiskError } from "../../src/platform/disk.ts";
import { SimDisk } from "../../src/platform/simulated/sim-disk.ts";
import { Simulation } from "../../src/platform/simulated/simulation.ts";

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);

function diskWithFile(seed: number): SimDisk {
  const disk = new SimDisk(new Simulation(seed));
  disk.makeDirectory("/d/sub");
  const file = disk.open("/d/file", "create");
  file.write([new Uint8Array(2000).fill(7)], 0);
  file.syncNow();
  file.close();
  for (const path of ["/", "/d", "/d/sub"]) disk.syncDirectory(path);
  return disk;
}

/** What fails: operation and code; "none" where nothing does. */
async function failureOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return "none";
  } catch (error) {
    if (error instanceof DiskError) return `${error.operation} ${error.errorCode}`;
    throw error;
  }
}

test("each operation is refused on demand, with nothing changed, until the disk is healed", async () => {
  const disk = diskWithFile(1);
  const { simulation } = disk;
  const file = disk.open("/d/file", "readWrite");
  const calls = {
    open: () => disk.open("/d/file", "read").close(),
    create: () => disk.open("/d/new", "create").close(),
    makeDirectory: () => disk.makeDirectory("/d/more"),
    rename: () => disk.rename("/d/file", "/d/other"),
    remove: () => disk.remove("/d/file"),
    list: () => disk.list("/d"),
    read: () => file.read(new Uint8Array(1), 0),
    truncate: () => file.truncate(0),
    syncDirectory: () => disk.syncDirectory("/d"),
    removeTree: async () => {
      const removed = disk.removeTree("/d");
      removed.catch(() => undefined);
      await simulation.run();
      await removed;
    },
  };
  const expected: Record<string, string> = { create: "open EACCES", syncDirectory: "open EACCES" };
  for (const [operation, call] of Object.entries(calls)) {
    disk.failCalls({ operations: [operation as keyof typeof calls], errorCode: "EACCES" });
    expect(await failureOf(call)).toBe(expected[operation] ?? `${operation} EACCES`);
    disk.heal();
    expect(disk.list("/d")).toEqual(["file", "sub"]);
    expect(file.sizeBytes()).toBe(2000);
  }
  for (const call of Object.values(calls)) expect(await failureOf(call)).toBe("none");
});

test("a sync of a directory fails as a sync with EIO, as an open with any other code", async () => {
  const disk = diskWithFile(1);
  disk.failCalls({ operations: ["syncDirectory"], errorCode: "EIO" });
  expect(await failureOf(() => disk.syncDirectory("/d"))).toBe("syncDirectory EIO");
});

test("a fault may concern one file, or what is below a directory, and only some calls", async () => {
  const disk = diskWithFile(1);
  disk.open("/d/sub/file", "create").close();
  disk.failCalls({ operations: ["open"], errorCode: "EIO", below: "/d/sub" });
  expect(await failureOf(() => disk.open("/d/file", "read").close())).toBe("none");
  expect(await failureOf(() => disk.open("/d/sub/file", "read"))).toBe("open EIO");
  disk.heal();
  disk.failCalls({ operations: ["list"], errorCode: "EIO", percent: 50 });
  const outcomes = await Promise.all(SEEDS.map(() => failureOf(() => disk.list("/d"))));
  expect(new Set(outcomes)).toEqual(new Set(["none", "list EIO"]));
});

test("descriptors run out and come back when files are closed", async () => {
  const disk = diskWithFile(1);
  disk.limitDescriptors(1);
  const file = disk.open("/d/file", "read");
  expect(disk.openFilesCount).toBe(1);
  expect(await failureOf(() => disk.open("/d/file", "read"))).toBe("open EMFILE");
  expect(await failureOf(() => disk.syncDirectory("/d"))).toBe("open EMFILE");
  expect(file.read(new Uint8Array(1), 0)).toBe(1);
  file.close();
  file.close();
  expect(disk.openFilesCount).toBe(0);
  expect(await failureOf(() => disk.open("/d/file", "read").close())).toBe("none");
});

test("room set aside stays over crashes, is written without needing more, and goes with a truncation", async () => {
  for (const after of [(disk: SimDisk) => disk.crash(), (disk: SimDisk) => disk.processCrash()]) {
    const disk = diskWithFile(1);
    const file = disk.open("/d/file", "readWrite");
    disk.fillUpAfter(3000);
    expect(file.reserve(2000, 3001)).toBe(false);
    expect(file.reserve(2000, 3000)).toBe(true);
    file.write([new Uint8Array(1000)], 2000);
    expect(disk.reservedBytes()).toBe(2000);
    expect(await failureOf(() => file.write([new Uint8Array(1000)], 5000))).toBe("write ENOSPC");
    file.truncate(3000);
    expect(disk.reservedBytes()).toBe(0);
    expect(file.reserve(3000, 500)).toBe(true);
    file.syncNow();
    expect(after(disk).reservedBytes()).toBe(500);
  }
});

test("a flipped bit is one bit of a file that is meant, for the running machine and after a crash", () => {
  for (const seed of SEEDS) {
    const disk = diskWithFile(seed);
    disk.open("/d/other", "create").write([new Uint8Array(50)], 0);
    const [flipped] = disk.flipBits(1, (path) => path === "/d/file");
    expect(flipped?.path).toBe("/d/file");
    for (const look of [() => disk, () => disk.crash()]) {
      const seen = look();
      const bytes = new Uint8Array(2000);
      seen.open("/d/file", "read").read(bytes, 0);
      const changed = [...bytes.entries()].filter(([, byte]) => byte !== 7);
      expect(changed).toEqual([[flipped!.position, 7 ^ (1 << flipped!.bit)]]);
      if (seen === disk) continue;
      expect(seen.flipBits(1, () => false)).toEqual([]);
    }
  }
});

test("eight bytes inside a sector are there or not, also where a file is new", () => {
  const met = new Set<string>();
  for (const seed of SEEDS) {
    const disk = new SimDisk(new Simulation(seed));
    const file = disk.open("/offset", "create");
    disk.syncDirectory("/");
    for (const value of [1, 2, 3]) file.write([new Uint8Array(8).fill(value)], 0);
    const after = disk.crash().open("/offset", "read");
    const bytes = new Uint8Array(after.sizeBytes());
    after.read(bytes, 0);
    met.add(bytes.join(""));
  }
  const whole = [0, 1, 2, 3].map((value) => String(value).repeat(8));
  expect([...met].sort()).toEqual(["", ...whole]);
});
