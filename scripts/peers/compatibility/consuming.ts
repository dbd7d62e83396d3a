// Reads: readers, consumers by name, members of groups that hand over, `run` with repeats and dead letters, lost connections, purges.

import { type Client, json, type Topic, text } from "../../../src/client/index.bun.ts";
import { eventually, same, take, type Work } from "./work.ts";

async function filled(client: Client, stream: string, partitionsCount: number, each: number) {
  const topic = client.topic(stream, "orders", text);
  await topic.ensure({ partitionsCount });
  await append(topic, partitionsCount, 0, each);
  return topic;
}

async function append(topic: Topic<string, string>, partitionsCount: number, first: number, count: number) {
  for (let partitionId = 0; partitionId < partitionsCount; partitionId++) {
    const messages = Array.from({ length: count }, (_, n) => ({ value: `${partitionId}/${first + n}`, partitionId }));
    await topic.send(messages);
  }
}

export const consumingWorks: readonly Work[] = [
  {
    name: "a reader: to the head, from a position, a time, an offset, and what is sent later",
    async run({ client, stream }) {
      const topic = await filled(client, stream, 2, 50);
      same("all", (await take(topic.reader({ follow: false }), 100)).length, 100);
      await using first = topic.reader();
      const some = await take(first, 30);
      const position = JSON.parse(JSON.stringify(first.position()));
      const rest: string[] = [];
      for await (const { value } of topic.reader({ from: position, follow: false })) rest.push(value);
      same("once", new Set([...some.map(({ value }) => value), ...rest]).size, 100);
      same("none twice", some.length + rest.length, 100);
      const timed = topic.reader({ from: { timestamp: new Date(Date.now() - 3_600_000) }, follow: false });
      same("of the last hour", (await take(timed, 100)).length, 100);
      await using newest = topic.reader({ from: "new" });
      const waiting = take(newest, 2);
      await eventually("it has looked", () => Object.keys(newest.position()).length === 2);
      await append(topic, 2, 50, 1);
      same("new", (await waiting).map(({ value }) => value).toSorted(), ["0/50", "1/50"]);
    },
  },
  {
    name: "a consumer by name: batches, commits by hand, pause, seek, lag",
    async run({ client, stream }) {
      const topic = await filled(client, stream, 2, 40);
      await using audit = topic.consumer({ name: "audit", partitions: [0, 1], commit: "manual" });
      let count = 0;
      for await (const batch of audit.batches()) {
        count += batch.messagesCount;
        await audit.commit(batch);
        if (count === 80) break;
      }
      same(
        "lag",
        [0, 1].map((id) => audit.partitions.get(id)?.lag),
        [0, 0],
      );
      audit.pause([0]);
      await append(topic, 2, 40, 5);
      const others = await take(audit, 5);
      same(
        "only the other one",
        others.every(({ partitionId }) => partitionId === 1),
        true,
      );
      // In hand when the loop was left: it would come again.
      const last = others.at(-1);
      if (last !== undefined) await audit.commit(last);
      audit.resume();
      await audit.seek({ offset: 10 }, [0]);
      same("sought", (await take(audit, 1))[0]?.value, "0/10");
      const consumer = { kind: "consumer", id: { kind: "string", value: "audit" } } as const;
      const stored = await client.getConsumerOffset({ stream, topic: "orders", partitionId: 0, consumer });
      same("stored", stored?.storedOffset, 39n);
    },
  },
  {
    name: "a member of a group: stored behind the last handled one, the next member goes on there",
    wants: ["groups"],
    async run({ client, stream }) {
      const topic = await filled(client, stream, 3, 100);
      const first = topic.consumer({ group: "workers" });
      const some = await take(first, 150);
      await first.close();
      const second = topic.consumer({ group: "workers" });
      const rest = await take(second, 151); // the one that was in hand comes again
      await second.close();
      const values = [...some, ...rest].map(({ value }) => value);
      same("all", new Set(values).size, 300);
    },
  },
  {
    name: "members come and go: partitions are handed over, each message comes to one of them",
    wants: ["groups"],
    async run({ client, stream }) {
      const topic = await filled(client, stream, 3, 200);
      const seen: string[] = [];
      const start = () => {
        const consumer = topic.consumer({ group: "workers" });
        const running = consumer.run(async ({ value }) => {
          seen.push(value);
          await Bun.sleep(1);
        });
        return { consumer, running };
      };
      const ana = start();
      await eventually("it has begun", () => ana.consumer.partitions.size === 3);
      const ben = start();
      await eventually("the handover", () => ben.consumer.partitions.size === 1);
      await eventually("it was let go", () => ana.consumer.partitions.size === 2);
      await append(topic, 3, 200, 50);
      await eventually("all", () => new Set(seen).size === 750);
      same("none twice", seen.length, 750);
      await ben.consumer.close();
      await ben.running;
      await append(topic, 3, 250, 10);
      await eventually("what came behind", () => new Set(seen).size === 780);
      await ana.consumer.close();
      await ana.running;
    },
  },
  {
    name: "`run`: by key, with repeats, then the dead-letter topic",
    wants: ["groups"],
    async run({ client, stream }) {
      const orders = client.topic(stream, "orders", json<{ id: string; n: number }>());
      const deadLetter = client.topic(stream, "failed");
      await orders.ensure({ partitionsCount: 2 });
      await deadLetter.ensure({ partitionsCount: 1 });
      const messages = Array.from({ length: 60 }, (_, n) => ({ value: { id: `k${n % 5}`, n }, key: `k${n % 5}` }));
      await orders.send(messages);
      const done = new Map<string, number[]>();
      let handled = 0;
      const consumer = orders.consumer({ group: "workers" });
      const running = consumer.run(
        async ({ value: { id, n } }) => {
          if (n === 13) throw new Error("thirteen");
          await Bun.sleep(n % 3);
          done.set(id, [...(done.get(id) ?? []), n]);
          handled++;
        },
        {
          concurrency: 8,
          orderBy: ({ value }) => value.id,
          // biome-ignore lint/suspicious/noThenProperty: the option's name
          onError: { repeats: 2, minMs: 1, maxMs: 5, then: { deadLetter } },
        },
      );
      await eventually("all", () => handled === 59);
      for (const numbers of done.values())
        same(
          "in order",
          numbers,
          numbers.toSorted((a, b) => a - b),
        );
      const [letter] = await take(deadLetter.reader(), 1);
      same("reason", letter?.headers.get("dlq-reason"), "Error: thirteen");
      await consumer.close();
      await running;
    },
  },
  {
    name: "a member whose connection is cut comes back and misses nothing",
    wants: ["groups", "cuts"],
    async run({ client, stream, wire }) {
      const topic = await filled(client, stream, 2, 100);
      const seen = new Set<string>();
      const consumer = topic.consumer({ group: "workers" });
      const running = consumer.run(({ value }) => void seen.add(value));
      await eventually("the first ones", () => seen.size === 200);
      for (let round = 1; round <= 3; round++) {
        wire?.cut();
        await append(topic, 2, round * 100, 100).catch(() => undefined); // cut, too: sent again below
        await append(topic, 2, round * 100, 100);
        await eventually("those behind", () => seen.size === (round + 1) * 200);
      }
      await consumer.close();
      await running;
    },
  },
  {
    name: "a purge is told, and reading goes on",
    async run({ client, stream, place, isOriginal }) {
      const topic = await filled(client, stream, 1, 20);
      const consumer = topic.consumer({ name: "audit" });
      const kinds: string[] = [];
      const events = (async () => {
        for await (const { kind } of consumer.events()) kinds.push(kind);
      })();
      const seen: string[] = [];
      const running = consumer.run(({ value }) => void seen.push(value));
      await eventually("the first ones", () => seen.length === 20);
      await client.purgeTopic(stream, "orders");
      await eventually("it knows", () => kinds.includes("reset"));
      // After a purge the original's polls go on with what it has removed, and with parts of it, which nobody can read.
      if (!isOriginal) {
        await append(topic, 1, 20, 3);
        await eventually("those behind", () => seen.length === 23);
      }
      await consumer.close();
      await Promise.all([running, events]);
      same("transport", client.server.transport, place.transport);
    },
  },
];
