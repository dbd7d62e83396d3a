// Entry of `npm run bench` and `whippet bench`, and of the actor processes that it starts from itself.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { IggyError } from "../protocol/errors.ts";
import { actorProcessOption } from "./actor-pool.ts";
import { runActorProcess } from "./actor-process.ts";
import { compareOption, runComparison } from "./compare-program.ts";
import { runBench } from "./coordinator.ts";
import { describeError } from "./describe-error.ts";
import { type BenchOptions, helpText, parseOptions, UsageError } from "./options.ts";
import { isOriginalLine, optionsOfOriginalLine } from "./original-line.ts";
import { type BenchReport, renderReport } from "./report.ts";

const exitFailed = 1;
const exitUsage = 2;
const exitInterrupted = 130;

/** Runs a command line (without the program's name) and resolves with the exit code. */
export async function runBenchProgram(args: readonly string[]): Promise<number> {
  if (args[0] === actorProcessOption) return runActorProcess();
  try {
    if (args[0] === compareOption) return await runComparison(args.slice(1));
    const options = parseOptions(isOriginalLine(args) ? optionsOfOriginalLine(args) : args);
    if (options !== "help") return await bench(options);
    process.stdout.write(helpText);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\nTry: npm run bench -- --help`);
    return exitUsage;
  }
}

async function bench(options: BenchOptions): Promise<number> {
  const abort = new AbortController();
  const interrupt = () => {
    // A second Ctrl-C ends at once, without cleaning up.
    if (abort.signal.aborted) process.exit(exitInterrupted);
    abort.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    const report = await runBench(options, abort.signal);
    console.log(options.json ? JSON.stringify(report, undefined, 2) : renderReport(report));
    if (options.output !== undefined) console.error(`Wrote ${await writeReport(report, options.output)}`);
    return report.problems.length === 0 ? 0 : exitFailed;
  } catch (error) {
    console.error(abort.signal.aborted ? "Interrupted." : failureText(error, options));
    return abort.signal.aborted ? exitInterrupted : exitFailed;
  }
}

/** Writes the document to a folder of its own, and resolves with its path. */
async function writeReport(report: BenchReport, directory: string): Promise<string> {
  const { kind, actors, transport } = report.options;
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  const folder = join(directory, `${time}-${kind}-${actors}-${transport}`);
  await mkdir(folder, { recursive: true });
  const path = join(folder, "report.json");
  await writeFile(path, `${JSON.stringify(report, undefined, 2)}\n`);
  return path;
}

function failureText(error: unknown, { host, port }: BenchOptions): string {
  const text = describeError(error);
  const isUnreachable = error instanceof IggyError && error.errorName === "CannotEstablishConnection";
  return isUnreachable
    ? `No server at ${host}:${port}. ${text}\nStart one with "npm run server", or name another with --server HOST:PORT.`
    : `The benchmark failed: ${text}`;
}

if (import.meta.main) process.exit(await runBenchProgram(process.argv.slice(2)));
