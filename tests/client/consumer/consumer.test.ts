// The consumer over a simulated topic: what counts as handled, when it is stored, what a loop sees of moves, losses and ends.
import { describe, expect, test } from "bun:test";
import type { ConsumerEvent } from "../../../src/client/consumer/options.ts";
import { names, Scene } from "./support.ts";

const kinds = (events: readonly ConsumerEvent[]) => events.map(({ kind }) => kind);

describe("a loop", () => {
  test("is given every message in order, and each is handled when the next one is asked for", async () => {
    const scene = new Scene(1);
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
  });

  test("that is left by `break` or an exception has not handled what it had in hand: it comes again", async () => {
    const scene = new Scene(1);
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
  });

  test("has handled what it committed, also when it is left", async () => {
    const scene = new Scene(1);
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

  test("over batches: handled when the next one is asked for", async () => {
    const scene = new Scene(2);
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

  test("is the only one at a time", async () => {
    const scene = new Scene(1);
    const { consumer } = scene.consumer();
    const loop = consumer[Symbol.asyncIterator]();
    expect(() => consumer.batches()).toThrow(TypeError);
    expect(() => consumer.run(() => undefined)).toThrow(TypeError);
    await loop.return?.();
    consumer.batches();
    await scene.time.resultOf(consumer.close());
  });

  test("throws for a value that does not decode, again and again; or passes it over with an event", async () => {
    const scene = new Scene(1);
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
  });
});

describe("commits", () => {
  test("`handled` stores by time and by count", async () => {
    const scene = new Scene(1);
    scene.topic.append(0, 100);
    const { consumer, connection } = scene.consumer({ name: "n", commit: { everyMs: 500, everyMessages: 40 } });
    const loop = consumer[Symbol.asyncIterator]();
    await scene.next(loop, 11);
    expect(scene.stored(0, "n")).toBeUndefined();
    await scene.time.advance(600);
    expect(scene.stored(0, "n")).toBe(9);
    await scene.next(loop, 40);
    await scene.time.advance(5);
    expect(scene.stored(0, "n")).toBe(49);
    expect(connection.counts.get("store")).toBe(2);
    await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
  });

  test("`each` stores before the next one is given", async () => {
    const scene = new Scene(1);
    scene.topic.append(0, 5);
    const { consumer } = scene.consumer({ name: "n", commit: "each" });
    const loop = consumer[Symbol.asyncIterator]();
    for (let offset = 0; offset < 5; offset++) {
      await scene.next(loop, 1);
      expect(scene.stored(0, "n")).toBe(offset === 0 ? undefined : offset - 1);
    }
    await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
  });

  test("`manual` stores what `commit` says, and nothing else", async () => {
    const scene = new Scene(1);
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

  test("`before-delivery` stores with the poll", async () => {
    const scene = new Scene(1);
    scene.topic.append(0, 5);
    const { consumer, connection } = scene.consumer({ name: "n", commit: "before-delivery" });
    await scene.next(consumer[Symbol.asyncIterator](), 1);
    expect(scene.stored(0, "n")).toBe(4);
    expect(connection.counts.get("store")).toBeUndefined();
    await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
  });

  test("a refused one is an event, and `commit` throws it", async () => {
    const scene = new Scene(1);
    scene.topic.append(0, 50);
    const { consumer, events } = scene.consumer({ name: "n" });
    await scene.next(consumer[Symbol.asyncIterator](), 20);
    scene.topic.purge();
    expect(await scene.time.errorOf(consumer.commit())).toMatchObject({ errorName: "InvalidOffset" });
    expect(kinds(events)).toContain("commit-failed");
    await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
  });
});

describe("a group", () => {
  test("hands a partition over in two seconds, after what is in hand, without a repeat", async () => {
    const scene = new Scene(2);
    const seen: string[] = [];
    const listened: string[] = [];
    const work = async ({ consumer }: ReturnType<Scene["consumer"]>, name: string) => {
      for await (const { value } of consumer) {
        seen.push(`${name} ${value}`);
        await scene.time.wait(300);
      }
    };
    const listen = (kind: string) => async (ids: readonly number[]) => {
      listened.push(`${kind} ${ids}`);
      await scene.time.wait(50);
    };
    const ana = scene.consumer({
      group: "group",
      onAssigned: listen("assigned"),
      onRevoking: listen("revoking"),
      onLost: listen("lost"),
    });
    for (const partitionId of [0, 1]) scene.topic.append(partitionId, 40);
    const loops = [work(ana, "ana")];
    await scene.time.advance(1_450);
    const ben = scene.consumer();
    loops.push(work(ben, "ben"));
    await scene.time.until("the handover", () => scene.topic.ownerOf(1) === ben.connection.clientId, 3_500);
    expect(listened).toEqual(["assigned 0,1", "revoking 1"]);
    await scene.time.until("all", () => seen.length === 80);
    const values = seen.map((text) => text.slice(4));
    expect(new Set(values).size).toBe(80);
    expect(seen.filter((text) => text.startsWith("ben")).length).toBeGreaterThan(20);
    expect(kinds(ana.events)).not.toContain("lost");
    await scene.time.resultOf(Promise.all([ana.consumer.close(), ben.consumer.close(), ...loops]));
    expect(scene.time.sleepersCount).toBe(0);
  });

  test("polls no more than was handled in the last second", async () => {
    const scene = new Scene(1);
    scene.topic.append(0, 10_000);
    const { consumer, connection } = scene.consumer();
    const loop = consumer[Symbol.asyncIterator]();
    for (let count = 0; count < 5; count++) {
      await scene.next(loop, 1);
      await scene.time.advance(2_000);
    }
    expect(Math.max(...connection.polls.map(({ count }) => count))).toBe(1);
    await scene.next(loop, 3_000);
    const counts = connection.polls.map(({ count }) => count);
    expect(Math.max(...counts)).toBeGreaterThan(200);
    expect(Math.max(...counts)).toBeLessThanOrEqual(1_000);
    await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
  });

  test("takes a partition away that is given to another member at once: the rest is dropped, a handler is told", async () => {
    const scene = new Scene(2);
    const lost: number[][] = [];
    const ana = scene.consumer({
      group: "group",
      onLost: (ids) => {
        lost.push([...ids]);
      },
    });
    let signal: AbortSignal | undefined;
    scene.topic.append(1, 100);
    const running = ana.consumer.run(async (message, given) => {
      if (message.offset < 50) return;
      signal ??= given;
      await scene.time.wait(60_000, given);
    });
    await scene.time.until("the message that takes long", () => signal !== undefined);
    const others = [scene.topic.newClientId(), scene.topic.newClientId()];
    for (const id of others) scene.topic.join(id);
    scene.topic.leave(others[0]!); // gives out everything anew: partition 1 goes to the other one
    expect(scene.topic.ownerOf(1)).toBe(others[1]!);
    await scene.time.until("the loss", () => lost.length > 0, 2_600);
    expect(lost).toEqual([[1]]);
    expect(signal!.aborted).toBe(true);
    expect([...ana.consumer.partitions.keys()]).toEqual([0]);
    await scene.time.resultOf(Promise.all([ana.consumer.close(), running]));
  });

  test("comes back after a cut: joins, stores what was handled, goes on behind it", async () => {
    const scene = new Scene(1);
    scene.topic.append(0, 100);
    const { consumer, connection, events } = scene.consumer();
    const loop = consumer[Symbol.asyncIterator]();
    await scene.next(loop, 11);
    connection.cut();
    expect(await scene.next(loop, 1)).toHaveLength(1); // what lies ready, until the loss is known
    await scene.time.until("the way back", () => kinds(events).includes("rejoined"));
    expect(scene.stored(0)).toBeGreaterThanOrEqual(10);
    const rest = await scene.next(loop, 89);
    expect(rest.at(0)).toBe("0/0/11"); // it was in hand
    expect(rest.at(-1)).toBe("0/0/99");
    expect(kinds(events)).toEqual(expect.arrayContaining(["assigned", "disconnected", "lost", "rejoined"]));
    await scene.time.resultOf(Promise.all([consumer.close(), loop.next()]));
  });

  test("gives up after half a minute without an answer, with the reason", async () => {
    const scene = new Scene(1);
    const { consumer, connection } = scene.consumer();
    connection.isDown = true;
    const loop = consumer[Symbol.asyncIterator]();
    expect(await scene.time.errorOf(loop.next(), 60_000)).toMatchObject({ errorName: "Disconnected" });
    expect(scene.time.nowMs()).toBeGreaterThan(30_000);
    await scene.time.resultOf(consumer.close());
    expect(scene.time.sleepersCount).toBe(0);
  });

  test("stores where `new` begins: what is sent while nobody reads comes to the next member", async () => {
    const scene = new Scene(1);
    scene.topic.append(0, 5);
    const ana = scene.consumer({ group: "group", start: "new" });
    const loop = ana.consumer[Symbol.asyncIterator]();
    const waiting = loop.next();
    await scene.time.advance(100);
    expect(scene.stored(0)).toBe(4);
    await scene.time.resultOf(Promise.all([ana.consumer.close(), waiting]));
    scene.topic.append(0, 1);
    const ben = scene.consumer({ group: "group", start: "new" });
    expect(await scene.next(ben.consumer[Symbol.asyncIterator](), 1)).toEqual(["0/0/5"]);
    await scene.time.resultOf(ben.consumer.close({ timeoutMs: 10 }));
  });
});

describe("positions", () => {
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
    expect(rest.filter((name) => name.startsWith("0/1"))).toEqual(
      names(0, 0, 30).map((n) => n.replace("0/0/", "0/1/")),
    );
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
});

describe("the end", () => {
  test("by `close` comes after the message in hand, commits and leaves; again it does nothing", async () => {
    const scene = new Scene(1);
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
  });

  test("by `close` does not wait longer than its time", async () => {
    const scene = new Scene(1);
    scene.topic.append(0, 9);
    const { consumer, connection } = scene.consumer();
    const loop = consumer[Symbol.asyncIterator]();
    await scene.next(loop, 1);
    await scene.time.resultOf(consumer.close({ timeoutMs: 200 }), 300);
    expect(connection.isClosed).toBe(true);
    expect(scene.time.sleepersCount).toBe(0);
  });

  test("by a signal: the loop throws its reason, what was handled is stored", async () => {
    const scene = new Scene(1);
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

  test("of a consumer that never began sends nothing", async () => {
    const scene = new Scene(1);
    const { consumer, connection } = scene.consumer();
    await scene.time.resultOf(consumer.close());
    expect([...connection.counts.keys()]).toEqual([]);
  });

  test("a listener that throws ends the loop with its error", async () => {
    const scene = new Scene(1);
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
