// Consumers on the real server, with two shards: members that come and go while messages are sent, cuts, purges, readers.
import { expect, test } from "bun:test";
import { ConsumerEngine } from "../../../src/client/consumer/consumer-engine.ts";
import type { ReaderOptions } from "../../../src/client/consumer/options.ts";
import { ReaderEngine } from "../../../src/client/consumer/reader-engine.ts";
import { sessionCommands } from "../../../src/client/consumer/session-commands.ts";
import type { ConsumerOptions } from "../../../src/client/index.ts";
import type { Consumer as ConsumerId } from "../../../src/protocol/consumer.ts";
import { nameId } from "../../../src/protocol/identifier.ts";
import { type GroupTopic, onShards } from "../../groups/support.ts";
import { connectClient } from "../../support/client.ts";
import { eventually } from "../../support/process-facts.ts";

const format = { decode: (payload: Uint8Array) => new TextDecoder().decode(payload) };
const waitMs = 60_000;

async function partsOf(topic: GroupTopic, consumer: ConsumerId) {
  const { host, port } = topic.server.server;
  // Reconnects by itself, as another client.
  const client = await connectClient({ host, port, username: "iggy", password: "iggy" });
  const place = { stream: topic.stream, topic: topic.topic };
  const commands = sessionCommands(client.exchange, { ...place, consumer }, () => void client.close());
  return { client, parts: { commands, format, place } };
}

async function consumerOf(topic: GroupTopic, options: ConsumerOptions) {
  const id: ConsumerId =
    "group" in options ? { kind: "group", id: nameId(options.group) } : { kind: "consumer", id: nameId(options.name) };
  const { client, parts } = await partsOf(topic, id);
  return { client, consumer: new ConsumerEngine(parts, options) };
}

async function readerOf(topic: GroupTopic, options: ReaderOptions) {
  const { parts } = await partsOf(topic, { kind: "consumer", id: nameId("reader") });
  return new ReaderEngine(parts, options);
}

async function all<T>(values: AsyncIterable<{ readonly value: T }>): Promise<T[]> {
  const found: T[] = [];
  for await (const { value } of values) found.push(value);
  return found;
}

const textsOf = (partitionId: number, batch: number, count: number) =>
  Array.from({ length: count }, (_, index) => `p${partitionId}b${batch}-${index}`);

onShards(
  "consumers",
  (server) => {
    test("members that come and go under a producer: everything is given, in order, by close without a repeat", async () => {
      const topic = await server().topic(4);
      const expected: string[] = [];
      const send = async (batch: number) => {
        for (const partitionId of [0, 1, 2, 3]) {
          await topic.send(partitionId, 50, `p${partitionId}b${batch}`);
          expected.push(...textsOf(partitionId, batch, 50));
        }
      };
      const seen: string[] = [];
      const start = async (group = "made-by-it") => {
        const { consumer } = await consumerOf(topic, { group });
        const running = consumer.run(({ value }) => void seen.push(value));
        return { consumer, running };
      };
      const isDone = () =>
        eventually(
          "all messages",
          () => new Set(seen).size,
          (size) => size === expected.length,
          waitMs,
        );
      const ana = await start();
      await send(0);
      await isDone();
      const ben = await start();
      const cleo = await start();
      await send(1);
      await eventually(
        "a partition for each",
        () => [ana, ben, cleo].map(({ consumer }) => consumer.partitions.size),
        (sizes) => sizes.every((size) => size > 0) && sizes.reduce((sum, size) => sum + size, 0) === 4,
        waitMs,
      );
      await send(2);
      await isDone();
      await ana.consumer.close();
      await ana.running;
      await send(3);
      await isDone();
      await Promise.all([ben.consumer.close(), cleo.consumer.close()]);
      await Promise.all([ben.running, cleo.running]);
      for (const partitionId of [0, 1, 2, 3]) {
        const own = seen.filter((text) => text.startsWith(`p${partitionId}b`));
        expect([...new Set(own)]).toEqual(expected.filter((text) => text.startsWith(`p${partitionId}b`)));
        expect(await topic.stored(topic.admin, { partitionId, group: "made-by-it" })).toBe(199);
      }
      expect(await topic.lists("made-by-it")).toEqual([]);
    });

    test("a member whose connection ends joins again and goes on; what was handled does not come again", async () => {
      const topic = await server().topic(2);
      for (const partitionId of [0, 1]) await topic.send(partitionId, 20, `p${partitionId}b0`);
      const { consumer, client } = await consumerOf(topic, { group: "billing" });
      const events: string[] = [];
      void (async () => {
        for await (const { kind } of consumer.events()) events.push(kind);
      })();
      const seen: string[] = [];
      const running = consumer.run(({ value }) => void seen.push(value));
      await eventually(
        "the first ones",
        () => seen.length,
        (length) => length === 40,
        waitMs,
      );
      const me = await client.getMe();
      await eventually(
        "the commit",
        async () =>
          Math.min(
            ...(await Promise.all(
              [0, 1].map(async (partitionId) => (await topic.stored(topic.admin, { partitionId })) ?? -1),
            )),
          ),
        (offset) => offset === 19,
        waitMs,
      );
      await client.leaveConsumerGroup(topic.stream, topic.topic, "billing"); // as the server does with one that was away
      expect(me.clientId).toBeGreaterThan(0);
      await eventually(
        "the way back",
        () => events,
        (list) => list.includes("rejoined"),
        waitMs,
      );
      for (const partitionId of [0, 1]) await topic.send(partitionId, 20, `p${partitionId}b1`);
      await eventually(
        "the rest",
        () => seen.length,
        (length) => length >= 80,
        waitMs,
      );
      expect(seen.toSorted()).toEqual([0, 1].flatMap((p) => [...textsOf(p, 0, 20), ...textsOf(p, 1, 20)]).toSorted());
      await consumer.close();
      await running;
    });

    test("a purge is seen, and what is sent after it is given", async () => {
      const topic = await server().topic(1);
      await topic.send(0, 10, "old");
      const { consumer } = await consumerOf(topic, { group: "billing" });
      const resets: number[] = [];
      void (async () => {
        for await (const event of consumer.events()) if (event.kind === "reset") resets.push(event.fromOffset);
      })();
      const seen: string[] = [];
      const running = consumer.run(({ value }) => void seen.push(value));
      await eventually(
        "the old ones",
        () => seen.length,
        (length) => length === 10,
        waitMs,
      );
      await topic.admin.purgeTopic(topic.stream, topic.topic);
      await eventually(
        "the reset",
        () => resets,
        (list) => list.length > 0,
        waitMs,
      );
      await topic.send(0, 3, "new");
      await eventually(
        "the new ones",
        () => seen.length,
        (length) => length === 13,
        waitMs,
      );
      expect(resets).toEqual([10]);
      expect(seen.slice(10)).toEqual(["new-0", "new-1", "new-2"]);
      await consumer.close();
      await running;
      expect(await topic.stored(topic.admin, { partitionId: 0 })).toBe(2);
    });

    test("a group that begins with `new` misses nothing that is sent after the first member came", async () => {
      const topic = await server().topic(1);
      await topic.send(0, 10, "old");
      const first = await consumerOf(topic, { group: "fresh", start: "new" });
      const waiting = first.consumer[Symbol.asyncIterator]().next();
      await eventually(
        "the position",
        () => topic.stored(topic.admin, { partitionId: 0, group: "fresh" }),
        (offset) => offset === 9,
        waitMs,
      );
      await first.consumer.close();
      expect(await waiting).toMatchObject({ done: true });
      await topic.send(0, 2, "later");
      const second = await consumerOf(topic, { group: "fresh", start: "new" });
      const loop = second.consumer[Symbol.asyncIterator]();
      const values = [(await loop.next()).value.value, (await loop.next()).value.value];
      expect(values).toEqual(["later-0", "later-1"]);
      await loop.return?.();
      await second.consumer.close();
    });

    test("a reader gives what is there and ends, or goes on from its position; nothing is stored", async () => {
      const topic = await server().topic(2);
      await topic.send(0, 3, "a");
      await topic.send(1, 1, "b");
      expect((await all(await readerOf(topic, { follow: false }))).toSorted()).toEqual(["a-0", "a-1", "a-2", "b-0"]);
      const reader = await readerOf(topic, {});
      const loop = reader[Symbol.asyncIterator]();
      for (let count = 0; count < 4; count++) await loop.next();
      const position = JSON.parse(JSON.stringify(reader.position()));
      await reader.close();
      expect(position).toEqual({ 0: 3, 1: 1 });
      await topic.send(1, 2, "c");
      expect(await all(await readerOf(topic, { from: position, follow: false }))).toEqual(["c-0", "c-1"]);
      const place = { stream: topic.stream, topic: topic.topic, partitionId: 0 };
      const stored = await topic.admin.getConsumerOffset({
        ...place,
        consumer: { kind: "consumer", id: nameId("reader") },
      });
      expect(stored).toBeUndefined();
    });

    test("seeks, pauses and batches of a consumer by name", async () => {
      const topic = await server().topic(2);
      for (const partitionId of [0, 1]) await topic.send(partitionId, 30);
      const { consumer } = await consumerOf(topic, { name: "audit", commit: "manual" });
      const seen: string[] = [];
      for await (const batch of consumer.batches()) {
        for (const { value } of batch) seen.push(value);
        await consumer.commit(batch);
        if (seen.length >= 60) break;
      }
      expect(new Set(seen).size).toBe(60);
      consumer.pause([1]);
      await consumer.seek({ offset: 28 }, [0]);
      const loop = consumer[Symbol.asyncIterator]();
      expect([(await loop.next()).value.value, (await loop.next()).value.value]).toEqual(["p0-28", "p0-29"]);
      expect(consumer.partitions.get(0)).toMatchObject({ headOffset: 29, deliveredOffset: 29 });
      await loop.return?.();
      await consumer.close();
    });
  },
  {},
  [2],
);
