// Many guess passwords at once: who has the right one gets in, and messages go on.
import { expect, test } from "bun:test";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { codeOf } from "../support/error-code.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";
import { freshMetrics } from "../transport/fresh-metrics.ts";
import { HttpTestClient } from "../transport/http-client.ts";

const servers = useServers();
const guessesCount = 200;
/** Until the last of them is answered or cut off, on a busy machine. */
const stormMs = 300_000;
const wrong = { username: "ann", password: "a guess", version: undefined, context: undefined };

/** Sends `count` wrong logins, each on a connection of its own; what is answered is counted by status. */
async function guess(server: TestServer, count: number) {
  const clients = await Promise.all(Array.from({ length: count }, () => WireClient.connect(server)));
  const statuses = new Map<number, number>();
  const answered: WireClient[] = [];
  for (const client of clients) {
    client.write(client.frame(CommandCode.loginUser, encode(commandCodecs.loginUser.request, wrong)));
    void client.receive(stormMs).then((reply) => {
      if (reply === undefined) return;
      answered.push(client);
      statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
    });
  }
  return {
    statuses,
    close: () => {
      for (const client of clients) client.close();
    },
    /** The connections of those that were answered go on. */
    ping: () => Promise.all(answered.map((client) => client.request(CommandCode.ping))),
  };
}

/** The status of the answer. */
async function guessOverHttp(server: TestServer): Promise<number> {
  const { status } = await fetch(`http://${server.host}:${server.portOf("http")}/users/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: wrong.username, password: wrong.password }),
  });
  return status;
}

async function login(server: TestServer, localAddress: string, username: string, password: string): Promise<void> {
  const client = await WireClient.connect(server, "sdk", { localAddress });
  await client.login(username, password);
  client.close();
}

test("200 wrong logins from one address: right ones from another and by other transports succeed soon, a producer works", async () => {
  const server = await servers.start({ shards: 2 });
  const root = await server.connect();
  await root.createStream("s");
  await root.createTopic("s", { name: "t", partitionsCount: 1 });
  const http = await HttpTestClient.login(server);
  await http.request("POST", "/users", {
    username: "ann",
    password: "secret-of-ann",
    status: "active",
    permissions: null,
  });
  const storm = await guess(server, guessesCount);
  const rightOnes = [
    login(server, "127.0.0.2", "iggy", "iggy"),
    login(server, "127.0.0.2", "ann", "secret-of-ann"),
    login(server, "127.0.0.3", "ann", "secret-of-ann"),
    HttpTestClient.login(server).then(() => undefined),
  ];
  const batch = { stream: "s", topic: "t", messages: [{ payload: new Uint8Array(100) }] };
  let sent = 0;
  let isStorm = true;
  const producer = (async () => {
    for (; isStorm; sent++) {
      await root.sendMessages({ ...batch, partitioning: { kind: "partition", partitionId: 0 } });
    }
  })();
  await Promise.all(rightOnes);
  // One address was served as often as another, so few guesses have had their turn; none was right.
  expect(storm.statuses.get(42) ?? 0).toBeLessThan(guessesCount / 4);
  // The same desk for HTTP, on another shard for some: no room is left for more of this network.
  while (!storm.statuses.has(9)) await Bun.sleep(20);
  const overHttp = await Promise.all(Array.from({ length: 30 }, () => guessOverHttp(server)));
  expect(overHttp).toContain(503);
  while ((storm.statuses.get(9) ?? 0) < guessesCount / 2) await Bun.sleep(20);
  isStorm = false;
  await producer;
  expect([...storm.statuses.keys()].sort()).toEqual([42, 9]);
  const polled = await root.pollMessages({
    ...{ stream: "s", topic: "t", partitionId: 0, consumer: { kind: "consumer", id: { kind: "numeric", value: 1 } } },
    ...{ strategy: { kind: "first", value: 0n }, count: 1, autoCommit: false },
  });
  expect(Number(polled.currentOffset)).toBe(sent - 1);

  await storm.ping();
  const metrics = await freshMetrics(server);
  const counts = [...metrics.matchAll(/^whippet_refused_logins_total\{.*\} (\d+)$/gm)].map(([, count]) =>
    Number(count),
  );
  expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(guessesCount / 2);
  storm.close();
  await server.logged("refused a login: too many wait");
  await root.close();
}, 300_000);

test("wrong present passwords of a change are guesses too: slowed, with logins, and in the log", async () => {
  const server = await servers.start({ shards: 2 });
  const root = await server.connect();
  const change = (password: string) => codeOf(root.changePassword("iggy", password, "new-secret"));
  for (let index = 0; index < 3; index++) expect(await change("a guess")).toBe(42);
  const log = await server.logged(/refused a login .*error=InvalidCredentials/, 3);
  expect(log.match(/refused a login .*error=InvalidCredentials/g)).toHaveLength(3);
  expect(await change("iggy")).toBe(0);
  await root.close();
}, 120_000);

test("a login of an inactive user is told so after the work of any other, and a wrong one is a guess", async () => {
  const server = await servers.start();
  const root = await server.connect();
  await root.createUser({ username: "ann", password: "secret-of-ann", status: "inactive" });
  const enter = (password: string) => codeOf(server.connect({ username: "ann", password }));
  expect(await enter("secret-of-ann")).toBe(47);
  expect(server.log).not.toContain("refused a login");
  for (let index = 0; index < 3; index++) expect(await enter("a guess")).toBe(47);
  const log = await server.logged(/refused a login .*error=InvalidCredentials/, 3);
  expect(log.match(/refused a login .*error=InvalidCredentials/g)).toHaveLength(3);
  await root.close();
});
