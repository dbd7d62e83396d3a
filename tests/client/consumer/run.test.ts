// `run`: handlers side by side, what happens to messages that fail, and what is committed meanwhile.
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { DeadLetter } from "../../../src/client/consumer/dead-letter.ts";
import type { ErrorPolicy } from "../../../src/client/consumer/run.ts";
import { HandlerError } from "../../../src/client/errors.ts";
import { headerString } from "../../../src/protocol/user-headers.ts";
import { names, Scene, testOverSources } from "./support.ts";

type Repeats = Exclude<ErrorPolicy<string>, string | ((...parameters: never[]) => unknown)>;

function after(repeats: Omit<Repeats, "then">, outcome: Repeats["then"]): Repeats {
  // biome-ignore lint/suspicious/noThenProperty: the option's name; it is no function, so nobody takes it for a promise
  return { ...repeats, then: outcome };
}

testOverSources("partitions are handled side by side, each in order", async (source) => {
  const scene = new Scene(3, source);
  for (const partitionId of [0, 1, 2]) scene.topic.append(partitionId, 10);
  const { consumer } = scene.consumer({ name: "n" });
  const seen: string[] = [];
  let busy = 0;
  let busyMax = 0;
  const running = consumer.run(async ({ value }) => {
    busyMax = Math.max(busyMax, ++busy);
    await scene.time.wait(20);
    busy--;
    seen.push(value);
  });
  await scene.time.until("all", () => seen.length === 30, 1_000);
  expect(busyMax).toBe(3);
  for (const id of [0, 1, 2]) expect(seen.filter((name) => name.startsWith(`0/${id}/`))).toEqual(names(id, 0, 10));
  await scene.time.resultOf(Promise.all([consumer.close(), running]));
  expect([0, 1, 2].map((id) => scene.stored(id, "n"))).toEqual([9, 9, 9]);
  expect(scene.time.sleepersCount).toBe(0);
});

testOverSources(
  "with `orderBy`: any keys, times and failures: order by key, never more than `concurrency`, commits behind the oldest",
  async (source) => {
    const message = fc.record({ key: fc.nat(3), ms: fc.nat(50), failures: fc.nat(2) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 6 }),
        async (list, concurrency) => {
          const scene = new Scene(1, source);
          scene.topic.append(0, list.length);
          const { consumer } = scene.consumer({ name: "n", commit: { everyMs: 5, everyMessages: 1 } });
          const left = list.map(({ failures }) => failures);
          const done: number[] = [];
          let busy = 0;
          const running = consumer.run(
            async ({ offset }) => {
              expect(++busy).toBeLessThanOrEqual(concurrency);
              await scene.time.wait(list[offset]!.ms);
              busy--;
              if (left[offset]!-- > 0) throw new Error("not yet");
              done.push(offset);
              // Behind the oldest message that is not done nothing is stored.
              const oldest = list.findIndex((_, index) => !done.includes(index));
              if (oldest >= 0) expect(scene.stored(0, "n") ?? -1).toBeLessThan(oldest);
            },
            {
              concurrency,
              orderBy: ({ offset }) => String(list[offset]!.key),
              onError: after({ repeats: 2, minMs: 1, maxMs: 20 }, "stop"),
            },
          );
          await scene.time.until("all", () => done.length === list.length, 20_000);
          for (let key = 0; key <= 3; key++) {
            const own = done.filter((offset) => list[offset]!.key === key);
            expect(own).toEqual(own.toSorted((a, b) => a - b));
          }
          await scene.time.resultOf(Promise.all([consumer.close(), running]));
          expect(scene.stored(0, "n")).toBe(list.length - 1);
        },
      ),
      { numRuns: 60 },
    );
  },
);

testOverSources("a slow partition does not hold up the others, however much it has", async (source) => {
  const scene = new Scene(2, source);
  scene.topic.append(0, 5_000);
  const { consumer } = scene.consumer({ name: "n", prefetch: { messages: 100 } });
  let handled = 0;
  const stuck = new AbortController();
  const running = consumer.run(async ({ partitionId }) => {
    if (partitionId === 0) await scene.time.wait(1e6, stuck.signal);
    else handled++;
  });
  await scene.time.advance(1_000);
  scene.topic.append(1, 500);
  await scene.time.until("the other one", () => handled === 500, 5_000);
  stuck.abort();
  await scene.time.resultOf(Promise.all([consumer.close(), running]));
});

testOverSources(
  "by default the first failure stops it: nothing behind is committed, and it comes again",
  async (source) => {
    const scene = new Scene(1, source);
    scene.topic.append(0, 10);
    const { consumer } = scene.consumer({ name: "n" });
    const cause = new Error("no");
    const seen: number[] = [];
    const running = consumer.run(({ offset }) => {
      seen.push(offset);
      if (offset === 4) throw cause;
    });
    const error = await scene.time.resultOf(running.catch((thrown: unknown) => thrown));
    expect(error).toBeInstanceOf(HandlerError);
    expect(error).toMatchObject({ attempts: 1, cause, failed: { offset: 4 } });
    await scene.time.advance(10);
    expect(scene.stored(0, "n")).toBe(3);
    const again = consumer.run(({ offset }) => {
      seen.push(offset);
    });
    await scene.time.until("the rest", () => seen.at(-1) === 9, 1_000);
    expect(seen).toEqual([0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9]);
    await scene.time.resultOf(Promise.all([consumer.close(), again]));
  },
);

testOverSources("a function decides by attempt: repeat, skip, stop", async (source) => {
  const scene = new Scene(1, source);
  scene.topic.append(0, 4);
  const { consumer } = scene.consumer({ name: "n" });
  const attempts: string[] = [];
  const running = consumer.run(
    ({ offset }) => {
      attempts.push(`${offset}`);
      if (offset > 0) throw new Error(`no ${offset}`);
    },
    {
      onError: (_, { offset }, attempt) => (offset === 3 ? "stop" : attempt < 3 ? "repeat" : "skip"),
    },
  );
  expect(await scene.time.errorOf(running)).toMatchObject({ failed: { offset: 3 } });
  expect(attempts).toEqual(["0", "1", "1", "1", "2", "2", "2", "3"]);
  await scene.time.resultOf(consumer.close());
  expect(scene.stored(0, "n")).toBe(2);
});

testOverSources(
  "a dead letter carries bytes, headers and the reason, and is handled when it is stored",
  async (source) => {
    const scene = new Scene(1, source);
    scene.topic.append(0, 1, [{ key: headerString("trace"), value: headerString("abc") }]);
    scene.topic.append(0, 1, [], "bad");
    scene.topic.append(0, 1);
    const { consumer } = scene.consumer({ name: "n" });
    const letters: DeadLetter[] = [];
    const deadLetter = {
      async send(letter: DeadLetter) {
        await scene.time.wait(10);
        expect(scene.stored(0, "n") ?? -1).toBeLessThan(letters.length);
        letters.push(letter);
      },
    };
    let isDone = false;
    const running = consumer.run(
      ({ offset }) => {
        if (offset === 0) throw new RangeError("x".repeat(300));
        isDone = true;
      },
      { onError: after({ repeats: 1 }, { deadLetter }) },
    );
    await scene.time.until("the last one", () => isDone);
    expect(letters.map(({ value }) => new TextDecoder().decode(value))).toEqual(["0/0/0", "bad"]);
    const [first, second] = letters;
    expect(first!.headers).toMatchObject({
      trace: headerString("abc"),
      "dlq-stream": "shop",
      "dlq-topic": "orders",
      "dlq-partition": 0,
      "dlq-offset": 0,
      "dlq-attempts": 2,
    });
    expect(String(first!.headers["dlq-reason"])).toHaveLength(255);
    expect(second!.headers).toMatchObject({ "dlq-reason": "TypeError: not a value", "dlq-attempts": 2 });
    await scene.time.resultOf(Promise.all([consumer.close(), running]));
    expect(scene.stored(0, "n")).toBe(2);
  },
);

testOverSources("stops where a dead letter can not be sent", async (source) => {
  const scene = new Scene(1, source);
  scene.topic.append(0, 1);
  const { consumer } = scene.consumer({ name: "n" });
  const cause = new Error("full");
  const running = consumer.run(() => Promise.reject(new Error("no")), {
    onError: after({ repeats: 0 }, { deadLetter: { send: () => Promise.reject(cause) } }),
  });
  expect(await scene.time.errorOf(running)).toMatchObject({ name: "HandlerError", cause });
  await scene.time.resultOf(consumer.close());
  expect(scene.stored(0, "n")).toBeUndefined();
});

testOverSources("`close` waits for handlers, and ends the pause before a repeat", async (source) => {
  const scene = new Scene(2, source);
  for (const partitionId of [0, 1]) scene.topic.append(partitionId, 3);
  const { consumer } = scene.consumer();
  let done = 0;
  const running = consumer.run(
    async ({ partitionId }) => {
      if (partitionId === 1) throw new Error("later");
      await scene.time.wait(300);
      done++;
    },
    { onError: after({ repeats: 100, minMs: 1e6, maxMs: 1e7 }, "stop") },
  );
  await scene.time.advance(100);
  await scene.time.resultOf(Promise.all([consumer.close(), running]), 1_000);
  expect(done).toBe(1);
  expect([scene.stored(0), scene.stored(1)]).toEqual([0, undefined]);
  expect(scene.time.sleepersCount).toBe(0);
});

testOverSources("`close` gives back what waits behind the message in hand, however much that is", async (source) => {
  const scene = new Scene(1, source);
  scene.topic.append(0, 500);
  const { consumer } = scene.consumer({ name: "n" });
  let done = 0;
  const running = consumer.run(async () => {
    await scene.time.wait(100);
    done++;
  });
  await scene.time.advance(1_050);
  await scene.time.resultOf(Promise.all([consumer.close(), running]), 200);
  expect([done, scene.stored(0, "n")]).toEqual([11, 10]);
});

testOverSources("a signal ends it with its reason and tells the handlers", async (source) => {
  const scene = new Scene(1, source);
  scene.topic.append(0, 3);
  const stop = new AbortController();
  const { consumer } = scene.consumer({ group: "group", signal: stop.signal });
  let told: AbortSignal | undefined;
  const running = consumer.run(async (_, signal) => {
    told = signal;
    await scene.time.wait(1e6, signal);
  });
  await scene.time.until("a handler", () => told !== undefined);
  const reason = new Error("enough");
  stop.abort(reason);
  expect(await scene.time.errorOf(running)).toBe(reason);
  expect(told!.reason).toBe(reason);
  await scene.time.resultOf(consumer.close());
  expect(scene.time.sleepersCount).toBe(0);
});

test("a concurrency of nothing is a TypeError", () => {
  const scene = new Scene(1);
  expect(() => scene.consumer().consumer.run(() => undefined, { concurrency: 0 })).toThrow(TypeError);
});

testOverSources("an `orderBy` that throws stops it; the message comes again", async (source) => {
  const scene = new Scene(1, source);
  scene.topic.append(0, 3);
  const { consumer } = scene.consumer({ name: "n" });
  const reason = new Error("no key");
  const orderBy = ({ offset }: { readonly offset: number }) => {
    if (offset === 1) throw reason;
    return "key";
  };
  const error = await scene.time.errorOf(consumer.run(() => undefined, { orderBy }));
  expect(error).toMatchObject({ name: "HandlerError", cause: reason });
  expect(await scene.next(consumer[Symbol.asyncIterator](), 2)).toEqual(names(0, 1, 2));
  await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
});
