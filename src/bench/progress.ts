// How far a run is: one line that is overwritten on a terminal, else a new line every few seconds. It goes to stderr, so
// that stdout holds only the result.

import type { ProgressCounter } from "./actor-messages.ts";
import { grouped } from "./report.ts";

const lineIntervalMs = 5000;
const clearLine = "\r\u001b[K";

export class ProgressLine {
  readonly #isTerminal = process.stderr.isTTY === true;
  readonly #startMs = performance.now();
  #lastLineMs = performance.now();
  #isShown = false;

  /** Shows how many messages are done; `label` says of what. */
  update(label: string, { producedMessages, consumedMessages }: ProgressCounter): void {
    const nowMs = performance.now();
    if (!this.#isTerminal && nowMs - this.#lastLineMs < lineIntervalMs) return;
    this.#lastLineMs = nowMs;
    const counts = [
      ...(producedMessages > 0 ? [`${grouped(producedMessages)} sent`] : []),
      ...(consumedMessages > 0 ? [`${grouped(consumedMessages)} received`] : []),
    ];
    const text = `${label}: ${counts.join(", ") || "nothing yet"} after ${((nowMs - this.#startMs) / 1000).toFixed(1)} s`;
    process.stderr.write(this.#isTerminal ? clearLine + text : `${text}\n`);
    this.#isShown = true;
  }

  /** Removes the line from the terminal. */
  end(): void {
    if (this.#isTerminal && this.#isShown) process.stderr.write(clearLine);
    this.#isShown = false;
  }
}
