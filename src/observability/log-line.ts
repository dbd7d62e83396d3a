// Takes a line of the log apart: the counterpart of what log.ts writes.
import { LOG_LEVELS, type LogLevel } from "./log.ts";

export interface ParsedLine {
  /** As written; null for what is no line of the logger. */
  readonly time: string | null;
  readonly level: LogLevel | null;
  readonly target: string;
  readonly text: string;
  readonly fields: Readonly<Record<string, string>>;
}

const linePattern = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) +([A-Z]+) (\S+) (.*)$/s;
/** The last field of a line: a value in quotes as JSON, or one without spaces. */
const fieldPattern = / ([A-Za-z_]\w*)=("(?:[^"\\]|\\.)*"|[^\s"=]*)$/;
/** A longer line is shown in part. */
const charsMax = 16_384;

export function parseLogLine(written: string): ParsedLine {
  const line = written.length > charsMax ? `${written.slice(0, charsMax)}…` : written;
  const [, time, levelText, target = "", rest = ""] = linePattern.exec(line) ?? [];
  const level = LOG_LEVELS.find((name) => name.toUpperCase() === levelText);
  if (time === undefined || level === undefined) return { time: null, level: null, target: "", text: line, fields: {} };
  const fields: [string, string][] = [];
  let text = rest;
  for (;;) {
    const found = fieldPattern.exec(text);
    if (found === null) break;
    fields.unshift([found[1]!, unquoted(found[2]!)]);
    text = text.slice(0, found.index);
  }
  return { time, level, target, text, fields: Object.fromEntries(fields) };
}

function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return JSON.parse(text) as string;
  } catch {
    return text; // cut off, or quoted by somebody else
  }
}
