// The published Python SDK of Iggy 0.9, unmodified, against the broker: all that it offers, over every transport; and what a
// package of one generation sends, the other's reads: byte for byte, after a restart, and after a kill.
// WHIPPET_CROSS_MESSAGES sets how many messages (100000 is what tests/sdk/python.test.ts has for one generation).
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { eventually } from "../support/process-facts.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { runProgram } from "./program.ts";
import { type PythonEnvironment, preparePython, pythonVariables } from "./python-environment.ts";

const crossMessages = process.env.WHIPPET_CROSS_MESSAGES ?? "20000";
/** A script is killed after that. */
const stepTimeoutMs = 240_000;
/** Of a test: beyond those of its scripts, so that one that is killed tells how far it came. */
const testTimeoutMs = (scriptCount: number): number => scriptCount * stepTimeoutMs + 60_000;
/** So many batches are acknowledged under way before the broker is killed. */
const batchesBeforeKill = 12;
const scripts = join(import.meta.dir, "python");
const servers = useServers();
const packages = { "0.8.0": preparePython("apache-iggy", "0.8.0"), "0.9.0": preparePython("apache-iggy", "0.9.0") };
type Version = keyof typeof packages;

function pythonOf(environment: PythonEnvironment): string {
  if (environment.kind === "missing") throw new Error(environment.reason);
  return environment.python;
}

const variables = { ...pythonVariables, CONTENT_MESSAGES: crossMessages };

function commandOf(version: Version, script: string, scriptArguments: readonly string[]): string[] {
  return [pythonOf(packages[version]), join(scripts, script), ...scriptArguments];
}

/** Runs one of the scripts with the package of the version to its end, and returns what it printed. */
function run(server: TestServer, version: Version, script: string, ...scriptArguments: readonly string[]) {
  const name = `${script} ${scriptArguments.join(" ")} with ${version}`;
  const command = commandOf(version, script, scriptArguments);
  return runProgram(command, { name, server, timeoutMs: stepTimeoutMs, env: variables });
}

/** Sends until the broker, which is killed under way, answers no more. Gives the number of acknowledged batches. */
async function sendUntilKilled(server: TestServer, version: Version): Promise<number> {
  const child = Bun.spawn(commandOf(version, "killed.py", ["send", `${server.host}:${server.port}`]), {
    env: { ...process.env, ...variables },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: stepTimeoutMs,
    killSignal: "SIGKILL",
  });
  const decoder = new TextDecoder();
  let output = "";
  const acknowledged = () => output.split("\n").length - 1;
  const reading = (async () => {
    for await (const chunk of child.stdout) output += decoder.decode(chunk, { stream: true });
  })();
  await eventually("batches are acknowledged", acknowledged, (count) => count >= batchesBeforeKill);
  await server.kill();
  await reading;
  expect({ exitCode: await child.exited, errors: await child.stderr.text() }).toEqual({ exitCode: 0, errors: "" });
  return acknowledged();
}

const missing = Object.values(packages).find((environment) => environment.kind === "missing");
if (missing?.kind === "missing" && process.env.CI !== "true") {
  test.skip(`apache-iggy 0.9.0 for Python, because ${missing.reason}`, () => {});
} else {
  const tlsEnvironment = { IGGY_TCP_TLS_ENABLED: "true", IGGY_WEBSOCKET_TLS_ENABLED: "true" };
  const variants = [
    { transport: "tcp", encrypted: false, shards: 1 },
    { transport: "tcp", encrypted: false, shards: 2 },
    { transport: "tcp", encrypted: true, shards: 2 },
    { transport: "websocket", encrypted: false, shards: 2 },
    { transport: "websocket", encrypted: true, shards: 2 },
    { transport: "quic", encrypted: false, shards: 2 },
    { transport: "http", encrypted: false, shards: 2 },
  ] as const;
  test.each(variants)(
    "apache-iggy 0.9.0 for Python over $transport (TLS: $encrypted), $shards shard(s): every step is answered rightly",
    async ({ transport, encrypted, shards }) => {
      const quic = transport === "quic" ? { IGGY_QUIC_ENABLED: "true" } : {};
      const server = await servers.start({ shards, env: { ...quic, ...(encrypted ? tlsEnvironment : {}) } });
      const host = encrypted ? "localhost" : server.host;
      const ca = encrypted ? [join(server.dataPath, "certificates/cert.pem")] : [];
      const output = await run(server, "0.9.0", "tour_09.py", transport, `${host}:${server.portOf(transport)}`, ...ca);
      process.stdout.write(output);
      await server.stop();
      expect(server.log).not.toMatch(/ ERROR /);
    },
    testTimeoutMs(1),
  );

  const directions = [
    { sender: "0.8.0", reader: "0.9.0" },
    { sender: "0.9.0", reader: "0.8.0" },
  ] as const;
  describe.each(directions)(`what apache-iggy $sender sends, $reader reads`, ({ sender, reader }) => {
    test(
      `${crossMessages} messages of 1 B to 1 MiB, byte for byte, also after a restart and after a kill under load`,
      async () => {
        const server = await servers.start({ shards: 2 });
        const address = () => `${server.host}:${server.port}`;
        await run(server, sender, "conformance.py", "send", address());
        process.stdout.write(await run(server, reader, "conformance.py", "poll", address()));
        await server.restart();
        const batches = await sendUntilKilled(server, sender);
        await server.restart();
        process.stdout.write(await run(server, reader, "killed.py", "poll", address(), String(batches)));
        await server.stop();
      },
      testTimeoutMs(4),
    );
  });
}
