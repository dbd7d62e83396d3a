// The conversation recorded from the original, over QUIC: every request on a stream of its own. Where the original is wrong
// the other transports' tests say what is right (tests/integration/golden.test.ts).
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandCode } from "../../src/protocol/codes.ts";
import { TransportCode } from "../../src/protocol/records/enumerations.ts";
import { comparable, type Step, steps, withTransport } from "../integration/golden-record.ts";
import { useServers } from "../support/server.ts";
import { QuicClient } from "./quic-client.ts";

setDefaultTimeout(120_000);

const servers = useServers();
const client = new QuicClient(servers.makeDirectory());
afterAll(() => client.stop());

/** The recorded answer as it is over QUIC; undefined where what was recorded differs each time or is a fault. */
function expectedOf(step: Step): Step | undefined {
  const { code, status, isFault, reply } = step;
  if (isFault || (code === CommandCode.createPersonalAccessToken && status === 0)) return undefined;
  const namesTransport = code === CommandCode.getMe || code === CommandCode.getClient;
  return namesTransport && reply !== "" ? withTransport(step, TransportCode.quic) : step;
}

test("every answer over QUIC is the recorded one", async () => {
  const server = await servers.start({ shards: 2, env: { IGGY_QUIC_ENABLED: "true" } });
  const certPem = readFileSync(join(server.dataPath, "certificates/cert.pem"), "utf8");
  const opened = new Set<string>();
  const failures: string[] = [];
  let token: Uint8Array = new Uint8Array(0);
  for (const step of steps) {
    const { name, connection, code, payload } = step;
    if (!opened.has(connection)) await client.open(connection, { port: server.portOf("quic"), certPem });
    opened.add(connection);
    const reply = await client.request(connection, code, payload === null ? token : Uint8Array.fromHex(payload));
    if (step.savesToken) token = reply.payload;
    const expected = expectedOf(step);
    if (expected !== undefined) {
      const { recorded, answered } = comparable(expected, reply.payload);
      if (reply.status !== step.status) failures.push(`${name}: status ${reply.status}, not ${step.status}`);
      else if (answered !== recorded) failures.push(`${name}: ${answered}, not ${recorded}`);
    }
  }
  expect(failures).toEqual([]);
  expect(steps.filter((step) => expectedOf(step) !== undefined).length).toBeGreaterThan(300);
  await server.stop();
  expect(server.log).not.toMatch(/ERROR/);
});
