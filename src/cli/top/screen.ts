// The lines of a whole screen, from what happened and what was chosen. It knows nothing of the terminal but its size.

import type { Styles } from "../output/styles.ts";
import { cut, printable, type Table, tableLines } from "../output/table.ts";
import { durationText, numberText, sizeWords, timeText } from "../output/words.ts";
import type { Changes } from "./changes.ts";
import { type Choices, rateText, tableOf } from "./view.ts";

export interface ScreenState extends Choices {
  readonly isPaused: boolean;
  /** Whether the filter is being typed. */
  readonly isTyping: boolean;
}

export interface ScreenFacts {
  readonly address: string;
  readonly changes: Changes;
  /** Messages per second of the last intervals, the newest last. */
  readonly history: { readonly in: readonly number[]; readonly out: readonly number[] };
}

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const eighths = "▁▂▃▄▅▆▇█";
/** Between two tables side by side. */
const gap = "    ";

/** As many lines as the screen has rows, at most; none is wider than it. */
export function screenLines(facts: ScreenFacts, state: ScreenState, size: ScreenSize, styles: Styles): string[] {
  const { changes } = facts;
  const room = Math.max(1, size.rows - 4);
  const head = [serverLine(facts), trafficLine(facts), ...leftOutLines(changes)];
  const body = bodyLines(changes, state, size.columns, styles);
  const shown =
    body.length <= room ? body : [...body.slice(0, room - 1), `… ${numberText(body.length - room + 1)} more lines`];
  return [...head.map((line) => cut(line, size.columns)), ...shown, styles.dim(cut(keysLine(state), size.columns))];
}

function serverLine({ address, changes }: ScreenFacts): string {
  const { stats, takenAtMicros } = changes;
  const figures =
    stats === undefined
      ? []
      : [
          `server ${stats.serverVersion}`,
          `up ${durationText(stats.runTimeMicros)}`,
          `cpu ${Math.round(stats.cpuUsagePercent)} %`,
          `memory ${sizeWords(stats.memoryUsageBytes)}`,
          `disk ${sizeWords(stats.totalDiskSpaceBytes - stats.freeDiskSpaceBytes)} of ${sizeWords(stats.totalDiskSpaceBytes)}`,
        ];
  return printable([address, ...figures, timeText(takenAtMicros).slice(11)].join("   "));
}

function trafficLine({ changes, history }: ScreenFacts): string {
  const incoming = `in ${rateText(changes.inPerSecond)} msg/s ${sizeWords(BigInt(Math.round(changes.inBytesPerSecond)))}/s ${sparkline(history.in)}`;
  const outgoing = `out ${rateText(changes.outPerSecond)} msg/s ${sparkline(history.out)}`;
  const clients = changes.stats?.clientsCount ?? changes.clients.length;
  return [incoming, outgoing, `clients ${numberText(clients)}`, `lag ${numberText(changes.lag)}`].join("   ");
}

/** A line of its own where something is left out, an empty one otherwise: the tables do not jump. */
function leftOutLines({ leftOut }: Changes): string[] {
  return [leftOut.length === 0 ? "" : printable(`left out, for want of a right: ${leftOut.join(", ")}`)];
}

function bodyLines(changes: Changes, state: ScreenState, columns: number, styles: Styles): string[] {
  const table = tableOf(changes, state);
  if (state.view !== "topics") return tableLines(table, styles, columns);
  const clients = tableOf(changes, { view: "clients", sort: 0, filter: "" });
  return besideLines(table, clients, columns, styles) ?? tableLines(table, styles, columns);
}

/** Two tables beside each other; undefined where there is no room for both. */
function besideLines(left: Table, right: Table, columns: number, styles: Styles): string[] | undefined {
  const leftLines = tableLines(left, styles, undefined);
  const rightLines = tableLines(right, styles, undefined);
  const width = Math.max(...leftLines.map((line) => Bun.stringWidth(line)));
  const widths = rightLines.map((line) => Bun.stringWidth(line));
  if (width + gap.length + Math.max(...widths) > columns) return undefined;
  return Array.from({ length: Math.max(leftLines.length, rightLines.length) }, (_, index) => {
    const line = leftLines[index] ?? "";
    return `${line}${" ".repeat(width - Bun.stringWidth(line))}${gap}${rightLines[index] ?? ""}`.trimEnd();
  });
}

function keysLine({ filter, isTyping, isPaused }: ScreenState): string {
  if (isTyping) return `filter: ${filter}▏  Enter keeps it, Escape takes it away`;
  const kept = filter === "" ? "/ filter" : `/ filter "${filter}"`;
  const keys = ["q quit", "t topics", "g groups", "c clients", "s sort", "space pause", kept];
  return [...(isPaused ? ["PAUSED"] : []), ...keys].join("  ");
}

/** Bars from the lowest to the highest of the values; the largest fills its cell. */
export function sparkline(values: readonly number[]): string {
  const largest = Math.max(...values, 0);
  return values
    .map((value) => (largest === 0 ? eighths[0] : eighths[Math.round((value / largest) * (eighths.length - 1))]))
    .join("");
}
