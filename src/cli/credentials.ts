// Where tokens are kept: in the system's key ring, under the service names of the original, or in a file of the owner's.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { homeOf, writePrivate } from "./contexts.ts";
import type { Host, SecretStore } from "./host.ts";
import { type Json, tomlText } from "./output/documents.ts";
import { Problem } from "./problem.ts";

/** Name of the token of a login, on the server and in the key ring: that of the original. */
export const sessionTokenName = "iggy-cli-session";

/** Service of the token that `login` keeps. `address`: `host:port`. */
export function sessionService(address: string): string {
  return `${sessionTokenName}:${address}`;
}

/** Service of tokens that `pat create -s` keeps. */
export function tokenService(address: string): string {
  return `iggy:${address}`;
}

/** `credentials.toml` beside the contexts: a table for each service. */
class CredentialsFile implements SecretStore {
  readonly place: string;
  readonly #path: string;

  constructor(home: string) {
    this.#path = join(home, "credentials.toml");
    this.place = this.#path;
  }

  async get(service: string, name: string): Promise<string | undefined> {
    return (await this.#read()).get(service)?.get(name);
  }

  async set(service: string, name: string, secret: string): Promise<void> {
    const services = await this.#read();
    const names = services.get(service) ?? new Map<string, string>();
    services.set(service, names.set(name, secret));
    await this.#write(services);
  }

  async delete(service: string, name: string): Promise<void> {
    const services = await this.#read();
    const names = services.get(service);
    if (names?.delete(name) !== true) return;
    if (names.size === 0) services.delete(service);
    await this.#write(services);
  }

  async #read(): Promise<Map<string, Map<string, string>>> {
    let text: string;
    try {
      text = await readFile(this.#path, "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return new Map();
      throw error;
    }
    const toml = await import("toml");
    try {
      const services: Readonly<Record<string, Readonly<Record<string, string>>>> = toml.parse(text);
      return new Map(Object.entries(services).map(([service, names]) => [service, new Map(Object.entries(names))]));
    } catch (cause) {
      throw new Problem(`${this.#path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }

  async #write(services: ReadonlyMap<string, ReadonlyMap<string, string>>): Promise<void> {
    const tables: Json = Object.fromEntries([...services].map(([name, names]) => [name, Object.fromEntries(names)]));
    await writePrivate(this.#path, `${tomlText(tables).trimStart()}\n`);
  }
}

/** The key ring first, then the file: a token is found where it was kept, and kept where there is a place for it. */
export class Credentials {
  readonly #host: Host;
  readonly #file: CredentialsFile;

  constructor(host: Host) {
    this.#host = host;
    this.#file = new CredentialsFile(homeOf(host));
  }

  async get(service: string, name: string): Promise<string | undefined> {
    return (await this.#file.get(service, name)) ?? (await (await this.#host.keyRing())?.get(service, name));
  }

  /** Resolves with the place where it is now, for a sentence. */
  async keep(service: string, name: string, secret: string): Promise<string> {
    const ring = await this.#host.keyRing();
    try {
      await ring?.set(service, name, secret);
      if (ring !== undefined) return ring.place;
    } catch {
      // Locked, or full: the file takes it, and the place that is told says so.
    }
    await this.#file.set(service, name, secret);
    return this.#file.place;
  }

  async forget(service: string, name: string): Promise<void> {
    await this.#file.delete(service, name);
    await (await this.#host.keyRing())?.delete(service, name);
  }
}
