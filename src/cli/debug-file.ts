// `-d FILE`: every request with its time, for whoever looks for what is slow or wrong. Never what is in a request: there are secrets in some.

import { appendFileSync } from "node:fs";
import { IggyError, type Instrumentation } from "../client/index.bun.ts";
import { Problem } from "./problem.ts";

/** Hooks of a client that append a line for each request; Problem if the file cannot be written. */
export function debugHooks(path: string, target: string): Instrumentation {
  append(path, `connects to ${target}`);
  return {
    request: ({ command, bytes }) => {
      const sentAt = new Date().toISOString();
      return ({ durationMs, error }) => {
        const outcome = error === undefined ? "" : ` ${IggyError.is(error) ? error.errorName : "failed"}`;
        append(path, `${command} ${bytes} B, sent ${sentAt}, ${durationMs.toFixed(2)} ms${outcome}`);
      };
    },
  };
}

function append(path: string, text: string): void {
  try {
    appendFileSync(path, `${new Date().toISOString()} ${text}\n`, { mode: 0o600 });
  } catch (cause) {
    throw new Problem(`${path} of --debug cannot be written`, { exitCode: 2, cause });
  }
}
