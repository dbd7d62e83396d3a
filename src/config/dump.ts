// The configuration as TOML: for the log (secrets masked) and as `current_config.toml`, from which test harnesses and
// tools learn the real ports (spec SB 1.9).
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { MASK } from "./read.ts";
import { type Config, schema } from "./schema/index.ts";
import { childPath, type Field, type Node, type Shape, type TomlOutput, tomlName } from "./schema/node.ts";

/** One TOML value as text. */
export function formatToml(value: TomlOutput): string {
  if (typeof value === "string") {
    // TOML basic strings know JSON's escapes; DEL is a control character there, too.
    return JSON.stringify(value).replaceAll("\u007f", "\\u007f");
  }
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return `[${value.map(formatToml).join(", ")}]`;
}

type Values = Readonly<Record<string, unknown>>;

function isValues(value: unknown): value is Values {
  return typeof value === "object" && value !== null;
}

function valuesOf(value: unknown, property: string): Values {
  const inner = isValues(value) ? value[property] : undefined;
  if (!isValues(inner)) throw new TypeError(`configuration has no section ${property}`);
  return inner;
}

/** Undefined leaves the key out. */
export function fieldToml(field: Field<unknown>, value: unknown, maskSecrets: boolean): TomlOutput | undefined {
  return maskSecrets && field.secret && value !== "" ? MASK : field.toToml(value);
}

/** `name = value` of each key of a list element; a section inside it becomes an inline table. */
export function elementLines(shape: Shape, values: Values, maskSecrets: boolean): string[] {
  return Object.entries(shape).flatMap(([property, node]) => {
    const name = tomlName(property, node);
    if (node.kind === "field") {
      const value = fieldToml(node, values[property], maskSecrets);
      return value === undefined ? [] : [`${name} = ${formatToml(value)}`];
    }
    const inner = elementLines(node.shape, valuesOf(values, property), maskSecrets);
    return inner.length === 0 ? [] : [`${name} = { ${inner.join(", ")} }`];
  });
}

function sectionLines(shape: Shape, values: Values, path: string, maskSecrets: boolean): string[] {
  const keys: string[] = [];
  const below: string[] = [];
  const add = (property: string, node: Node): void => {
    const name = tomlName(property, node);
    if (node.kind === "field") {
      const value = fieldToml(node, values[property], maskSecrets);
      if (value !== undefined) keys.push(`${name} = ${formatToml(value)}`);
    } else if (node.kind === "section") {
      below.push(...sectionLines(node.shape, valuesOf(values, property), childPath(path, name), maskSecrets));
    } else {
      const elements = Object.values(valuesOf(values, property)).filter(isValues);
      // An empty list is written: left out, the default list would come back.
      if (elements.length === 0) keys.push(`${name} = []`);
      for (const element of elements) {
        below.push("", `[[${childPath(path, name)}]]`, ...elementLines(node.shape, element, maskSecrets));
      }
    }
  };
  for (const [property, node] of Object.entries(shape)) add(property, node);
  const header = path === "" || keys.length === 0 ? [] : ["", `[${path}]`];
  return [...header, ...keys, ...below];
}

/** The complete configuration as TOML text, which loads to an equal configuration when secrets are not masked. */
export function dumpToml(config: Config, options: { maskSecrets: boolean }): string {
  return `${sectionLines(schema.shape, config, "", options.maskSecrets).join("\n").trimStart()}\n`;
}

/** The addresses at which enabled transports listen, as `IP:port`. */
export interface BoundAddresses {
  readonly tcp?: string;
  readonly quic?: string;
  readonly http?: string;
  readonly websocket?: string;
}

/** The configuration with the real addresses in place of the configured ones. */
export function withBoundAddresses(config: Config, bound: BoundAddresses): Config {
  return {
    ...config,
    tcp: { ...config.tcp, address: bound.tcp ?? config.tcp.address },
    quic: { ...config.quic, address: bound.quic ?? config.quic.address },
    http: { ...config.http, address: bound.http ?? config.http.address },
    websocket: { ...config.websocket, address: bound.websocket ?? config.websocket.address },
  };
}

async function withFile(path: string, flags: string, use: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await use(file);
  } finally {
    await file.close();
  }
}

/**
 * Writes `{system.path}/{system.runtime.path}/current_config.toml` and returns its path. Its readers want addresses; secrets
 * are masked (unlike in spec SB 1.9), since a backup of the data directory must not hold the key that encrypts it. Readers see the whole file or none: it is written aside, synced and renamed. Relative paths start at
 * the working directory. Call it once every transport listens.
 */
export async function writeCurrentConfig(config: Config, bound: BoundAddresses): Promise<string> {
  const path = resolve(config.system.path, config.system.runtime.path, "current_config.toml");
  const directory = dirname(path);
  await mkdir(directory, { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  // A file left by a crashed process could have another mode, which opening would keep.
  await rm(temporary, { force: true });
  try {
    await withFile(temporary, "wx", async (file) => {
      await file.writeFile(dumpToml(withBoundAddresses(config, bound), { maskSecrets: true }));
      await file.sync();
    });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await withFile(directory, "r", (handle) => handle.sync());
  return path;
}
