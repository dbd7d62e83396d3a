// Errors as a table and one class: every expected failure is an IggyError, whatever layer it comes from.

import { type ErrorRow, errorTable } from "./error-table.ts";

export { type ErrorRow, errorTable };

/** PascalCase name of an error, e.g. `StreamIdNotFound`. */
export type ErrorName = keyof typeof errorTable;

/** Whether `text` is the PascalCase name of an error. */
export function isErrorName(text: string): text is ErrorName {
  return Object.hasOwn(errorTable, text);
}

const namesByCode = new Map<number, ErrorName>();
for (const name of Object.keys(errorTable)) {
  if (isErrorName(name)) namesByCode.set(errorTable[name].code, name);
}

/** Name of an error code; undefined for a number that is not in the table. */
export function errorNameOf(code: number): ErrorName | undefined {
  return namesByCode.get(code);
}

/** `StreamIdNotFound` -> `stream_id_not_found`, the form of HTTP bodies (spec BP 5). */
export function snakeNameOf(name: ErrorName): string {
  return name.replace(/(?!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}

/** Parameters of an error text; a missing one becomes empty, as in the released clients. */
export type ErrorParams = readonly (string | number | bigint)[];

/** Marks errors of every copy of this class: a page may load the package twice, and `instanceof` tells copies apart. */
const brand = Symbol.for("whippet.IggyError");

/**
 * An expected failure with its place in the error table. `message` is the text of the table with `{0}`, `{1}` …
 * replaced by `params`; `cause` is kept for the log and never sent.
 */
export class IggyError extends Error {
  readonly code: number;
  readonly errorName: ErrorName;
  readonly params: ErrorParams;

  constructor(name: ErrorName, params: ErrorParams = [], options?: { cause?: unknown }) {
    const row: ErrorRow = errorTable[name];
    super(
      row.text.replace(/\{(\d+)\}/g, (_, index: string) => String(params[Number(index)] ?? "")),
      options,
    );
    this.name = "IggyError";
    this.code = row.code;
    this.errorName = name;
    this.params = params;
  }

  /** True on every instance, and on those of other copies of the package. */
  get [brand](): true {
    return true;
  }

  /** Whether `value` is an IggyError, of whichever copy of this package, with one of `names` if any are given. */
  static is(value: unknown, ...names: readonly ErrorName[]): value is IggyError {
    if (typeof value !== "object" || value === null || !(brand in value) || !("errorName" in value)) return false;
    return names.length === 0 || names.some((name) => name === value.errorName);
  }

  /** Name in snake_case, as HTTP bodies show it. */
  get snakeName(): string {
    return snakeNameOf(this.errorName);
  }

  /** Status of an HTTP reply with this error. */
  get httpStatus(): number {
    return errorTable[this.errorName].httpStatus;
  }

  /** The error of a reply status; a number that is not in the table becomes `Error` (1), as in the released clients. */
  static ofCode(code: number): IggyError {
    return new IggyError(errorNameOf(code) ?? "Error");
  }
}

/** An IggyError as it is; anything else becomes `Error` (1) that keeps the thrown value as its cause. */
export function toIggyError(thrown: unknown): IggyError {
  return thrown instanceof IggyError ? thrown : new IggyError("Error", [], { cause: thrown });
}
