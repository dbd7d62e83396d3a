// A payload as somebody can read it: JSON, text, bytes, or what a decoder makes of it. Nothing is guessed from anything but the bytes and what a header says,
// and what is not what it seems is shown as bytes.
import type { HeaderField, UserHeader } from "../../client/console-client.ts";
import type { Format } from "../app/address.ts";
import { decodeCbor } from "./binary/cbor.ts";
import { guessBinary } from "./binary/guess.ts";
import { decodeMessagePack } from "./binary/messagepack.ts";
import { DecodeError } from "./binary/reader.ts";
import { type JsonLine, jsonLines } from "./json-tokens.ts";
import type { Schema } from "./schema.ts";
import { controls, type TextRun, textRuns } from "./text-runs.ts";
import { linesOfValue, type Value } from "./values.ts";

export type ShownFormat = Exclude<Format, "auto">;

export type ShownPayload =
  | { readonly format: "json" | "messagepack" | "cbor" | "avro" | "protobuf"; readonly lines: readonly JsonLine[] }
  | { readonly format: "text"; readonly runs: readonly TextRun[] }
  | { readonly format: "base64"; readonly text: string }
  | { readonly format: "hex"; readonly rows: readonly HexRow[] }
  /** It was asked for in a form that it does not have: what is wrong, and its bytes. */
  | {
      readonly format: "none";
      readonly wanted: ShownFormat;
      readonly error: DecodeError | undefined;
      readonly rows: readonly HexRow[];
    }
  /** It is read by a schema, and there is none. */
  | { readonly format: "schemaless"; readonly wanted: "avro" | "protobuf" };

export type HexRow = { readonly offset: string; readonly bytes: string; readonly characters: string };

/** Of a larger payload only the beginning is shown, until somebody asks for all of it. */
export const shownWholeBytesMax = 256 * 1024;
export const shownFirstBytes = 64 * 1024;
const hexRowBytes = 16;
const previewBytes = 240;

const strictText = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Forms of which a beginning can be shown; the others are read as a whole, within their own bounds. */
export function canBeCut(format: Format): boolean {
  return format === "auto" || format === "json" || format === "text" || format === "hex";
}

/**
 * `hint`: value of a header `content-type`, if there is one. `isCut`: bytes follow that are not shown. `schema`: by which the
 * topic is read.
 */
export function showPayload(
  bytes: Uint8Array,
  format: Format,
  hint: string | undefined,
  isCut = false,
  schema?: Schema,
): ShownPayload {
  switch (format) {
    case "hex":
      return { format, rows: hexRows(bytes) };
    case "base64":
      return { format, text: base64Text(bytes) };
    case "messagepack":
      return decoded(format, bytes, decodeMessagePack);
    case "cbor":
      return decoded(format, bytes, decodeCbor);
    case "avro":
    case "protobuf":
      return schema?.format === format
        ? decoded(format, bytes, schema.decode)
        : { format: "schemaless", wanted: format };
    case "json":
    case "text": {
      const text = isCut ? cutText(bytes) : textOf(bytes);
      const shown = text === undefined ? undefined : format === "json" ? json(text) : plain(text);
      return shown ?? { format: "none", wanted: format, error: undefined, rows: hexRows(bytes) };
    }
    default:
      return guessed(bytes, hint, isCut, schema);
  }
}

/** What the content type says, if it is true; then JSON, text, MessagePack and CBOR, and else bytes. */
function guessed(
  bytes: Uint8Array,
  hint: string | undefined,
  isCut: boolean,
  schema: Schema | undefined,
): ShownPayload {
  if (bytes.length === 0) return plain("");
  const hinted = hintedFormat(hint);
  if (hinted !== undefined && !isCut) {
    const shown = showPayload(bytes, hinted, undefined, false, schema);
    if (shown.format === hinted) return shown;
  }
  const text = isCut ? cutText(bytes) : textOf(bytes);
  const isTextHint = hint !== undefined && /^text\//i.test(hint);
  if (text !== undefined) {
    const shown = (isTextHint ? undefined : json(text)) ?? (isReadable(text) ? plain(text) : undefined);
    if (shown !== undefined) return shown;
  }
  const guess = guessBinary(bytes);
  if (guess !== undefined) return { format: guess.format, lines: linesOfValue(guess.value) };
  return { format: "hex", rows: hexRows(bytes) };
}

function hintedFormat(hint: string | undefined): ShownFormat | undefined {
  if (hint === undefined) return undefined;
  if (/msgpack|messagepack/i.test(hint)) return "messagepack";
  if (/[/+]cbor/i.test(hint)) return "cbor";
  if (/avro/i.test(hint)) return "avro";
  return /protobuf/i.test(hint) ? "protobuf" : undefined;
}

function decoded(
  format: "messagepack" | "cbor" | "avro" | "protobuf",
  bytes: Uint8Array,
  decode: (bytes: Uint8Array) => Value,
): ShownPayload {
  try {
    return { format, lines: linesOfValue(decode(bytes)) };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { format: "none", wanted: format, error, rows: hexRows(bytes) };
  }
}

/** One line that begins like the payload. */
export function previewOf(bytes: Uint8Array): string {
  const head = bytes.subarray(0, previewBytes);
  const text = cutText(head);
  if (text === undefined || !isReadable(text)) return hexText(head.subarray(0, 48));
  const isLonger = bytes.length > previewBytes;
  return `${text.replace(/\s+/g, " ").replace(controls, "\u00b7")}${isLonger ? "\u2026" : ""}`;
}

/** The value of a header of that name, whatever its case; undefined without one that is text. */
export function textHeader(headers: readonly UserHeader[], name: string): string | undefined {
  for (const { key, value } of headers) {
    if (key.kind === "string" && key.value.toLowerCase() === name && value.kind === "string") return value.value;
  }
  return undefined;
}

/** A key or value of a header as text: integers in decimal, whatever their size, bytes in hexadecimal. */
export function fieldText(field: HeaderField): string {
  return field.kind === "raw" ? hexText(field.value) : String(field.value);
}

function json(text: string): ShownPayload | undefined {
  const lines = jsonLines(text);
  return lines && { format: "json", lines };
}

function plain(text: string): ShownPayload {
  return { format: "text", runs: textRuns(text) };
}

function hexRows(bytes: Uint8Array): readonly HexRow[] {
  const rows: HexRow[] = [];
  for (let start = 0; start < bytes.length; start += hexRowBytes) {
    const row = bytes.subarray(start, start + hexRowBytes);
    rows.push({
      offset: start.toString(16).padStart(8, "0"),
      bytes: hexText(row).padEnd(hexRowBytes * 3 - 1),
      characters: Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join(""),
    });
  }
  return rows;
}

/** Padded. Chunks of whole groups, since the engine's stack bounds the arguments of one call. */
function base64Text(bytes: Uint8Array): string {
  const chunkBytes = 0x6000;
  let text = "";
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    text += btoa(String.fromCharCode(...bytes.subarray(start, start + chunkBytes)));
  }
  return text;
}

function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** Undefined where the bytes are not UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strictText.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The same of a beginning, which may end in the middle of a character. */
function cutText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}

/** More than a tenth of controls: bytes that happen to be UTF-8. */
function isReadable(text: string): boolean {
  const found = text.match(controls)?.reduce((sum, run) => sum + run.length, 0) ?? 0;
  return found * 10 <= text.length;
}
