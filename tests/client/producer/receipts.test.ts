import { describe, expect, test } from "bun:test";
import { text } from "../../../src/client/index.bun.ts";
import { FakeBroker, type FakeSend } from "../fake-broker.ts";
import { until } from "../scripted-server.ts";
import { clients, start } from "./support.ts";

async function startWith(features: readonly string[]) {
  const broker = new FakeBroker();
  broker.features = features;
  return start({}, broker);
}

describe("a server that says where messages are", () => {
  test("each message has its own offset, also where the server chooses the partition", async () => {
    const { broker, producer, topic } = await startWith(["send-receipts"]);
    await producer.send({ value: "-", partitionId: 0 });
    const receipts = await Promise.all([..."abc"].map((value) => producer.send({ value, partitionId: 0 })));
    expect(receipts.map(({ firstOffset }) => firstOffset)).toEqual([1, 2, 3]);
    expect(
      await topic.send([
        { value: "d", partitionId: 0 },
        { value: "e", partitionId: 0 },
      ]),
    ).toEqual({
      messagesCount: 2,
      partitionId: 0,
      firstOffset: 4,
      attempts: 1,
    });
    expect(await topic.send({ value: "f" })).toMatchObject({ partitionId: 2, firstOffset: 0 });
    broker.onTopic = () => "Unauthorized";
    const blind = topic.producer();
    expect(await blind.send({ value: "g", key: "k" })).toMatchObject({ partitionId: 2, firstOffset: 0 });
  });

  test("with deduplication nothing is said of what may be a repeat", async () => {
    const { broker, producer, topic } = await startWith(["send-receipts", "deduplication"]);
    expect((await producer.send({ value: "a", partitionId: 0 })).firstOffset).toBe(0);
    expect((await producer.send({ value: "b", partitionId: 0, id: 5n })).firstOffset).toBeUndefined();
    expect((await topic.send({ value: "c", partitionId: 0, id: 6n })).firstOffset).toBeUndefined();
    const held: FakeSend[] = [];
    broker.onSend = (send) => held.push(send);
    const repeated = producer.send({ value: "d", partitionId: 0 });
    await until(() => held.length === 1);
    broker.onSend = undefined;
    held[0]!.connection.close();
    expect(await repeated).toMatchObject({ attempts: 2, partitionId: 0, firstOffset: undefined });
  });
});

test("another server behind the same address: the producer goes on without receipts, and nothing is repeated", async () => {
  const broker = new FakeBroker();
  broker.features = ["send-receipts"];
  const client = await broker.connect();
  clients.push(client);
  const producer = client.topic("s", "t", text).producer();
  await producer.send({ value: "a", partitionId: 0 });
  broker.features = undefined;
  expect(await producer.send({ value: "b", partitionId: 0 })).toMatchObject({ firstOffset: undefined, attempts: 1 });
  expect(producer.stats.repeatedBatches).toBe(0);
  expect(broker.stored.get(0)).toEqual(["a", "b"]);
  broker.connections[0]!.close();
  await client.getStreams();
  await until(() => client.server.features.size === 0);
});
