// The effective configuration key by key, for who looks at a broker that runs: what each value is and where it comes from.
import { basename } from "node:path";
import { elementLines, fieldToml, formatToml } from "./dump.ts";
import type { LoadedConfig } from "./load.ts";
import { type Config, schema } from "./schema/index.ts";
import { childPath, type Node, type Shape, tomlName } from "./schema/node.ts";

/** Which layer a value is of; `program`: what starts the broker has changed it, as to fit a limit of memory. */
export type SettingOrigin = "default" | "file" | "environment" | "program";

export interface Setting {
  /** `tcp.address`. */
  readonly key: string;
  /** As TOML; of a secret that is set only asterisks; empty: it is not set. */
  readonly value: string;
  readonly from: SettingOrigin;
  /** It differs from the default. */
  readonly isChanged: boolean;
  /** What it is for. */
  readonly doc: string;
}

/** By key; those that are not there were not given. */
export type SettingOrigins = Readonly<Record<string, "file" | "environment">>;

type Values = Readonly<Record<string, unknown>>;

/** Of a configuration that was loaded. */
export function settingOriginsOf({ given, sourcePath }: Pick<LoadedConfig, "given" | "sourcePath">): SettingOrigins {
  const file = sourcePath === undefined ? undefined : basename(sourcePath);
  return Object.fromEntries([...given].map(([key, { layer }]) => [key, layer === file ? "file" : "environment"]));
}

/** In the order of the configuration file. */
export function settingsOf(config: Config, origins: SettingOrigins): readonly Setting[] {
  return ofSection(schema.shape, config, "", origins);
}

function ofSection(shape: Shape, values: Values, path: string, origins: SettingOrigins): Setting[] {
  return Object.entries(shape).flatMap(([property, node]) => ofNode(property, node, values[property], path, origins));
}

function ofNode(property: string, node: Node, value: unknown, path: string, origins: SettingOrigins): Setting[] {
  const key = childPath(path, tomlName(property, node));
  if (node.kind === "section") return ofSection(node.shape, value as Values, key, origins);
  const isChanged = !Bun.deepEquals(value, node.defaultValue);
  const given = origins[key] ?? Object.entries(origins).find(([name]) => name.startsWith(`${key}[`))?.[1];
  const from = given ?? (isChanged ? "program" : "default");
  return [{ key, value: textOf(node, value), from, isChanged, doc: node.doc }];
}

function textOf(node: Exclude<Node, { kind: "section" }>, value: unknown): string {
  if (node.kind === "field") {
    const toml = fieldToml(node, value, true);
    return toml === undefined ? "" : formatToml(toml);
  }
  const elements = value as readonly Values[];
  return `[${elements.map((element) => `{ ${elementLines(node.shape, element, true).join(", ")} }`).join(", ")}]`;
}
