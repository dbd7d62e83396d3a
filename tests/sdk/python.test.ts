// The published Python SDK, unmodified, against the broker: what it sends comes back byte for byte, also after a restart.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type TestServer, useServers } from "../support/server.ts";
import { preparePython } from "./python-environment.ts";

const version = "0.8.0";
const stepTimeoutMs = 60_000;
const script = join(import.meta.dir, "python/conformance.py");
const servers = useServers();
const environment = preparePython("apache-iggy", version);

async function run(step: "send" | "poll" | "again", server: TestServer): Promise<void> {
  if (environment.kind === "missing") throw new Error(environment.reason);
  const child = Bun.spawn([environment.python, script, step, `${server.host}:${server.port}`], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1", PYTHONIOENCODING: "utf-8" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: stepTimeoutMs,
    killSignal: "SIGKILL",
  });
  const [output, errors, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  process.stdout.write(output);
  if (exitCode !== 0) throw new Error(`${step} ended with ${exitCode}:\n${output}${errors}\nserver:\n${server.log}`);
}

if (environment.kind === "missing" && process.env.CI !== "true") {
  test.skip(`apache-iggy ${version} for Python, because ${environment.reason}`, () => {});
} else {
  describe.each([1, 2])(`apache-iggy ${version} for Python, %d shard(s)`, (shards) => {
    test(
      "100,000 messages of 1 B to 1 MiB come back byte for byte with every polling strategy, and again after a restart",
      async () => {
        const server = await servers.start({ shards });
        await run("send", server);
        await run("poll", server);
        await server.restart();
        await run("again", server);
        await server.stop();
        expect(server.log).not.toMatch(/ WARN .*repair|ERROR/);
      },
      3 * stepTimeoutMs,
    );
  });
}
