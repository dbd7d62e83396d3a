// How far something is that takes time, on stderr: a line that is drawn again in a terminal, a line every ten seconds elsewhere.

import type { Sink } from "./sink.ts";
import { cut } from "./table.ts";

/** Where it stands. */
export interface ProgressFacts {
  /** 0 to 1; undefined where nobody knows the end. */
  readonly done?: number | undefined;
  /** What is told beside: counts, bytes, rates. */
  readonly texts: readonly string[];
}

interface ProgressOptions {
  readonly stderr: Sink;
  readonly nowMs: () => number;
  readonly isSilent: boolean;
}

/** What is over before is not worth a line. */
const startMs = 500;
const redrawMs = 200;
const lineMs = 10_000;
const barCells = 20;
const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;
const clearLine = "\r\u001b[K";

/** `▕███▌   ▏` for a part of one. */
export function bar(done: number, cells = barCells): string {
  const filled = Math.round(Math.min(1, Math.max(0, done)) * cells * 8);
  const text = "█".repeat(filled >> 3) + eighths[filled & 7];
  return `▕${text.padEnd(cells)}▏`;
}

export class Progress {
  readonly #label: string;
  readonly #factsOf: () => ProgressFacts;
  readonly #options: ProgressOptions;
  readonly #startedAtMs: number;
  readonly #timer: NodeJS.Timeout | undefined;
  #toldAtMs: number;
  #isDrawn = false;

  constructor(label: string, factsOf: () => ProgressFacts, options: ProgressOptions) {
    this.#label = label;
    this.#factsOf = factsOf;
    this.#options = options;
    this.#startedAtMs = options.nowMs();
    this.#toldAtMs = this.#startedAtMs;
    if (options.isSilent) return;
    this.#timer = setInterval(() => this.tick(), redrawMs);
    this.#timer.unref();
  }

  /** Draws, or writes a line, if it is time. */
  tick(): void {
    const nowMs = this.#options.nowMs();
    if (this.#options.isSilent || nowMs - this.#startedAtMs < startMs) return;
    const { stderr } = this.#options;
    if (stderr.isTerminal) {
      void stderr.write(clearLine + cut(this.#text(), (stderr.size?.columns ?? 80) - 1));
      this.#isDrawn = true;
    } else if (nowMs - this.#toldAtMs >= lineMs) {
      this.#toldAtMs = nowMs;
      void stderr.write(`${this.#text()}\n`);
    }
  }

  /** Takes the drawn line away; the next tick draws it again. */
  clear(): void {
    if (this.#isDrawn) void this.#options.stderr.write(clearLine);
    this.#isDrawn = false;
  }

  end(): void {
    clearInterval(this.#timer);
    this.clear();
  }

  #text(): string {
    const { done, texts } = this.#factsOf();
    const stage = done === undefined ? [] : [`${bar(done)} ${Math.floor(done * 100)} %`];
    return [this.#label, ...stage, ...texts].join("   ");
  }
}
