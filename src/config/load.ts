// Makes the effective configuration: embedded defaults, then the file, then `IGGY_*` variables (spec SB 1.1). Nothing is
// started and nothing is written here; a bad configuration is one `ConfigError` that lists every broken rule.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parse } from "toml";
import type { CpuTopology } from "./cpu-allocation.ts";
import { readCpuTopology } from "./cpu-topology.ts";
import {
  type Environment,
  EnvironmentFileError,
  findUpward,
  type LoadedEnvironment,
  loadEnvironment,
  warnUnknownNames,
} from "./environment.ts";
import { describeViolation, type Origin, type Reading, readShape } from "./read.ts";
import { type Config, schema } from "./schema/index.ts";
import { adviseOn, validate } from "./validate.ts";

/** The configuration cannot be used. The message has one line per broken rule: `key = value (where): rule`. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly exitCode = 1;
  readonly violations: readonly string[];

  constructor(violations: readonly string[], options?: ErrorOptions) {
    super(violations.join("\n"), options);
    this.violations = violations;
  }
}

export interface LoadOptions {
  readonly environment: Environment;
  readonly workingDirectory: string;
  /** The machine's CPUs, which bound the number of shards; read from the system when absent. */
  readonly topology?: CpuTopology;
}

export interface LoadedConfig {
  readonly config: Config;
  /** The configuration file; undefined when there is none and the defaults stand. */
  readonly sourcePath: string | undefined;
  /** The `.env` file that was used. */
  readonly environmentPath: string | undefined;
  /** The given environment with the `.env` file's values below it; root credentials and RUST_LOG are read from it. */
  readonly environment: Environment;
  readonly warnings: readonly string[];
  /** The keys that were given, by their paths: what was written, secrets masked, and the file or variable where it was. */
  readonly given: ReadonlyMap<string, Origin>;
}

interface Position {
  readonly line?: unknown;
  readonly column?: unknown;
}

/**
 * Where a TOML error lies. Grammar errors carry a `location`; their `line` is not to be trusted, as the runtime puts the
 * line of the throwing source there. The parser's other errors have their own `line`.
 */
function positionOf(error: Error & { location?: { start?: Position }; line?: unknown; column?: unknown }): string {
  const { line, column } = error.location?.start ?? error;
  return typeof line === "number" ? ` (line ${line}, column ${column})` : "";
}

function readTable(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError([`${path}: must be a readable file: ${String(error)}`], { cause: error });
  }
  try {
    return withNumbers(parseTable(text));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new ConfigError([`${path}${positionOf(error)}: must be TOML: ${error.message}`], { cause: error });
  }
}

/** Before a whole number that stands as text; no key takes a text that begins so. */
const hugeMark = "\u{10fffd}";
const wholeNumber = /[+-]?\d[\d_]*/y;

/**
 * TOML knows no whole numbers beyond 64 bits, and the parser says of them where they stand, but not in which key. They are handed on
 * all the same, so that each breaks the rule of its key.
 */
function parseTable(text: string): unknown {
  for (;;) {
    try {
      return parse(text, { bigint: true });
    } catch (error) {
      const { line, column } = error as Position;
      if (typeof line !== "number" || typeof column !== "number") throw error;
      wholeNumber.lastIndex =
        text
          .split("\n")
          .slice(0, line - 1)
          .join("\n").length +
        (line > 1 ? 1 : 0) +
        column -
        1;
      const [written = ""] = wholeNumber.exec(text) ?? [];
      const digits = written.replaceAll("_", "");
      if (digits === "" || BigInt.asIntN(64, BigInt(digits)) === BigInt(digits)) throw error;
      const end = wholeNumber.lastIndex;
      text = `${text.slice(0, end - written.length)}"${hugeMark}${digits}"${text.slice(end)}`;
    }
  }
}

/** Whole numbers as numbers, but those that no number holds exactly: they break the rules of their keys, not the file. */
function withNumbers(value: unknown): unknown {
  if (typeof value === "string" && value.startsWith(hugeMark)) return BigInt(value.slice(hugeMark.length));
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(withNumbers);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withNumbers(inner)]));
}

/** `enforce_fsync = true` is `acknowledge = sync`; after this only `acknowledge` needs to be looked at. */
function resolveAcknowledge(config: Config): Config {
  if (!config.system.partition.enforceFsync) return config;
  const partition = { ...config.system.partition, acknowledge: "sync" } as const;
  return { ...config, system: { ...config.system, partition } };
}

function environmentOf({ environment, workingDirectory }: LoadOptions): LoadedEnvironment {
  try {
    return loadEnvironment(environment, workingDirectory);
  } catch (error) {
    if (!(error instanceof EnvironmentFileError)) throw error;
    throw new ConfigError([error.message], { cause: error });
  }
}

/** Loads and validates; throws `ConfigError`. Reads files, changes nothing. */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const { environment, environmentPath, warnings: environmentWarnings } = environmentOf(options);
  const warnings = [...environmentWarnings, ...warnUnknownNames(environment, schema.shape)];

  const named = environment.IGGY_CONFIG_PATH || undefined;
  const sourcePath = findUpward(named ?? "config.toml", options.workingDirectory);
  if (sourcePath === undefined && named !== undefined) {
    throw new ConfigError([`IGGY_CONFIG_PATH = ${JSON.stringify(named)}: the file does not exist`]);
  }
  if (sourcePath === undefined) warnings.push("configuration file config.toml not found; the defaults are used");

  const reading: Reading = {
    environment,
    fileName: sourcePath === undefined ? "" : basename(sourcePath),
    origins: new Map(),
    violations: new Map(),
    warnings,
  };
  const table = sourcePath === undefined ? undefined : readTable(sourcePath);
  const config = resolveConfig(table, reading, options.topology ?? readCpuTopology());
  return { config, sourcePath, environmentPath, environment, warnings, given: reading.origins };
}

/** What a table says, without any file or environment; throws `ConfigError`. `tableName`: for messages. */
export function configOf(
  table: unknown,
  tableName: string,
  topology: CpuTopology,
): { readonly config: Config; readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  const reading: Reading = {
    environment: {},
    fileName: tableName,
    origins: new Map(),
    violations: new Map(),
    warnings,
  };
  return { config: resolveConfig(table, reading, topology), warnings };
}

function resolveConfig(table: unknown, reading: Reading, topology: CpuTopology): Config {
  const given = readShape(schema.shape, "", table, "", reading);
  validate(given, topology, (key, rule) => {
    if (reading.violations.has(key)) return;
    reading.violations.set(key, describeViolation(key, reading.origins.get(key), rule));
  });
  if (reading.violations.size > 0) throw new ConfigError([...reading.violations.values()]);

  const config = resolveAcknowledge(given);
  if (
    reading.origins.has("system.partition.acknowledge") &&
    given !== config &&
    given.system.partition.acknowledge !== "sync"
  ) {
    reading.warnings.push(
      "system.partition.enforce_fsync = true overrides system.partition.acknowledge: sends are synced",
    );
  }
  reading.warnings.push(...adviseOn(config));
  return config;
}
