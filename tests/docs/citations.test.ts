// Every "spec BP 4.5" and "trap 71" leads to a section or a row of docs/protocol (its README says how they are written), and
// every link of the Markdown files to something that is there.
import { describe, expect, test } from "bun:test";
import { existsSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { filesBelow, headingsOf, linksOf, read, root } from "./markdown.ts";

interface Page {
  readonly path: string;
  /** The section whose rows are its numbered traps. */
  readonly trapsSection: string | undefined;
}

const pages: Readonly<Record<string, Page>> = {
  BP: { path: "docs/protocol/binary-protocol.md", trapsSection: undefined },
  SB: { path: "docs/protocol/server-behaviour.md", trapsSection: "13" },
  HA: { path: "docs/protocol/http-api.md", trapsSection: "8" },
  P9: { path: "docs/protocol/protocol-0.9.md", trapsSection: "14" },
};

/** "4", "4.5" … of "## 4. Commands" and "### 4.5 Messages". */
function sectionsOf(path: string): Set<string> {
  const numbers = headingsOf(read(path)).flatMap(({ level, text }) => {
    const number = level === 2 ? /^(\d+)\. /.exec(text) : level === 3 ? /^(\d+\.\d+) /.exec(text) : null;
    return number === null ? [] : [number[1]!];
  });
  return new Set(numbers);
}

function trapsOf({ path, trapsSection }: Page): Set<string> {
  if (trapsSection === undefined) return new Set();
  const [, section = ""] = read(path).split(new RegExp(`^## ${trapsSection}\\. .*$`, "m"));
  return new Set([...section.split(/^## /m)[0]!.matchAll(/^\| (\d+) \|/gm)].map(([, number = ""]) => number));
}

const known = new Map(
  Object.entries(pages).map(([prefix, page]) => [prefix, { sections: sectionsOf(page.path), traps: trapsOf(page) }]),
);

/** "5.1, 5.2", "5.2 to 5.4", "12, 13, 25": what follows the first number of a citation. */
const more = "(?:(?:, | and | to )\\d+(?:\\.\\d+)?\\b)*";
const sectionList = new RegExp(`\\b(BP|SB|HA|P9) (\\d+(?:\\.\\d+)?${more})`, "g");
const trapList = new RegExp(`(?:\\b(BP|SB|HA|P9) \\d+, )?\\btraps? (\\d+${more})`, "g");

/** A citation may be broken over two lines of a comment. */
function joinLines(text: string): string {
  return text.replace(/\n[ \t]*(?:\/\/|\*|#)?[ \t]*/g, " ");
}

/** What is cited in `text` and is not there. Traps without a page are those of `trapsPage`. */
function missingIn(text: string, trapsPage: string): string[] {
  const joined = joinLines(text);
  const sections = [...joined.matchAll(sectionList)].flatMap(([, prefix = "", numbers = ""]) =>
    numbers
      .split(/, | and | to /)
      .flatMap((number) => (known.get(prefix)!.sections.has(number) ? [] : [`${prefix} ${number}`])),
  );
  const traps = [...joined.matchAll(trapList)].flatMap(([, prefix = trapsPage, numbers = ""]) =>
    numbers
      .split(/, | and | to /)
      .flatMap((number) => (known.get(prefix)!.traps.has(number) ? [] : [`${prefix}, trap ${number}`])),
  );
  const strange = [...joined.matchAll(/\bspec (?!BP \d|SB \d|HA \d|P9 \d)[A-Z]\w* \d[\d.]*/g)].map(([text]) => text);
  return [...sections, ...traps, ...strange];
}

function countOf(text: string): number {
  return [...joinLines(text).matchAll(sectionList)].length;
}

const sources = [
  ...["src", "tests", "scripts"].flatMap((folder) => filesBelow(folder, [".ts", ".mjs", ".js", ".py", ".rs", ".java"])),
  "config.toml",
].filter((path) => path !== relative(root, import.meta.path));
const documents = filesBelow("", [".md"]);

describe("citations", () => {
  test("the pages have their sections and traps", () => {
    for (const { sections } of known.values()) expect(sections.size).toBeGreaterThan(40);
    expect([...known.values()].map(({ traps }) => traps.size)).toEqual([0, 77, 29, 31]);
  });

  test("are recognised in every form", () => {
    expect(missingIn("(spec BP 4.5, SB 3.6 and 3.7; trap 71)", "SB")).toEqual([]);
    expect(missingIn("spec SB 13,\n// traps 12 and 99", "SB")).toEqual(["SB, trap 99"]);
    expect(missingIn("spec SB 5.2 to 5.9; spec HA\n * 99.", "SB")).toEqual(["SB 5.9", "HA 99"]);
    expect(missingIn("spec HA 8, trap 30; spec SB 13, trap 30", "SB")).toEqual(["HA, trap 30"]);
    expect(missingIn("spec XY 4", "SB")).toEqual(["spec XY 4"]);
  });

  test("of sources, tests and scripts resolve", () => {
    expect(sources.reduce((sum, path) => sum + countOf(read(path)), 0)).toBeGreaterThan(400);
    expect(sources.flatMap((path) => missingIn(read(path), "SB").map((what) => `${path}: ${what}`))).toEqual([]);
  });

  test("of documents resolve", () => {
    const ownPage = new Map(Object.entries(pages).map(([prefix, { path }]) => [path, prefix]));
    const missing = documents.flatMap((path) =>
      missingIn(read(path), ownPage.get(path) ?? "SB").map((what) => `${path}: ${what}`),
    );
    expect(missing).toEqual([]);
  });
});

describe("links", () => {
  test.each(documents)("of %s lead somewhere", (path) => {
    const broken = linksOf(read(path)).filter((target) => !isThere(path, target));
    expect(broken).toEqual([]);
  });
});

/** Of a link to elsewhere only the form is looked at. */
function isThere(from: string, target: string): boolean {
  if (/^[a-z]+:/.test(target)) return URL.canParse(target);
  const [file = "", anchor] = target.split("#");
  const path = file === "" ? from : join(dirname(from), decodeURIComponent(file));
  if (!existsSync(join(root, path))) return false;
  if (anchor === undefined || statSync(join(root, path)).isDirectory() || !path.endsWith(".md")) return true;
  return headingsOf(read(path)).some((heading) => heading.anchor === anchor);
}
