// The reader: nothing stored, ends at the head if it is told to, goes on from a position.
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Position } from "../../../src/client/consumer/options.ts";
import type { ReaderEngine } from "../../../src/client/consumer/reader-engine.ts";
import { names, Scene, testOverSources } from "./support.ts";

async function all(reader: ReaderEngine<string>): Promise<string[]> {
  const values: string[] = [];
  for await (const { value } of reader) values.push(value);
  return values;
}

for (const count of [0, 1, 2, 37, 2_500]) {
  testOverSources(
    `without \`follow\` the ${count} messages that were there at the start, and the end`,
    async (source) => {
      const scene = new Scene(2, source);
      scene.topic.append(1, count);
      const { reader, connection } = scene.reader({ follow: false });
      const reading = all(reader);
      await scene.time.advance(7); // it has looked where the head is
      scene.topic.append(0, 3);
      scene.topic.append(1, 3);
      expect(await scene.time.resultOf(reading)).toEqual(names(1, 0, count));
      await scene.time.resultOf(reader.close());
      expect(scene.stored(1, "reader")).toBeUndefined();
      expect(connection.counts.get("store")).toBeUndefined();
      expect([connection.isClosed, scene.time.sleepersCount]).toEqual([true, 0]);
    },
  );
}

testOverSources(
  "any stops and starts from its position, through JSON: every message once, in order",
  async (source) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(30), { minLength: 1, maxLength: 3 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 8 }),
        async (counts, stops) => {
          const scene = new Scene(counts.length, source);
          for (const [partitionId, count] of counts.entries()) scene.topic.append(partitionId, count);
          let position: Position = {};
          const seen: string[] = [];
          for (const stop of stops) {
            const { reader } = scene.reader({ from: position });
            const loop = reader[Symbol.asyncIterator]();
            const total = counts.reduce((sum, count) => sum + count, 0);
            seen.push(...(await scene.next(loop, Math.min(stop, total - seen.length))));
            // Before the first message is there a reader does not know its partitions.
            if (seen.length > 0) position = JSON.parse(JSON.stringify({ ...position, ...reader.position() }));
            await scene.time.resultOf(reader.close());
          }
          const { reader } = scene.reader({ from: position, follow: false });
          seen.push(...(await scene.time.resultOf(all(reader))));
          for (const [partitionId, count] of counts.entries()) {
            expect(seen.filter((name) => name.startsWith(`0/${partitionId}/`))).toEqual(names(partitionId, 0, count));
          }
        },
      ),
      { numRuns: 60 },
    );
  },
);

testOverSources("follows what is sent later, from `new`, a time or an offset", async (source) => {
  const scene = new Scene(1, source);
  scene.topic.append(0, 5);
  const newest = scene.reader({ from: "new" }).reader;
  const some = scene.reader({ from: { offset: 3 }, partitions: [0] }).reader;
  const loops = [newest[Symbol.asyncIterator](), some[Symbol.asyncIterator]()];
  const waiting = loops[0]!.next();
  await scene.time.advance(1_000);
  expect(newest.position()).toEqual({ 0: 5 });
  const timed = scene.reader({ from: { timestamp: new Date(500) } }).reader;
  const timedWaiting = timed[Symbol.asyncIterator]().next();
  await scene.time.advance(50);
  expect(timed.position()).toEqual({ 0: 5 });
  scene.topic.append(0, 1);
  expect(await scene.time.resultOf(waiting)).toMatchObject({ value: { value: "0/0/5" } });
  expect(await scene.time.resultOf(timedWaiting)).toMatchObject({ value: { value: "0/0/5" } });
  expect(await scene.next(loops[1]!, 3)).toEqual(names(0, 3, 3));
  await scene.time.resultOf(Promise.all([newest, some, timed].map((reader) => reader.close())));
  expect(scene.time.sleepersCount).toBe(0);
});

testOverSources("ends without an error by `close`, with the reason by a signal", async (source) => {
  const scene = new Scene(1, source);
  const closed = scene.reader().reader;
  const waiting = closed[Symbol.asyncIterator]().next();
  await scene.time.advance(300);
  await scene.time.resultOf(closed.close());
  expect(await scene.time.resultOf(waiting)).toEqual({ done: true, value: undefined });
  const stop = new AbortController();
  const aborted = scene.reader({ signal: stop.signal }).reader;
  const other = aborted[Symbol.asyncIterator]().next();
  await scene.time.advance(300);
  const reason = new Error("enough");
  stop.abort(reason);
  expect(await scene.time.errorOf(other)).toBe(reason);
  await scene.time.resultOf(aborted.close());
  expect(scene.time.sleepersCount).toBe(0);
});

test("a position that is none is a TypeError", () => {
  const scene = new Scene(1);
  for (const from of [{ 0: -1 }, { 0: 1.5 }, { offset: -1 }]) expect(() => scene.reader({ from })).toThrow(TypeError);
});
