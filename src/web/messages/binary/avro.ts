// Avro's binary encoding, read by a schema into a tree. Also with what writers put in front of it: the five bytes of a schema
// registry, or the ten of Avro's own single-object encoding.
import type { Value } from "../values.ts";
import type { AvroLogical, AvroType } from "./avro-schema.ts";
import { ByteSource, DecodeError, floatText } from "./reader.ts";

const registryHeadBytes = 5;
const singleObjectHeadBytes = 10;
const varintBytesMax = 10;
const dayMs = 86_400_000;

/** One value that takes all bytes. Throws DecodeError. */
export function decodeAvro(type: AvroType, payload: Uint8Array): Value {
  if (payload[0] === 0xc3 && payload[1] === 0x01 && payload.length >= singleObjectHeadBytes) {
    try {
      return decodeAt(type, payload, singleObjectHeadBytes);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error; // it may be a value that begins so
    }
  }
  try {
    return decodeAt(type, payload, 0);
  } catch (error) {
    if (!(error instanceof DecodeError) || payload[0] !== 0 || payload.length < registryHeadBytes) throw error;
    try {
      return decodeAt(type, payload, registryHeadBytes);
    } catch {
      throw error; // what is wrong with the bytes as they are says more
    }
  }
}

function decodeAt(type: AvroType, payload: Uint8Array, start: number): Value {
  const source = new ByteSource(payload);
  source.position = start;
  const value = readValue(source, type);
  source.end();
  return value;
}

function readValue(source: ByteSource, type: AvroType): Value {
  source.count();
  const at = source.position;
  switch (type.kind) {
    case "null":
      return { kind: "word", text: "null" };
    case "boolean": {
      const byte = source.u8();
      if (byte > 1) throw new DecodeError("value", at, `boolean ${byte}`);
      return { kind: "word", text: byte === 1 ? "true" : "false" };
    }
    case "int":
    case "long":
      return readLong(source, type.kind === "int" ? 32 : 64, type.logical);
    case "float":
      return { kind: "number", text: floatText(source.float32(true), true) };
    case "double":
      return { kind: "number", text: floatText(source.float64(true), false) };
    case "bytes":
      return bytesOf(source.bytes(readLength(source)), type.logical);
    case "fixed":
      return bytesOf(source.bytes(type.size), type.logical);
    case "string":
      return { kind: "string", text: source.text(readLength(source)) };
    case "enum": {
      const index = zigzag(source);
      const symbol = type.symbols[Number(index)];
      if (symbol === undefined) throw new DecodeError("value", at, `${type.name} ${index}`);
      return { kind: "string", text: symbol };
    }
    case "union": {
      const index = zigzag(source);
      const branch = type.of[Number(index)];
      if (branch === undefined) throw new DecodeError("value", at, `union ${index}`);
      return source.within(() => readValue(source, branch));
    }
    case "record":
      return source.within(() => ({
        kind: "map",
        entries: type.fields.map((field) => [{ kind: "string", text: field.name }, readValue(source, field.type)]),
      }));
    case "array": {
      const items: Value[] = [];
      readBlocks(source, () => items.push(readValue(source, type.items)));
      return { kind: "list", items };
    }
    default: {
      const entries: [Value, Value][] = [];
      readBlocks(source, () =>
        entries.push([{ kind: "string", text: source.text(readLength(source)) }, readValue(source, type.items)]),
      );
      return { kind: "map", entries };
    }
  }
}

/** Blocks of a count and so many items, until one of none; a negative count has the size of its block behind it. */
function readBlocks(source: ByteSource, read: () => void): void {
  source.within(() => {
    for (let count = zigzag(source); count !== 0n; count = zigzag(source)) {
      if (count < 0n) zigzag(source);
      for (let index = count < 0n ? -count : count; index > 0n; index--) read();
    }
  });
}

function readLength(source: ByteSource): bigint {
  const at = source.position;
  const length = zigzag(source);
  if (length < 0n) throw new DecodeError("value", at, `length ${length}`);
  return length;
}

function zigzag(source: ByteSource): bigint {
  const at = source.position;
  let value = 0n;
  for (let index = 0; index < varintBytesMax; index++) {
    const byte = source.u8();
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return (value >> 1n) ^ -(value & 1n);
  }
  throw new DecodeError("value", at, "integer");
}

function readLong(source: ByteSource, bits: 32 | 64, logical: AvroLogical | undefined): Value {
  const at = source.position;
  const value = zigzag(source);
  if (BigInt.asIntN(bits, value) !== value) throw new DecodeError("value", at, `integer ${value}`);
  const time = logical === undefined ? undefined : timeOf(logical.name, value);
  if (time !== undefined) return { kind: "tagged", tag: logical!.name, value: { kind: "string", text: time } };
  return { kind: "number", text: String(value) };
}

/** Undefined for what is no time, or none that a date has. */
function timeOf(logical: string, value: bigint): string | undefined {
  const perMilli = logical.endsWith("-micros") ? 1000n : logical.endsWith("-nanos") ? 1_000_000n : 1n;
  if (logical === "date") return isoOf(Number(value) * dayMs)?.slice(0, 10);
  if (!/^(?:local-)?timestamp-(?:millis|micros|nanos)$/.test(logical)) return undefined;
  const rest = ((value % perMilli) + perMilli) % perMilli;
  const text = isoOf(Number((value - rest) / perMilli));
  const more = perMilli === 1n ? "" : String(rest).padStart(String(perMilli).length - 1, "0");
  return text?.replace("Z", `${more}${logical.startsWith("local") ? "" : "Z"}`);
}

function isoOf(millis: number): string | undefined {
  const date = new Date(millis);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

function bytesOf(bytes: Uint8Array, logical: AvroLogical | undefined): Value {
  if (logical?.name !== "decimal" || bytes.length === 0) return { kind: "bytes", bytes };
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const unscaled = BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`));
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(logical.scale + 1, "0");
  const whole = digits.slice(0, digits.length - logical.scale);
  const fraction = digits.slice(digits.length - logical.scale);
  return { kind: "number", text: `${unscaled < 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}` };
}
