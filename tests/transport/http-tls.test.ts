// HTTPS with the certificate that the server makes, and its exchange on SIGHUP (spec SB 9.1, 9.5).
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { loadOrCreateCertificate } from "../../src/security/certificates.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";

const servers = useServers();

function makePair() {
  return loadOrCreateCertificate(
    { files: undefined, selfSigned: true },
    { directory: servers.makeDirectory(), nowMs: Date.now(), onMade: () => undefined },
  );
}

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
  const directory = servers.makeDirectory();
  const files = { cert: join(directory, "cert.pem"), key: join(directory, "key.pem") };
  const install = (pair: Awaited<ReturnType<typeof makePair>>) => {
    writeFileSync(files.cert, pair.certPem);
    writeFileSync(files.key, pair.keyPem);
  };
  const [first, second] = [await makePair(), await makePair()];
  install(first);
  const env = { IGGY_HTTP_TLS_ENABLED: "true", IGGY_HTTP_TLS_CERT_FILE: files.cert, IGGY_HTTP_TLS_KEY_FILE: files.key };
  const server = await servers.start({ env });
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
  await Bun.sleep(100); // nobody outside sees when the server has read the head

  install(second);
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
