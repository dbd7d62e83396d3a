// User headers between JSON and bytes (spec HA 5.2, 5.4). Kinds travel as words, values as base64 of their bytes; a value is not
// looked into, and its size is not compared with its kind, as in the original (spec HA 8, trap 13).

import { userHeaderFieldBytesMax, userHeadersBytesMax } from "../../../protocol/limits.ts";
import { HeaderKindCode } from "../../../protocol/user-headers.ts";
import { type JsonReader, JsonShapeError } from "../json/reader.ts";

const codesByKind: ReadonlyMap<string, number> = new Map(Object.entries(HeaderKindCode));
const kindsByCode: readonly string[] = Object.entries(HeaderKindCode).reduce<string[]>((kinds, [kind, code]) => {
  kinds[code] = kind;
  return kinds;
}, []);

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

/** The value of `user_headers` as JSON text: an array, or base64 of bytes that are no headers. */
export function userHeadersJson(bytes: Buffer, start: number, end: number): string {
  if (start === end) return "[]";
  let json = "[";
  let position = start;
  while (position < end) {
    const key = fieldJson(bytes, position, end);
    const valuePosition = key === undefined ? end : fieldEnd(bytes, position);
    const value = key === undefined ? undefined : fieldJson(bytes, valuePosition, end);
    if (value === undefined) return `"${bytes.toString("base64", start, end)}"`;
    json += `${position === start ? "" : ","}{"key":${key},"value":${value}}`;
    position = fieldEnd(bytes, valuePosition);
  }
  return `${json}]`;
}

function fieldEnd(bytes: Buffer, position: number): number {
  return position + fieldHeadBytes + bytes.readUInt32LE(position + 1);
}

/** Undefined for what is no field (spec HA 5.4). */
function fieldJson(bytes: Buffer, position: number, end: number): string | undefined {
  if (position + fieldHeadBytes > end) return undefined;
  const code = bytes[position]!;
  const kind = kindsByCode[code];
  const sizeBytes = bytes.readUInt32LE(position + 1);
  if (kind === undefined || sizeBytes === 0 || sizeBytes > userHeaderFieldBytesMax) return undefined;
  if (position + fieldHeadBytes + sizeBytes > end) return undefined;
  const wantedBytes = fixedBytes[code]!;
  if (wantedBytes !== 0 && wantedBytes !== sizeBytes) return undefined;
  const start = position + fieldHeadBytes;
  return `{"kind":"${kind}","value":"${bytes.toString("base64", start, start + sizeBytes)}"}`;
}
