// JSON as values: small request bodies, and what is written into replies.
import { JsonReader, JsonShapeError } from "./reader.ts";

/** A number with a fraction or an exponent. No field takes one, and none may pass as an integer (spec HA 1.5). */
export class JsonDecimal {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Integers are numbers where that is exact and bigints elsewhere. */
export type JsonValue =
  | null
  | boolean
  | string
  | number
  | bigint
  | JsonDecimal
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

const integerPattern = /^(?:0|-?[1-9]\d*)$/;

/** Reads a whole text. Throws JsonSyntaxError, or JsonShapeError for a repeated key. */
export function readJson(text: string): JsonValue {
  const reader = new JsonReader(text);
  const value = readValue(reader);
  reader.end();
  return value;
}

function readValue(reader: JsonReader): JsonValue {
  switch (reader.kind()) {
    case "object":
      return readObject(reader);
    case "array": {
      const items: JsonValue[] = [];
      reader.beginArray();
      while (reader.nextElement()) items.push(readValue(reader));
      return items;
    }
    case "string":
      return reader.string();
    case "number":
      return numberOf(reader.number());
    case "boolean":
      return reader.boolean();
    case "null":
      reader.skipNull();
      return null;
  }
}

function readObject(reader: JsonReader): JsonValue {
  // Without a prototype: a key may be any text, "__proto__" too.
  const object: Record<string, JsonValue> = Object.create(null);
  reader.beginObject();
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    if (key in object) throw new JsonShapeError(`duplicate field \`${key}\``);
    object[key] = readValue(reader);
  }
  return object;
}

function numberOf(text: string): JsonValue {
  if (!integerPattern.test(text)) return new JsonDecimal(text);
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

interface RawJson {
  readonly rawJSON: string;
}

// Not in the compiler's library yet.
const { rawJSON } = JSON as typeof JSON & { rawJSON(text: string): RawJson };

/** A number in a reply, exact whatever its size. */
export type JsonNumber = number | RawJson;

export function jsonInteger(value: bigint): JsonNumber {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : rawJSON(String(value));
}

/** A 32-bit float as the shortest text that reads back the same, whole values with `.0` (spec HA 1.5). */
export function jsonFloat(value: number): JsonNumber | null {
  if (!Number.isFinite(value)) return null;
  const single = Math.fround(value);
  if (Number.isInteger(single) && Math.abs(single) < 1e16) return rawJSON(single.toFixed(1));
  for (let digits = 1; digits < 9; digits++) {
    const text = single.toPrecision(digits);
    if (Math.fround(Number(text)) === single) return rawJSON(String(Number(text)));
  }
  return rawJSON(String(Number(single.toPrecision(9))));
}
