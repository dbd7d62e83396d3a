// Makes the package `@whippet/client` as it is published: JavaScript and types of the client, and what it uses of the protocol,
// file by file, without a bundler. It has one door for each runtime and depends on nothing.
//
//   bun scripts/build-client.ts [output folder]        default: dist/client-package

import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "./compile.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const doors = ["client/index.ts", "client/index.bun.ts", "client/index.node.ts"];

/** What of the repository's own package.json holds for this package too. */
async function manifest(): Promise<object> {
  const { version, license } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const path = (door: string) => `./dist/client/${door}.js`;
  return {
    name: "@whippet/client",
    version,
    description: "Client of the message broker Whippet and of Apache Iggy 0.8, for browsers, Bun and Node.",
    license,
    type: "module",
    sideEffects: false,
    engines: { node: ">=20.19" },
    files: ["dist"],
    exports: {
      ".": {
        types: "./dist/client/index.d.ts",
        bun: path("index.bun"),
        node: path("index.node"),
        default: path("index"),
      },
      "./package.json": "./package.json",
    },
  };
}

/** The package in `folder`, whose earlier content is removed. */
export async function buildClient(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await compile(doors, join(folder, "dist"));
  await writeFile(join(folder, "package.json"), `${JSON.stringify(await manifest(), undefined, 2)}\n`);
  await cp(join(root, "LICENSE"), join(folder, "LICENSE"));
}

if (import.meta.main) {
  const folder = resolve(process.argv[2] ?? join(root, "dist/client-package"));
  await buildClient(folder);
  console.log(folder);
}
