import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { dropDuplicates } from "../../src/storage/deduplication.ts";
import { IdFilter } from "../../src/storage/id-filter.ts";
import type { StorageOptions } from "../../src/storage/index.ts";
import { directory, type Harness, makeBatch, makeBatchWithIds, makeHarness, poll, range } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

const noExpiry = { maxEntries: 1000, expiryMicros: 0 };

function filterFor(maxEntries: number, expiryMicros = 0): IdFilter {
  return new IdFilter({ maxEntries, expiryMicros });
}

describe("id filter", () => {
  test("agrees with a plain list: additions, expiry, eviction and taking back in any order", () => {
    const step = fc.oneof(
      { weight: 10, arbitrary: fc.record({ kind: fc.constant("add" as const), id: fc.nat(60) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), micros: fc.nat(30) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("mark" as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("rollback" as const) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), fc.integer({ min: 1, max: 40 }), (steps, maxEntries) => {
        const filter = filterFor(maxEntries, 50);
        let entries: { id: number; time: number; serial: number }[] = [];
        let now = 0;
        let serial = 0;
        let mark = { filter: 0, serial: 0 };
        for (const action of steps) {
          if (action.kind === "add") {
            const isNew = !entries.some(({ id }) => id === action.id);
            expect(filter.add(action.id, 1, action.id % 3, 0)).toBe(isNew);
            if (isNew) entries = [...entries, { id: action.id, time: now, serial: serial++ }].slice(-maxEntries);
          } else if (action.kind === "wait") {
            now += action.micros;
            filter.advance(now);
            entries = entries.filter(({ time }) => time + 50 > now);
          } else if (action.kind === "mark") {
            mark = { filter: filter.mark, serial };
          } else {
            filter.rollback(mark.filter);
            entries = entries.filter((entry) => entry.serial < mark.serial);
            serial = Math.min(serial, mark.serial);
          }
          expect(filter.count).toBe(entries.length);
        }
      }),
    );
  });

  test("all four words count", () => {
    const filter = filterFor(0);
    for (let word = 0; word < 4; word++) {
      const add = () => filter.add(+(word === 0), +(word === 1), +(word === 2), +(word === 3));
      expect(add()).toBe(true);
      expect(add()).toBe(false);
    }
    expect(filter.add(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff)).toBe(true);
    expect(filter.add(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff)).toBe(false);
  });

  test("without a limit it keeps 1,048,576 ids, and then forgets the oldest", () => {
    const filter = filterFor(0);
    for (let id = 0; id <= 1024 * 1024; id++) filter.add(id, 7, 7, 7);
    expect(filter.count).toBe(1024 * 1024);
    expect(filter.add(1024 * 1024, 7, 7, 7)).toBe(false);
    expect(filter.add(1, 7, 7, 7)).toBe(false);
    expect(filter.add(0, 7, 7, 7)).toBe(true);
  });
});

describe("dropping duplicates from a batch", () => {
  test("nothing is touched when all are new", () => {
    const batch = makeBatchWithIds([1, 2, 0, 0, 3]);
    const before = batch.memory.slice();
    expect(dropDuplicates(batch, filterFor(100))).toBe(batch);
    expect(batch.memory).toEqual(before);
  });

  test("what is left is a valid batch of the other messages in their order, whichever are dropped", () => {
    const ids = fc.array(fc.record({ id: fc.nat(12), size: fc.nat(40) }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(ids, fc.array(fc.integer({ min: 1, max: 12 })), (messages, known) => {
        const filter = filterFor(100);
        const seen = new Set<number>();
        for (const id of known) {
          filter.add(id, 0, 0, 0);
          seen.add(id);
        }
        const batch = makeBatch(messages.map(({ size }) => size));
        const view = new DataView(batch.memory.buffer);
        const kept: Uint8Array[] = [];
        let position = batch.messagesPosition;
        for (const { id, size } of messages) {
          view.setUint32(position + 8, id, true);
          if (id === 0 || !seen.has(id)) kept.push(batch.memory.slice(position, position + 64 + size));
          seen.add(id);
          position += 64 + size;
        }
        const rest = dropDuplicates(batch, filter);
        if (kept.length === 0) {
          expect(rest).toBeUndefined();
          return;
        }
        if (rest === undefined) throw new Error("expected messages");
        const { rowsPosition, messagesCount, messagesPosition, messagesSizeBytes } = rest;
        expect(messagesCount).toBe(kept.length);
        expect(rest.kernel.validate(rowsPosition, messagesCount, messagesPosition, messagesSizeBytes)).toBe(0);
        const bytes = rest.memory.subarray(messagesPosition, messagesPosition + messagesSizeBytes);
        expect(Buffer.compare(bytes, Buffer.concat(kept))).toBe(0);
      }),
    );
  });
});

function open(options: Partial<StorageOptions> = {}) {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk, { deduplication: noExpiry, ...options });
  return { disk, harness, partition: harness.open() };
}

type Opened = ReturnType<typeof open>;

async function append({ harness, partition }: Opened, ids: readonly number[], firstNumber = 0): Promise<void> {
  const appended = partition.append(makeBatchWithIds(ids, firstNumber));
  harness.endTurn();
  await appended;
}

/** First payload byte of each message: which one it is. */
async function numbersIn({ partition }: Opened): Promise<number[]> {
  const seen = await poll(partition, { kind: "first" }, 1000);
  expect(seen.offsets).toEqual(range(0, seen.offsets.length));
  return seen.messages.map(({ payload }) => payload[0]!);
}

function warnings({ logged }: Harness): number {
  return logged.filter((line) => line.includes("duplicate messages dropped")).length;
}

describe.each(["memory", "write", "sync"] as const)("a partition with deduplication, level %s", (acknowledge) => {
  test("drops what it has, in one batch and over several; offsets stay consecutive (spec SB 13, trap 18)", async () => {
    const opened = open({ acknowledge });
    await append(opened, [1, 2, 2, 1, 3], 0);
    await append(opened, [3, 4, 1, 5], 10);
    await append(opened, [0, 0, 5, 0], 20);
    await append(opened, [6], 30);
    expect(await numbersIn(opened)).toEqual([0, 1, 4, 11, 13, 20, 21, 23, 30]);
    expect(opened.partition.counters).toMatchObject({ messagesCount: 9, currentOffset: 8, sizeBytes: 9 * 68 });
    expect(warnings(opened.harness)).toBe(3);
    await opened.partition.close();
    expect(await numbersIn({ ...opened, partition: makeHarness(opened.disk).open() })).toHaveLength(9);
  });

  test("a batch of nothing but duplicates succeeds and has no effect", async () => {
    const opened = open({ acknowledge });
    await append(opened, [1, 2]);
    const before = { ...opened.partition.counters };
    await append(opened, [2, 1, 1], 10);
    expect(opened.partition.counters).toEqual(before);
    await append(opened, [3], 20);
    expect(await numbersIn(opened)).toEqual([0, 1, 20]);
  });

  test("forgets ids after the expiry, and with a purge", async () => {
    const opened = open({ acknowledge, deduplication: { maxEntries: 10, expiryMicros: 1_000_000 } });
    await append(opened, [1], 0);
    await append(opened, [1], 10);
    opened.harness.clock.micros += 1_000_000;
    await append(opened, [1], 20);
    expect(await numbersIn(opened)).toEqual([0, 20]);
    await opened.partition.purge();
    await append(opened, [1], 30);
    await append(opened, [1], 40);
    expect(await numbersIn(opened)).toEqual([30]);
  });

  test("knows them when it is opened again: those of the last messages, as old as these, over segments", async () => {
    const options = { acknowledge, segmentSizeBytes: 200, deduplication: { maxEntries: 4, expiryMicros: 1_000_000 } };
    const opened = open(options);
    await append(opened, [1], 0);
    for (const id of [2, 3, 4, 5, 6]) await append(opened, [id], id);
    await opened.partition.close();
    const harness = makeHarness(opened.disk, options);
    harness.clock.micros = opened.harness.clock.micros + 500_000;
    const reopened = { ...opened, harness, partition: harness.open() };
    // All at once, while the ids are being read: in their order.
    const batches = [[3, 4, 5, 6, 7], [8, 7], [2]].map((ids, index) => {
      return reopened.partition.append(makeBatchWithIds(ids, 10 + 10 * index));
    });
    while (reopened.partition.counters.messagesCount < 9) {
      await Promise.resolve();
      harness.endTurn();
    }
    await Promise.all(batches);
    expect(await numbersIn(reopened)).toEqual([0, 2, 3, 4, 5, 6, 14, 20, 30]);
    harness.clock.micros += 500_001;
    await append(reopened, [6, 8], 40);
    expect(await numbersIn(reopened)).toEqual([0, 2, 3, 4, 5, 6, 14, 20, 30, 40]);
  });

  test("when the disk was full, the same messages are taken later", async () => {
    const opened = open({ acknowledge, messagesRequiredToSave: 1 });
    await append(opened, [1]);
    opened.disk.freeBytes = 10;
    const refused = [opened.partition.append(makeBatchWithIds([2, 3], 10))];
    if (acknowledge !== "memory") refused.push(opened.partition.append(makeBatchWithIds([3, 4], 20)));
    opened.harness.endTurn();
    const results = await Promise.allSettled(refused);
    expect(results.map(({ status }) => status)).toEqual(refused.map(() => "rejected"));
    opened.disk.freeBytes = Number.POSITIVE_INFINITY;
    await append(opened, [1, 2, 3, 4], 30);
    expect(await numbersIn(opened)).toEqual([0, 31, 32, 33]);
  });
});

/** Appends to a partition that reads its ids first. */
async function appendFirst({ harness, partition }: Opened, ids: readonly number[], firstNumber: number): Promise<void> {
  let isDone = false;
  const appended = partition.append(makeBatchWithIds(ids, firstNumber)).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await Promise.resolve();
    harness.endTurn();
  }
  await appended;
}

test("ids that cannot be read after a restart are not known, with a warning; nothing is refused", async () => {
  const opened = open();
  await append(opened, [1, 2], 0);
  await opened.partition.close();
  const reopened = { ...opened, partition: opened.harness.open() };
  opened.disk.fails = (operation, path) => operation === "read" && path.endsWith(".log") && "EIO";
  await appendFirst(reopened, [2], 10);
  opened.disk.fails = () => false;
  expect(await numbersIn(reopened)).toEqual([0, 1, 10]);
  expect(opened.harness.logged.filter((line) => line.includes("ids of earlier messages"))).toHaveLength(1);
});

test("ids behind messages larger than what is read at once are known after a restart, those of damaged ones are not", async () => {
  const opened = open();
  const large = makeBatch([400_000, 300_000, 4, 4]);
  const view = new DataView(large.memory.buffer);
  const starts = [0, 400_064, 700_128, 700_196];
  starts.forEach((start, index) => {
    view.setUint32(large.messagesPosition + start + 8, index + 1, true);
  });
  const appended = opened.partition.append(large);
  opened.harness.endTurn();
  await appended;
  await opened.partition.close();
  opened.disk.files.get(`${directory}/00000000000000000000.log`)!.bytes.fill(0, starts[2], starts[2]! + 64);
  const harness = makeHarness(opened.disk, { deduplication: noExpiry });
  const reopened = { ...opened, harness, partition: harness.open() };
  // The third one is damaged: nobody can read it, and it may come again.
  await appendFirst(reopened, [1, 2, 3, 4, 5], 10);
  expect(reopened.partition.counters.messagesCount).toBe(6);
  const seen = await poll(reopened.partition, { kind: "offset", offset: 3 }, 10);
  expect(seen.messages.map(({ payload }) => payload[0]!)).toEqual([3, 12, 14]);
});

test("a repeated batch shares the fate of the one that it repeats, which is not written yet", async () => {
  const opened = open();
  opened.disk.freeBytes = 10;
  const first = opened.partition.append(makeBatchWithIds([1, 2]));
  const second = opened.partition.append(makeBatchWithIds([2, 1], 10));
  opened.harness.endTurn();
  const results = await Promise.allSettled([first, second]);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});

test("at level sync a repeated batch is answered when the first one is durable", async () => {
  const opened = open({ acknowledge: "sync" });
  const gate = Promise.withResolvers<void>();
  opened.disk.syncGate = gate.promise;
  const answered: string[] = [];
  const first = opened.partition.append(makeBatchWithIds([1])).then(() => answered.push("first"));
  opened.harness.endTurn();
  const second = opened.partition.append(makeBatchWithIds([1], 10)).then(() => answered.push("second"));
  opened.harness.endTurn();
  await Bun.sleep(1);
  expect(answered).toEqual([]);
  gate.resolve();
  await Promise.all([first, second]);
  expect(answered).toEqual(["first", "second"]);
  expect(await numbersIn(opened)).toEqual([0]);
});
