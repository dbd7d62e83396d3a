// QUIC clients that do not log in: each costs the sidecar memory, so that they have a limit of their own.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandCode } from "../../src/protocol/codes.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { QuicClient } from "./quic-client.ts";

const servers = useServers();

test("clients that are not logged in make room for newer ones, whichever address they have, and leave who is", async () => {
  const server = await servers.start({
    env: { IGGY_QUIC_ENABLED: "true", IGGY_CONNECTIONS_MAX_QUIC_WITHOUT_LOGIN: "5" },
  });
  const client = new QuicClient(servers.makeDirectory());
  const certPem = readFileSync(join(server.dataPath, "certificates/cert.pem"), "utf8");
  const target = { port: server.portOf("quic"), certPem };
  await client.open("known", target);
  await client.login("known");
  const tcp = await server.connect();
  for (let index = 0; index < 12; index++) {
    await client.open(String(index), target);
    await client.request(String(index), CommandCode.ping);
  }
  await eventually(
    "the first seven are closed",
    async () => (await tcp.getClients()).length,
    (count) => count === 2 + 5,
  );
  for (let index = 0; index < 7; index++) await client.ended(String(index));
  for (let index = 7; index < 12; index++)
    expect((await client.request(String(index), CommandCode.ping)).status).toBe(0);
  expect((await client.request("known", CommandCode.getMe)).status).toBe(0);
  await client.login("11");
  expect((await client.request("11", CommandCode.getMe)).status).toBe(0);
  await server.logged(/closed a client that is not logged in, to make room for another .*max=5/);
  await tcp.close();
  await client.stop();
}, 120_000);
