// What the broker remembers of itself: rings, what they answer, and the file that they outlive a restart in.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { History } from "../../src/observability/history.ts";
import { decodeHistory, encodeHistory, HistoryFileError } from "../../src/observability/history-file.ts";
import { Ring } from "../../src/observability/history-ring.ts";

const minuteMs = 60_000;
const memoryBytes = 8 * 1024 * 1024;
const columns = [
  { name: "level", kind: "mean" },
  { name: "count", kind: "sum" },
] as const;
const startMs = 1_700_000_000_000 - (1_700_000_000_000 % (10 * minuteMs));

function fileOf(history: History): Uint8Array {
  return Buffer.concat([...encodeHistory(history)]);
}

function read(history: History, name: string, fromMs: number, toMs: number, points = 1000): (number | null)[] {
  const plan = history.plan(history.rings, fromMs, toMs, toMs, points);
  return Array.from(history.column(name, plan)!, (value) => (Number.isNaN(value) ? null : value));
}

describe("a ring", () => {
  test("has the mean or the sum of what came in each step, and forgets what is older than it is long", () => {
    const samples = fc.array(
      fc.record({ passedMs: fc.integer({ min: 0, max: 40 }), value: fc.integer({ min: 0, max: 99 }) }),
    );
    fc.assert(
      fc.property(samples, (given) => {
        const ring = new Ring(10, 5, ["mean", "sum"]);
        const bySlot = new Map<number, number[]>();
        let atMs = 1000;
        for (const { passedMs, value } of given) {
          atMs += passedMs;
          ring.add(atMs, [value, value]);
          const slot = Math.floor(atMs / 10);
          bySlot.set(slot, [...(bySlot.get(slot) ?? []), value]);
        }
        const last = Math.floor(atMs / 10);
        const sums = ring.read(1, last - 7, 1, 10);
        const means = ring.read(0, last - 7, 1, 10);
        for (let index = 0; index < 10; index++) {
          const slot = last - 7 + index;
          const values = slot > last - 5 ? bySlot.get(slot) : undefined;
          const sum = values?.reduce((total, value) => total + value, 0);
          expect(sums[index]).toBe(sum ?? Number.NaN);
          expect(means[index]).toBe(sum === undefined ? Number.NaN : Math.fround(sum / values!.length));
        }
      }),
      { numRuns: 200 },
    );
  });

  test("whose clock is set back takes away what would be later than now", () => {
    const ring = new Ring(10, 5, ["mean"]);
    for (const atMs of [100, 110, 120]) ring.add(atMs, [atMs]);
    ring.add(110, [7]);
    expect([...ring.read(0, 10, 1, 3)]).toEqual([100, 7, Number.NaN]);
    ring.add(1, [1]);
    expect([...ring.read(0, 10, 1, 3)]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });
});

describe("the history", () => {
  test("answers in the finest steps that reach back so far, and in no more points than are asked", () => {
    const history = new History(columns, memoryBytes);
    for (let atMs = startMs; atMs < startMs + 2 * 60 * minuteMs; atMs += 5000) history.add(atMs, [1, 1]);
    const nowMs = startMs + 2 * 60 * minuteMs - 5000;
    const ofHour = history.plan(history.rings, nowMs - 59 * minuteMs, nowMs, nowMs, 1000);
    expect([ofHour.stepMs, ofHour.pointsCount]).toEqual([5000, 709]);
    const ofDay = history.plan(history.rings, nowMs - 23 * 60 * minuteMs, nowMs, nowMs, 300);
    expect(ofDay.stepMs).toBe(5 * minuteMs);
    expect(ofDay.pointsCount).toBeLessThanOrEqual(301);
    const ofMonth = history.plan(history.rings, 0, nowMs, nowMs, 300);
    expect(ofMonth.stepMs % (10 * minuteMs)).toBe(0);
    expect(ofMonth.pointsCount).toBeLessThanOrEqual(301);
    // Whatever the step, what was counted is counted once.
    for (const plan of [ofDay, ofMonth]) {
      const known = [...history.column("count", plan)!].filter((value) => !Number.isNaN(value));
      expect(known.reduce((sum, value) => sum + value, 0)).toBe(1440);
    }
    expect(history.column("nothing", ofDay)).toBeUndefined();
  });

  test("has a gap for the time in which nothing was measured", () => {
    const history = new History(columns, memoryBytes);
    for (const seconds of [0, 5, 10, 60, 65]) history.add(startMs + seconds * 1000, [1, 1]);
    expect(history.gaps).toEqual([[startMs + 10_000, startMs + 60_000]]);
    expect(read(history, "level", startMs, startMs + 20_000)).toEqual([1, 1, 1, null, null]);
  });

  test("keeps the topics that were active last, as many as its memory holds", () => {
    const least = new History(columns, memoryBytes);
    const one = least.subjectRings.reduce((sum, { sizeBytes }) => sum + sizeBytes, 512);
    const own = least.rings.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const history = new History(columns, own + 2 * one);
    expect(history.subjectsMax).toBe(2);
    const add = (key: string, atMs: number, isActive = true, since = 1) =>
      history.addSubject(key, since, atMs, [1, 2, 3], isActive);
    add("a", startMs);
    add("b", startMs + 1);
    add("idle", startMs + 2, false);
    add("a", startMs + 3);
    add("c", startMs + 4);
    expect([...history.subjects.keys()].sort()).toEqual(["a", "c"]);
    // Another topic that has got the same numbers begins anew.
    add("a", startMs + 5, false, 2);
    expect([history.subject("a", 1), history.subject("a", 2)]).toEqual([undefined, undefined]);
  });
});

describe("the file of the history", () => {
  function filled(): History {
    const history = new History(columns, memoryBytes);
    for (let index = 0; index < 30; index++) history.add(startMs + index * 5000, [index, 2]);
    for (let topic = 0; topic < 70; topic++) {
      history.addSubject(`topic.1/${topic}`, topic, startMs + topic, [topic, 1, 5], true);
    }
    return history;
  }

  test("brings everything back, and the time between is a gap", () => {
    const restored = new History([{ name: "new", kind: "mean" }, columns[1], columns[0]], memoryBytes);
    decodeHistory(fileOf(filled()), restored);
    const lastMs = startMs + 29 * 5000;
    expect(read(restored, "level", startMs, lastMs)).toEqual(Array.from({ length: 30 }, (_, index) => index));
    expect(read(restored, "new", startMs, lastMs)).toEqual(Array(30).fill(null));
    expect(restored.subjects.size).toBe(70);
    expect(restored.subject("topic.1/69", 69)!.rings[0]!.read(0, Math.floor(startMs / 15_000), 1, 1)[0]).toBe(69);
    restored.add(lastMs + 5000, [1, 1, 1]);
    restored.add(lastMs + 10_000, [1, 1, 1]);
    expect(restored.gaps).toEqual([[lastMs, lastMs + 5000]]);
    // A minute that goes on after the restart is counted on.
    const minute = restored.plan(restored.rings, startMs - 3 * 60 * minuteMs, lastMs + 10_000, lastMs + 10_000, 1000);
    const counts = [...restored.column("count", minute)!].filter((value) => !Number.isNaN(value));
    expect(counts.reduce((sum, value) => sum + value, 0)).toBe(62);
  });

  test("that is cut off anywhere, changed anywhere, or something else says so", () => {
    const whole = fileOf(filled());
    const refuses = (bytes: Uint8Array) => {
      expect(() => decodeHistory(bytes, new History(columns, memoryBytes))).toThrow(HistoryFileError);
    };
    decodeHistory(whole, new History(columns, memoryBytes));
    refuses(new Uint8Array(0));
    refuses(new TextEncoder().encode("something else altogether"));
    fc.assert(
      fc.property(fc.nat(whole.byteLength - 1), (position) => refuses(whole.subarray(0, position))),
      { numRuns: 30 },
    );
    fc.assert(
      fc.property(fc.nat(whole.byteLength - 1), fc.integer({ min: 1, max: 255 }), (position, flip) => {
        const changed = whole.slice();
        changed[position]! ^= flip;
        refuses(changed);
      }),
      { numRuns: 30 },
    );
  });
});
