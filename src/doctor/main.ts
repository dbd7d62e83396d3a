// The doctor as a program of its own.
import { runDoctor } from "./doctor.ts";

process.exitCode = await runDoctor(process.argv.slice(2), {
  environment: process.env,
  workingDirectory: process.cwd(),
  print: (text) => process.stdout.write(text),
  say: (text) => process.stderr.write(text),
  showProgress: process.stderr.isTTY ? (text) => process.stderr.write(`\r${text}\u001b[K`) : undefined,
});
