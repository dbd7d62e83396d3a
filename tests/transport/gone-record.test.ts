// A client whose record is gone asks for what needs it: the error ends the connection on TCP and WebSocket and nothing on
// QUIC (spec BP 2.7).
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { errorCodes } from "../../src/protocol/errors.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";
import { QuicClient } from "./quic-client.ts";

const servers = useServers();
const group = { stream: nameId("orders"), topic: nameId("eu"), group: nameId("workers") };
const join30 = encode(commandCodecs.joinConsumerGroup.request, group);
const cases = [
  ["ClientNotFound", CommandCode.getMe, new Uint8Array(0)],
  ["StaleClient", CommandCode.joinConsumerGroup, join30],
] as const;

/** With a topic and a group, and nobody in the list of clients after a few seconds without a ping. */
async function startForgetful(env: Readonly<Record<string, string>> = {}) {
  const heartbeat = { IGGY_HEARTBEAT_ENABLED: "true", IGGY_HEARTBEAT_INTERVAL: "2 s" };
  const server = await servers.start({ env: { ...heartbeat, ...env } });
  const admin = await server.connect();
  await admin.createStream("orders");
  await admin.createTopic("orders", { name: "eu", partitionsCount: 1 });
  await admin.createConsumerGroup("orders", "eu", "workers");
  const areForgotten = async () => {
    await eventually(
      "no client is listed",
      () => admin.getClients(),
      (clients) => clients.length === 0,
    );
    await admin.close();
  };
  return { server, areForgotten };
}

// All wait for the same seconds, each transport at a server of its own.
test.concurrent.each([
  "tcp",
  "websocket",
] as const)("over %s the error is answered, then the connection ends", async (transport) => {
  const { server, areForgotten } = await startForgetful();
  const place = { host: server.host, port: server.portOf(transport) };
  const clients = await Promise.all(cases.map(() => WireClient.connect(place, "sdk", { transport })));
  for (const client of clients) await client.login();
  await areForgotten();
  for (const [index, [name, code, payload]] of cases.entries()) {
    const client = clients[index]!;
    expect(await client.request(CommandCode.ping)).toEqual({ status: 0, payload: new Uint8Array(0) });
    // What was sent behind it is not answered any more.
    client.write(client.frame(code, payload), client.frame(CommandCode.ping));
    expect((await client.receive())?.status).toBe(errorCodes[name]);
    expect(await client.receive()).toBeUndefined();
    client.close();
  }
  await server.stop();
});

test.concurrent("over QUIC the error is answered, and the connection goes on", async () => {
  const { server, areForgotten } = await startForgetful({ IGGY_QUIC_ENABLED: "true" });
  const client = new QuicClient(servers.makeDirectory());
  const certPem = readFileSync(join(server.dataPath, "certificates/cert.pem"), "utf8");
  await client.open("stale", { port: server.portOf("quic"), certPem });
  await client.login("stale");
  await areForgotten();
  for (const [name, code, payload] of [...cases, ...cases]) {
    expect((await client.request("stale", code, payload)).status).toBe(errorCodes[name]);
    expect((await client.request("stale", CommandCode.ping)).status).toBe(0);
  }
  // It still is logged in.
  expect((await client.request("stale", CommandCode.getStreams)).status).toBe(0);
  await client.stop();
  await server.stop();
}, 120_000);
