// Commands as methods of the client: streams, topics, partitions, groups, offsets, users, tokens, the system.

import { errorNameOf, same, type Work } from "./work.ts";

const noPermissions = {
  global: {
    manageServers: false,
    readServers: false,
    manageUsers: false,
    readUsers: false,
    manageStreams: false,
    readStreams: true,
    manageTopics: false,
    readTopics: false,
    pollMessages: false,
    sendMessages: false,
  },
  streams: [],
};

export const commandWorks: readonly Work[] = [
  {
    name: "streams, topics and partitions",
    async run({ client, stream }) {
      await client.createStream(stream);
      same("twice", await errorNameOf(client.createStream(stream)), "StreamNameAlreadyExists");
      await client.createTopic(stream, { name: "orders", partitionsCount: 2 });
      await client.createPartitions(stream, "orders", 1);
      same("partitions", (await client.getTopic(stream, "orders"))?.partitions.length, 3);
      await client.updateTopic(stream, "orders", { name: "sales" });
      same(
        "topics",
        (await client.getTopics(stream)).map(({ name }) => name),
        ["sales"],
      );
      await client.deletePartitions(stream, "sales", 1);
      await client.updateStream(stream, `${stream}-b`);
      same("missing", await client.getStream(stream), undefined);
      await client.purgeTopic(`${stream}-b`, "sales");
      await client.purgeStream(`${stream}-b`);
      await client.deleteTopic(`${stream}-b`, "sales");
      await client.deleteStream(`${stream}-b`);
      same("missing", await client.getStream(`${stream}-b`), undefined);
    },
  },
  {
    name: "groups and offsets",
    async run({ client, stream, place }) {
      const topic = client.topic(stream, "orders");
      await topic.ensure({ partitionsCount: 1 });
      await client.createConsumerGroup(stream, "orders", "workers");
      same("groups", (await client.getConsumerGroups(stream, "orders")).length, 1);
      const consumer = { kind: "consumer", id: { kind: "string", value: "audit" } } as const;
      const where = { stream, topic: "orders", partitionId: 0, consumer };
      same("none", await client.getConsumerOffset(where), undefined);
      await topic.send([{ value: Uint8Array.of(1) }, { value: Uint8Array.of(2) }]);
      await client.storeConsumerOffset({ ...where, offset: 1n });
      same("stored", (await client.getConsumerOffset(where))?.storedOffset, 1n);
      await client.deleteConsumerOffset(where);
      same("none any more", await client.getConsumerOffset(where), undefined);
      if (place.hasGroups) {
        await client.joinConsumerGroup(stream, "orders", "workers");
        same("members", (await client.getConsumerGroup(stream, "orders", "workers"))?.members.length, 1);
        await client.leaveConsumerGroup(stream, "orders", "workers");
      }
      await client.deleteConsumerGroup(stream, "orders", "workers");
      await client.deleteStream(stream);
    },
  },
  {
    name: "users and tokens",
    async run({ client, stream }) {
      await client.createUser({ username: stream, password: "secret-1", permissions: noPermissions });
      same("user", (await client.getUser(stream))?.permissions?.global.readStreams, true);
      await client.updatePermissions(stream, undefined);
      await client.changePassword(stream, "secret-1", "secret-2");
      await client.updateUser(stream, { status: "inactive" });
      same("status", (await client.getUsers()).find(({ username }) => username === stream)?.status, "inactive");
      await client.deleteUser(stream);
      same("gone", await client.getUser(stream), undefined);
      await client.createPersonalAccessToken(stream, 0n);
      same(
        "tokens",
        (await client.getPersonalAccessTokens()).some(({ name }) => name === stream),
        true,
      );
      await client.deletePersonalAccessToken(stream);
    },
  },
  {
    name: "the system: statistics, clients, ping, snapshot",
    async run({ client, place }) {
      await client.ping();
      same("statistics", (await client.getStats()).processId > 0, true);
      if (place.transport !== "http") {
        const { clientId } = await client.getMe();
        same("client", (await client.getClient(clientId))?.clientId, clientId);
      }
      same("clients", Array.isArray(await client.getClients()), true);
      const snapshot = await client.getSnapshot({ compression: "deflated", types: ["test"] });
      same("archive", [...snapshot.subarray(0, 2)], [0x50, 0x4b]);
    },
  },
];
