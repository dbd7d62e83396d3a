// Consumers and readers of a topic's handle, as programs have them: the examples of the client's design on the real server.
import { expect, setDefaultTimeout, test } from "bun:test";
import {
  aes256Gcm,
  type Client,
  connect,
  HandlerError,
  json,
  SchemaError,
  type Topic,
  text,
} from "../../../src/client/index.bun.ts";
import { MessageIds } from "../../../src/client/producer/message-ids.ts";
import { eventually } from "../../support/process-facts.ts";
import { type TestServer, useServers } from "../../support/server.ts";

const servers = useServers();
setDefaultTimeout(120_000);

const urlOf = (server: TestServer, transport: "tcp" | "websocket" = "tcp") =>
  `${transport === "tcp" ? "iggy" : "iggy+ws"}://iggy:iggy@127.0.0.1:${server.portOf(transport)}`;

async function topicOf(client: Client, name: string, partitionsCount = 2): Promise<Topic<string, string>> {
  const topic = client.topic("shop", name, text);
  await topic.ensure({ partitionsCount });
  return topic;
}

test("the error of a topic that is missing names it", async () => {
  const server = await servers.start();
  await using client = await connect(urlOf(server));
  const topic = client.topic("shop", "nope", text);
  const begin = (consumer: AsyncIterable<unknown>) => consumer[Symbol.asyncIterator]().next();
  await expect(begin(topic.consumer({ group: "g" }))).rejects.toThrow("shop/nope");
  await expect(begin(topic.consumer({ name: "n" }))).rejects.toThrow("shop/nope");
  await expect(begin(topic.reader())).rejects.toThrow("shop/nope");
  await expect(topic.send({ value: "x" })).rejects.toThrow("shop/nope");
});

test.each([
  "tcp",
  "websocket",
] as const)("hello, over %s: sent, read by a group, committed by the end of the client", async (transport) => {
  const server = await servers.start({ shards: 2 });
  const url = urlOf(server, transport);
  {
    await using client = await connect(url);
    const greetings = await topicOf(client, "greetings", 3);
    await greetings.send([1, 2, 3].map((n) => ({ value: `hello ${n}`, key: "ann" })));
    const seen: string[] = [];
    for await (const { value } of greetings.consumer({ group: "printers" })) {
      seen.push(value);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual(["hello 1", "hello 2", "hello 3"]);
  }
  await using client = await connect(url);
  const greetings = client.topic("shop", "greetings", text);
  const consumer = greetings.consumer({ group: "printers" });
  // Two were handled; the third was in hand.
  for await (const { value } of consumer) {
    expect(value).toBe("hello 3");
    break;
  }
});

test("workers with an order by key and a dead-letter topic; a reader of what went there", async () => {
  const server = await servers.start({ shards: 2 });
  await using client = await connect(urlOf(server));
  type Order = { readonly orderId: string; readonly step: number };
  const orders = client.topic("shop", "orders", json<Order>());
  await orders.ensure({ partitionsCount: 3 });
  await client.topic("shop", "orders-failed").ensure({ partitionsCount: 1 });
  const deadLetter = client.topic("shop", "orders-failed");
  const all = Array.from({ length: 200 }, (_, n) => ({ orderId: `A-${n % 20}`, step: Math.floor(n / 20) }));
  await orders.send(all.map((value) => ({ value, key: value.orderId, headers: { trace: `t${value.step}` } })));
  const steps = new Map<string, number[]>();
  let handled = 0;
  const shipping = orders.consumer({ group: "shipping" });
  const running = shipping.run(
    async ({ value: { orderId, step } }) => {
      await Bun.sleep(1);
      if (orderId === "A-7" && step === 3) throw new RangeError("no");
      steps.set(orderId, [...(steps.get(orderId) ?? []), step]);
      handled++;
    },
    {
      concurrency: 16,
      orderBy: ({ value }) => value.orderId,
      // biome-ignore lint/suspicious/noThenProperty: the option's name
      onError: { repeats: 2, minMs: 1, maxMs: 5, then: { deadLetter } },
    },
  );
  await eventually(
    "all orders",
    () => handled,
    (count) => count === 199,
  );
  await shipping.close();
  await running;
  for (const [orderId, own] of steps) {
    expect(own).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter((step) => orderId !== "A-7" || step !== 3));
  }
  const failed = [];
  for await (const message of client.topic("shop", "orders-failed", json<Order>()).reader({ follow: false }))
    failed.push(message);
  expect(failed.map(({ value }) => value)).toEqual([{ orderId: "A-7", step: 3 }]);
  const headers = Object.fromEntries(failed[0]!.headers);
  expect(headers).toMatchObject({
    trace: "t3",
    "dlq-topic": "orders",
    "dlq-reason": "RangeError: no",
    "dlq-attempts": 3,
  });
});

test("a client that is closed ends its loops without an error, and stores what they handled", async () => {
  const server = await servers.start();
  const client = await connect(urlOf(server));
  const topic = await topicOf(client, "orders", 1);
  await topic.send(["a", "b", "c"].map((value) => ({ value })));
  const seen: string[] = [];
  const loop = (async () => {
    for await (const { value } of topic.consumer({ group: "g" })) seen.push(value);
  })();
  await eventually(
    "the messages",
    () => seen.length,
    (length) => length === 3,
  );
  await client.close();
  await loop;
  await using again = await connect(urlOf(server));
  const stored = await again.getConsumerOffset({
    consumer: { kind: "group", id: { kind: "string", value: "g" } },
    stream: "shop",
    topic: "orders",
    partitionId: 0,
  });
  expect(stored?.storedOffset).toBe(2n);
});

test("a message wakes the members that wait for it; they wait for less than what makes a connection dead", async () => {
  const server = await servers.start({ shards: 2 });
  await using client = await connect(urlOf(server), { requestTimeoutMs: 2_000, heartbeatMs: 0 });
  expect(client.server.features.has("long-poll")).toBe(true);
  const topic = await topicOf(client, "orders", 3);
  const seen: string[] = [];
  const consumer = topic.consumer({ group: "g" });
  const events: string[] = [];
  void (async () => {
    for await (const { kind } of consumer.events()) events.push(kind);
  })();
  const running = consumer.run(({ value }) => void seen.push(value));
  await eventually(
    "the partitions",
    () => consumer.partitions.size,
    (size) => size === 3,
  );
  for (let count = 1; count <= 20; count++) {
    // Longer than polls that do not wait pause; once longer than a connection may be silent.
    await Bun.sleep(count === 7 ? 3_000 : 20 + 17 * (count % 7));
    await topic.send({ value: "x", partitionId: count % 3 });
    await eventually(
      "the message",
      () => seen.length,
      (length) => length === count,
    );
  }
  await consumer.close();
  await running;
  expect(seen).toHaveLength(20);
  expect(events).not.toContain("disconnected");
});

test("what a producer stored twice is left out where that is wanted, and counts as handled", async () => {
  const server = await servers.start();
  await using client = await connect(urlOf(server));
  const topic = await topicOf(client, "orders", 1);
  const numbering = new MessageIds();
  const messages = ["a", "b", "c"].map((value) => {
    const bytes = new Uint8Array(16);
    numbering.write(new DataView(bytes.buffer), 0);
    return { value, id: bytes.reduceRight((id, byte) => (id << 8n) | BigInt(byte), 0n) };
  });
  for (const batch of [messages.slice(0, 2), messages, [{ value: "a" }, { value: "a" }]]) await topic.send(batch);
  const read = async (dropRepeats: boolean, isBatches: boolean) => {
    const consumer = topic.consumer({ name: `${dropRepeats}${isBatches}`, dropRepeats });
    const seen: string[] = [];
    const take = (value: string, offset: number) => seen.push(value) > 0 && offset === 6;
    if (isBatches) {
      for await (const batch of consumer.batches())
        if ([...batch].map((m) => take(m.value, m.offset)).includes(true)) break;
    } else for await (const { value, offset } of consumer) if (take(value, offset)) break;
    await consumer.close();
    return seen.join("");
  };
  for (const isBatches of [false, true]) {
    expect(await read(true, isBatches)).toBe("abcaa");
    expect(await read(false, isBatches)).toBe("ababcaa");
  }
});

test("goes on after the server was killed and started again", async () => {
  const server = await servers.start({ env: { IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: "write" } });
  const env = { IGGY_TCP_ADDRESS: `127.0.0.1:${server.portOf("tcp")}` };
  await using client = await connect(urlOf(server));
  const topic = await topicOf(client, "orders", 2);
  const seen: string[] = [];
  const consumer = topic.consumer({ group: "g" });
  const events: string[] = [];
  void (async () => {
    for await (const { kind } of consumer.events()) events.push(kind);
  })();
  const running = consumer.run(({ value }) => void seen.push(value));
  await topic.send(["a", "b"].map((value, partitionId) => ({ value, partitionId })));
  await eventually(
    "the first ones",
    () => seen.length,
    (length) => length === 2,
  );
  await server.kill();
  await server.restart({ env });
  await eventually(
    "the way back",
    () => events,
    (list) => list.includes("rejoined"),
  );
  await topic.send(["c", "d"].map((value, partitionId) => ({ value, partitionId })));
  await eventually(
    "the rest",
    () => new Set(seen).size,
    (size) => size === 4,
  );
  await consumer.close();
  await running;
});

test("encrypted values and headers, values that their schema refuses", async () => {
  const server = await servers.start();
  await using client = await connect(urlOf(server));
  const encryption = await aes256Gcm(Buffer.alloc(32, 7).toString("base64"));
  const records = client.topic("health", "records", text, { encryption });
  await records.ensure({ partitionsCount: 1 });
  await records.send({ value: "secret", headers: { attempt: 2 } });
  for await (const { value, headers } of records.reader({ follow: false })) {
    expect([value, headers.get("attempt")]).toEqual(["secret", 2]);
  }
  const numbers = client.topic("health", "records", json<number>(), { encryption });
  const loop = numbers.reader({ follow: false })[Symbol.asyncIterator]();
  const error = await loop.next().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SchemaError);
  expect(error).toMatchObject({ failed: { offset: 0, partitionId: 0 } });
  const running = numbers.consumer({ name: "n" }).run(() => undefined);
  expect(
    await running.then(
      () => undefined,
      (thrown: unknown) => thrown,
    ),
  ).toBeInstanceOf(HandlerError);
});
