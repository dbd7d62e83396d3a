// JSON in and out of the HTTP API: numbers that JavaScript cannot hold, the sizes with units, and a parser that agrees with the
// runtime's on everything else.
import { heapStats } from "bun:jsc";
import { describe, expect, test } from "bun:test";
import { type TSchema, Type as t } from "@sinclair/typebox";
import fc from "fast-check";
import { sizeText } from "../../src/protocol/size-text.ts";
import { JsonReader, JsonSyntaxError } from "../../src/transport/http/json/reader.ts";
import { JsonDecimal, type JsonValue, jsonFloat, jsonInteger, readJson } from "../../src/transport/http/json/values.ts";

/** As JSON.parse gives it. */
function plain(value: JsonValue): unknown {
  if (value instanceof JsonDecimal) return Number(value.text);
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

/** A schema that knows every field of values that JSON.parse made. */
function schemaOf(...values: readonly unknown[]): TSchema {
  const objects = values.filter((value) => typeof value === "object" && value !== null && !Array.isArray(value));
  const fields = new Map<string, unknown[]>();
  for (const [key, value] of objects.flatMap((value) => Object.entries(value as object))) {
    fields.set(key, [...(fields.get(key) ?? []), value]);
  }
  const arrays = values.filter((value) => Array.isArray(value));
  return t.Union([
    t.Object(Object.fromEntries([...fields].map(([key, inner]) => [key, schemaOf(...inner)]))),
    ...(arrays.length === 0 ? [] : [t.Array(schemaOf(...arrays.flat()))]),
  ]);
}

const nothing = t.Null();

describe("the reader", () => {
  test("any JSON value is read as JSON.parse reads it, with blanks and without", () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), fc.boolean(), (text, isSpaced) => {
        const source = isSpaced ? JSON.stringify(JSON.parse(text), null, "\t") : text;
        expect(plain(readJson(source, schemaOf(JSON.parse(text))))).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  test("any text is refused exactly when JSON.parse refuses it, a lone surrogate aside", () => {
    const fragment = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"',
      "1",
      "-",
      "0",
      "1.5",
      "e3",
      "true",
      "nul",
      " ",
      "\\",
    );
    fc.assert(
      fc.property(
        fc.array(fragment, { maxLength: 8 }).map((parts) => parts.join("")),
        (text) => {
          let isJson = true;
          try {
            JSON.parse(text);
          } catch {
            isJson = false;
          }
          try {
            readJson(text, nothing);
            expect(isJson).toBe(true);
          } catch (error) {
            expect({ isSyntax: error instanceof JsonSyntaxError, isJson }).toEqual({ isSyntax: true, isJson: false });
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("integers keep all their digits", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 130n), max: 2n ** 130n }), (value) => {
        expect(BigInt(readJson(String(value), nothing) as number | bigint)).toBe(value);
      }),
    );
  });

  test.each(["1.0", "1e3", "0.5", "-0", "1E-2"])("%s is no integer", (text) => {
    expect(readJson(text, nothing)).toBeInstanceOf(JsonDecimal);
  });

  test("a key may be called __proto__", () => {
    const schema = t.Record(t.String(), t.Object({ name: t.Number() }));
    const value = readJson('{"__proto__":{"name":1}}', schema) as Record<string, JsonValue>;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect("name" in value).toBe(false);
  });

  test("nesting deeper than 128 levels is a syntax error", () => {
    expect(readJson(`${"[".repeat(128)}${"]".repeat(128)}`, nothing)).toBeArray();
    expect(() => readJson(`${"[".repeat(129)}${"]".repeat(129)}`, nothing)).toThrow(JsonSyntaxError);
  });

  test("an error names line and column", () => {
    expect(() => readJson('{\n "a": ?', nothing)).toThrow("expected value at line 2 column 6");
    expect(() => readJson("", nothing)).toThrow("EOF while parsing a value at line 1 column 0");
  });

  test("a field is given once; fields that nobody knows may be repeated", () => {
    const schema = t.Object({ name: t.String() });
    expect(() => readJson('{"name":"a","name":"b"}', schema)).toThrow("duplicate field `name`");
    expect(readJson('{"x":1,"name":"a","x":{"x":1}}', schema)).toEqual({ name: "a" });
  });

  test("a container where the schema wants another kind is never built, and never passes for what it wants", () => {
    const schema = t.Object({ name: t.Union([t.String(), t.Null()]), list: t.Array(t.Object({ id: t.Integer() })) });
    const value = readJson('{"name":{"999":{"999":0}},"list":[[1,[2]],{"id":1,"more":[]}]}', schema);
    expect(value).toEqual({ name: {}, list: [[], { id: 1 }] });
  });

  test("what a body can make the broker hold is in proportion to its size, also for small numbers as keys", () => {
    const streams = t.Record(t.String(), t.Object({ topics: t.Record(t.String(), t.Integer()) }));
    const texts = Array.from({ length: 20_000 }, (_, index) => `"${index}":{"topics":{"999":0}}`);
    const text = `{${texts.join(",")}}`;
    const heapBytes = () => {
      Bun.gc(true);
      return heapStats().heapSize;
    };
    const beforeBytes = heapBytes();
    const value = readJson(text, streams) as Record<string, JsonValue>;
    const heldBytes = heapBytes() - beforeBytes;
    expect(Object.keys(value)).toHaveLength(20_000);
    expect(heldBytes).toBeLessThan(120 * text.length); // 300 times as much with an array for each object
  });

  test("a value is read over without being looked at", () => {
    const reader = new JsonReader('{"a":[1,{"b":"x\\"y"},null],"c":true}');
    reader.beginObject();
    expect(reader.nextKey()).toBe("a");
    reader.skipValue();
    expect(reader.nextKey()).toBe("c");
    expect(reader.boolean()).toBe(true);
    expect(reader.nextKey()).toBeUndefined();
    reader.end();
  });
});

describe("numbers in answers", () => {
  test("an integer of any size is written with all its digits", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), (value) => {
        expect(JSON.stringify({ value: jsonInteger(value) })).toBe(`{"value":${value}}`);
      }),
    );
  });

  test("a 32-bit float is the shortest text that reads back the same", () => {
    expect(JSON.stringify([0.46409693, 11.344592, 0, 3, 1e-7].map(jsonFloat))).toBe(
      "[0.46409693,11.344592,0.0,3.0,1e-7]",
    );
    expect(jsonFloat(Number.NaN)).toBeNull();
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Math.fround(JSON.parse(JSON.stringify(jsonFloat(value))))).toBe(value + 0);
      }),
    );
  });
});

describe("sizes", () => {
  test.each([
    [0n, "0 B"],
    [160n, "160 B"],
    [1000n, "1 KB"],
    [1024n, "1 KiB"],
    [69_092n, "69.092 KB"],
    [1_048_576n, "1 MiB"],
    [1_048_575n, "1048.575 KB"],
    [1_500_000n, "1.5 MB"],
    [150_949_888n, "147412 KiB"],
    [1_000_000_000n, "1 GB"],
  ])("%d bytes are %s", (sizeBytes, text) => {
    expect(sizeText(sizeBytes)).toBe(text);
  });

  test("a size is always exact", () => {
    const units = "B KB KiB MB MiB GB GiB TB TiB PB PiB EB EiB".split(" ");
    const bytesOf = (unit: string) => {
      const power = BigInt(Math.floor((units.indexOf(unit) + 1) / 2));
      return (unit.includes("i") ? 1024n : 1000n) ** power;
    };
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 60n }), (sizeBytes) => {
        const [number = "", unit = ""] = sizeText(sizeBytes).split(" ");
        const [whole = "", decimals = ""] = number.split(".");
        const thousandths = BigInt(whole + decimals.padEnd(3, "0"));
        expect((thousandths * bytesOf(unit)) / 1000n).toBe(sizeBytes);
      }),
    );
  });
});
