// Programs that are measured, and programs that measure: started, waited for, and ended by their number.

import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { remember } from "../children.ts";

const startTimeoutMs = 60_000;
const stopTimeoutMs = 30_000;
const pollMs = 20;

export type RunOptions = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** After which it is killed and the call throws. */
  readonly timeoutMs?: number;
};

/** Runs a program to its end and resolves with all that it wrote, errors behind the rest. Throws, with that text, where it fails. */
export async function runProgram(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const child = Bun.spawn([...command], {
    cwd: options.cwd ?? tmpdir(),
    env: { ...process.env, ...options.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  remember(child);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, options.timeoutMs ?? 300_000);
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const code = await child.exited;
  clearTimeout(timer);
  if (isLate || code !== 0) {
    const what = isLate ? "takes too long" : `ends with ${code}`;
    throw new Error(`${command.slice(0, 6).join(" ")} … ${what}:\n${`${output}\n${errors}`.slice(-4_000)}`);
  }
  return `${output}\n${errors}`;
}

/** A port of this machine's loopback address that nobody listens on right now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

export type RunningServer = {
  readonly port: number;
  readonly pid: number;
  /** Ends it and removes its directory. */
  stop(): Promise<void>;
};

/** Room for one server, below the system's directory of temporary files. */
export function newDirectory(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `whippet-peers-${name}-`));
  mkdirSync(join(directory, "data"));
  return directory;
}

export type ServerStart = {
  readonly command: readonly string[];
  readonly port: number;
  /** Of {@link newDirectory}: its working directory and log; removed when the server is stopped. */
  readonly directory: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it serves, seen from outside. */
  readonly isReady: () => Promise<boolean>;
};

/** Starts a server and waits until it serves. Throws, with its log, where it does not. */
export async function startServer({ command, port, directory, env, isReady }: ServerStart): Promise<RunningServer> {
  const logPath = join(directory, "log.txt");
  const log = openSync(logPath, "w");
  const child = Bun.spawn([...command], {
    cwd: directory,
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: log,
    stderr: log,
  });
  closeSync(log);
  const remove = () => rmSync(directory, { recursive: true, force: true });
  remember(child, remove);
  const stop = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
    await child.exited;
    clearTimeout(timer);
    remove();
  };
  const deadlineMs = performance.now() + startTimeoutMs;
  while (!(await isReady())) {
    if (child.exitCode !== null || performance.now() > deadlineMs) {
      const text = readFileSync(logPath, "utf8").slice(-4_000);
      await stop();
      throw new Error(`${command[0]} does not start. Its log:\n${text}`);
    }
    await Bun.sleep(pollMs);
  }
  return { port, pid: child.pid, stop };
}

/** Whether what listens at the port answers `request` with a text that has `answer` in it; false where nothing listens. */
export function answers(port: number, request: string, answer: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let text = "";
    const finish = (isSo: boolean) => {
      clearTimeout(timer);
      resolve(isSo);
    };
    const timer = setTimeout(() => finish(false), 1_000);
    const handler = {
      open: (socket: { write(text: string): number }) => void socket.write(request),
      data: (socket: { end(): void }, bytes: Uint8Array) => {
        text += new TextDecoder().decode(bytes);
        if (!text.includes(answer)) return;
        socket.end();
        finish(true);
      },
      close: () => finish(text.includes(answer)),
      connectError: () => finish(false),
      error: () => finish(false),
    };
    Bun.connect({ hostname: "127.0.0.1", port, socket: handler }).catch((error: { code?: string }) =>
      error.code === "ECONNREFUSED" ? finish(false) : reject(error),
    );
  });
}
