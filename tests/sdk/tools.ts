// What is needed of other languages: running their tools, and where what these make is kept.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** How a tour is run, or why it cannot be built here. */
export type Tour =
  | { readonly kind: "ready"; readonly command: readonly string[] }
  | { readonly kind: "missing"; readonly reason: string };

/** Where everything that is fetched and built lies; it outlives the clone. */
export function cacheRoot(): string {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "whippet-tests");
  mkdirSync(cache, { recursive: true });
  return cache;
}

/** A directory there for what `name` is built from: another content of `files` has another directory. */
export function cacheDirectory(name: string, files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file)).update("\0");
  return join(cacheRoot(), `${name}-${hash.digest("hex").slice(0, 16)}`);
}

/** Every file of a directory, sorted. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Undefined if the command succeeded, otherwise what it said: the first line with an error, or else the last. */
export function failureOf(command: readonly string[], timeoutMs: number): string | undefined {
  try {
    const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { timeout: timeoutMs });
    if (exitCode === 0) return undefined;
    const lines = `${stdout}${stderr}`.trim().split("\n");
    return lines.find((line) => /error/i.test(line)) ?? (lines.at(-1) || `exit code ${exitCode}`);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
