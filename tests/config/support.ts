import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { flatTopology } from "../../src/config/cpu-topology.ts";
import { ConfigError, type LoadedConfig, loadConfig } from "../../src/config/load.ts";

/** A directory of its own, removed afterwards. */
export async function inDirectory(use: (directory: string) => void | Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "whippet-config-"));
  try {
    await use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export const topology = flatTopology(4);

/** Loads in a directory without files above it, with this text as config.toml and these variables. */
export function load(source: { toml?: string; environment?: Record<string, string> }): LoadedConfig {
  const directory = mkdtempSync(join(tmpdir(), "whippet-config-"));
  try {
    if (source.toml !== undefined) writeFileSync(join(directory, "config.toml"), source.toml);
    return loadConfig({ environment: source.environment ?? {}, workingDirectory: directory, topology });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The broken rules of a configuration; empty when it loads. */
export function violations(source: Parameters<typeof load>[0]): readonly string[] {
  try {
    load(source);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.violations;
    throw error;
  }
}
