// Identifier: a stream, topic, group, user or consumer by number or by name (spec BP 3.2).
//
//   0  1  kind     1 numeric, 2 string
//   1  1  length   numeric: 4; string: 1 to 255
//   2  n  value    u32, or UTF-8

import { encodeUtf8 } from "./byte-writer.ts";
import type { Codec } from "./codec.ts";
import { IggyError } from "./errors.ts";
import { nameBytesMax } from "./limits.ts";

/** A string of digits is still a string; it is compared with names. */
export type Identifier =
  | { readonly kind: "numeric"; readonly value: number }
  | { readonly kind: "string"; readonly value: string };

/** Kind bytes of an identifier. */
export const IdentifierKind = { numeric: 1, string: 2 } as const;

/** Size of a numeric value. */
export const numericIdentifierBytes = 4;

/** Identifier of a number, 0 to 2^32 - 1. */
export function numericId(value: number): Identifier {
  return { kind: "numeric", value };
}

/** Identifier of a name, 1 to 255 bytes. */
export function nameId(text: string): Identifier {
  return { kind: "string", value: text };
}

/** Unknown kind is InvalidCommand (3); a numeric length other than 4 or an empty name is InvalidFormat (4). */
export const identifierCodec: Codec<Identifier> = {
  encode(writer, identifier) {
    if (identifier.kind === "numeric") {
      writer.u8(IdentifierKind.numeric);
      writer.u8(numericIdentifierBytes);
      writer.u32(identifier.value);
      return;
    }
    const bytes = encodeUtf8(identifier.value);
    if (bytes.length === 0 || bytes.length > nameBytesMax) throw new IggyError("InvalidFormat");
    writer.u8(IdentifierKind.string);
    writer.u8(bytes.length);
    writer.bytes(bytes);
  },
  decode(reader) {
    const kind = reader.u8();
    const sizeBytes = reader.u8();
    if (kind === IdentifierKind.numeric) {
      if (sizeBytes !== numericIdentifierBytes) throw new IggyError("InvalidFormat");
      return { kind: "numeric", value: reader.u32() };
    }
    if (kind !== IdentifierKind.string) throw new IggyError("InvalidCommand");
    if (sizeBytes === 0) throw new IggyError("InvalidFormat");
    return { kind: "string", value: reader.string(sizeBytes) };
  },
};
