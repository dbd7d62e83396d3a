// Walks the schema over the three layers (environment, file, default) and makes the typed configuration. A broken rule
// never stops the walk: it is recorded, and the default stands in, so that one run reports everything.

import { CpuAllocationError } from "./cpu-allocation.ts";
import { ENVIRONMENT_INDEX_COUNT, type Environment } from "./environment.ts";
import { didYouMean } from "./near.ts";
import {
  childPath,
  environmentName,
  type Field,
  type InferShape,
  type Node,
  RuleError,
  type Shape,
  type TableList,
  tomlName,
} from "./schema/node.ts";
import { UnitError } from "./units.ts";

export const MASK = "******";

/** Where a key's value came from: the text as given (masked when secret) and the name of the layer. */
export interface Origin {
  readonly shown: string;
  readonly layer: string;
}

/** What reading needs and what it collects. */
export interface Reading {
  readonly environment: Environment;
  /** Name of the file in messages. */
  readonly fileName: string;
  /** Key path to origin, for keys that are not at their default. */
  readonly origins: Map<string, Origin>;
  /** Key path to message. */
  readonly violations: Map<string, string>;
  readonly warnings: string[];
}

/** One line about a key: `key = value (layer): rule`. */
export function describeViolation(key: string, origin: Origin | undefined, rule: string): string {
  return origin === undefined ? `${key}: ${rule}` : `${key} = ${origin.shown} (${origin.layer}): ${rule}`;
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function own(table: unknown, name: string): unknown {
  return isTable(table) && Object.hasOwn(table, name) ? table[name] : undefined;
}

function show(value: unknown, secret: boolean): string {
  if (secret) return MASK;
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? String(part) : part)) ?? String(value);
}

function isBrokenRule(error: unknown): error is Error {
  return error instanceof RuleError || error instanceof UnitError || error instanceof CpuAllocationError;
}

function readField(
  field: Field<unknown>,
  path: string,
  fileValue: unknown,
  environmentPath: string,
  reading: Reading,
): unknown {
  const variable = environmentName(environmentPath);
  const text = reading.environment[variable];
  const fromEnvironment = text !== undefined && text !== "";
  if (!fromEnvironment && fileValue === undefined) {
    if (field.required) reading.violations.set(path, describeViolation(path, undefined, "must be given"));
    return field.defaultValue;
  }
  const layer = fromEnvironment ? variable : reading.fileName;
  const origin = { shown: show(fromEnvironment ? text : fileValue, field.secret), layer };
  reading.origins.set(path, origin);
  try {
    const value = fromEnvironment ? field.fromText(text) : field.fromToml(fileValue);
    if (field.isInert && String(value) !== String(field.defaultValue)) {
      reading.warnings.push(describeViolation(path, origin, "the key is accepted and does nothing here"));
    }
    return value;
  } catch (error) {
    if (!isBrokenRule(error)) throw error;
    const line = describeViolation(path, origin, error.message);
    if (field.ignoreInvalid) reading.warnings.push(`${line}; the key is ignored`);
    else reading.violations.set(path, line);
    return field.defaultValue;
  }
}

function readTables(
  list: TableList<Shape>,
  path: string,
  fileValue: unknown,
  environmentPath: string,
  reading: Reading,
): readonly InferShape<Shape>[] {
  // Elements named in the environment replace the list as a whole, as an array does in every layer (spec SB 1.1).
  let count = ENVIRONMENT_INDEX_COUNT;
  const isNamed = (index: number): boolean => {
    const prefix = `${environmentName(`${environmentPath}.${index}`)}_`;
    return Object.entries(reading.environment).some(([name, value]) => name.startsWith(prefix) && value);
  };
  while (count > 0 && !isNamed(count - 1)) count--;
  if (count > 0) {
    return Array.from({ length: count }, (_, index) =>
      readShape(list.shape, `${path}[${index}]`, undefined, `${environmentPath}.${index}`, reading),
    );
  }
  if (fileValue === undefined) return list.defaultValue;
  if (!Array.isArray(fileValue)) {
    const origin = { shown: show(fileValue, false), layer: reading.fileName };
    reading.violations.set(path, describeViolation(path, origin, "must be a list of tables"));
    return list.defaultValue;
  }
  // No environment variable names an element here: with one, the list would have come from the environment.
  return fileValue.map((element: unknown, index) =>
    readShape(list.shape, `${path}[${index}]`, element, `${environmentPath}.${index}`, reading),
  );
}

function readNode(node: Node, path: string, value: unknown, environmentPath: string, reading: Reading): unknown {
  if (node.kind === "field") return readField(node, path, value, environmentPath, reading);
  if (node.kind === "tables") return readTables(node, path, value, environmentPath, reading);
  return readShape(node.shape, path, value, environmentPath, reading);
}

/** Reads every key of the shape; unknown keys of the file's table become warnings. */
export function readShape<S extends Shape>(
  shape: S,
  path: string,
  table: unknown,
  environmentPath: string,
  reading: Reading,
): InferShape<S> {
  if (table !== undefined && !isTable(table)) {
    const origin = { shown: show(table, false), layer: reading.fileName };
    reading.violations.set(path, describeViolation(path, origin, "must be a table"));
  }
  const values: Record<string, unknown> = {};
  const names: string[] = [];
  for (const [property, node] of Object.entries(shape)) {
    const name = tomlName(property, node);
    names.push(name);
    values[property] = readNode(
      node,
      childPath(path, name),
      own(table, name),
      childPath(environmentPath, name),
      reading,
    );
  }
  for (const name of isTable(table) ? Object.keys(table) : []) {
    if (names.includes(name)) continue;
    const key = childPath(path, name);
    reading.warnings.push(`unknown key ${key} in ${reading.fileName} is ignored${didYouMean(name, names)}`);
  }
  // The loop has set every property of the shape, each to its node's type.
  return values as InferShape<S>;
}
