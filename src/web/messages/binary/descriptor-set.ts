// A descriptor set (`protoc --descriptor_set_out --include_imports`): itself a message of Protocol Buffers, read with the part of
// descriptor.proto that is needed here.
import { type Value, valuesAt } from "../values.ts";
import { type ProtoField, type ProtoMessage, type ProtoSchema, parseProto } from "./proto-schema.ts";
import { decodeProtobuf } from "./protobuf.ts";
import { DecodeError } from "./reader.ts";

const descriptorProto = `
message FileDescriptorSet { repeated FileDescriptorProto file = 1; }
message FileDescriptorProto {
  optional string package = 2; repeated DescriptorProto message_type = 4; repeated EnumDescriptorProto enum_type = 5;
}
message DescriptorProto {
  optional string name = 1; repeated FieldDescriptorProto field = 2; repeated DescriptorProto nested_type = 3;
  repeated EnumDescriptorProto enum_type = 4; optional MessageOptions options = 7;
}
message FieldDescriptorProto {
  optional string name = 1; optional int32 number = 3; optional int32 label = 4; optional int32 type = 5; optional string type_name = 6;
}
message EnumDescriptorProto { optional string name = 1; repeated EnumValueDescriptorProto value = 2; }
message EnumValueDescriptorProto { optional string name = 1; optional int32 number = 2; }
message MessageOptions { optional bool map_entry = 7; }`;

/** By number of FieldDescriptorProto.Type; those without a scalar have a name of their own. */
const scalars: readonly (string | undefined)[] = [
  ...[undefined, "double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string"],
  ...[undefined, undefined, "bytes", "uint32", undefined, "sfixed32", "sfixed64", "sint32", "sint64"],
];
const repeatedLabel = "3";

/** Throws DecodeError. */
export function readDescriptorSet(bytes: Uint8Array): ProtoSchema {
  const set = decodeProtobuf(parseProto([descriptorProto]), "FileDescriptorSet", bytes);
  const messages = new Map<string, ProtoMessage>();
  const enums = new Map<string, ReadonlyMap<number, string>>();
  for (const file of listAt(set, "file")) {
    const scope = textAt(file, "package");
    for (const message of listAt(file, "message_type")) addMessage(message, scope, messages, enums);
    for (const one of listAt(file, "enum_type")) addEnum(one, scope, enums);
  }
  if (messages.size === 0) throw new DecodeError("schema", 0, "no message types");
  return { messages, enums };
}

function addMessage(
  value: Value,
  scope: string,
  messages: Map<string, ProtoMessage>,
  enums: Map<string, ReadonlyMap<number, string>>,
): void {
  const name = joined(scope, textAt(value, "name"));
  const fields = new Map<number, ProtoField>();
  for (const field of listAt(value, "field")) {
    const scalar = scalars[Number(textAt(field, "type"))];
    const type = scalar ?? textAt(field, "type_name").replace(/^\./, "");
    const isRepeated = textAt(field, "label") === repeatedLabel;
    fields.set(Number(textAt(field, "number")), { name: textAt(field, "name"), isRepeated, type });
  }
  const isMapEntry = valuesAt(value, ["options", "map_entry"]).some(
    (flag) => flag.kind === "word" && flag.text === "true",
  );
  messages.set(name, { name, fields, isMapEntry });
  for (const nested of listAt(value, "nested_type")) addMessage(nested, name, messages, enums);
  for (const one of listAt(value, "enum_type")) addEnum(one, name, enums);
}

function addEnum(value: Value, scope: string, enums: Map<string, ReadonlyMap<number, string>>): void {
  const names = new Map<number, string>();
  for (const entry of listAt(value, "value")) names.set(Number(textAt(entry, "number") || "0"), textAt(entry, "name"));
  enums.set(joined(scope, textAt(value, "name")), names);
}

function joined(scope: string, name: string): string {
  return scope === "" ? name : `${scope}.${name}`;
}

function listAt(value: Value, name: string): readonly Value[] {
  return valuesAt(value, [name]).flatMap((list) => (list.kind === "list" ? list.items : []));
}

function textAt(value: Value, name: string): string {
  const found = valuesAt(value, [name])[0];
  return found?.kind === "string" || found?.kind === "number" ? found.text : "";
}
