// A comparison as text for a terminal, as Markdown and as JSON, each with what was run on which machine.

import { writeFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { grouped, renderRows } from "../../src/bench/report.ts";

export type Table = {
  readonly title: string;
  /** What a reader needs to know to believe the rows: how each was started, what a figure means. */
  readonly notes: readonly string[];
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
};

/** Processor, cores, memory, system and runtime of this machine, in one line. */
export function machineLine(): string {
  const processors = cpus();
  const gigabytes = (totalmem() / 2 ** 30).toFixed(0);
  return `${processors.length} × ${processors[0]?.model ?? "unknown"}, ${gigabytes} GiB, ${type()} ${release()}, Bun ${Bun.version}`;
}

/** Columns under each other, notes below. */
export function renderText({ title, notes, head, rows }: Table): string {
  return [title, "", ...renderRows([head, ...rows]), "", ...notes.map((note) => `- ${note}`)].join("\n");
}

/** The same for a page: what would end a cell is escaped. */
export function renderMarkdown({ title, notes, head, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const table = [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)];
  return [`## ${title}`, "", ...table, "", ...notes.map((note) => `- ${note}`), ""].join("\n");
}

/** Three digits that count: 9,876 or 98.7 or 0.987. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 100) return grouped(value);
  return Math.abs(value) >= 10 ? grouped(value, 1) : grouped(value, Math.abs(value) >= 1 ? 2 : 3);
}

/** Where the results go besides the terminal. */
export type Destinations = { readonly json: string | undefined; readonly markdown: string | undefined };

/** Prints the tables and writes the files that were asked for; `data` is what the JSON document has besides the machine. */
export function publish(tables: readonly Table[], data: object, { json, markdown }: Destinations): void {
  const machine = machineLine();
  console.log(`\n${machine}\n\n${tables.map(renderText).join("\n\n")}`);
  if (markdown !== undefined) {
    const intro = `Measured on ${machine}; ${new Date().toISOString().slice(0, 10)}.\n`;
    writeFileSync(markdown, [intro, ...tables.map(renderMarkdown)].join("\n"));
  }
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ machine, ...data }, undefined, 2)}\n`);
}
