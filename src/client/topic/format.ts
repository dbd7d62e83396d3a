// How values become payloads: bytes as they are, text, JSON with or without a schema. Either way may be asynchronous; what is
// synchronous costs no extra turn of the event loop.

import { SchemaError } from "../errors.ts";
import type { Schema, SchemaResult } from "./schema.ts";

export interface Format<In, Out> {
  encode(value: In): Uint8Array | Promise<Uint8Array>;
  decode(payload: Uint8Array): Out | Promise<Out>;
}

const encoder = new TextEncoder();
// A leading byte order mark is part of the text.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function kindOf(value: unknown): string {
  return value === null ? "null" : typeof value;
}

function decodeText(payload: Uint8Array): string {
  try {
    return decoder.decode(payload);
  } catch (cause) {
    throw new SchemaError([{ message: "the payload is not UTF-8 text" }], { cause });
  }
}

/** Bytes as they are: what a topic has whose handle was made without a format. */
export const bytes: Format<Uint8Array, Uint8Array> = {
  encode(value) {
    // A text would otherwise be stored as zeros, one for each character.
    if (value instanceof Uint8Array) return value;
    throw new TypeError(
      `a value of this topic is a Uint8Array, not ${kindOf(value)}; for text give it the format \`text\``,
    );
  },
  decode: (payload) => payload,
};

/** UTF-8 text. SchemaError for a payload that is something else, TypeError for a value that is no text. */
export const text: Format<string, string> = {
  encode(value) {
    if (typeof value !== "string")
      throw new TypeError(`a value of the format \`text\` is a string, not ${kindOf(value)}`);
    return encoder.encode(value);
  },
  decode: decodeText,
};

function encodeJson(value: unknown): Uint8Array {
  const json: string | undefined = JSON.stringify(value);
  if (json === undefined) throw new TypeError(`JSON has no text for ${kindOf(value)}`);
  return encoder.encode(json);
}

function decodeJson(payload: Uint8Array): unknown {
  const json = decodeText(payload);
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new SchemaError([{ message: "the payload is not JSON" }], { cause });
  }
}

function outputOf<Out>(result: SchemaResult<Out>): Out {
  if (result.issues !== undefined) throw new SchemaError(result.issues);
  return result.value;
}

/** `next` of a result that may be there already. */
function andThen<T, Result>(value: T | Promise<T>, next: (value: T) => Result): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** JSON whose type is the program's word. */
export function json<T>(): Format<T, T>;
/** Values are checked before they are sent (and sent as given) and when they are read (and transformed then). SchemaError. */
export function json<In, Out>(schema: Schema<In, Out>): Format<In, Out>;
export function json(schema?: Schema<unknown, unknown>): Format<unknown, unknown> {
  if (schema === undefined) return { encode: encodeJson, decode: decodeJson };
  const { validate } = schema["~standard"];
  const check = (value: unknown) => validate(value);
  return {
    encode: (value) =>
      andThen(check(value), (result) => {
        outputOf(result);
        return encodeJson(value);
      }),
    decode: (payload) => andThen(check(decodeJson(payload)), outputOf),
  };
}
