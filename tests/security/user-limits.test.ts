// What one user may make is bounded, over every transport alike, and what it made before stays.
import { expect, test } from "bun:test";
import { codeOf } from "../support/error-code.ts";
import { useServers } from "../support/server.ts";
import { HttpTestClient } from "../transport/http-client.ts";

const servers = useServers();

const env = {
  IGGY_LIMITS_PARTITIONS: "20",
  IGGY_LIMITS_PARTITIONS_PER_STREAM: "12",
  IGGY_LIMITS_PARTITIONS_PER_TOPIC: "8",
  IGGY_LIMITS_CONSUMER_GROUPS_PER_TOPIC: "2",
  IGGY_LIMITS_CONSUMER_OFFSETS_PER_PARTITION: "2",
};

test("partitions, groups and offsets end at the configured limits; a start with lower ones opens what is there", async () => {
  const server = await servers.start({ shards: 2, env });
  const root = await server.connect();
  await root.createStream("a");
  await root.createStream("b");
  const topic = (stream: string, name: string, partitionsCount: number) =>
    codeOf(root.createTopic(stream, { name, partitionsCount }));
  expect(await topic("a", "t", 9)).toBe(2015);
  expect(await topic("a", "t", 8)).toBe(0);
  expect(await codeOf(root.createPartitions("a", "t", 1))).toBe(2015);
  expect(await topic("a", "u", 5)).toBe(2015);
  expect(await topic("a", "u", 4)).toBe(0);
  expect(await topic("b", "t", 8)).toBe(0);
  expect(await topic("b", "u", 1)).toBe(2015);

  const http = await HttpTestClient.login(server);
  const groups = await Promise.all(
    ["g", "h", "i"].map((name) => http.request("POST", "/streams/a/topics/t/consumer-groups", { name })),
  );
  expect(groups.map(({ status }) => status).toSorted()).toEqual([201, 201, 400]);
  expect(groups.find(({ status }) => status === 400)?.json).toMatchObject({ id: 5007 });

  await root.sendMessages({
    ...{ stream: "a", topic: "t", messages: [{ payload: new Uint8Array(1) }] },
    partitioning: { kind: "partition", partitionId: 0 },
  });
  const poll = (consumer: number) =>
    codeOf(
      root.pollMessages({
        ...{ stream: "a", topic: "t", partitionId: 0, count: 1, autoCommit: true },
        consumer: { kind: "consumer", id: { kind: "numeric", value: consumer } },
        strategy: { kind: "first", value: 0n },
      }),
    );
  expect([await poll(1), await poll(2), await poll(3), await poll(2)]).toEqual([0, 0, 3023, 0]);
  root.close();
  for (const key of ["partitions_per_topic", "partitions_per_stream", "partitions", "consumer_groups_per_topic"]) {
    await server.logged(`a request was refused: a limit is reached key=limits.${key}\n`);
  }
  await server.logged("limits.consumer_offsets_per_partition");

  await server.restart({ env: { IGGY_LIMITS_PARTITIONS: "1", IGGY_LIMITS_CONSUMER_GROUPS_PER_TOPIC: "1" } });
  const again = await server.connect();
  expect((await again.getStats()).partitionsCount).toBe(20);
  expect(await again.getConsumerGroups("a", "t")).toHaveLength(2);
  expect(await codeOf(again.createPartitions("b", "t", 1))).toBe(2015);
  again.close();
});
