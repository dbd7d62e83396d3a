// User headers between JSON and bytes (spec HA 5.2, 5.4). Kinds travel as words, values as base64 of their bytes; a value is not
// looked into, and its size is not compared with its kind, as in the original (spec HA 8, trap 13).

import { readU32 } from "../../../protocol/byte-reader.ts";
import { userHeaderFieldBytesMax, userHeadersBytesMax } from "../../../protocol/limits.ts";
import { HeaderKindCode } from "../../../protocol/user-headers.ts";
import { type JsonReader, JsonShapeError } from "../json/reader.ts";
import { ascii, base64TextBytes, type JsonBytes } from "./json-bytes.ts";

const codesByKind: ReadonlyMap<string, number> = new Map(Object.entries(HeaderKindCode));
/** Text before the value, by code of the kind; codes without a kind have none. */
const kindStarts: readonly (Uint8Array | undefined)[] = Object.entries(HeaderKindCode).reduce<Uint8Array[]>(
  (starts, [kind, code]) => {
    starts[code] = ascii(`{"kind":"${kind}","value":"`);
    return starts;
  },
  [],
);
const fieldEndText = ascii('"}');
const firstKeyName = ascii('[{"key":');
const keyName = ascii(',{"key":');
const valueName = ascii(',"value":');
const headerEnd = ascii("}");
const headersEnd = ascii("]");
const noHeaders = ascii("[]");

/** By code; 0: any size. */
const fixedBytes: readonly number[] = [0, 0, 0, 1, 1, 2, 4, 8, 16, 1, 2, 4, 8, 16, 4, 8];

const fieldHeadBytes = 5;

interface Field {
  readonly code: number;
  readonly bytes: Buffer;
}

/** Reads the value of `user_headers`; undefined without headers. Throws JsonShapeError. */
export function readUserHeaders(reader: JsonReader): Uint8Array | undefined {
  const kind = reader.kind();
  if (kind === "null") {
    reader.skipNull();
    return undefined;
  }
  // Bytes that a client encrypted: taken as they are.
  if (kind === "string") return decodeBase64(reader.string(), "user_headers");
  if (kind !== "array") throw new JsonShapeError("Invalid headers format: expected an array or a base64 string");
  const headers: [key: Field, value: Field][] = [];
  reader.beginArray();
  while (reader.nextElement()) headers.push(readHeader(reader));
  return headers.length === 0 ? undefined : encode(headers);
}

/** Throws JsonShapeError for what is not padded base64 of the standard alphabet. */
export function decodeBase64(text: string, what: string): Buffer {
  const bytes = Buffer.allocUnsafe(base64Bytes(text, what));
  writeBase64(bytes, text, what);
  return bytes;
}

/** Size of what a text of base64 stands for. Throws JsonShapeError where the length alone is wrong. */
export function base64Bytes(text: string, what: string): number {
  const { length } = text;
  if (length % 4 !== 0) throw new JsonShapeError(`${what}: invalid base64`);
  if (length === 0) return 0;
  const padding = text.charCodeAt(length - 2) === 0x3d ? 2 : text.charCodeAt(length - 1) === 0x3d ? 1 : 0;
  return (length / 4) * 3 - padding;
}

/** Decodes into `target`, which has exactly the size that `base64Bytes` said. Throws JsonShapeError. */
export function writeBase64(target: Uint8Array, text: string, what: string): void {
  if (text.length === 0) return;
  try {
    // Blanks are skipped by this decoder; a text that has some does not fill the target.
    const { read, written } = target.setFromBase64(text, { lastChunkHandling: "strict" });
    if (read === text.length && written === target.length) return;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw new JsonShapeError(`${what}: invalid base64`);
}

function readHeader(reader: JsonReader): [Field, Field] {
  let key: Field | undefined;
  let value: Field | undefined;
  reader.beginObject();
  for (let name = reader.nextKey(); name !== undefined; name = reader.nextKey()) {
    if (name === "key") key = readField(reader);
    else if (name === "value") value = readField(reader);
    else reader.skipValue();
  }
  if (key === undefined || value === undefined)
    throw new JsonShapeError("Invalid headers format: key or value is missing");
  return [key, value];
}

function readField(reader: JsonReader): Field {
  let code: number | undefined;
  let bytes: Buffer | undefined;
  reader.beginObject();
  for (let name = reader.nextKey(); name !== undefined; name = reader.nextKey()) {
    if (name === "kind") code = codesByKind.get(reader.string());
    else if (name === "value") bytes = decodeBase64(reader.string(), "user_headers");
    else reader.skipValue();
  }
  if (code === undefined || bytes === undefined)
    throw new JsonShapeError("Invalid headers format: kind or value is wrong");
  return { code, bytes };
}

/** Sorted by key (kind, then bytes); of a repeated key the last value counts. */
function encode(headers: readonly (readonly [Field, Field])[]): Uint8Array {
  const last = new Map(headers.map((header) => [`${header[0].code}:${header[0].bytes.toString("latin1")}`, header]));
  const sorted = [...last.values()].sort(
    ([left], [right]) => left.code - right.code || Buffer.compare(left.bytes, right.bytes),
  );
  const fields = sorted.flat();
  const sizeBytes = fields.reduce((sum, field) => sum + fieldHeadBytes + field.bytes.length, 0);
  if (sizeBytes > userHeadersBytesMax) {
    throw new JsonShapeError("Failed to create message with headers: Too big headers payload");
  }
  const encoded = Buffer.allocUnsafe(sizeBytes);
  let position = 0;
  for (const { code, bytes } of fields) {
    encoded[position] = code;
    encoded.writeUInt32LE(bytes.length, position + 1);
    encoded.set(bytes, position + fieldHeadBytes);
    position += fieldHeadBytes + bytes.length;
  }
  return encoded;
}

/** Most that a field adds to the base64 of its bytes. */
const fieldFrameBytesMax = Math.max(...kindStarts.flatMap((start) => start?.length ?? [])) + fieldEndText.length;
const headerFrameBytes = keyName.length + valueName.length + headerEnd.length;

/** Room that `writeUserHeaders` needs for user headers of this size: as many fields as can be, and a padding for each. */
export function userHeadersTextBytesMax(sizeBytes: number): number {
  const fieldsCountMax = Math.ceil(sizeBytes / (fieldHeadBytes + 1));
  const frameBytes = fieldsCountMax * (fieldFrameBytesMax + base64TextBytes(1));
  return frameBytes + Math.ceil(fieldsCountMax / 2) * headerFrameBytes + base64TextBytes(sizeBytes) + noHeaders.length;
}

/** Writes the value of `user_headers`: an array, or base64 of bytes that are no headers. The caller has reserved the room. */
export function writeUserHeaders(out: JsonBytes, bytes: Uint8Array, start: number, end: number): void {
  if (start === end) {
    out.fragment(noHeaders);
    return;
  }
  if (!areHeaders(bytes, start, end)) {
    out.quote();
    out.base64(bytes, start, end);
    out.quote();
    return;
  }
  let position = start;
  while (position < end) {
    out.fragment(position === start ? firstKeyName : keyName);
    position = writeField(out, bytes, position);
    out.fragment(valueName);
    position = writeField(out, bytes, position);
    out.fragment(headerEnd);
  }
  out.fragment(headersEnd);
}

function areHeaders(bytes: Uint8Array, start: number, end: number): boolean {
  let position = start;
  while (position < end) {
    const valuePosition = fieldEnd(bytes, position, end);
    position = valuePosition < 0 ? -1 : fieldEnd(bytes, valuePosition, end);
    if (position < 0) return false;
  }
  return true;
}

/** Where the field ends that begins at the position; -1: it is none (spec HA 5.4). */
function fieldEnd(bytes: Uint8Array, position: number, end: number): number {
  if (position + fieldHeadBytes > end) return -1;
  const code = bytes[position]!;
  const sizeBytes = readU32(bytes, position + 1);
  if (kindStarts[code] === undefined || sizeBytes === 0 || sizeBytes > userHeaderFieldBytesMax) return -1;
  const wantedBytes = fixedBytes[code]!;
  if (wantedBytes !== 0 && wantedBytes !== sizeBytes) return -1;
  const fieldEndPosition = position + fieldHeadBytes + sizeBytes;
  return fieldEndPosition > end ? -1 : fieldEndPosition;
}

/** Returns where the field ends. */
function writeField(out: JsonBytes, bytes: Uint8Array, position: number): number {
  const start = position + fieldHeadBytes;
  const end = start + readU32(bytes, position + 1);
  out.fragment(kindStarts[bytes[position]!]!);
  out.base64(bytes, start, end);
  out.fragment(fieldEndText);
  return end;
}
