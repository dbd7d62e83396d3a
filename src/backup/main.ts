// `backup` and `restore` as a program of its own.
import { constants, setPriority } from "node:os";
import { runBackup, runRestore } from "./commands.ts";

const [word, ...rest] = process.argv.slice(2);
const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort(new Error("interrupted")));

// Copying can wait, the broker's clients cannot.
setPriority(constants.priority.PRIORITY_LOW);

const host = {
  environment: process.env,
  workingDirectory: process.cwd(),
  print: (text: string) => void process.stdout.write(text),
  say: (text: string) => void process.stderr.write(text),
  showProgress: process.stderr.isTTY ? (text: string) => void process.stderr.write(`\r${text}\u001b[K`) : undefined,
  signal: interrupted.signal,
};

if (word === "backup") process.exitCode = await runBackup(rest, host);
else if (word === "restore") process.exitCode = await runRestore(rest, host);
else {
  host.say("whippet: backup or restore, with --help for more\n");
  process.exitCode = 2;
}
