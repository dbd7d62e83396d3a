// The order in which `npm test` runs the files: each of them once, and none is named that is not there any more.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";

const root = join(import.meta.dir, "../..");

interface Part {
  readonly title: string;
  readonly files: readonly string[];
  readonly needsTools: boolean;
}

/** What `arrange` of scripts/test-order.mjs, which has no types, makes of the files. */
async function arrange(files: readonly string[]): Promise<Readonly<Record<string, readonly Part[]>>> {
  const code =
    'import { arrange } from "./scripts/test-order.mjs"; console.log(JSON.stringify(arrange(await Bun.stdin.json())))';
  const options = { cwd: root, stdin: new Blob([JSON.stringify(files)]), stdout: "pipe", stderr: "inherit" } as const;
  return Bun.spawn([process.execPath, "-e", code], options).stdout.json();
}

test("every test file runs once: beside others, or alone", async () => {
  const files = [...new Glob("tests/**/*.test.ts").scanSync(root)].map((file) => file.replaceAll("\\", "/"));
  const parts = Object.values(await arrange(files)).flat();
  expect(parts.flatMap((part) => part.files).sort()).toEqual(files.sort());
  const tools = parts.filter(({ needsTools }) => needsTools).map(({ title }) => title);
  expect(tools).toEqual(["tests/sdk"]);
});

test("what the order names is there", async () => {
  const source = await Bun.file(join(root, "scripts/test-order.mjs")).text();
  const named = [...source.matchAll(/"(tests\/[^"]+)"/g)].map(([, path]) => path!);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
