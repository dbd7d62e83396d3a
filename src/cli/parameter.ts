// Arguments and options of commands, as the program sees them.

/** Reads a text of the command line; throws UsageError with a sentence about the value alone ("is not a number"). */
export type Parse<T> = (text: string) => T;

/** Names that the server is asked for when a shell completes an argument. */
export type Completes = "streams" | "topics" | "groups" | "users" | "contexts" | "files";

/** Something that stands at a place of its own, as `<stream>` does. */
export interface Argument<T> {
  readonly doc: string;
  readonly arity: "one" | "optional" | "many";
  readonly choices: readonly string[];
  readonly completes: Completes | undefined;
  /** `texts` is empty only if the arity allows it. */
  read(texts: readonly string[]): T;
}

/** Something with a name that may stand anywhere behind the command. */
export interface Option<T> {
  /** As commander writes them: `-l, --list-mode <MODE>`. */
  readonly flags: string;
  readonly doc: string;
  /** "each": the option may be given more than once; "many": it takes several values in a row. */
  readonly arity: "flag" | "one" | "each" | "many";
  readonly choices: readonly string[];
  /** Of the original, without an effect here; left out of the short help. */
  readonly isIgnored: boolean;
  /** Undefined: not given. A flag that is given is an empty list. */
  read(texts: readonly string[] | undefined): T;
}
