// What a command is: its words, its arguments and options with their types, and what it does. Help, completion and the table of
// words are made from this, and `run` gets what was given as values, not as text.

import type { Client } from "../client/index.bun.ts";
import type { Output } from "./output/output.ts";
import type { Argument, Option } from "./parameter.ts";
import type { Session } from "./session.ts";

type Values<T> = {
  readonly [Key in keyof T]: T[Key] extends Argument<infer Value> | Option<infer Value> ? Value : never;
};

/** What `run` gets: a value for each argument and each option, by its name here. */
export type Given<A, O> = Values<A> & Values<O>;

/** Which right a command needs, for the sentence where it was refused. */
export interface Right {
  /** "may not …" */
  readonly what: string;
  readonly names: readonly string[];
}

type AnyArguments = Readonly<Record<string, Argument<unknown>>>;
type AnyOptions = Readonly<Record<string, Option<unknown>>>;
// biome-ignore lint/complexity/noBannedTypes: no arguments, or no options
type None = {};

// biome-ignore lint/suspicious/noConfusingVoidType: most commands return nothing
type Ended = number | void;

interface Described<A, O> {
  /** From the first word on: `["topic", "create"]`. */
  readonly words: readonly string[];
  /** Of the last word. */
  readonly alias?: string;
  /** One line, without a full stop. */
  readonly summary: string;
  /** More, for `--help`. */
  readonly details?: string;
  /** Two or more, without the program's name. */
  readonly examples: readonly string[];
  readonly arguments: A;
  readonly options: O;
}

/** A command that talks to a server, as a user who is logged in if `needs` does not say otherwise. */
export interface ServerCommand<A, O> extends Described<A, O> {
  readonly kind: "server";
  readonly needs: "login" | "connection";
  /** It goes on over a lost connection, and ends by itself when the session's signal aborts. */
  readonly lasts?: boolean;
  right?(args: Given<A, O>): Right;
  /** Resolves with the exit code; 0 if with nothing. What it throws becomes a sentence (problems.ts). */
  run(client: Client, args: Given<A, O>, output: Output, session: Session): Promise<Ended>;
}

/** A command that needs no server, or connects by itself. */
export interface LocalCommand<A, O> extends Described<A, O> {
  readonly kind: "local";
  run(args: Given<A, O>, output: Output, session: Session): Promise<Ended>;
}

/** Any command: as the program sees it. */
export type Command = ServerCommand<AnyArguments, AnyOptions> | LocalCommand<AnyArguments, AnyOptions>;

type Without<T, Key extends keyof T> = Omit<T, Key>;

/** A command that talks to a server. */
export function serverCommand<A extends AnyArguments = None, O extends AnyOptions = None>(
  definition: Without<ServerCommand<A, O>, "kind" | "needs" | "arguments" | "options"> & {
    readonly needs?: "login" | "connection";
    readonly arguments?: A;
    readonly options?: O;
  },
): Command {
  const { arguments: args = {} as A, options = {} as O, needs = "login", ...rest } = definition;
  // The program reads the values of `args` and `options` with the same definitions, so `run` gets what it declares.
  return { ...rest, kind: "server", needs, arguments: args, options } as ServerCommand<A, O> as unknown as Command;
}

/** A command that needs no server, or connects by itself. */
export function localCommand<A extends AnyArguments = None, O extends AnyOptions = None>(
  definition: Without<LocalCommand<A, O>, "kind" | "arguments" | "options"> & {
    readonly arguments?: A;
    readonly options?: O;
  },
): Command {
  const { arguments: args = {} as A, options = {} as O, ...rest } = definition;
  return { ...rest, kind: "local", arguments: args, options } as LocalCommand<A, O> as unknown as Command;
}
