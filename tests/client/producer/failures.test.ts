import { describe, expect, test } from "bun:test";
import { BackpressureError, ConnectionLostError, json, SendError, text } from "../../../src/client/index.bun.ts";
import { FakeBroker } from "../fake-broker.ts";
import { rejection, until } from "../scripted-server.ts";
import { clients, hold, start, texts } from "./support.ts";

describe("when something goes wrong", () => {
  test("a refused batch is not repeated, and later ones go on", async () => {
    const { broker, producer } = await start();
    broker.onSend = (send) => (send.texts[0] === "bad" ? send.refuse("Unauthorized") : send.answer());
    const bad = await rejection(producer.send({ value: "bad", partitionId: 0 }));
    expect(bad).toBeInstanceOf(SendError);
    expect(bad).toMatchObject({ code: 41, isUncertain: false, messagesCount: 1, attempts: 1 });
    expect(String(bad)).toContain("shop/orders, partition 0");
    await producer.send({ value: "good", partitionId: 0 });
    expect(texts(broker)).toEqual(["bad", "good"]);
  });

  test("sendAll and ready wait for the first connection with one message, not with all of them", async () => {
    const { broker, producer } = await start();
    broker.refusal = new Error("nobody there");
    const attempts = broker.attempts;
    const values = Array.from({ length: 1_000 }, (_, index) => ({ value: String(index), partitionId: 0 }));
    const sending = producer.sendAll(values);
    await until(() => broker.attempts > attempts + 1);
    const { bufferedBytes } = producer.stats;
    expect(bufferedBytes).toBeGreaterThan(0);
    expect(bufferedBytes).toBeLessThan(200);
    let isReady = false;
    void producer.ready.then(() => {
      isReady = true;
    });
    await until(() => broker.attempts > attempts + 3);
    expect(isReady).toBe(false);
    broker.refusal = undefined;
    expect(await sending).toBe(1_000);
    expect(isReady).toBe(true);
    expect(broker.stored.get(0)).toEqual(values.map(({ value }) => value));
  });

  test("lost after it left: all of the partition again, in order, with the same ids", async () => {
    const { broker, producer } = await start({ batchMessagesMax: 1 });
    await producer.send({ value: "-", partitionId: 0 });
    const held = hold(broker);
    const sent = [..."abcd"].map((value) => producer.send({ value, partitionId: 0 }));
    await until(() => held.length === 4);
    held[0]!.store();
    broker.onSend = undefined;
    held[0]!.connection.close();
    const receipts = await Promise.all(sent);
    expect(receipts.map(({ attempts }) => attempts)).toEqual([2, 2, 2, 2]);
    expect(texts(broker).join("")).toBe("-abcdabcd");
    const ids = broker.sends.map(({ messages }) => messages[0]!.id);
    expect(ids.slice(5)).toEqual(ids.slice(1, 5));
    expect(broker.stored.get(0)).toEqual(["-", "a", "a", "b", "c", "d"]);
    expect(producer.stats.repeatedBatches).toBe(4);
  });

  test('"reject": what left is a SendError that says so, what had not left goes once', async () => {
    const { broker, producer } = await start({ batchMessagesMax: 1, inFlightMax: 1, onUncertain: "reject" });
    await producer.send({ value: "-", partitionId: 0 });
    const held = hold(broker);
    const [left, waiting] = [..."ab"].map((value) => producer.send({ value, partitionId: 0 }));
    await until(() => held.length === 1);
    broker.onSend = undefined;
    held[0]!.connection.close();
    expect(await rejection(left!)).toMatchObject({ name: "SendError", isUncertain: true, attempts: 1, code: 8 });
    expect((await waiting!).attempts).toBe(1);
    expect(texts(broker)).toEqual(["-", "a", "b"]);
  });

  test("deliveryTimeoutMs: uncertain only if it ever left; its place under way stays taken", async () => {
    const { broker, producer } = await start({ deliveryTimeoutMs: 60, inFlightMax: 1 });
    await producer.send({ value: "-", partitionId: 0 });
    const held = hold(broker);
    const left = rejection(producer.send({ value: "a", partitionId: 0 }));
    await until(() => held.length === 1);
    const waiting = rejection(producer.send({ value: "b", partitionId: 0 }));
    expect(await left).toMatchObject({ name: "SendError", isUncertain: true });
    expect(await waiting).toMatchObject({ name: "SendError", isUncertain: false, attempts: 0 });
    expect(producer.stats).toMatchObject({ inFlight: 1, bufferedBytes: 0 });
    broker.onSend = undefined;
    held[0]!.answer();
    await producer.send({ value: "c", partitionId: 0 });
    expect(broker.stored.get(0)).toEqual(["-", "a", "c"]);
  });

  test("the buffer: at its limit `ready` waits, at twice that `send` fails loudly", async () => {
    const { broker, producer } = await start({ bufferBytesMax: 1000 });
    await producer.send({ value: "-", partitionId: 0 });
    const held = hold(broker);
    const payload = "x".repeat(420); // 500 bytes with header and row
    const sent = [producer.send({ value: payload, partitionId: 0 })];
    await producer.ready;
    sent.push(producer.send({ value: payload, partitionId: 0 }));
    let isReady = false;
    const ready = producer.ready.then(() => {
      isReady = true;
    });
    sent.push(producer.send({ value: payload, partitionId: 0 }), producer.send({ value: payload, partitionId: 0 }));
    const refused = await rejection(producer.send({ value: payload, partitionId: 0 }));
    expect(refused).toBeInstanceOf(BackpressureError);
    expect(refused).toMatchObject({ bufferedBytes: 2000 });
    expect(isReady).toBe(false);
    broker.onSend = undefined;
    for (const send of held) send.answer();
    await ready;
    await Promise.all(sent);
  });

  test("a login that is refused later fails what waits, and what comes", async () => {
    const { broker, producer } = await start();
    await producer.send({ value: "-", partitionId: 0 });
    const held = hold(broker);
    const sent = rejection(producer.send({ value: "a", partitionId: 0 }));
    await until(() => held.length === 1);
    broker.onLogin = () => "InvalidCredentials";
    held[0]!.connection.close();
    expect(await sent).toMatchObject({ name: "SendError", code: 42, isUncertain: true });
    expect(await rejection(producer.send({ value: "b" }))).toMatchObject({ name: "AuthenticationError" });
  });

  test("nobody there at the start: it waits for a server, as long as for an acknowledgement", async () => {
    const broker = new FakeBroker();
    const client = await broker.connect({ requestTimeoutMs: 20 });
    clients.push(client);
    broker.refusal = new Error("nobody there");
    const topic = client.topic("s", "t", text);
    const early = rejection(topic.producer({ deliveryTimeoutMs: 60 }).send({ value: "a" }));
    const late = topic.producer().send({ value: "b" });
    expect(await early).toMatchObject({ name: "SendError", code: 4052, isUncertain: false, attempts: 0 });
    broker.refusal = undefined;
    expect((await late).attempts).toBe(1);
  });

  test("reconnect: false: a lost connection ends it", async () => {
    const broker = new FakeBroker();
    const client = await broker.connect({ reconnect: false });
    clients.push(client);
    const producer = client.topic("s", "t", text).producer();
    await producer.send({ value: "-" });
    const held = hold(broker);
    const sent = rejection(producer.send({ value: "a" }));
    await until(() => held.length === 1);
    held[0]!.connection.close();
    expect(await sent).toMatchObject({ name: "SendError", isUncertain: true });
    expect(await rejection(producer.send({ value: "b" }))).toBeInstanceOf(ConnectionLostError);
  });
});

describe("many at once", () => {
  test("sendAll takes iterables of both kinds, waits for room and for the last acknowledgement", async () => {
    const { broker, producer } = await start({ bufferBytesMax: 5000, batchMessagesMax: 10 });
    let mostBytes = 0;
    function* numbers(from: number) {
      for (let index = from; index < from + 500; index++) {
        mostBytes = Math.max(mostBytes, producer.stats.bufferedBytes);
        yield { value: String(index), partitionId: 0 };
      }
    }
    async function* later() {
      yield* numbers(500);
    }
    expect(await producer.sendAll(numbers(0))).toBe(500);
    expect(await producer.sendAll(later())).toBe(500);
    expect(await producer.sendAll([])).toBe(0);
    expect(broker.stored.get(0)).toEqual(Array.from({ length: 1000 }, (_, index) => String(index)));
    expect(mostBytes).toBeLessThan(5200);
  });

  test("sendAll ends with the first failure: of a value, of the server, of a signal", async () => {
    const { broker, client, producer } = await start({ batchMessagesMax: 1 });
    const numbers = client.topic("s", "t", json<number | undefined>()).producer();
    expect(await rejection(numbers.sendAll([{ value: 1 }, { value: undefined }]))).toBeInstanceOf(TypeError);
    broker.onSend = (send) => (send.texts[0] === "5" ? send.refuse("Unauthorized") : send.answer());
    let taken = 0;
    async function* endless() {
      for (;;) {
        await Bun.sleep(0);
        yield { value: String(taken++) };
      }
    }
    expect(await rejection(producer.sendAll(endless()))).toMatchObject({ name: "SendError", code: 41 });
    const reason = new Error("enough");
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 10);
    expect(await rejection(producer.sendAll(endless(), { signal: controller.signal }))).toBe(reason);
  });

  test("writable: a stream that waits for the last acknowledgement, and errors with a failure", async () => {
    const { broker, producer } = await start();
    const values = new ReadableStream<{ value: string; partitionId: number }>({
      start(controller) {
        for (const value of "ab") controller.enqueue({ value, partitionId: 0 });
        controller.close();
      },
    });
    await values.pipeTo(producer.writable);
    expect(broker.stored.get(0)).toEqual(["a", "b"]);
    const other = (await start({ batchMessagesMax: 1 }, broker)).producer;
    broker.onSend = (send) => send.refuse("Unauthorized");
    const writer = other.writable.getWriter();
    await writer.write({ value: "c", partitionId: 0 });
    expect(await rejection(writer.close())).toMatchObject({ name: "SendError" });
  });
});

describe("the end", () => {
  test("close flushes, then nothing is taken; what is not acknowledged in time fails", async () => {
    const { broker, producer } = await start();
    const sent = producer.send({ value: "a", partitionId: 0 });
    await producer.close();
    expect((await sent).partitionId).toBe(0);
    expect(await rejection(producer.send({ value: "b" }))).toBeInstanceOf(TypeError);
    await producer.close();

    const late = (await start({}, broker)).producer;
    await late.send({ value: "-", partitionId: 0 });
    const held = hold(broker);
    const lost = rejection(late.send({ value: "c", partitionId: 0 }));
    await until(() => held.length === 1);
    await late.close({ timeoutMs: 20 });
    expect(await lost).toMatchObject({ name: "SendError", isUncertain: true });
  });

  test("the client closes its producers first; a signal ends one at once, with its reason", async () => {
    const { broker, client, topic, producer } = await start();
    const sent = producer.send({ value: "a", partitionId: 0 });
    const controller = new AbortController();
    const aborted = topic.producer({ signal: controller.signal });
    const held = hold(broker);
    const lost = rejection(aborted.send({ value: "b", partitionId: 1 }));
    await until(() => held.some(({ texts }) => texts[0] === "b"));
    const reason = new Error("stop");
    controller.abort(reason);
    expect(await lost).toBe(reason);
    expect(await rejection(aborted.send({ value: "c" }))).toBe(reason);
    broker.onSend = undefined;
    for (const send of held) send.answer();
    await client.close();
    expect((await sent).partitionId).toBe(0);
    expect(broker.connections.every(({ isClosed }) => isClosed)).toBe(true);
  });
});
