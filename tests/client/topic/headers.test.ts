import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { HeadersInput } from "../../../src/client/index.ts";
import { EncodedHeaders, encodeHeaders } from "../../../src/client/topic/headers.ts";

const read = (headers: HeadersInput) => new EncodedHeaders(encodeHeaders(headers));

test("the kind follows from the type, and a field says its own", () => {
  const view = read({
    text: "t",
    bool: true,
    small: -5,
    large: 2 ** 40,
    real: 1.5,
    big: -1n,
    bigger: 2n ** 64n - 1n,
    bytes: Uint8Array.of(1, 2),
    own: { kind: "uint8", value: 200 },
  });
  const kinds = view.entries().map(({ key, value }) => [key.value, value.kind]);
  expect(Object.fromEntries(kinds)).toEqual({
    text: "string",
    bool: "bool",
    small: "int32",
    large: "int64",
    real: "float64",
    big: "int64",
    bigger: "uint64",
    bytes: "raw",
    own: "uint8",
  });
  expect(view.get("own")).toBe(200);
  expect(view.get("large")).toBe(2n ** 40n);
  expect(view.get("none")).toBeUndefined();
  expect([...view][0]).toEqual(["text", "t"]);
});

test("keys of other kinds have a name when they are walked over, and are not found by text", () => {
  const block = Uint8Array.of(9, 1, 0, 0, 0, 7, 2, 1, 0, 0, 0, 97, 1, 1, 0, 0, 0, 171, 3, 1, 0, 0, 0, 1);
  const view = new EncodedHeaders(block);
  expect([...view]).toEqual([
    ["7", "a"],
    ["ab", true],
  ]);
  expect(view.get("7")).toBeUndefined();
});

test("no headers are no bytes", () => {
  expect(encodeHeaders(undefined).length).toBe(0);
  expect(encodeHeaders({}).length).toBe(0);
});

describe("is refused before anything is sent", () => {
  const strange = [undefined, null, Symbol("s"), {}, [], { kind: "raw", value: "text" }] as unknown as string[];
  test.each([
    ["", "an empty text"],
    ["x".repeat(256), "256 bytes"],
    ["é".repeat(128), "256 bytes of two"],
    [new Uint8Array(0), "no bytes"],
    [2n ** 64n, "a bigint that no kind can hold"],
    [{ kind: "int8", value: 200 } as const, "a field that does not fit"],
    ...strange.map((value) => [value, "something else"] as const),
  ])("%p: %s", (value) => {
    expect(() => encodeHeaders({ name: value })).toThrow(expect.objectContaining({ code: 4019 }));
  });

  test("a name that has not 1 to 255 bytes, and more than 100,000 bytes", () => {
    expect(() => encodeHeaders({ "": 1 })).toThrow(expect.objectContaining({ code: 4018 }));
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`k${index}`, "x".repeat(250)]));
    expect(() => encodeHeaders(many)).toThrow(expect.objectContaining({ code: 4017 }));
  });
});

test("property: what is written is read with the same value", () => {
  const value = fc.oneof(
    fc.string({ minLength: 1, maxLength: 60 }).filter((text) => text.isWellFormed()),
    fc.boolean(),
    fc.double({ noNaN: true }),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.uint8Array({ minLength: 1, maxLength: 255 }),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1, maxLength: 50 }), value, { maxKeys: 20 }), (headers) => {
      fc.pre(Object.keys(headers).every((name) => name.isWellFormed()));
      const view = read(headers);
      expect(view.entries().length).toBe(Object.keys(headers).length);
      for (const [name, expected] of Object.entries(headers)) {
        const found = view.get(name);
        // A whole number beyond 32 bits comes back as a bigint.
        if (typeof expected === "number" && typeof found === "bigint") expect(Number(found)).toBe(expected);
        else expect(found).toEqual(expected);
      }
    }),
  );
});
