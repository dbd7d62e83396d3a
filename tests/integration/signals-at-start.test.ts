// Signals that come while the server starts, as they do when somebody deploys twice: they end it in order, or change what a
// server shows that is there a moment later, and are no failure.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const mainPath = resolve(import.meta.dir, "../../src/process/main.ts");
const directory = mkdtempSync(join(tmpdir(), "whippet-signals-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Starts the server; `at`: a part of a line of its log, at which it gets the signals. Resolves with its whole output when it has ended. */
async function start(name: string, signals: readonly { readonly at: string; readonly signal: NodeJS.Signals }[]) {
  const inherited = Object.entries(process.env).filter(([each]) => !each.startsWith("IGGY_") && each !== "RUST_LOG");
  const child = Bun.spawn([process.execPath, mainPath], {
    cwd: directory,
    env: {
      ...Object.fromEntries(inherited),
      IGGY_CONFIG_PATH: "/dev/null",
      IGGY_DISPLAY_CONFIG: "false",
      IGGY_SYSTEM_PATH: join(directory, name),
      IGGY_SYSTEM_SHARDING_CPU_ALLOCATION: "2",
      IGGY_TCP_ADDRESS: "127.0.0.1:0",
      IGGY_WEBSOCKET_ADDRESS: "127.0.0.1:0",
      IGGY_HTTP_ADDRESS: "127.0.0.1:0",
      IGGY_QUIC_ENABLED: "false",
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const waiting = [...signals];
  const decoder = new TextDecoder();
  let output = "";
  for await (const chunk of child.stdout) {
    output += decoder.decode(chunk, { stream: true });
    while (waiting[0] !== undefined && output.includes(waiting[0].at)) child.kill(waiting.shift()!.signal);
  }
  await child.exited;
  return { exitCode: child.exitCode, output };
}

const starting = "starting 2 shard(s)";

test("told to stop before anybody is served, it ends at once and in order", async () => {
  const { exitCode, output } = await start("stopped", [{ at: starting, signal: "SIGTERM" }]);
  expect(output).not.toContain("is running");
  expect(output).not.toContain("failed");
  expect(exitCode).toBe(0);
  const again = await start("stopped", [{ at: "is running", signal: "SIGTERM" }]);
  expect(again.exitCode).toBe(0);
  // Whoever started it first has been told the password, or the second start made the user.
  expect((output + again.output).match(/Generated root user password/g)).toHaveLength(1);
}, 60_000);

test("told to read its certificates again, it starts all the same", async () => {
  const { exitCode, output } = await start("certificates", [
    { at: starting, signal: "SIGHUP" },
    { at: "is running", signal: "SIGTERM" },
  ]);
  expect(output).toContain("certificates are read again");
  expect(output).not.toContain("failed");
  expect(exitCode).toBe(0);
}, 60_000);
