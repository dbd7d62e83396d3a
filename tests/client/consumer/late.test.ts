// What is asked of a consumer before its engine is loaded: carried out then, in order, and told where that fails.
import { expect, test } from "bun:test";
import { Consumer } from "../../../src/client/consumer/consumer.ts";
import type { ConsumerEngine } from "../../../src/client/consumer/consumer-engine.ts";
import { Late } from "../../../src/client/consumer/late.ts";
import { Reader } from "../../../src/client/consumer/reader.ts";
import type { ReaderEngine } from "../../../src/client/consumer/reader-engine.ts";
import { names, Scene } from "./support.ts";

function pending<T extends object>() {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  return { late: new Late(promise), resolve, reject };
}

test("calls wait for it and are carried out in their order; the loop goes on as if it had been there", async () => {
  const scene = new Scene(2);
  for (const partitionId of [0, 1]) scene.topic.append(partitionId, 3);
  const { late, resolve } = pending<ConsumerEngine<string>>();
  const consumer = new Consumer(late);
  consumer.pause();
  consumer.resume([0]);
  const events = consumer.events();
  const loop = consumer[Symbol.asyncIterator]();
  const first = loop.next();
  await scene.time.advance(1_000);
  expect(consumer.partitions.size).toBe(0);
  resolve(scene.consumer({ name: "audit" }).consumer);
  expect(await scene.time.resultOf(first)).toMatchObject({ done: false, value: { value: "0/0/0" } });
  expect(await scene.next(loop, 2)).toEqual(names(0, 1, 2));
  expect(await events.next()).toMatchObject({ value: { kind: "assigned", partitionIds: [0, 1] } });
  expect(consumer.partitions.get(1)?.isPaused).toBe(true);
  // There by now: what makes no sense is told as it was then.
  expect(await scene.time.errorOf(consumer.run(() => undefined))).toBeInstanceOf(TypeError);
  await scene.time.resultOf(Promise.all([consumer.close(), loop.next()]));
  expect(scene.stored(0, "audit")).toBe(2);
});

test("a consumer that is closed before it is there never asks for anything, and its loop ends", async () => {
  const scene = new Scene(1);
  scene.topic.append(0, 1);
  const { late, resolve } = pending<ConsumerEngine<string>>();
  const consumer = new Consumer(late);
  const closing = consumer.close();
  const first = consumer[Symbol.asyncIterator]().next();
  const { consumer: engine, connection } = scene.consumer();
  resolve(engine);
  await scene.time.resultOf(closing);
  expect(await scene.time.resultOf(first)).toEqual({ done: true, value: undefined });
  expect([...connection.counts.keys()]).toEqual([]);
});

test("one loop at a time, also of those that began too early: the second one rejects", async () => {
  const scene = new Scene(1);
  scene.topic.append(0, 1);
  const { late, resolve } = pending<ReaderEngine<string>>();
  const reader = new Reader(late);
  const [one, other] = [reader[Symbol.asyncIterator](), reader[Symbol.asyncIterator]()];
  const [first, second] = [one.next(), other.next().catch((error: unknown) => error)];
  expect(reader.position()).toEqual({});
  resolve(scene.reader().reader);
  expect(await scene.time.resultOf(first)).toMatchObject({ value: { value: "0/0/0" } });
  expect(await second).toBeInstanceOf(TypeError);
  await one.return?.();
  await scene.time.resultOf(reader.close());
});

test("where it cannot be loaded whoever asks for something is told", async () => {
  const { late, reject } = pending<ConsumerEngine<string>>();
  const consumer = new Consumer(late);
  consumer.pause();
  const asked = [
    consumer.run(() => undefined),
    consumer.commit(),
    consumer[Symbol.asyncIterator]().next(),
    consumer.events().next(),
    consumer.close(),
  ];
  const cause = new Error("offline");
  reject(cause);
  const outcomes = await Promise.allSettled(asked);
  expect(outcomes).toEqual(asked.map(() => ({ status: "rejected", reason: cause })));
});
