// `bench --compare before.json after.json`: two reports of `--json`, side by side.

import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { ComparisonError, compareReports, renderComparison } from "./compare.ts";
import { UsageError } from "./options.ts";
import { type BenchReport, reportVersion } from "./report.ts";

export const compareOption = "--compare";
const defaultLimit = "5%";
const exitSlower = 6;

/** Runs `args` (behind `--compare`) and resolves with the exit code: 6 where something is slower than the limit. UsageError if they are wrong. */
export async function runComparison(args: readonly string[]): Promise<number> {
  const { paths, limit, json } = parse(args);
  const [before, after] = await Promise.all([reportIn(paths[0]), reportIn(paths[1])]);
  const comparisons = compared(before, after, limit);
  console.log(json ? JSON.stringify(comparisons, undefined, 2) : renderComparison(comparisons));
  return comparisons.some(({ verdict }) => verdict === "SLOWER than the limit") ? exitSlower : 0;
}

function compared(before: BenchReport, after: BenchReport, limit: number) {
  try {
    return compareReports(before, after, limit);
  } catch (error) {
    if (error instanceof ComparisonError) throw new UsageError(error.message);
    throw error;
  }
}

function parse(args: readonly string[]) {
  const { values, positionals } = parsed(args);
  const [before, after, ...rest] = positionals;
  if (before === undefined || after === undefined || rest.length > 0) {
    throw new UsageError(`${compareOption} takes two reports: bench ${compareOption} before.json after.json`);
  }
  const [, digits] = /^(\d+(?:\.\d+)?) ?%$/.exec(values.limit) ?? [];
  if (digits === undefined) throw new UsageError(`--limit takes a percentage such as 5%, not "${values.limit}"`);
  return { paths: [before, after] as const, limit: Number(digits) / 100, json: values.json };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: true,
      options: { limit: { type: "string", default: defaultLimit }, json: { type: "boolean", default: false } },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function reportIn(path: string): Promise<BenchReport> {
  let report: unknown;
  try {
    report = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new UsageError(
      `${path} cannot be read as a report: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const version = typeof report === "object" && report !== null && "version" in report ? report.version : undefined;
  if (version !== reportVersion) {
    throw new UsageError(`${path} is no report of version ${reportVersion}, as bench --json writes it`);
  }
  // The version says what is in it.
  return report as BenchReport;
}
