/** Where the lines of a logger go: standard output, with colours if it is a terminal, and the log file, always without. */
import type { LoggerOptions, LogRecord } from "./log.ts";
import type { LogFile } from "./log-file.ts";
import { jsonLine } from "./log-json.ts";

/** Exactly what a logger paints with; data cannot contain it, as control characters are escaped in it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
const colourPattern = /\u001b\[\d*m/g;

/** Standard output as far as it is used here. */
export interface Terminal {
  readonly isTTY?: boolean;
  /** False: the text was not taken at once. */
  write(text: string): unknown;
  /** What cannot be written is told here, later; without a listener it would end the process. */
  on?(event: "error", listener: (error: Error) => void): unknown;
}

export interface LogOutputOptions {
  /** Of standard output (`system.logging.format`). The file is always text, which the console and people read. */
  readonly format?: "text" | "json";
  readonly terminal?: Terminal;
  /** Takes the lines besides, such as an exporter. */
  readonly record?: ((record: LogRecord) => void) | undefined;
}

/**
 * `file` is undefined with `system.logging.file_enabled = false`. The result is spread into the options of `createLogger`.
 *
 * A terminal or pipe that goes away, or a full disk behind it, must not stop the server: lines are lost until they can be
 * written, which the log file says once for each time. Make one on each thread: each hears of its own failures only.
 */
export function createLogOutput(
  file: LogFile | undefined,
  { format = "text", terminal = process.stdout, record }: LogOutputOptions = {},
): Pick<LoggerOptions, "colour" | "record"> & Required<Pick<LoggerOptions, "write">> {
  const isJson = format === "json";
  const colour = !isJson && terminal.isTTY === true;
  let isLost = false;
  const report = (error: unknown) => {
    if (isLost) return;
    isLost = true;
    const reason = error instanceof Error ? error.message : String(error);
    file?.append(`standard output cannot be written; its lines are lost until it can: ${reason}`);
  };
  terminal.on?.("error", report);
  const tell = (line: string) => {
    try {
      if (terminal.write(`${line}\n`) === true) isLost = false;
    } catch (error) {
      report(error);
    }
  };
  return {
    colour,
    record: (line) => {
      record?.(line);
      if (isJson) tell(jsonLine(line));
    },
    write: (line) => {
      if (!isJson) tell(line);
      file?.append(colour ? line.replace(colourPattern, "") : line);
    },
  };
}
