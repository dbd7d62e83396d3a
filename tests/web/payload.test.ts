// What a payload is shown as.
import { describe, expect, test } from "bun:test";
import { encodeUtf8 } from "../../src/protocol/byte-writer.ts";
import { fieldText, previewOf, showPayload, textHeader } from "../../src/web/messages/payload.ts";
import { textRuns } from "../../src/web/messages/text-runs.ts";

const bytes = (text: string) => encodeUtf8(text);

describe("a payload is shown", () => {
  test.each([
    ['{"a":1}', undefined, "json"],
    ["42", undefined, "json"],
    ['{"a":1}', "text/plain", "text"],
    ["hello", undefined, "text"],
    ["hello", "application/json", "text"],
    ["\u0000\u0001\u0002ab", undefined, "hex"],
    ["\u0001", "application/msgpack", "messagepack"],
    ["\u0001", "application/cbor", "cbor"],
    ["\u0001\u0001\u0001", "application/cbor", "hex"],
  ] as const)("%p with content type %p as %s", (text, hint, format) => {
    expect(showPayload(bytes(text), "auto", hint).format).toBe(format);
  });

  test("as bytes where it is no UTF-8, and as what was asked for only if it is that", () => {
    const broken = Uint8Array.of(0xc3, 0x28);
    expect(showPayload(broken, "auto", "application/json").format).toBe("hex");
    expect(showPayload(broken, "text", undefined)).toMatchObject({ format: "none", wanted: "text", error: undefined });
    expect(showPayload(bytes("{"), "json", undefined)).toMatchObject({ format: "none", wanted: "json" });
    expect(showPayload(broken, "messagepack", undefined)).toMatchObject({ error: { problem: "rest" } });
    expect(showPayload(broken, "base64", undefined)).toEqual({ format: "base64", text: "wyg=" });
    expect(showPayload(broken, "avro", undefined)).toEqual({ format: "schemaless", wanted: "avro" });
    expect(showPayload(bytes("é"), "hex", undefined)).toEqual({
      format: "hex",
      rows: [{ offset: "00000000", bytes: `c3 a9${" ".repeat(42)}`, characters: ".." }],
    });
  });

  test("up to where it was cut, be that in the middle of a character", () => {
    const cut = bytes("aé").subarray(0, 2);
    expect(showPayload(cut, "text", undefined).format).toBe("none");
    expect(showPayload(cut, "text", undefined, true)).toEqual({
      format: "text",
      runs: [{ isControl: false, text: "a" }],
    });
  });
});

test("what is invisible, or turns what follows around, is shown by its number", () => {
  expect(textRuns("a\u202eb\u0000\tc\n")).toEqual([
    { isControl: false, text: "a" },
    { isControl: true, text: "U+202E" },
    { isControl: false, text: "b" },
    { isControl: true, text: "U+0000" },
    { isControl: false, text: "\tc\n" },
  ]);
});

test("a preview is one line", () => {
  expect(previewOf(bytes('{\n  "a": 1\n}'))).toBe('{ "a": 1 }');
  expect(previewOf(bytes("x".repeat(1000)))).toBe(`${"x".repeat(240)}…`);
  expect(previewOf(bytes("abcdefghijk\u202e"))).toBe("abcdefghijk·");
  expect(previewOf(Uint8Array.of(0xff, 0x00))).toBe("ff 00");
  expect(previewOf(new Uint8Array(0))).toBe("");
});

test("headers are text whatever their kind", () => {
  expect(fieldText({ kind: "uint128", value: 2n ** 128n - 1n })).toBe("340282366920938463463374607431768211455");
  expect(fieldText({ kind: "raw", value: Uint8Array.of(1, 255) })).toBe("01 ff");
  expect(fieldText({ kind: "bool", value: false })).toBe("false");
  const key = { kind: "string", value: "Content-Type" } as const;
  expect(textHeader([{ key, value: { kind: "string", value: "text/csv" } }], "content-type")).toBe("text/csv");
  expect(textHeader([{ key, value: { kind: "uint8", value: 1 } }], "content-type")).toBeUndefined();
});
