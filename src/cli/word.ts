// What the program knows of a word before it is used.

import type { Command } from "./command.ts";

export interface Word {
  readonly word: string;
  readonly alias?: string;
  /** One line of the overview. */
  readonly summary: string;
  /** The commands behind the word: one of just the word, or one for each subcommand. Undefined: a program of its own. */
  readonly load?: () => Promise<readonly Command[]>;
}

export interface WordGroup {
  readonly title: string;
  readonly words: readonly Word[];
}
