import { describe, expect, test } from "bun:test";
import { aes256Gcm, text } from "../../../src/client/index.bun.ts";
import { rejection, until } from "../scripted-server.ts";
import { hold, start, texts } from "./support.ts";

describe("batches", () => {
  test("a lone message leaves at once; what is sent meanwhile leaves together", async () => {
    const { broker, producer } = await start();
    await producer.send({ value: "-", partitionId: 0 });
    const held = hold(broker);
    const first = producer.send({ value: "a", partitionId: 0 });
    await until(() => held.length === 1);
    const rest = [..."bcd"].map((value) => producer.send({ value, partitionId: 0 }));
    await Bun.sleep(5);
    expect(texts(broker)).toEqual(["-", "a"]);
    held.shift()!.answer();
    expect(await first).toEqual({ messagesCount: 1, partitionId: 0, firstOffset: undefined, attempts: 1 });
    await until(() => held.length === 1);
    expect(held[0]!.texts.join("")).toBe("bcd");
    held.shift()!.answer();
    await Promise.all(rest);
    expect(producer.stats).toEqual({ bufferedBytes: 0, inFlight: 0, sentMessages: 5, repeatedBatches: 0 });
  });

  test("a second batch of a partition only when it is full, and no more than are allowed at a time", async () => {
    const { broker, producer } = await start({ batchMessagesMax: 2, inFlightMax: 3 });
    await producer.send({ value: "-", partitionId: 0 });
    const held = hold(broker);
    const sent = [..."abcdefghi"].map((value) => producer.send({ value, partitionId: 0 }));
    await until(() => held.length === 3);
    await Bun.sleep(5);
    expect(texts(broker)).toEqual(["-", "ab", "cd", "ef"]);
    expect(producer.stats.inFlight).toBe(3);
    broker.onSend = undefined;
    for (const send of held) send.answer();
    await Promise.all(sent);
    expect(texts(broker)).toEqual(["-", "ab", "cd", "ef", "gh", "i"]);
  });

  test("by bytes; what is larger than a batch goes alone", async () => {
    const { broker, producer } = await start({ batchBytesMax: 300 });
    await producer.flush();
    const values = ["a".repeat(100), "b".repeat(100), "c".repeat(500), "d"];
    await Promise.all(values.map((value) => producer.send({ value, partitionId: 1 })));
    expect(broker.sends.map(({ texts }) => texts.map((text) => text[0]).join(""))).toEqual(["a", "b", "c", "d"]);
  });

  test("lingerMs: waits for company, and flush does not", async () => {
    const { broker, producer } = await start({ lingerMs: 60_000 });
    const first = producer.send({ value: "a", partitionId: 0 });
    const second = producer.send({ value: "b", partitionId: 0 });
    await Bun.sleep(20);
    expect(broker.sends).toEqual([]);
    await producer.flush();
    await Promise.all([first, second]);
    expect(texts(broker)).toEqual(["ab"]);
  });

  test("lingerMs is over: it leaves by itself", async () => {
    const { broker, producer } = await start({ lingerMs: 20 });
    await producer.send({ value: "a", partitionId: 0 });
    expect(texts(broker)).toEqual(["a"]);
  });
});

describe("partitions", () => {
  test("keys go where the server would put them (spec BP 8), the rest goes round", async () => {
    const { broker, producer } = await start();
    const byKey = await Promise.all(
      ["user-42", "a", "b"].map((key) => producer.send({ value: key, key }).then(({ partitionId }) => partitionId)),
    );
    expect(byKey).toEqual(["user-42", "a", "b"].map((key) => Bun.hash.xxHash32(key) % 3));
    const lone: (number | undefined)[] = [];
    for (let index = 0; index < 6; index++) lone.push((await producer.send({ value: "x" })).partitionId);
    expect(new Set(lone.slice(0, 3)).size).toBe(3);
    expect(lone.slice(3)).toEqual(lone.slice(0, 3));
    expect(broker.sends.every(({ partitioning }) => partitioning.kind === "partition")).toBe(true);
  });

  test("a partitioner of one's own; a number that is no partition is a RangeError", async () => {
    const { producer } = await start({ partitioner: ({ key }, count) => (key === undefined ? count : 1) });
    expect((await producer.send({ value: "a", key: "k" })).partitionId).toBe(1);
    expect(await rejection(producer.send({ value: "a" }))).toBeInstanceOf(RangeError);
  });

  test("without the right to see the topic the server chooses: a batch for each key", async () => {
    const { broker, producer } = await start();
    broker.onTopic = () => "Unauthorized";
    const receipts = await Promise.all([
      producer.send({ value: "a", key: "x" }),
      producer.send({ value: "b", key: "y" }),
      producer.send({ value: "c", key: "x" }),
      producer.send({ value: "d" }),
    ]);
    expect(receipts.map(({ partitionId }) => partitionId)).toEqual([undefined, undefined, undefined, undefined]);
    expect(Object.fromEntries(broker.stored)).toEqual({ "key x": ["a", "c"], "key y": ["b"], balanced: ["d"] });
  });

  test("a topic that is not there: the server's refusal comes back, and later it is there", async () => {
    const { broker, producer } = await start();
    broker.partitionsCount = undefined;
    broker.onSend = (send) => send.refuse("TopicIdNotFound");
    expect(await rejection(producer.send({ value: "a" }))).toMatchObject({ name: "SendError", code: 2010 });
    broker.partitionsCount = 2;
    broker.onSend = undefined;
    await producer.send({ value: "b" });
    await until(() => [...broker.stored.values()].flat().includes("b"));
  });
});

describe("what is stored of a message", () => {
  test("ids that count up in each partition, headers, the key as a header, time and id of one's own", async () => {
    const { broker, producer } = await start({ keyHeader: "key" });
    await producer.flush();
    await Promise.all([
      producer.send({ value: "a", key: "k", partitionId: 2, headers: { n: 1 }, originTimestamp: new Date(5) }),
      producer.send({ value: "b", partitionId: 2 }),
      producer.send({ value: "c", partitionId: 2, id: 99n }),
    ]);
    const [a, b, c] = broker.sends.flatMap(({ messages }) => messages);
    expect(a!.originTimestampMicros).toBe(5000n);
    expect(Number(b!.originTimestampMicros) / 1000).toBeWithin(Date.now() - 60_000, Date.now() + 1);
    expect((b!.id as bigint) - (a!.id as bigint)).toBe(1n);
    expect(c!.id).toBe(99n);
    expect(new TextDecoder().decode(a!.userHeaders)).toContain("key");
    expect(b!.userHeaders!.length).toBe(0);
  });

  test("encrypted: neither payload nor headers are to be read, in the order of send", async () => {
    const { broker, client } = await start();
    const encryption = await aes256Gcm(Buffer.alloc(32, 7).toString("base64"));
    const producer = client.topic("shop", "orders", text, { encryption }).producer();
    const values = Array.from({ length: 50 }, (_, index) => `text ${index}`);
    await Promise.all(values.map((value) => producer.send({ value, partitionId: 0, headers: { h: "header" } })));
    const messages = broker.sends.flatMap(({ messages }) => messages);
    const clear = await Promise.all(messages.map(({ payload }) => encryption.decrypt(payload)));
    expect(clear.map((bytes) => new TextDecoder().decode(bytes))).toEqual(values);
    const headers = await encryption.decrypt(messages[0]!.userHeaders!);
    expect(new TextDecoder().decode(headers)).toContain("header");
    expect(Buffer.from(messages[0]!.userHeaders!).includes("header")).toBe(false);
  });

  test("an asynchronous format that takes its time: later messages stay behind", async () => {
    const { broker, client } = await start();
    const slow = {
      encode: async (value: string) => {
        await Bun.sleep(value === "a" ? 20 : 0);
        return new TextEncoder().encode(value);
      },
      decode: () => "",
    };
    const producer = client.topic("shop", "orders", slow).producer();
    await Promise.all([..."abc"].map((value) => producer.send({ value, partitionId: 0 })));
    expect(broker.stored.get(0)).toEqual(["a", "b", "c"]);
  });

  test.each([
    [{ value: 5 as unknown as string }, TypeError],
    [{ value: "a", partitionId: -1 }, RangeError],
    [{ value: "a", id: 2n ** 128n }, RangeError],
    [{ value: "a", originTimestamp: new Date(Number.NaN) }, RangeError],
    [{ value: "a", key: "" }, expect.objectContaining({ code: 4028 })],
    [{ value: "a", key: "x".repeat(256) }, expect.objectContaining({ code: 4028 })],
    [{ value: "a", headers: { h: "" } }, expect.objectContaining({ code: 4019 })],
    [{ value: "x".repeat(64_000_001) }, expect.objectContaining({ code: 4022 })],
  ])("%#: is refused before anything is sent, and harms no neighbour", async (message, expected) => {
    const { broker, producer } = await start();
    const [refused] = await Promise.all([rejection(producer.send(message)), producer.send({ value: "ok" })]);
    if (typeof expected === "function") expect(refused).toBeInstanceOf(expected);
    else expect(refused).toEqual(expected);
    expect([...broker.stored.values()].flat()).toEqual(["ok"]);
  });
});
