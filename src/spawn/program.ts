// What is run to have a broker: an executable, or the sources of this package under Bun.

import { fileURLToPath } from "node:url";

export interface Program {
  readonly path: string;
  readonly arguments: readonly string[];
}

/** From the source and from what is compiled of it, which lies one folder deeper. */
const root = new URL(import.meta.url.endsWith(".js") ? "../../../" : "../../", import.meta.url);

/** Rejects where neither is there. */
export async function findProgram(executable: string | undefined): Promise<Program> {
  if (executable !== undefined) return { path: executable, arguments: [] };
  const sources = ["--no-env-file", fileURLToPath(new URL("src/process/main.ts", root))];
  // The runtime of this process will do where it is Bun.
  if (process.versions.bun !== undefined) return { path: process.execPath, arguments: sources };
  const finder: { findBun(): string } = await import(new URL("scripts/find-bun.mjs", root).href);
  return { path: finder.findBun(), arguments: sources };
}
