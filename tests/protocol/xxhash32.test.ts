// XXH32 against the vectors of spec BP 8 and against the hash of the runtime.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { encodeUtf8 } from "../../src/protocol/byte-writer.ts";
import { xxHash32 } from "../../src/protocol/xxhash32.ts";
import { bytes, u32 } from "./arbitraries.ts";
import { hex } from "./support.ts";

test.each([
  ["", 0x02cc5d05],
  ["a", 0x550d7456],
  ["abc", 0x32d153ff],
  ["user-42", 0x61819a7e],
  ["key-1", 0x39636a09],
  ["order-000001", 0x71215571],
  ["127.0.0.1:50123", 0x0554d6e0],
  ["consumer-1", 1338303147],
])("key %p", (key, hash) => {
  expect(xxHash32(encodeUtf8(key))).toBe(hash);
});

test.each([
  ["2a000000", 0x454235d1],
  ["2a00000000000000", 0x8b06618d],
])("number %s", (key, hash) => {
  expect(xxHash32(hex(key))).toBe(hash);
});

test("it agrees with the hash of the runtime for every length and seed", () => {
  fc.assert(
    fc.property(bytes(100), u32, (key, seed) => {
      expect(xxHash32(key, seed)).toBe(Bun.hash.xxHash32(key, seed));
    }),
    { numRuns: 300 },
  );
});

test("a view of a larger buffer is hashed by its own bytes", () => {
  expect(xxHash32(encodeUtf8("xxabcyy").subarray(2, 5))).toBe(0x32d153ff);
});
