// Compiles doors of `src`, with all that they import, to JavaScript and types, file by file, without a bundler.

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** `doors`: paths below `src`. What they import lies in `outputPath` as it lies in `src`. */
export async function compile(doors: readonly string[], outputPath: string): Promise<void> {
  const workDirectory = await mkdtemp(join(tmpdir(), "whippet-compile-"));
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
    files: doors.map((door) => join(root, "src", door)),
  };
  try {
    const configPath = join(workDirectory, "tsconfig.json");
    await writeFile(configPath, JSON.stringify(config));
    const child = Bun.spawn([process.execPath, join(root, "node_modules/typescript/bin/tsc"), "-p", configPath], {
      stdout: "pipe",
      stderr: "inherit",
    });
    const output = await new Response(child.stdout).text();
    if ((await child.exited) !== 0) throw new Error(`${doors.join(", ")}: does not compile:\n${output}`);
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
  await renameImports(outputPath);
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
