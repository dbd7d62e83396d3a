// What bytes are that are no text: MessagePack or CBOR where they are one whole value of it, a map or a list. Anything shorter
// could be anything.
import type { Value } from "../values.ts";
import { decodeCbor } from "./cbor.ts";
import { decodeMessagePack } from "./messagepack.ts";
import { DecodeError } from "./reader.ts";

export type Guess = { readonly format: "messagepack" | "cbor"; readonly value: Value };

/** The first bytes of maps and lists: nearly all other payloads end here. */
const messagePackStart = (byte: number) => (byte >= 0x80 && byte <= 0x9f) || (byte >= 0xdc && byte <= 0xdf);
const cborStart = (byte: number) => byte >= 0x80 && byte <= 0xbf;

/** Undefined: neither. */
export function guessBinary(payload: Uint8Array): Guess | undefined {
  const [first] = payload;
  if (first === undefined) return undefined;
  const messagePack = messagePackStart(first) ? tryTo(() => decodeMessagePack(payload)) : undefined;
  if (messagePack !== undefined) return { format: "messagepack", value: messagePack };
  const cbor = cborStart(first) ? tryTo(() => decodeCbor(payload)) : undefined;
  return cbor === undefined ? undefined : { format: "cbor", value: cbor };
}

function tryTo(decode: () => Value): Value | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
