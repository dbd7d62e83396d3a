// A clock that was wrong once: what it dated stays as it is, and everything after it is right again.
import { describe, expect, test } from "bun:test";
import { appendNow, makeBatchWithIds, makeHarness, offsetsOf, poll } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

const yearMicros = 365 * 86_400e6;
const hourMicros = 3600e6;
const levels = ["memory", "write", "sync"] as const;

/** Message 0 and 1 dated rightly, 2 and 3 a year ahead, 4 and 5 rightly again. */
async function afterOneLookAhead(acknowledge: (typeof levels)[number]) {
  const disk = new MemoryDisk();
  const harness = makeHarness(disk, { acknowledge });
  const partition = harness.open();
  const append = async (number: number) => appendNow(harness, partition, [36], number);
  await append(0);
  await append(1);
  harness.clock.micros += yearMicros;
  await append(2);
  await append(3);
  harness.clock.micros -= yearMicros - hourMicros;
  await append(4);
  await append(5);
  return { disk, harness, partition, append };
}

describe.each(levels)("a clock that was a year ahead for two messages, level %s", (acknowledge) => {
  test("dates later ones rightly, in a segment of their own, with one line in the log", async () => {
    const { harness, partition } = await afterOneLookAhead(acknowledge);
    const { messages } = await poll(partition, { kind: "first" }, 100);
    expect(messages.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5]);
    const nowMicros = harness.clock.nowMicros();
    const isAhead = messages.map(({ timestampMicros }) => timestampMicros > nowMicros);
    expect(isAhead).toEqual([false, false, true, true, false, false]);
    expect(partition.counters.segmentsCount).toBe(2);
    const lines = harness.logged.filter((line) => line.includes("the clock went back"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^warn .*"had":"2026-.*"has":"2025-/);
  });

  test("reads by time miss nothing, here and after a restart", async () => {
    const { disk, harness, partition } = await afterOneLookAhead(acknowledge);
    const { messages } = await poll(partition, { kind: "first" }, 100);
    const times = messages.map(({ timestampMicros }) => timestampMicros);
    const check = async (from: typeof partition) => {
      for (const around of times) {
        for (const timestampMicros of [around - 1, around, around + 1]) {
          const first = times.findIndex((time) => time >= timestampMicros);
          const expected = first < 0 ? [] : times.map((_, offset) => offset).slice(first);
          expect(await offsetsOf(from, { kind: "timestamp", timestampMicros }, 100)).toEqual(expected);
        }
      }
    };
    await check(partition);
    await partition.close();
    const again = makeHarness(disk, { acknowledge });
    again.clock.micros = harness.clock.micros;
    await check(again.open());
  });

  test("also where the broker was restarted while it was ahead", async () => {
    const { disk, harness, partition, append } = await afterOneLookAhead(acknowledge);
    harness.clock.micros += yearMicros;
    await append(6);
    await partition.close();
    const again = makeHarness(disk, { acknowledge });
    again.clock.micros = harness.clock.micros - yearMicros;
    const reopened = again.open();
    await appendNow(again, reopened, [36], 7);
    const { messages } = await poll(reopened, { kind: "first" }, 100);
    expect(messages.at(-1)?.timestampMicros).toBeLessThan(again.clock.nowMicros());
    expect(messages.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

test("a clock that goes back by less than a minute makes no segment, and times stand still", async () => {
  const harness = makeHarness(new MemoryDisk());
  const partition = harness.open();
  await appendNow(harness, partition, [36], 0);
  harness.clock.micros -= 59e6;
  await appendNow(harness, partition, [36], 1);
  expect(partition.counters.segmentsCount).toBe(1);
  expect(harness.logged).toEqual([]);
});

test("age retention takes what was dated ahead when it has been there as long as others may, and what is behind it", async () => {
  const { harness, partition, append } = await afterOneLookAhead("write");
  // Another step begins a third segment, so that the first two are sealed.
  harness.clock.micros += yearMicros;
  await append(6);
  harness.clock.micros -= yearMicros;
  await append(7);
  expect(partition.counters.segmentsCount).toBe(3);
  expect(partition.removeExpiredSegments(hourMicros)).toBe(0);
  harness.elapsed.micros += hourMicros - 1;
  expect(partition.removeExpiredSegments(hourMicros)).toBe(0);
  harness.elapsed.micros += 1;
  expect(partition.removeExpiredSegments(hourMicros, 1)).toBe(1);
  expect(await offsetsOf(partition, { kind: "first" }, 100)).toEqual([4, 5, 6, 7]);
});

test("a clock that is behind for a moment makes nothing old", async () => {
  const harness = makeHarness(new MemoryDisk());
  const partition = harness.open();
  await appendNow(harness, partition, [36], 0);
  harness.clock.micros -= yearMicros;
  await appendNow(harness, partition, [36], 1);
  expect(partition.removeExpiredSegments(hourMicros)).toBe(0);
  harness.clock.micros += yearMicros;
  expect(partition.removeExpiredSegments(hourMicros)).toBe(0);
  expect(partition.counters.segmentsCount).toBe(2);
});

test("deduplication: an id whose time is over is taken again, however far ahead the clock was for a moment", async () => {
  const disk = new MemoryDisk();
  const deduplication = { maxEntries: 10, expiryMicros: 10e6 };
  const harness = makeHarness(disk, { deduplication });
  const partition = harness.open();
  const append = async (id: number, number: number) => {
    const done = partition.append(makeBatchWithIds([id], number));
    harness.endTurn();
    await done;
  };
  await append(1, 0);
  harness.clock.micros += hourMicros;
  await append(2, 1);
  harness.clock.micros -= hourMicros;
  await append(2, 2); // still known
  expect(partition.counters.messagesCount).toBe(2);
  harness.clock.micros += 11e6;
  await append(2, 3);
  expect(partition.counters.messagesCount).toBe(3);
  await append(2, 4);
  expect(partition.counters.messagesCount).toBe(3);
});
