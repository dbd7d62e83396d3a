// Errors as codes and one class: every expected failure is an IggyError, whatever layer it comes from.

import { type ErrorName, errorCodes } from "./error-codes.ts";

export { type ErrorName, errorCodes };

/** Whether `text` is the PascalCase name of an error. */
export function isErrorName(text: string): text is ErrorName {
  return Object.hasOwn(errorCodes, text);
}

const namesByCode = new Map<number, ErrorName>();
for (const name of Object.keys(errorCodes)) {
  if (isErrorName(name)) namesByCode.set(errorCodes[name], name);
}

/** Name of an error code; undefined for a number that is no error's. */
export function errorNameOf(code: number): ErrorName | undefined {
  return namesByCode.get(code);
}

/** What an error is about, in the order of its text in the table. */
export type ErrorParams = readonly (string | number | bigint)[];

/** Marks errors of every copy of this class: a page may load the package twice, and `instanceof` tells copies apart. */
const brand = Symbol.for("whippet.IggyError");

/** `StreamIdNotFound` -> `Stream id not found`. */
function wordsOf(name: ErrorName): string {
  return name.replace(/(?!^)[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/**
 * An expected failure with its place among the errors of the protocol. `message` is its name in words, with what it is about;
 * `cause` is kept for the log and never sent.
 */
export class IggyError extends Error {
  readonly code: number;
  readonly errorName: ErrorName;
  readonly params: ErrorParams;

  constructor(name: ErrorName, params: ErrorParams = [], options?: { cause?: unknown }) {
    super(params.length === 0 ? wordsOf(name) : `${wordsOf(name)}: ${params.join(", ")}`, options);
    this.name = "IggyError";
    this.code = errorCodes[name];
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

  /** The error of a reply status; a number that is not in the table becomes `Error` (1), as in the released clients. */
  static ofCode(code: number): IggyError {
    return new IggyError(errorNameOf(code) ?? "Error");
  }
}

/** An IggyError as it is; anything else becomes `Error` (1) that keeps the thrown value as its cause. */
export function toIggyError(thrown: unknown): IggyError {
  return thrown instanceof IggyError ? thrown : new IggyError("Error", [], { cause: thrown });
}
