// Starts and ends the relay process through which the bench and the command speak QUIC (program.ts).

import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RelayTarget } from "./program.ts";

const programPath = fileURLToPath(new URL("./program.ts", import.meta.url));

export type QuicRelay = {
  /** On 127.0.0.1: TCP, one request at a time on a connection. */
  readonly port: number;
  stop(): Promise<void>;
};

/** The binary of the npm package `deno`. */
function enginePath(): string {
  const { platform, arch } = process;
  const name = `@deno/${platform}-${arch}${platform === "linux" ? "-glibc" : ""}`;
  let path: string;
  try {
    const directory = dirname(Bun.resolveSync(`${name}/package.json`, import.meta.dir));
    path = join(directory, platform === "win32" ? "deno.exe" : "deno");
  } catch (cause) {
    throw new Error(`QUIC needs the package ${name}, which is not installed`, { cause });
  }
  if (!existsSync(path)) throw new Error(`QUIC needs ${path}, which is missing`);
  return path;
}

/** Rejects if the engine is not there or does not start. */
export async function startQuicRelay(target: RelayTarget): Promise<QuicRelay> {
  const options = ["run", "--quiet", "--unstable-net", "--allow-net", "--no-config", "--no-lock", "--no-remote"];
  const child = Bun.spawn([enginePath(), ...options, programPath], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
    env: { ...process.env, DENO_DIR: join(tmpdir(), "whippet-quic-relay"), NO_COLOR: "1" },
  });
  const stop = async () => {
    child.kill();
    await child.exited;
  };
  child.stdin.write(`${JSON.stringify(target)}\n`);
  await child.stdin.flush();
  const port = Number(await firstLineOf(child.stdout));
  if (!(port > 0)) {
    await stop();
    throw new Error("the QUIC relay did not start");
  }
  return { port, stop };
}

/** What comes before the end of the first line, or of the stream. */
async function firstLineOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n")) break;
  }
  return text.split("\n", 1)[0] ?? "";
}
