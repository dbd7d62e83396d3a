// Contexts: named servers with who logs in there, in the files of the original (`$IGGY_HOME` or `~/.iggy`): `contexts.toml`, and
// `.active_context` with the name of the one in use. Whatever else stands in the file stays as it is: it is edited, not written anew.

import { chmod, mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Host } from "./host.ts";
import { tomlKey, tomlValue } from "./output/documents.ts";
import { Problem } from "./problem.ts";

/** What a context says; keys that are not ours are kept in the file and not looked at. */
export interface Context {
  /** A connection string. Ours; everything else is the original's. */
  readonly url?: string;
  readonly transport?: string;
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
  readonly token_name?: string;
  readonly encryption_key?: string;
  readonly tcp_server_address?: string;
  readonly tcp_tls_enabled?: boolean;
  readonly tcp_tls_domain?: string;
  readonly http_api_url?: string;
  readonly quic_server_address?: string;
  readonly quic_server_name?: string;
  readonly websocket_server_address?: string;
}

const textKeys = [
  "url",
  "transport",
  "username",
  "password",
  "token",
  "token_name",
  "encryption_key",
  "tcp_server_address",
  "tcp_tls_domain",
  "http_api_url",
  "quic_server_address",
  "quic_server_name",
  "websocket_server_address",
] as const;

/** Always there, made of defaults where the file says nothing. */
export const defaultContextName = "default";

type Tables = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/** Where contexts and credentials lie. */
export function homeOf({ environment, homePath }: Pick<Host, "environment" | "homePath">): string {
  return environment.IGGY_HOME || join(homePath, ".iggy");
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Writes a file that only its owner may read, whole or not at all. */
export async function writePrivate(path: string, text: string): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true });
  const draft = `${path}.${process.pid}.tmp`;
  await writeFile(draft, text, { mode: 0o600 });
  await chmod(draft, 0o600);
  await rename(draft, path);
}

/** Whether others than the owner may read a file. */
export async function isOpenToOthers(path: string): Promise<boolean> {
  if (process.platform === "win32") return false;
  try {
    return ((await stat(path)).mode & 0o077) !== 0;
  } catch {
    return false; // not there
  }
}

export class Contexts {
  readonly path: string;
  readonly #activePath: string;

  /** Nothing is read yet. */
  constructor(home: string) {
    this.path = join(home, "contexts.toml");
    this.#activePath = join(home, ".active_context");
  }

  /** The name in `.active_context`. */
  async activeName(): Promise<string> {
    return (await readIfThere(this.#activePath))?.trim() || defaultContextName;
  }

  /** By name, the default one first. Problem for a file that is no TOML. */
  async all(): Promise<ReadonlyMap<string, Context>> {
    const found = new Map([[defaultContextName, {}], ...(await this.#read()).tables]);
    return new Map([...found].map(([name, table]) => [name, contextOf(table)]));
  }

  /** Problem (exit code 5) if there is none. */
  async get(name: string): Promise<Context> {
    const contexts = await this.all();
    const context = contexts.get(name);
    if (context === undefined) throw Problem.missing(`no context "${name}"`, name, [...contexts.keys()]);
    return context;
  }

  async use(name: string): Promise<void> {
    await this.get(name);
    await writePrivate(this.#activePath, name);
  }

  async create(name: string, context: Context): Promise<void> {
    if (!/^[\p{L}\p{N}_-]+$/u.test(name)) {
      throw new Problem(`a context is called by letters, digits, - and _, not "${name}"`, { exitCode: 2 });
    }
    if (name === defaultContextName) throw new Problem(`the context "${name}" is always there`);
    const { text, tables } = await this.#read();
    if (tables.has(name)) throw new Problem(`there is a context "${name}" already`);
    const fields = Object.entries(context).filter(([, value]) => value !== undefined);
    const lines = fields.map(([key, value]) => `${tomlKey(key)} = ${tomlValue(value)}\n`);
    const before = text === "" || text.endsWith("\n") ? text : `${text}\n`;
    const blank = before === "" ? "" : "\n";
    await this.#write(`${before}${blank}[${tomlKey(name)}]\n${lines.join("")}`, [...tables.keys(), name]);
  }

  /** The one in use is then the default one. */
  async delete(name: string): Promise<void> {
    if (name === defaultContextName) throw new Problem(`the context "${name}" cannot be deleted`);
    await this.get(name);
    const { text, tables } = await this.#read();
    const rest = [...tables.keys()].filter((other) => other !== name);
    await this.#write(withoutTable(text, name), rest);
    if ((await this.activeName()) === name) await writePrivate(this.#activePath, defaultContextName);
  }

  async #read(): Promise<{ readonly text: string; readonly tables: Tables }> {
    const text = (await readIfThere(this.path)) ?? "";
    return { text, tables: await parse(text, this.path) };
  }

  /** Checks what was edited before it takes the place of what was there. */
  async #write(text: string, names: readonly string[]): Promise<void> {
    const tables = await parse(text, this.path);
    if ([...tables.keys()].sort().join() !== [...names].sort().join()) {
      throw new Problem(`${this.path} is written in a way that whippet cannot edit; please change it by hand`);
    }
    await writePrivate(this.path, text);
  }
}

async function parse(text: string, path: string): Promise<Tables> {
  const toml = await import("toml");
  try {
    const value: Readonly<Record<string, unknown>> = toml.parse(text);
    return new Map(Object.entries(value).map(([name, table]) => [name, tableOf(table)]));
  } catch (cause) {
    throw new Problem(`${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function tableOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function contextOf(table: Readonly<Record<string, unknown>>): Context {
  const texts = textKeys.flatMap((key) => {
    const value = table[key];
    return typeof value === "string" ? [[key, value] as const] : [];
  });
  const isTls = table.tcp_tls_enabled;
  return { ...Object.fromEntries(texts), ...(typeof isTls === "boolean" ? { tcp_tls_enabled: isTls } : {}) };
}

/** The text without `[name]` and the tables below it. */
function withoutTable(text: string, name: string): string {
  let isIn = false;
  const kept = text.split("\n").filter((line) => {
    const head = /^\s*\[\[?\s*("(?:[^"\\]|\\.)*"|'[^']*'|[^\].\s]+)/.exec(line)?.[1];
    if (head !== undefined) isIn = head === name || head === `"${name}"` || head === `'${name}'`;
    return !isIn;
  });
  const left = kept.join("\n");
  return left === "" || left.endsWith("\n") ? left : `${left}\n`;
}
