// The conversation recorded from the original, inside TLS: nothing of it depends on what encrypts the connection. Where the
// original is wrong the test without TLS says what is right (tests/integration/golden.test.ts).
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandCode } from "../../src/protocol/codes.ts";
import { TransportCode } from "../../src/protocol/records/enumerations.ts";
import { comparable, type Step, steps, withTransport } from "../integration/golden-record.ts";
import { useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";

const servers = useServers();

/** Undefined where what was recorded differs each time or is a fault. */
function expectedOf(step: Step, transport: "tcp" | "websocket"): Step | undefined {
  const { code, status, isFault, reply } = step;
  if (isFault || (code === CommandCode.createPersonalAccessToken && status === 0)) return undefined;
  const namesTransport = code === CommandCode.getMe || code === CommandCode.getClient;
  return namesTransport && reply !== "" ? withTransport(step, TransportCode[transport]) : step;
}

test.each(["tcp", "websocket"] as const)("every answer over %s with TLS is the recorded one", async (transport) => {
  const env = { IGGY_TCP_TLS_ENABLED: "true", IGGY_WEBSOCKET_TLS_ENABLED: "true" };
  const server = await servers.start({ shards: 2, env });
  const place = { host: "localhost", port: server.portOf(transport) };
  const ca = readFileSync(join(server.dataPath, "certificates/cert.pem"), "utf8");
  const clients = new Map<string, WireClient>();
  const failures: string[] = [];
  let token: Uint8Array = new Uint8Array(0);
  let comparedCount = 0;
  for (const step of steps) {
    const { name, connection, code, payload } = step;
    const client = clients.get(connection) ?? (await WireClient.connect(place, "sdk", { transport, ca }));
    clients.set(connection, client);
    const reply = await client.request(code, payload === null ? token : Uint8Array.fromHex(payload));
    if (step.savesToken) token = reply.payload;
    const expected = expectedOf(step, transport);
    if (expected !== undefined) {
      comparedCount++;
      const { recorded, answered } = comparable(expected, reply.payload);
      if (reply.status !== step.status) failures.push(`${name}: status ${reply.status}, not ${step.status}`);
      else if (answered !== recorded) failures.push(`${name}: ${answered}, not ${recorded}`);
    }
  }
  for (const client of clients.values()) client.close();
  expect(failures).toEqual([]);
  expect(comparedCount).toBeGreaterThan(300);
  await server.stop();
  expect(server.log).not.toMatch(/ERROR/);
}, 120_000);
