import { expect, test } from "bun:test";
import { createIdAllocator, freeId, peekId, rebuildIdAllocator, takeId } from "../../src/metadata/id-allocator.ts";

function taken(count: number) {
  const ids = createIdAllocator();
  for (let id = 0; id < count; id++) takeId(ids, peekId(ids));
  return ids;
}

function takeNext(ids: ReturnType<typeof createIdAllocator>, count: number): number[] {
  return Array.from({ length: count }, () => {
    const id = peekId(ids);
    takeId(ids, id);
    return id;
  });
}

test("new ids count up from 0", () => {
  expect(takeNext(createIdAllocator(), 4)).toEqual([0, 1, 2, 3]);
});

test("while running, the most recently freed id is used first", () => {
  const ids = taken(6);
  for (const id of [4, 1, 5, 0]) freeId(ids, id);
  expect(takeNext(ids, 6)).toEqual([0, 5, 1, 4, 6, 7]);
});

test("an id that cannot be used now is left out, and comes when it can", () => {
  const ids = taken(4);
  for (const id of [1, 3]) freeId(ids, id);
  const without =
    (...taken: number[]) =>
    (id: number) =>
      !taken.includes(id);
  expect(peekId(ids, without())).toBe(3);
  expect(peekId(ids, without(3))).toBe(1);
  expect(peekId(ids, without(1, 3, 4, 5))).toBe(6);
  takeId(ids, 6);
  expect(takeNext(ids, 5)).toEqual([5, 4, 3, 1, 7]);
});

test("after a restart, holes are filled from the highest down and freed ids at the end are forgotten", () => {
  const ids = taken(8);
  for (const id of [6, 1, 7, 3]) freeId(ids, id);
  rebuildIdAllocator(ids, [0, 2, 4, 5]);
  expect(takeNext(ids, 4)).toEqual([3, 1, 6, 7]);
});

test("after a restart without anything in use, ids start at 0", () => {
  const ids = taken(3);
  rebuildIdAllocator(ids, []);
  expect(takeNext(ids, 2)).toEqual([0, 1]);
});

test("an id beyond the end leaves holes that are free", () => {
  const ids = createIdAllocator();
  takeId(ids, 2);
  expect(takeNext(ids, 3)).toEqual([1, 0, 3]);
});
