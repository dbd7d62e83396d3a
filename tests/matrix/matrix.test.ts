// The same scenario over every transport × one and two shards × run from source and compiled. A server has one port for each
// transport, with TLS or without, so each pair of shards and program is two servers; QUIC is always encrypted.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildExecutable } from "../../scripts/build.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { QuicClient } from "../transport/quic-client.ts";
import { binaryPlace, quicPlace } from "./binary-session.ts";
import { httpPlace } from "./http-session.ts";
import { Scenario } from "./scenario.ts";
import type { Place } from "./session.ts";

setDefaultTimeout(300_000);

const servers = useServers();
const quicOn = { IGGY_QUIC_ENABLED: "true" };
const tlsOn = { IGGY_TCP_TLS_ENABLED: "true", IGGY_WEBSOCKET_TLS_ENABLED: "true", IGGY_HTTP_TLS_ENABLED: "true" };

interface Pair {
  readonly plain: TestServer;
  readonly secure: TestServer;
}

/** What the server has made for itself; it names `localhost`. */
function certificateOf(server: TestServer): string {
  return readFileSync(join(server.dataPath, "certificates/cert.pem"), "utf8");
}

function overTls(server: TestServer) {
  return { host: "localhost", tls: { ca: certificateOf(server) } };
}

let quic: QuicClient;
let executable: string;

beforeAll(async () => {
  quic = new QuicClient(servers.makeDirectory());
  executable = join(servers.makeDirectory(), "whippet");
  await buildExecutable(executable);
});

afterAll(() => quic.stop());

const places: readonly { readonly name: string; readonly of: (pair: Pair) => Place }[] = [
  { name: "TCP", of: ({ plain }) => binaryPlace("tcp", { host: plain.host, port: plain.port }) },
  { name: "TCP+TLS", of: ({ secure }) => binaryPlace("tcp-tls", { port: secure.port, ...overTls(secure) }) },
  {
    name: "WebSocket",
    of: ({ plain }) =>
      binaryPlace("websocket", { transport: "websocket", host: plain.host, port: plain.portOf("websocket") }),
  },
  {
    name: "WSS",
    of: ({ secure }) =>
      binaryPlace("wss", { transport: "websocket", port: secure.portOf("websocket"), ...overTls(secure) }),
  },
  {
    name: "QUIC",
    of: ({ plain }) => quicPlace("quic", quic, { port: plain.portOf("quic"), certPem: certificateOf(plain) }),
  },
  { name: "HTTP", of: ({ plain }) => httpPlace("http", { url: `http://${plain.host}:${plain.portOf("http")}` }) },
  {
    name: "HTTPS",
    of: ({ secure }) =>
      httpPlace("https", { url: `https://localhost:${secure.portOf("http")}`, tls: overTls(secure).tls }),
  },
];

const variants = ["from source", "compiled"].flatMap((program) => [1, 2].map((shards) => ({ program, shards })));

describe.each(variants)("a server $program, $shards shard(s)", ({ program, shards }) => {
  let pair: Pair;

  beforeAll(async () => {
    const options = { shards, ...(program === "compiled" ? { program: executable } : {}) };
    const [plain, secure] = await Promise.all([
      servers.start({ ...options, env: { ...quicOn, XDG_CACHE_HOME: servers.makeDirectory() } }),
      servers.start({ ...options, env: tlsOn }),
    ]);
    pair = { plain, secure };
  });

  test.each(places)("login, create, 10,000 messages, offsets, errors and disconnect over $name", async ({ of }) => {
    await Scenario.play(of(pair));
  });

  test("both servers stop in good order and logged no error", async () => {
    for (const server of [pair.plain, pair.secure]) {
      const { stdout } = await server.stop();
      expect(stdout).toContain("everything is flushed and synced");
      expect(server.log).not.toMatch(/ERROR/);
    }
  });
});
