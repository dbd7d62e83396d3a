// A short real run over every transport: what is sent is counted, what is read is checked, and nothing is left behind.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { BenchReport } from "../../src/bench/report.ts";
import { type Transport, transports } from "../../src/bench/target.ts";
import { type Transport as Section, type TestServer, useServers } from "../support/server.ts";

const script = new URL("../../src/bench/main.ts", import.meta.url).pathname;
const servers = useServers();
const encrypted: readonly string[] = ["tls", "wss", "https"];

function sectionOf(transport: Transport): Section {
  if (transport === "tls") return "tcp";
  if (transport === "wss") return "websocket";
  return transport === "https" ? "http" : transport;
}

async function run(args: readonly string[]) {
  const child = Bun.spawn([process.execPath, script, ...args], { stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, stdout, stderr };
}

async function bench(server: TestServer, transport: Transport, ...args: string[]): Promise<BenchReport> {
  const address = ["--transport", transport, "--server", `127.0.0.1:${server.portOf(sectionOf(transport))}`];
  const certificate = ["--ca", join(server.dataPath, "certificates/cert.pem"), "--server-name", "localhost"];
  const isChecked = transport === "quic" || encrypted.includes(transport);
  const { stdout, stderr } = await run(["--json", ...address, ...(isChecked ? certificate : []), ...args]);
  expect(stderr).toBe("");
  const report: BenchReport = JSON.parse(stdout);
  expect(report.problems).toEqual([]);
  return report;
}

const small = ["--messages-per-batch", "10", "--message-size", "50"];

describe("over each transport", async () => {
  const secure = { IGGY_TCP_TLS_ENABLED: "true", IGGY_WEBSOCKET_TLS_ENABLED: "true", IGGY_HTTP_TLS_ENABLED: "true" };
  const plainServer = await servers.start({ env: { IGGY_QUIC_ENABLED: "true" } });
  const secureServer = await servers.start({ env: secure });
  const serverOf = (transport: Transport) => (encrypted.includes(transport) ? secureServer : plainServer);

  test.each(transports)("%s: producers and consumers at the same time", async (transport) => {
    const kind = ["--kind", "pinned-producer-and-consumer", "--actors", "2"];
    const { groups } = await bench(serverOf(transport), transport, ...kind, ...small, "--batches", "20");
    expect(groups.map(({ role, messages }) => [role, messages])).toEqual([
      ["producer", 400],
      ["consumer", 400],
    ]);
    expect(groups[1]!.checks).toMatchObject({ messages: 400, gaps: 0, duplicates: 0, damaged: 0 });
    expect(groups[1]!.checks!.sampled).toBeGreaterThan(0);
  }, 120_000);

  test.each(transports)("%s: one message from end to end", async (transport) => {
    const { groups } = await bench(serverOf(transport), transport, "--kind", "end-to-end", "--batches", "20");
    expect(groups).toHaveLength(1);
    expect(groups[0]).toMatchObject({ role: "end-to-end", messages: 20 });
    expect(groups[0]!.requests).toBe(40 + groups[0]!.emptyPolls);
    expect(groups[0]!.latency.minMs).toBeGreaterThan(0);
  }, 120_000);

  test.each([
    "tcp",
    "websocket",
    "quic",
  ] as const)("%s: every message comes to one member of the group once", async (transport) => {
    for (const kind of ["balanced-consumer-group", "balanced-producer-and-consumer-group"]) {
      const options = ["--kind", kind, "--actors", "3", "--partitions", "5", ...small, "--batches", "20"];
      const { groups } = await bench(plainServer, transport, ...options);
      const members = groups.find(({ role }) => role === "consumer");
      expect(members).toMatchObject({ actors: 3, messages: 600 });
      expect(members!.checks).toMatchObject({ messages: 600, gaps: 0, duplicates: 0 });
    }
  }, 120_000);

  test("the streams are deleted", async () => {
    for (const server of [plainServer, secureServer]) {
      const isSecure = server === secureServer;
      const client = await server.connect(isSecure ? { tls: { verify: false } } : {});
      expect(await client.getStreams()).toEqual([]);
      client.close();
    }
  });

  test("an encrypted transport refuses a certificate that is not trusted, unless told", async () => {
    const address = ["--transport", "tls", "--server", `127.0.0.1:${secureServer.port}`, "--batches", "2", ...small];
    const refused = await run(address);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("No server at");
    expect((await run([...address, "--insecure"])).exitCode).toBe(0);
  });

  test("the table of QUIC says that a relay takes part", async () => {
    const certificate = ["--ca", join(plainServer.dataPath, "certificates/cert.pem"), "--server-name", "localhost"];
    const address = ["--transport", "quic", "--server", `127.0.0.1:${plainServer.portOf("quic")}`];
    const { exitCode, stdout } = await run([...address, ...certificate, ...small, "--batches", "2"]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("relay process");
  });
});
