// JSON as values: small request bodies, and what is written into replies. A body is read along its schema: what the route does
// not know is read over and never built, so that a body costs no more than a few times its size whatever is in it.
import { KindGuard, type TSchema } from "@sinclair/typebox";
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

/**
 * Reads a whole text along `schema`: fields of objects that it does not name are left out. A container where the schema wants
 * none becomes an empty one, which the check of the schema refuses. Throws JsonSyntaxError, or JsonShapeError for a repeated key.
 */
export function readJson(text: string, schema: TSchema): JsonValue {
  const reader = new JsonReader(text);
  const value = readValue(reader, schema);
  reader.end();
  return value;
}

function readValue(reader: JsonReader, schema: TSchema): JsonValue {
  switch (reader.kind()) {
    case "object":
      return readObject(reader, schema);
    case "array":
      return readArray(reader, schema);
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

function readArray(reader: JsonReader, schema: TSchema): JsonValue {
  const array = alternativesOf(schema).find(KindGuard.IsArray);
  if (array === undefined) {
    reader.skipValue();
    return [];
  }
  const items: JsonValue[] = [];
  reader.beginArray();
  while (reader.nextElement()) items.push(readValue(reader, array.items));
  return items;
}

function readObject(reader: JsonReader, schema: TSchema): JsonValue {
  const fieldOf = fieldsOf(schema);
  const object = emptyObject();
  reader.beginObject();
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    const field = fieldOf(key);
    if (field === undefined) {
      reader.skipValue();
      continue;
    }
    if (key in object) throw new JsonShapeError(`duplicate field \`${key}\``);
    object[key] = readValue(reader, field);
  }
  return object;
}

/**
 * Without a prototype: a key may be any text, "__proto__" too. The engine keeps values under small numbers in an array with a
 * place for each number below: an object whose only key is "999" takes 8 KB. A far number that was there once makes it use
 * a table instead.
 */
function emptyObject(): Record<string, JsonValue> {
  const object: Record<string, JsonValue> = Object.create(null);
  object[farKey] = null;
  delete object[farKey];
  return object;
}

/** The largest number that is an index to the engine. */
const farKey = "4294967294";

/** The schema of a key; undefined for one that is not known. */
function fieldsOf(schema: TSchema): (key: string) => TSchema | undefined {
  for (const alternative of alternativesOf(schema)) {
    if (KindGuard.IsObject(alternative)) {
      const { properties } = alternative;
      return (key) => (Object.hasOwn(properties, key) ? properties[key] : undefined);
    }
    if (KindGuard.IsRecord(alternative)) {
      const [values] = Object.values(alternative.patternProperties);
      return () => values;
    }
  }
  return () => undefined;
}

function alternativesOf(schema: TSchema): readonly TSchema[] {
  return KindGuard.IsUnion(schema) ? schema.anyOf : [schema];
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
