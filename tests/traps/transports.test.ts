// Traps of spec SB 13 about transports and their certificates, on the real server.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { CommandCode } from "../../src/protocol/codes.ts";
import { CertificateFiles, makePair } from "../support/certificates.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { freshMetrics } from "../transport/fresh-metrics.ts";
import { QuicClient } from "../transport/quic-client.ts";

const servers = useServers();
const quicOn = { IGGY_QUIC_ENABLED: "true" };

let client: QuicClient;

beforeAll(() => {
  client = new QuicClient(servers.makeDirectory());
});

afterAll(() => client.stop());

/** A pair in files, as an operator's. */
async function makeFiles() {
  const directory = servers.makeDirectory();
  await makePair(directory);
  return new CertificateFiles(directory);
}

function makeUnusableFiles() {
  const files = new CertificateFiles(servers.makeDirectory());
  files.install({ certPem: "no PEM", keyPem: "no PEM" });
  return files;
}

function quicFiles({ certFile, keyFile }: { certFile: string; keyFile: string }, selfSigned: boolean) {
  return {
    ...quicOn,
    IGGY_QUIC_CERTIFICATE_SELF_SIGNED: String(selfSigned),
    IGGY_QUIC_CERTIFICATE_CERT_FILE: certFile,
    IGGY_QUIC_CERTIFICATE_KEY_FILE: keyFile,
  };
}

describe("certificates", () => {
  test("QUIC with self_signed = true does not look at the configured files (trap 67)", async () => {
    const server = await servers.start({ env: quicFiles(makeUnusableFiles(), true) });
    const certPem = readFileSync(join(server.dataPath, "certificates/cert.pem"), "utf8");
    await client.open("own", { port: server.portOf("quic"), certPem });
    expect((await client.request("own", CommandCode.ping)).status).toBe(0);
    await server.stop();
  });

  test("QUIC with self_signed = false shows the configured files, whose key is PKCS#8 (trap 67)", async () => {
    const files = await makeFiles();
    expect(readFileSync(files.keyFile, "utf8")).toStartWith("-----BEGIN PRIVATE KEY-----");
    const server = await servers.start({ env: quicFiles(files, false) });
    const certPem = readFileSync(files.certFile, "utf8");
    await client.open("configured", { port: server.portOf("quic"), certPem });
    expect((await client.request("configured", CommandCode.ping)).status).toBe(0);
    await server.stop();
  });

  test.each([
    "TCP",
    "WEBSOCKET",
  ] as const)("%s with self_signed = true uses the files where they exist (trap 68)", async (transport) => {
    const prefix = `IGGY_${transport}_TLS`;
    const tlsOf = ({ certFile, keyFile }: { certFile: string; keyFile: string }) => ({
      [`${prefix}_ENABLED`]: "true",
      [`${prefix}_SELF_SIGNED`]: "true",
      [`${prefix}_CERT_FILE`]: certFile,
      [`${prefix}_KEY_FILE`]: keyFile,
    });
    const files = await makeFiles();
    const server = await servers.start({ env: tlsOf(files) });
    const port = server.portOf(transport === "TCP" ? "tcp" : "websocket");
    const { promise: trusted, resolve, reject } = Promise.withResolvers<boolean>();
    const ca = readFileSync(files.certFile, "utf8");
    const socket = connectTls({ host: "localhost", port, ca }, () => resolve(socket.authorized));
    socket.once("error", reject);
    expect(await trusted).toBe(true);
    socket.destroy();
    await server.stop();

    const unusable = makeUnusableFiles();
    const { exitCode, stderr } = await servers.run({ env: tlsOf(unusable) });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`certificate ${unusable.certFile}: not a PEM certificate`);
  });
});

test("metrics count what is there, also after a restart (trap 71)", async () => {
  const server = await servers.start();
  const root = await server.connect();
  await root.createStream("orders");
  await root.createTopic("orders", { name: "eu", partitionsCount: 3 });
  const messages = Array.from({ length: 5 }, () => ({ payload: new Uint8Array(10) }));
  await root.sendMessages({
    stream: "orders",
    topic: "eu",
    partitioning: { kind: "partition", partitionId: 0 },
    messages,
  });
  root.close();
  await server.restart();
  const text = await freshMetrics(server);
  const gauges = ["streams", "topics", "partitions", "messages", "users"].map((name) => {
    const value = new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1];
    return `${name} ${value}`;
  });
  expect(gauges).toEqual(["streams 1", "topics 1", "partitions 3", "messages 5", "users 1"]);
  await server.stop();
});

test("quic.max_idle_timeout = 0 is the engine's 30 seconds, not for ever (trap 74)", async () => {
  const idle = { IGGY_QUIC_MAX_IDLE_TIMEOUT: "0 s", IGGY_QUIC_KEEP_ALIVE_INTERVAL: "0 s" };
  const server = await servers.start({ env: { ...quicOn, ...idle } });
  const certPem = readFileSync(join(server.dataPath, "certificates/cert.pem"), "utf8");
  const watcher = await server.connect();
  const vanishing = new QuicClient(servers.makeDirectory());
  // The shorter of both sides' time-outs counts.
  await vanishing.open("vanishing", { port: server.portOf("quic"), certPem, idleTimeoutMs: 120_000 });
  await vanishing.login("vanishing");
  const vanishesAtMs = performance.now();
  await vanishing.stop();
  await eventually(
    "the vanished client is forgotten",
    () => watcher.getClients(),
    (clients) => clients.length === 1,
    90_000,
  );
  expect(performance.now() - vanishesAtMs).toBeGreaterThan(25_000);
  watcher.close();
  await server.stop();
}, 120_000);
