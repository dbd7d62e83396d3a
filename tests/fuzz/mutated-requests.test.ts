// Recorded requests with damage: whatever comes, the answer is success or an error of the table, never `Error` (1), which
// stands for a bug, and the log stays free of errors.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { seededRandom } from "../../src/platform/random.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { errorNameOf } from "../../src/protocol/errors.ts";
import record from "../golden/binary.json" with { type: "json" };
import { type TestServer, useServers } from "../support/server.ts";
import { mutate } from "./mutate.ts";
import { closeRawClients, loginFrame, RawClient } from "./raw-client.ts";

const servers = useServers();
const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
/** A mutated topic with thousands of partitions would only make the test slow. */
const partitionsMax = 50;

/** A request that changes its connection's login would end the test of what follows. */
const loginCodes: ReadonlySet<number> = new Set([
  CommandCode.loginUser,
  CommandCode.logoutUser,
  CommandCode.loginWithPersonalAccessToken,
]);

const requests = record.flatMap(({ code, payload }) =>
  payload === null || loginCodes.has(code) ? [] : [{ code, payload: Uint8Array.fromHex(payload) }],
);

let server: TestServer;
beforeAll(async () => {
  server = await servers.start({ shards: 2 });
});
afterAll(closeRawClients);

/** Whether the request would ask for many partitions. */
function asksForMany(code: number, payload: Uint8Array): boolean {
  const isCreation = code === CommandCode.createTopic || code === CommandCode.createPartitions;
  if (!isCreation || payload.byteLength < 4) return false;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  for (let at = 0; at + 4 <= payload.byteLength; at++) {
    const value = view.getUint32(at, true);
    if (value > partitionsMax && value <= 1000) return true;
  }
  return false;
}

test.each(seeds)("mutated requests, seed %d", async (seed) => {
  const random = seededRandom(seed);
  const client = await RawClient.connectLoggedIn(server.port);
  for (const { code, payload } of requests) {
    // The original too: so there are streams, topics and messages that the damaged ones can hit.
    for (const sent of [payload, mutate(payload, random), mutate(payload, random), mutate(payload, random)]) {
      if (asksForMany(code, sent)) continue;
      const { status } = await client.exchange(code, sent);
      if (status === 1 || (status !== 0 && errorNameOf(status) === undefined)) {
        throw new Error(`code ${code}, payload ${sent.toHex()}: status ${status}`);
      }
    }
  }
  client.close();
  expect(server.log).not.toContain("ERROR");
}, 120_000);

test("mutated logins", async () => {
  const random = seededRandom(99);
  const payload = loginFrame.slice(8);
  const client = await RawClient.connectLoggedIn(server.port);
  for (let count = 0; count < 300; count++) {
    const { status } = await client.exchange(CommandCode.loginUser, mutate(payload, random));
    expect([0, 3, 4, 42, 43, 44]).toContain(status);
  }
  client.close();
  expect(server.log).not.toContain("ERROR");
});
