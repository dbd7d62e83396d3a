// A text in pieces, so that nobody takes it for what it is not: what is invisible in it, or turns the direction of what follows, is a
// piece of its own that says its numbers.

/** `isControl`: the text is the code points of what stood there, as `U+202E`. */
export type TextRun = { readonly isControl: boolean; readonly text: string };

/** Controls but for tab and line ends, separators of lines, and formats: among these all that sets a direction (UAX 9). */
export const controls = /(?:(?![\t\n\r])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}])+/gu;

/** Pieces of a text, in order. */
export function textRuns(text: string): readonly TextRun[] {
  const runs: TextRun[] = [];
  let end = 0;
  for (const match of text.matchAll(controls)) {
    if (match.index > end) runs.push({ isControl: false, text: text.slice(end, match.index) });
    const names = [...match[0]].map(
      (character) => `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`,
    );
    runs.push({ isControl: true, text: names.join(" ") });
    end = match.index + match[0].length;
  }
  if (end < text.length) runs.push({ isControl: false, text: text.slice(end) });
  return runs;
}
