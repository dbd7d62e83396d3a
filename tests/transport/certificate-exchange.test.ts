// The certificate changes under load: every connection that a client begins in the meantime
// is made, and open ones go on, idle ones too.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { connect, type TLSSocket } from "node:tls";
import type { CertificatePair } from "../../src/security/certificates.ts";
import { CertificateFiles, makePair } from "../support/certificates.ts";
import { eventually } from "../support/process-facts.ts";
import { type TestServer, useServers } from "../support/server.ts";

const servers = useServers();
const exchangesCount = 12;
const clientsCount = 4;
const transports = ["tcp", "websocket", "http"] as const;

let server: TestServer;
let files: CertificateFiles;
let pairs: readonly CertificatePair[];

beforeEach(async () => {
  files = new CertificateFiles(servers.makeDirectory());
  pairs = await Promise.all([makePair(servers.makeDirectory()), makePair(servers.makeDirectory())]);
  files.install(pairs[0]!);
  const env = { ...files.settingsOf("tcp"), ...files.settingsOf("websocket"), ...files.settingsOf("http") };
  server = await servers.start({ shards: 2, env });
});

afterEach(() => server.stop());

function open(port: number): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const ca = pairs.map(({ certPem }) => certPem);
  const socket = connect({ host: "localhost", port, ca }, () => resolve(socket));
  socket.once("error", reject);
  socket.once("close", () => reject(new Error("closed")));
  return promise;
}

/** Changes the certificate; resolves when the server says that it has been read. */
async function exchange(round: number): Promise<void> {
  files.install(pairs[(round + 1) % pairs.length]!);
  const before = server.log.split("certificates are read again").length;
  process.kill(server.pid, "SIGHUP");
  await eventually(
    "the new certificate",
    () => server.log.split("certificates are read again").length,
    (count) => count > before,
  );
}

test.each(transports)("%s: every new connection is made while the certificate changes", async (transport) => {
  const port = server.portOf(transport);
  let isDone = false;
  let opened = 0;
  const failures: unknown[] = [];
  const shown = new Set<string>();
  const client = async () => {
    while (!isDone) {
      try {
        const socket = await open(port);
        shown.add(socket.getPeerCertificate().fingerprint256);
        opened++;
        socket.destroy();
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const clients = Array.from({ length: clientsCount }, client);
  for (let round = 0; round < exchangesCount; round++) {
    await exchange(round);
    const before = opened;
    await eventually(
      "connections of every client",
      () => opened - before,
      (count) => count >= 2 * clientsCount,
    );
  }
  isDone = true;
  await Promise.all(clients);
  expect(failures).toEqual([]);
  expect(shown.size).toBe(pairs.length);
  expect(server.log).not.toMatch(/ERROR|WARN.*listener/);
});

test("an HTTPS connection without a request under way goes on, over many changes", async () => {
  const socket = await open(server.portOf("http"));
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes.toString();
  });
  for (let round = 0; round < 5; round++) {
    text = "";
    socket.write("GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await eventually(
      "the answer",
      () => text,
      (answer) => answer.startsWith("HTTP/1.1 200") && answer.includes("pong"),
    );
    await exchange(round);
  }
  socket.destroy();
});
