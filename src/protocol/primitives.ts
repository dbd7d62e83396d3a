// Codecs of the primitives (spec BP 1 and 3.1).

import { encodeUtf8 } from "./byte-writer.ts";
import type { Codec } from "./codec.ts";
import { IggyError } from "./errors.ts";
import { nameBytesMax } from "./limits.ts";

export const u8Codec: Codec<number> = {
  encode: (writer, value) => writer.u8(value),
  decode: (reader) => reader.u8(),
};

export const u16Codec: Codec<number> = {
  encode: (writer, value) => writer.u16(value),
  decode: (reader) => reader.u16(),
};

export const u32Codec: Codec<number> = {
  encode: (writer, value) => writer.u32(value),
  decode: (reader) => reader.u32(),
};

export const u64Codec: Codec<bigint> = {
  encode: (writer, value) => writer.u64(value),
  decode: (reader) => reader.u64(),
};

export const f32Codec: Codec<number> = {
  encode: (writer, value) => writer.f32(value),
  decode: (reader) => reader.f32(),
};

/** One byte: 0 is false, everything else is true; written as 0 or 1. */
export const booleanCodec: Codec<boolean> = {
  encode: (writer, value) => writer.u8(value ? 1 : 0),
  decode: (reader) => reader.u8() !== 0,
};

/** `str8`: u8 length in bytes, then UTF-8. A longer text is InvalidFormat (4). */
export const shortStringCodec: Codec<string> = {
  encode(writer, value) {
    const bytes = encodeUtf8(value);
    if (bytes.length > nameBytesMax) throw new IggyError("InvalidFormat");
    writer.u8(bytes.length);
    writer.bytes(bytes);
  },
  decode: (reader) => reader.string(reader.u8()),
};

/** `str32`: u32 length in bytes, then UTF-8. */
export const longStringCodec: Codec<string> = {
  encode(writer, value) {
    const bytes = encodeUtf8(value);
    writer.u32(bytes.length);
    writer.bytes(bytes);
  },
  decode: (reader) => reader.string(reader.u32()),
};

/** Name: `str8` of 1 to 255 bytes; an empty one is InvalidFormat (4) (spec BP 3.1). */
export const nameCodec: Codec<string> = {
  encode(writer, value) {
    if (value.length === 0) throw new IggyError("InvalidFormat");
    shortStringCodec.encode(writer, value);
  },
  decode(reader) {
    const sizeBytes = reader.u8();
    if (sizeBytes === 0) throw new IggyError("InvalidFormat");
    return reader.string(sizeBytes);
  },
};

/** A value behind a flag byte: exactly 1 is "present" and the value follows, else nothing does (spec BP 1, form A). */
/* @__NO_SIDE_EFFECTS__ */
export function flaggedCodec<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    encode(writer, value) {
      writer.u8(value === undefined ? 0 : 1);
      if (value !== undefined) codec.encode(writer, value);
    },
    decode: (reader) => (reader.u8() === 1 ? codec.decode(reader) : undefined),
  };
}

/** One byte that stands for a name; an unknown code is InvalidCommand (3). */
/* @__NO_SIDE_EFFECTS__ */
export function enumerationCodec<Name extends string>(codes: Readonly<Record<Name, number>>): Codec<Name> {
  const nameOf = enumerationReader(codes);
  return {
    encode: (writer, value) => writer.u8(codes[value]),
    decode: (reader) => nameOf(reader.u8()),
  };
}

/** Name of a code; an unknown code is InvalidCommand (3). */
/* @__NO_SIDE_EFFECTS__ */
export function enumerationReader<Name extends string>(codes: Readonly<Record<Name, number>>): (code: number) => Name {
  const names = new Map<number, Name>();
  for (const name of Object.keys(codes) as Name[]) names.set(codes[name], name);
  return (code) => {
    const name = names.get(code);
    if (name === undefined) throw new IggyError("InvalidCommand");
    return name;
  };
}
