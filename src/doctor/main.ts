// The doctor as a program: of its own, and as the word `doctor` of `whippet`.
import { runDoctor } from "./doctor.ts";

/** Runs a command line (without the program's name) and resolves with the exit code. */
export async function runDoctorProgram(args: readonly string[]): Promise<number> {
  return await runDoctor(args, {
    environment: process.env,
    workingDirectory: process.cwd(),
    print: (text) => process.stdout.write(text),
    say: (text) => process.stderr.write(text),
    showProgress: process.stderr.isTTY ? (text) => process.stderr.write(`\r${text}\u001b[K`) : undefined,
  });
}

if (import.meta.main) process.exitCode = await runDoctorProgram(process.argv.slice(2));
