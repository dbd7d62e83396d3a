/**
 * How metadata is written to disk: MessagePack in which a bigint stays a bigint and a number a number (a number above
 * 2^32 goes as a 64-bit float, exact up to 2^53).
 */
import { Decoder, Encoder } from "@msgpack/msgpack";

/** What survives MessagePack and `structuredClone` unchanged. */
export type PlainData =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly PlainData[]
  | { readonly [key: string]: PlainData };

const encoder = new Encoder({ useBigInt64: true });
const decoder = new Decoder({ useBigInt64: true });

/** The bytes belong to the caller. */
export function encodePlain(value: unknown): Uint8Array {
  return encoder.encode(value);
}

/** Throws if the bytes are not one MessagePack value. */
export function decodePlain(bytes: Uint8Array): unknown {
  return decoder.decode(bytes);
}
