// As much of JSON schema as the OpenAPI document uses: values that fit a schema, and whether a value fits. Integers beyond 2^53
// come from JSON.parse rounded, which no rule here minds.
import fc from "fast-check";

export interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly format?: string;
}

/** What is wrong with a value, with its path; undefined if it fits. Throws for a schema that says nothing. */
export function misfit(schema: Schema, value: unknown, path = ""): string | undefined {
  const wrong = (rule: string) => `${path || "/"}: ${JSON.stringify(value)} is not ${rule}`;
  if (schema.anyOf !== undefined) {
    return schema.anyOf.some((option) => misfit(option, value, path) === undefined)
      ? undefined
      : wrong("any of the options");
  }
  if (schema.const !== undefined) return value === schema.const ? undefined : wrong(String(schema.const));
  if (schema.enum !== undefined) return schema.enum.includes(value) ? undefined : wrong(schema.enum.join(" or "));
  if (schema.type === undefined) throw new Error(`${path}: a schema without a type: ${JSON.stringify(schema)}`);
  if (typeof schema.type !== "string") {
    const options = schema.type.map((type) => misfit({ ...schema, type }, value, path));
    return options.includes(undefined) ? undefined : wrong(schema.type.join(" or "));
  }
  switch (schema.type) {
    case "null":
      return value === null ? undefined : wrong("null");
    case "boolean":
      return typeof value === "boolean" ? undefined : wrong("a boolean");
    case "integer":
    case "number": {
      if (typeof value !== "number" || (schema.type === "integer" && !Number.isInteger(value)))
        return wrong(schema.type);
      const isWithin =
        value >= (schema.minimum ?? Number.NEGATIVE_INFINITY) && value <= (schema.maximum ?? Number.POSITIVE_INFINITY);
      return isWithin ? undefined : wrong("within the range");
    }
    case "string": {
      if (typeof value !== "string") return wrong("a string");
      if (value.length < (schema.minLength ?? 0)) return wrong("long enough");
      if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value)) return wrong(schema.pattern);
      if (schema.format === "byte" && Buffer.from(value, "base64").toString("base64") !== value) return wrong("base64");
      return undefined;
    }
    case "array": {
      if (!Array.isArray(value)) return wrong("an array");
      if (schema.items === undefined) throw new Error(`${path}: an array of what?`);
      for (const [index, item] of value.entries()) {
        const found = misfit(schema.items, item, `${path}/${index}`);
        if (found !== undefined) return found;
      }
      return undefined;
    }
    case "object":
      return objectMisfit(schema, value, path);
    default:
      throw new Error(`${path}: unknown type ${schema.type}`);
  }
}

function objectMisfit(schema: Schema, value: unknown, path: string): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return `${path || "/"}: not an object`;
  for (const name of schema.required ?? []) if (!(name in value)) return `${path}/${name}: missing`;
  for (const [name, inner] of Object.entries(value)) {
    const byPattern = Object.entries(schema.patternProperties ?? {}).find(([pattern]) =>
      new RegExp(pattern).test(name),
    );
    const own = schema.properties?.[name] ?? byPattern?.[1];
    // An answer has the documented fields and no others.
    if (own === undefined) return `${path}/${name}: not in the schema`;
    const found = misfit(own, inner, `${path}/${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Values that fit. Numbers and texts are small, so that they sometimes mean something. */
export function fitting(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(fitting));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (typeof schema.type !== "string")
    return fc.oneof(...(schema.type ?? []).map((type) => fitting({ ...schema, type })));
  switch (schema.type) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.oneof(
        fc.integer({ min: schema.minimum ?? 0, max: 3 }),
        fc
          .integer({ min: 0, max: schema.maximum ?? 2 ** 31 - 1 })
          .map((value) => Math.min(value, schema.maximum ?? value)),
      );
    case "number":
      return fc.double({ noNaN: true });
    case "string":
      return text(schema);
    case "array":
      return fc.array(fitting(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: 3 });
    case "object": {
      const map = Object.entries(schema.patternProperties ?? {})[0];
      if (map !== undefined)
        return fc.dictionary(fc.stringMatching(new RegExp(map[0])), fitting(map[1]), { maxKeys: 2 });
      const fields = Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, fitting(inner)]),
      );
      return fc.record(fields, { requiredKeys: [...(schema.required ?? [])] });
    }
    default:
      throw new Error(`unknown type ${schema.type}`);
  }
}

function text(schema: Schema): fc.Arbitrary<string> {
  if (schema.format === "byte") return fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => bytes.toBase64());
  if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern));
  const names = fc.constantFrom("s", "t", "g", "alice", "0", "1", "iggy");
  return fc.oneof(
    { weight: 3, arbitrary: names },
    fc.string({ minLength: schema.minLength ?? 0, maxLength: 40, unit: "grapheme" }),
  );
}
