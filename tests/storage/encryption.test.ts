import { describe, expect, test } from "bun:test";
import { createCipher } from "../../src/security/encryption.ts";
import { encryptBatch } from "../../src/storage/encryption.ts";
import { type IncomingBatch, JsBatchKernel, type ReadResult, type StorageOptions } from "../../src/storage/index.ts";
import { appendNow, directory, makeBatch, makeBatchWithIds, makeHarness, range } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

const logPath = `${directory}/00000000000000000000.log`;
const cipher = createCipher(Buffer.alloc(32, 1).toString("base64"));
const otherCipher = createCipher(Buffer.alloc(32, 2).toString("base64"));
const makeSeed = () => crypto.getRandomValues(new Uint8Array(32));

function harnessOn(disk: MemoryDisk, options: Partial<StorageOptions> = {}, usedCipher = cipher) {
  return makeHarness(disk, options, 256 * 1024, { cipher: usedCipher, makeSeed });
}

/** One message with these user headers. */
function withUserHeaders(payload: string, userHeaders: string): IncomingBatch {
  const batch = makeBatch([payload.length + userHeaders.length]);
  const view = new DataView(batch.memory.buffer);
  view.setUint32(batch.messagesPosition + 52, payload.length, true);
  view.setUint32(batch.messagesPosition + 48, userHeaders.length, true);
  batch.memory.set(new TextEncoder().encode(payload + userHeaders), batch.messagesPosition + 64);
  return batch;
}

interface ClearMessage {
  readonly offset: number;
  readonly id: string;
  readonly payload: string;
  readonly userHeaders: string;
}

/** The messages of an answer, which must be bytes. */
function clearMessages(result: ReadResult): ClearMessage[] {
  const bytes = Buffer.concat(
    result.parts.map((part) => {
      if (part.kind !== "bytes") throw new Error("expected bytes");
      return part.bytes;
    }),
  );
  expect(bytes.byteLength).toBe(result.sizeBytes);
  result.release();
  const messages: ClearMessage[] = [];
  for (let at = 0; at < bytes.byteLength; ) {
    const payloadEnd = at + 64 + bytes.readUInt32LE(at + 52);
    const end = payloadEnd + bytes.readUInt32LE(at + 48);
    messages.push({
      offset: Number(bytes.readBigUInt64LE(at + 24)),
      id: bytes.toString("hex", at + 8, at + 24),
      payload: bytes.toString("latin1", at + 64, payloadEnd),
      userHeaders: bytes.toString("latin1", payloadEnd, end),
    });
    at = end;
  }
  expect(messages.length).toBe(result.messagesCount);
  return messages;
}

describe.each(["memory", "write", "sync"] as const)("an encrypted partition, level %s", (acknowledge) => {
  test("answers with clear messages, and has none of it on the disk", async () => {
    const disk = new MemoryDisk();
    const harness = harnessOn(disk, { acknowledge });
    const partition = harness.open();
    const appended = [
      partition.append(withUserHeaders("a secret payload", "secret headers")),
      partition.append(withUserHeaders("", "only headers")),
      partition.append(withUserHeaders("no headers", "")),
      partition.append(withUserHeaders("", "")),
    ];
    harness.endTurn();
    await Promise.all(appended);
    const expected = [
      ["a secret payload", "secret headers"],
      ["", "only headers"],
      ["no headers", ""],
      ["", ""],
    ];
    const check = (messages: readonly ClearMessage[]) => {
      expect(messages.map(({ payload, userHeaders }) => [payload, userHeaders])).toEqual(expected);
      expect(messages.map(({ offset }) => offset)).toEqual(range(0, 4));
      expect(new Set(messages.map(({ id }) => id)).size).toBe(4);
    };
    check(clearMessages(await partition.read({ kind: "first" }, 10)));
    await partition.close();
    const log = Buffer.from(disk.read(logPath));
    expect(log.includes("secret")).toBe(false);
    expect(log.includes("headers")).toBe(false);
    // Lengths on the disk describe the ciphertext, 28 bytes more for what is there.
    expect(log.readUInt32LE(52)).toBe(16 + 28);
    expect(log.readUInt32LE(48)).toBe(14 + 28);
    expect(log.byteLength).toBe(4 * 64 + 16 + 14 + 12 + 10 + 28 * 6);
    expect(log.readBigUInt64LE(0)).toBe(Bun.hash.xxHash3(log.subarray(8, 64 + 30 + 56)));
    const reopened = harnessOn(disk, { acknowledge }).open();
    check(clearMessages(await reopened.read({ kind: "offset", offset: 0 }, 10)));
    expect(reopened.counters).toMatchObject({ messagesCount: 4, sizeBytes: log.byteLength });
  });

  test("rotates, reads over segments and slices, and cuts the answer by count", async () => {
    const disk = new MemoryDisk();
    const harness = harnessOn(disk, { acknowledge, segmentSizeBytes: 1_500_000, bytesRequiredToSave: 100_000 });
    const partition = harness.open();
    for (let number = 0; number < 6; number++) await appendNow(harness, partition, [300_000, 10, 400_000], number * 3);
    expect(partition.counters.segmentsCount).toBeGreaterThan(1);
    const messages = clearMessages(await partition.read({ kind: "offset", offset: 1 }, 16));
    expect(messages.map(({ offset }) => offset)).toEqual(range(1, 17));
    for (const { offset, payload } of messages) {
      expect(payload.length).toBe([300_000, 10, 400_000][offset % 3]!);
      expect(payload.charCodeAt(payload.length - 1)).toBe(offset);
    }
    await partition.close();
  });
});

test("messages that cannot be decrypted are left out, with a log line; the answer says how far it went", async () => {
  const disk = new MemoryDisk();
  for (const [used, number] of [
    [cipher, 0],
    [otherCipher, 1],
    [cipher, 2],
    [otherCipher, 3],
  ] as const) {
    const harness = harnessOn(disk, {}, used);
    const partition = harness.open();
    await appendNow(harness, partition, [3], number);
    await partition.close();
  }
  const harness = harnessOn(disk);
  const partition = harness.open();
  const some = await partition.read({ kind: "first" }, 10);
  expect(some).toMatchObject({ messagesCount: 2, skippedCount: 2, lastOffset: 3, currentOffset: 3 });
  expect(clearMessages(some).map(({ offset }) => offset)).toEqual([0, 2]);
  expect(harness.logged.filter((line) => line.includes("cannot be decrypted"))).toHaveLength(1);
  const none = await partition.read({ kind: "offset", offset: 3 }, 10);
  expect(none).toMatchObject({ messagesCount: 0, skippedCount: 1, lastOffset: 3, sizeBytes: 0 });
  expect(clearMessages(none)).toEqual([]);
});

test("messages from before the switch are left out", async () => {
  const disk = new MemoryDisk();
  const clear = makeHarness(disk);
  const before = clear.open();
  await appendNow(clear, before, [10, 50, 0]);
  await before.close();
  const result = await harnessOn(disk).open().read({ kind: "first" }, 10);
  expect(result).toMatchObject({ messagesCount: 0, skippedCount: 3 });
});

test("the client's memory stays as it was; ids of clients stay, and duplicates are found", async () => {
  const harness = harnessOn(new MemoryDisk(), { deduplication: { maxEntries: 10, expiryMicros: 0 } });
  const partition = harness.open();
  const batch = makeBatchWithIds([7, 8]);
  const before = batch.memory.slice();
  const appended = [partition.append(batch), partition.append(makeBatchWithIds([8, 9], 10))];
  harness.endTurn();
  await Promise.all(appended);
  expect(batch.memory).toEqual(before);
  const messages = clearMessages(await partition.read({ kind: "first" }, 10));
  expect(messages.map(({ id }) => Number.parseInt(id.slice(0, 2), 16))).toEqual([7, 8, 9]);
  expect(messages.map(({ payload }) => payload.charCodeAt(0))).toEqual([0, 1, 11]);
});

test("a batch that would grow past 32-bit positions is refused, and the partition takes others", async () => {
  const grown = { ...cipher, overheadBytes: 2 ** 32 };
  const harness = harnessOn(new MemoryDisk(), { deduplication: { maxEntries: 10, expiryMicros: 0 } }, grown);
  const partition = harness.open();
  await expect(partition.append(makeBatchWithIds([1]))).rejects.toMatchObject({ errorName: "InvalidMessagesSize" });
  expect(partition.isFenced).toBe(false);
  await expect(partition.append(makeBatchWithIds([1]))).rejects.toMatchObject({ errorName: "InvalidMessagesSize" });
});

test("a log that gets shorter while it is read is an error, and a read of a closed partition is refused", async () => {
  const disk = new MemoryDisk();
  const harness = harnessOn(disk);
  const partition = harness.open();
  await appendNow(harness, partition, [100]);
  const file = disk.open(logPath, "readWrite");
  file.truncate(80);
  file.close();
  await expect(Promise.resolve(partition.read({ kind: "first" }, 1))).rejects.toMatchObject({
    errorName: "CannotReadFile",
  });
  partition.abandon();
  await expect(Promise.resolve(partition.read({ kind: "first" }, 1))).rejects.toMatchObject({
    errorName: "CannotReadFile",
  });
  expect(disk.openCount).toBe(0);
});

test("a kernel over the encrypted batch accepts it as valid", () => {
  const encrypted = encryptBatch(makeBatch([0, 5, 1000]), { cipher, makeSeed });
  const kernel = new JsBatchKernel(encrypted.memory, makeSeed());
  const { rowsPosition, messagesCount, messagesPosition, messagesSizeBytes } = encrypted;
  expect(kernel.validate(rowsPosition, messagesCount, messagesPosition, messagesSizeBytes)).toBe(0);
});
