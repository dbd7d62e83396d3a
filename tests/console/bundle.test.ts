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

test("the page stays within its budget of bytes", async () => {
  const files = await bundleConsole(directory);
  const page = new TextDecoder().decode(files.find(({ name }) => name === pageName)?.bytes);
  const named = files.filter(({ name }) => page.includes(name)).map(({ name }) => name.replace(/-\w+\./, "."));
  expect(named.sort()).toEqual(["icon.svg", "main.css", "main.js"]);
  // What no page asks for later than the first: the commands behind the client's methods are loaded with the first of them.
  expect(compressedBytes(files)).toBeLessThan(firstBytesMax);
  expect(compressedBytes(files)).toBeLessThan(allBytesMax);
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
