// A message as somebody writes it: text of one of several kinds that becomes bytes, and headers whose values have kinds. Nothing
// is changed on the way: JSON is sent as it was typed.
import { encodeHeaders, type HeaderField, type HeaderKind, type UserHeader } from "../../client/console-client.ts";
import { jsonLines } from "./json-tokens.ts";

export const payloadKinds = ["text", "json", "hex", "base64"] as const;
export type PayloadKind = (typeof payloadKinds)[number];

export const headerKinds = [
  ...(["string", "bool", "int8", "int16", "int32", "int64", "int128", "uint8", "uint16", "uint32", "uint64"] as const),
  ...(["uint128", "float32", "float64", "raw"] as const),
] as const satisfies readonly HeaderKind[];

/** `key` and `value` as typed. */
export type DraftHeader = { readonly key: string; readonly kind: HeaderKind; readonly value: string };

/** Why something typed is not what it is to be; the words are the page's. */
export type DraftProblem = "json" | "hex" | "base64" | "key" | "duplicate" | "value" | "length";

export class DraftError extends Error {
  override readonly name = "DraftError";
  readonly problem: DraftProblem;
  /** What it is about: a header's key. */
  readonly subject: string;

  constructor(problem: DraftProblem, subject = "") {
    super(problem);
    this.problem = problem;
    this.subject = subject;
  }
}

const integerPattern = /^[+-]?\d{1,40}$/;
const smallKinds: ReadonlySet<HeaderKind> = new Set(["int8", "int16", "int32", "uint8", "uint16", "uint32"]);
const headerBytesMax = 255;

/** Throws DraftError. */
export function payloadOf(kind: PayloadKind, text: string): Uint8Array {
  switch (kind) {
    case "json":
      if (jsonLines(text) === undefined) throw new DraftError("json");
      return new TextEncoder().encode(text);
    case "hex":
      return hexBytes(text);
    case "base64":
      return base64Bytes(text);
    default:
      return new TextEncoder().encode(text);
  }
}

/** Bytes of two digits each, with or without space between them. Throws DraftError. */
export function hexBytes(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, "");
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(digits)) throw new DraftError("hex");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function base64Bytes(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0));
  } catch {
    throw new DraftError("base64"); // which is all that `atob` can say
  }
}

/** As they are stored; empty without headers. Throws DraftError. */
export function headersOf(headers: readonly DraftHeader[]): Uint8Array {
  const keys = new Set<string>();
  const typed = headers.map(({ key, kind, value }): UserHeader => {
    const keyBytes = new TextEncoder().encode(key).length;
    if (keyBytes === 0 || keyBytes > headerBytesMax) throw new DraftError("key", key);
    if (keys.has(key)) throw new DraftError("duplicate", key);
    keys.add(key);
    return { key: { kind: "string", value: key }, value: fieldOf(key, kind, value) };
  });
  return encodeHeaders(typed);
}

/** Those of a message that is sent again, but for keys that are dropped. */
export function keptHeaders(headers: readonly UserHeader[], dropped: ReadonlySet<string>): readonly UserHeader[] {
  return headers.filter(({ key }) => !dropped.has(String(key.value)));
}

function fieldOf(key: string, kind: HeaderKind, text: string): HeaderField {
  const wrong = () => new DraftError("value", key);
  if (kind === "string" || kind === "raw") {
    const value = kind === "raw" ? hexBytes(text) : text;
    const size = typeof value === "string" ? new TextEncoder().encode(value).length : value.length;
    if (size === 0 || size > headerBytesMax) throw new DraftError("length", key);
    return { kind, value } as HeaderField;
  }
  const trimmed = text.trim();
  if (kind === "bool") {
    if (trimmed !== "true" && trimmed !== "false") throw wrong();
    return { kind, value: trimmed === "true" };
  }
  if (kind === "float32" || kind === "float64") {
    const value = Number(trimmed);
    if (trimmed === "" || (Number.isNaN(value) && trimmed !== "NaN")) throw wrong();
    return { kind, value };
  }
  if (!integerPattern.test(trimmed)) throw wrong();
  const value = BigInt(trimmed.replace(/^\+/, ""));
  const bits = Number(/\d+$/.exec(kind)?.[0]);
  const fits = kind.startsWith("u") ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value);
  if (fits !== value) throw wrong();
  return { kind, value: smallKinds.has(kind) ? Number(value) : value } as HeaderField;
}
