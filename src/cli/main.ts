// The command in this process: its streams, its signals, its key ring.

import { homedir } from "node:os";
import type { Readable, Writable } from "node:stream";
import type { SecretStore, Source } from "./host.ts";
import { keyRing } from "./key-ring.ts";
import type { Sink } from "./output/sink.ts";
import { runProgram } from "./program.ts";

const exitInterrupted = 130;
/** A terminal's Ctrl-C may come twice: from the terminal, and from a program that passes it on. */
const sameInterruptMs = 100;

/** Runs a command line (without the program's name) and resolves with the exit code, once everything is written. */
export async function runWhippet(args: readonly string[], version: string): Promise<number> {
  let ring: Promise<SecretStore | undefined> | undefined;
  return await runProgram(args, version, {
    environment: process.env,
    homePath: homedir(),
    stdin: new StreamSource(process.stdin),
    stdout: sinkOf(process.stdout),
    stderr: sinkOf(process.stderr),
    nowMs: () => performance.now(),
    keyRing: () => {
      ring ??= keyRing(process.env.WHIPPET_CREDENTIALS);
      return ring;
    },
    page,
    signal: interruptSignal(),
  });
}

/** Aborts with the first interrupt; a second one ends the process at once. */
function interruptSignal(): AbortSignal {
  const abort = new AbortController();
  let firstAtMs = 0;
  const interrupt = () => {
    const nowMs = performance.now();
    if (!abort.signal.aborted) firstAtMs = nowMs;
    else if (nowMs - firstAtMs > sameInterruptMs) process.exit(exitInterrupted);
    abort.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return abort.signal;
}

type OutStream = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

function sinkOf(stream: OutStream): Sink {
  // Who reads it has seen enough, as `head` has: there is nothing left to do.
  stream.on("error", () => process.exit(0));
  return {
    isTerminal: stream.isTTY === true,
    get size() {
      const { columns, rows } = stream;
      return columns === undefined || rows === undefined ? undefined : { columns, rows };
    },
    write: (data) => new Promise((resolve) => void stream.write(data, () => resolve())),
  };
}

type InStream = Readable & { readonly isTTY?: boolean; setRawMode?(isRaw: boolean): unknown };

/** A stream that is read piece by piece or line by line. */
class StreamSource implements Source {
  readonly #stream: InStream;
  #iterator: AsyncIterator<Uint8Array> | undefined;
  /** Read, and not asked for yet. */
  #rest: Uint8Array | undefined;

  constructor(stream: InStream) {
    this.#stream = stream;
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  async read(): Promise<Uint8Array | undefined> {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined && rest.length > 0) return rest;
    this.#iterator ??= this.#stream[Symbol.asyncIterator]();
    const { done, value } = await this.#iterator.next();
    return done ? undefined : value;
  }

  async line(): Promise<string | undefined> {
    const parts: Uint8Array[] = [];
    for (;;) {
      const chunk = await this.read();
      if (chunk === undefined) return parts.length === 0 ? undefined : textOf(parts);
      const end = chunk.indexOf(10);
      parts.push(end < 0 ? chunk : chunk.subarray(0, end));
      if (end < 0) continue;
      this.#rest = chunk.subarray(end + 1);
      return textOf(parts);
    }
  }

  setRaw(isRaw: boolean): void {
    this.#stream.setRawMode?.(isRaw);
  }
}

function textOf(parts: readonly Uint8Array[]): string {
  return new TextDecoder().decode(Buffer.concat(parts)).replace(/\r$/, "");
}

async function page(command: string, text: string): Promise<boolean> {
  const [program = "", ...args] = command.split(/\s+/).filter((part) => part !== "");
  try {
    const child = Bun.spawn([program, ...args], { stdin: "pipe", stdout: "inherit", stderr: "inherit" });
    child.stdin.write(text);
    await child.stdin.end();
    return (await child.exited) === 0;
  } catch {
    return false; // there is no such program: the text is written as it is
  }
}
