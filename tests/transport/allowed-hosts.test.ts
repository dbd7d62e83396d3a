// By which names a browser may reach the broker, and what a page of another origin gets.
import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { isLoopbackHost } from "../../src/config/address.ts";
import { isAllowedHost } from "../../src/transport/allowed-hosts.ts";
import { useServers } from "../support/server.ts";

const servers = useServers();
const loopback = { isLoopback: true, allowedHosts: ["Broker.example", "other.example:3000"] };

describe("on a loopback listener", () => {
  test.each([
    null,
    "",
    "localhost",
    "localhost:3000",
    "LOCALHOST:3000",
    "app.localhost",
    "127.0.0.1:3000",
    "[::1]:3000",
    "10.1.2.3",
    "broker.example",
    "BROKER.example:99",
    "other.example:3000",
  ])("%j is allowed", (host) => {
    expect(isAllowedHost(host, loopback)).toBe(true);
  });
  test.each([
    "evil.example",
    "evil.example:3000",
    "localhost.evil.example",
    "other.example:3001",
    "127.0.0.1.evil.example",
    "a b",
    "broker.example.evil",
  ])("%j is refused", (host) => {
    expect(isAllowedHost(host, loopback)).toBe(false);
  });
});

test("elsewhere any name is allowed, unless names are listed; addresses always are", () => {
  expect(isAllowedHost("broker.example:3000", { isLoopback: false, allowedHosts: [] })).toBe(true);
  const listed = { isLoopback: false, allowedHosts: ["broker.example"] };
  expect(isAllowedHost("broker.example:3000", listed)).toBe(true);
  expect(isAllowedHost("evil.example", listed)).toBe(false);
  expect(isAllowedHost("192.0.2.7:3000", listed)).toBe(true);
});

test.each([
  ["127.0.0.1", true],
  ["127.8.0.1", true],
  ["::1", true],
  ["localhost", true],
  ["0.0.0.0", false],
  ["::", false],
  ["10.0.0.1", false],
  ["broker.example", false],
])("a listener at %s: of this machine only: %p", (host, isLoopback) => {
  expect(isLoopbackHost(host)).toBe(isLoopback);
});

/** Status of a request with these headers. */
function ask(port: number, head: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ port, host: "127.0.0.1" }, () => socket.write(`${head}\r\n\r\n`));
  socket.on("error", reject);
  socket.once("data", (bytes) => {
    resolve(bytes.toString("latin1"));
    socket.destroy();
  });
  return promise;
}

const upgrade =
  "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

test("a rebound name is refused over HTTP and WebSocket, with the key that would allow it, and logged once", async () => {
  const server = await servers.start();
  const http = server.portOf("http");
  const websocket = server.portOf("websocket");
  for (let round = 0; round < 3; round++) {
    const answer = await ask(http, "GET /ping HTTP/1.1\r\nHost: evil.example");
    expect(answer).toStartWith("HTTP/1.1 403");
    expect(answer).toContain("see http.allowed_hosts");
    const socket = await ask(websocket, `${upgrade}\r\nHost: evil.example:8092\r\nOrigin: http://evil.example:8092`);
    expect(socket).toStartWith("HTTP/1.1 403");
    expect(socket).toContain("see http.allowed_hosts");
  }
  // Programs that are no browsers may use any name.
  expect(await ask(websocket, `${upgrade}\r\nHost: evil.example:8092`)).toStartWith("HTTP/1.1 101");
  const { stdout } = await server.stop();
  expect(stdout.match(/refused a request for a host name that http.allowed_hosts lacks/g)).toHaveLength(1);
  expect(stdout.match(/refused a page at a host name that http.allowed_hosts lacks/g)).toHaveLength(1);
  await server.restart({ env: { IGGY_HTTP_ALLOWED_HOSTS: '["evil.example"]' } });
  expect(await ask(server.portOf("http"), "GET /ping HTTP/1.1\r\nHost: evil.example")).toStartWith("HTTP/1.1 200");
  await server.stop();
});

test("a page of another port of the same host is refused, and the log says which key allows it", async () => {
  const server = await servers.start();
  const websocket = server.portOf("websocket");
  const page = "http://127.0.0.1:5173";
  const answer = await ask(websocket, `${upgrade}\r\nHost: 127.0.0.1:${websocket}\r\nOrigin: ${page}`);
  expect(answer).toStartWith("HTTP/1.1 403");
  await server.logged("refused a page of another origin");
  expect(server.log).toContain(page);
  expect(server.log).toContain("websocket.allowed_origins would allow it");
  const api = await ask(server.portOf("http"), `GET /ping HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: ${page}`);
  expect(api.toLowerCase()).not.toContain("access-control-allow-origin");
  // A preflight says the same, for each page once; the broker's own pages are none of another origin.
  const http = server.portOf("http");
  const preflight = (origin: string) =>
    ask(
      http,
      `OPTIONS /streams HTTP/1.1\r\nHost: 127.0.0.1:${http}\r\nOrigin: ${origin}\r\nAccess-Control-Request-Method: POST`,
    );
  for (let round = 0; round < 3; round++) {
    expect((await preflight("http://127.0.0.1:5174")).toLowerCase()).not.toContain("access-control-allow-origin");
  }
  await preflight(`http://127.0.0.1:${http}`);
  const log = await server.logged(/refused a page of another origin .*http\.cors\.allowed_origins would allow it/, 2);
  expect(log.match(/http\.cors\.allowed_origins would allow it/g)).toHaveLength(2);
  expect(log.match(/origin=http:\/\/127\.0\.0\.1:5174/g)).toHaveLength(1);
  await server.restart({ env: { IGGY_HTTP_CORS_ALLOWED_ORIGINS: `["${page}"]` } });
  const allowed = await ask(server.portOf("http"), `GET /ping HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: ${page}`);
  expect(allowed).toContain(`Access-Control-Allow-Origin: ${page}`);
  await server.stop();
});

test("what goes beyond this machine in clear text, and the well-known password, deserve a warning", async () => {
  const server = await servers.start({ env: { IGGY_TCP_ADDRESS: "0.0.0.0:0", IGGY_WEBSOCKET_ADDRESS: "127.0.0.1:0" } });
  await server.logged("tcp: passwords and messages go beyond this machine in clear text; set tcp.tls.enabled");
  expect(server.log).not.toContain("set websocket.tls.enabled");
  await server.logged(/WARN.*anybody who can reach this machine may log in as iggy\/iggy.*exposed=tcp/);
  await server.restart({ env: { IGGY_TCP_ADDRESS: "127.0.0.1:0" } });
  await server.stop();
});

test("metrics ask for a token where that is configured", async () => {
  const server = await servers.start({ env: { IGGY_HTTP_METRICS_REQUIRE_TOKEN: "true" } });
  const url = `http://127.0.0.1:${server.portOf("http")}`;
  expect((await fetch(`${url}/metrics`)).status).toBe(401);
  const body = JSON.stringify({ username: "iggy", password: "iggy" });
  const login = await fetch(`${url}/users/login`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json" },
  });
  const { access_token } = (await login.json()) as { access_token: { token: string } };
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${access_token.token}` } });
  expect(answer.status).toBe(200);
  await server.stop();
});
