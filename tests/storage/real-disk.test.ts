// The same storage on real files, with the WebAssembly kernel in shared memory: the pair that production uses.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/platform/clock.ts";
import { realDisk } from "../../src/platform/real-disk.ts";
import {
  type Acknowledge,
  createStorageContext,
  kernelReservedBytes,
  Partition,
  WasmBatchKernel,
} from "../../src/storage/index.ts";
import { makeBatch, poll, range } from "./harness.ts";

const root = mkdtempSync(join(tmpdir(), "storage-real-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const mebibyte = 1024 * 1024;

function makeContext(acknowledge: Acknowledge, segmentSizeBytes = 2 * mebibyte) {
  const wasmMemory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
  const memory = new Uint8Array(wasmMemory.buffer);
  const kernel = WasmBatchKernel.create(wasmMemory, crypto.getRandomValues(new Uint8Array(32)));
  const context = createStorageContext({
    disk: realDisk,
    clock: systemClock,
    options: {
      acknowledge,
      segmentSizeBytes,
      cacheIndexes: "open_segment",
      messagesRequiredToSave: 1024,
      bytesRequiredToSave: mebibyte,
      enforceFsync: true,
      validateChecksum: false,
      openFilesMax: 20,
    },
    scan: { kernel, memory, position: kernelReservedBytes, sizeBytes: mebibyte },
    log: { info() {}, warn() {}, error() {} },
    schedule: (flush) => setImmediate(flush),
  });
  /** Puts a batch into the shared memory, behind the scan memory. */
  const place = (payloadSizes: readonly number[], firstNumber: number, slot: number) => {
    const batch = makeBatch(payloadSizes, firstNumber);
    const rowsPosition = kernelReservedBytes + mebibyte + slot * 64 * 1024;
    memory.set(batch.memory, rowsPosition);
    return { ...batch, kernel, memory, rowsPosition, messagesPosition: rowsPosition + batch.messagesPosition };
  };
  return { context, place };
}

test("what a killed process had set aside ahead of its logs is given back at the next start", async () => {
  const directory = join(root, "reserved/streams/0/topics/0/partitions/0");
  const { context, place } = makeContext("write", 16 * mebibyte);
  const partition = Partition.open(context, directory, () => {});
  for (let round = 0; round < 60; round++) await partition.append(place(new Array(50).fill(1100), round * 50, 10));
  const log = join(directory, "00000000000000000000.log");
  const unusedBytes = () => {
    const { size, blocks } = statSync(log);
    return blocks * 512 - size;
  };
  // Killed: nothing is closed. Room is set aside in steps of as much as the log has.
  expect(statSync(log).size).toBeGreaterThan(3 * mebibyte);
  expect(unusedBytes()).toBeGreaterThan(mebibyte / 2);
  const reopened = Partition.open(makeContext("write").context, directory, () => {});
  expect(unusedBytes()).toBeLessThan(64 * 1024);
  expect(reopened.counters.messagesCount).toBe(3000);
  await reopened.close();
  partition.abandon();
});

describe.each(["memory", "write", "sync"] as const)("level %s", (acknowledge) => {
  test("appends of many turns and sizes come back, also after a restart without a close and a torn tail", async () => {
    const directory = join(root, acknowledge, "streams/0/topics/0/partitions/0");
    const { context, place } = makeContext(acknowledge);
    const partition = Partition.open(context, directory, () => {});
    let count = 0;
    for (let round = 0; round < 60; round++) {
      const appends: Promise<void>[] = [];
      for (let slot = 0; slot < 8; slot++) {
        const sizes = round % 3 === 0 ? [slot] : new Array(10).fill(round * 10 + slot);
        appends.push(partition.append(place(sizes, count, slot)));
        count += sizes.length;
      }
      appends.push(partition.append(place(new Array(50).fill(1100), count, 10)));
      count += 50;
      await Promise.all(appends);
    }
    const before = await poll(partition, { kind: "first" }, 0xffffffff);
    expect(before.offsets).toEqual(range(0, count));
    await partition.flush(false);
    const logs = readdirSync(directory).filter((name) => name.endsWith(".log"));
    expect(logs.length).toBeGreaterThan(1);

    const last = join(directory, logs.sort()[logs.length - 1]!);
    const lastBytes = readFileSync(last).byteLength;
    if (lastBytes > 0) truncateSync(last, lastBytes - 1);
    const reopened = Partition.open(makeContext(acknowledge).context, directory, () => {});
    const after = await poll(reopened, { kind: "first" }, 0xffffffff);
    expect(after.offsets).toEqual(range(0, lastBytes > 0 ? count - 1 : count));
    expect(Buffer.compare(after.bytes, before.bytes.subarray(0, after.bytes.byteLength))).toBe(0);
    await reopened.close();
    expect(context.files.openCount).toBeLessThanOrEqual(20);
    partition.abandon();
  });
});
