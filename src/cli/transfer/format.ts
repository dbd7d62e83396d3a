// The two forms of files of messages: lines of JSON, and the bytes of a segment.

import { basename } from "node:path";
import { oneOf, option } from "../parameters.ts";

const forms = ["ndjson", "raw"] as const;
export type FileForm = (typeof forms)[number];

/** `--format` of commands that write and read files of messages. */
export const fileForm = option(
  "--format <FORM>",
  oneOf(forms),
  "ndjson (a line of JSON for each message) or raw (the bytes of a segment); by the file's name: .log is raw",
  { choices: forms },
);

/** What was asked for, or what the name says. */
export function formOf(given: FileForm | undefined, path: string | undefined): FileForm {
  if (given !== undefined) return given;
  return path !== undefined && /\.log(\.zst|\.gz)?$/.test(basename(path)) ? "raw" : "ndjson";
}
