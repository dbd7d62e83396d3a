// What a command says when it cannot do what it was asked for.

import { distanceOf, nearestName } from "../protocol/nearest-name.ts";

export interface ProblemOptions {
  /** 1 if not given. */
  readonly exitCode?: number;
  /** What to do about it, a line each. */
  readonly hints?: readonly string[];
  readonly cause?: unknown;
}

/** A sentence for people, without the program's name, with the exit code that follows. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly exitCode: number;
  readonly hints: readonly string[];

  constructor(message: string, { exitCode = 1, hints = [], cause }: ProblemOptions = {}) {
    super(message, { cause });
    this.exitCode = exitCode;
    this.hints = hints;
  }

  /** Something is not there (exit code 5); of `names` the one that may have been meant is told. */
  static missing(what: string, name: string, names: readonly string[], code?: number): Problem {
    const near = nearOf(name, names);
    const guess = near === undefined ? "" : `. Is it "${near}"?`;
    return new Problem(`${what}${guess}${code === undefined ? "" : `  (error ${code})`}`, { exitCode: 5 });
  }
}

/** The name that may have been meant: one that differs in at most a third of its letters. */
function nearOf(name: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const near = nearestName(name, names);
  return distanceOf(name, near) <= Math.max(2, Math.floor(name.length / 3)) ? near : undefined;
}
