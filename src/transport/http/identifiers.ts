// Identifiers as text: a number or a name (spec HA 1.4).
import { encodeUtf8 } from "../../protocol/byte-writer.ts";
import { IggyError } from "../../protocol/errors.ts";
import { type Identifier, nameId, numericId } from "../../protocol/identifier.ts";
import { nameBytesMax } from "../../protocol/limits.ts";

export const u32Max = 2 ** 32 - 1;

/** Digits, with leading zeros or a plus if somebody likes; undefined for what is no unsigned 32-bit number. */
export function parseU32(text: string): number | undefined {
  if (!/^\+?\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value <= u32Max ? value : undefined;
}

/** 1 to 255 bytes of UTF-8. */
export function isNameSize(text: string): boolean {
  if (text.length === 0 || text.length > nameBytesMax) return false;
  return text.length * 3 <= nameBytesMax || encodeUtf8(text).length <= nameBytesMax;
}

/** A number where the text is one, else a name. Throws InvalidIdentifier (6) for a name of a wrong size. */
export function toIdentifier(text: string): Identifier {
  const value = parseU32(text);
  if (value !== undefined) return numericId(value);
  if (!isNameSize(text)) throw new IggyError("InvalidIdentifier");
  return nameId(text);
}
