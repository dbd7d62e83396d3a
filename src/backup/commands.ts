// The command lines of `whippet backup` and `whippet restore`.
import { parseArgs } from "node:util";
import { connect } from "../client/index.bun.ts";
import { ConfigError } from "../config/load.ts";
import { DataVersionError } from "../metadata/index.ts";
import { DirectoryLockedError } from "../platform/directory-lock.ts";
import { backup } from "./backup.ts";
import { BackupError, type BackupHost } from "./host.ts";
import { restore } from "./restore.ts";

export const backupHelp = `Usage: whippet backup --to DIR [options]

Copies everything that a running broker has, while it works, to a directory that is not there or empty. To be run on the broker's
machine, as the user that it runs as; the login needs the right to manage servers.

Options:
      --to DIR      Where to. It gets this name when it is whole.
      --url URL     The broker: iggy://USER:PASSWORD@HOST:PORT (WHIPPET_URL, else iggy://127.0.0.1:8090; IGGY_USERNAME and
                    IGGY_PASSWORD where it names nobody).
      --copy        Copy sealed segments too; else they get second names in the same file system, and cost no room.
      --no-verify   Do not have the doctor look at it.
  -h, --help        Print this text.

Exit codes: 0 done, 6 done and damaged, 1 it could not be done, 2 the command line is wrong, 3 nobody answers.
`;

export const restoreHelp = `Usage: whippet restore --from DIR --to DIR [options]

Makes a data directory of a backup, or of the data directory of a broker that is stopped. A broker then starts with
IGGY_SYSTEM_PATH=DIR.

Options:
      --from DIR    The backup.
      --to DIR      Where to: a directory that is not there, or empty.
      --no-verify   Do not have the doctor look at it.
  -h, --help        Print this text.

Exit codes: 0 done, 6 done and damaged, 1 it could not be done, 2 the command line is wrong.
`;

const exitCodes = { done: 0, failed: 1, usage: 2, nobody: 3, damage: 6, interrupted: 130 } as const;
/** A point of very many partitions takes its time. */
const requestTimeoutMs = 600_000;
const defaultUrl = "iggy://127.0.0.1:8090";
const expectedErrors = [BackupError, ConfigError, DirectoryLockedError, DataVersionError] as const;

class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Runs `backup`; resolves with its exit code. */
export function runBackup(given: readonly string[], host: BackupHost): Promise<number> {
  return run("backup", host, async () => {
    const { to, url, copy, "no-verify": isUnverified, help } = parse(given);
    if (help) return printed(host, backupHelp);
    if (to === undefined) throw new UsageError("--to DIR is missing");
    const { WHIPPET_URL, IGGY_USERNAME: username, IGGY_PASSWORD: password } = host.environment;
    const credentials = username === undefined || password === undefined ? {} : { credentials: { username, password } };
    const address = url ?? WHIPPET_URL ?? defaultUrl;
    const options = { requestTimeoutMs, ...(address.includes("@") ? {} : credentials) };
    return backup(() => connect(address, options), { to, mayLink: !copy, verifies: !isUnverified }, host);
  });
}

/** Runs `restore`; resolves with its exit code. */
export function runRestore(given: readonly string[], host: BackupHost): Promise<number> {
  return run("restore", host, async () => {
    const { from, to, "no-verify": isUnverified, help } = parse(given);
    if (help) return printed(host, restoreHelp);
    if (from === undefined || to === undefined) throw new UsageError("--from DIR and --to DIR are needed");
    return restore({ from, to, verifies: !isUnverified }, host);
  });
}

function parse(given: readonly string[]) {
  try {
    return parseArgs({
      args: [...given],
      options: {
        from: { type: "string" },
        to: { type: "string" },
        url: { type: "string" },
        copy: { type: "boolean", default: false },
        "no-verify": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function run(what: string, host: BackupHost, work: () => Promise<boolean | undefined>): Promise<number> {
  try {
    return (await work()) === false ? exitCodes.damage : exitCodes.done;
  } catch (error) {
    if (host.signal?.aborted === true) return exitCodes.interrupted;
    const message = error instanceof Error ? error.message : String(error);
    host.say(`whippet ${what}: ${message}\n`);
    if (error instanceof UsageError) return exitCodes.usage;
    if (error instanceof Error && error.name === "ConnectionError") return exitCodes.nobody;
    if (expectedErrors.some((kind) => error instanceof kind) || isOfSystem(error)) return exitCodes.failed;
    throw error;
  }
}

function printed(host: BackupHost, text: string): undefined {
  host.print(text);
  return undefined;
}

/** Of the disk, or of the broker. */
function isOfSystem(error: unknown): boolean {
  return error instanceof Error && ("code" in error || "errorName" in error);
}
