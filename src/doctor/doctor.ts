// `whippet doctor`: looks at a data directory, says what is not as it should be, and repairs what a start would repair.
import { existsSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { ConfigError, loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema/index.ts";
import { DataVersionError, MetadataKeyError } from "../metadata/index.ts";
import { DirectoryLock, DirectoryLockedError } from "../platform/directory-lock.ts";
import { DiskError } from "../platform/disk.ts";
import { DoctorArgumentError, type DoctorArguments, doctorHelp, parseDoctorArguments } from "./arguments.ts";
import { type Examination, examine } from "./examine.ts";
import { NotTakenOverError, repair } from "./repair.ts";
import { extentText, findingJson, findingLines, hasDamage, sizeText, summaryText } from "./report.ts";

/** Where the command writes, and what it is told from outside. */
export interface DoctorHost {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  /** Data. */
  readonly print: (text: string) => void;
  /** What is said about it. */
  readonly say: (text: string) => void;
  /** Replaces the line that it showed before; undefined where nobody looks. */
  readonly showProgress?: ((text: string) => void) | undefined;
}

/** Nothing can be looked at; the message says why. */
class DoctorError extends Error {
  override readonly name = "DoctorError";
}

const exitCodes = { sound: 0, failed: 1, usage: 2, damage: 6 } as const;
const expectedErrors = [
  DoctorError,
  ConfigError,
  DataVersionError,
  MetadataKeyError,
  DirectoryLockedError,
  NotTakenOverError,
  DiskError,
] as const;
const lockName = "whippet.lock";
/** What every data directory has one of. */
const signs = ["state", "streams", lockName] as const;

/** Runs the command; resolves with its exit code. */
export async function runDoctor(given: readonly string[], host: DoctorHost): Promise<number> {
  try {
    const parsed = parseDoctorArguments(given);
    if (parsed === "help") {
      host.print(doctorHelp);
      return exitCodes.sound;
    }
    return await look(parsed, configFor(parsed, host), host);
  } catch (error) {
    if (error instanceof DoctorArgumentError) {
      host.say(`whippet doctor: ${error.message}\n`);
      return exitCodes.usage;
    }
    if (!expectedErrors.some((kind) => error instanceof kind)) throw error;
    host.say(`whippet doctor: ${(error as Error).message}\n`);
    return exitCodes.failed;
  }
}

/** The configuration of the server, for this directory. */
function configFor({ directory }: DoctorArguments, { environment, workingDirectory }: DoctorHost): Config {
  const { config } = loadConfig({ environment, workingDirectory });
  const path = resolve(workingDirectory, directory ?? config.system.path);
  if (!signs.some((name) => existsSync(join(path, name)))) throw new DoctorError(`${path} is no data directory`);
  return { ...config, system: { ...config.system, path } };
}

async function look(given: DoctorArguments, config: Config, host: DoctorHost): Promise<number> {
  if (given.isLive) return report(await check(given, config, host), given, host);
  return await withLock(config.system.path, async () => {
    const before = await check(given, config, host);
    const exitCode = report(before, given, host);
    if (!given.repairs || before.findings.length === 0) return exitCode;
    await repair(config, (text) => host.say(`repair  ${text}\n`));
    host.say("Repaired; looking again.\n");
    return report(await check(given, config, host), given, host);
  });
}

/** Nobody else has the directory meanwhile. A lock file that was not there is not there afterwards. */
async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lockPath = join(path, lockName);
  const isNew = !existsSync(lockPath);
  const lock = DirectoryLock.take(lockPath, path);
  try {
    return await work();
  } finally {
    if (isNew) rmSync(lockPath, { force: true });
    lock.release();
  }
}

async function check({ isLive, repairs }: DoctorArguments, config: Config, host: DoctorHost): Promise<Examination> {
  let doneBytes = 0;
  let totalBytes = 0;
  let shown = -1;
  const startedAt = performance.now();
  const speed = () => `${sizeText(doneBytes / Math.max(0.001, (performance.now() - startedAt) / 1000))}/s`;
  const examination = await examine({
    config,
    isLive,
    onExtent: (extent) => {
      totalBytes = extent.sizeBytes;
      const mode = isLive ? "beside the broker; nothing is changed" : repairs ? "to repair it" : "nothing is changed";
      host.say(`Looking at ${extentText(extent)} (${mode})\n`);
    },
    onBytes: (count) => {
      doneBytes += count;
      const percent = totalBytes === 0 ? 100 : Math.min(100, Math.floor((100 * doneBytes) / totalBytes));
      if (percent === shown) return;
      shown = percent;
      host.showProgress?.(`check  ${percent} %   ${speed()}`);
    },
  });
  host.showProgress?.("");
  host.say(`Looked at ${sizeText(doneBytes)}, ${speed()}\n`);
  return examination;
}

function report({ findings, movingCount }: Examination, { isJson, isLive }: DoctorArguments, host: DoctorHost): number {
  const lines = isJson ? findings.map(findingJson) : findingLines(findings);
  for (const line of lines) host.print(`${line}\n`);
  if (isLive) {
    const what = movingCount === 0 ? "Nothing of it" : `What ${movingCount} of its files end with`;
    host.say(`${what} may still move: the broker has not written all of it yet.\n`);
  }
  const summary = `${summaryText(findings)}\n`;
  if (isJson) host.say(summary);
  else host.print(summary);
  return hasDamage(findings) ? exitCodes.damage : exitCodes.sound;
}
