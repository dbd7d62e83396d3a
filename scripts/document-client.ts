// `npm run docs:client`: a reference of everything that the client exports, as pages in dist/client-reference. It is made from the
// declarations of the package, with their docstrings, by the generator of Deno, which comes with npm. What that warns of is an error.
//
//   bun scripts/document-client.ts [output folder]

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { buildClient } from "./build-client.ts";

const root = resolve(import.meta.dir, "..");

/**
 * Makes the pages of a built package that lies away from the repository, whose compiler options would count. Resolves with what the
 * generator said: nothing, if all is well.
 */
export async function documentClient(packageFolder: string, outputFolder: string): Promise<string> {
  await rm(outputFolder, { recursive: true, force: true });
  await mkdir(dirname(outputFolder), { recursive: true });
  const deno = Bun.resolveSync("deno/bin.cjs", root);
  const entry = join(packageFolder, "dist/client/index.node.d.ts");
  const child = Bun.spawn(
    ["node", deno, "doc", "--html", "--name=@whippet/client", `--output=${outputFolder}`, entry],
    {
      cwd: packageFolder,
      env: { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", DENO_DIR: join(packageFolder, ".deno") },
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [output, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const said = `${output}${errors}`.split("\n").filter((line) => line !== "" && !/^Written \d+ files to /.test(line));
  if ((await child.exited) !== 0) throw new Error(`the reference cannot be made:\n${said.join("\n")}`);
  return said.join("\n");
}

if (import.meta.main) {
  const folder = resolve(process.argv[2] ?? join(root, "dist/client-reference"));
  const packageFolder = await mkdtemp(join(tmpdir(), "whippet-reference-"));
  await buildClient(packageFolder);
  const said = await documentClient(packageFolder, folder);
  await rm(packageFolder, { recursive: true, force: true });
  console.log(said === "" ? join(folder, "index.html") : said);
  process.exit(said === "" ? 0 : 1);
}
