// Makes the package `@whippet/client` as it is published: JavaScript and types of the client, and what it uses of the protocol,
// file by file, without a bundler. It has one door for each runtime and depends on nothing.
//
//   bun scripts/build-client.ts [output folder]        default: dist/client-package

import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const doors = ["index", "index.bun", "index.node"];

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

async function compile(outputPath: string): Promise<void> {
  const workDirectory = await mkdtemp(join(tmpdir(), "whippet-client-"));
  const config = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: {
      target: "ES2022",
      lib: ["ESNext"],
      types: ["bun"],
      typeRoots: [join(root, "node_modules/@types")],
      noEmit: false,
      declaration: true,
      rewriteRelativeImportExtensions: true,
      rootDir: join(root, "src"),
      outDir: outputPath,
    },
    include: [],
    files: doors.map((door) => join(root, "src/client", `${door}.ts`)),
  };
  try {
    const configPath = join(workDirectory, "tsconfig.json");
    await writeFile(configPath, JSON.stringify(config));
    const child = Bun.spawn([process.execPath, join(root, "node_modules/typescript/bin/tsc"), "-p", configPath], {
      stdout: "pipe",
      stderr: "inherit",
    });
    const output = await new Response(child.stdout).text();
    if ((await child.exited) !== 0) throw new Error(`the client does not compile:\n${output}`);
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
}

/** The compiler leaves `.ts` in the imports of declarations (microsoft/TypeScript#61037). */
async function renameImports(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith(".d.ts")) continue;
    const path = join(folder, name);
    const declarations = await readFile(path, "utf8");
    await writeFile(path, declarations.replaceAll(/((?:from|import\() ?")(\.[^"]+)\.ts"/g, '$1$2.js"'));
  }
}

/** The package in `folder`, whose earlier content is removed. */
export async function buildClient(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await compile(join(folder, "dist"));
  await renameImports(join(folder, "dist"));
  await writeFile(join(folder, "package.json"), `${JSON.stringify(await manifest(), undefined, 2)}\n`);
  await cp(join(root, "LICENSE"), join(folder, "LICENSE"));
}

if (import.meta.main) {
  const folder = resolve(process.argv[2] ?? join(root, "dist/client-package"));
  await buildClient(folder);
  console.log(folder);
}
