// TLS by connection strings: the broker's own certificate, in Bun and in Node, and what a client says when it does not fit.
import { expect, setDefaultTimeout, test } from "bun:test";
import { join, resolve } from "node:path";
import { ConnectionError, connect } from "../../../src/client/index.bun.ts";
import { useServers } from "../../support/server.ts";
import { rejection } from "../scripted-server.ts";

const servers = useServers();
setDefaultTimeout(120_000);

const program = `
const [door, ...urls] = process.argv.slice(2);
const { connect } = await import(door);
for (const url of urls) {
  try {
    const client = await connect(url, { connectTimeoutMs: 5_000 });
    console.log(client.server.transport, (await client.getStreams()).length);
    await client.close();
  } catch (error) {
    console.log(error.name, error.hint);
  }
}
`;

const untrusted =
  "the server's certificate is not trusted: give `tls: { ca }`, or `tls_ca_file` in the connection string.";

test("a file with the certificate, none, and no check", async () => {
  const env = { IGGY_TCP_TLS_ENABLED: "true", IGGY_WEBSOCKET_TLS_ENABLED: "true" };
  const server = await servers.start({ env });
  const ca = join(server.dataPath, "certificates/cert.pem");
  const hosts = { tcp: `localhost:${server.port}`, websocket: `localhost:${server.portOf("websocket")}` };
  const trusting = [
    `iggy+tls://iggy:iggy@${hosts.tcp}?tls_ca_file=${ca}`,
    `iggy://iggy:iggy@127.0.0.1:${server.port}?tls=true&tls_domain=localhost&tls_ca_file=${ca}`,
    `iggy+tcp://iggy:iggy@${hosts.tcp}?tls=true&tls_validate_certificate=false`,
  ];
  for (const url of [...trusting, `iggy+wss://iggy:iggy@${hosts.websocket}?tls_ca_file=${ca}`]) {
    await using client = await connect(url);
    expect(await client.getStreams()).toEqual([]);
  }
  const strict = `iggy+tls://iggy:iggy@${hosts.tcp}`;
  const refused = await rejection(connect(strict));
  expect(refused).toBeInstanceOf(ConnectionError);
  expect(refused).toMatchObject({ hint: untrusted });
  expect(await rejection(connect(`${strict}?tls_ca_file=/nowhere`))).toBeInstanceOf(TypeError);
  const plain = await rejection(connect(`iggy://iggy:iggy@${hosts.tcp}`, { connectTimeoutMs: 4_000 }));
  expect(plain).toMatchObject({ name: "ConnectionError", hint: expect.stringContaining("iggy+tls:") });

  const directory = servers.makeDirectory();
  const door = resolve(import.meta.dir, "../../../src/client/index.node.ts");
  expect((await Bun.build({ entrypoints: [door], target: "node", outdir: directory })).success).toBe(true);
  await Bun.write(join(directory, "program.mjs"), program);
  const command = ["node", join(directory, "program.mjs"), join(directory, "index.node.js"), ...trusting, strict];
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe", timeout: 60_000 });
  const output = (await new Response(child.stdout).text()) + (await new Response(child.stderr).text());
  expect(output.trim().split("\n")).toEqual(["tcp 0", "tcp 0", "tcp 0", `ConnectionError ${untrusted}`]);
});

test("TLS towards a plain port: the hint says so", async () => {
  const server = await servers.start();
  const refused = await rejection(
    connect(`iggy+tls://iggy:iggy@localhost:${server.port}`, { connectTimeoutMs: 5_000 }),
  );
  expect(refused).toMatchObject({ name: "ConnectionError", hint: expect.stringContaining("TLS and plain text") });
});
