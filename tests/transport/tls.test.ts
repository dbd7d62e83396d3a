// TLS over TCP and WebSocket with the certificate that the server makes, and its exchange on SIGHUP (spec SB 9.1).
import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { CommandCode } from "../../src/protocol/codes.ts";
import { CertificateFiles, makePair } from "../support/certificates.ts";
import { connectClient } from "../support/client.ts";
import { eventually } from "../support/process-facts.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";

const servers = useServers();
const tlsOn = { IGGY_TCP_TLS_ENABLED: "true", IGGY_WEBSOCKET_TLS_ENABLED: "true" };
const transports = ["tcp", "websocket"] as const;

/** The pair that the server has made for itself. */
function ownCertificate(server: TestServer): string {
  return readFileSync(join(server.dataPath, "certificates/cert.pem"), "utf8");
}

/** Fingerprint of the certificate that a new connection is shown. */
function shownFingerprint(host: string, port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connectTls({ host, port, rejectUnauthorized: false }, () => {
    resolve(socket.getPeerCertificate().fingerprint256);
    socket.destroy();
  });
  socket.once("error", reject);
  return promise;
}

describe.each(transports)("TLS over %s", (transport) => {
  test.each([1, 2])("sends and polls with the generated certificate as CA, %d shard(s)", async (shards) => {
    const server = await servers.start({ shards, env: tlsOn });
    const options = {
      host: "localhost",
      transport,
      port: server.portOf(transport),
      tls: { ca: ownCertificate(server) },
    };
    const client = await server.connect(options);
    await client.createStream("orders");
    await client.createTopic("orders", { name: "eu", partitionsCount: 4 });
    const messages = Array.from({ length: 2000 }, (_, index) => ({ payload: new Uint8Array(1000).fill(index) }));
    for (let partitionId = 0; partitionId < 4; partitionId++) {
      // Plain TCP would move with this.
      for (let round = 0; round < 6; round++) {
        const partitioning = { kind: "partition", partitionId } as const;
        await client.sendMessages({ stream: "orders", topic: "eu", partitioning, messages });
      }
      const { messages: polled } = await client.pollMessages({
        consumer: { kind: "consumer", id: { kind: "numeric", value: 1 } },
        stream: "orders",
        topic: "eu",
        partitionId,
        strategy: { kind: "first", value: 0n },
        count: 12_000,
      });
      expect(polled).toHaveLength(12_000);
      expect(polled.every(({ payload }, index) => payload[999] === (index % 2000) % 256)).toBe(true);
    }
    expect((await client.getMe()).transport).toBe(transport);
    client.close();
    await server.stop();
    expect(server.log).not.toMatch(/ERROR/);
  }, 120_000);

  test("a client that does not trust the certificate does not connect, and the server goes on", async () => {
    const server = await servers.start({ env: tlsOn });
    const port = server.portOf(transport);
    const login = { username: "iggy", password: "iggy", reconnect: false } as const;
    const refused = { errorName: "CannotEstablishConnection" };
    const connect = (options: object) => connectClient({ host: server.host, port, transport, ...login, ...options });
    await expect(connect({ tls: {} })).rejects.toMatchObject(refused);
    await expect(connect({ tls: { ca: ownCertificate(server), serverName: "example.com" } })).rejects.toMatchObject(
      refused,
    );
    const unverified = await connect({ tls: { verify: false } });
    await unverified.ping();
    unverified.close();
    await server.stop();
    expect(server.log).not.toMatch(/ERROR/);
  });

  test("a client without TLS is not answered", async () => {
    const server = await servers.start({ env: tlsOn });
    const place = { host: server.host, port: server.portOf(transport) };
    const attempt = WireClient.connect(place, "sdk", { transport });
    if (transport === "websocket") {
      await expect(attempt).rejects.toThrow();
    } else {
      const plain = await attempt;
      plain.write(plain.frame(CommandCode.ping));
      await plain.ended();
      expect(plain.waitingReplies).toBe(0);
    }
    const secure = await WireClient.connect({ ...place, host: "localhost" }, "sdk", {
      transport,
      ca: ownCertificate(server),
    });
    await secure.login();
    secure.close();
    await server.stop();
  });

  test("SIGHUP: new connections get the new certificate, open ones go on", async () => {
    const files = new CertificateFiles(servers.makeDirectory());
    const [first, second] = await Promise.all([makePair(servers.makeDirectory()), makePair(servers.makeDirectory())]);
    files.install(first);
    const server = await servers.start({ shards: 2, env: files.settingsOf(transport) });
    const port = server.portOf(transport);
    const place = { host: "localhost", port };
    const early = await Promise.all(
      Array.from({ length: 6 }, () => WireClient.connect(place, "sdk", { transport, ca: first.certPem })),
    );
    await early[0]!.login();
    const before = await shownFingerprint(server.host, port);

    files.install(second);
    process.kill(server.pid, "SIGHUP");
    await eventually(
      "another certificate",
      () => shownFingerprint(server.host, port),
      (shown) => shown !== before,
    );
    // Every shard has it: the kernel spreads new connections over all of them.
    await eventually(
      "on every shard",
      () => Promise.all(Array.from({ length: 12 }, () => shownFingerprint(server.host, port))),
      (shown) => shown.every((fingerprint) => fingerprint !== before),
    );
    const late = await WireClient.connect(place, "sdk", { transport, ca: second.certPem });
    await late.login();
    for (const client of early) expect((await client.request(CommandCode.ping)).status).toBe(0);
    expect((await early[0]!.request(CommandCode.getMe)).status).toBe(0);

    writeFileSync(files.certFile, "not a certificate");
    process.kill(server.pid, "SIGHUP");
    await eventually(
      "an error",
      () => server.log,
      (log) => /ERROR.*certificates cannot be read again/.test(log),
    );
    const later = await WireClient.connect(place, "sdk", { transport, ca: second.certPem });
    await later.login();
    for (const client of [...early, late, later]) expect((await client.request(CommandCode.ping)).status).toBe(0);
    const ended = [...early, late, later].map((client) => client.ended());
    await server.stop();
    await Promise.all(ended);
  });
});

const hasIpv6 = await (async () => {
  try {
    Bun.listen({ hostname: "::1", port: 0, socket: { data() {} } }).stop(true);
    return true;
  } catch {
    return false;
  }
})();

test.if(hasIpv6)("IPv6: TCP and WebSocket listen, and clients are named by address", async () => {
  const env = { IGGY_TCP_ADDRESS: "[::1]:0", IGGY_WEBSOCKET_ADDRESS: "[::1]:0" };
  const server = await servers.start({ shards: 2, env });
  for (const transport of transports) {
    const client = await server.connect({ host: "::1", port: server.portOf(transport), transport });
    const { address } = await client.getMe();
    expect(address).toMatch(/^\[::1\]:\d+$/);
    expect((await client.getClients()).map((other) => other.address)).toContain(address);
    client.close();
  }
  expect(readFileSync(server.currentConfigPath, "utf8")).toMatch(/address = "\[::1\]:[1-9]\d*"/);
  await server.stop();
});
