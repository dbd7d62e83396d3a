// `backup` and `restore` in this process: its streams, its signals and its priority.
import { constants, setPriority } from "node:os";
import { runBackup, runRestore } from "./commands.ts";

const commands = { backup: runBackup, restore: runRestore } as const;

/** Runs one of the two with the arguments behind its word; resolves with the exit code. */
export function runBackupProgram(word: keyof typeof commands, args: readonly string[]): Promise<number> {
  // Copying can wait, the broker's clients cannot.
  setPriority(constants.priority.PRIORITY_LOW);
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new Error("interrupted"));
  process.once("SIGINT", interrupt);
  return commands[word](args, {
    environment: process.env,
    workingDirectory: process.cwd(),
    print: (text: string) => void process.stdout.write(text),
    say: (text: string) => void process.stderr.write(text),
    showProgress: process.stderr.isTTY ? (text: string) => void process.stderr.write(`\r${text}\u001b[K`) : undefined,
    signal: interrupted.signal,
    onUninterruptible: () => process.removeListener("SIGINT", interrupt),
  });
}

if (import.meta.main) {
  const [word, ...args] = process.argv.slice(2);
  if (word === "backup" || word === "restore") process.exitCode = await runBackupProgram(word, args);
  else {
    process.stderr.write("whippet: backup or restore, with --help for more\n");
    process.exitCode = 2;
  }
}
