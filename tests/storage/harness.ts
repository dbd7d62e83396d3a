// What the storage tests share: contexts, batches as clients send them, and reads as plain data.

import type { Disk } from "../../src/platform/disk.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import {
  createStorageContext,
  type EncryptionOptions,
  type IncomingBatch,
  JsBatchKernel,
  Partition,
  type ReadFrom,
  type ReadResult,
  type StorageContext,
  type StorageOptions,
} from "../../src/storage/index.ts";

export const directory = "/data/streams/0/topics/0/partitions/0";

const seed = new Uint8Array(32).fill(7);

export class TestClock {
  micros = 1_750_000_000_000_000;
  /** Steps forward a little at each reading. */
  nowMicros(): number {
    this.micros += 1000;
    return this.micros;
  }
}

export interface Harness {
  readonly context: StorageContext;
  readonly clock: TestClock;
  /** Stands still unless it is set. */
  readonly elapsed: { micros: number };
  readonly logged: string[];
  /** Ends the turn: runs what was scheduled. */
  endTurn(): void;
  open(path?: string): Partition;
}

/** A shard's storage over `disk`; turns end when the test says so. */
export function makeHarness(
  disk: Disk,
  options: Partial<StorageOptions> = {},
  scanBytes = 256 * 1024,
  encryption?: EncryptionOptions,
): Harness {
  const clock = new TestClock();
  const elapsed = { micros: 0 };
  const logged: string[] = [];
  let scheduled: (() => void)[] = [];
  const note = (level: string) => (message: string, fields?: Record<string, unknown>) => {
    logged.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  };
  const memory = new Uint8Array(scanBytes);
  const context = createStorageContext({
    disk,
    clock,
    elapsed: { nowMicros: () => elapsed.micros },
    options: {
      acknowledge: "write",
      segmentSizeBytes: 1024 * 1024,
      cacheIndexes: "open_segment",
      messagesRequiredToSave: 1024,
      bytesRequiredToSave: 1024 * 1024,
      enforceFsync: false,
      validateChecksum: false,
      openFilesMax: 100,
      ...options,
    },
    scan: { kernel: new JsBatchKernel(memory, seed), memory, position: 0, sizeBytes: memory.byteLength },
    log: { info: note("info"), warn: note("warn"), error: note("error") },
    schedule: (flush) => scheduled.push(flush),
    encryption,
  });
  return {
    context,
    clock,
    elapsed,
    logged,
    endTurn() {
      const flushes = scheduled;
      scheduled = [];
      for (const flush of flushes) flush();
    },
    open: (path = directory) => Partition.open(context, path, () => {}),
  };
}

/** A client's batch of messages with these payload sizes (and payload bytes that name their message). */
export function makeBatch(payloadSizes: readonly number[], firstNumber = 0): IncomingBatch {
  const rowsBytes = payloadSizes.length * 16;
  const messagesSizeBytes = payloadSizes.reduce((sum, size) => sum + 64 + size, 0);
  const memory = new Uint8Array(rowsBytes + messagesSizeBytes);
  const view = new DataView(memory.buffer);
  let end = 0;
  payloadSizes.forEach((size, index) => {
    const at = rowsBytes + end;
    view.setUint32(at + 52, size, true);
    memory.fill((firstNumber + index) & 0xff, at + 64, at + 64 + size);
    end += 64 + size;
    view.setUint32(index * 16 + 4, end, true);
  });
  return {
    kernel: new JsBatchKernel(memory, seed),
    memory,
    rowsPosition: 0,
    messagesCount: payloadSizes.length,
    messagesPosition: rowsBytes,
    messagesSizeBytes,
  };
}

/** A client's batch of messages with these ids (payloads of four bytes name their message). */
export function makeBatchWithIds(ids: readonly number[], firstNumber = 0): IncomingBatch {
  const batch = makeBatch(
    ids.map(() => 4),
    firstNumber,
  );
  const view = new DataView(batch.memory.buffer);
  ids.forEach((id, index) => {
    view.setUint32(batch.messagesPosition + index * 68 + 8, id, true);
  });
  return batch;
}

/** Appends and ends the turn. */
export async function appendNow(
  harness: Harness,
  partition: Partition,
  payloadSizes: readonly number[],
  firstNumber = 0,
): Promise<void> {
  const appended = partition.append(makeBatch(payloadSizes, firstNumber));
  harness.endTurn();
  await appended;
}

export interface SeenMessage {
  readonly offset: number;
  readonly timestampMicros: number;
  readonly payload: Uint8Array;
  readonly bytes: Uint8Array;
}

export interface Seen {
  readonly currentOffset: number;
  readonly offsets: readonly number[];
  readonly messages: readonly SeenMessage[];
  readonly bytes: Uint8Array;
}

/** The bytes of a result, parsed; checks checksums, counts and offsets, and releases the result. */
export function see(result: ReadResult): Seen {
  const bytes = new Uint8Array(result.sizeBytes);
  let position = 0;
  for (const part of result.parts) {
    if (part.kind === "bytes") bytes.set(part.bytes, position);
    else if (part.file.read(bytes.subarray(position, position + part.sizeBytes), part.position) !== part.sizeBytes) {
      throw new Error("the file is shorter than the part says");
    }
    position += part.kind === "bytes" ? part.bytes.byteLength : part.sizeBytes;
  }
  if (position !== result.sizeBytes) throw new Error("the parts have another size than the result says");
  result.release();
  const messages = parseMessages(bytes);
  const offsets = messages.map((message) => message.offset);
  if (messages.length !== result.messagesCount) throw new Error("another number of messages than the result says");
  if (offsets.some((offset, index) => offset !== offsets[0]! + index)) throw new Error(`gaps: ${offsets}`);
  if (offsets.length > 0 && result.lastOffset !== offsets[offsets.length - 1]) throw new Error("wrong last offset");
  return { currentOffset: result.currentOffset, offsets, messages, bytes };
}

export async function poll(partition: Partition, from: ReadFrom, countMax: number): Promise<Seen> {
  return see(await partition.read(from, countMax));
}

export async function offsetsOf(partition: Partition, from: ReadFrom, countMax: number): Promise<readonly number[]> {
  return (await poll(partition, from, countMax)).offsets;
}

export function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

/** Throws at the first message whose checksum is wrong. */
export function parseMessages(bytes: Uint8Array): SeenMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: SeenMessage[] = [];
  let at = 0;
  while (at < bytes.byteLength) {
    const payloadLength = view.getUint32(at + 52, true);
    const end = at + 64 + payloadLength + view.getUint32(at + 48, true);
    const message = bytes.subarray(at, end);
    if (end > bytes.byteLength || view.getBigUint64(at, true) !== Bun.hash.xxHash3(message.subarray(8))) {
      throw new Error(`corrupt message at ${at}`);
    }
    messages.push({
      offset: Number(view.getBigUint64(at + 24, true)),
      timestampMicros: Number(view.getBigUint64(at + 32, true)),
      payload: message.subarray(64, 64 + payloadLength),
      bytes: message,
    });
    at = end;
  }
  return messages;
}

/** The name of the error that `work` throws; "none" if it throws none. Anything else than an `IggyError` is thrown on. */
export function errorOf(work: () => void): string {
  try {
    work();
  } catch (error) {
    if (error instanceof IggyError) return error.errorName;
    throw error;
  }
  return "none";
}
