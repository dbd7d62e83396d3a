// Where a command writes. stdout is data, in the form that was asked for; everything that is said about it goes to stderr.

import { type Json, jsonText, tomlText } from "./documents.ts";
import { Progress, type ProgressFacts } from "./progress.ts";
import type { Sink } from "./sink.ts";
import type { Styles } from "./styles.ts";
import { type Table, tableLines } from "./table.ts";

export const formats = ["table", "list", "json", "ndjson", "toml"] as const;
export type Format = (typeof formats)[number];

/** Something to show, in all its forms. */
export interface View {
  /** For json, ndjson (a list is one line for each) and toml: names and units of the HTTP API. */
  readonly document: Json;
  /** For people: lines and tables. */
  readonly shown: readonly (string | Table)[];
  /** The original's `-l list`: fields in its order. Where it is missing, the lines and tables are taken. */
  readonly list?: readonly (readonly (string | number | bigint)[])[];
}

/** Shows a long text page by page; resolves when the reader is done. False where there is no pager. */
export type Pager = (text: string) => Promise<boolean>;

export interface OutputOptions {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly format: Format;
  readonly isQuiet: boolean;
  readonly styles: Styles;
  readonly problemStyles: Styles;
  readonly pager: Pager | undefined;
  readonly nowMs: () => number;
}

export class Output {
  readonly format: Format;
  readonly isQuiet: boolean;
  readonly styles: Styles;
  readonly #options: OutputOptions;
  #progress: Progress | undefined;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.format = options.format;
    this.isQuiet = options.isQuiet;
    this.styles = options.styles;
  }

  /** The same output in another form: what `-l list` and `-o json` of a command ask for. The program's own options win. */
  as(format: Format | undefined): Output {
    if (format === undefined || this.format !== "table") return this;
    return new Output({ ...this.#options, format });
  }

  /** Whether data goes to a terminal: then somebody reads it. */
  get isTerminal(): boolean {
    return this.#options.stdout.isTerminal;
  }

  /** Whether what is said goes to a terminal. */
  get isWatched(): boolean {
    return this.#options.stderr.isTerminal;
  }

  /** Columns and rows of the terminal that data goes to. */
  get size(): Sink["size"] {
    return this.#options.stdout.size;
  }

  /** Shows a whole result. */
  async show(view: View): Promise<void> {
    if (this.isQuiet) return;
    const text = this.#textOf(view);
    if (text === "") return;
    const { pager } = this.#options;
    const isLong = this.size !== undefined && text.split("\n").length > this.size.rows;
    if (isLong && pager !== undefined && (await pager(text))) return;
    await this.#write(text);
  }

  /** One line of data, as it comes; in json and ndjson nothing but `line` of objects may be written. */
  async line(text: string): Promise<void> {
    if (!this.isQuiet) await this.#write(`${text}\n`);
  }

  /** One object as a line of its own, as it comes. */
  async object(value: Json): Promise<void> {
    await this.line(jsonText(value));
  }

  /** Bytes of data as they are: of files and of the alternate screen. Quiet or not, for somebody asked for just them. */
  async bytes(data: string | Uint8Array): Promise<void> {
    await this.#write(data);
  }

  /** What was done. */
  async say(text: string): Promise<void> {
    if (!this.isQuiet) await this.#tell(text);
  }

  /** What was made: said, and for machines the thing itself. */
  async made(text: string, document: Json): Promise<void> {
    await this.say(text);
    if (this.format === "json" || this.format === "ndjson" || this.format === "toml")
      await this.show({ document, shown: [] });
  }

  /** What may be wrong. */
  async warn(text: string): Promise<void> {
    await this.#tell(`${this.#options.problemStyles.red("warning:")} ${text}`);
  }

  /** What was wrong, with what to do about it on lines of their own. */
  async problem(text: string, hints: readonly string[] = []): Promise<void> {
    await this.#tell(
      [this.#options.problemStyles.red(`whippet: ${text}`), ...hints.map((hint) => `  ${hint}`)].join("\n"),
    );
  }

  /** Tells of something that takes time, from half a second on: a bar in a terminal, a line every ten seconds elsewhere. */
  progress(label: string, factsOf: () => ProgressFacts): Progress {
    this.#progress?.end();
    const { stderr, nowMs } = this.#options;
    this.#progress = new Progress(label, factsOf, { stderr, nowMs, isSilent: this.isQuiet });
    return this.#progress;
  }

  /** Ends what is drawn again and again, before something else is said. */
  async #tell(text: string): Promise<void> {
    this.#progress?.clear();
    await this.#options.stderr.write(`${text}\n`);
  }

  async #write(data: string | Uint8Array): Promise<void> {
    if (this.isTerminal) this.#progress?.clear();
    await this.#options.stdout.write(data);
  }

  #textOf({ document, shown, list }: View): string {
    switch (this.format) {
      case "json":
        return `${jsonText(document, 2)}\n`;
      case "ndjson":
        return (Array.isArray(document) ? document : [document]).map((item: Json) => `${jsonText(item)}\n`).join("");
      case "toml":
        return `${tomlText(document)}\n`;
      case "list":
        if (list !== undefined) return list.map((fields) => `${fields.join("|")}\n`).join("");
        return this.#shownText(shown, undefined);
      case "table":
        return this.#shownText(shown, this.size?.columns);
    }
  }

  #shownText(shown: View["shown"], width: number | undefined): string {
    const lines = shown.flatMap((part) => (typeof part === "string" ? [part] : tableLines(part, this.styles, width)));
    return lines.map((line) => `${line}\n`).join("");
  }
}
