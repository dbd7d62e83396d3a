// The published Python SDK, unmodified, against the broker: what it sends comes back byte for byte, also after a restart.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type TestServer, useServers } from "../support/server.ts";
import { preparePython } from "./python-environment.ts";

const version = "0.8.0";
const stepTimeoutMs = 60_000;
const scripts = join(import.meta.dir, "python");
const servers = useServers();
const environment = preparePython("apache-iggy", version);

/** Runs one of the scripts; throws with everything that was said if it does not end with 0. */
async function run(server: TestServer, script: string, ...scriptArguments: readonly string[]): Promise<void> {
  if (environment.kind === "missing") throw new Error(environment.reason);
  const child = Bun.spawn([environment.python, join(scripts, script), ...scriptArguments], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1", PYTHONIOENCODING: "utf-8" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: stepTimeoutMs,
    killSignal: "SIGKILL",
  });
  const [output, errors, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  process.stdout.write(output);
  if (exitCode !== 0)
    throw new Error(
      `${script} ${scriptArguments.join(" ")} ended with ${exitCode}:\n${output}${errors}\nserver:\n${server.log}`,
    );
}

if (environment.kind === "missing" && process.env.CI !== "true") {
  test.skip(`apache-iggy ${version} for Python, because ${environment.reason}`, () => {});
} else {
  describe.each([1, 2])(`apache-iggy ${version} for Python, %d shard(s)`, (shards) => {
    test(
      "100,000 messages of 1 B to 1 MiB come back byte for byte with every polling strategy, and again after a restart",
      async () => {
        const server = await servers.start({ shards });
        for (const step of ["send", "poll"]) await run(server, "conformance.py", step, `${server.host}:${server.port}`);
        await server.restart();
        await run(server, "conformance.py", "again", `${server.host}:${server.port}`);
        await server.stop();
        expect(server.log).not.toMatch(/ WARN .*repair|ERROR/);
      },
      3 * stepTimeoutMs,
    );
  });

  // Over QUIC the package cannot make its own end ("CannotCreateEndpoint"), whatever the server.
  const plain = ["websocket", "http"] as const;
  test.each(plain)(`apache-iggy ${version} for Python sends and polls over %s`, async (transport) => {
    const server = await servers.start({ shards: 2 });
    const scheme = transport === "websocket" ? "iggy+ws" : "iggy+http";
    const port = server.portOf(transport);
    await run(server, "transports.py", `${scheme}://iggy:iggy@${server.host}:${port}`);
  }, 60_000);

  const encrypted = ["tcp", "websocket"] as const;
  test.each(
    encrypted,
  )(`apache-iggy ${version} for Python trusts the generated certificate as its CA: TLS over %s`, async (transport) => {
    const env = { [`IGGY_${transport.toUpperCase()}_TLS_ENABLED`]: "true" };
    const server = await servers.start({ shards: 2, env });
    const scheme = transport === "websocket" ? "iggy+ws" : "iggy+tcp";
    const ca = join(server.dataPath, "certificates/cert.pem");
    const options = `tls=true&tls_domain=localhost&tls_ca_file=${ca}`;
    await run(server, "transports.py", `${scheme}://iggy:iggy@localhost:${server.portOf(transport)}?${options}`);
  }, 60_000);
}
