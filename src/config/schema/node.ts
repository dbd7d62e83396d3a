// What a schema is made of: fields, sections and lists of tables. The schema is the only description of the
// configuration: parser, typed `Config`, environment names, masking, dump, config.toml and help text come from it.
//
// Names: a property is the TOML key in camelCase. A field whose value has a unit carries it as a suffix of the property
// (`intervalMicros`, `sizeBytes`) and the suffix is dropped again for TOML (`interval`, `size`); `section` checks that.

/** What a field writes into TOML. */
export type TomlOutput = string | number | boolean | readonly string[];

/** A value that breaks its field's rule; the message is the rule. */
export class RuleError extends Error {
  override readonly name = "RuleError";
}

/** One key. `fromText` reads an environment value, `fromToml` a parsed TOML value; both throw on a broken rule. */
export interface Field<T> {
  readonly kind: "field";
  /** Name of the type in help texts. */
  readonly type: string;
  readonly defaultValue: T;
  /** The default as config.toml shows it; undefined when the key is left out there. */
  readonly defaultToml: TomlOutput | undefined;
  readonly doc: string;
  readonly secret: boolean;
  /** The key is accepted and does nothing; its doc says so. */
  readonly isInert: boolean;
  /** Inside a list of tables: the key must be given. */
  readonly required: boolean;
  /** A broken rule is a warning and the default is used. */
  readonly ignoreInvalid: boolean;
  readonly unitSuffix: "" | "Micros" | "Bytes";
  fromText(text: string): T;
  fromToml(value: unknown): T;
  /** Undefined leaves the key out. */
  toToml(value: T): TomlOutput | undefined;
}

export interface Shape {
  readonly [key: string]: Node;
}

export interface Section<S extends Shape> {
  readonly kind: "section";
  readonly doc: string;
  readonly shape: S;
}

export interface TableList<S extends Shape> {
  readonly kind: "tables";
  readonly doc: string;
  readonly shape: S;
  readonly defaultValue: readonly InferShape<S>[];
}

export type Node = Field<unknown> | Section<Shape> | TableList<Shape>;

/** The value type of a node. */
export type Infer<N> =
  N extends Field<infer T>
    ? T
    : N extends Section<infer S>
      ? InferShape<S>
      : N extends TableList<infer S>
        ? readonly InferShape<S>[]
        : never;

export type InferShape<S> = { readonly [K in keyof S]: Infer<S[K]> };

/** The TOML name of a property: unit dropped, camelCase to snake_case. */
export function tomlName(property: string, node: Node): string {
  const suffix = node.kind === "field" ? node.unitSuffix : "";
  return property.slice(0, property.length - suffix.length).replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The environment variable of a dotted key path (spec SB 1.2). */
export function environmentName(path: string): string {
  return `IGGY_${path.toUpperCase().replaceAll(".", "_")}`;
}

/** The path of a child below a section's path; the root's path is empty. */
export function childPath(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function checkNames(shape: Shape): void {
  for (const [property, node] of Object.entries(shape)) {
    const suffix = node.kind === "field" ? node.unitSuffix : "";
    if (!property.endsWith(suffix) || property === suffix) {
      throw new Error(`schema: the property ${property} must end in ${suffix}`);
    }
  }
}

/** A table of keys. */
export function section<S extends Shape>(shape: S, doc = ""): Section<S> {
  checkNames(shape);
  return { kind: "section", doc, shape };
}

/** A list of tables (`[[name]]`). */
export function tables<S extends Shape>(
  shape: S,
  options: { doc: string; default: readonly InferShape<S>[] },
): TableList<S> {
  checkNames(shape);
  return { kind: "tables", doc: options.doc, shape, defaultValue: options.default };
}
