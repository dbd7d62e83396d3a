// What the tests of the doctor share: a real data directory, copies of it, and the doctor as a function.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runDoctor } from "../../src/doctor/doctor.ts";

/** A finding as `--json` prints it. */
export interface PrintedFinding {
  readonly kind: string;
  readonly severity: "damage" | "start" | "notice";
  readonly place: string | null;
  readonly file: string;
  readonly position: number | null;
  readonly text: string;
  readonly lost_messages: number;
  readonly loss: string | null;
}

export interface Diagnosis {
  readonly exitCode: number;
  readonly findings: readonly PrintedFinding[];
  readonly said: string;
}

/** `options`: of the command line; `environment`: of the configuration. */
export async function diagnose(
  directory: string,
  options: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<Diagnosis> {
  let printed = "";
  let said = "";
  const exitCode = await runDoctor(["--json", ...options, directory], {
    environment: { IGGY_CONFIG_PATH: "/dev/null", ...environment },
    workingDirectory: dirname(directory),
    print: (text) => {
      printed += text;
    },
    say: (text) => {
      said += text;
    },
  });
  const findings = printed.split("\n").filter((line) => line !== "");
  return { exitCode, findings: findings.map((line) => JSON.parse(line) as PrintedFinding), said };
}

/** Puts these files below `directory`. */
export function putFiles(directory: string, files: ReadonlyMap<string, Uint8Array>): void {
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), bytes, { mode: 0o600 });
  }
}

export function copyDirectory(from: string, to: string): void {
  cpSync(from, to, { recursive: true, preserveTimestamps: true });
}

/** Replaces the file by what `change` makes of its bytes. */
export function changeFile(path: string, change: (bytes: Buffer) => Uint8Array | undefined): void {
  const bytes = readFileSync(path);
  const changed = change(bytes) ?? bytes;
  writeFileSync(path, changed);
}

export function flipBit(path: string, at: number, bit = 3): void {
  changeFile(path, (bytes) => {
    const index = at < 0 ? bytes.byteLength + at : at;
    bytes[index]! ^= 1 << bit;
    return bytes;
  });
}
