// The command in the test's own process: what it writes is recorded, what it reads is given, nothing of the machine is touched.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host, SecretStore, Source } from "../../src/cli/host.ts";
import type { Sink } from "../../src/cli/output/sink.ts";
import { runProgram } from "../../src/cli/program.ts";

export const testVersion = "1.2.3";

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Of the command; IGGY_HOME is that of the test's `Whippet`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What is read; with `isTerminal` it is typed. */
  readonly stdin?: string | AsyncIterable<string>;
  /** Whether stdin, stdout and stderr are a terminal (of 80 × 24). */
  readonly isTerminal?: boolean;
  readonly columns?: number;
  readonly signal?: AbortSignal;
  /** Called with everything that is written, as it comes. */
  readonly onWrite?: (text: string) => void;
}

class Recorder implements Sink {
  readonly isTerminal: boolean;
  readonly size: Sink["size"];
  readonly #chunks: Uint8Array[] = [];
  readonly #onWrite: ((text: string) => void) | undefined;

  constructor({ isTerminal = false, columns = 80, onWrite }: RunOptions) {
    this.isTerminal = isTerminal;
    this.size = isTerminal ? { columns, rows: 24 } : undefined;
    this.#onWrite = onWrite;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  async write(data: string | Uint8Array): Promise<void> {
    this.#chunks.push(Buffer.from(data));
    this.#onWrite?.(String(Buffer.from(data)));
  }
}

class GivenSource implements Source {
  readonly isTerminal: boolean;
  readonly #chunks: AsyncIterator<string>;
  /** A terminal shows what is typed. */
  readonly #echo: ((text: string) => void) | undefined;
  #rest = "";
  isRaw = false;

  constructor({ stdin = "", isTerminal = false, onWrite }: RunOptions) {
    this.isTerminal = isTerminal;
    this.#echo = isTerminal ? onWrite : undefined;
    this.#chunks = (typeof stdin === "string" ? once(stdin) : stdin)[Symbol.asyncIterator]();
  }

  async read(): Promise<Uint8Array | undefined> {
    const rest = this.#rest;
    this.#rest = "";
    if (rest !== "") return Buffer.from(rest);
    const { done, value } = await this.#chunks.next();
    return done ? undefined : Buffer.from(value);
  }

  async line(): Promise<string | undefined> {
    let text = "";
    for (;;) {
      const chunk = await this.read();
      if (chunk === undefined) return text === "" ? undefined : text;
      text += Buffer.from(chunk).toString();
      const end = text.indexOf("\n");
      if (end < 0) continue;
      this.#rest = text.slice(end + 1);
      this.#echo?.(text.slice(0, end + 1));
      return text.slice(0, end);
    }
  }

  setRaw(isRaw: boolean): void {
    this.isRaw = isRaw;
  }
}

async function* once(text: string): AsyncGenerator<string> {
  if (text !== "") yield text;
}

/** A key ring in memory. */
export class MemoryKeyRing implements SecretStore {
  readonly place = "the key ring";
  readonly kept = new Map<string, string>();

  async get(service: string, name: string): Promise<string | undefined> {
    return this.kept.get(`${service} ${name}`);
  }

  async set(service: string, name: string, secret: string): Promise<void> {
    this.kept.set(`${service} ${name}`, secret);
  }

  async delete(service: string, name: string): Promise<void> {
    this.kept.delete(`${service} ${name}`);
  }
}

/** The command of one user, whose contexts lie in a directory of the test's. */
export class Whippet {
  readonly home = join(mkdtempSync(join(tmpdir(), "whippet-cli-")), "iggy");
  readonly #url: string | undefined;
  /** Texts that the pager was given. */
  readonly paged: string[] = [];
  keyRing: SecretStore | undefined;

  /** `url`: in WHIPPET_URL, if it is given. */
  constructor(url?: string) {
    this.#url = url;
  }

  async run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const stdout = new Recorder(options);
    const stderr = new Recorder(options);
    const host: Host = {
      environment: {
        IGGY_HOME: this.home,
        ...(this.#url === undefined ? {} : { WHIPPET_URL: this.#url }),
        ...options.environment,
      },
      homePath: this.home,
      stdin: new GivenSource(options),
      stdout,
      stderr,
      nowMs: () => performance.now(),
      keyRing: async () => this.keyRing,
      page: async (_, text) => {
        this.paged.push(text);
        return true;
      },
      signal: options.signal ?? new AbortController().signal,
    };
    const exitCode = await runProgram(args, testVersion, host);
    return { exitCode, stdout: stdout.text, stderr: stderr.text };
  }

  /** As `run`, of a command line as one writes it, with words that may be in double or single quotes. */
  async line(line: string, options?: RunOptions): Promise<Ran> {
    const args = [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
      ([, double, single, bare]) => double ?? single ?? bare ?? "",
    );
    return await this.run(args, options);
  }
}
