// Where a consumer reads: seeks, gaps, purges, pauses, partitions that are added.
import { expect, test } from "bun:test";
import type { ConsumerEvent } from "../../../src/client/consumer/options.ts";
import { names, Scene } from "./support.ts";

const kinds = (events: readonly ConsumerEvent[]) => events.map(({ kind }) => kind);

test("`seek` drops what lies ready and goes on there; in a group it is stored", async () => {
  const scene = new Scene(1);
  scene.topic.append(0, 100);
  const { consumer } = scene.consumer();
  const loop = consumer[Symbol.asyncIterator]();
  await scene.next(loop, 50);
  await scene.time.resultOf(consumer.seek({ offset: 10 }));
  expect(scene.stored(0)).toBe(9);
  expect(await scene.next(loop, 3)).toEqual(names(0, 10, 3));
  await scene.time.resultOf(consumer.seek("first", [0]));
  expect(scene.stored(0)).toBeUndefined();
  expect(await scene.next(loop, 2)).toEqual(names(0, 0, 2));
  await scene.time.resultOf(consumer.seek("new"));
  expect(scene.stored(0)).toBe(99);
  const waiting = loop.next();
  await scene.time.advance(100);
  scene.topic.append(0, 1);
  expect(await scene.time.resultOf(waiting)).toMatchObject({ value: { offset: 100 } });
  expect(await scene.time.errorOf(consumer.seek("first", [7]))).toBeInstanceOf(TypeError);
  await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
});

test("a time is found, also where nothing is stored", async () => {
  const scene = new Scene(1);
  scene.topic.append(0, 3);
  await scene.time.advance(5_000);
  scene.topic.append(0, 3);
  const { consumer } = scene.consumer({ name: "n", start: { timestamp: new Date(2_000) } });
  expect(await scene.next(consumer[Symbol.asyncIterator](), 3)).toEqual(names(0, 3, 3));
  await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
});

test("what retention removed is a gap, a purge is a reset and goes on with `start`", async () => {
  const scene = new Scene(1);
  scene.topic.append(0, 20);
  const { consumer, events } = scene.consumer({ name: "n", prefetch: { messages: 10 } });
  const loop = consumer[Symbol.asyncIterator]();
  await scene.next(loop, 5);
  scene.topic.append(0, 180);
  scene.topic.retain(0, 20);
  const rest = await scene.next(loop, 25);
  expect(rest.at(-1)).toBe("0/0/199");
  const gap = events.find(({ kind }) => kind === "gap");
  expect(gap).toMatchObject({ partitionId: 0, toOffset: 179 });
  const waiting = loop.next();
  await scene.time.advance(200);
  scene.topic.purge();
  await scene.time.advance(200);
  expect(events).toContainEqual({ kind: "reset", partitionId: 0, fromOffset: 200, toOffset: 0 });
  scene.topic.append(0, 2);
  expect(await scene.time.resultOf(waiting)).toMatchObject({ value: { value: "1/0/0", isRepeat: false } });
  expect(await scene.next(loop, 1)).toEqual(["1/0/1"]);
  await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
});

test("a purge is found where there was one message, also if there is one again", async () => {
  const scene = new Scene(1);
  scene.topic.append(0, 1);
  const { consumer, events } = scene.consumer();
  const loop = consumer[Symbol.asyncIterator]();
  expect(await scene.next(loop, 1)).toEqual(["0/0/0"]);
  let waiting = loop.next();
  await scene.time.advance(3_000);
  expect(kinds(events)).not.toContain("reset");
  scene.topic.purge();
  await scene.time.advance(2_000);
  expect(kinds(events)).toContain("reset");
  scene.topic.append(0, 1);
  expect(await scene.time.resultOf(waiting)).toMatchObject({ value: { value: "1/0/0" } });
  waiting = loop.next();
  await scene.time.advance(3_000);
  scene.topic.purge();
  scene.topic.append(0, 1);
  expect(await scene.time.resultOf(waiting, 2_000)).toMatchObject({ value: { value: "2/0/0" } });
  await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
});

test("paused partitions give nothing until they are resumed, and then all", async () => {
  const scene = new Scene(2);
  for (const partitionId of [0, 1]) scene.topic.append(partitionId, 30);
  const { consumer } = scene.consumer({ name: "n" });
  const loop = consumer[Symbol.asyncIterator]();
  await scene.next(loop, 1);
  consumer.pause([1]);
  const seen = await scene.next(loop, 20);
  expect(seen.filter((name) => name.startsWith("0/1"))).toEqual([]);
  expect(consumer.partitions.get(1)!.isPaused).toBe(true);
  consumer.pause();
  const waiting = loop.next();
  await scene.time.advance(500);
  consumer.resume();
  const rest = [(await scene.time.resultOf(waiting)).value.value, ...(await scene.next(loop, 38))];
  expect(rest.filter((name) => name.startsWith("0/1"))).toEqual(names(0, 0, 30).map((n) => n.replace("0/0/", "0/1/")));
  await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
});

test("a consumer by name finds partitions that are added", async () => {
  const scene = new Scene(1);
  const { consumer, events } = scene.consumer({ name: "n" });
  const loop = consumer[Symbol.asyncIterator]();
  const waiting = loop.next();
  await scene.time.advance(1_000);
  scene.topic.addPartitions(1);
  scene.topic.append(1, 1);
  await scene.time.advance(61_000);
  expect(await scene.time.resultOf(waiting)).toMatchObject({ value: { partitionId: 1 } });
  expect(events).toContainEqual({ kind: "assigned", partitionIds: [1] });
  await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
});
