// The probe: a client that knows nothing of the broker's version asks what it can do.
import { beforeAll, describe, expect, test } from "bun:test";
import type { Client } from "../../src/client/index.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { ExtensionCode } from "../../src/protocol/extensions/codes.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";

const servers = useServers();
let plain: TestServer;
let deduplicating: TestServer;

beforeAll(async () => {
  plain = await servers.start();
  deduplicating = await servers.start({ env: { IGGY_SYSTEM_MESSAGE_DEDUPLICATION_ENABLED: "true" } });
});

describe.each(["tcp", "websocket"] as const)("over %s", (transport) => {
  const connect = (server: TestServer): Promise<Client> =>
    server.connect({ transport, port: server.portOf(transport) });

  test("features are named, and what is switched off is not", async () => {
    const client = await connect(plain);
    const other = await connect(deduplicating);
    expect((await client.features()).names.has("deduplication")).toBe(false);
    expect((await other.features()).names.has("deduplication")).toBe(true);
    client.close();
    other.close();
  });

  test("who is not logged in is refused with 40, and goes on", async () => {
    const client = await WireClient.connect({ host: plain.host, port: plain.portOf(transport) }, "sdk", { transport });
    expect((await client.request(ExtensionCode.getFeatures)).status).toBe(40);
    expect((await client.request(CommandCode.ping)).status).toBe(0);
    client.close();
  });

  test("a code of the block that is not used is no command, as for the original", async () => {
    const client = await connect(plain);
    await expect(client.exchange(200_099, new Uint8Array(4))).rejects.toMatchObject({ code: 3 });
    client.close();
  });
});
