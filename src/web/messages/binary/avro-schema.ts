// Schemas of Avro (avro.apache.org, specification 1.12) as a decoder uses them: names are found once, at the beginning.
import { DecodeError } from "./reader.ts";

export type AvroPrimitive = "null" | "boolean" | "int" | "long" | "float" | "double" | "bytes" | "string";

export type AvroType =
  | { readonly kind: AvroPrimitive; readonly logical: AvroLogical | undefined }
  | {
      readonly kind: "record";
      readonly name: string;
      fields: readonly { readonly name: string; readonly type: AvroType }[];
    }
  | { readonly kind: "enum"; readonly name: string; readonly symbols: readonly string[] }
  | { readonly kind: "fixed"; readonly name: string; readonly size: number; readonly logical: AvroLogical | undefined }
  | { readonly kind: "array" | "map"; readonly items: AvroType }
  | { readonly kind: "union"; readonly of: readonly AvroType[] };

/** `scale`: digits behind the point, of a decimal. */
export type AvroLogical = { readonly name: string; readonly scale: number };

const primitives: ReadonlySet<string> = new Set<AvroPrimitive>([
  ...(["null", "boolean", "int", "long", "float", "double", "bytes", "string"] as const),
]);

/** `text`: of an .avsc file. Throws DecodeError (`schema`) for what is no schema. */
export function parseAvroSchema(text: string): AvroType {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw wrong(`not JSON: ${error instanceof Error ? error.message : ""}`);
  }
  return typeOf(json, "", new Map());
}

function wrong(detail: string): DecodeError {
  return new DecodeError("schema", 0, detail);
}

function typeOf(json: unknown, namespace: string, named: Map<string, AvroType>): AvroType {
  if (typeof json === "string") return typeOfName(json, namespace, named, undefined);
  if (Array.isArray(json)) return { kind: "union", of: json.map((branch) => typeOf(branch, namespace, named)) };
  if (typeof json !== "object" || json === null) throw wrong("a type is a name, a list or an object");
  const object = json as Readonly<Record<string, unknown>>;
  const { type } = object;
  switch (type) {
    case "record":
    case "error":
      return recordOf(object, namespace, named);
    case "enum": {
      const symbols = object.symbols;
      if (!Array.isArray(symbols)) throw wrong("an enum has symbols");
      const { name, full } = nameOf(object, namespace);
      return named.set(full, { kind: "enum", name, symbols: symbols.map(String) }).get(full)!;
    }
    case "fixed": {
      const { size } = object;
      if (typeof size !== "number" || !Number.isInteger(size) || size < 0) throw wrong("a fixed has a size");
      const { name, full } = nameOf(object, namespace);
      return named.set(full, { kind: "fixed", name, size, logical: logicalOf(object) }).get(full)!;
    }
    case "array":
      return { kind: "array", items: typeOf(object.items, namespace, named) };
    case "map":
      return { kind: "map", items: typeOf(object.values, namespace, named) };
    default:
      return typeof type === "string"
        ? typeOfName(type, namespace, named, logicalOf(object))
        : typeOf(type, namespace, named);
  }
}

function typeOfName(
  name: string,
  namespace: string,
  named: ReadonlyMap<string, AvroType>,
  logical: AvroLogical | undefined,
): AvroType {
  if (primitives.has(name)) return { kind: name as AvroPrimitive, logical };
  const found = named.get(name.includes(".") || namespace === "" ? name : `${namespace}.${name}`) ?? named.get(name);
  if (found === undefined) throw wrong(`the type ${name} is not known`);
  return found;
}

function recordOf(
  object: Readonly<Record<string, unknown>>,
  namespace: string,
  named: Map<string, AvroType>,
): AvroType {
  const { name, full, inside } = nameOf(object, namespace);
  const { fields } = object;
  if (!Array.isArray(fields)) throw wrong(`the record ${name} has no fields`);
  // A record may hold itself, so it has its name before its fields.
  const record: Extract<AvroType, { kind: "record" }> = { kind: "record", name, fields: [] };
  named.set(full, record);
  record.fields = fields.map((field: unknown) => {
    const entry = field as Readonly<Record<string, unknown>> | null;
    if (typeof entry?.name !== "string") throw wrong(`a field of ${name} has no name`);
    return { name: entry.name, type: typeOf(entry.type, inside, named) };
  });
  return record;
}

function nameOf(object: Readonly<Record<string, unknown>>, outer: string) {
  const { name } = object;
  if (typeof name !== "string" || name === "") throw wrong("a named type has a name");
  const dot = name.lastIndexOf(".");
  const own = typeof object.namespace === "string" ? object.namespace : outer;
  const inside = dot >= 0 ? name.slice(0, dot) : own;
  const short = name.slice(dot + 1);
  return { name: short, full: inside === "" ? short : `${inside}.${short}`, inside };
}

function logicalOf(object: Readonly<Record<string, unknown>>): AvroLogical | undefined {
  const { logicalType, scale } = object;
  if (typeof logicalType !== "string") return undefined;
  return { name: logicalType, scale: typeof scale === "number" ? scale : 0 };
}
