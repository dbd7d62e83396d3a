// Cutting the connections of clients: whoever manages the server can, on whichever shard and transport they are.
import { describe, expect, test } from "bun:test";
import { noGlobalRights } from "../support/permissions.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { ConsoleTestClient } from "./console-test-client.ts";

const servers = useServers();
const server = await servers.start({ shards: 2 });
const root = await server.connect();
const console = await ConsoleTestClient.signIn(server);
const right = (manageServers: boolean) => ({
  global: { ...noGlobalRights, readServers: true, manageServers },
  streams: [],
});
await root.createUser({ username: "reader", password: "secret", permissions: right(false) });
await root.createUser({ username: "operator", password: "secret", permissions: right(true) });

const disconnect = (client: ConsoleTestClient, clientId: number | string) =>
  client.request("DELETE", `/ui/api/clients/${clientId}`);

async function isListed(clientId: number): Promise<boolean> {
  return (await root.getClients()).some((client) => client.clientId === clientId);
}

describe("a client", () => {
  test.each([
    ["tcp"],
    ["websocket"],
  ] as const)("of %s is gone, with its memberships, on every shard", async (transport) => {
    await root.createStream(transport);
    await root.createTopic(transport, { name: "t", partitionsCount: 2 });
    await root.createConsumerGroup(transport, "t", "g");
    const port = server.portOf(transport);
    // More than there are shards: each of these has some.
    const clients = await Promise.all(Array.from({ length: 6 }, () => server.connect({ transport, port })));
    for (const client of clients) {
      const { clientId } = await client.getMe();
      await client.joinConsumerGroup(transport, "t", "g");
      expect((await disconnect(console, clientId)).status).toBe(204);
      await expect(client.ping()).rejects.toMatchObject({ errorName: "Disconnected" });
      await eventually(
        `client ${clientId} is gone`,
        () => isListed(clientId),
        (isThere) => !isThere,
      );
      const again = await disconnect(console, clientId);
      expect([again.status, again.json]).toMatchObject([404, { code: "client_not_found" }]);
      await client.close();
    }
    expect((await root.getConsumerGroup(transport, "t", "g"))?.members).toEqual([]);
    await server.logged(/audit.*disconnected a client .*by=iggy .*transport=console/, clients.length);
    await root.deleteStream(transport);
  });

  test("that there never was is not found, and what is no number has no such address", async () => {
    expect((await disconnect(console, 4294967295)).status).toBe(404);
    expect((await disconnect(console, "all")).status).toBe(404);
    expect((await console.request("GET", "/ui/api/clients/1")).status).toBe(405);
  });
});

const victim = await server.connect();
const { clientId } = await victim.getMe();

describe("nobody is disconnected by", () => {
  test.each([
    ["who may only read servers", "reader", false, 403],
    ["a read-only session", "operator", true, 403],
  ])("%s", async (_, username, readOnly, status) => {
    const client = await ConsoleTestClient.signIn(server, { username, password: "secret", readOnly });
    expect((await disconnect(client, clientId)).status).toBe(status);
    await victim.ping();
  });

  test("nobody, or a page of another origin", async () => {
    expect((await disconnect(new ConsoleTestClient(server), clientId)).status).toBe(401);
    const headers = { origin: "http://127.0.0.1:1", "sec-fetch-site": "same-site" };
    expect((await console.request("DELETE", `/ui/api/clients/${clientId}`, { headers })).status).toBe(403);
    await victim.ping();
    await server.logged(/refused a request command=disconnectClient .*by=reader/);
  });

  test("while whoever manages servers does it", async () => {
    const operator = await ConsoleTestClient.signIn(server, { username: "operator", password: "secret" });
    expect((await disconnect(operator, clientId)).status).toBe(204);
    await expect(victim.ping()).rejects.toMatchObject({ errorName: "Disconnected" });
  });
});
