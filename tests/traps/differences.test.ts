// docs/differences.md names a test for every deliberate difference from the original: each of them is there.
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");
const document = readFileSync(join(root, "docs/differences.md"), "utf8");
const rows = document.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| Difference | "));

test("there are differences to look at", () => {
  expect(rows.length).toBeGreaterThan(40);
});

test.each(rows.map((row) => [row.split(" | ")[0]!.slice(2), row]))("%s", (_, row) => {
  const cells = row.split(" | ");
  expect(cells).toHaveLength(3);
  const named = [...cells[2]!.matchAll(/`(tests\/[^`]+)` \*([^*]+)\*/g)];
  expect(named.length).toBeGreaterThan(0);
  for (const [, path = "", name = ""] of named) {
    expect({ path, exists: existsSync(join(root, path)) }).toEqual({ path, exists: true });
    const declared = readFileSync(join(root, path), "utf8");
    const isDeclared = declared.includes(`("${name}`) || declared.includes(`(\`${name}`);
    expect({ path, name, isDeclared }).toEqual({ path, name, isDeclared: true });
  }
});
