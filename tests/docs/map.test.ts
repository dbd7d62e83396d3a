// docs/README.md is the map: whoever adds a document puts it there. And what documents say of files is true: each source file that
// one of them names exists.
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { filesBelow, linksOf, read, root } from "./markdown.ts";

const documents = filesBelow("docs", [".md"]);

describe("the map", () => {
  const mapped = new Set(linksOf(read("docs/README.md")).map((target) => join("docs", target.split("#")[0]!)));

  test("has every document, or the page of its folder", () => {
    const isFound = (path: string) => mapped.has(path) || mapped.has(join(path, "../README.md"));
    expect(documents.filter((path) => path !== "docs/README.md" && !isFound(path))).toEqual([]);
  });

  test("can be reached from the README", () => {
    expect(linksOf(read("README.md"))).toContain("docs/README.md");
  });
});

/** Paths of sources are written from the root, from `src`, or from the layer that a page is about. */
const bases = [
  "",
  "src",
  ...readdirSync(join(root, "src"), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [join("src", entry.name)] : [],
  ),
];

/** "src/config/load.ts", "shard/shard.ts": in backticks, with a folder; "NAME.ts" stands for any. */
function sourcesIn(markdown: string): string[] {
  return [...markdown.matchAll(/`((?:[\w.-]+\/)+[\w.-]+\.(?:ts|mjs))`/g)]
    .map(([, path = ""]) => path)
    .filter((path) => !path.endsWith("/NAME.ts"));
}

test("source files are recognised", () => {
  expect(sourcesIn("`src/a.ts`, `b/c.test.ts`, `d.ts`, `e/`, `f/NAME.ts`, `g/h.mjs x`")).toEqual([
    "src/a.ts",
    "b/c.test.ts",
  ]);
});

describe("source files that a document names exist", () => {
  // Of the specification the original's own files are the subject; the log of changes tells of what was there.
  const pages = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", ...documents].filter(
    (path) => !path.startsWith("docs/protocol/"),
  );

  test.each(pages)("%s", (page) => {
    const missing = sourcesIn(read(page)).filter((path) => !bases.some((base) => existsSync(join(root, base, path))));
    expect(missing).toEqual([]);
  });
});
