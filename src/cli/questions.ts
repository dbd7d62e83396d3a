// Questions to who sits at the terminal. A script is never asked.

import type { Host } from "./host.ts";
import { Interrupted } from "./interrupted.ts";
import { Problem } from "./problem.ts";

const Key = { interrupt: 3, end: 4, backspace: 8, newline: 10, enter: 13, clear: 21, delete: 127 } as const;

export class Questions {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Whether somebody is there to answer: stdin and stdout are terminals. */
  get canAsk(): boolean {
    return this.#host.stdin.isTerminal && this.#host.stdout.isTerminal;
  }

  /** A password, not shown while it is typed; without a terminal the first line of stdin, as in the original. */
  async password(question: string): Promise<string> {
    const { stdin, stderr } = this.#host;
    if (!stdin.isTerminal) {
      const line = await stdin.line();
      if (line === undefined)
        throw new Problem(`${question.replace(/:?\s*$/, "")}: there is nobody to ask, and no line on stdin`, {
          exitCode: 4,
        });
      return line;
    }
    // First of all: who reads the question may answer at once, and the terminal would show it.
    stdin.setRaw(true);
    try {
      await stderr.write(question);
      return await this.#typed();
    } finally {
      stdin.setRaw(false);
      await stderr.write("\n");
    }
  }

  /** Yes or no; no if nothing is answered. */
  async confirm(question: string): Promise<boolean> {
    await this.#host.stderr.write(`${question} [y/N] `);
    const answer = await this.#host.stdin.line();
    if (answer === undefined) await this.#host.stderr.write("\n");
    return /^y(es)?$/i.test(answer?.trim() ?? "");
  }

  async #typed(): Promise<string> {
    const { stdin } = this.#host;
    const bytes: number[] = [];
    for (;;) {
      const chunk = await stdin.read();
      if (chunk === undefined) throw new Interrupted();
      for (const byte of chunk) {
        if (byte === Key.enter || byte === Key.newline) return new TextDecoder().decode(new Uint8Array(bytes));
        if (byte === Key.interrupt || byte === Key.end) throw new Interrupted();
        if (byte === Key.backspace || byte === Key.delete) removeCharacter(bytes);
        else if (byte === Key.clear) bytes.length = 0;
        else if (byte >= 32) bytes.push(byte);
      }
    }
  }
}

/** Takes the last character away, of one byte or several. */
function removeCharacter(bytes: number[]): void {
  while (bytes.length > 0 && ((bytes.pop() ?? 0) & 0xc0) === 0x80);
}
