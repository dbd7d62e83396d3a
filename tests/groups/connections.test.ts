// A membership belongs to a connection: it ends with it, and with nothing less.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Client } from "../../src/client/index.ts";
import { allPermissions } from "../../src/process/root-user.ts";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { codeOf } from "../support/error-code.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";
import { GroupServer, type GroupTopic, onShards, shardCountsHere, textsOf } from "./support.ts";

async function createUser(admin: Client, username: string): Promise<void> {
  await admin.createUser({ username, password: "secret", permissions: allPermissions });
}

function joinPayload(topic: GroupTopic): Uint8Array {
  const request = { stream: nameId(topic.stream), topic: nameId(topic.topic), group: nameId("billing") };
  return encode(commandCodecs.joinConsumerGroup.request, request);
}

onShards("a membership", (server, shards) => {
  test("ends with the connection, in all groups of the client", async () => {
    const topics = [await server().topic(4), await server().topic(2)];
    const client = await server().connect();
    for (const topic of topics) {
      await topic.join(client);
      await topic.member();
    }
    await topics[0]!.given([[0, 1, 2], [3]]);
    client.close();
    await topics[0]!.given([[0, 1, 2, 3]]);
    await topics[1]!.given([[0, 1]]);
  });

  test("ends with the connection also when its join was still on the way", async () => {
    const topic = await server().topic(4);
    const stays = await topic.member();
    const { server: process } = server();
    for (let round = 0; round < 20; round++) {
      const connection = await WireClient.connect(process);
      await connection.login();
      connection.write(connection.frame(CommandCode.joinConsumerGroup, joinPayload(topic)));
      if (round % 2 === 1) await Bun.sleep(round % 3);
      connection.close();
    }
    await eventually(
      "one member is left",
      () => topic.lists(),
      (lists) => lists.length === 1,
    );
    await topic.staysGiven([[0, 1, 2, 3]]);
    expect((await stays.getMe()).consumerGroupsCount).toBe(1);
  });

  test("ends while a poll is under way, and the partition goes to somebody else with what it held", async () => {
    const topic = await server().topic(2);
    await topic.send(0, 1000);
    const ana = await topic.member();
    const ben = await topic.member();
    await topic.given([[0], [1]]);
    const polls = Array.from({ length: 50 }, () => codeOf(topic.poll(ana, { partitionId: 0, count: 1000 })));
    await Bun.sleep(1);
    ana.close();
    await Promise.all(polls);
    await topic.given([[0, 1]]);
    expect((await topic.poll(ben, { partitionId: 0, count: 2000 })).messages).toHaveLength(1000);
  });

  test("ends with a logout, and with a login as somebody else: others get the partitions", async () => {
    const topic = await server().topic(2);
    const username = `user-of-${topic.stream}`;
    await createUser(topic.admin, username);
    await topic.send(0, 3);
    const ana = await topic.member();
    const ben = await topic.member();
    await topic.given([[0], [1]]);
    await ana.logout();
    await topic.given([[0, 1]]);
    expect(await codeOf(topic.poll(ana))).toBe(40);
    await ana.login(username, "secret");
    expect((await ana.getMe()).consumerGroupsCount).toBe(0);
    await ben.login(username, "secret");
    await topic.given([]);
    expect((await ben.getMe()).consumerGroupsCount).toBe(0);
  });

  test("ends when the client's user is deleted; other users' clients stay", async () => {
    const topic = await server().topic(4);
    const username = `user-of-${topic.stream}`;
    await createUser(topic.admin, username);
    const clients = [];
    for (let shardId = 0; shardId < shards; shardId++) {
      clients.push(await server().connect(shardId, { username, password: "secret" }));
    }
    const stays = await topic.member();
    for (const client of clients) await topic.join(client);
    await topic.admin.deleteUser(username);
    await topic.given([[0, 1, 2, 3]]);
    expect((await topic.poll(stays)).partitionId).toBe(0);
    for (const client of clients) expect(await codeOf(topic.poll(client))).toBe(41);
  });

  test("of one client does not end with another from the same address", async () => {
    const topic = await server().topic(3);
    const members = [await topic.member(), await topic.member(), await topic.member()];
    await topic.given([[0], [2], [1]]);
    members[1]!.close();
    await topic.given([[0, 2], [1]]);
    expect((await members[0]!.getMe()).clientId).not.toBe((await members[2]!.getMe()).clientId);
  });

  if (shards === 1) return; // nowhere to move

  test("moves with its connection: groups, turns and the partition polled last", async () => {
    const topic = await server().topic(3);
    for (const partitionId of [0, 1, 2]) await topic.send(partitionId, 5);
    const ana = await server().connectAnywhere();
    await topic.join(ana);
    const me = await ana.getMe();
    expect(me.consumerGroups).toHaveLength(1);
    // Each move needs a longer run of polls than the one before.
    for (const [round, shardId] of [1, 0, 1, 0].entries()) {
      const { partitionId } = await topic.poll(ana);
      expect(partitionId).toBe(round % 3);
      await server().move(ana, shardId, 4 * 2 ** (round + 1));
      expect(await ana.getMe()).toEqual(me);
      expect(await topic.lists()).toEqual([[0, 1, 2]]);
      await topic.store(ana, round);
      expect(await topic.stored(ana, { partitionId })).toBe(round);
    }
    ana.close();
    await topic.given([]);
  });

  test("of many connections that move while they join and leave is never lost or doubled", async () => {
    const topic = await server().topic(8);
    const work = async (number: number) => {
      const client = await server().connectAnywhere();
      for (let round = 0; round < 4; round++) {
        await topic.join(client);
        await server().move(client, (number + round) % shards, 4 * 2 ** round);
        expect((await client.getMe()).consumerGroupsCount).toBe(1);
        if (round < 3) await topic.leave(client);
      }
      return client;
    };
    const clients = await Promise.all(Array.from({ length: 8 }, (_, number) => work(number)));
    expect((await topic.lists()).flat().sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect((await topic.details())!.membersCount).toBe(8);
    for (const client of clients) client.close();
    await topic.given([]);
  });
});

const servers = useServers();

describe.each([...shardCountsHere])("clients that do not ping, %d shard(s)", (shards) => {
  let server: GroupServer;
  let pings: Timer;
  /** Those that ping. */
  const live = new Set<Client>();
  const ping = () => Promise.all([...live].filter((client) => client.state === "open").map((client) => client.ping()));

  beforeAll(async () => {
    const env = { IGGY_HEARTBEAT_ENABLED: "true", IGGY_HEARTBEAT_INTERVAL: "3 s" };
    server = await GroupServer.start(await servers.start({ shards, env }), shards);
    live.add(server.admin);
    pings = setInterval(() => void ping(), 50);
  });

  afterAll(async () => {
    clearInterval(pings);
    await ping(); // behind those that are under way
    await server.stop();
  });

  test("leave their groups; those that ping stay", async () => {
    const topic = await server.topic(4);
    const ana = await topic.member();
    const ben = await topic.member();
    live.add(ben);
    await topic.given([[0, 1, 2], [3]]);
    await topic.given([[0, 1, 2, 3]]);
    const clientIds = (await server.admin.getClients()).map(({ clientId }) => clientId);
    expect(clientIds).toContain((await ben.getMe()).clientId);
    expect((await topic.poll(ben)).partitionId).toBe(0);
    await server.server.logged(/ WARN .*dropped clients that do not ping/);
    ana.close();
    await topic.staysGiven([[0, 1, 2, 3]]);
    live.delete(ben);
    await topic.given([]);
  }, 120_000);

  test("are told so (30, 100) and cut off by what a member does; the rest goes on", async () => {
    const topic = await server.topic(1);
    await topic.send(0, 3);
    const requests: { readonly code: number; readonly send: (client: Client) => Promise<unknown> }[] = [
      { code: 30, send: (client) => topic.poll(client) },
      { code: 30, send: (client) => topic.store(client, 0, { partitionId: 0 }) },
      { code: 30, send: (client) => topic.delete(client, { partitionId: 0 }) },
      { code: 30, send: (client) => topic.join(client) },
      { code: 100, send: (client) => client.getMe() },
    ];
    const clients: Client[] = [];
    for (const _ of requests) clients.push(await topic.member());
    await eventually(
      "all of them are dropped",
      () => server.admin.getClients(),
      (listed) => listed.length === 1,
    );
    await topic.given([]); // which follows on every shard
    for (const [place, { code, send }] of requests.entries()) {
      const client = clients[place]!;
      expect(await topic.stored(client)).toBeUndefined();
      expect(await codeOf(topic.leave(client))).toBe(5006); // it has left already
      expect(await codeOf(send(client))).toBe(code);
      await eventually(
        "the connection is closed",
        () => client.state === "open",
        (isConnected) => !isConnected,
      );
    }
    expect(await topic.lists()).toEqual([]);
  }, 120_000);

  test("come back with a new connection and go on behind the last commit", async () => {
    const topic = await server.topic(2);
    for (const partitionId of [0, 1]) await topic.send(partitionId, 5);
    const reconnect = { minMs: 50, maxMs: 50 };
    const ana = await server.connect(0, { reconnect });
    await topic.join(ana);
    await topic.poll(ana, { partitionId: 1, count: 3 });
    await topic.store(ana, 2, { partitionId: 1 });
    await topic.poll(ana, { partitionId: 1 });
    await topic.given([]);
    expect(await codeOf(topic.store(ana, 4, { partitionId: 1 }))).toBe(30);
    // The old connection is closed, and the client is there by a new one a moment later.
    await eventually(
      "a new connection",
      () => codeOf(ana.getMe()),
      (code) => code === 0,
    );
    live.add(ana);
    expect(await codeOf(topic.poll(ana))).toBe(5006);
    await topic.join(ana);
    await topic.given([[0, 1]]);
    expect(textsOf(await topic.poll(ana, { partitionId: 1 }))).toEqual(["p1-3", "p1-4"]);
    await topic.store(ana, 4, { partitionId: 1 });
  }, 120_000);
});
