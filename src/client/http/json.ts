// JSON of the HTTP API: 64-bit numbers keep all their digits both ways, bytes are base64, sizes have units (spec HA 1.5, 1.6).

import { IggyError } from "../../protocol/errors.ts";
import { bytesOfBase64 } from "../base64.ts";

/** From this number of digits on an integer may not fit a double. */
const exactDigits = 16;

/** Text of a value, in which bigints are numbers with all their digits. */
export function jsonText(value: object): string {
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `\u0000${part}` : part));
  return text.replace(/"\\u0000(\d+)"/g, "$1");
}

/** Value of a text, in which integers that may not fit are texts. InvalidFormat (4) if it is no JSON. */
export function parseJson(text: string): unknown {
  const exact = text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) =>
    token.length >= exactDigits && /^\d+$/.test(token) ? `"${token}"` : token,
  );
  try {
    return JSON.parse(exact);
  } catch (cause) {
    throw new IggyError("InvalidFormat", [], { cause });
  }
}

/** The longest text of bytes that is made at once: engines limit the number of arguments. */
const chunkBytes = 8 * 1024;

export function base64Of(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += chunkBytes)
    binary += String.fromCharCode(...bytes.subarray(at, at + chunkBytes));
  return btoa(binary);
}

const units: Readonly<Record<string, readonly [base: bigint, power: bigint]>> = Object.fromEntries(
  ["K", "M", "G", "T", "P", "E"].flatMap((letter, index) => [
    [`${letter}B`, [1000n, BigInt(index + 1)]],
    [`${letter}iB`, [1024n, BigInt(index + 1)]],
  ]),
);

/** `1.5 KiB` as bytes: they are exact, with three decimals at most. */
function sizeOf(text: string): bigint {
  const [, whole = "", decimals = "", unit = ""] = /^(\d+)(?:\.(\d{1,3}))? ([KMGTPE]?i?B)$/.exec(text) ?? [];
  const [base, power] = unit === "B" ? [1n, 0n] : (units[unit] ?? [0n, 0n]);
  if (base === 0n) throw new IggyError("InvalidFormat", [], { cause: new Error(`no size: ${text}`) });
  return (BigInt(`${whole}${decimals.padEnd(3, "0")}`) * base ** power) / 1000n;
}

/** An object of an answer, of which every field is checked when it is read. InvalidFormat (4) for another kind of value. */
export class JsonObject {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(value: unknown) {
    if (typeof value !== "object" || value === null) throw wrong("an object", value);
    this.#fields = value as Readonly<Record<string, unknown>>;
  }

  /** Objects of a list. */
  static list(value: unknown): readonly JsonObject[] {
    if (!Array.isArray(value)) throw wrong("a list", value);
    return value.map((item) => new JsonObject(item));
  }

  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value !== "string") throw wrong(`a text as ${name}`, value);
    return value;
  }

  number(name: string): number {
    const value = this.#fields[name];
    if (typeof value !== "number") throw wrong(`a number as ${name}`, value);
    return value;
  }

  /** Undefined for null. */
  numberOrNull(name: string): number | undefined {
    return this.#fields[name] === null ? undefined : this.number(name);
  }

  bigint(name: string): bigint {
    const value = this.#fields[name];
    if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
    if (typeof value === "string" && /^\d+$/.test(value)) return BigInt(value);
    throw wrong(`an integer as ${name}`, value);
  }

  /** Undefined for null. */
  bigintOrNull(name: string): bigint | undefined {
    return this.#fields[name] === null ? undefined : this.bigint(name);
  }

  boolean(name: string): boolean {
    return this.#fields[name] === true;
  }

  size(name: string): bigint {
    return sizeOf(this.text(name));
  }

  bytes(name: string): Uint8Array {
    const bytes = bytesOfBase64(this.text(name));
    if (bytes === undefined) throw wrong(`base64 as ${name}`, this.#fields[name]);
    return bytes;
  }

  object(name: string): JsonObject {
    return new JsonObject(this.#fields[name]);
  }

  /** Undefined for null, or what is not there. */
  objectOrNull(name: string): JsonObject | undefined {
    return this.#fields[name] == null ? undefined : this.object(name);
  }

  list(name: string): readonly JsonObject[] {
    return JsonObject.list(this.#fields[name]);
  }

  numbers(name: string): readonly number[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) throw wrong(`a list as ${name}`, value);
    return value.map(Number);
  }

  /** One of the names of an enumeration. */
  oneOf<Name extends string>(name: string, codes: Readonly<Record<Name, number>>): Name {
    const value = this.text(name);
    if (!Object.hasOwn(codes, value)) throw wrong(`one of ${Object.keys(codes)} as ${name}`, value);
    return value as Name;
  }

  isText(name: string): boolean {
    return typeof this.#fields[name] === "string";
  }

  entries(): readonly (readonly [key: string, value: JsonObject])[] {
    return Object.entries(this.#fields).map(([key, value]) => [key, new JsonObject(value)]);
  }
}

function wrong(expected: string, found: unknown): IggyError {
  const text = String(JSON.stringify(found)).slice(0, 100);
  return new IggyError("InvalidFormat", [], { cause: new Error(`expected ${expected}, found ${text}`) });
}
