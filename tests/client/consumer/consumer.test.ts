// The consumer over a simulated topic: what counts as handled, when it is stored, what a loop sees of moves, losses and ends.
import { describe, expect, test } from "bun:test";
import type { ConsumerEvent } from "../../../src/client/consumer/options.ts";
import { names, Scene, testOverSources } from "./support.ts";

const kinds = (events: readonly ConsumerEvent[]) => events.map(({ kind }) => kind);

describe("a loop", () => {
  testOverSources(
    "is given every message in order, and each is handled when the next one is asked for",
    async (source) => {
      const scene = new Scene(1, source);
      scene.topic.append(0, 30);
      const { consumer } = scene.consumer();
      const loop = consumer[Symbol.asyncIterator]();
      expect(await scene.next(loop, 30)).toEqual(names(0, 0, 30));
      expect(consumer.partitions.get(0)).toMatchObject({
        deliveredOffset: 29,
        handledOffset: 28,
        headOffset: 29,
        lag: 1,
      });
      const waiting = loop.next();
      await scene.time.advance(10);
      expect(scene.stored(0)).toBe(29); // before the loop waits
      scene.topic.append(0, 1);
      expect(await scene.time.resultOf(waiting)).toMatchObject({
        value: { value: "0/0/30", offset: 30, isRepeat: false },
      });
      await scene.time.resultOf(Promise.all([consumer.close(), loop.next()]));
      expect(scene.stored(0)).toBe(30);
      expect(scene.time.sleepersCount).toBe(0);
    },
  );

  testOverSources(
    "that is left by `break` or an exception has not handled what it had in hand: it comes again",
    async (source) => {
      const scene = new Scene(1, source);
      scene.topic.append(0, 9);
      const { consumer } = scene.consumer();
      const seen: [string, boolean][] = [];
      const loopUntil = async (last: string, error?: Error) => {
        for await (const { value, isRepeat } of consumer) {
          seen.push([value, isRepeat]);
          if (value !== last) continue;
          if (error) throw error;
          break;
        }
      };
      await scene.time.resultOf(loopUntil("0/0/1"));
      expect(await scene.time.errorOf(loopUntil("0/0/2", new Error("mine")))).toMatchObject({ message: "mine" });
      await scene.time.resultOf(loopUntil("0/0/3"));
      expect(seen).toEqual([
        ["0/0/0", false],
        ["0/0/1", false],
        ["0/0/1", true],
        ["0/0/2", false],
        ["0/0/2", true],
        ["0/0/3", false],
      ]);
      await scene.time.resultOf(consumer.close());
      expect(scene.stored(0)).toBe(2);
    },
  );

  testOverSources("has handled what it committed, also when it is left", async (source) => {
    const scene = new Scene(1, source);
    scene.topic.append(0, 5);
    const { consumer } = scene.consumer();
    const leave = async () => {
      for await (const message of consumer) {
        await consumer.commit(message);
        break;
      }
    };
    await scene.time.resultOf(leave());
    expect(scene.stored(0)).toBe(0);
    expect(await scene.next(consumer[Symbol.asyncIterator](), 1)).toEqual(["0/0/1"]);
    await scene.time.resultOf(consumer.close({ timeoutMs: 100 }));
  });

  testOverSources("does not come again to what was committed after it was left", async (source) => {
    const scene = new Scene(1, source);
    scene.topic.append(0, 9);
    const { consumer } = scene.consumer({ name: "n", commit: "manual" });
    const loop = consumer[Symbol.asyncIterator]();
    await scene.next(loop, 2);
    const { value: last } = await scene.time.resultOf(loop.next());
    await loop.return?.();
    expect(consumer.partitions.get(0)?.deliveredOffset).toBe(1);
    await scene.time.resultOf(consumer.commit(last));
    expect(scene.stored(0, "n")).toBe(2);
    expect(consumer.partitions.get(0)).toMatchObject({ deliveredOffset: 2, handledOffset: 2, committedOffset: 2 });
    expect(await scene.next(consumer[Symbol.asyncIterator](), 6)).toEqual(names(0, 3, 6));
    await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
  });

  testOverSources("over batches: handled when the next one is asked for", async (source) => {
    const scene = new Scene(2, source);
    for (const partitionId of [0, 1]) scene.topic.append(partitionId, 10);
    const { consumer } = scene.consumer({ name: "audit" });
    const loop = consumer.batches();
    const seen: string[] = [];
    for (let count = 0; count < 20; ) {
      const { value: batch } = await scene.time.resultOf(loop.next());
      expect([...batch].every(({ partitionId }) => partitionId === batch.partitionId)).toBe(true);
      expect([batch.firstOffset, batch.lastOffset]).toEqual([[...batch][0]!.offset, [...batch].at(-1)!.offset]);
      seen.push(...[...batch].map(({ value }) => value));
      count += batch.messagesCount;
    }
    expect(seen.toSorted()).toEqual([...names(0, 0, 10), ...names(1, 0, 10)].toSorted());
    await scene.time.resultOf(Promise.all([loop.next(), consumer.close()]));
    expect([scene.stored(0, "audit"), scene.stored(1, "audit")]).toEqual([9, 9]);
  });

  testOverSources("is the only one at a time", async (source) => {
    const scene = new Scene(1, source);
    const { consumer } = scene.consumer();
    const loop = consumer[Symbol.asyncIterator]();
    expect(() => consumer.batches()).toThrow(TypeError);
    expect(() => consumer.run(() => undefined)).toThrow(TypeError);
    await loop.return?.();
    consumer.batches();
    await scene.time.resultOf(consumer.close());
  });

  testOverSources(
    "throws for a value that does not decode, again and again; or passes it over with an event",
    async (source) => {
      const scene = new Scene(1, source);
      scene.topic.append(0, 1);
      scene.topic.append(0, 1, [], "bad");
      scene.topic.append(0, 1);
      const strict = scene.consumer({ name: "strict" });
      for (let time = 0; time < 2; time++) {
        const loop = strict.consumer[Symbol.asyncIterator]();
        if (time === 0) await scene.next(loop, 1);
        expect(await scene.time.errorOf(loop.next())).toMatchObject({ message: "not a value" });
      }
      await scene.time.resultOf(strict.consumer.close());
      expect(scene.stored(0, "strict")).toBe(0);
      const lenient = scene.consumer({ name: "lenient", onInvalid: "skip" });
      expect(await scene.next(lenient.consumer[Symbol.asyncIterator](), 2)).toEqual(["0/0/0", "0/0/2"]);
      await scene.time.advance(1);
      expect(lenient.events).toContainEqual(expect.objectContaining({ kind: "invalid", offset: 1 }));
      await scene.time.resultOf(lenient.consumer.close({ timeoutMs: 10 }));
    },
  );
});

describe("commits", () => {
  testOverSources("`handled` stores by time and by count", async (source) => {
    const scene = new Scene(1, source);
    scene.topic.append(0, 100);
    const { consumer, connection } = scene.consumer({ name: "n", commit: { everyMs: 500, everyMessages: 40 } });
    const loop = consumer[Symbol.asyncIterator]();
    // Where a push brings one message at first, the loop waits for the second one, and stores before it does.
    await scene.next(loop, 2);
    await scene.time.advance(600);
    const before = connection.counts.get("store")!;
    await scene.next(loop, 9);
    await scene.time.advance(5);
    expect(scene.stored(0, "n")).toBe(0);
    await scene.time.advance(600);
    expect(scene.stored(0, "n")).toBe(9);
    await scene.next(loop, 40);
    await scene.time.advance(5);
    expect(scene.stored(0, "n")).toBe(49);
    expect(connection.counts.get("store")).toBe(before + 2);
    await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
  });

  testOverSources("`each` stores before the next one is given", async (source) => {
    const scene = new Scene(1, source);
    scene.topic.append(0, 5);
    const { consumer } = scene.consumer({ name: "n", commit: "each" });
    const loop = consumer[Symbol.asyncIterator]();
    for (let offset = 0; offset < 5; offset++) {
      await scene.next(loop, 1);
      expect(scene.stored(0, "n")).toBe(offset === 0 ? undefined : offset - 1);
    }
    await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
  });

  testOverSources("`manual` stores what `commit` says, and nothing else", async (source) => {
    const scene = new Scene(1, source);
    scene.topic.append(0, 50);
    const { consumer, connection, events } = scene.consumer({ name: "n", commit: "manual" });
    const loop = consumer[Symbol.asyncIterator]();
    await scene.next(loop, 20);
    await scene.time.advance(5_000);
    expect(connection.counts.get("store")).toBeUndefined();
    await scene.time.resultOf(consumer.commit());
    expect(scene.stored(0, "n")).toBe(18);
    const { value } = await scene.time.resultOf(loop.next());
    await scene.time.resultOf(consumer.commit(value));
    expect(scene.stored(0, "n")).toBe(20);
    expect(events).toContainEqual({ kind: "committed", offsets: new Map([[0, 20]]) });
    await scene.time.resultOf(Promise.all([loop.next(), consumer.close()]));
    expect(scene.stored(0, "n")).toBe(20);
  });

  testOverSources("`before-delivery` stores with the poll or the push", async (source) => {
    const scene = new Scene(1, source);
    scene.topic.append(0, 5);
    const { consumer, connection } = scene.consumer({ name: "n", commit: "before-delivery" });
    await scene.next(consumer[Symbol.asyncIterator](), 1);
    await scene.time.advance(10); // a second push, after one of one message
    expect(scene.stored(0, "n")).toBe(4);
    expect(connection.counts.get("store")).toBeUndefined();
    await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
  });

  testOverSources("a refused one is an event, and `commit` throws it", async (source) => {
    const scene = new Scene(1, source);
    scene.topic.append(0, 50);
    const { consumer, events } = scene.consumer({ name: "n" });
    await scene.next(consumer[Symbol.asyncIterator](), 20);
    scene.topic.purge();
    expect(await scene.time.errorOf(consumer.commit())).toMatchObject({ errorName: "InvalidOffset" });
    expect(kinds(events)).toContain("commit-failed");
    await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
  });
});

describe("the end", () => {
  testOverSources(
    "by `close` comes after the message in hand, commits and leaves; again it does nothing",
    async (source) => {
      const scene = new Scene(1, source);
      scene.topic.append(0, 9);
      const { consumer, connection } = scene.consumer();
      const loop = consumer[Symbol.asyncIterator]();
      await scene.next(loop, 3);
      const closing = consumer.close();
      await scene.time.advance(500);
      expect(scene.topic.members).toHaveLength(1);
      expect(await scene.time.resultOf(loop.next())).toEqual({ done: true, value: undefined });
      await scene.time.resultOf(closing);
      await consumer.close();
      expect(scene.stored(0)).toBe(2);
      expect(scene.topic.members).toHaveLength(0);
      expect(connection.isClosed).toBe(true);
      expect(connection.counts.get("leave")).toBe(1);
      expect(scene.time.sleepersCount).toBe(0);
    },
  );

  testOverSources("by `close` does not wait longer than its time", async (source) => {
    const scene = new Scene(1, source);
    scene.topic.append(0, 9);
    const { consumer, connection } = scene.consumer();
    const loop = consumer[Symbol.asyncIterator]();
    await scene.next(loop, 1);
    await scene.time.resultOf(consumer.close({ timeoutMs: 200 }), 300);
    expect(connection.isClosed).toBe(true);
    expect(scene.time.sleepersCount).toBe(0);
  });

  testOverSources("by a signal: the loop throws its reason, what was handled is stored", async (source) => {
    const scene = new Scene(1, source);
    scene.topic.append(0, 9);
    const stop = new AbortController();
    const { consumer, connection } = scene.consumer({ group: "group", signal: stop.signal });
    const loop = consumer[Symbol.asyncIterator]();
    await scene.next(loop, 3);
    const reason = new Error("enough");
    stop.abort(reason);
    expect(await scene.time.errorOf(loop.next())).toBe(reason);
    await scene.time.resultOf(consumer.close());
    expect(scene.stored(0)).toBe(2);
    expect([connection.isClosed, scene.time.sleepersCount]).toEqual([true, 0]);
  });

  testOverSources("of a consumer that never began sends nothing", async (source) => {
    const scene = new Scene(1, source);
    const { consumer, connection } = scene.consumer();
    await scene.time.resultOf(consumer.close());
    expect([...connection.counts.keys()]).toEqual([]);
  });

  testOverSources("a listener that throws ends the loop with its error", async (source) => {
    const scene = new Scene(1, source);
    const { consumer } = scene.consumer({
      group: "group",
      onAssigned: () => {
        throw new Error("not ready");
      },
    });
    expect(await scene.time.errorOf(consumer[Symbol.asyncIterator]().next())).toMatchObject({ message: "not ready" });
    await scene.time.resultOf(consumer.close());
  });
});

test("options that make no sense are TypeErrors", () => {
  const scene = new Scene(1);
  expect(() => scene.consumer({ group: "g", start: { offset: -1 } })).toThrow(TypeError);
  expect(() => scene.consumer({ group: "g", start: { timestamp: new Date(Number.NaN) } })).toThrow(TypeError);
});
