import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ByteReader } from "../../src/protocol/byte-reader.ts";
import { decode, decodeStrict, encode } from "../../src/protocol/codec.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { type HeaderField, headerString, type UserHeader, userHeadersCodec } from "../../src/protocol/user-headers.ts";
import { bytes, name } from "./arbitraries.ts";
import { codeOf, hex } from "./support.ts";

const example = hex("02 01000000 6b 02 02000000 7631 02 01000000 6e 0b 04000000 07000000");
const exampleHeaders: readonly UserHeader[] = [
  { key: headerString("k"), value: headerString("v1") },
  { key: headerString("n"), value: { kind: "uint32", value: 7 } },
];

const small = <K extends HeaderField["kind"]>(kind: K, min: number, max: number) =>
  fc.record({ kind: fc.constant(kind), value: fc.integer({ min, max }) });
const big = <K extends HeaderField["kind"]>(kind: K, min: bigint, max: bigint) =>
  fc.record({ kind: fc.constant(kind), value: fc.bigInt({ min, max }) });

const field: fc.Arbitrary<HeaderField> = fc.oneof(
  fc.record({ kind: fc.constant("raw" as const), value: fc.uint8Array({ minLength: 1, maxLength: 255 }) }),
  fc.record({ kind: fc.constant("string" as const), value: name }),
  fc.record({ kind: fc.constant("bool" as const), value: fc.boolean() }),
  small("int8" as const, -(2 ** 7), 2 ** 7 - 1),
  small("int16" as const, -(2 ** 15), 2 ** 15 - 1),
  small("int32" as const, -(2 ** 31), 2 ** 31 - 1),
  small("uint8" as const, 0, 2 ** 8 - 1),
  small("uint16" as const, 0, 2 ** 16 - 1),
  small("uint32" as const, 0, 2 ** 32 - 1),
  big("int64" as const, -(2n ** 63n), 2n ** 63n - 1n),
  big("int128" as const, -(2n ** 127n), 2n ** 127n - 1n),
  big("uint64" as const, 0n, 2n ** 64n - 1n),
  big("uint128" as const, 0n, 2n ** 128n - 1n),
  fc.record({ kind: fc.constant("float32" as const), value: fc.float({ noNaN: true }) }),
  fc.record({ kind: fc.constant("float64" as const), value: fc.double({ noNaN: true }) }),
);

describe("user headers", () => {
  test("the example of the specification", () => {
    expect(decodeStrict(userHeadersCodec, example)).toEqual(exampleHeaders);
    expect(encode(userHeadersCodec, exampleHeaders)).toEqual(example);
  });

  test("what is written is read back, in the same order, for every kind", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ key: field, value: field }), { maxLength: 5 }), (headers) => {
        expect(decodeStrict(userHeadersCodec, encode(userHeadersCodec, headers))).toEqual(headers);
      }),
      { numRuns: 200 },
    );
  });

  test("any bytes give headers or an IggyError, nothing else", () => {
    fc.assert(
      fc.property(bytes(60), fc.nat(example.length - 1), fc.nat(255), (random, position, byte) => {
        const changed = example.slice();
        changed[position] = byte;
        for (const input of [random, changed]) {
          try {
            userHeadersCodec.decode(new ByteReader(input));
          } catch (error) {
            expect(error).toBeInstanceOf(IggyError);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test("numbers are in two's complement, least significant byte first", () => {
    const headers: UserHeader[] = [{ key: { kind: "int16", value: -2 }, value: { kind: "int128", value: -1n } }];
    expect(encode(userHeadersCodec, headers).toHex()).toBe(`0502000000feff0810000000${"ff".repeat(16)}`);
  });

  test.each([
    ["an unknown kind", "10 01000000 00 02 01000000 61", 4040],
    ["kind 0", "00 01000000 00 02 01000000 61", 4040],
    ["an empty key", "02 00000000 02 01000000 61", 4018],
    ["a key of 256 bytes", `02 00010000 ${"61".repeat(256)} 02 01000000 61`, 4018],
    ["a key with the wrong size of its kind", "0b 01000000 07 02 01000000 61", 4018],
    ["a value with the wrong size of its kind", "02 01000000 6b 0c 04000000 00000000", 4019],
    ["an empty value", "02 01000000 6b 02 00000000", 4019],
    ["a key without a value", "02 01000000 6b", 3],
    ["a value that is cut", "02 01000000 6b 02 05000000 61", 3],
    ["text that is not UTF-8", "02 01000000 ff 02 01000000 61", 3],
  ])("%s is refused", (_, block, code) => {
    expect(codeOf(() => decode(userHeadersCodec, hex(block)))).toBe(code);
  });

  test("a key or value that cannot be written is refused", () => {
    const key = headerString("k");
    expect(codeOf(() => encode(userHeadersCodec, [{ key: headerString(""), value: key }]))).toBe(4018);
    for (const value of [
      { kind: "uint8", value: 256 },
      { kind: "int8", value: 128 },
      { kind: "uint32", value: 1.5 },
      { kind: "uint64", value: -1n },
      { kind: "raw", value: new Uint8Array(256) },
    ] satisfies HeaderField[]) {
      expect(codeOf(() => encode(userHeadersCodec, [{ key, value }]))).toBe(4019);
    }
  });
});
