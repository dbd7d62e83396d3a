// What the tests of the documents need to know of Markdown: headings with their anchors, links, and text outside of code.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

export const root = resolve(import.meta.dir, "../..");

/** Made by builds, installs and runs: not the repository's own text. */
const strangers = new Set(["node_modules", "dist", "local_data", "target", ".git", ".cache", "__pycache__"]);

/** Files below `directory` whose name ends with one of `endings`, relative to the root, in order. */
export function filesBelow(directory: string, endings: readonly string[]): string[] {
  return readdirSync(join(root, directory), { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return strangers.has(entry.name) ? [] : filesBelow(path, endings);
      return endings.some((ending) => entry.name.endsWith(ending)) ? [relative(".", path)] : [];
    })
    .sort();
}

export function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

export interface Heading {
  readonly level: number;
  readonly text: string;
  /** As GitHub makes it, without "#". */
  readonly anchor: string;
}

/** The lines that are not inside a fence of three backticks. */
export function proseLines(markdown: string): string[] {
  let isFenced = false;
  return markdown.split("\n").filter((line) => {
    if (!/^\s*```/.test(line)) return !isFenced;
    isFenced = !isFenced;
    return false;
  });
}

/** Headings in their order; one whose text came before gets "-1", "-2" and so on at its anchor. */
export function headingsOf(markdown: string): Heading[] {
  const seen = new Map<string, number>();
  return proseLines(markdown).flatMap((line) => {
    const [, marks = "", text = ""] = /^(#{1,6}) (.+)$/.exec(line) ?? [];
    if (marks === "") return [];
    const base = anchorOf(text);
    const count = seen.get(base) ?? 0;
    seen.set(base, count + 1);
    return [{ level: marks.length, text, anchor: count === 0 ? base : `${base}-${count}` }];
  });
}

function anchorOf(text: string): string {
  const shown = text.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
  return shown.replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, "").replaceAll(" ", "-");
}

/** Targets of links and pictures, as they are written; what stands in code is none. */
export function linksOf(markdown: string): string[] {
  const prose = proseLines(markdown)
    .join("\n")
    .replace(/`[^`\n]*`/g, "code");
  const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
  const reference = [...prose.matchAll(/^\[[^\]]+\]:\s+<?(\S+?)>?\s*$/gm)];
  return [...inline, ...reference].map(([, target = ""]) => target);
}
