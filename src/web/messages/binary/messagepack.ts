// MessagePack (github.com/msgpack/msgpack, spec.md), read into a tree that keeps 64-bit numbers, double keys and keys of any kind.
import type { Value } from "../values.ts";
import { ByteSource, DecodeError, floatText, readWhole } from "./reader.ts";

const timestampType = -1;

/** One value that takes all bytes. Throws DecodeError. */
export function decodeMessagePack(payload: Uint8Array): Value {
  return readWhole(payload, readValue);
}

function readValue(source: ByteSource): Value {
  source.count();
  const at = source.position;
  const byte = source.u8();
  if (byte < 0x80) return numberOf(byte);
  if (byte < 0x90) return readMap(source, byte & 0x0f);
  if (byte < 0xa0) return readList(source, byte & 0x0f);
  if (byte < 0xc0) return { kind: "string", text: source.text(byte & 0x1f) };
  if (byte >= 0xe0) return numberOf(byte - 0x100);
  switch (byte) {
    case 0xc0:
      return { kind: "word", text: "null" };
    case 0xc2:
    case 0xc3:
      return { kind: "word", text: byte === 0xc2 ? "false" : "true" };
    case 0xc4:
    case 0xc5:
    case 0xc6:
      return { kind: "bytes", bytes: source.bytes(source.uint(1 << (byte - 0xc4))) };
    case 0xc7:
    case 0xc8:
    case 0xc9:
      return readExtension(source, source.uint(1 << (byte - 0xc7)));
    case 0xca:
      return { kind: "number", text: floatText(source.float32(), true) };
    case 0xcb:
      return { kind: "number", text: floatText(source.float64(), false) };
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
      return numberOf(source.uint(1 << (byte - 0xcc)));
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
      return numberOf(source.int(1 << (byte - 0xd0)));
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return readExtension(source, BigInt(1 << (byte - 0xd4)));
    case 0xd9:
    case 0xda:
    case 0xdb:
      return { kind: "string", text: source.text(source.uint(1 << (byte - 0xd9))) };
    case 0xdc:
    case 0xdd:
      return readList(source, Number(source.uint(byte === 0xdc ? 2 : 4)));
    case 0xde:
    case 0xdf:
      return readMap(source, Number(source.uint(byte === 0xde ? 2 : 4)));
    default:
      throw new DecodeError("unknown", at, byte.toString(16));
  }
}

function numberOf(value: number | bigint): Value {
  return { kind: "number", text: String(value) };
}

function readList(source: ByteSource, count: number): Value {
  return source.within(() => {
    const items: Value[] = [];
    for (let index = 0; index < count; index++) items.push(readValue(source));
    return { kind: "list", items };
  });
}

function readMap(source: ByteSource, count: number): Value {
  return source.within(() => {
    const entries: [Value, Value][] = [];
    for (let index = 0; index < count; index++) entries.push([readValue(source), readValue(source)]);
    return { kind: "map", entries };
  });
}

function readExtension(source: ByteSource, size: bigint): Value {
  const type = Number(source.int(1));
  const bytes = source.bytes(size);
  const isTime = type === timestampType && (size === 4n || size === 8n || size === 12n);
  const time = isTime ? timeText(new ByteSource(bytes), Number(size)) : undefined;
  if (time !== undefined) return { kind: "tagged", tag: "time", value: { kind: "string", text: time } };
  return { kind: "tagged", tag: `ext ${type}`, value: { kind: "bytes", bytes } };
}

/** Undefined for a time beyond those that a date has. */
function timeText(source: ByteSource, size: number): string | undefined {
  let nanos = 0n;
  let seconds: bigint;
  if (size === 4) {
    seconds = source.uint(4);
  } else if (size === 8) {
    const both = source.uint(8);
    nanos = both >> 34n;
    seconds = both & 0x3ffffffffn;
  } else {
    nanos = source.uint(4);
    seconds = source.int(8);
  }
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return undefined;
  return date.toISOString().replace(/\.000Z$/, `.${String(nanos).padStart(9, "0")}Z`);
}
