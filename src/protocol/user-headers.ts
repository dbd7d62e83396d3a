// User headers (spec BP 3.9): key/value pairs until the end of the block, whose size stands in the message header.
//
//   key kind u8, key length u32, key bytes, value kind u8, value length u32, value bytes
//
// Lengths are 1 to 255. The server takes the block as opaque bytes; only clients and tools read it. The Rust client sorts
// by key and keeps one value per key; here the order is kept, as in the other clients.

import { decodeUtf8 } from "./byte-reader.ts";
import { encodeUtf8 } from "./byte-writer.ts";
import { type Codec, listCodec, recordCodec } from "./codec.ts";
import { type ErrorName, IggyError } from "./errors.ts";
import { userHeaderFieldBytesMax } from "./limits.ts";

/** Kind bytes of keys and values. */
export const HeaderKindCode = {
  raw: 1,
  string: 2,
  bool: 3,
  int8: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  int128: 8,
  uint8: 9,
  uint16: 10,
  uint32: 11,
  uint64: 12,
  uint128: 13,
  float32: 14,
  float64: 15,
} as const;

export type HeaderKind = keyof typeof HeaderKindCode;

type SmallIntegerKind = "int8" | "int16" | "int32" | "uint8" | "uint16" | "uint32";
type BigIntegerKind = "int64" | "int128" | "uint64" | "uint128";

/** A typed key or value. */
export type HeaderField =
  | { readonly kind: "raw"; readonly value: Uint8Array }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: SmallIntegerKind | "float32" | "float64"; readonly value: number }
  | { readonly kind: BigIntegerKind; readonly value: bigint };

export type UserHeader = { readonly key: HeaderField; readonly value: HeaderField };

/** Size and signedness of the integer kinds. */
const integers = {
  int8: { sizeBytes: 1, signed: true },
  int16: { sizeBytes: 2, signed: true },
  int32: { sizeBytes: 4, signed: true },
  uint8: { sizeBytes: 1, signed: false },
  uint16: { sizeBytes: 2, signed: false },
  uint32: { sizeBytes: 4, signed: false },
  int64: { sizeBytes: 8, signed: true },
  int128: { sizeBytes: 16, signed: true },
  uint64: { sizeBytes: 8, signed: false },
  uint128: { sizeBytes: 16, signed: false },
} as const satisfies Record<SmallIntegerKind | BigIntegerKind, { sizeBytes: number; signed: boolean }>;

const kindsByCode = new Map<number, HeaderKind>();
for (const kind of Object.keys(HeaderKindCode) as HeaderKind[]) kindsByCode.set(HeaderKindCode[kind], kind);

/** A string field, the usual kind of key. */
export function headerString(value: string): HeaderField {
  return { kind: "string", value };
}

/** Bytes of a number in two's complement, least significant byte first; a number that does not fit is `error`. */
function integerBytes(value: bigint, sizeBytes: number, signed: boolean, error: ErrorName): Uint8Array {
  const bits = sizeBytes * 8;
  if ((signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)) !== value) throw new IggyError(error);
  const bytes = new Uint8Array(sizeBytes);
  for (let index = 0; index < sizeBytes; index++) bytes[index] = Number((value >> BigInt(8 * index)) & 0xffn);
  return bytes;
}

function integerOf(bytes: Uint8Array, signed: boolean): bigint {
  let value = 0n;
  for (let index = bytes.length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index] ?? 0);
  return signed ? BigInt.asIntN(8 * bytes.length, value) : value;
}

function floatBytes(value: number, sizeBytes: 4 | 8): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  const view = new DataView(bytes.buffer);
  if (sizeBytes === 4) view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  return bytes;
}

function fieldBytes(field: HeaderField, error: ErrorName): Uint8Array {
  switch (field.kind) {
    case "raw":
      return field.value;
    case "string":
      return encodeUtf8(field.value);
    case "bool":
      return Uint8Array.of(field.value ? 1 : 0);
    case "float32":
      return floatBytes(field.value, 4);
    case "float64":
      return floatBytes(field.value, 8);
    default: {
      if (typeof field.value === "number" && !Number.isInteger(field.value)) throw new IggyError(error);
      const { sizeBytes, signed } = integers[field.kind];
      return integerBytes(BigInt(field.value), sizeBytes, signed, error);
    }
  }
}

function fieldOf(kind: HeaderKind, bytes: Uint8Array, error: ErrorName): HeaderField {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const requireSize = (sizeBytes: number) => {
    if (bytes.length !== sizeBytes) throw new IggyError(error);
  };
  switch (kind) {
    case "raw":
      return { kind, value: bytes };
    case "string":
      return { kind, value: decodeUtf8(bytes) };
    case "bool":
      requireSize(1);
      return { kind, value: bytes[0] !== 0 };
    case "float32":
      requireSize(4);
      return { kind, value: view.getFloat32(0, true) };
    case "float64":
      requireSize(8);
      return { kind, value: view.getFloat64(0, true) };
    case "int64":
    case "int128":
    case "uint64":
    case "uint128":
      requireSize(integers[kind].sizeBytes);
      return { kind, value: integerOf(bytes, integers[kind].signed) };
    default:
      requireSize(integers[kind].sizeBytes);
      return { kind, value: Number(integerOf(bytes, integers[kind].signed)) };
  }
}

function fieldCodec(error: "InvalidHeaderKey" | "InvalidHeaderValue"): Codec<HeaderField> {
  return {
    encode(writer, field) {
      const bytes = fieldBytes(field, error);
      if (bytes.length === 0 || bytes.length > userHeaderFieldBytesMax) throw new IggyError(error);
      writer.u8(HeaderKindCode[field.kind]);
      writer.u32(bytes.length);
      writer.bytes(bytes);
    },
    decode(reader) {
      const code = reader.u8();
      const kind = kindsByCode.get(code);
      if (kind === undefined) throw new IggyError("InvalidHeaderKind", [code]);
      const sizeBytes = reader.u32();
      if (sizeBytes === 0 || sizeBytes > userHeaderFieldBytesMax) throw new IggyError(error);
      return fieldOf(kind, reader.bytes(sizeBytes), error);
    },
  };
}

/**
 * Codec of a whole block. Errors: InvalidHeaderKind (4040), InvalidHeaderKey (4018) and InvalidHeaderValue (4019) for a
 * length or a number that does not fit, InvalidCommand (3) for a block that is cut or text that is not UTF-8.
 */
export const userHeadersCodec: Codec<readonly UserHeader[]> = listCodec(
  recordCodec<UserHeader>({ key: fieldCodec("InvalidHeaderKey"), value: fieldCodec("InvalidHeaderValue") }),
);
