// What a codec is, and how codecs are put together. A codec is pure and total: bytes give a value or an IggyError, and
// nothing else. A record codec lists its fields in wire order, so the declaration is the layout.

import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { IggyError } from "./errors.ts";

/** Two-way translation between a value and its bytes. */
export interface Codec<T> {
  /** Appends the bytes of `value`; throws an IggyError if the value cannot be written. */
  encode(writer: ByteWriter, value: T): void;
  /** Reads one value at the reader's position; throws an IggyError if the bytes are malformed. */
  decode(reader: ByteReader): T;
}

/** Bytes of `value` in a buffer of their own. */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const writer = new ByteWriter();
  codec.encode(writer, value);
  return writer.finish();
}

/** Value at the start of `bytes`. Trailing bytes are ignored, as the server does with requests (spec BP 2.9). */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array): T {
  return codec.decode(new ByteReader(bytes));
}

/** Value of exactly `bytes`; InvalidCommand (3) if some are left over. */
export function decodeStrict<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const reader = new ByteReader(bytes);
  const value = codec.decode(reader);
  if (reader.remaining !== 0) throw new IggyError("InvalidCommand");
  return value;
}

/** A payload without content; what stands there is not looked at (spec BP 2.9). */
export const emptyCodec: Codec<void> = {
  encode: () => undefined,
  decode: () => undefined,
};

/** Fields one after the other, in the order of the declaration. */
/* @__NO_SIDE_EFFECTS__ */
export function recordCodec<T extends object>(fields: { readonly [K in keyof T]-?: Codec<T[K]> }): Codec<T> {
  const names = Object.keys(fields) as (keyof T)[];
  return {
    encode(writer, value) {
      for (const name of names) fields[name].encode(writer, value[name]);
    },
    decode(reader) {
      const value = {} as T;
      for (const name of names) value[name] = fields[name].decode(reader);
      return value;
    },
  };
}

/** Records without a count, until the end of the payload (spec BP 1, "Lists in replies"). */
/* @__NO_SIDE_EFFECTS__ */
export function listCodec<T>(item: Codec<T>): Codec<readonly T[]> {
  return {
    encode(writer, values) {
      for (const value of values) item.encode(writer, value);
    },
    decode(reader) {
      const values: T[] = [];
      while (reader.remaining > 0) values.push(item.decode(reader));
      return values;
    },
  };
}

/** A list whose count stands before it (u32). */
/* @__NO_SIDE_EFFECTS__ */
export function countedListCodec<T>(item: Codec<T>): Codec<readonly T[]> {
  return {
    encode(writer, values) {
      writer.u32(values.length);
      for (const value of values) item.encode(writer, value);
    },
    decode(reader) {
      const count = reader.u32();
      return decodeItems(item, reader, count);
    },
  };
}

/** `count` values. The array grows with what really arrives, so a huge count cannot reserve memory. */
export function decodeItems<T>(item: Codec<T>, reader: ByteReader, count: number): T[] {
  const values: T[] = [];
  for (let index = 0; index < count; index++) values.push(item.decode(reader));
  return values;
}
