// Names of consumers stay beside the numbers under which their offsets are kept, for people; nothing depends on them.
import { expect, test } from "bun:test";
import { createCipher } from "../../src/security/encryption.ts";
import type { Partition } from "../../src/storage/index.ts";
import { appendNow, directory, makeHarness } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

const file = `${directory}/offsets/names`;
const auditor = { kind: "consumer", id: 5, name: "auditor" } as const;

async function filled(disk = new MemoryDisk(), encryption?: Parameters<typeof makeHarness>[3]) {
  const harness = makeHarness(disk, {}, 256 * 1024, encryption);
  const partition = harness.open();
  await appendNow(harness, partition, [1, 2, 3]);
  return { disk, harness, partition };
}

function namesOf(partition: Partition): Record<number, string | undefined> {
  return Object.fromEntries([...partition.view.stored()].map(({ id, name }) => [id, name]));
}

function textOf(disk: MemoryDisk): string {
  return new TextDecoder().decode(disk.read(file));
}

test("a name is kept with the first offset, over a restart, and goes with the offset", async () => {
  const { disk, harness, partition } = await filled();
  partition.storeOffset({ kind: "consumer", id: 7 }, 0);
  expect(disk.files.has(file)).toBe(false);
  partition.storeOffset(auditor, 1);
  partition.storeOffset(auditor, 2);
  partition.storeOffset({ ...auditor, name: "of the same number" }, 2);
  partition.storeOffset({ kind: "consumer", id: 9, name: 'a "b"\n' }, 2);
  expect(textOf(disk)).toBe('5 "auditor"\n9 "a \\"b\\"\\n"\n');
  expect(namesOf(partition)).toEqual({ 5: "auditor", 7: undefined, 9: 'a "b"\n' });
  partition.deleteOffset(auditor);
  await partition.close();
  const again = harness.open();
  expect(namesOf(again)).toEqual({ 7: undefined, 9: 'a "b"\n' });
  again.storeOffset({ kind: "consumer", id: 5 }, 0);
  expect(namesOf(again)).toEqual({ 5: undefined, 7: undefined, 9: 'a "b"\n' });
});

test("a purge ends the names, and lines that are torn or damaged are passed over", async () => {
  const { disk, harness, partition } = await filled();
  partition.storeOffset(auditor, 1);
  partition.storeOffset({ kind: "consumer", id: 9, name: "nine" }, 1);
  await partition.close();
  disk.files.set(file, { bytes: new TextEncoder().encode('x "y"\n5 auditor\n9 "nine"\n5 "aud'), sizeBytes: 31 });
  const again = harness.open();
  expect(namesOf(again)).toEqual({ 5: undefined, 9: "nine" });
  await again.purge();
  await appendNow(harness, again, [1]);
  again.storeOffset({ kind: "consumer", id: 9 }, 0);
  expect(namesOf(again)).toEqual({ 9: undefined });
});

test("a disk that does not take a name takes the offset all the same, and says so once", async () => {
  const { disk, harness, partition } = await filled();
  disk.fails = (operation, path) => operation === "open" && path === file && "EIO";
  partition.storeOffset(auditor, 1);
  partition.storeOffset({ kind: "consumer", id: 9, name: "nine" }, 1);
  expect(partition.getOffset(auditor)).toBe(1);
  expect(namesOf(partition)).toEqual({ 5: "auditor", 9: "nine" });
  expect(harness.logged.filter((line) => line.includes("names of consumers are not kept"))).toHaveLength(1);
});

test("nobody makes the file grow without end", async () => {
  const { disk, partition } = await filled();
  for (let id = 0; id < 500; id++) {
    const consumer = { kind: "consumer", id, name: `name ${id}` } as const;
    partition.storeOffset(consumer, 1);
    partition.deleteOffset(consumer);
  }
  expect(textOf(disk).split("\n").length).toBeLessThan(80);
});

test("where payloads are encrypted a name is in memory only", async () => {
  const cipher = createCipher(Buffer.alloc(32, 1).toString("base64"));
  const { disk, partition } = await filled(new MemoryDisk(), { cipher, makeSeed: () => new Uint8Array(32).fill(7) });
  partition.storeOffset(auditor, 1);
  expect(namesOf(partition)).toEqual({ 5: "auditor" });
  expect(disk.files.has(file)).toBe(false);
});
