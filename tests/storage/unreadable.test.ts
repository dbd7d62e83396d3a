import { describe, expect, test } from "bun:test";
import { DiskError } from "../../src/platform/disk.ts";
import { appendNow, directory, makeHarness, offsetsOf } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

const sealedIndex = `${directory}/00000000000000000000.index`;
const activeIndex = `${directory}/00000000000000000006.index`;
const all = [0, 1, 2, 3, 4, 5, 6];

/** Seven messages in three segments, closed. */
async function filled(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk, { segmentSizeBytes: 100 });
  const partition = harness.open();
  for (let number = 0; number < 7; number++) await appendNow(harness, partition, [10], number);
  await partition.close();
  return disk;
}

describe.each([
  ["sealed", sealedIndex],
  ["active", activeIndex],
])("an index that cannot be read, of the %s segment,", (_, path) => {
  test.each([
    ["open", "EIO"],
    ["open", "EACCES"],
    ["read", "EIO"],
    ["size", "EIO"],
  ])("keeps no partition shut and is made again: %s %s", async (operation, errorCode) => {
    const disk = await filled();
    const before = disk.read(path);
    let isBad = true;
    disk.fails = (called, on) => {
      if (called === "remove" && on === path) isBad = false;
      return isBad && called === operation && on === path && errorCode;
    };
    const harness = makeHarness(disk, { segmentSizeBytes: 100 });
    const partition = harness.open();
    expect(await offsetsOf(partition, { kind: "first" }, 10)).toEqual(all);
    expect(harness.logged.filter((line) => line.includes("index cannot be read"))).toHaveLength(1);
    await partition.flush(true);
    expect(disk.read(path)).toEqual(before);
    await partition.close();
    expect(disk.openCount).toBe(0);
  });

  test("without a descriptor says nothing about it: it stays, and the partition is opened later", async () => {
    const disk = await filled();
    const before = disk.read(path);
    disk.fails = (called, on) => called === "open" && on === path && "EMFILE";
    expect(() => makeHarness(disk).open()).toThrow(DiskError);
    expect(disk.openCount).toBe(0);
    disk.fails = () => false;
    expect(disk.read(path)).toEqual(before);
    expect(await offsetsOf(makeHarness(disk).open(), { kind: "first" }, 10)).toEqual(all);
  });
});

test("an index without a log that cannot be removed keeps no partition shut", async () => {
  const disk = await filled();
  disk.remove(sealedIndex.replace("index", "log"));
  disk.fails = (called, on) => called === "remove" && on === sealedIndex && "EPERM";
  const harness = makeHarness(disk);
  expect(await offsetsOf(harness.open(), { kind: "first" }, 10)).toEqual([3, 4, 5, 6]);
  expect(harness.logged.some((line) => line.includes("index without a log not removed yet"))).toBe(true);
});
