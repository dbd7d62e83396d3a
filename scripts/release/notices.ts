// The notices of everything that an executable holds besides our own work: packages with the texts of their licences, and what
// the two runtimes bring along.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Lock, LockEntry } from "./packages.ts";
import { platforms } from "./platforms.ts";

const licenseFile = /^(licen[cs]e|copying|notice)/i;
const line = `\n${"-".repeat(80)}\n\n`;

interface Notice {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly license: string;
  /** Empty where the package carries none. */
  readonly texts: readonly string[];
}

const runtimePackages = new Set(platforms.flatMap(({ bunPackage, enginePackage }) => [bunPackage, enginePackage]));

/** What is for development, or for a system without a release, is in no executable. */
function isShipped(name: string, { dev, devOptional, peer, optional, os }: LockEntry): boolean {
  if (dev === true || devOptional === true || peer === true) return false;
  return optional !== true || os === undefined || runtimePackages.has(name);
}

/** Of all packages that an executable may hold; runtimes for other systems than this one are named without their text. */
export function noticesOf(lock: Lock, root: string): Notice[] {
  const notices: Notice[] = [];
  for (const [path, entry] of Object.entries(lock.packages)) {
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    const { version, license } = entry;
    if (path === "" || version === undefined || !isShipped(name, entry)) continue;
    notices.push({ name, version, license: license ?? "not stated", texts: textsIn(join(root, path)) });
  }
  return notices.sort((left, right) => left.name.localeCompare(right.name, "en"));
}

function textsIn(directory: string): string[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return []; // a package for another platform
  }
  return names
    .filter((name) => licenseFile.test(name))
    .sort()
    .map((name) => readFileSync(join(directory, name), "utf8").trim());
}

/** The file of a release. `runtimes`: what they bring along, which no package says. */
export function renderNotices(notices: readonly Notice[], runtimes: string): string {
  const parts = notices.map(({ name, version, license, texts }) => {
    const body = texts.length === 0 ? "The package carries no text of its licence." : texts.join("\n\n");
    return `${name} ${version}\nLicence: ${license}\n\n${body}\n`;
  });
  return [`Third-party notices of Whippet\n\n${runtimes.trim()}\n`, ...parts].join(line);
}
