// Sends: one by one, by a producer, with headers, keys, schemas and encryption, through lost connections.

import { aes256Gcm, json, SendError, text } from "../../../src/client/index.bun.ts";
import { errorNameOf, same, take, type Work } from "./work.ts";

export const sendingWorks: readonly Work[] = [
  {
    name: "single sends: values, headers, keys and times come back as they were",
    async run({ client, stream }) {
      const topic = client.topic(stream, "orders", text);
      same("without a topic", await errorNameOf(topic.send({ value: "a" })), "StreamIdNotFound");
      await topic.ensure({ partitionsCount: 3 });
      await topic.ensure({ partitionsCount: 3 });
      const originTimestamp = new Date(1_700_000_000_000);
      const headers = { "content-type": "text/plain", attempt: 2, isLast: true, share: 0.5, id: 1n << 40n };
      await topic.send({ value: "größe", partitionId: 1, headers, originTimestamp });
      const [message] = await take(topic.reader({ follow: false }), 1);
      same("value", [message?.value, message?.partitionId, message?.offset], ["größe", 1, 0]);
      const sorted = (entries: Iterable<readonly [string, unknown]>) =>
        [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
      // The original does not keep their order over HTTP.
      same("headers", sorted(message?.headers ?? []), sorted(Object.entries(headers)));
      // Over HTTP a message has no time of its sender.
      if (client.server.transport !== "http")
        same("time", message?.originTimestampMicros, originTimestamp.getTime() * 1_000);
      const receipt = await topic.send(["a", "b", "c"].map((value) => ({ value, key: "ann" })));
      same("count", receipt.messagesCount, 3);
      const all = await take(topic.reader({ follow: false }), 4);
      const keyed = all.filter(({ value }) => value.length === 1);
      same("one partition", new Set(keyed.map(({ partitionId }) => partitionId)).size, 1);
      same("in order", keyed.map(({ value }) => value).join(""), "abc");
    },
  },
  {
    name: "a producer: batches, order in each partition, every message once",
    async run({ client, stream, place }) {
      const topic = client.topic(stream, "rows", json<{ n: number }>());
      await topic.ensure({ partitionsCount: 3 });
      const count = place.transport === "http" ? 2_000 : 20_000;
      await using producer = topic.producer();
      async function* rows() {
        for (let n = 0; n < count; n++) yield { value: { n }, key: `key-${n % 17}` };
      }
      same("stored", await producer.sendAll(rows()), count);
      const last = new Map<number, number>();
      let seen = 0;
      for await (const { value, partitionId } of topic.reader({ follow: false })) {
        if (value.n <= (last.get(value.n % 17) ?? -1)) throw new Error(`${value.n} of ${partitionId} out of order`);
        last.set(value.n % 17, value.n);
        seen++;
      }
      same("seen", seen, count);
    },
  },
  {
    name: "encrypted messages",
    async run({ client, stream }) {
      const encryption = await aes256Gcm([Buffer.alloc(32, 7).toString("base64")]);
      const topic = client.topic(stream, "secret", text, { encryption });
      await topic.ensure({ partitionsCount: 1 });
      await topic.send({ value: "hidden", headers: { a: "b" } });
      const [clear] = await take(topic.reader({ follow: false }), 1);
      same("decrypted", [clear?.value, [...(clear?.headers ?? [])]], ["hidden", [["a", "b"]]]);
      const [raw] = await take(client.topic(stream, "secret").reader({ follow: false }), 1);
      if (Buffer.from(raw?.value ?? []).includes("hidden")) throw new Error("the payload is not encrypted");
    },
  },
  {
    name: "a producer over a topic that is gone: a SendError that says which",
    async run({ client, stream }) {
      const topic = client.topic(stream, "gone", text);
      await topic.ensure({ partitionsCount: 1 });
      await using producer = topic.producer();
      await producer.send({ value: "a" });
      await client.deleteTopic(stream, "gone");
      const error = await producer.send({ value: "b" }).catch((thrown: unknown) => thrown);
      if (!(error instanceof SendError)) throw error;
      same("certain", error.isUncertain, false);
      same("says where", error.message.includes(stream), true);
    },
  },
  {
    name: "a producer whose connections are cut stores everything, first occurrences in order",
    wants: ["cuts"],
    async run({ client, stream, wire }) {
      const topic = client.topic(stream, "cut", text);
      await topic.ensure({ partitionsCount: 1 });
      await using producer = topic.producer();
      const sending: Promise<unknown>[] = [];
      for (let n = 0; n < 3_000; n++) {
        await producer.ready;
        sending.push(producer.send({ value: String(n) }));
        if (n % 500 === 250) {
          await Bun.sleep(5);
          wire?.cut();
        }
      }
      await Promise.all(sending);
      const seen = new Set<number>();
      let last = -1;
      for await (const { value } of topic.reader({ follow: false })) {
        const n = Number(value);
        if (seen.has(n)) continue;
        if (n !== last + 1) throw new Error(`${n} came after ${last}`);
        last = n;
        seen.add(n);
      }
      same("all", seen.size, 3_000);
    },
  },
];
