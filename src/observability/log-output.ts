/** Where the lines of a logger go: standard output, with colours if it is a terminal, and the log file, always without. */
import type { LoggerOptions } from "./log.ts";
import type { LogFile } from "./log-file.ts";

/** Exactly what a logger paints with; data cannot contain it, as control characters are escaped in it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
const colourPattern = /\u001b\[\d*m/g;

/** Standard output as far as it is used here. */
export interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** `file` is undefined with `system.logging.file_enabled = false`. The result is spread into the options of `createLogger`. */
export function createLogOutput(
  file: LogFile | undefined,
  terminal: Terminal = process.stdout,
): Pick<LoggerOptions, "colour"> & Required<Pick<LoggerOptions, "write">> {
  const colour = terminal.isTTY === true;
  return {
    colour,
    write: (line) => {
      terminal.write(`${line}\n`);
      file?.append(colour ? line.replace(colourPattern, "") : line);
    },
  };
}
