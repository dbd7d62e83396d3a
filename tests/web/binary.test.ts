// MessagePack, CBOR, Avro and Protocol Buffers as they are shown: every digit, double keys, and what is wrong where something is.
import { describe, expect, test } from "bun:test";
import { encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { decodeAvro } from "../../src/web/messages/binary/avro.ts";
import { parseAvroSchema } from "../../src/web/messages/binary/avro-schema.ts";
import { decodeCbor } from "../../src/web/messages/binary/cbor.ts";
import { readDescriptorSet } from "../../src/web/messages/binary/descriptor-set.ts";
import { guessBinary } from "../../src/web/messages/binary/guess.ts";
import { decodeMessagePack } from "../../src/web/messages/binary/messagepack.ts";
import { parseProto } from "../../src/web/messages/binary/proto-schema.ts";
import { decodeProtobuf } from "../../src/web/messages/binary/protobuf.ts";
import { DecodeError } from "../../src/web/messages/binary/reader.ts";
import { jsonLines } from "../../src/web/messages/json-tokens.ts";
import { linesOfValue, type Value, valueOfLines } from "../../src/web/messages/values.ts";

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ""), "hex"));
/** On one line. */
const shown = (value: Value) =>
  linesOfValue(value)
    .flatMap(({ tokens }) => tokens.map(({ text }) => text))
    .join("");

function problemOf(decode: () => unknown): string {
  try {
    decode();
  } catch (error) {
    if (error instanceof DecodeError) return `${error.problem} ${error.position} ${error.detail}`.trim();
    throw error;
  }
  return "";
}

test("a tree is set out as the JSON that it came from", () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      const lines = jsonLines(json)!;
      expect(shown(valueOfLines(lines))).toBe(lines.flatMap(({ tokens }) => tokens.map(({ text }) => text)).join(""));
    }),
  );
});

describe("MessagePack", () => {
  test("says what its library has written", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = shown(decodeMessagePack(encode(value)));
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (value) => {
        expect(shown(decodeMessagePack(encode(value, { useBigInt64: true })))).toBe(String(value));
      }),
    );
  });

  test("keeps double keys, keys of any kind, bytes, single floats and times", () => {
    expect(shown(decodeMessagePack(bytes("82 a161 01 a161 cfffffffffffffffff")))).toBe(
      '{"a": 1,"a": 18446744073709551615}',
    );
    expect(shown(decodeMessagePack(bytes("81 07 c402 00ff")))).toBe("{7: h'00ff'}");
    expect(shown(decodeMessagePack(bytes("92 ca3dcccccd ca7fc00000")))).toBe("[0.1,NaN]");
    expect(shown(decodeMessagePack(bytes("d6ff 00000001")))).toBe('time("1970-01-01T00:00:01.000000000Z")');
    expect(shown(decodeMessagePack(bytes("d405 2a")))).toBe("ext 5(h'2a')");
  });

  test("says what is wrong", () => {
    expect(problemOf(() => decodeMessagePack(bytes("92 01")))).toBe("ends 2");
    expect(problemOf(() => decodeMessagePack(bytes("01 02")))).toBe("rest 1 1");
    expect(problemOf(() => decodeMessagePack(bytes("c1")))).toBe("unknown 0 c1");
    expect(problemOf(() => decodeMessagePack(bytes("a1 ff")))).toBe("text 1");
    expect(problemOf(() => decodeMessagePack(new Uint8Array(300).fill(0x91)))).toStartWith("deep 201");
    expect(problemOf(() => decodeMessagePack(bytes("dd ffffffff")))).toBe("ends 5");
  });
});

describe("CBOR", () => {
  // RFC 8949, appendix A.
  test.each([
    ["1bffffffffffffffff", "18446744073709551615"],
    ["c249010000000000000000", "18446744073709551616"],
    ["3bffffffffffffffff", "-18446744073709551616"],
    ["c349010000000000000000", "-18446744073709551617"],
    ["f90000", "0"],
    ["f98000", "-0"],
    ["f93e00", "1.5"],
    ["f97bff", "65504"],
    ["fa47c35000", "100000"],
    ["fb3ff199999999999a", "1.1"],
    ["f90001", "5.9604645e-8"],
    ["f97c00", "Infinity"],
    ["f97e00", "NaN"],
    ["f7", "undefined"],
    ["f0", "simple(16)"],
    ["f8ff", "simple(255)"],
    ["c074323031332d30332d32315432303a30343a30305a", '0("2013-03-21T20:04:00Z")'],
    ["5f42010243030405ff", "h'0102030405'"],
    ["7f657374726561646d696e67ff", '"streaming"'],
    ["a201020304", "{1: 2,3: 4}"],
    ["9f018202039f0405ffff", "[1,[2,3],[4,5]]"],
    ["bf61610161629f0203ffff", '{"a": 1,"b": [2,3]}'],
    ["a2616101616102", '{"a": 1,"a": 2}'],
  ])("%s is %s", (hex, text) => {
    expect(shown(decodeCbor(bytes(hex)))).toBe(text);
  });

  test("says what is wrong", () => {
    expect(problemOf(() => decodeCbor(bytes("8201")))).toBe("ends 2");
    expect(problemOf(() => decodeCbor(bytes("0000")))).toBe("rest 1 1");
    expect(problemOf(() => decodeCbor(bytes("1c")))).toBe("unknown 0 1c");
    expect(problemOf(() => decodeCbor(bytes("ff")))).toBe("unknown 0 1f");
    expect(problemOf(() => decodeCbor(bytes("9bffffffffffffffff")))).toBe("ends 9");
  });
});

test("bytes are taken for MessagePack or CBOR only where they are one whole map or list of it", () => {
  expect(guessBinary(bytes("81a16101"))?.format).toBe("messagepack");
  expect(guessBinary(bytes("a161610100"))).toBeUndefined();
  expect(guessBinary(bytes("a1616101"))?.format).toBe("cbor");
  expect(guessBinary(bytes("05"))).toBeUndefined();
  expect(guessBinary(new Uint8Array(0))).toBeUndefined();
});

describe("any bytes", () => {
  test("are read or refused, by every decoder", () => {
    const avro = parseAvroSchema('{"type":"map","values":["null","long",{"type":"array","items":"string"}]}');
    const proto = parseProto(["message A { repeated int32 a = 1; map<string, A> b = 2; string c = 3; }"]);
    const decoders = [
      decodeMessagePack,
      decodeCbor,
      (all: Uint8Array) => decodeAvro(avro, all),
      (all: Uint8Array) => decodeProtobuf(proto, "A", all),
    ];
    fc.assert(
      fc.property(fc.constantFrom(...decoders), fc.uint8Array({ maxLength: 60 }), (decode, all) => {
        problemOf(() => linesOfValue(decode(all)));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("Avro", () => {
  const order = parseAvroSchema(
    JSON.stringify({
      ...{ type: "record", name: "Order", namespace: "shop" },
      fields: [
        { name: "id", type: "long" },
        { name: "kind", type: { type: "enum", name: "Kind", symbols: ["NEW", "PAID"] } },
        { name: "note", type: ["null", "string"] },
        { name: "price", type: { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 } },
        { name: "at", type: { type: "long", logicalType: "timestamp-micros" } },
        { name: "tags", type: { type: "map", values: "int" } },
        { name: "next", type: ["null", "Order"] },
      ],
    }),
  );
  const payload = bytes("feffffffffffffffff01 02 02047465 0430ff 06 0202610300 00");

  test("is read by its schema, with 64 bits, logical types and records in themselves", () => {
    expect(shown(decodeAvro(order, payload))).toBe(
      '{"id": 9223372036854775807,"kind": "PAID","note": "te","price": 125.43,"at": timestamp-micros("1970-01-01T00:00:00.000003Z"),"tags": {"a": -2},"next": null}',
    );
    const head = bytes("00 00000007");
    const withHead = new Uint8Array([...head, ...payload]);
    expect(shown(decodeAvro(order, withHead))).toBe(shown(decodeAvro(order, payload)));
    const single = new Uint8Array([...bytes("c301 0102030405060708"), ...payload]);
    expect(shown(decodeAvro(order, single))).toBe(shown(decodeAvro(order, payload)));
  });

  test("says what does not fit, and an array of nothing does not run on", () => {
    expect(problemOf(() => decodeAvro(order, payload.subarray(0, 12)))).toBe("ends 12");
    expect(problemOf(() => decodeAvro(order, bytes("02 08")))).toBe("value 1 Kind 4");
    const nothing = parseAvroSchema('{"type":"array","items":"null"}');
    expect(problemOf(() => decodeAvro(nothing, bytes("feffffffffffffffff01 00")))).toBe("many 10 200000");
  });

  test("schemas that are none are refused", () => {
    expect(problemOf(() => parseAvroSchema("{"))).toStartWith("schema 0 not JSON");
    expect(problemOf(() => parseAvroSchema('"Order"'))).toBe("schema 0 the type Order is not known");
    expect(problemOf(() => parseAvroSchema('{"type":"record","name":"A"}'))).toBe(
      "schema 0 the record A has no fields",
    );
  });
});

describe("Protocol Buffers", () => {
  const schema = parseProto([
    `syntax = "proto3"; // comment
     package shop.v1; import "google/protobuf/timestamp.proto";
     /* an order */
     message Order {
       option deprecated = true; reserved 9, 20 to 30;
       int64 id = 1; repeated sint32 steps = 2; repeated Line lines = 3 [deprecated = true, json_name = "x"];
       map<string, Line> by_name = 4; oneof how { string card = 5; bool cash = 6; } Kind kind = 7; fixed32 sum = 8; float rate = 10;
       google.protobuf.Timestamp at = 11;
       message Line { optional string item = 1; bytes raw = 2; uint64 n = 3; }
       enum Kind { NEW = 0; PAID = 1; ODD = -1; }
     }
     service Shop { rpc Get(Order) returns (Order) { option idempotency_level = NO_SIDE_EFFECTS; } }`,
  ]);
  test("are read by their message type: 64 bits, packed fields, maps, enums, and fields that it does not have", () => {
    const message = [
      ...["08ffffffffffffffffff01", "12020103", "1a070a037465611805", "22090a0161 12040a027878", "3001"],
      ...["3801", "4507000000", "55cdcccc3d", "5a020801", "1a00", "f2010101"],
    ].join("");
    expect(shown(decodeProtobuf(schema, "shop.v1.Order", bytes(message)))).toBe(
      '{"id": -1,"steps": [-1,-2],"lines": [{"item": "tea","n": 5},{}],"by_name": {"a": {"item": "xx"}},"cash": true,"kind": "PAID",' +
        '"sum": 7,"rate": 0.1,"at": h\'0801\',30: h\'01\'}',
    );
  });

  test("say what does not fit", () => {
    const wrong = (hex: string) => problemOf(() => decodeProtobuf(schema, "shop.v1.Order", bytes(hex)));
    expect(wrong("0a0161")).toBe("value 0 id: int64");
    expect(wrong("1a020aff")).toBe("ends 4");
    expect(wrong("1a030a01ff")).toBe("text 4");
    expect(wrong("07")).toBe("unknown 0 field 0");
    expect(wrong("7b")).toBe("unknown 0 field 15, wire type 3");
    expect(problemOf(() => decodeProtobuf(schema, "Nothing", bytes("")))).toBe("schema 0 Nothing");
  });

  test("of files that cannot be read are refused", () => {
    expect(problemOf(() => parseProto(["message A { B b = 1; }"]))).toBe("schema 0 the type B of A.b is not known");
    expect(problemOf(() => parseProto(["message A { int32 a 1; }"]))).toBe(
      "schema 0 line 1: = expected in the place of 1",
    );
    expect(problemOf(() => parseProto(["message A {"]))).toBe("schema 0 a .proto file ends too early");
  });

  test("come with a descriptor set as well", () => {
    // As protoc writes it: file 1 { package 2, message 4 { name 1, field 2 { name 1, number 3, label 4, type 5, type_name 6 } }, enum 5 }.
    const part = (field: number, inner: string) =>
      `${(field * 8 + 2).toString(16).padStart(2, "0")}${(inner.length / 2).toString(16).padStart(2, "0")}${inner}`;
    const text = (field: number, value: string) => part(field, Buffer.from(value).toString("hex"));
    const field = (name: string, number: string, type: string, more = "") =>
      part(2, `${text(1, name)}18${number}2001 28${type}${more}`.replace(/\s/g, ""));
    const message = part(4, `${text(1, "A")}${field("id", "01", "04")}${field("kind", "02", "0e", text(6, ".p.K"))}`);
    const one = part(5, `${text(1, "K")}${part(2, `${text(1, "ONE")}1001`)}`);
    const set = readDescriptorSet(bytes(part(1, `${text(2, "p")}${message}${one}`)));
    expect([...set.messages.keys()]).toEqual(["p.A"]);
    expect(shown(decodeProtobuf(set, "p.A", bytes("08ffffffffffffffffff01 1001")))).toBe(
      '{"id": 18446744073709551615,"kind": "ONE"}',
    );
    expect(problemOf(() => readDescriptorSet(bytes("")))).toBe("schema 0 no message types");
  });
});
