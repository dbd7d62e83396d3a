// Traps and [bug] marks of the specification about storage that no other test of the storage shows by itself.
import { describe, expect, test } from "bun:test";
import { createCipher } from "../../src/security/encryption.ts";
import { appendNow, directory, makeHarness, offsetsOf, poll } from "../storage/harness.ts";
import { MemoryDisk } from "../storage/memory-disk.ts";

const logPath = `${directory}/00000000000000000000.log`;

test("damage is found by a read by time as by one by offset (trap 9)", async () => {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk, { segmentSizeBytes: 1e9 });
  const partition = harness.open();
  for (let number = 0; number < 60; number++) await appendNow(harness, partition, [50_000], number);
  const { messages } = await poll(partition, { kind: "offset", offset: 10 }, 1);
  const timestampMicros = messages[0]!.timestampMicros;
  await partition.close();
  const log = disk.read(logPath);
  log[10 * 50_064 + 1000]! ^= 1;
  disk.put(logPath, log);
  const reopened = makeHarness(disk).open();
  const byTime = await reopened.read({ kind: "timestamp", timestampMicros }, 5);
  byTime.release();
  expect(byTime).toMatchObject({ messagesCount: 5, lastOffset: 15 });
  expect(await offsetsOf(reopened, { kind: "offset", offset: 10 }, 5)).toEqual([11, 12, 13, 14, 15]);
});

test("a poll below the first offset begins there, also where all that is left is in memory (spec SB 4.6)", async () => {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk, { acknowledge: "memory", segmentSizeBytes: 500, messagesRequiredToSave: 3 });
  const partition = harness.open();
  for (let number = 0; number < 6; number++) await appendNow(harness, partition, [236], number);
  expect(partition.removeOldestSegments(10)).toBe(1);
  const result = await partition.read({ kind: "offset", offset: 0 }, 10);
  expect(result.parts.map(({ kind }) => kind)).toEqual(["bytes", "bytes"]);
  result.release();
  for (const from of [
    { kind: "offset", offset: 0 },
    { kind: "timestamp", timestampMicros: 0 },
    { kind: "first" },
    { kind: "last" },
  ] as const) {
    expect(await offsetsOf(partition, from, 10)).toEqual([4, 5]);
  }
});

describe("an encrypted partition", () => {
  test("answers with the checksum of what is on the disk, not of the clear message (trap 24)", async () => {
    const disk = new MemoryDisk();
    const cipher = createCipher(Buffer.alloc(32, 1).toString("base64"));
    const makeSeed = () => new Uint8Array(32).fill(3);
    const harness = makeHarness(disk, {}, 256 * 1024, { cipher, makeSeed });
    const partition = harness.open();
    await appendNow(harness, partition, [100]);
    const result = await partition.read({ kind: "first" }, 1);
    const [part] = result.parts;
    if (part?.kind !== "bytes") throw new Error("expected bytes");
    const clear = Buffer.from(part.bytes);
    const stored = Buffer.from(disk.read(logPath));
    expect(stored.readBigUInt64LE(0)).toBe(Bun.hash.xxHash3(stored.subarray(8)));
    expect(clear.readBigUInt64LE(0)).toBe(stored.readBigUInt64LE(0));
    expect(clear.subarray(64)).toEqual(Buffer.alloc(100, 0));
    result.release();
  });
});
