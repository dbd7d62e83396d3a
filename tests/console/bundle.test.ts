// What the page weighs, and that it is made the same way each time.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { type BundledFile, bundleConsole, pageName } from "../../src/transport/http/console/bundle.ts";
import { expectQuick } from "../support/quiet-machine.ts";

const directory = join(import.meta.dir, "../../src/web");
const kilobyte = 1024;
/** Before the first page works, compressed. */
const firstBytesMax = 90 * kilobyte;
const allBytesMax = 300 * kilobyte;
const bundleMsMax = 300;

function compressedBytes(files: readonly BundledFile[]): number {
  return files.reduce((sum, { bytes }) => sum + Bun.gzipSync(bytes, { level: 9 }).byteLength, 0);
}

/** Those that a file takes with it, itself included: what it imports, and what that imports. */
function withImports(name: string, files: readonly BundledFile[], found = new Set<string>()): ReadonlySet<string> {
  if (found.has(name)) return found;
  found.add(name);
  const text = new TextDecoder().decode(files.find((file) => file.name === name)?.bytes);
  for (const [, imported] of text.matchAll(/(?:from|import)"\.\/([^"]+)"/g)) withImports(imported!, files, found);
  return found;
}

test("the page stays within its budget of bytes", async () => {
  const files = await bundleConsole(directory);
  const page = new TextDecoder().decode(files.find(({ name }) => name === pageName)?.bytes);
  const named = files.filter(({ name }) => page.includes(name)).map(({ name }) => name);
  expect(named.map((name) => name.replace(/-\w+\./, ".")).sort()).toEqual(["icon.svg", "main.css", "main.js"]);
  // Of all scripts with that name it is the one that puts the page into the document.
  const script = files.find(({ name }) => name.endsWith(".js") && page.includes(name));
  expect(new TextDecoder().decode(script?.bytes)).toContain('getElementById("app")');
  // The commands behind the client's methods are loaded with the first of them, which every page calls.
  const methods = files.find(({ name }) => name.startsWith("methods-"))!.name;
  const first = new Set([pageName, ...[...named, methods].flatMap((name) => [...withImports(name, files)])]);
  expect(compressedBytes(files.filter(({ name }) => first.has(name)))).toBeLessThan(firstBytesMax);
  expect(compressedBytes(files)).toBeLessThan(allBytesMax);
  // Pages that are not the first are not among them.
  expect([...first].filter((name) => /^(help|account)-/.test(name))).toEqual([]);
  expect(files.filter(({ name }) => /^(help|account)-/.test(name))).toHaveLength(2);
});

test("two builds are equal, and quick", async () => {
  const startedMs = performance.now();
  const first = await bundleConsole(directory);
  expectQuick("the bundle", performance.now() - startedMs, bundleMsMax);
  expect(await bundleConsole(directory)).toEqual(first);
});

test("sources that cannot be bundled are refused with a reason", async () => {
  await expect(bundleConsole(join(directory, "none"))).rejects.toThrow();
});
