// HTTPS with the certificate that the server makes, and its exchange on SIGHUP (spec SB 9.1, 9.5).
import { expect, test } from "bun:test";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { CertificateFiles, makePair } from "../support/certificates.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";

const servers = useServers();

test("the API is served over HTTPS, with the generated certificate as CA, and over nothing else", async () => {
  const server = await servers.start({ env: { IGGY_HTTP_TLS_ENABLED: "true" } });
  const ca = readFileSync(join(server.dataPath, "certificates/cert.pem"), "utf8");
  const address = `https://localhost:${server.portOf("http")}`;
  const login = await fetch(`${address}/users/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "iggy", password: "iggy" }),
    tls: { ca },
  });
  const { access_token } = (await login.json()) as { access_token: { token: string } };
  const headers = { authorization: `Bearer ${access_token.token}` };
  const streams = await fetch(`${address}/streams`, { headers, tls: { ca } });
  expect([streams.status, await streams.text()]).toEqual([200, "[]"]);
  await expect(fetch(`${address}/ping`)).rejects.toThrow();
  await expect(fetch(address.replace("https", "http"))).rejects.toThrow();
  await server.stop();
});

test("SIGHUP: new connections get the new certificate, a request under way is finished", async () => {
  const files = new CertificateFiles(servers.makeDirectory());
  const [first, second] = await Promise.all([makePair(servers.makeDirectory()), makePair(servers.makeDirectory())]);
  files.install(first);
  const server = await servers.start({ env: files.settingsOf("http") });
  const port = server.portOf("http");

  const shown = (ca: string) =>
    new Promise<boolean>((resolve) => {
      const socket = connect({ host: "localhost", port, ca }, () => {
        resolve(true);
        socket.destroy();
      });
      socket.once("error", () => resolve(false));
    });
  let answer = "";
  const open = connect({ host: "localhost", port, ca: first.certPem });
  open.on("data", (bytes) => {
    answer += bytes.toString();
  });
  const body = JSON.stringify({ username: "iggy", password: "iggy" });
  const head = `Host: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  open.write(`POST /users/login HTTP/1.1\r\n${head}\r\n\r\n${body.slice(0, 5)}`);
  await once(open, "secureConnect");
  // Nobody outside sees when the server has read the head; what it is asked after that, it answers after that.
  for (let round = 0; round < 3; round++) expect(await shown(first.certPem)).toBe(true);

  files.install(second);
  process.kill(server.pid, "SIGHUP");
  await eventually(
    "the new certificate",
    () => shown(second.certPem),
    (isShown) => isShown,
  );
  expect(await shown(first.certPem)).toBe(false);
  open.write(body.slice(5));
  await eventually(
    "the answer",
    async () => answer,
    (text) => text.includes("access_token"),
  );
  expect(answer).toStartWith("HTTP/1.1 200 OK");
  open.destroy();
  await server.stop();
});
