// Schemas that a reader brings: Avro and Protocol Buffers. They are read here, in the page: the decoders make no code of them and
// count what they do, so that no schema and no payload can run on.

import { decodeAvro } from "./binary/avro.ts";
import { parseAvroSchema } from "./binary/avro-schema.ts";
import { readDescriptorSet } from "./binary/descriptor-set.ts";
import { type ProtoSchema, parseProto } from "./binary/proto-schema.ts";
import { decodeProtobuf } from "./binary/protobuf.ts";
import { DecodeError } from "./binary/reader.ts";
import type { Value } from "./values.ts";

export type SchemaFile = { readonly name: string; readonly bytes: Uint8Array };

/** As it is kept. */
export type KeptSchema = {
  readonly name: string;
  readonly kind: "avro" | "protobuf";
  readonly files: readonly SchemaFile[];
  /** The message type that is read, of Protocol Buffers. */
  readonly type: string;
  /** Topics that are read by it, as `stream/topic`. */
  readonly topics: readonly string[];
};

export type Schema = {
  readonly format: "avro" | "protobuf";
  /** Throws DecodeError. */
  readonly decode: (payload: Uint8Array) => Value;
};

/** `kind` undefined: by the names of the files. Throws DecodeError (`schema`) for files that are no schema. */
export function kindOfFiles(files: readonly SchemaFile[]): KeptSchema["kind"] {
  return files.every(({ name }) => /\.(?:avsc|json)$/i.test(name)) ? "avro" : "protobuf";
}

/** Message types that may be read, without those that are inside of maps; none for Avro. Throws DecodeError. */
export function typesOf({ kind, files }: Pick<KeptSchema, "kind" | "files">): readonly string[] {
  if (kind === "avro") {
    avroOf(files);
    return [];
  }
  const { messages } = protobufOf(files);
  return [...messages.values()].filter(({ isMapEntry }) => !isMapEntry).map(({ name }) => name);
}

/** Throws DecodeError. */
export function openSchema({ kind, files, type }: KeptSchema): Schema {
  if (kind === "avro") {
    const schema = avroOf(files);
    return { format: kind, decode: (payload) => decodeAvro(schema, payload) };
  }
  const schema = protobufOf(files);
  return { format: kind, decode: (payload) => decodeProtobuf(schema, type, payload) };
}

function avroOf(files: readonly SchemaFile[]) {
  const [file] = files;
  if (file === undefined || files.length > 1) throw new DecodeError("schema", 0, "one .avsc file is expected");
  return parseAvroSchema(textOf(file));
}

function protobufOf(files: readonly SchemaFile[]): ProtoSchema {
  const [file] = files;
  if (file === undefined) throw new DecodeError("schema", 0, "a file is expected");
  const isText = files.every(({ name }) => /\.proto$/i.test(name));
  if (isText) return parseProto(files.map(textOf));
  if (files.length > 1) throw new DecodeError("schema", 0, "several .proto files or one descriptor set are expected");
  return readDescriptorSet(file.bytes);
}

function textOf({ name, bytes }: SchemaFile): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new DecodeError("schema", 0, `${name} is not text`);
  }
}
