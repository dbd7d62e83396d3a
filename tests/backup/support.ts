// What the tests of backups share.
import { dirname } from "node:path";
import { runBackup, runRestore } from "../../src/backup/commands.ts";
import type { TestServer } from "../support/server.ts";

export interface Ran {
  readonly exitCode: number;
  readonly printed: string;
  readonly said: string;
}

type Command = typeof runBackup | typeof runRestore;

async function run(
  command: Command,
  given: readonly string[],
  workingDirectory: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  let printed = "";
  let said = "";
  const exitCode = await command(given, {
    environment: { IGGY_CONFIG_PATH: "/dev/null", ...environment },
    workingDirectory,
    print: (text) => {
      printed += text;
    },
    say: (text) => {
      said += text;
    },
  });
  return { exitCode, printed, said };
}

export function urlOf(server: TestServer, login = "iggy:iggy"): string {
  return `iggy://${login}@${server.host}:${server.portOf("tcp")}`;
}

/** `options`: more of the command line. */
export function backUp(
  server: TestServer,
  to: string,
  options: readonly string[] = [],
  login?: string,
  environment?: Readonly<Record<string, string>>,
): Promise<Ran> {
  return run(runBackup, ["--url", urlOf(server, login), "--to", to, ...options], dirname(to), environment);
}

export function restoreTo(from: string, to: string): Promise<Ran> {
  return run(runRestore, ["--from", from, "--to", to], dirname(to));
}
