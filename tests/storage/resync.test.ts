// The search for the next whole message behind damage, in logs that are made to mislead it or to keep it busy.

import { describe, expect, test } from "bun:test";
import { type IncomingBatch, JsBatchKernel, type Partition } from "../../src/storage/index.ts";
import { LogScan } from "../../src/storage/log-scan.ts";
import { ScanMemory } from "../../src/storage/scan-memory.ts";
import { directory, makeBatch, makeHarness, poll, range } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

const log0 = `${directory}/00000000000000000000.log`;
const index0 = `${directory}/00000000000000000000.index`;

/** A batch with these payloads. */
function batchOf(payloads: readonly Uint8Array[]): IncomingBatch {
  const batch = makeBatch(payloads.map((payload) => payload.byteLength));
  let at = batch.messagesPosition;
  for (const payload of payloads) {
    batch.memory.set(payload, at + 64);
    at += 64 + payload.byteLength;
  }
  return batch;
}

async function written(payloads: readonly Uint8Array[]): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk);
  const partition = harness.open();
  const appended = partition.append(batchOf(payloads));
  harness.endTurn();
  await appended;
  await partition.close();
  return disk;
}

/** A whole message of the log, as it would be with another offset. */
function forged(message: Uint8Array, offset: number): Uint8Array {
  const bytes = message.slice();
  const view = new DataView(bytes.buffer);
  view.setBigUint64(24, BigInt(offset), true);
  view.setBigUint64(0, Bun.hash.xxHash3(bytes.subarray(8)), true);
  return bytes;
}

async function allOffsets(partition: Partition): Promise<number[]> {
  const seen: number[] = [];
  for (let offset = 0; ; ) {
    const result = await partition.read({ kind: "offset", offset }, 1000);
    result.release();
    if (result.messagesCount + result.skippedCount === 0) return seen;
    seen.push(...range(result.lastOffset + 1 - result.messagesCount, result.lastOffset + 1));
    offset = result.lastOffset + 1;
  }
}

function change(disk: MemoryDisk, edit: (log: DataView) => void): void {
  const log = disk.read(log0);
  edit(new DataView(log.buffer));
  disk.put(log0, log);
}

describe("a payload that holds a whole message with the next offset", () => {
  test("is not taken for that message, whichever bit of the header around it is flipped, with and without an index", async () => {
    const plain = await written([new Uint8Array(10), new Uint8Array(300), new Uint8Array(10), new Uint8Array(10)]);
    const { messages } = await poll(makeHarness(plain.copy()).open(), { kind: "first" }, 10);
    const payload = new Uint8Array(300);
    payload.set(forged(messages[0]!.bytes, 2), 40);
    payload.set(forged(messages[0]!.bytes, 3), 40 + 74);
    const disk = await written([new Uint8Array(10), payload, new Uint8Array(10), new Uint8Array(10)]);
    for (const isIndexLost of [false, true]) {
      for (let bit = 0; bit < 64 * 8; bit++) {
        const changed = disk.copy();
        change(changed, (log) => log.setUint8(74 + (bit >> 3), log.getUint8(74 + (bit >> 3)) ^ (1 << (bit & 7))));
        if (isIndexLost) changed.remove(index0);
        const partition = makeHarness(changed).open();
        expect(await allOffsets(partition)).toEqual([0, 2, 3]);
        const after = await poll(partition, { kind: "offset", offset: 1 }, 5);
        expect(Buffer.compare(after.messages[0]!.payload, new Uint8Array(10))).toBe(0);
      }
    }
  });
});

test("a message with another offset far ahead is no message of this log", async () => {
  const disk = await written(range(0, 6).map((number) => new Uint8Array(20).fill(number)));
  const { messages } = await poll(makeHarness(disk.copy()).open(), { kind: "first" }, 10);
  change(disk, (log) => {
    new Uint8Array(log.buffer).set(forged(messages[2]!.bytes, 2 ** 40), 2 * 84);
  });
  expect(await allOffsets(makeHarness(disk).open())).toEqual([0, 1, 3, 4, 5]);
});

test("offsets that are missing between two messages are a gap, and what follows stays", async () => {
  const disk = await written(range(0, 6).map((number) => new Uint8Array(20).fill(number)));
  const { messages } = await poll(makeHarness(disk.copy()).open(), { kind: "first" }, 10);
  disk.remove(index0);
  change(disk, (log) => {
    for (const offset of [3, 4, 5]) {
      new Uint8Array(log.buffer).set(forged(messages[offset]!.bytes, offset + 1000), offset * 84);
    }
  });
  const partition = makeHarness(disk).open();
  expect(await allOffsets(partition)).toEqual([0, 1, 2, 1003, 1004, 1005]);
  expect(partition.counters.currentOffset).toBe(1005);
});

describe("a search", () => {
  /** Counts the bytes whose checksums are made by a scan with resynchronisation over `log`. */
  function scanCounting(log: Uint8Array): { hashedBytes: number; readBytes: number; found: number[] } {
    const memory = new Uint8Array(512 * 1024);
    const kernel = new JsBatchKernel(memory, new Uint8Array(32).fill(7));
    const scan = kernel.scan.bind(kernel);
    const { recoveryRegion } = new ScanMemory({ kernel, memory, position: 0, sizeBytes: memory.byteLength });
    let hashedBytes = 0;
    let readBytes = 0;
    const found: number[] = [];
    kernel.scan = (...args) => {
      if (args[6] === 1) hashedBytes += args[1];
      return scan(...args);
    };
    const walk = new LogScan(recoveryRegion, 0, 0, 0, log.byteLength, {
      offsetEnd: Number.MAX_SAFE_INTEGER,
      storedEnd: () => undefined,
    });
    while (!walk.done) {
      const bytes = log.subarray(walk.readPosition, walk.readPosition + walk.target.byteLength);
      walk.target.set(bytes);
      readBytes += bytes.byteLength;
      const before = walk.nextOffset;
      walk.take(bytes.byteLength);
      if (walk.damagedRun === undefined) found.push(...range(before, walk.nextOffset));
    }
    return { hashedBytes, readBytes, found };
  }

  test("through a payload of look-alikes takes time in proportion to its size", async () => {
    const work: number[] = [];
    for (const size of [250_000, 1_000_000, 4_000_000]) {
      const payload = new Uint8Array(size);
      const view = new DataView(payload.buffer);
      // Every 64 bytes a header of the next message that claims all that follows.
      for (let at = 0; at + 64 <= size; at += 64) {
        view.setBigUint64(at + 24, 1n, true);
        view.setBigUint64(at + 32, 2n ** 52n, true);
        view.setUint32(at + 52, size - at, true);
      }
      const small = range(0, 400).map((number) => new Uint8Array(100).fill(number));
      const disk = await written([payload, ...small]);
      const log = disk.read(log0);
      new DataView(log.buffer).setUint32(52, 12_345, true); // the length, by more than one bit
      log.fill(0x55, 24, 32); // and the offset
      const { hashedBytes, readBytes, found } = scanCounting(log);
      expect(hashedBytes).toBeLessThan(8 * log.byteLength + 70_000_000);
      expect(readBytes).toBeLessThan(40 * log.byteLength + 140_000_000);
      expect(found.length).toBeGreaterThan(350);
      expect(found.at(-1)).toBe(400);
      work.push(hashedBytes);
    }
    expect(work[2]!).toBeLessThan(16 * work[0]! + 140_000_000);
  });

  test("through zeros, noise and nothing ends at the end of the log", async () => {
    const disk = await written(range(0, 20).map((number) => new Uint8Array(50).fill(number)));
    const log = disk.read(log0);
    for (const fill of [0, 1, 0xff]) {
      const changed = log.slice().fill(fill, 5 * 114, 15 * 114);
      expect(scanCounting(changed).found).toEqual([...range(0, 5), ...range(15, 20)]);
      expect(scanCounting(log.slice().fill(fill, 5 * 114)).found).toEqual(range(0, 5));
      expect(scanCounting(log.slice(0, 5 * 114 + 30)).found).toEqual(range(0, 5));
    }
  });
});
