// A message as one line of NDJSON: what the console's export writes, and what a command of the command line writes and reads.
//
//   {"partition":0,"offset":12,"id":"0197f3a2-6c1e-8d52-9b1a-000000000001","timestamp":1764378191204113,
//    "origin_timestamp":1764378191204000,"headers":[{"key":"trace","kind":"string","value":"4f3a"}],"payload":"text"}
//
// A payload that is not UTF-8 is `payload_base64`; a raw value of a header `value_base64`, a raw key `key_base64`, a key of
// another kind than string has its `key_kind`. Headers that cannot be read are `headers_base64` as a whole. Times are
// microseconds. Integers of 64 and 128 bits in headers are texts in decimal, since most readers of JSON round them.

import { decode } from "./codec.ts";
import { IggyError } from "./errors.ts";
import { type HeaderField, type UserHeader, userHeadersCodec } from "./user-headers.ts";

/** What a line holds, as a message is polled (message/poll-messages.ts). */
export type MessageOfLine = {
  readonly id: bigint;
  readonly offset: bigint;
  readonly timestampMicros: bigint;
  readonly originTimestampMicros: bigint;
  readonly payload: Uint8Array;
  readonly userHeaders: Uint8Array;
};

const strictText = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const base64ChunkBytes = 0x6000;

/** The line with its end. Never throws: whatever a client has written has a line. */
export function messageLine(partitionId: number, message: MessageOfLine): string {
  const { id, offset, timestampMicros, originTimestampMicros, payload, userHeaders } = message;
  return (
    `{"partition":${partitionId},"offset":${offset},"id":"${uuidText(id)}","timestamp":${timestampMicros},` +
    `"origin_timestamp":${originTimestampMicros},${headersPart(userHeaders)},${bytesPart("payload", payload)}}\n`
  );
}

/** A number of 128 bits in the form of a UUID (RFC 9562). */
export function uuidText(id: bigint): string {
  return id
    .toString(16)
    .padStart(32, "0")
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function headersPart(bytes: Uint8Array): string {
  let headers: readonly UserHeader[];
  try {
    headers = decode(userHeadersCodec, bytes);
  } catch (error) {
    if (!(error instanceof IggyError)) throw error;
    return `"headers_base64":"${base64Of(bytes)}"`;
  }
  return `"headers":[${headers.map(headerText).join(",")}]`;
}

function headerText({ key, value }: UserHeader): string {
  const keyKind = key.kind === "string" || key.kind === "raw" ? "" : `,"key_kind":"${key.kind}"`;
  const keyText =
    key.kind === "raw" ? bytesPart("key", key.value, true) : `"key":${JSON.stringify(String(key.value))}${keyKind}`;
  return `{${keyText},"kind":"${value.kind}",${valuePart(value)}}`;
}

function valuePart(field: HeaderField): string {
  if (field.kind === "raw") return bytesPart("value", field.value, true);
  const { value } = field;
  if (typeof value === "number" && !Number.isFinite(value)) return `"value":"${value}"`;
  return `"value":${JSON.stringify(typeof value === "bigint" ? String(value) : value)}`;
}

/** As text where the bytes are UTF-8, unless they are to be base64 anyway. */
function bytesPart(name: string, bytes: Uint8Array, isRaw = false): string {
  if (!isRaw) {
    try {
      return `"${name}":${JSON.stringify(strictText.decode(bytes))}`;
    } catch {
      // Not UTF-8, which is all that a strict decoder can say.
    }
  }
  return `"${name}_base64":"${base64Of(bytes)}"`;
}

/** Padded. Chunks of whole groups, since the engine's stack bounds the arguments of one call. */
function base64Of(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length; start += base64ChunkBytes) {
    text += btoa(String.fromCharCode(...bytes.subarray(start, start + base64ChunkBytes)));
  }
  return text;
}
