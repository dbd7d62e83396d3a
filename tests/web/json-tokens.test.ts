// JSON is set out as it was sent: digits, exponents, escapes and keys that come twice.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { jsonLines } from "../../src/web/messages/json-tokens.ts";

function written(text: string): string | undefined {
  return jsonLines(text)
    ?.map(({ depth, tokens }) => "  ".repeat(depth) + tokens.map((token) => token.text).join(""))
    .join("\n");
}

describe("JSON", () => {
  test("has a line for each value", () => {
    expect(written('{"a":[1,{},[],"x"],"b":{"c":null}}')).toBe(
      [
        "{",
        '  "a": [',
        "    1,",
        "    {},",
        "    [],",
        '    "x"',
        "  ],",
        '  "b": {',
        '    "c": null',
        "  }",
        "}",
      ].join("\n"),
    );
  });

  test("keeps what a parser would lose", () => {
    const text = '{"id":9007199254740993,"id":340282366920938463463374607431768211455,"x":1.50e+3,"s":"\\u0041\\/"}';
    const lines = written(text)
      ?.split("\n")
      .map((line) => line.trim());
    expect(lines).toEqual([
      "{",
      '"id": 9007199254740993,',
      '"id": 340282366920938463463374607431768211455,',
      '"x": 1.50e+3,',
      '"s": "\\u0041\\/"',
      "}",
    ]);
  });

  test("is what a parser takes for JSON, and nothing else", () => {
    const mutated = fc.tuple(
      fc.json(),
      fc.nat(),
      fc.constantFrom("", "}", "]", ",", ":", '"', "1", " ", "-", "e", "\\", "\n"),
    );
    fc.assert(
      fc.property(mutated, ([json, at, inserted]) => {
        const place = at % (json.length + 1);
        const text = json.slice(0, place) + inserted + json.slice(place);
        let value: unknown;
        let isJson = true;
        try {
          value = JSON.parse(text);
        } catch {
          isJson = false;
        }
        const shown = written(text);
        expect(shown !== undefined).toBe(isJson);
        if (shown !== undefined) expect(JSON.parse(shown)).toEqual(value);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    "",
    " ",
    "01",
    "1.",
    ".5",
    "+1",
    "nul",
    "[1,]",
    "{,}",
    '{"a"}',
    "{}{}",
    "'a'",
    '"\t"',
    "NaN",
    "\u00a01",
  ])("%p is none", (text) => {
    expect(jsonLines(text)).toBeUndefined();
  });

  test("that is very deep is not set out, and takes no stack", () => {
    expect(jsonLines("[".repeat(500) + "]".repeat(500))).toHaveLength(999);
    expect(jsonLines("[".repeat(100_000) + "]".repeat(100_000))).toBeUndefined();
  });
});
