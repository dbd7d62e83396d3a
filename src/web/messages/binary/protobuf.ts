// The wire format of Protocol Buffers (protobuf.dev, encoding), read by a message type into a tree. Fields that the type does not
// have are shown by their numbers.
import type { Value } from "../values.ts";
import { type ProtoField, type ProtoMessage, type ProtoSchema, protoScalars } from "./proto-schema.ts";
import { ByteSource, DecodeError, floatText } from "./reader.ts";

const wire = { varint: 0, fixed64: 1, bytes: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const;
const varintBytesMax = 10;
const zigzagTypes: ReadonlySet<string> = new Set(["sint32", "sint64"]);
/** How scalars stand on the wire; all others are varints. */
const wireOfScalar: Readonly<Record<string, number>> = {
  double: wire.fixed64,
  fixed64: wire.fixed64,
  sfixed64: wire.fixed64,
  float: wire.fixed32,
  fixed32: wire.fixed32,
  sfixed32: wire.fixed32,
  string: wire.bytes,
  bytes: wire.bytes,
};

/** One message that takes all bytes. Throws DecodeError, also for a type that the schema does not have. */
export function decodeProtobuf(schema: ProtoSchema, typeName: string, payload: Uint8Array): Value {
  const type = schema.messages.get(typeName);
  if (type === undefined) throw new DecodeError("schema", 0, typeName);
  const source = new ByteSource(payload);
  return readMessage(source, schema, type);
}

type Found = { readonly key: Value; readonly values: Value[]; readonly isList: boolean; readonly isMap: boolean };

function readMessage(source: ByteSource, schema: ProtoSchema, type: ProtoMessage): Value {
  const found = new Map<number, Found>();
  source.within(() => {
    while (!source.isAtEnd) readField(source, schema, type, found);
  });
  return {
    kind: "map",
    entries: [...found.values()].map(({ key, values, isList, isMap }) => {
      if (isMap) return [key, { kind: "map", entries: values.map(entryOf) }];
      // Of a single field that comes twice the last one holds.
      return [key, isList ? { kind: "list", items: values } : values.at(-1)!];
    }),
  };
}

function readField(source: ByteSource, schema: ProtoSchema, type: ProtoMessage, found: Map<number, Found>): void {
  source.count();
  const at = source.position;
  const tag = varint(source);
  const number = Number(tag >> 3n);
  const wireType = Number(tag & 7n);
  if (number < 1 || number > 0x1fffffff) throw new DecodeError("unknown", at, `field ${tag >> 3n}`);
  const field = type.fields.get(number);
  if (field === undefined) {
    const values = found.get(number)?.values ?? [];
    values.push(readUnknown(source, wireType, number, at));
    const isList = values.length > 1;
    found.set(number, { key: { kind: "number", text: String(number) }, values, isList, isMap: false });
    return;
  }
  const isMap = schema.messages.get(field.type)?.isMapEntry === true;
  const entry = found.get(number) ?? {
    key: { kind: "string", text: field.name },
    values: [],
    isList: field.isRepeated,
    isMap,
  };
  found.set(number, entry);
  const expected = wireOf(schema, field.type);
  if (wireType === expected) {
    entry.values.push(readOne(source, schema, field.type, wireType));
  } else if (wireType === wire.bytes && expected !== wire.bytes && field.isRepeated) {
    const packed = new ByteSource(source.bytes(varint(source)), source);
    while (!packed.isAtEnd) {
      entry.values.push(readOne(packed, schema, field.type, expected));
    }
  } else {
    throw new DecodeError("value", at, `${field.name}: ${nameOf(field, schema)}`);
  }
}

function nameOf({ type }: ProtoField, schema: ProtoSchema): string {
  return schema.messages.get(type)?.isMapEntry === true ? "map" : type;
}

function wireOf(schema: ProtoSchema, type: string): number {
  if (schema.messages.has(type)) return wire.bytes;
  return wireOfScalar[type] ?? wire.varint;
}

function readOne(source: ByteSource, schema: ProtoSchema, type: string, wireType: number): Value {
  source.count();
  switch (wireType) {
    case wire.varint:
      return ofVarint(varint(source), schema, type);
    case wire.fixed64:
      if (type === "double") return { kind: "number", text: floatText(source.float64(true), false) };
      return integer(type === "sfixed64" ? BigInt.asIntN(64, source.u64Little()) : source.u64Little());
    case wire.fixed32:
      if (type === "float") return { kind: "number", text: floatText(source.float32(true), true) };
      return integer(type === "sfixed32" ? source.u32Little() | 0 : source.u32Little());
    default: {
      const size = varint(source);
      if (type === "string") return { kind: "string", text: source.text(size) };
      if (type === "bytes") return { kind: "bytes", bytes: source.bytes(size) };
      const message = schema.messages.get(type)!;
      const start = source.position;
      const inner = new ByteSource(source.bytes(size), source);
      try {
        return readMessage(inner, schema, message);
      } catch (error) {
        // Where it is in the whole payload.
        if (!(error instanceof DecodeError)) throw error;
        throw new DecodeError(error.problem, start + error.position, error.detail);
      }
    }
  }
}

function ofVarint(value: bigint, schema: ProtoSchema, type: string): Value {
  if (type === "bool") return { kind: "word", text: value === 0n ? "false" : "true" };
  if (zigzagTypes.has(type)) return integer((value >> 1n) ^ -(value & 1n));
  if (type === "uint32" || type === "uint64") return integer(value);
  const signed = type === "int64" ? BigInt.asIntN(64, value) : BigInt.asIntN(32, value);
  if (protoScalars.has(type)) return integer(signed);
  const name = schema.enums.get(type)?.get(Number(signed));
  return name === undefined ? integer(signed) : { kind: "string", text: name };
}

function readUnknown(source: ByteSource, wireType: number, number: number, at: number): Value {
  switch (wireType) {
    case wire.varint:
      return integer(varint(source));
    case wire.fixed64:
      return integer(source.u64Little());
    case wire.fixed32:
      return integer(source.u32Little());
    case wire.bytes:
      return { kind: "bytes", bytes: source.bytes(varint(source)) };
    default:
      throw new DecodeError("unknown", at, `field ${number}, wire type ${wireType}`);
  }
}

function entryOf(entry: Value): readonly [Value, Value] {
  const entries = entry.kind === "map" ? entry.entries : [];
  const of = (name: string): Value =>
    entries.find(([key]) => key.kind === "string" && key.text === name)?.[1] ?? { kind: "word", text: "default" };
  return [of("key"), of("value")];
}

function integer(value: bigint | number): Value {
  return { kind: "number", text: String(value) };
}

function varint(source: ByteSource): bigint {
  const at = source.position;
  let value = 0n;
  for (let index = 0; index < varintBytesMax; index++) {
    const byte = source.u8();
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return BigInt.asUintN(64, value);
  }
  throw new DecodeError("value", at, "integer");
}
