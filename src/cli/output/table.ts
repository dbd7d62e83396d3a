// Tables without boxes: two blanks between columns, numbers flush right, cut to the terminal where there is one.

import type { Styles } from "./styles.ts";

export interface Column {
  readonly head: string;
  /** Numbers, and what ends alike. */
  readonly isRight?: boolean;
}

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

const gap = "  ";

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controlCharacters = /[\u0000-\u001f\u007f-\u009f]/g;

/** Control characters as they are written in programs, so that no text can act on a terminal. */
export function printable(text: string): string {
  return text.replace(controlCharacters, (character) => {
    const short = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[character];
    return short ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

/** `text` in at most `width` columns, with … for what is left out. */
export function cut(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text;
  let kept = "";
  let keptWidth = 0;
  for (const character of text) {
    keptWidth += Bun.stringWidth(character);
    if (keptWidth > width - 1) break;
    kept += character;
  }
  return width < 1 ? "" : `${kept}…`;
}

/** Lines of a table; `width`: columns of the terminal, undefined in a pipe, where nothing is cut. */
export function tableLines({ columns, rows }: Table, styles: Styles, width: number | undefined): string[] {
  const cells = rows.map((row) => columns.map((_, index) => printable(row[index] ?? "")));
  const widths = columns.map(({ head }, index) =>
    cells.reduce((widest, row) => Math.max(widest, Bun.stringWidth(row[index] ?? "")), Bun.stringWidth(head)),
  );
  const line = (row: readonly string[]) => {
    const padded = row.map((cell, index) => {
      const blanks = " ".repeat((widths[index] ?? 0) - Bun.stringWidth(cell));
      return columns[index]?.isRight ? blanks + cell : cell + blanks;
    });
    const whole = padded.join(gap).trimEnd();
    return width === undefined ? whole : cut(whole, width);
  };
  return [styles.bold(line(columns.map(({ head }) => head))), ...cells.map(line)];
}
