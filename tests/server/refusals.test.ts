import { expect, test } from "bun:test";
import { Refusals } from "../../src/server/refusals.ts";

test("the same is told once in a second, with the number of those in between", () => {
  const refusals = new Refusals();
  expect([0, 1, 999].map((nowMs) => refusals.tell("a", nowMs))).toEqual([0, undefined, undefined]);
  expect(refusals.tell("b", 500)).toBe(0);
  expect([1000, 1500, 2000].map((nowMs) => refusals.tell("a", nowMs))).toEqual([2, undefined, 1]);
});

test("memory has an end", () => {
  const refusals = new Refusals();
  for (let index = 0; index < 5000; index++) expect(refusals.tell(`key ${index}`, 0)).toBe(0);
  // Those that came last are still known.
  expect(refusals.tell("key 4999", 1)).toBeUndefined();
});
