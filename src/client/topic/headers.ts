// User headers as a program gives and gets them: JavaScript values by name, or typed fields where the kind matters.

import { decode, encode } from "../../protocol/codec.ts";
import { IggyError } from "../../protocol/errors.ts";
import { userHeadersBytesMax } from "../../protocol/limits.ts";
import { type HeaderField, headerString, type UserHeader, userHeadersCodec } from "../../protocol/user-headers.ts";

export type HeaderValue = string | boolean | number | bigint | Uint8Array;

/**
 * Headers by name. A value's kind follows from its JavaScript type: text, bool, `int32` or `int64` for whole numbers,
 * `float64` for others, `int64` or `uint64` for bigints, raw bytes. A HeaderField says the kind itself.
 */
export type HeadersInput = Readonly<Record<string, HeaderValue | HeaderField>>;

/** Headers of a message that was read; they are decoded when they are first asked for. */
export interface HeadersView extends Iterable<readonly [name: string, value: HeaderValue]> {
  /** Value of the text key `name`; undefined if there is none. */
  get(name: string): HeaderValue | undefined;
  /** Keys and values with their kinds, in the order of the message. */
  entries(): readonly UserHeader[];
}

const int32Max = 2 ** 31 - 1;
const int64Max = 2n ** 63n - 1n;
const noBytes = new Uint8Array(0);

function numberField(value: number): HeaderField {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return { kind: "float64", value };
  const isSmall = value >= -int32Max - 1 && value <= int32Max;
  return isSmall ? { kind: "int32", value } : { kind: "int64", value: BigInt(value) };
}

/** The field that a value becomes; InvalidHeaderValue (4019) for what no kind can hold. */
function fieldOf(value: HeaderValue | HeaderField): HeaderField {
  switch (typeof value) {
    case "string":
      return headerString(value);
    case "boolean":
      return { kind: "bool", value };
    case "number":
      return numberField(value);
    case "bigint":
      return { kind: value > int64Max ? "uint64" : "int64", value };
    case "object":
      if (value instanceof Uint8Array) return { kind: "raw", value };
      if (value === null || !("kind" in value)) break;
      // A text in the place of bytes would be copied as zeros.
      if (value.kind !== "raw" || value.value instanceof Uint8Array) return value;
  }
  throw new IggyError("InvalidHeaderValue");
}

/**
 * The encoded block of a message. InvalidHeaderKey (4018) and InvalidHeaderValue (4019) for a name or a value that has not
 * 1 to 255 bytes or does not fit its kind, TooBigUserHeaders (4017) beyond 100,000 bytes: all before anything is sent.
 */
export function encodeHeaders(headers: HeadersInput | undefined): Uint8Array {
  if (headers === undefined) return noBytes;
  const fields: UserHeader[] = [];
  for (const [name, value] of Object.entries(headers)) fields.push({ key: headerString(name), value: fieldOf(value) });
  if (fields.length === 0) return noBytes;
  const bytes = encode(userHeadersCodec, fields);
  if (bytes.length > userHeadersBytesMax) throw new IggyError("TooBigUserHeaders");
  return bytes;
}

function nameOf({ kind, value }: HeaderField): string {
  return kind === "raw" ? Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("") : String(value);
}

/** Headers from their encoded block, which is not looked at before somebody asks. */
export class EncodedHeaders implements HeadersView {
  readonly #block: Uint8Array;
  #entries: readonly UserHeader[] | undefined;

  constructor(block: Uint8Array) {
    this.#block = block;
  }

  get(name: string): HeaderValue | undefined {
    return this.entries().find(({ key }) => key.kind === "string" && key.value === name)?.value.value;
  }

  /** The errors of the codec for a block that was not written by a client: InvalidHeaderKind (4040) and others. */
  entries(): readonly UserHeader[] {
    this.#entries ??= decode(userHeadersCodec, this.#block);
    return this.#entries;
  }

  *[Symbol.iterator](): Generator<readonly [name: string, value: HeaderValue]> {
    for (const { key, value } of this.entries()) yield [nameOf(key), value.value];
  }
}
