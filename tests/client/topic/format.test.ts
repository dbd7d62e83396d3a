import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { json, type Schema, SchemaError, text } from "../../../src/client/index.ts";
import { bytes } from "../../../src/client/topic/format.ts";

const utf8 = new TextEncoder();

/** Takes `{ at: "2026-…" }` and gives `{ at: Date }`, as a coercing schema does. */
function dated(isAsync: boolean): Schema<{ at: string }, { at: Date }> {
  const validate = (value: unknown) => {
    const at = typeof value === "object" && value !== null && "at" in value ? new Date(String(value.at)) : undefined;
    const isGood = at !== undefined && !Number.isNaN(at.getTime());
    return isGood ? { value: { at } } : { issues: [{ message: "is no date", path: ["at"] }] };
  };
  return { "~standard": { validate: (value) => (isAsync ? Promise.resolve(validate(value)) : validate(value)) } };
}

test("bytes are taken as they are; text in their place is refused, not stored as zeros", () => {
  const payload = Uint8Array.of(1, 2);
  expect(bytes.encode(payload)).toBe(payload);
  expect(() => bytes.encode("text" as unknown as Uint8Array)).toThrow("for text give it the format `text`");
  expect(() => bytes.encode(null as unknown as Uint8Array)).toThrow(TypeError);
});

test("text: other values are refused, other payloads are SchemaErrors, a byte order mark stays", () => {
  expect(() => text.encode(5 as unknown as string)).toThrow(TypeError);
  expect(() => text.decode(Uint8Array.of(0xff))).toThrow(SchemaError);
  expect(text.decode(utf8.encode("\uFEFFa"))).toBe("\uFEFFa");
});

test("property: text and JSON come back as they were", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.jsonValue(), (written, value) => {
      expect(text.decode(text.encode(written) as Uint8Array)).toBe(written);
      const any = json<unknown>();
      expect(any.decode(any.encode(value) as Uint8Array)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

describe.each([false, true])("json with a schema, asynchronous: %p", (isAsync) => {
  const format = json(dated(isAsync));

  test("is sent as given and transformed once, when it is read", async () => {
    const payload = await format.encode({ at: "2026-11-29T10:00:00Z" });
    expect(new TextDecoder().decode(payload)).toBe('{"at":"2026-11-29T10:00:00Z"}');
    expect((await format.decode(payload)).at.getUTCFullYear()).toBe(2026);
  });

  test("what does not fit is a SchemaError with the issues, in both directions", async () => {
    const failures = [
      await Promise.resolve()
        .then(() => format.encode({ at: "no" }))
        .catch((error: unknown) => error),
      await Promise.resolve()
        .then(() => format.decode(utf8.encode('{"at":"no"}')))
        .catch((error: unknown) => error),
    ];
    for (const error of failures) {
      expect(error).toBeInstanceOf(SchemaError);
      expect(error).toMatchObject({ issues: [{ message: "is no date", path: ["at"] }] });
    }
  });

  test("is synchronous where the schema is", () => {
    const payload = format.encode({ at: "2026-11-29T10:00:00Z" });
    expect(payload instanceof Promise).toBe(isAsync);
  });
});

test("what JSON cannot say is a TypeError; a payload that is no JSON is a SchemaError", () => {
  expect(() => json<unknown>().encode(undefined)).toThrow(TypeError);
  expect(() => json<unknown>().encode(1n)).toThrow(TypeError);
  expect(() => json<unknown>().decode(utf8.encode("{"))).toThrow(SchemaError);
});
