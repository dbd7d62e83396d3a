// Requests byte by byte, as probes of load balancers and old programs write them.
import { expect, test } from "bun:test";
import { connect } from "node:net";
import { residentBytes } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { HttpTestClient } from "./http-client.ts";

const servers = useServers();

/** The whole answer; the server ends the connection, or it is given up after the first answer. */
async function exchange(port: number, request: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let answer = "";
  const socket = connect({ port, host: "127.0.0.1" }, () => socket.write(request));
  socket.on("data", (bytes) => {
    answer += bytes.toString("latin1");
    if (/\r\n\r\n./s.test(answer) || /content-length: 0\r\n/i.test(answer)) socket.destroy();
  });
  socket.on("close", () => resolve(answer));
  socket.on("error", reject);
  return promise;
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1]);

test("a request without a host, or with an empty one, is served as any other", async () => {
  const server = await servers.start({ env: { IGGY_HTTP_ALLOWED_HOSTS: '["b"]' } });
  const port = server.portOf("http");
  const body = '{"username":"iggy","password":"iggy"}';
  const head = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  for (const [version, host] of [
    ["HTTP/1.0", ""],
    ["HTTP/1.1", "Host:\r\n"],
    ["HTTP/1.1", "Host: b\r\n"], // too short for the router's search
  ]) {
    expect(await exchange(port, `GET /ping ${version}\r\n${host}\r\n`)).toEndWith("pong");
    expect(statusOf(await exchange(port, `GET /metrics ${version}\r\n${host}\r\n`))).toBe(200);
    expect(statusOf(await exchange(port, `GET /streams ${version}\r\n${host}\r\n`))).toBe(401);
    const login = await exchange(port, `POST /users/login ${version}\r\n${host}${head}`);
    const token = /"token":"([^"]+)"/.exec(login)?.[1];
    // The scheme of an authorization is case-insensitive.
    for (const scheme of ["Bearer", "bearer", "BEARER"]) {
      const authorization = `Authorization: ${scheme} ${token}\r\n`;
      expect(await exchange(port, `GET /streams?x=/a ${version}\r\n${host}${authorization}\r\n`)).toEndWith("[]");
      expect(statusOf(await exchange(port, `GET /streams/s ${version}\r\n${host}${authorization}\r\n`))).toBe(404);
    }
  }
});

test("a length that is given twice leaves the count of received bytes a number", async () => {
  const server = await servers.start();
  const port = server.portOf("http");
  await exchange(port, "GET /ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n");
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(metrics).toMatch(/^whippet_received_bytes_total\{transport="http"\} \d+$/m);
});

test("a body that is too large gets its answer also while its client is still sending", async () => {
  const server = await servers.start();
  const port = server.portOf("http");
  const piece = Buffer.alloc(256 * 1024, "x");
  const pieces = 32;
  const bodies = [
    [`Content-Length: ${piece.length * pieces}`, piece],
    [
      "Transfer-Encoding: chunked",
      Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]),
    ],
  ] as const;
  for (const [header, part] of bodies) {
    for (let round = 0; round < 10; round++) {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const socket = connect({ port, host: "127.0.0.1" }, async () => {
        socket.write(
          `POST /users/login HTTP/1.1\r\nHost: [::1]\r\nContent-Type: application/json\r\n${header}\r\n\r\n`,
        );
        for (let sent = 0; sent < pieces; sent++) {
          if (!socket.write(part)) await new Promise((drained) => socket.once("drain", drained));
        }
        if (header.startsWith("Transfer")) socket.write("0\r\n\r\n");
      });
      socket.once("data", (bytes) => resolve(bytes.toString("latin1")));
      socket.on("error", reject);
      expect(statusOf(await promise)).toBe(413);
      socket.destroy();
    }
  }
});

test("a route that asks for no token takes small bodies only, and what it does not know costs no memory", async () => {
  const server = await servers.start();
  const url = `http://127.0.0.1:${server.portOf("http")}`;
  const post = async (path: string, body: string) =>
    (await fetch(url + path, { method: "POST", body, headers: { "content-type": "application/json" } })).status;
  for (const path of ["/users/login", "/users/refresh-token", "/personal-access-tokens/login"]) {
    expect(await post(path, `{"x":"${"y".repeat(65_536)}"}`)).toBe(413);
  }
  const before = residentBytes(server.pid);
  const many = `{"username":"nobody","password":"wrong","x":[${new Array(5000).fill('{"999":0}').join(",")}]}`;
  // Each try that fails makes the next one wait for longer.
  const statuses = await Promise.all(Array.from({ length: 10 }, () => post("/users/login", many)));
  expect(new Set(statuses)).toEqual(new Set([400]));
  expect(residentBytes(server.pid) - before).toBeLessThan(100_000_000); // 40 KB became 40 MB each, and stayed while the login waited
});

test("a long body of permissions is read only for who may set them", async () => {
  const server = await servers.start();
  const root = await HttpTestClient.login(server);
  await root.request("POST", "/users", { username: "ann", password: "secret", status: "active", permissions: null });
  const ann = await HttpTestClient.login(server, "ann", "secret");
  // What is no JSON is found out by reading it.
  const long = `{"permissions":${"[".repeat(1_000_000)}`;
  for (const [method, path] of [
    ["POST", "/users"],
    ["PUT", "/users/ann/permissions"],
  ] as const) {
    expect((await root.request(method, path, long)).status).toBe(400);
    expect((await ann.request(method, path, long)).status).toBe(403);
    expect((await ann.request(method, path, "{")).status).toBe(400);
    expect((await new HttpTestClient(server).request(method, path, long)).status).toBe(401);
  }
  await server.logged(/refused a request command=createUser right=createUser error=Unauthorized by=ann/);
});
