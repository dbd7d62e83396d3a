// The options that comparisons with others share, and the choice of those that take part, by name.
import { resolve } from "node:path";
import { parseArgs } from "node:util";

export interface ComparisonOptions {
  /** Where `npm run peers:install` put the others. */
  readonly cache: string;
  /** Whippet's executable; this checkout's source if undefined. */
  readonly whippet: string | undefined;
  readonly rounds: number;
  /** About how long a measured part takes. */
  readonly seconds: number;
  /** Files for the figures, if they are wanted. */
  readonly files: { readonly json: string | undefined; readonly markdown: string | undefined };
  /** The value of an option of this comparison alone. */
  own(name: string): string | undefined;
}

/**
 * Reads the command line. `defaults`: of rounds and seconds. `own`: names of further options, with their defaults. Prints `usage` and
 * ends the program when it is asked for, or when the cache is not named.
 */
export function readOptions(
  usage: string,
  defaults: { readonly rounds: string; readonly seconds: string },
  own: Readonly<Record<string, string | undefined>>,
): ComparisonOptions {
  const { values } = parseArgs({
    options: {
      cache: { type: "string" },
      whippet: { type: "string" },
      rounds: { type: "string", default: defaults.rounds },
      seconds: { type: "string", default: defaults.seconds },
      json: { type: "string" },
      markdown: { type: "string" },
      help: { type: "boolean", default: false },
      ...Object.fromEntries(Object.keys(own).map((name) => [name, { type: "string" } as const])),
    },
  });
  if (values.help || values.cache === undefined) {
    console.log(usage);
    process.exit(values.help ? 0 : 2);
  }
  const all: Readonly<Record<string, unknown>> = values;
  return {
    cache: resolve(values.cache),
    whippet: values.whippet === undefined ? undefined : resolve(values.whippet),
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    files: { json: values.json, markdown: values.markdown },
    own(name) {
      const value = all[name];
      return typeof value === "string" ? value : own[name];
    },
  };
}

/** Those of `all` that are called so. Throws for a name that is none; `what` they are, for example "client". */
export function chosenBy<T>(names: readonly string[], all: Readonly<Record<string, T>>, what: string): readonly T[] {
  return names.map((name) => {
    const one = all[name];
    if (one === undefined) throw new Error(`there is no ${what} ${name}`);
    return one;
  });
}
