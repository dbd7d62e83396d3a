// `whippet top` for somebody at a terminal: the alternate screen, the keys, and everything put back at the end.

import type { Source } from "../host.ts";
import type { Output } from "../output/output.ts";
import type { Changes } from "./changes.ts";
import { type ScreenState, screenLines } from "./screen.ts";
import type { ViewName } from "./view.ts";

const Escape = {
  /** The alternate screen, without a cursor. */
  enter: "\u001b[?1049h\u001b[?25l",
  leave: "\u001b[?25h\u001b[?1049l",
  home: "\u001b[H",
  endOfLine: "\u001b[K",
  endOfScreen: "\u001b[J",
} as const;

/** How many intervals the small charts show. */
const historyLength = 16;
const viewsByKey: Readonly<Record<string, ViewName>> = { t: "topics", g: "groups", c: "clients" };

export class TerminalTop {
  readonly #address: string;
  readonly #output: Output;
  readonly #stdin: Source | undefined;
  readonly #end = new AbortController();
  readonly #history = { in: [] as number[], out: [] as number[] };
  #state: ScreenState = { view: "topics", sort: 0, filter: "", isPaused: false, isTyping: false };
  #changes: Changes | undefined;
  /** Ctrl-C, which is a key like others as long as the terminal gives every key. */
  isInterrupted = false;

  /** `stdin`: a terminal; undefined where nobody can type. */
  constructor(address: string, output: Output, stdin: Source | undefined) {
    this.#address = address;
    this.#output = output;
    this.#stdin = stdin;
  }

  get isPaused(): boolean {
    return this.#state.isPaused;
  }

  /** Aborts with `q` and Ctrl-C. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** Takes the screen, runs `work`, and gives the terminal back as it was, whatever happens. */
  async run(work: () => Promise<void>): Promise<void> {
    this.#stdin?.setRaw(true);
    try {
      await this.#output.bytes(Escape.enter);
      // A key that is waited for cannot be given up: that ends with the process. Only what goes wrong there counts.
      const forever = new Promise<never>(() => undefined);
      await Promise.race([work(), this.#readKeys().then(() => forever)]);
    } finally {
      this.#stdin?.setRaw(false);
      await this.#output.bytes(Escape.leave);
    }
  }

  /** Shows an interval. */
  async show(changes: Changes): Promise<void> {
    this.#changes = changes;
    for (const [values, value] of [
      [this.#history.in, changes.inPerSecond],
      [this.#history.out, changes.outPerSecond],
    ] as const) {
      values.push(value);
      if (values.length > historyLength) values.shift();
    }
    await this.#draw();
  }

  async #draw(): Promise<void> {
    if (this.#changes === undefined || this.#end.signal.aborted) return;
    const size = this.#output.size ?? { columns: 80, rows: 24 };
    const facts = { address: this.#address, changes: this.#changes, history: this.#history };
    const lines = screenLines(facts, this.#state, size, this.#output.styles);
    await this.#output.bytes(
      Escape.home + lines.join(`${Escape.endOfLine}\r\n`) + Escape.endOfLine + Escape.endOfScreen,
    );
  }

  async #readKeys(): Promise<void> {
    while (!this.#end.signal.aborted) {
      const chunk = await this.#stdin?.read();
      // Nobody can type any more: Ctrl-C as a signal still ends it.
      if (chunk === undefined) return;
      const text = new TextDecoder().decode(chunk);
      // Arrows and the like come as one piece that begins with Escape.
      const keys = text.length > 1 && text.startsWith("\u001b") ? [] : [...text];
      for (const key of keys) this.#press(key);
      await this.#draw();
    }
  }

  #press(key: string): void {
    const state = this.#state;
    if (key === "\u0003") {
      this.isInterrupted = true;
      this.#end.abort();
    } else if (state.isTyping) {
      this.#state = { ...state, ...typed(state.filter, key) };
    } else if (key === "q" || key === "\u0004") {
      this.#end.abort();
    } else if (key === "s") {
      this.#state = { ...state, sort: state.sort + 1 };
    } else if (key === "/") {
      this.#state = { ...state, isTyping: true };
    } else if (key === " ") {
      this.#state = { ...state, isPaused: !state.isPaused };
    } else if (viewsByKey[key] !== undefined) {
      this.#state = { ...state, view: viewsByKey[key], sort: 0 };
    }
  }
}

/** The filter after a key. */
function typed(filter: string, key: string): Partial<ScreenState> {
  if (key === "\r" || key === "\n") return { isTyping: false };
  if (key === "\u001b") return { filter: "", isTyping: false };
  if (key === "\u007f" || key === "\b") return { filter: [...filter].slice(0, -1).join("") };
  return key < " " ? {} : { filter: filter + key };
}
