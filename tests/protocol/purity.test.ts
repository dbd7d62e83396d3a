// The protocol folder must run in a browser: it imports only its own files and names no global of a server runtime.

import { expect, test } from "bun:test";
import { Glob } from "bun";

const folder = new URL("../../src/protocol/", import.meta.url).pathname;
const files = [...new Glob("**/*.ts").scanSync(folder)];

test("there are files to look at", () => {
  expect(files.length).toBeGreaterThan(60);
});

test.each(files)("%s imports only files of the protocol", async (file) => {
  const source = await Bun.file(folder + file).text();
  const imports = [...source.matchAll(/from "([^"]+)"/g)].map((match) => match[1] ?? "");
  for (const specifier of imports) {
    expect(specifier).toMatch(/^\.{1,2}\//);
    expect(new URL(specifier, `file://${folder}${file}`).pathname).toStartWith(folder);
  }
  expect(source).not.toMatch(/\b(Bun|Buffer|process|require)\s*[.(]/);
});
