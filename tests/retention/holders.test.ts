// Who keeps old segments, as the log, the API and a metric name them; and that lag counts what can still be polled, no more.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { nameId } from "../../src/protocol/identifier.ts";
import { useServers } from "../support/server.ts";
import { freshMetrics } from "../transport/fresh-metrics.ts";
import { HttpTestClient } from "../transport/http-client.ts";
import { send, storeOffset, streamName } from "./support.ts";

const servers = useServers();
setDefaultTimeout(300_000);

const address = { topic: "t", partitionId: 1 };
const holdersPath = `/streams/${streamName}/topics/t/segment-holders`;

/** Segments of two messages: 0, 2, 4, 6 and 8 of the second partition of the topic t. */
async function start(env: Readonly<Record<string, string>> = {}) {
  const server = await servers.start({ shards: 2, env: { IGGY_SYSTEM_SEGMENT_SIZE: "512", ...env } });
  const client = await server.connect();
  await client.createStream(streamName);
  await client.createTopic(streamName, { name: "t", partitionsCount: 2 });
  await client.createConsumerGroup(streamName, "t", "workers");
  await client.joinConsumerGroup(streamName, "t", "workers");
  await send(client, address, 10);
  return { server, client, http: await HttpTestClient.login(server) };
}

describe("a consumer that keeps segments which were to be removed", () => {
  test("is named by the log, the API and a metric, until it has read them or its offset is deleted", async () => {
    const { server, client, http } = await start();
    const lost = { kind: "consumer", id: nameId("console-7f3a") } as const;
    const group = { kind: "group", id: nameId("workers") } as const;
    await storeOffset(client, address, 2n, lost);
    await storeOffset(client, address, 5n, group);
    expect((await http.request("GET", holdersPath)).json).toEqual([]);
    await client.deleteSegments(streamName, "t", 1, 10);

    const log = await server.logged("segment kept, a consumer has not read it");
    const id = Number(
      /segment kept, a consumer has not read it .*consumer=(\d+) name=console-7f3a storedOffset=2 segments=\d/.exec(
        log,
      )?.[1],
    );
    await server.logged(
      /audit fewer segments deleted than asked streamId=0 topicId=0 partitionId=1 asked=10 removed=1 staying=\d by=iggy/,
    );
    const holder = { partition_id: 1, kind: "consumer", consumer_id: id, name: "console-7f3a", stored_offset: 2 };
    expect((await http.request("GET", holdersPath)).json).toMatchObject([holder]);
    const labels = `stream="${streamName}",topic="t",partition="1"`;
    expect(await freshMetrics(server)).toContain(
      `whippet_held_segments{${labels},kind="consumer",consumer="console-7f3a"} `,
    );

    // The number of the line is enough to delete the offset.
    await client.deleteConsumerOffset({
      ...{ consumer: { kind: "consumer", id: { kind: "numeric", value: id } }, stream: streamName },
      ...address,
    });
    expect((await http.request("GET", holdersPath)).json).toEqual([]);
    await client.deleteSegments(streamName, "t", 1, 10);
    const [named] = (await http.request("GET", holdersPath)).json as [unknown];
    expect(named).toMatchObject({ kind: "consumer_group", consumer_id: 0, name: "workers", stored_offset: 5 });
    expect(await freshMetrics(server)).toContain(`whippet_held_segments{${labels},kind="group",consumer="workers"} `);
    await storeOffset(client, address, 9n, group);
    expect((await http.request("GET", holdersPath)).json).toEqual([]);
    expect(await freshMetrics(server)).not.toContain("whippet_held_segments{");
    client.close();
  });

  test("is told to who may read the topic; names stay hidden where metadata is encrypted", async () => {
    const { server, client, http } = await start({
      IGGY_SYSTEM_ENCRYPTION_ENABLED: "true",
      IGGY_SYSTEM_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString("base64"),
    });
    await storeOffset(client, address, 2n, { kind: "group", id: nameId("workers") });
    await client.deleteSegments(streamName, "t", 1, 10);
    const labels = 'stream="0",topic="0",partition="1",kind="group",consumer="0"';
    expect(await freshMetrics(server)).toContain(`whippet_held_segments{${labels}} `);
    expect(server.log).not.toContain("workers");
    await client.createUser({ username: "ann", password: "secret-of-ann" });
    const ann = await HttpTestClient.login(server, "ann", "secret-of-ann");
    expect((await ann.request("GET", holdersPath)).status).toBe(403);
    expect((await http.request("GET", holdersPath.replace("/t/", "/none/"))).status).toBe(404);
    client.close();
  });
});

test("lag counts what can still be polled: not what retention removed, after a commit that went back", async () => {
  const { server, client } = await start();
  const group = { kind: "group", id: nameId("workers") } as const;
  await storeOffset(client, address, 9n, group);
  await client.deleteSegments(streamName, "t", 1, 2);
  await storeOffset(client, address, 0n, group);
  const left = (await client.getTopic(streamName, "t"))!.partitions[1]!.messagesCount;
  expect(Number(left)).toBe(6);
  const label = `stream="${streamName}",topic="t",group="workers"`;
  expect(await freshMetrics(server)).toContain(`whippet_consumer_group_lag{${label}} 6\n`);
  client.close();
});
