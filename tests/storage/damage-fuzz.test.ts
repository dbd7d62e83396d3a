// Bits flipped at random in any file of a partition, several at a time, and reads of every kind in any order. Never garbage,
// never without an end, at most the messages that were hit are missing, offsets stay. `DAMAGE_SEEDS=50000` runs more,
// `DAMAGE_SEED=41` one.

import { expect, test } from "bun:test";
import { createCipher } from "../../src/security/encryption.ts";
import type { EncryptionOptions, Partition, ReadFrom, StorageOptions } from "../../src/storage/index.ts";
import { type Harness, makeBatch, makeHarness, range } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

const seedsPerTest = 500;
const seedsCount = Number(process.env.DAMAGE_SEEDS ?? 2000);
const onlySeed = process.env.DAMAGE_SEED === undefined ? undefined : Number(process.env.DAMAGE_SEED);
/** Far more than the operations that any read needs here. */
const operationsMax = 3000;
const consumers = [
  { kind: "consumer", id: 7 },
  { kind: "group", id: 2 },
] as const;
const encryption: EncryptionOptions = {
  cipher: createCipher(Buffer.alloc(32, 1).toString("base64")),
  makeSeed: () => new Uint8Array(32).fill(3),
};

/** A partition as it was written, and what reads of it gave. */
interface Original {
  readonly disk: MemoryDisk;
  readonly options: Partial<StorageOptions>;
  readonly encryption: EncryptionOptions | undefined;
  readonly isClosed: boolean;
  readonly messages: readonly Uint8Array[];
  readonly timestamps: readonly number[];
  readonly offsets: readonly number[];
}

/** A small generator of numbers by a seed. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed * 0x9e3779b1) >>> 0;
  }

  /** 0 to `limit` - 1. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
}

async function writeOriginal(number: number): Promise<Original> {
  const dice = new Dice(1000 + number);
  const disk = new MemoryDisk();
  const options = { segmentSizeBytes: dice.pick([700, 1500, 100_000]) };
  const encrypted = number % 3 === 0 ? encryption : undefined;
  const harness = makeHarness(disk, options, 16 * 1024, encrypted);
  const partition = harness.open();
  let count = 0;
  while (count < 20) {
    const sizes = range(0, 1 + dice.below(4)).map(() => dice.pick([0, 1, 20, 90, 300]));
    const appended = partition.append(makeBatch(sizes, count));
    harness.endTurn();
    await appended;
    count += sizes.length;
  }
  const offsets = [dice.below(count), dice.below(count)];
  consumers.forEach((consumer, index) => {
    partition.storeOffset(consumer, offsets[index]!);
  });
  const messages: Uint8Array[] = [];
  const timestamps: number[] = [];
  for (let offset = 0; offset < count; offset++) {
    const { bytes } = await readNow(partition, disk, { kind: "offset", offset }, 1);
    messages.push(bytes);
    timestamps.push(Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(32, true)));
  }
  const isClosed = dice.below(3) > 0;
  if (isClosed) await partition.close();
  else await partition.flush(dice.below(2) === 0);
  return { disk, options, encryption: encrypted, isClosed, messages, timestamps, offsets };
}

interface Answer {
  readonly bytes: Uint8Array;
  readonly messagesCount: number;
  readonly skippedCount: number;
  readonly lastOffset: number;
}

/** One read, which ends: its operations on the disk are counted. */
async function readNow(partition: Partition, disk: MemoryDisk, from: ReadFrom, countMax: number): Promise<Answer> {
  let operations = 0;
  disk.fails = () => {
    operations++;
    if (operations > operationsMax) throw new Error("a read does not end");
    return false;
  };
  const result = await partition.read(from, countMax);
  const bytes = new Uint8Array(result.sizeBytes);
  let position = 0;
  for (const part of result.parts) {
    if (part.kind === "bytes") bytes.set(part.bytes, position);
    else part.file.read(bytes.subarray(position, position + part.sizeBytes), part.position);
    position += part.kind === "bytes" ? part.bytes.byteLength : part.sizeBytes;
  }
  result.release();
  const { messagesCount, skippedCount, lastOffset } = result;
  return { bytes, messagesCount, skippedCount, lastOffset };
}

/** The offsets of an answer, each message byte for byte as it was written. */
function offsetsOf({ bytes, messagesCount, lastOffset }: Answer, messages: readonly Uint8Array[]): number[] {
  const offsets = range(lastOffset + 1 - messagesCount, lastOffset + 1);
  let position = 0;
  for (const offset of messagesCount === 0 ? [] : offsets) {
    const original = messages[offset];
    if (original === undefined) throw new Error(`offset ${offset} was never given`);
    const got = bytes.subarray(position, position + original.byteLength);
    if (Buffer.compare(got, original) !== 0) throw new Error(`garbage at offset ${offset}`);
    position += original.byteLength;
  }
  if (position !== bytes.byteLength) throw new Error("bytes that are no message");
  return messagesCount === 0 ? [] : offsets;
}

interface Hits {
  readonly paths: readonly string[];
  /** Offsets of messages whose bytes in a log changed. */
  readonly offsets: ReadonlySet<number>;
  /** Bits changed in each file. */
  readonly description: readonly string[];
}

function flipBits(dice: Dice, disk: MemoryDisk, original: Original): Hits {
  const files = [...disk.files.keys()].filter((path) => disk.read(path).byteLength > 0);
  const logs = files.filter((path) => path.endsWith(".log"));
  const flipped = new Set<string>();
  for (let count = 1 + dice.below(4); count > 0; count--) {
    const path = dice.below(3) === 0 ? dice.pick(logs) : dice.pick(files);
    const bytes = disk.read(path);
    const bit = dice.below(bytes.byteLength * 8);
    if (flipped.has(`${path} ${bit}`)) continue;
    flipped.add(`${path} ${bit}`);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    disk.put(path, bytes);
  }
  const offsets = new Set<number>();
  for (const log of logs) {
    const start = Number(log.slice(-24, -4));
    const ends = messageEndsOf(original.disk.read(log));
    for (const change of flipped) {
      const [path, bit] = change.split(" ");
      if (path === log) offsets.add(start + ends.findIndex((end) => Number(bit) >> 3 < end));
    }
  }
  return { paths: [...flipped].map((change) => change.split(" ")[0]!), offsets, description: [...flipped] };
}

function messageEndsOf(log: Uint8Array): number[] {
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength);
  const ends: number[] = [];
  for (let at = 0; at < log.byteLength; ) {
    at += 64 + view.getUint32(at + 52, true) + view.getUint32(at + 48, true);
    ends.push(at);
  }
  return ends;
}

function randomFrom(dice: Dice, { messages, timestamps }: Original): ReadFrom {
  switch (dice.below(6)) {
    case 0:
      return { kind: "first" };
    case 1:
      return { kind: "last" };
    case 2:
      return { kind: "next", consumer: dice.pick(consumers) };
    case 3:
      return { kind: "timestamp", timestampMicros: dice.pick(timestamps) + dice.below(3) - 1 };
    default:
      return { kind: "offset", offset: dice.below(messages.length + 2) };
  }
}

async function runSeed(seed: number, originals: readonly Original[]): Promise<void> {
  const dice = new Dice(seed);
  const original = dice.pick(originals);
  const { messages } = original;
  const disk = original.disk.copy();
  const hits = flipBits(dice, disk, original);
  const options: Partial<StorageOptions> = {
    ...original.options,
    cacheIndexes: dice.pick(["all", "open_segment", "none"]),
    validateChecksum: dice.below(3) === 0,
  };
  const counted = new Map<string, number>();
  const open = (): { harness: Harness; partition: Partition } => {
    const harness = makeHarness(disk, options, 16 * 1024, original.encryption);
    harness.clock.micros += 1e9;
    Object.assign(harness.context, {
      count: (key: string, by = 1) => counted.set(key, by + (counted.get(key) ?? 0)),
    });
    return { harness, partition: harness.open() };
  };
  const describe = () => hits.description.join(", ");
  try {
    const { harness, partition } = open();
    const nextOffset = partition.counters.currentOffset + (partition.counters.hasMessages ? 1 : 0);
    const isCovered = original.isClosed && !hits.paths.some((path) => path.endsWith("/checkpoint"));
    if (isCovered && nextOffset < messages.length) throw new Error(`offsets go back to ${nextOffset}`);
    consumers.forEach((consumer, index) => {
      const isHit = hits.paths.some((path) => path.endsWith(`offsets/${consumer.kind}s/${consumer.id}`));
      if (isHit || nextOffset < messages.length) return;
      if (partition.getOffset(consumer) !== original.offsets[index]) throw new Error("a stored offset changed");
    });
    for (let count = dice.below(7); count > 0; count--) {
      const from = randomFrom(dice, original);
      const countMax = 1 + dice.below(12);
      const answer = await readNow(partition, disk, from, countMax);
      const wanted = wantedOffsets(from, countMax, partition, original).filter((offset) => !hits.offsets.has(offset));
      const got = offsetsOf(answer, messages);
      const isPrefix = got.every((offset, index) => offset === wanted[index] || hits.offsets.has(offset));
      if (!isPrefix || (got.length === 0 && wanted.length > 0)) {
        throw new Error(`${JSON.stringify(from)} ${countMax}: ${got} instead of ${wanted}`);
      }
    }
    const seen = await sweep(partition, disk, messages);
    const missing = range(0, messages.length).filter((offset) => !seen.includes(offset));
    const innocent = missing.filter((offset) => !hits.offsets.has(offset));
    if (innocent.length > 0) throw new Error(`${innocent} are missing, only ${[...hits.offsets]} were hit`);
    const isReported = harness.logged.some((line) => line.startsWith("error") || line.includes("log cut"));
    if (missing.length > 0 && !isReported) throw new Error("what is missing is not reported");
    if ((counted.get("damagedMessages") ?? 0) > missing.length) throw new Error("whole messages are called damaged");
    disk.fails = () => false;
    const appended = partition.append(makeBatch([5], nextOffset));
    harness.endTurn();
    await appended;
    const added = await readNow(partition, disk, { kind: "offset", offset: nextOffset }, 1);
    const all = [...messages.slice(0, nextOffset)];
    all[nextOffset] = added.bytes;
    if (added.lastOffset !== nextOffset) throw new Error("an append takes the next offset");
    disk.fails = () => false;
    await partition.close();
    const seenAgain = await sweep(open().partition, disk, all);
    if (`${seenAgain}` !== `${[...seen.filter((offset) => offset < nextOffset), nextOffset]}`) {
      throw new Error(`${seenAgain} after another start, ${seen} and ${nextOffset} before`);
    }
  } catch (error) {
    throw new Error(`DAMAGE_SEED=${seed}: ${error instanceof Error ? error.message : error} (${describe()})`, {
      cause: error,
    });
  }
}

/** What the read is to return of the original, in order. */
function wantedOffsets(from: ReadFrom, countMax: number, partition: Partition, original: Original): number[] {
  const end = original.messages.length;
  const startOf = (): number => {
    switch (from.kind) {
      case "first":
        return 0;
      case "last":
        return Math.max(0, partition.counters.currentOffset + 1 - countMax);
      case "offset":
        return from.offset;
      case "next":
        return (partition.getOffset(from.consumer) ?? -1) + 1;
      case "timestamp":
        return original.timestamps.filter((timestamp) => timestamp < from.timestampMicros).length;
    }
  };
  return range(0, end).slice(startOf());
}

/** All that a consumer gets that goes on behind the last answer. */
async function sweep(partition: Partition, disk: MemoryDisk, messages: readonly Uint8Array[]): Promise<number[]> {
  const seen: number[] = [];
  for (let offset = 0; ; ) {
    const answer = await readNow(partition, disk, { kind: "offset", offset }, 7);
    seen.push(...offsetsOf(answer, messages));
    if (answer.messagesCount + answer.skippedCount === 0) return seen;
    offset = answer.lastOffset + 1;
  }
}

const originals = await Promise.all(range(0, 24).map(writeOriginal));

for (let first = 0; first < seedsCount; first += seedsPerTest) {
  test(`flipped bits, ${seedsPerTest} seeds from ${first}`, async () => {
    const seeds = onlySeed === undefined ? range(first, first + seedsPerTest) : [onlySeed];
    for (const seed of seeds) await runSeed(seed, originals);
    expect(seeds.length).toBeGreaterThan(0);
  });
  if (onlySeed !== undefined) break;
}
