// A shell in a pseudo-terminal, and what is seen in it.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";

const program = resolve(import.meta.dir, "../../src/process/main.ts");
/** This is for what never happens: a busy machine takes its time. */
export const waitMs = 40_000;

const opened = new Set<Terminal>();

/** Ends the shells of a test. */
export function endTerminals(): void {
  for (const terminal of opened) terminal.end();
  opened.clear();
}

/** A shell with the command `whippet` in a terminal of its own. */
export class Terminal {
  /** Everything that was written to the terminal. */
  raw = "";
  readonly #child: Bun.Subprocess;

  constructor(url: string, script: string, environment: Readonly<Record<string, string>> = {}) {
    const whippet = `whippet() { "${process.execPath}" --no-env-file "${program}" "$@"; }`;
    this.#child = Bun.spawn(["bash", "-c", `${whippet}\n${script}\necho "ended with $?"`], {
      env: {
        PATH: process.env.PATH ?? "",
        TERM: "xterm",
        IGGY_HOME: join(mkdtempSync(join(tmpdir(), "whippet-terminal-")), "iggy"),
        WHIPPET_CREDENTIALS: "file",
        WHIPPET_URL: url,
        ...environment,
      },
      terminal: {
        cols: 100,
        rows: 30,
        data: (_, data) => {
          this.raw += Buffer.from(data).toString();
        },
      },
    });
    opened.add(this);
  }

  /** What was written, without colours and movements. */
  get text(): string {
    return stripVTControlCharacters(this.raw).replaceAll("\r", "");
  }

  type(keys: string): void {
    this.#child.terminal?.write(keys);
  }

  async until(pattern: RegExp | string): Promise<void> {
    const deadlineMs = performance.now() + waitMs;
    const isThere = () => (typeof pattern === "string" ? this.text.includes(pattern) : pattern.test(this.text));
    while (!isThere()) {
      if (performance.now() > deadlineMs) throw new Error(`no ${pattern} in the terminal:\n${this.text}`);
      await Bun.sleep(10);
    }
  }

  end(): void {
    this.#child.kill("SIGKILL");
    this.#child.terminal?.close();
  }
}
