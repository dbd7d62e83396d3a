// Reads the lines that `protocol/message-line.ts` writes: a message and the partition that it was read from.

import { encode } from "../../protocol/codec.ts";
import { IggyError } from "../../protocol/errors.ts";
import { u64Max } from "../../protocol/limits.ts";
import type { MessageOfLine } from "../../protocol/message-line.ts";
import {
  type HeaderField,
  type HeaderKind,
  HeaderKindCode,
  type UserHeader,
  userHeadersCodec,
} from "../../protocol/user-headers.ts";

/** Why a line is none: a sentence without its number. */
export class LineError extends Error {
  override readonly name = "LineError";
}

export interface Line {
  readonly partitionId: number;
  readonly message: MessageOfLine;
}

type Fields = Readonly<Record<string, unknown>>;

const u128Max = 2n ** 128n - 1n;
const utf8 = new TextEncoder();

/** Throws LineError. Offset and time are those of the topic that was exported; what is missing is 0. */
export function readLine(text: string): Line {
  const fields = parse(text);
  const { partition = 0 } = fields;
  if (typeof partition !== "number" || !Number.isInteger(partition) || partition < 0) {
    throw new LineError("partition is no number of one");
  }
  return {
    partitionId: partition,
    message: {
      id: idOf(fields.id),
      offset: wholeOf(fields, "offset"),
      timestampMicros: wholeOf(fields, "timestamp"),
      originTimestampMicros: wholeOf(fields, "origin_timestamp"),
      payload: bytesOf(fields, "payload"),
      userHeaders: headersOf(fields),
    },
  };
}

/** Numbers that no number of the language holds keep their digits, as text. */
function parse(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text, (_, inner: unknown, context?: { readonly source?: string }) =>
      typeof inner === "number" && !Number.isSafeInteger(inner) ? (context?.source ?? inner) : inner,
    );
  } catch (error) {
    throw new LineError(`is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new LineError("is no object");
  return value as Fields;
}

function idOf(value: unknown): bigint {
  if (value === undefined) return 0n;
  if (typeof value === "string" && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) {
    return BigInt(`0x${value.replaceAll("-", "")}`);
  }
  const id = digitsOf(value);
  if (id === undefined || id > u128Max) throw new LineError("id is neither a UUID nor a number of 128 bits");
  return id;
}

function wholeOf(fields: Fields, name: string): bigint {
  const value = fields[name] === undefined ? 0n : digitsOf(fields[name]);
  if (value === undefined || value > u64Max) throw new LineError(`${name} is no whole number of 64 bits`);
  return value;
}

function digitsOf(value: unknown): bigint | undefined {
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && /^\d{1,39}$/.test(text) ? BigInt(text) : undefined;
}

function bytesOf(fields: Fields, name: string): Uint8Array {
  const text = fields[name];
  const packed = fields[`${name}_base64`];
  if (typeof text === "string" && packed === undefined) return utf8.encode(text);
  if (text !== undefined || typeof packed !== "string") {
    throw new LineError(`one of ${name} and ${name}_base64 is needed, as text`);
  }
  return unpacked(packed, `${name}_base64`);
}

function unpacked(text: string, name: string): Uint8Array {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) {
    throw new LineError(`${name} is no base64`);
  }
  return new Uint8Array(Buffer.from(text, "base64"));
}

function headersOf({ headers = [], headers_base64: packed }: Fields): Uint8Array {
  if (typeof packed === "string") return unpacked(packed, "headers_base64");
  if (!Array.isArray(headers)) throw new LineError("headers is no list");
  const read = headers.map((header: unknown): UserHeader => {
    if (typeof header !== "object" || header === null) throw new LineError("a header is no object");
    const fields = header as Fields;
    const keyKind = "key_base64" in fields ? "raw" : kindOf(fields.key_kind ?? "string");
    return { key: fieldOf(fields, "key", keyKind), value: fieldOf(fields, "value", kindOf(fields.kind)) };
  });
  try {
    return encode(userHeadersCodec, read);
  } catch (error) {
    if (!(error instanceof IggyError)) throw error;
    throw new LineError("a header does not fit: keys and values have 1 to 255 bytes, numbers the range of their kind");
  }
}

function kindOf(value: unknown): HeaderKind {
  if (typeof value !== "string" || !Object.hasOwn(HeaderKindCode, value)) {
    throw new LineError(`the kind of a header is one of ${Object.keys(HeaderKindCode).join(", ")}`);
  }
  return value as HeaderKind;
}

function fieldOf(fields: Fields, name: string, kind: HeaderKind): HeaderField {
  const value = fields[name];
  const wrong = () => new LineError(`the ${name} of a header is not of its kind, ${kind}`);
  switch (kind) {
    case "raw":
      return { kind, value: bytesOf(fields, name) };
    case "string":
      if (typeof value !== "string") throw wrong();
      return { kind, value };
    case "bool":
      if (value !== true && value !== false && value !== "true" && value !== "false") throw wrong();
      return { kind, value: String(value) === "true" };
    case "float32":
    case "float64": {
      const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
      if (typeof number !== "number" || (Number.isNaN(number) && value !== "NaN")) throw wrong();
      return { kind, value: number };
    }
    default: {
      const digits = typeof value === "number" ? String(value) : value;
      if (typeof digits !== "string" || !/^-?\d{1,39}$/.test(digits)) throw wrong();
      if (kind === "int64" || kind === "int128" || kind === "uint64" || kind === "uint128") {
        return { kind, value: BigInt(digits) };
      }
      return { kind, value: Number(digits) };
    }
  }
}
