// Types that JSON schema has no checked form for. Each says in the document what a client sends, and is checked here against
// what the parsers deliver: integers beyond 2^53 as bigints, numbers in a query as text (spec HA 1.4 to 1.6). The types are
// TypeBox's own: the router's variants take "5" for a number.
import {
  Kind,
  type TObject,
  type TProperties,
  type TSchema,
  type TUnsafe,
  TypeRegistry,
  Type as t,
} from "@sinclair/typebox";
import { isNameSize, parseU32, u32Max } from "../identifiers.ts";

const u64Max = 2n ** 64n - 1n;

/** A kind of its own with a check and its form in the document. */
function checked<T>(kind: string, check: (value: unknown) => boolean, schema: Record<string, unknown>): TUnsafe<T> {
  TypeRegistry.Set(kind, (_schema, value) => check(value));
  return t.Unsafe<T>({ ...schema, [Kind]: kind });
}

/** An object whose unknown fields are ignored. */
export function object<T extends TProperties>(properties: T, options: { description?: string } = {}): TObject<T> {
  return t.Object(properties, { additionalProperties: true, ...options });
}

/** The field may be missing or null. */
export function optional<T extends TSchema>(schema: T) {
  return t.Optional(t.Union([schema, t.Null()]));
}

/** A value or null, always present. */
export function nullable<T extends TSchema>(schema: T) {
  return t.Union([schema, t.Null()]);
}

export const u8 = t.Integer({ minimum: 0, maximum: 255 });
export const u16 = t.Integer({ minimum: 0, maximum: 65_535 });
export const u32 = t.Integer({ minimum: 0, maximum: u32Max, format: "uint32" });

function isU64(value: unknown): boolean {
  if (typeof value === "number") return Number.isInteger(value) && value >= 0;
  return typeof value === "bigint" && value >= 0n && value <= u64Max;
}

/** Exact over the whole range: up to 20 digits. */
export const u64 = checked<number | bigint>("whippet:u64", isU64, { type: "integer", minimum: 0, format: "uint64" });

/** Microseconds since the epoch. */
export const timestamp = u64;

/** `69.092 KB`: see sizes.ts. */
export const sizeString = t.String({ pattern: "^[0-9.]+ (?:B|[KMGTPE]i?B)$", examples: ["69.092 KB"] });

/** A number or a name in a query or a path. */
export const identifierText = checked<string>(
  "whippet:identifier-text",
  (value) => isText(value) && isNameSize(value),
  {
    type: "string",
    minLength: 1,
    description: "A number, or a name of 1 to 255 bytes.",
  },
);

/** A consumer in a body: a number, or text as in a path. */
export const identifierValue = checked<string | number>(
  "whippet:identifier-value",
  (value) =>
    isText(value) ? isNameSize(value) : Number.isInteger(value) && Number(value) >= 0 && Number(value) <= u32Max,
  {
    anyOf: [
      { type: "integer", minimum: 0, maximum: u32Max },
      { type: "string", minLength: 1 },
    ],
    description: "A number, or a name of 1 to 255 bytes.",
  },
);

/** An unsigned 32-bit number in a query or a path. */
export const u32Text = checked<string>("whippet:u32-text", (value) => isText(value) && parseU32(value) !== undefined, {
  type: "integer",
  minimum: 0,
  maximum: u32Max,
  format: "uint32",
});

export const u64Text = checked<string>(
  "whippet:u64-text",
  (value) => isText(value) && /^\+?\d{1,40}$/.test(value) && BigInt(value.replace("+", "")) <= u64Max,
  { type: "integer", minimum: 0, format: "uint64" },
);

export const boolText = checked<string>("whippet:bool-text", (value) => value === "true" || value === "false", {
  type: "boolean",
});

export function oneOfTexts<const T extends string>(words: readonly T[]): TUnsafe<T> {
  return t.Unsafe<T>(t.Union(words.map((word) => t.Literal(word))));
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
