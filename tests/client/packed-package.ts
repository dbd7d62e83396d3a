// The client as npm packs it: made once for all test files of this folder, and put into empty projects.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildClient } from "../../scripts/build-client.ts";

export const root = resolve(import.meta.dir, "../..");

/** Runs a command to its end and gives what it printed; throws with all of that where it fails. */
export async function run(command: readonly string[], cwd: string): Promise<string> {
  const child = Bun.spawn([...command], { cwd, stdout: "pipe", stderr: "pipe", timeout: 120_000 });
  const [output, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}:\n${output}${errors}`);
  return output.trim();
}

/** The built package, and the file that npm makes of it. */
export interface Packed {
  readonly folder: string;
  readonly archive: string;
}

let packing: Promise<Packed> | undefined;

/** Made by the first who asks. */
export function packClient(): Promise<Packed> {
  packing ??= pack();
  return packing;
}

async function pack(): Promise<Packed> {
  const folder = mkdtempSync(join(tmpdir(), "whippet-packed-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  await buildClient(folder);
  const [packed] = JSON.parse(await run(["npm", "pack", "--json", "--offline"], folder));
  return { folder, archive: join(folder, packed.filename) };
}

/** Makes an empty project of `directory` that has the client as its only package, and gives where that lies. */
export async function makeProject(directory: string): Promise<string> {
  const { archive } = await packClient();
  const installed = join(directory, "node_modules/@whippet/client");
  mkdirSync(installed, { recursive: true });
  await run(["tar", "xzf", archive, "--strip-components=1", "-C", installed], directory);
  await Bun.write(join(directory, "package.json"), JSON.stringify({ type: "module" }));
  return installed;
}

/** Options of the compiler for a strict project. */
export const strictOptions = {
  target: "ES2022",
  lib: ["ES2023", "DOM", "ESNext.Disposable"],
  module: "NodeNext",
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
};

/** Compiles `files` of a project. */
export async function compile(project: string, compilerOptions: object, files: readonly string[]): Promise<void> {
  await Bun.write(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  await run(["node", join(root, "node_modules/typescript/bin/tsc"), "-p", "."], project);
}
