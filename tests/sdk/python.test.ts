// The published Python SDK, unmodified, against the broker: what it sends comes back byte for byte, also after a restart.
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestServer, useServers } from "../support/server.ts";
import { runProgram } from "./program.ts";
import { preparePython, pythonVariables } from "./python-environment.ts";

const version = "0.8.0";
/** A script is killed after that. */
const stepTimeoutMs = 180_000;
/** Of a test: beyond those of its scripts, so that one that is killed tells how far it came. */
const testTimeoutMs = (scriptCount: number): number => scriptCount * stepTimeoutMs + 60_000;
const scripts = join(import.meta.dir, "python");
const servers = useServers();
const environment = preparePython("apache-iggy", version);

/** Runs one of the scripts; throws with everything that was said if it does not end with 0. */
async function run(server: TestServer, script: string, ...scriptArguments: readonly string[]): Promise<void> {
  if (environment.kind === "missing") throw new Error(environment.reason);
  const command = [environment.python, join(scripts, script), ...scriptArguments];
  const name = `${script} ${scriptArguments.join(" ")}`;
  process.stdout.write(await runProgram(command, { name, server, timeoutMs: stepTimeoutMs, env: pythonVariables }));
}

/** Flips a bit of the last two messages of each third log, the active one with them, and of one before; their offsets. */
function damageLogs(directory: string): number[] {
  const offsets: number[] = [];
  const names = readdirSync(directory).filter((name) => name.endsWith(".log"));
  for (const name of names
    .toSorted()
    .toReversed()
    .filter((_, index) => index % 3 === 0)) {
    const path = join(directory, name);
    const log = readFileSync(path);
    const starts: number[] = [];
    for (let at = 0; at < log.byteLength; at += 64 + log.readUInt32LE(at + 52) + log.readUInt32LE(at + 48))
      starts.push(at);
    for (const index of [starts.length - 1, starts.length - 2, starts.length - 5]) {
      const at = starts[index]!;
      offsets.push(Number(log.readBigUInt64LE(at + 24)));
      log[at + 70]! ^= 4;
    }
    writeFileSync(path, log);
  }
  return offsets;
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
      testTimeoutMs(3),
    );
  });

  test(
    `apache-iggy ${version} for Python gets past damaged messages, alone and in a group`,
    async () => {
      const server = await servers.start({ shards: 2, env: { IGGY_SYSTEM_SEGMENT_SIZE: "4096" } });
      await run(server, "damaged.py", "send", `${server.host}:${server.port}`, "300");
      await server.stop();
      const damaged = damageLogs(join(server.dataPath, "streams/0/topics/0/partitions/0"));
      expect(damaged.length).toBeGreaterThan(5);
      await server.restart();
      await run(server, "damaged.py", "poll", `${server.host}:${server.port}`, "300", ...damaged.map(String));
      expect(server.log.match(/damaged messages in the log/g)?.length).toBeGreaterThan(2);
    },
    testTimeoutMs(2),
  );

  // Over QUIC the package cannot make its own end ("CannotCreateEndpoint"), whatever the server.
  const plain = ["websocket", "http"] as const;
  test.each(plain)(
    `apache-iggy ${version} for Python sends and polls over %s`,
    async (transport) => {
      const server = await servers.start({ shards: 2 });
      const scheme = transport === "websocket" ? "iggy+ws" : "iggy+http";
      const port = server.portOf(transport);
      await run(server, "transports.py", `${scheme}://iggy:iggy@${server.host}:${port}`);
    },
    testTimeoutMs(1),
  );

  const encrypted = ["tcp", "websocket"] as const;
  test.each(encrypted)(
    `apache-iggy ${version} for Python trusts the generated certificate as its CA: TLS over %s`,
    async (transport) => {
      const env = { [`IGGY_${transport.toUpperCase()}_TLS_ENABLED`]: "true" };
      const server = await servers.start({ shards: 2, env });
      const scheme = transport === "websocket" ? "iggy+ws" : "iggy+tcp";
      const ca = join(server.dataPath, "certificates/cert.pem");
      const options = `tls=true&tls_domain=localhost&tls_ca_file=${ca}`;
      await run(server, "transports.py", `${scheme}://iggy:iggy@localhost:${server.portOf(transport)}?${options}`);
    },
    testTimeoutMs(1),
  );
}
