// A small levelled logger. The filter has the syntax of RUST_LOG (spec SB 8.6): `info`, `warn,storage=debug`, `off`.
// Targets are joined with `::`, and a directive holds for its target and everything below it; the longest one wins.

import { errorText, jsonText } from "./log-values.ts";

/** From the least to the most talkative. */
export const LOG_LEVELS = ["error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Values shown behind the message as `key=value`. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A line before it is text. */
export interface LogRecord {
  readonly time: Date;
  readonly level: LogLevel;
  readonly target: string;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

type LogMethod = (message: string, fields?: LogFields) => void;

export interface Logger extends Readonly<Record<LogLevel, LogMethod>> {
  readonly target: string;
  /** True when a line of this level would be written; guards fields that are costly to make. */
  isEnabled(level: LogLevel): boolean;
  /** A logger for a part: the root's child is named as given, deeper ones are joined with `::`. */
  child(target: string): Logger;
}

/** A filter that cannot be read; the message names the part. */
export class LogFilterError extends Error {
  override readonly name = "LogFilterError";
}

/** Levels are numbers here: 0 = off, 1 = error … 5 = trace. */
interface LogFilter {
  readonly fallback: number;
  /** Longest target first. */
  readonly directives: readonly { readonly target: string; readonly level: number }[];
}

const LEVEL_NAMES: readonly string[] = LOG_LEVELS;
const OFF_WORDS = new Set(["off", "none"]);

function levelNumber(text: string): number | undefined {
  const word = text.trim().toLowerCase();
  if (OFF_WORDS.has(word)) return 0;
  const index = LEVEL_NAMES.indexOf(word);
  return index === -1 ? undefined : index + 1;
}

/** Reads a filter expression; parts that name no level of their own are off unless a plain level stands beside them. */
function parseLogFilter(expression: string): LogFilter {
  let fallback = 0;
  const directives = new Map<string, number>();
  for (const part of expression.split(",").map((text) => text.trim())) {
    if (part === "") continue;
    const plain = levelNumber(part);
    if (plain !== undefined) {
      fallback = plain;
      continue;
    }
    const [, target, levelText] = /^([\w:./-]+?)(?:\s*=\s*(\w+))?$/.exec(part) ?? [];
    // A target alone lets everything of it through, as in RUST_LOG.
    const level = levelText === undefined ? LOG_LEVELS.length : levelNumber(levelText);
    if (target === undefined || level === undefined) {
      throw new LogFilterError(
        `log filter ${JSON.stringify(expression)}: ${JSON.stringify(part)} must be a level (off, ${LOG_LEVELS.join(", ")}) or target=level`,
      );
    }
    directives.set(target, level);
  }
  const sorted = [...directives].map(([target, level]) => ({ target, level }));
  return { fallback, directives: sorted.sort((left, right) => right.target.length - left.target.length) };
}

function levelFor(filter: LogFilter, target: string): number {
  const directive = filter.directives.find((each) => target === each.target || target.startsWith(`${each.target}::`));
  return directive?.level ?? filter.fallback;
}

/**
 * Characters that are not seen as themselves, escaped: control characters forge a line or drive a terminal, line and paragraph
 * separators are line ends to some readers, and format characters turn the order of a text around or hide in it.
 */
function escapeControl(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => {
    if (char === "\n") return "\\n";
    return [...Array(char.length).keys()].map((at) => codeUnitEscape(char, at)).join("");
  });
}

function codeUnitEscape(text: string, at: number): string {
  return `\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}`;
}

function formatValue(value: unknown): string {
  if (typeof value === "string") return quoteWhenNeeded(value);
  if (value instanceof Error) return quoteWhenNeeded(errorText(value));
  if (typeof value === "object" && value !== null) return quoteWhenNeeded(jsonText(value));
  return String(value);
}

function quoteWhenNeeded(text: string): string {
  return /^[^\s"=\p{Cc}\p{Cf}]+$/u.test(text) ? text : escapeControl(JSON.stringify(text));
}

const COLOURS: Readonly<Record<LogLevel, number>> = { error: 31, warn: 33, info: 32, debug: 34, trace: 35 };

function paint(text: string, code: number, colour: boolean): string {
  return colour ? `\u001b[${code}m${text}\u001b[0m` : text;
}

export interface LoggerOptions {
  /** Filter expression; the caller has decided between RUST_LOG and `system.logging.level`. */
  readonly filter: string;
  /** Takes one line without its line break; standard output when absent. */
  readonly write?: (line: string) => void;
  /** Takes every line that passes the filter before it is text, also. */
  readonly record?: ((record: LogRecord) => void) | undefined;
  /** Colours; when absent, only on a terminal and only without `write`. */
  readonly colour?: boolean;
  readonly now?: () => Date;
  /** Target of the root; `server` when absent. */
  readonly target?: string;
}

/** Makes the root logger; throws `LogFilterError`. One line per call: time, level, target, message, fields. */
export function createLogger(options: LoggerOptions): Logger {
  const filter = parseLogFilter(options.filter);
  const colour = options.colour ?? (options.write === undefined && process.stdout.isTTY === true);
  const write = options.write ?? ((line: string) => void process.stdout.write(`${line}\n`));
  const now = options.now ?? (() => new Date());

  const make = (target: string, childPrefix: string): Logger => {
    const levelMax = levelFor(filter, target);
    const methodFor = (level: LogLevel): LogMethod => {
      const levelText = paint(level.toUpperCase().padStart(5), COLOURS[level], colour);
      const head = ` ${levelText} ${paint(target, 2, colour)} `;
      if (LOG_LEVELS.indexOf(level) + 1 > levelMax) return () => {};
      return (message, fields) => {
        const time = now();
        options.record?.({ time, level, target, message, fields });
        let line = time.toISOString() + head + escapeControl(message);
        for (const [key, value] of Object.entries(fields ?? {})) {
          line += ` ${paint(`${key}=`, 2, colour)}${formatValue(value)}`;
        }
        write(line);
      };
    };
    return {
      target,
      isEnabled: (level) => LOG_LEVELS.indexOf(level) + 1 <= levelMax,
      child: (name) => make(childPrefix + name, `${childPrefix}${name}::`),
      error: methodFor("error"),
      warn: methodFor("warn"),
      info: methodFor("info"),
      debug: methodFor("debug"),
      trace: methodFor("trace"),
    };
  };
  return make(options.target ?? "server", "");
}
