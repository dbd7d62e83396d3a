// CBOR (RFC 8949), read into a tree that keeps numbers of every size, double keys, keys of any kind and tags.
import type { Value } from "../values.ts";
import { type ByteSource, DecodeError, floatText, readWhole } from "./reader.ts";

const breakByte = 0xff;
const indefinite = 31;
const bignumTags = { positive: 2n, negative: 3n } as const;
const simples: Readonly<Record<number, string>> = { 20: "false", 21: "true", 22: "null", 23: "undefined" };

/** One value that takes all bytes. Throws DecodeError. */
export function decodeCbor(payload: Uint8Array): Value {
  return readWhole(payload, readValue);
}

function readValue(source: ByteSource): Value {
  source.count();
  const at = source.position;
  const byte = source.u8();
  const [major, info] = [byte >> 5, byte & 0x1f];
  if (major === 7) return readSimple(source, info, at);
  const isIndefinite = info === indefinite;
  if ((info > 27 && !isIndefinite) || (isIndefinite && (major < 2 || major === 6))) {
    throw new DecodeError("unknown", at, byte.toString(16));
  }
  const argument = isIndefinite ? undefined : readArgument(source, info);
  switch (major) {
    case 0:
      return { kind: "number", text: String(argument) };
    case 1:
      return { kind: "number", text: String(-1n - argument!) };
    case 2:
      return { kind: "bytes", bytes: argument === undefined ? readChunks(source, 2) : source.bytes(argument) };
    case 3:
      return {
        kind: "string",
        text: argument === undefined ? new TextDecoder().decode(readChunks(source, 3)) : source.text(argument),
      };
    case 4: {
      const items: Value[] = [];
      readMany(source, argument, () => items.push(readValue(source)));
      return { kind: "list", items };
    }
    case 5: {
      const entries: [Value, Value][] = [];
      readMany(source, argument, () => entries.push([readValue(source), readValue(source)]));
      return { kind: "map", entries };
    }
    default:
      return source.within(() => tagged(argument!, readValue(source)));
  }
}

function readArgument(source: ByteSource, info: number): bigint {
  return info < 24 ? BigInt(info) : source.uint(1 << (info - 24));
}

/** `count` undefined: until a break. */
function readMany(source: ByteSource, count: bigint | undefined, read: () => void): void {
  source.within(() => {
    for (let index = 0n; count === undefined || index < count; index++) {
      if (count === undefined && source.peek() === breakByte) {
        source.u8();
        return;
      }
      read();
    }
  });
}

/** Strings in pieces, each of them whole. */
function readChunks(source: ByteSource, major: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (let byte = source.u8(); byte !== breakByte; byte = source.u8()) {
    source.count();
    if (byte >> 5 !== major || (byte & 0x1f) > 27)
      throw new DecodeError("unknown", source.position - 1, byte.toString(16));
    chunks.push(source.bytes(readArgument(source, byte & 0x1f)));
  }
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let position = 0;
  for (const chunk of chunks) {
    all.set(chunk, position);
    position += chunk.length;
  }
  return all;
}

function readSimple(source: ByteSource, info: number, at: number): Value {
  if (info === 25) return { kind: "number", text: floatText(halfOf(Number(source.uint(2))), true) };
  if (info === 26) return { kind: "number", text: floatText(source.float32(), true) };
  if (info === 27) return { kind: "number", text: floatText(source.float64(), false) };
  const code = info === 24 ? source.u8() : info;
  if (info > 24 || (info === 24 && code < 32)) throw new DecodeError("unknown", at, info.toString(16));
  return { kind: "word", text: simples[code] ?? `simple(${code})` };
}

/** RFC 8949, appendix D. */
function halfOf(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Large numbers are numbers; all other tags stay. */
function tagged(tag: bigint, value: Value): Value {
  const isNegative = tag === bignumTags.negative;
  if (value.kind === "bytes" && (isNegative || tag === bignumTags.positive)) {
    const hex = Array.from(value.bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const size = BigInt(`0x${hex === "" ? "0" : hex}`);
    return { kind: "number", text: String(isNegative ? -1n - size : size) };
  }
  return { kind: "tagged", tag: String(tag), value };
}
