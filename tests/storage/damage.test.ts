// Every byte of the last entries of each file is cut, flipped and followed by garbage. Whatever it is: the partition opens,
// what it returns is a prefix of what was written (byte for byte, offsets without gaps), and it takes messages again.

import { describe, expect, test } from "bun:test";
import { IggyError } from "../../src/protocol/errors.ts";
import type { Partition } from "../../src/storage/index.ts";
import { appendNow, directory, makeHarness, poll, range } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

const payloadSizes = [30, 0, 12, 25, 7, 18];
const name0 = `${directory}/00000000000000000000`;
const tailBytes = 64 * 3 + 25 + 7 + 18;

interface Undamaged {
  readonly disk: MemoryDisk;
  readonly bytes: Uint8Array;
}

async function write(closed: boolean, segmentSizeBytes = 1e6): Promise<Undamaged> {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk, { segmentSizeBytes });
  const partition = harness.open();
  for (const [number, size] of payloadSizes.entries()) await appendNow(harness, partition, [size], number);
  const { bytes } = await poll(partition, { kind: "first" }, 100);
  if (closed) await partition.close();
  else await partition.flush(false);
  return { disk, bytes };
}

function damaged(disk: MemoryDisk, path: string, change: (bytes: Uint8Array) => Uint8Array): MemoryDisk {
  const copy = disk.copy();
  copy.put(path, change(copy.read(path)));
  return copy;
}

const changes: Record<string, (at: number) => (bytes: Uint8Array) => Uint8Array> = {
  cut: (at) => (bytes) => bytes.subarray(0, at),
  flip: (at) => (bytes) => {
    bytes[at]! ^= 0x10;
    return bytes;
  },
  "cut and garbage": (at) => (bytes) => {
    const changed = new Uint8Array(at + 100).fill(0xa5);
    changed.set(bytes.subarray(0, at));
    return changed;
  },
  "zeros from here": (at) => (bytes) => bytes.fill(0, at),
};

/** Opens the damaged disk and demands what the head of this file says; how many messages are left. */
async function expectPrefix(disk: MemoryDisk, bytes: Uint8Array, detail: string): Promise<number> {
  const harness = makeHarness(disk);
  const partition = harness.open();
  const seen = await poll(partition, { kind: "first" }, 100);
  if (Buffer.compare(seen.bytes, bytes.subarray(0, seen.bytes.byteLength)) !== 0) throw new Error(`corrupt: ${detail}`);
  const count = seen.offsets.length;
  expect(seen.offsets).toEqual(range(0, count));
  for (const offset of seen.offsets) {
    const one = await poll(partition, { kind: "offset", offset }, 1);
    expect(Buffer.compare(one.bytes, seen.messages[offset]!.bytes)).toBe(0);
  }
  await appendNow(harness, partition, [9], count);
  const after = await poll(partition, { kind: "first" }, 100);
  expect(after.offsets).toEqual(range(0, count + 1));
  await partition.close();
  const reopened = await poll(makeHarness(disk).open(), { kind: "first" }, 100);
  expect(Buffer.compare(reopened.bytes, after.bytes)).toBe(0);
  expect(disk.read(`${name0}.index`).byteLength).toBe((count + 1) * 16);
  return count;
}

describe.each([
  ["after a crash", false],
  ["after a clean close", true],
] as const)("active segment %s", (_, closed) => {
  test.each(Object.keys(changes))("log: %s at every byte of the last three messages", async (kind) => {
    const { disk, bytes } = await write(closed);
    const sizeBytes = bytes.byteLength;
    for (let at = sizeBytes - tailBytes; at < sizeBytes; at++) {
      const count = await expectPrefix(damaged(disk, `${name0}.log`, changes[kind]!(at)), bytes, `${kind} ${at}`);
      expect(count).toBeGreaterThanOrEqual(3);
      expect(count).toBeLessThan(6);
    }
  });

  test("log: bytes behind the last message", async () => {
    const { disk, bytes } = await write(closed);
    for (const extra of [1, 63, 64, 65, 200, 5000]) {
      for (const fill of [0, 1, 0xff]) {
        const change = (log: Uint8Array) => Buffer.concat([log, new Uint8Array(extra).fill(fill)]);
        expect(await expectPrefix(damaged(disk, `${name0}.log`, change), bytes, `${extra} × ${fill}`)).toBe(6);
      }
    }
  });

  test.each(Object.keys(changes))("index: %s at every byte of the last three rows", async (kind) => {
    const { disk, bytes } = await write(closed);
    for (let at = 3 * 16; at < 6 * 16; at++) {
      expect(await expectPrefix(damaged(disk, `${name0}.index`, changes[kind]!(at)), bytes, `${kind} ${at}`)).toBe(6);
    }
  });

  test("index: missing, empty, longer", async () => {
    const { disk, bytes } = await write(closed);
    const missing = disk.copy();
    missing.remove(`${name0}.index`);
    expect(await expectPrefix(missing, bytes, "missing")).toBe(6);
    const changed = (change: (index: Uint8Array) => Uint8Array) => damaged(disk, `${name0}.index`, change);
    expect(
      await expectPrefix(
        changed(() => new Uint8Array(0)),
        bytes,
        "empty",
      ),
    ).toBe(6);
    for (const extra of [1, 15, 16, 17, 160]) {
      const longer = changed((index) => Buffer.concat([index, new Uint8Array(extra).fill(3)]));
      expect(await expectPrefix(longer, bytes, `${extra} longer`)).toBe(6);
    }
  });
});

test("checkpoint: every change at every byte, and none at all", async () => {
  const { disk, bytes } = await write(true);
  const path = `${directory}/checkpoint`;
  expect(disk.read(path).byteLength).toBe(24);
  for (const [kind, change] of Object.entries(changes)) {
    for (let at = 0; at < 24; at++) {
      expect(await expectPrefix(damaged(disk, path, change(at)), bytes, `${kind} ${at}`)).toBe(6);
    }
  }
  const missing = disk.copy();
  missing.remove(path);
  expect(await expectPrefix(missing, bytes, "missing")).toBe(6);
});

test("log and index cut at different places", async () => {
  const { disk, bytes } = await write(true);
  for (let logAt = 0; logAt <= bytes.byteLength; logAt += 13) {
    for (let indexAt = 0; indexAt <= 96; indexAt += 11) {
      const half = damaged(disk, `${name0}.log`, (log) => log.subarray(0, logAt));
      const both = damaged(half, `${name0}.index`, (index) => index.subarray(0, indexAt));
      await expectPrefix(both, bytes, `${logAt} ${indexAt}`);
    }
  }
});

describe("sealed segment", () => {
  /** Every message that any poll returns, by offset; polls that are refused are counted by the error. */
  async function sweep(partition: Partition): Promise<{ seen: Map<number, Uint8Array>; errors: string[] }> {
    const seen = new Map<number, Uint8Array>();
    const errors: string[] = [];
    for (const count of [100, 2, 1]) {
      for (let offset = 0; offset < 6; offset++) {
        try {
          const polled = await poll(partition, { kind: "offset", offset }, count);
          for (const message of polled.messages) seen.set(message.offset, message.bytes.slice());
        } catch (error) {
          if (!(error instanceof IggyError)) throw error;
          errors.push(`${offset}: ${error.errorName}`);
        }
      }
    }
    return { seen, errors };
  }

  /** Segment 0 holds five messages, the next one the last. */
  async function writeSealed(): Promise<{ disk: MemoryDisk; messages: readonly Uint8Array[]; logBytes: number }> {
    const { disk } = await write(true, 250);
    const { messages } = await poll(makeHarness(disk).open(), { kind: "first" }, 100);
    return {
      disk,
      messages: messages.map((message) => message.bytes.slice()),
      logBytes: disk.read(`${name0}.log`).length,
    };
  }

  test.each(Object.keys(changes))("log: %s at every byte", async (kind) => {
    const { disk, messages, logBytes } = await writeSealed();
    expect(messages.length).toBe(6);
    expect(disk.list(directory).filter((name) => name.endsWith(".log")).length).toBe(2);
    for (let at = 0; at < logBytes; at++) {
      const harness = makeHarness(damaged(disk, `${name0}.log`, changes[kind]!(at)));
      const partition = harness.open();
      const { seen, errors } = await sweep(partition);
      for (const [offset, bytes] of seen) expect(Buffer.compare(bytes, messages[offset]!)).toBe(0);
      for (const error of errors) expect(error).toContain("InvalidMessageChecksum");
      const damagedOffset = messages.findIndex(
        (_, offset) => at < messages.slice(0, offset + 1).reduce((sum, bytes) => sum + bytes.byteLength, 0),
      );
      for (const offset of [...range(0, damagedOffset), 5]) expect(seen.has(offset)).toBe(true);
      if (kind === "flip") for (const offset of range(0, 6)) expect(seen.has(offset)).toBe(offset !== damagedOffset);
      await appendNow(harness, partition, [1]);
      expect(partition.counters.currentOffset).toBe(6);
    }
  });

  test.each(Object.keys(changes))("index: %s at every byte loses nothing", async (kind) => {
    const { disk, messages } = await writeSealed();
    for (let at = 0; at < 5 * 16; at++) {
      const partition = makeHarness(damaged(disk, `${name0}.index`, changes[kind]!(at))).open();
      const { seen, errors } = await sweep(partition);
      expect(errors).toEqual([]);
      for (const offset of range(0, 6)) expect(Buffer.compare(seen.get(offset)!, messages[offset]!)).toBe(0);
    }
  });
});

test("a damaged message and a senseless index row behind it end a read that covers both", async () => {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk, { segmentSizeBytes: 640 });
  const partition = harness.open();
  for (let number = 0; number < 12; number++) await appendNow(harness, partition, [16], number);
  expect(partition.counters.segmentsCount).toBe(2);
  await partition.close();
  const log = disk.read(`${name0}.log`);
  log[3 * 80 + 70]! ^= 1;
  disk.put(`${name0}.log`, log);
  const index = disk.read(`${name0}.index`);
  new DataView(index.buffer, index.byteOffset).setUint32(5 * 16 + 4, 5000, true);
  disk.put(`${name0}.index`, index);
  const reopened = makeHarness(disk, { segmentSizeBytes: 640 }).open();
  const seen: number[] = [];
  for (let offset = 0; offset < 3; ) {
    const { offsets } = await poll(reopened, { kind: "offset", offset }, 6 - offset);
    expect(offsets[0]).toBe(offset);
    seen.push(...offsets);
    offset = seen.length;
  }
  expect(seen).toEqual([0, 1, 2]);
  await expect(Promise.resolve(reopened.read({ kind: "offset", offset: 3 }, 3))).rejects.toMatchObject({
    errorName: "InvalidMessageChecksum",
  });
});
