// Groups come and go: by their own commands, with their topic, over a restart.
import { expect, test } from "bun:test";
import { codeOf } from "../support/error-code.ts";
import { useServers } from "../support/server.ts";
import { GroupServer, onShards, shardCountsHere, textsOf } from "./support.ts";

const restartable = useServers();

onShards("groups", (server) => {
  test("are created with ids of their own in each topic, and found by name and number", async () => {
    const topic = await server().topic(3);
    const { admin, stream } = topic;
    expect(await codeOf(admin.createConsumerGroup(stream, "eu", "billing"))).toBe(5004);
    const audit = await admin.createConsumerGroup(stream, "eu", "audit");
    expect(audit).toMatchObject({ id: 1, name: "audit", partitionsCount: 3, membersCount: 0 });
    await admin.createTopic(stream, { name: "us", partitionsCount: 1 });
    expect((await admin.createConsumerGroup(stream, "us", "audit")).id).toBe(0);
    expect(await topic.details(1)).toEqual((await topic.details("audit"))!);
    await topic.member("audit");
    const listed = await admin.getConsumerGroups(stream, "eu");
    expect(listed.map(({ name, membersCount }) => [name, membersCount])).toEqual([
      ["billing", 0],
      ["audit", 1],
    ]);
    expect(await topic.details("other")).toBeUndefined();
    expect(await codeOf(admin.deleteConsumerGroup(stream, "eu", "other"))).toBe(5000);
  });

  test("that are deleted leave their members as plain clients", async () => {
    const topic = await server().topic(2);
    const { admin, stream } = topic;
    const members = [await topic.member(), await topic.member()];
    await admin.deleteConsumerGroup(stream, "eu", "billing");
    for (const client of members) {
      expect(await codeOf(topic.poll(client))).toBe(5000);
      expect((await client.getMe()).consumerGroups).toEqual([]);
    }
    await admin.createConsumerGroup(stream, "eu", "billing");
    expect(await topic.lists()).toEqual([]);
    expect(await codeOf(topic.poll(members[0]!))).toBe(5006);
    await topic.join(members[0]!);
    expect(await topic.lists()).toEqual([[0, 1]]);
  });

  test.each(["topic", "stream"] as const)("go with their %s; what takes its place has no members", async (what) => {
    const topic = await server().topic(2);
    const { admin, stream } = topic;
    await topic.send(0, 3);
    const ana = await topic.member();
    await topic.poll(ana, { autoCommit: true });
    if (what === "topic") {
      await admin.deleteTopic(stream, "eu");
      expect(await codeOf(topic.poll(ana))).toBe(2010);
    } else {
      await admin.deleteStream(stream);
      expect(await codeOf(topic.poll(ana))).toBe(1009);
      expect((await admin.createStream(stream)).id).toBe(topic.streamId);
    }
    expect((await ana.getMe()).consumerGroups).toEqual([]);
    await admin.createTopic(stream, { name: "eu", partitionsCount: 2 });
    await admin.createConsumerGroup(stream, "eu", "billing");
    expect(await topic.lists()).toEqual([]);
    expect(await codeOf(topic.poll(ana))).toBe(5006);
    expect(await topic.stored(ana)).toBeUndefined();
    await topic.send(0, 1, "new");
    await topic.join(ana);
    expect(textsOf(await topic.poll(ana))).toEqual(["new-0"]);
  });

  test("of one client are listed with it, wherever it is asked", async () => {
    const topics = [await server().topic(2), await server().topic(2)];
    const client = await server().connect();
    const joined = [];
    for (const topic of topics) {
      await topic.admin.createConsumerGroup(topic.stream, "eu", "audit");
      for (const group of ["audit", "billing"]) {
        await topic.join(client, group);
        joined.push({ streamId: topic.streamId, topicId: 0, groupId: group === "audit" ? 1 : 0 });
      }
    }
    const me = await client.getMe();
    expect(me.consumerGroups).toEqual(joined);
    const other = await server().connect();
    expect(await other.getClient(me.clientId)).toEqual(me);
    const listed = (await other.getClients()).find(({ clientId }) => clientId === me.clientId);
    expect(listed?.consumerGroupsCount).toBe(4);
    await topics[0]!.leave(client, "billing");
    expect((await client.getMe()).consumerGroups).toEqual(joined.filter((_, place) => place !== 1));
    await topics[1]!.admin.deleteStream(topics[1]!.stream);
    expect((await client.getMe()).consumerGroups).toEqual([joined[0]!]);
  });
});

test.each([...shardCountsHere])("a restart keeps groups and offsets, but no members, %d shard(s)", async (shards) => {
  const process = await restartable.start({ shards });
  const before = await GroupServer.start(process, shards);
  const topic = await before.topic(4);
  await topic.admin.createConsumerGroup(topic.stream, "eu", "gone");
  await topic.admin.createConsumerGroup(topic.stream, "eu", "audit");
  await topic.admin.deleteConsumerGroup(topic.stream, "eu", "gone");
  const ana = await topic.member();
  await topic.member();
  await topic.given([[0, 1, 2], [3]]);
  await topic.send(1, 5);
  await topic.store(ana, 2, { partitionId: 1 });
  await process.stop();
  before.closeClients();
  await process.restart();

  const admin = await process.connect();
  const groups = await admin.getConsumerGroups(topic.stream, "eu");
  expect(
    groups.map(({ id, name, membersCount, partitionsCount }) => [id, name, membersCount, partitionsCount]),
  ).toEqual([
    [0, "billing", 0, 4],
    [2, "audit", 0, 4],
  ]);
  expect((await admin.getMe()).consumerGroups).toEqual([]);
  const client = await process.connect();
  expect(await topic.stored(client, { partitionId: 1 })).toBe(2);
  expect(await codeOf(topic.poll(client))).toBe(5006);
  await topic.join(client);
  const [member] = (await admin.getConsumerGroup(topic.stream, "eu", "billing"))!.members;
  expect(member).toEqual({ id: 0, partitions: [0, 1, 2, 3] });
  expect(textsOf(await topic.poll(client, { partitionId: 1 }))).toEqual(["p1-3", "p1-4"]);
  for (const one of [admin, client]) one.close();
  await process.stop();
});
