// A Python with a published package of the registry in it, kept outside the repository so that it is made once.
import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheRoot, failureOf } from "./tools.ts";

const installTimeoutMs = 180_000;

/** Where the interpreter is, or why there is none. */
export type PythonEnvironment =
  | { readonly kind: "ready"; readonly python: string }
  | { readonly kind: "missing"; readonly reason: string };

/** What a script runs with. What it prints comes at once: a script that is killed would take its last kilobytes along. */
export const pythonVariables = { PYTHONDONTWRITEBYTECODE: "1", PYTHONIOENCODING: "utf-8", PYTHONUNBUFFERED: "1" };

/** Installs exactly `name==version` into a virtual environment, or finds it there. Takes a few seconds the first time. */
export function preparePython(name: string, version: string): PythonEnvironment {
  const cache = cacheRoot();
  const directory = join(cache, `python-${name}-${version}`);
  const ready = { kind: "ready", python: join(directory, "bin/python") } as const;
  if (existsSync(ready.python)) return ready;

  const noPython = failureOf(["python3", "--version"], installTimeoutMs);
  if (noPython !== undefined) return { kind: "missing", reason: `python3 is missing: ${noPython}` };
  // Made aside and renamed: what stands at the final name is complete, also when two test runs do this at once.
  const temporary = mkdtempSync(join(cache, "making-"));
  try {
    const noPip = failureOf(["python3", "-m", "venv", temporary], installTimeoutMs);
    if (noPip !== undefined) return { kind: "missing", reason: `python3 has no venv or no pip: ${noPip}` };
    const pip = [join(temporary, "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"];
    const notInstalled = failureOf([...pip, `${name}==${version}`], installTimeoutMs);
    if (notInstalled !== undefined) return { kind: "missing", reason: `pip cannot install ${name}: ${notInstalled}` };
    if (!existsSync(directory)) renameSync(temporary, directory);
    return ready;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
