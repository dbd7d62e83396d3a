// Log lines as JSON, for collectors that read standard output (`system.logging.format = "json"`).
import type { LogRecord } from "./log.ts";
import { jsonText } from "./log-values.ts";

/**
 * One line without its line break: `time` (ISO 8601, UTC), `level` (lower case), `target`, `message`, and `fields` where there are some.
 * Control characters are escaped as JSON does; whole numbers beyond 53 bits and errors are texts.
 */
export function jsonLine({ time, level, target, message, fields }: LogRecord): string {
  const line = { time: time.toISOString(), level, target, message };
  const text = fields === undefined ? JSON.stringify(line) : jsonText({ ...line, fields });
  // What is no JSON, such as a circle, costs the fields and not the line.
  return text.startsWith("{") ? text : JSON.stringify(line);
}
