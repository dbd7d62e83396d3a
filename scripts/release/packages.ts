// Packages of other platforms, which npm does not install here: fetched by npm, and only what package-lock.json names.
import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./run.ts";

export interface LockEntry {
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  /** Needed for development, or by an optional package: nothing that an executable holds. */
  readonly devOptional?: boolean;
  /** Somebody else is to bring it along. */
  readonly peer?: boolean;
  /** A package for one system, of which npm installs the one that fits. */
  readonly optional?: boolean;
  readonly os?: readonly string[];
}

/** The part of package-lock.json that is looked at. Keys are paths such as `node_modules/bun`. */
export interface Lock {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

export interface LockedPackage {
  readonly version: string;
  /** Subresource integrity, such as `sha512-…`. */
  readonly integrity: string;
}

/** Throws where the lock does not name the package with its integrity. */
export function lockedPackage(lock: Lock, name: string): LockedPackage {
  const { version, integrity } = lock.packages[`node_modules/${name}`] ?? {};
  if (version === undefined || integrity === undefined) throw new Error(`package-lock.json does not name ${name}`);
  return { version, integrity };
}

/** Whether the bytes are those that the lock means. */
export function isIntact(bytes: Uint8Array, integrity: string): boolean {
  const [, algorithm, digest] = /^(sha512|sha384|sha256)-(.+)$/.exec(integrity) ?? [];
  return algorithm !== undefined && createHash(algorithm).update(bytes).digest("base64") === digest;
}

/** Fetches and unpacks a package; resolves with the directory that has its files. Rejects where it is not the locked one. */
export async function fetchPackage(lock: Lock, name: string, workDirectory: string): Promise<string> {
  const { version, integrity } = lockedPackage(lock, name);
  const directory = join(workDirectory, name.replace("/", "-"));
  await mkdir(directory, { recursive: true });
  const archive = join(directory, (await run(["npm", "pack", "--silent", `${name}@${version}`], directory)).trim());
  if (!isIntact(await readFile(archive), integrity)) throw new Error(`${name} is not what package-lock.json means`);
  await run(["tar", "-xzf", archive, "-C", directory], directory);
  return join(directory, "package");
}
