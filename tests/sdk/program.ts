// A program in another language as a test runs it: bounded in time, and with all that it said when it fails.
import type { TestServer } from "../support/server.ts";

export interface ProgramOptions {
  /** What the program is, for the error. */
  readonly name: string;
  /** It talks to this server, whose log belongs to the error. */
  readonly server: Pick<TestServer, "log" | "hasEnded">;
  /** It is killed after that. A test that waits for it needs a limit beyond, or the error is never seen. */
  readonly timeoutMs: number;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a program to its end and returns what it wrote to stdout. Where that is not an end with 0 in time, throws with the step
 * that it reported last, the log of the server, and everything that the program wrote, which comes last: of a long text the end
 * is what a reader of test results sees.
 */
export async function runProgram(command: readonly string[], options: ProgramOptions): Promise<string> {
  const { name, server, timeoutMs, env } = options;
  const startMs = performance.now();
  const child = Bun.spawn([...command], {
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  const [output, errors, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (exitCode === 0) return output;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const ending = child.signalCode === "SIGKILL" ? "was killed" : `ended with ${child.signalCode ?? exitCode}`;
  const last = output
    .trimEnd()
    .split("\n")
    .findLast((line) => line.startsWith("ok "));
  const step = last === undefined ? "no step was done" : `the last step was "${last.slice(3)}"`;
  const serverState = server.hasEnded ? "server, which has ended" : "server";
  throw new Error(
    `${name} ${ending} after ${seconds} s, ${step}\n${serverState}:\n${server.log}\n${name}:\n${output}${errors}`,
  );
}
