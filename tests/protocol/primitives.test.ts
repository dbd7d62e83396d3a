// Reader, writer and the primitives: byte order, limits of the fields, and what a short or odd payload gives.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ByteReader } from "../../src/protocol/byte-reader.ts";
import { ByteWriter } from "../../src/protocol/byte-writer.ts";
import { type Codec, decode, decodeStrict, encode } from "../../src/protocol/codec.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { identifierCodec, nameId, numericId } from "../../src/protocol/identifier.ts";
import { nameCodec, shortStringCodec, u32Codec } from "../../src/protocol/primitives.ts";
import { codeOf, hex } from "./support.ts";

function written(write: (writer: ByteWriter) => void): string {
  const writer = new ByteWriter();
  write(writer);
  return writer.finish().toHex();
}

describe("writer", () => {
  test("numbers are little-endian", () => {
    expect(written((writer) => writer.u8(0xfe))).toBe("fe");
    expect(written((writer) => writer.u16(0x1f9a))).toBe("9a1f");
    expect(written((writer) => writer.u32(0xa1b2c3d4))).toBe("d4c3b2a1");
    expect(written((writer) => writer.u64(1750000000000000n))).toBe("00605ba09d370600");
    expect(written((writer) => writer.u128(0x0f0e0d0c0b0a09080706050403020100n))).toBe(
      "000102030405060708090a0b0c0d0e0f",
    );
    expect(written((writer) => writer.f32(12.5))).toBe("00004841");
  });

  test("a number that does not fit its field is refused", () => {
    const writer = new ByteWriter();
    for (const write of [
      () => writer.u8(256),
      () => writer.u8(-1),
      () => writer.u16(65536),
      () => writer.u32(2 ** 32),
      () => writer.u32(1.5),
      () => writer.u32(Number.NaN),
      () => writer.u64(2n ** 64n),
      () => writer.u64(-1n),
      () => writer.u128(2n ** 128n),
    ]) {
      expect(codeOf(write)).toBe(84);
    }
    expect(writer.finish()).toHaveLength(0);
  });

  test("the buffer grows past its first capacity with every primitive", () => {
    const writer = new ByteWriter(1);
    for (let index = 0; index < 100; index++) {
      writer.u8(1);
      writer.u64(2n);
      writer.u128(3n);
      writer.bytes(new Uint8Array(50).fill(4));
    }
    const reader = new ByteReader(writer.finish());
    for (let index = 0; index < 100; index++) {
      expect([reader.u8(), reader.u64(), reader.u128(), reader.bytes(50).every((byte) => byte === 4)]).toEqual([
        1,
        2n,
        3n,
        true,
      ]);
    }
    expect(reader.remaining).toBe(0);
  });

  test("a length can be patched in afterwards", () => {
    const bytes = written((writer) => {
      writer.u32(0);
      writer.string("abc");
      writer.patchU32(0, writer.position - 4);
    });
    expect(bytes).toBe("03000000616263");
  });
});

describe("reader", () => {
  test("it reads inside its window only", () => {
    const reader = new ByteReader(hex("0102030405"), 1, 3);
    expect(reader.remaining).toBe(2);
    expect(reader.u16()).toBe(0x0302);
    expect(codeOf(() => reader.u8())).toBe(3);
    expect(reader.position).toBe(3);
  });

  test("a view of a larger buffer is read at its own start", () => {
    const bytes = hex("ffff0a000000").subarray(2);
    expect(new ByteReader(bytes).u32()).toBe(10);
  });

  test("bytes are a view, not a copy", () => {
    const bytes = hex("010203");
    expect(new ByteReader(bytes).bytes(3).buffer).toBe(bytes.buffer);
  });

  test.each(["u8", "u16", "u32", "u64", "u128", "f32"] as const)("%s of an empty payload is InvalidCommand", (read) => {
    expect(codeOf(() => new ByteReader(new Uint8Array(0))[read]())).toBe(3);
  });

  test("text that is not UTF-8 is InvalidCommand", () => {
    expect(codeOf(() => new ByteReader(hex("fffefd")).string(3))).toBe(3);
  });

  test("a byte order mark is part of the text", () => {
    expect(new ByteReader(hex("efbbbf61")).string(4)).toBe("\ufeffa");
  });

  test("u128 is read as it was written", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), (value) => {
        const writer = new ByteWriter();
        writer.u128(value);
        expect(new ByteReader(writer.finish()).u128()).toBe(value);
      }),
    );
  });
});

describe("codec", () => {
  test("trailing bytes are ignored, except by the strict form", () => {
    expect(decode(u32Codec, hex("0100000099"))).toBe(1);
    expect(codeOf(() => decodeStrict(u32Codec, hex("0100000099")))).toBe(3);
  });

  test("a name of 255 bytes is written, one of 256 bytes and an empty one are not", () => {
    expect(encode(nameCodec, "a".repeat(255))).toHaveLength(256);
    expect(codeOf(() => encode(nameCodec, "a".repeat(256)))).toBe(4);
    expect(codeOf(() => encode(nameCodec, "é".repeat(128)))).toBe(4);
    expect(codeOf(() => encode(nameCodec, ""))).toBe(4);
    expect(encode(shortStringCodec, "").toHex()).toBe("00");
  });

  test.each([
    ["name of length 0", nameCodec, "00", 4],
    ["name that is cut", nameCodec, "0461", 3],
    ["identifier of an unknown kind", identifierCodec, "030400000000", 3],
    ["numeric identifier of another length", identifierCodec, "01050000000000", 4],
    ["string identifier of length 0", identifierCodec, "0200", 4],
    ["string identifier that is cut", identifierCodec, "02096162", 3],
    ["string identifier that is not UTF-8", identifierCodec, "0201ff", 3],
  ] as const)("%s", (_, codec: Codec<unknown>, payload, code) => {
    expect(codeOf(() => decode(codec, hex(payload)))).toBe(code);
  });

  test.each([
    [numericId(0), "010400000000"],
    [numericId(66051), "010403020100"],
    [nameId("orders"), "02066f7264657273"],
    [nameId("42"), "02023432"],
  ])("identifier %j is %s", (identifier, bytes) => {
    expect(encode(identifierCodec, identifier).toHex()).toBe(bytes);
    expect(decode(identifierCodec, hex(bytes))).toEqual(identifier);
  });

  test("an identifier that cannot be written is refused", () => {
    for (const identifier of [numericId(-1), numericId(2 ** 32)]) {
      expect(codeOf(() => encode(identifierCodec, identifier))).toBe(84);
    }
    for (const identifier of [nameId(""), nameId("a".repeat(256))]) {
      expect(() => encode(identifierCodec, identifier)).toThrow(IggyError);
    }
  });
});
