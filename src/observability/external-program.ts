/** Programs of the system, for a report. They may hang, be missing or say too much. */

/** Such programs answer within a second; a machine in trouble is given more. */
const timeoutMsDefault = 10_000;
const outputBytesMax = 16 * 1024 * 1024;

/**
 * Standard output of a program, found in PATH, without standard input. Rejects if it is missing, ends with nothing said and
 * an error, or does not end in time. A program that partly fails (`ls` on a process that has just ended) counts.
 */
export async function runProgram(command: readonly string[], timeoutMs: number = timeoutMsDefault): Promise<string> {
  const [name = "", ...programArguments] = command;
  const path = Bun.which(name);
  if (path === null) throw new Error(`there is no program ${name}`);
  const child = Bun.spawn([path, ...programArguments], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    maxBuffer: outputBytesMax,
  });
  const [output, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (child.signalCode !== null) throw new Error(`${name} was ended: it took too long or wrote too much`);
  if (output === "" && child.exitCode !== 0) throw new Error(`${name} failed: ${errors.trim().slice(0, 500)}`);
  return output;
}
