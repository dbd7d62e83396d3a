// Every byte of the last entries of each file is cut, flipped and followed by garbage. Whatever it is: the partition opens,
// what it returns is what was written (byte for byte, at its offset), messages that were not hit are there, and it takes
// messages again.

import { describe, expect, test } from "bun:test";
import type { Partition } from "../../src/storage/index.ts";
import { appendNow, directory, type Harness, makeHarness, poll, range } from "./harness.ts";
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

const messageEnds = payloadSizes.map((_, index) =>
  payloadSizes.slice(0, index + 1).reduce((sum, size) => sum + 64 + size, 0),
);

/** The message that the byte `at` of the log belongs to. */
function messageAt(at: number): number {
  return messageEnds.findIndex((end) => at < end);
}

/**
 * Opens the damaged disk, demands the messages `wanted` and no others, and that the next one gets the offset `next`, also
 * when it is opened again.
 */
async function expectMessages(
  disk: MemoryDisk,
  bytes: Uint8Array,
  wanted: readonly number[],
  next: number,
  detail: string,
): Promise<Harness> {
  const harness = makeHarness(disk);
  const partition = harness.open();
  const { seen } = await sweep(partition);
  for (const [offset, message] of seen) {
    const original = bytes.subarray(messageEnds[offset - 1] ?? 0, messageEnds[offset]!);
    if (Buffer.compare(message, original) !== 0) throw new Error(`corrupt: ${detail}`);
  }
  if (!Bun.deepEquals([...seen.keys()].toSorted(), wanted)) throw new Error(`${[...seen.keys()]} are seen: ${detail}`);
  await appendNow(harness, partition, [9], next);
  expect(`${partition.counters.currentOffset} ${detail}`).toBe(`${next} ${detail}`);
  await partition.close();
  const reopened = makeHarness(disk).open();
  expect([...(await sweep(reopened, next + 1)).seen.keys()].toSorted()).toEqual([...wanted, next]);
  expect(disk.read(`${name0}.index`).byteLength).toBe((next + 1) * 16);
  return harness;
}

/** The offset that the next message gets. */
function nextOffsetOf(disk: MemoryDisk): number {
  const { hasMessages, currentOffset } = makeHarness(disk.copy()).open().counters;
  return hasMessages ? currentOffset + 1 : 0;
}

/** Every message that any poll of the first offsets returns, by offset. No poll is refused. */
async function sweep(partition: Partition, end = 6): Promise<{ seen: Map<number, Uint8Array> }> {
  const seen = new Map<number, Uint8Array>();
  for (const count of [100, 2, 1]) {
    for (let offset = 0; offset < end; offset++) {
      const polled = await poll(partition, { kind: "offset", offset }, count);
      expect(polled.offsets.every((got) => got >= offset)).toBe(true);
      for (const message of polled.messages) seen.set(message.offset, message.bytes.slice());
    }
  }
  return { seen };
}

describe.each([
  ["after a crash", false],
  ["after a clean close", true],
] as const)("active segment %s", (_, closed) => {
  test.each(Object.keys(changes))("log: %s at every byte of the last three messages", async (kind) => {
    const { disk, bytes } = await write(closed);
    const sizeBytes = bytes.byteLength;
    for (let at = sizeBytes - tailBytes; at < sizeBytes; at++) {
      const hit = messageAt(at);
      const changed = damaged(disk, `${name0}.log`, changes[kind]!(at));
      const wanted = range(0, 6).filter((offset) => offset < hit || (kind === "flip" && offset > hit));
      // A log that ends inside a message is what a crash leaves; it is something else where the checkpoint had more.
      const next = kind.startsWith("cut") && !closed ? undefined : 6;
      await expectMessages(changed, bytes, wanted, next ?? nextOffsetOf(changed), `${kind} ${at}`);
    }
  });

  test("log: what is cut is kept beside it, where it is more than zeros", async () => {
    const { disk, bytes } = await write(closed);
    const garbage = new Uint8Array(50).fill(0xa5);
    const longer = damaged(disk, `${name0}.log`, (log) => Buffer.concat([log, garbage, new Uint8Array(30)]));
    const harness = await expectMessages(longer, bytes, range(0, 6), 6, "garbage");
    expect(Buffer.compare(longer.read(`${name0}.log.damaged-1`), garbage)).toBe(0);
    expect(harness.logged.filter((line) => line.includes(`${name0}.log.damaged-1`))).toHaveLength(1);
    const again = damaged(longer, `${name0}.log`, (log) => Buffer.concat([log, garbage]));
    makeHarness(again).open();
    expect(again.list(directory).filter((name) => name.includes("damaged"))).toHaveLength(2);
    const zeros = damaged(disk, `${name0}.log`, (log) => Buffer.concat([log, new Uint8Array(500)]));
    await expectMessages(zeros, bytes, range(0, 6), 6, "zeros");
    expect(zeros.list(directory).filter((name) => name.includes("damaged"))).toEqual([]);
  });

  test("log: bytes behind the last message", async () => {
    const { disk, bytes } = await write(closed);
    for (const extra of [1, 63, 64, 65, 200, 5000]) {
      for (const fill of [0, 1, 0xff]) {
        const change = (log: Uint8Array) => Buffer.concat([log, new Uint8Array(extra).fill(fill)]);
        await expectMessages(damaged(disk, `${name0}.log`, change), bytes, range(0, 6), 6, `${extra} × ${fill}`);
      }
    }
  });

  test.each(Object.keys(changes))("index: %s at every byte of the last three rows", async (kind) => {
    const { disk, bytes } = await write(closed);
    for (let at = 3 * 16; at < 6 * 16; at++) {
      const changed = damaged(disk, `${name0}.index`, changes[kind]!(at));
      await expectMessages(changed, bytes, range(0, 6), 6, `${kind} ${at}`);
    }
  });

  test("index: missing, empty, longer", async () => {
    const { disk, bytes } = await write(closed);
    const missing = disk.copy();
    missing.remove(`${name0}.index`);
    await expectMessages(missing, bytes, range(0, 6), 6, "missing");
    const changed = (change: (index: Uint8Array) => Uint8Array) => damaged(disk, `${name0}.index`, change);
    const empty = changed(() => new Uint8Array(0));
    await expectMessages(empty, bytes, range(0, 6), 6, "empty");
    for (const extra of [1, 15, 16, 17, 160]) {
      const longer = changed((index) => Buffer.concat([index, new Uint8Array(extra).fill(3)]));
      await expectMessages(longer, bytes, range(0, 6), 6, `${extra} longer`);
    }
  });
});

test("checkpoint: every change at every byte, and none at all", async () => {
  const { disk, bytes } = await write(true);
  const path = `${directory}/checkpoint`;
  expect(disk.read(path).byteLength).toBe(24);
  for (const [kind, change] of Object.entries(changes)) {
    for (let at = 0; at < 24; at++) {
      await expectMessages(damaged(disk, path, change(at)), bytes, range(0, 6), 6, `${kind} ${at}`);
    }
  }
  const missing = disk.copy();
  missing.remove(path);
  await expectMessages(missing, bytes, range(0, 6), 6, "missing");
});

test("a checkpoint that is damaged or cannot be read is reported, and missed by nobody", async () => {
  const { disk, bytes } = await write(true);
  const path = `${directory}/checkpoint`;
  const harness = await expectMessages(damaged(disk, path, changes.flip!(9)), bytes, range(0, 6), 6, "flipped");
  expect(harness.logged.filter((line) => line.startsWith("warn checkpoint is damaged"))).toHaveLength(1);
  const unreadable = disk.copy();
  unreadable.fails = (operation, name) => operation !== "rename" && name === path;
  const other = makeHarness(unreadable);
  expect(other.open().counters.messagesCount).toBe(6);
  expect(other.logged.filter((line) => line.startsWith("warn checkpoint cannot be read"))).toHaveLength(1);
});

test("log and index cut at different places", async () => {
  const { disk, bytes } = await write(true);
  for (let logAt = 0; logAt <= bytes.byteLength; logAt += 13) {
    for (let indexAt = 0; indexAt <= 96; indexAt += 11) {
      const half = damaged(disk, `${name0}.log`, (log) => log.subarray(0, logAt));
      const both = damaged(half, `${name0}.index`, (index) => index.subarray(0, indexAt));
      const wanted = range(0, 6).filter((offset) => messageEnds[offset]! <= logAt);
      await expectMessages(both, bytes, wanted, nextOffsetOf(both), `${logAt} ${indexAt}`);
    }
  }
});

describe("sealed segment", () => {
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

  describe.each([
    ["as it is", {}, false],
    ["with validate_checksum", { validateChecksum: true }, false],
    ["without its index", {}, true],
  ] as const)("%s", (_, options, isIndexLost) => {
    test.each(Object.keys(changes))("log: %s at every byte", async (kind) => {
      const { disk, messages, logBytes } = await writeSealed();
      expect(messages.length).toBe(6);
      expect(disk.list(directory).filter((name) => name.endsWith(".log")).length).toBe(2);
      for (let at = 0; at < logBytes; at++) {
        const changed = damaged(disk, `${name0}.log`, changes[kind]!(at));
        if (isIndexLost) changed.remove(`${name0}.index`);
        const harness = makeHarness(changed, options);
        const partition = harness.open();
        const { seen } = await sweep(partition);
        for (const [offset, bytes] of seen) expect(Buffer.compare(bytes, messages[offset]!)).toBe(0);
        const log = changed.read(`${name0}.log`);
        const isIntact = (bytes: Uint8Array, offset: number) =>
          offset === 5 || Buffer.compare(log.subarray(messageEnds[offset - 1] ?? 0, messageEnds[offset]), bytes) === 0;
        const wanted = range(0, 6).filter((offset) => isIntact(messages[offset]!, offset));
        if (kind === "flip") expect(wanted).toHaveLength(5);
        expect([...seen.keys()].toSorted()).toEqual(wanted);
        await appendNow(harness, partition, [1]);
        expect(partition.counters.currentOffset).toBe(6);
      }
    });
  });

  test.each(Object.keys(changes))("index: %s at every byte loses nothing", async (kind) => {
    const { disk, messages } = await writeSealed();
    for (let at = 0; at < 5 * 16; at++) {
      const partition = makeHarness(damaged(disk, `${name0}.index`, changes[kind]!(at))).open();
      const { seen } = await sweep(partition);
      for (const offset of range(0, 6)) expect(Buffer.compare(seen.get(offset)!, messages[offset]!)).toBe(0);
    }
  });
});
