import { describe, expect, test } from "bun:test";
import type { Consumer } from "../../src/protocol/consumer.ts";
import { singleKey } from "../../src/server/consumers.ts";
import { toSafeNumber } from "../../src/server/numbers.ts";

const numbered = (kind: Consumer["kind"], value: number): Consumer => ({ kind, id: { kind: "numeric", value } });
const named = (kind: Consumer["kind"], value: string): Consumer => ({ kind, id: { kind: "string", value } });
describe("a single consumer", () => {
  test.each([0, 1, 0xffff_ffff])("is kept under its number %d", (id) => {
    expect(singleKey(numbered("consumer", id))).toEqual({ kind: "consumer", id });
  });

  // The second vector is that of spec BP 8.
  test.each([
    ["a", 1_426_945_110],
    ["consumer-1", 1_338_303_147],
    ["größe", Bun.hash.xxHash32("größe", 0)],
  ])("is kept under the hash of its name %s, with the name beside it", (text, id) => {
    expect(singleKey(named("consumer", text))).toEqual({ kind: "consumer", id, name: text });
  });

  test("with a name of digits is not the one with that number", () => {
    expect(singleKey(named("consumer", "7")).id).not.toBe(singleKey(numbered("consumer", 7)).id);
  });
});

test("numbers of the wire past 2^53 become the largest exact one", () => {
  const largest = Number.MAX_SAFE_INTEGER;
  expect([0n, 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n].map(toSafeNumber)).toEqual([
    0,
    1,
    largest,
    largest,
    largest,
  ]);
});
