// A data directory that the original broker wrote, and what it answered about it (tests/golden/data-directory.json).

import { afterAll, expect, test } from "bun:test";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realDisk } from "../../src/platform/real-disk.ts";
import { makeHarness, poll } from "./harness.ts";

interface Answer {
  readonly payload: string;
  readonly reply: string;
}

const golden = join(import.meta.dir, "../golden");
const answers: Record<string, Answer> = JSON.parse(readFileSync(join(golden, "data-directory.json"), "utf8"));
const copy = mkdtempSync(join(tmpdir(), "storage-golden-"));
cpSync(join(golden, "data-directory"), copy, { recursive: true });
afterAll(() => rmSync(copy, { recursive: true, force: true }));

function partitionDirectory(stream: number, topic: number, partition: number): string {
  return `${copy}/streams/${stream}/topics/${topic}/partitions/${partition}`;
}

function open(stream: number, topic: number, partition: number) {
  const harness = makeHarness(realDisk);
  return { harness, partition: harness.open(partitionDirectory(stream, topic, partition)) };
}

function replyOf(name: string): Buffer {
  return Buffer.from(answers[name]!.reply, "hex");
}

test.each([
  [0, 0, 0],
  [0, 0, 1],
  [0, 0, 2],
  [1, 0, 0],
] as const)("messages of %d/%d/%d are the ones that the original returned", async (stream, topic, id) => {
  const { harness, partition } = open(stream, topic, id);
  const reply = replyOf(`messages ${stream}/${topic}/${id}`);
  const seen = await poll(partition, { kind: "first" }, 1000);
  expect(seen.offsets.length).toBe(reply.readUInt32LE(12));
  expect(partition.counters.messagesCount).toBe(seen.offsets.length);
  expect(seen.currentOffset).toBe(Number(reply.readBigUInt64LE(4)));
  expect(Buffer.compare(seen.bytes, reply.subarray(16))).toBe(0);
  expect(harness.logged).toEqual([]);
  await partition.close();
});

test("consumer offsets are the ones that the original answered", () => {
  const { partition } = open(0, 0, 0);
  const storedOffset = (name: string) => Number(replyOf(name).readBigUInt64LE(12));
  expect(partition.getOffset({ kind: "consumer", id: 5 })).toBe(storedOffset("offset of 5"));
  expect(partition.getOffset({ kind: "consumer", id: 2235575702 })).toBe(storedOffset("offset of worker"));
  expect(open(0, 0, 1).partition.getOffset({ kind: "group", id: 0 })).toBe(storedOffset("offset of group g1"));
});

test("opening and closing leaves the original's files as they were", async () => {
  for (const [stream, id] of [
    [0, 0],
    [0, 1],
    [0, 2],
    [1, 0],
    [1, 1],
  ] as const) {
    const { partition } = open(stream, 0, id);
    await partition.close();
    for (const name of ["00000000000000000000.log", "00000000000000000000.index"]) {
      const original = readFileSync(join(golden, `data-directory/streams/${stream}/topics/0/partitions/${id}`, name));
      expect(Buffer.compare(readFileSync(join(partitionDirectory(stream, 0, id), name)), original)).toBe(0);
    }
  }
});

test("an index that is lost is made again with the bytes of the original's", () => {
  const path = join(partitionDirectory(0, 0, 0), "00000000000000000000.index");
  const original = readFileSync(path);
  rmSync(path);
  open(0, 0, 0);
  expect(Buffer.compare(readFileSync(path), original)).toBe(0);
});

test("deleting segments of a partition that has only its active one succeeds and changes nothing, as recorded", async () => {
  const steps: { name: string; payload: string | null; status: number; reply: string }[] = JSON.parse(
    readFileSync(join(golden, "binary.json"), "utf8"),
  );
  const step = steps.find(({ name }) => name === "segments delete");
  expect(step).toMatchObject({ status: 0, reply: "" });
  const countMax = Buffer.from(step?.payload ?? "", "hex").readUInt32LE((step?.payload?.length ?? 0) / 2 - 4);
  expect(countMax).toBeGreaterThan(0);
  const { partition } = open(0, 0, 2);
  const before = { ...partition.counters };
  expect(partition.removeOldestSegments(countMax)).toBe(0);
  expect(partition.counters).toEqual(before);
  await partition.close();
});
