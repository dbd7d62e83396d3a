// Options blocks (spec P9 11.1).

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decode, decodeStrict, encode } from "../../../src/protocol/codec.ts";
import { IggyError } from "../../../src/protocol/errors.ts";
import { type Option, optionsCodec, sizedOptionsCodec } from "../../../src/protocol/v09/options.ts";
import { codeOf, hex } from "../support.ts";
import { optionList } from "./arbitraries.ts";

const encoded = (options: readonly Option[]) => encode(optionsCodec, options);
const one = (key: string, sizeBytes = 1): Option => ({ key, kind: 1, value: new Uint8Array(sizeBytes).fill(7) });

const durability = hex(`02 0a000000 ${"durability"
  .split("")
  .map((c) => c.charCodeAt(0).toString(16))
  .join("")}
  02 0a000000 ${"replicated"
    .split("")
    .map((c) => c.charCodeAt(0).toString(16))
    .join("")}`);

test("an option as the clients send it", () => {
  const options = decodeStrict(optionsCodec, durability);
  expect(options).toEqual([{ key: "durability", kind: 2, value: new TextEncoder().encode("replicated") }]);
  expect(encoded(options)).toEqual(durability);
});

test("nothing is an empty block", () => {
  expect(decodeStrict(optionsCodec, hex(""))).toEqual([]);
  expect(decodeStrict(sizedOptionsCodec, hex("00000000"))).toEqual([]);
});

test("values do not share memory with the request", () => {
  const bytes = durability.slice();
  const [option] = decode(optionsCodec, bytes);
  bytes.fill(0);
  expect(option?.value).toEqual(new TextEncoder().encode("replicated"));
});

test("round trip, to the end of the body and behind a length", () => {
  fc.assert(
    fc.property(optionList, (options) => {
      expect(decodeStrict(optionsCodec, encoded(options))).toEqual(options);
      expect(decodeStrict(sizedOptionsCodec, encode(sizedOptionsCodec, options))).toEqual(options);
    }),
  );
});

test("a cut or changed block gives options or an IggyError", () => {
  fc.assert(
    fc.property(optionList, fc.nat(), fc.nat(255), (options, seed, byte) => {
      const bytes = encoded(options);
      const position = seed % (bytes.length + 1);
      const changed = bytes.slice();
      changed[position] = byte;
      for (const input of [bytes.subarray(0, position), changed]) {
        try {
          decode(optionsCodec, input);
        } catch (error) {
          expect(error).toBeInstanceOf(IggyError);
        }
      }
    }),
  );
});

describe("broken blocks are 3 in requests and 4 in replies", () => {
  test.each([
    ["a stray byte", "00"],
    ["cut in the key", "02 05000000 6162"],
    ["key of another kind", "01 01000000 61 01 01000000 07"],
    ["empty key", "02 00000000 01 01000000 07"],
    ["key of 256 bytes", `02 00010000 ${"61".repeat(256)} 01 01000000 07`],
    ["key that is not UTF-8", "02 01000000 ff 01 01000000 07"],
    ["value of kind 0", "02 01000000 61 00 01000000 07"],
    ["empty value", "02 01000000 61 01 00000000"],
    ["value of 256 bytes", `02 01000000 61 01 00010000 ${"07".repeat(256)}`],
    ["value that is cut", "02 01000000 61 01 02000000 07"],
    ["huge length", "02 ffffffff 61 01 01000000 07"],
    ["a key twice", "02 01000000 61 01 01000000 07 02 01000000 61 01 01000000 08"],
    ["a byte after the last option", "02 01000000 61 01 01000000 07 02"],
  ])("%s", (_, text) => {
    const block = hex(text);
    expect(codeOf(() => decode(optionsCodec, block))).toBe(3);
    const sized = new Uint8Array(4 + block.length);
    new DataView(sized.buffer).setUint32(0, block.length, true);
    sized.set(block, 4);
    expect(codeOf(() => decode(sizedOptionsCodec, sized))).toBe(4);
  });
});

describe("limits", () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => one(String(index)));

  test("1024 options are taken, one more is 4043", () => {
    expect(decodeStrict(optionsCodec, encoded(many(1024)))).toHaveLength(1024);
    const tooMany = new Uint8Array([...encoded(many(1024)), ...encoded([one("last")])]);
    expect(codeOf(() => decode(optionsCodec, tooMany))).toBe(4043);
    expect(codeOf(() => encoded(many(1025)))).toBe(4043);
  });

  test("100,000 bytes are taken, more is 4043", () => {
    // 10 bytes, 3 of the key and 237 of the value are 250; 400 of them are 100,000.
    const block = Array.from({ length: 400 }, (_, index) => one(String(index + 100), 237));
    expect(encoded(block)).toHaveLength(100_000);
    expect(decodeStrict(optionsCodec, encoded(block))).toHaveLength(400);
    const larger = [...block.slice(1), one("100", 238)];
    expect(codeOf(() => encoded(larger))).toBe(4043);
    expect(codeOf(() => decode(optionsCodec, new Uint8Array(100_001)))).toBe(4043);
  });

  test("what cannot be read is not written", () => {
    for (const option of [one(""), one("a".repeat(256)), one("a", 0), one("a", 256), { ...one("a"), kind: 0 }]) {
      expect(codeOf(() => encoded([option]))).toBe(3);
    }
    expect(codeOf(() => encoded([one("a"), one("a")]))).toBe(3);
  });
});
