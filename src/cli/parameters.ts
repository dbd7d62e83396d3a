// How commands say which arguments and options they take.

import type { Argument, Completes, Option, Parse } from "./parameter.ts";
import { UsageError } from "./usage-error.ts";

interface ArgumentDetails {
  readonly completes?: Completes;
  readonly choices?: readonly string[];
}

/** What must be given. */
export function required<T>(parse: Parse<T>, doc: string, details: ArgumentDetails = {}): Argument<T> {
  return {
    ...described(doc, details),
    arity: "one",
    read: ([text = ""]) => parse(text),
  };
}

/** What may be left out. */
export function optional<T>(parse: Parse<T>, doc: string, details: ArgumentDetails = {}): Argument<T | undefined> {
  return {
    ...described(doc, details),
    arity: "optional",
    read: ([text]) => (text === undefined ? undefined : parse(text)),
  };
}

/** All that is left of the command line, possibly nothing. */
export function rest<T>(parse: Parse<T>, doc: string, details: ArgumentDetails = {}): Argument<readonly T[]> {
  return { ...described(doc, details), arity: "many", read: (texts) => texts.map((text) => parse(text)) };
}

function described(doc: string, { completes, choices = [] }: ArgumentDetails) {
  return { doc, completes, choices };
}

interface OptionDetails {
  readonly choices?: readonly string[];
  readonly isIgnored?: boolean;
}

function optionOf<T>(
  flags: string,
  doc: string,
  arity: Option<T>["arity"],
  read: Option<T>["read"],
  { choices = [], isIgnored = false }: OptionDetails = {},
): Option<T> {
  return { flags, doc, arity, choices, isIgnored, read };
}

/** On or off. */
export function flag(flags: string, doc: string, details?: OptionDetails): Option<boolean> {
  return optionOf(flags, doc, "flag", (texts) => texts !== undefined, details);
}

/** With one value; undefined if it is not given. */
export function option<T>(flags: string, parse: Parse<T>, doc: string, details?: OptionDetails): Option<T | undefined> {
  return optionOf(flags, doc, "one", (texts) => (texts === undefined ? undefined : parse(texts.at(-1) ?? "")), details);
}

/** With one value, and one that holds if none is given. */
export function optionOr<T>(
  flags: string,
  parse: Parse<T>,
  otherwise: T,
  doc: string,
  details?: OptionDetails,
): Option<T> {
  return optionOf(flags, doc, "one", (texts) => (texts === undefined ? otherwise : parse(texts.at(-1) ?? "")), details);
}

/** One value each time it is given. */
export function repeated<T>(
  flags: string,
  parse: Parse<T>,
  doc: string,
  details?: OptionDetails,
): Option<readonly T[]> {
  return optionOf(flags, doc, "each", (texts = []) => texts.map((text) => parse(text)), details);
}

/** Several values in a row. */
export function several<T>(flags: string, parse: Parse<T>, doc: string, details?: OptionDetails): Option<readonly T[]> {
  return optionOf(flags, doc, "many", (texts = []) => texts.map((text) => parse(text)), details);
}

/** One of a few words. */
export function oneOf<Word extends string>(words: readonly Word[]): Parse<Word> {
  return (text) => {
    const word = words.find((candidate) => candidate === text.toLowerCase());
    if (word === undefined) throw new UsageError(`is not one of ${words.join(", ")}`);
    return word;
  };
}

const listModes = ["table", "list"] as const;

/** `-l` of everything that lists, as in the original: how the list looks. */
export const listMode: Option<(typeof listModes)[number] | undefined> = option(
  "-l, --list-mode <MODE>",
  oneOf(listModes),
  "How it is shown: table or list (fields with | between them)",
  { choices: listModes },
);
