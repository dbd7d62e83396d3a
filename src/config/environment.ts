// Environment variables: the `.env` file, and which `IGGY_*` names exist (spec SB 1.1 and 1.2).
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { didYouMean } from "./near.ts";
import { childPath, environmentName, type Node, type Shape, tomlName } from "./schema/node.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Elements of a list of tables that environment variables can name: 0 to 9. */
export const ENVIRONMENT_INDEX_COUNT = 10;

/** `IGGY_*` names that are no configuration keys, and yet known. */
const OTHER_NAMES = new Set([
  "IGGY_CI_BUILD",
  "IGGY_CONFIG_PATH",
  "IGGY_CONNECTORS_CONFIG_PATH",
  "IGGY_DISPLAY_CONFIG",
  "IGGY_ENV_PATH",
  "IGGY_HOME", // where the command keeps its contexts
  "IGGY_MCP_CONFIG_PATH",
  "IGGY_ROOT_PASSWORD",
  "IGGY_ROOT_USERNAME",
  "IGGY_TEST_CLEANUP_DISABLED",
  "IGGY_TEST_VERBOSE",
]);
const OTHER_PREFIXES = ["IGGY_CONNECTORS_SINK_", "IGGY_CONNECTORS_SOURCE_"];

/** The first existing file of this name in the directory or its parents; an absolute name is looked up as it is. */
export function findUpward(name: string, directory: string): string | undefined {
  let current = resolve(directory);
  for (;;) {
    const candidate = resolve(current, name);
    if (existsSync(candidate)) return candidate;
    const parent = dirname(current);
    if (parent === current) return undefined;
    current = parent;
  }
}

function unquote(text: string): string {
  const double = /^"((?:[^"\\]|\\.)*)"/s.exec(text);
  if (double?.[1] !== undefined) {
    return double[1].replace(/\\(.)/gs, (_, letter: string) => ({ n: "\n", r: "\r", t: "\t" })[letter] ?? letter);
  }
  const single = /^'([^']*)'/s.exec(text);
  if (single?.[1] !== undefined) return single[1];
  return text.replace(/(^|\s+)#.*$/, "").trim();
}

/** Reads `.env` text: `NAME=value` lines, `export` allowed, quotes, `#` comments. Other lines are ignored. */
export function parseDotEnv(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const [, name, value = ""] = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name !== undefined) values[name] = unquote(value.trim());
  }
  return values;
}

/** A file that somebody named holds what is wanted: a start without it would be one with other ports, users or data. */
export class EnvironmentFileError extends Error {
  override readonly name = "EnvironmentFileError";

  constructor(path: string, cause: unknown) {
    const isMissing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    const reason = isMissing ? "the file does not exist" : `the file cannot be read (${String(cause)})`;
    super(`IGGY_ENV_PATH = ${JSON.stringify(path)}: ${reason}`, { cause });
  }
}

/** The environment with the `.env` file below it, and the file that was used. */
export interface LoadedEnvironment {
  readonly environment: Environment;
  readonly environmentPath: string | undefined;
  readonly warnings: readonly string[];
}

/**
 * Adds the values of the `.env` file: exactly `IGGY_ENV_PATH` when set, otherwise the nearest `.env`. Variables that are
 * already set win. Throws `EnvironmentFileError` where a file that is named cannot be read.
 */
export function loadEnvironment(environment: Environment, workingDirectory: string): LoadedEnvironment {
  const named = environment.IGGY_ENV_PATH || undefined;
  const path = named === undefined ? findUpward(".env", workingDirectory) : resolve(workingDirectory, named);
  if (path === undefined) return { environment, environmentPath: undefined, warnings: [] };
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (named !== undefined) throw new EnvironmentFileError(named, error);
    const warning = `${path}: cannot be read, ignored (${String(error)})`;
    return { environment, environmentPath: undefined, warnings: [warning] };
  }
  const merged: Record<string, string | undefined> = parseDotEnv(text);
  for (const [name, value] of Object.entries(environment)) if (value !== undefined) merged[name] = value;
  return { environment: merged, environmentPath: path, warnings: [] };
}

/**
 * How much of the effective configuration is logged at a start: all keys where `IGGY_DISPLAY_CONFIG` is `1` or `true`, those that were
 * given where it is not set, none where it is anything else.
 */
export function displayedConfig(environment: Environment): "all" | "given" | "none" {
  const value = environment.IGGY_DISPLAY_CONFIG;
  if (value === undefined) return "given";
  return value === "1" || value === "true" ? "all" : "none";
}

/** Calls back for every field below a shape with its dotted path; list elements stand once per index 0 to 9. */
function visitFields(shape: Shape, path: string, visit: (path: string) => void): void {
  const visitNode = (node: Node, nodePath: string): void => {
    if (node.kind === "field") visit(nodePath);
    else if (node.kind === "section") visitFields(node.shape, nodePath, visit);
    else for (let i = 0; i < ENVIRONMENT_INDEX_COUNT; i++) visitFields(node.shape, `${nodePath}.${i}`, visit);
  };
  for (const [property, node] of Object.entries(shape)) visitNode(node, childPath(path, tomlName(property, node)));
}

/** Every environment variable that maps to a key. */
export function configurationNames(shape: Shape): Set<string> {
  const names = new Set<string>();
  visitFields(shape, "", (path) => names.add(environmentName(path)));
  return names;
}

/** One warning for each `IGGY_*` variable that nothing reads, with up to three near matches. */
export function warnUnknownNames(environment: Environment, shape: Shape): string[] {
  const names = configurationNames(shape);
  const candidates = [...names].filter((name) => !/_[1-9]_/.test(name)).concat(...OTHER_NAMES);
  return Object.keys(environment)
    .filter((name) => name.startsWith("IGGY_") && !names.has(name) && !OTHER_NAMES.has(name))
    .filter((name) => !OTHER_PREFIXES.some((prefix) => name.startsWith(prefix)))
    .sort()
    .map((name) => `unknown environment variable ${name}${didYouMean(name, candidates)}`);
}
