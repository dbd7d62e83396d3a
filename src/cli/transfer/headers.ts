// User headers on the command line and in tables.

import { decode, encode } from "../../protocol/codec.ts";
import { IggyError } from "../../protocol/errors.ts";
import {
  type HeaderField,
  HeaderKindCode,
  headerString,
  type UserHeader,
  userHeadersCodec,
} from "../../protocol/user-headers.ts";
import { UsageError } from "../usage-error.ts";

const kinds = Object.keys(HeaderKindCode);

/** `source:string:cli,attempt:uint8:2`, as in the original: everything behind the second colon is the value. */
export function headersOf(given: string): UserHeader[] {
  return given.split(",").map((part) => {
    const [, key = "", kind = "", value = ""] = /^([^:]+):([^:]*):(.*)$/s.exec(part) ?? [];
    if (key === "") throw new UsageError(`has "${part}", which is not KEY:KIND:VALUE`);
    return { key: headerString(key), value: fieldOf(kind.toLowerCase(), value, part) };
  });
}

function fieldOf(kind: string, value: string, part: string): HeaderField {
  const wrong = (why: string) => new UsageError(`has "${part}": ${why}`);
  switch (kind) {
    case "raw":
      return { kind, value: new TextEncoder().encode(value) };
    case "string":
      return { kind, value };
    case "bool":
      if (value !== "true" && value !== "false") throw wrong("a bool is true or false");
      return { kind, value: value === "true" };
    case "float32":
    case "float64":
      if (value.trim() === "" || Number.isNaN(Number(value))) throw wrong("that is no number");
      return { kind, value: Number(value) };
    case "int8":
    case "int16":
    case "int32":
    case "uint8":
    case "uint16":
    case "uint32":
      if (!/^-?\d+$/.test(value)) throw wrong("that is no whole number");
      return { kind, value: Number(value) };
    case "int64":
    case "int128":
    case "uint64":
    case "uint128":
      if (!/^-?\d+$/.test(value)) throw wrong("that is no whole number");
      return { kind, value: BigInt(value) };
    default:
      throw wrong(`the kind is one of ${kinds.join(", ")}`);
  }
}

/** The block of a message; UsageError for what does not fit its kind. */
export function encodedHeaders(headers: readonly UserHeader[]): Uint8Array {
  try {
    return encode(userHeadersCodec, headers);
  } catch (error) {
    if (!(error instanceof IggyError)) throw error;
    throw new UsageError("a header does not fit: keys and values have 1 to 255 bytes, numbers the range of their kind");
  }
}

/** Undefined for a block that cannot be read. */
export function decodedHeaders(bytes: Uint8Array): readonly UserHeader[] | undefined {
  try {
    return decode(userHeadersCodec, bytes);
  } catch (error) {
    if (error instanceof IggyError) return undefined;
    throw error;
  }
}

/** A key or a value as text; raw bytes in hexadecimal digits. */
export function fieldText({ kind, value }: HeaderField): string {
  return kind === "raw" ? Buffer.from(value).toString("hex") : String(value);
}

/** `source: cli (string), attempt: 2 (uint8)`. */
export function headersText(bytes: Uint8Array): string {
  const headers = decodedHeaders(bytes);
  if (headers === undefined) return "(cannot be read)";
  return headers.map(({ key, value }) => `${fieldText(key)}: ${fieldText(value)} (${value.kind})`).join(", ");
}
