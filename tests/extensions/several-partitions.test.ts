// A poll that waits, of a single consumer, for several partitions: those of its positions. On two shards, so that they lie on both.
import { beforeAll, describe, expect, test } from "bun:test";
import type { Client, IggyError, WaitOptions } from "../../src/client/index.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { freshTopic, metric, payloadsOf, send, waitingCount, waitOptions } from "./support.ts";

const servers = useServers();
let server: TestServer;
let admin: Client;

beforeAll(async () => {
  server = await servers.start({ shards: 2 });
  admin = await server.connect();
});

const positionsOf = (...offsets: (readonly [partitionId: number, offset: number])[]) =>
  offsets.map(([partitionId, offset]) => ({ partitionId, offset: BigInt(offset) }));

/** Names no partition. */
function anyPartition(topic: string): WaitOptions {
  const { partitionId: _, ...options } = waitOptions(topic, { strategy: { kind: "next", value: 0n } });
  return options;
}

/** Those with positions. */
const several = (topic: string, ...offsets: (readonly [number, number])[]) => ({
  ...anyPartition(topic),
  positions: positionsOf(...offsets),
});

describe.each(["tcp", "websocket"] as const)("over %s", (transport) => {
  const connect = () => server.connect({ transport, port: server.portOf(transport) });

  test("what is there comes at once, from the first in the order of the positions, and from its position", async () => {
    const client = await connect();
    const topic = await freshTopic(admin, 4);
    for (const partitionId of [1, 2]) await send(admin, topic, partitionId, `a${partitionId}`, `b${partitionId}`);
    const reply = await client.pollWaiting(several(topic, [3, 0], [2, 1], [1, 0]));
    expect(reply).toMatchObject({ ending: "messages", assignmentNumber: 0n, polled: { partitionId: 2 } });
    expect(payloadsOf(reply)).toEqual(["b2"]);
    client.close();
  });

  test("a message in any of them ends the wait; one in another partition does not", async () => {
    const topic = await freshTopic(admin, 4);
    for (const partitionId of [0, 1, 3]) {
      const client = await connect();
      const waiting = client.pollWaiting(several(topic, [0, 0], [1, 0], [3, 0]));
      await waitingCount(server, 3);
      await send(admin, topic, 2, "elsewhere");
      await send(admin, topic, partitionId, "here");
      const reply = await waiting;
      expect(reply).toMatchObject({ ending: "messages", polled: { partitionId } });
      expect(payloadsOf(reply)).toEqual(["here"]);
      await waitingCount(server, 0);
      await admin.purgeTopic("orders", topic);
      client.close();
    }
  });

  test("a purge and a position behind the end name their partition, the time and a request behind it none", async () => {
    const client = await connect();
    const topic = await freshTopic(admin, 2);
    await send(admin, topic, 1, "a", "b", "c");
    const isPurged = client.pollWaiting(several(topic, [0, 0], [1, 3]));
    await waitingCount(server, 2);
    await admin.purgeTopic("orders", topic);
    // Both were purged; the first one to tell is the one that is named.
    expect((await isPurged).ending).toBe("offsetsReset");
    const behind = await client.pollWaiting(several(topic, [0, 0], [1, 3]));
    expect(behind).toMatchObject({ ending: "offsetsReset", polled: { partitionId: 1, messages: [] } });
    const late = await client.pollWaiting({ ...several(topic, [0, 0], [1, 0]), waitMs: 20 });
    expect(late).toMatchObject({ ending: "timeOver", polled: { partitionId: 2 ** 32 - 1, messages: [] } });
    const overtaken = client.pollWaiting(several(topic, [0, 0], [1, 0]));
    await waitingCount(server, 2);
    await client.ping();
    expect((await overtaken).ending).toBe("overtaken");
    expect(await metric(server, "whippet_waiting_polls")).toBe(0);
    client.close();
  });

  test("auto commit stores in the partition that came alone; without positions it is partition 0", async () => {
    const client = await connect();
    const topic = await freshTopic(admin, 2);
    await send(admin, topic, 1, "a");
    await client.pollWaiting({ ...several(topic, [0, 0], [1, 0]), autoCommit: true });
    const { consumer } = waitOptions(topic);
    const stored = (partitionId: number) =>
      client.getConsumerOffset({ stream: "orders", topic, partitionId, consumer });
    expect([await stored(0), (await stored(1))?.storedOffset]).toEqual([undefined, 0n]);
    await send(admin, topic, 0, "b");
    const reply = await client.pollWaiting(anyPartition(topic));
    expect(reply.polled.partitionId).toBe(0);
    client.close();
  });

  test("a partition that there is not, or that goes while it waits, is an error", async () => {
    const client = await connect();
    const topic = await freshTopic(admin, 3);
    const errorOf = (promise: Promise<unknown>) =>
      promise.then(
        () => undefined,
        (error: IggyError) => error.errorName,
      );
    expect(await errorOf(client.pollWaiting(several(topic, [0, 0], [3, 0])))).toBe("PartitionNotFound");
    const waiting = errorOf(client.pollWaiting(several(topic, [0, 0], [2, 0])));
    await waitingCount(server, 2);
    await admin.deletePartitions("orders", topic, 1);
    expect(await waiting).toBe("PartitionNotFound");
    await waitingCount(server, 0);
    const positions = Array.from({ length: 1_025 }, () => [0, 0] as const);
    expect(await errorOf(client.pollWaiting(several(topic, ...positions)))).toBe("InvalidCommand");
    client.close();
  });
});
