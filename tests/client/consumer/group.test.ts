// Members of a group: handovers, losses, the way back after a cut.
import { expect, test } from "bun:test";
import type { ConsumerEvent } from "../../../src/client/consumer/options.ts";
import { Scene, testOverSources } from "./support.ts";

const kinds = (events: readonly ConsumerEvent[]) => events.map(({ kind }) => kind);

testOverSources("hands a partition over in two seconds, after what is in hand, without a repeat", async (source) => {
  const scene = new Scene(2, source);
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

testOverSources("asks for no more than was handled in the last second", async (source) => {
  const scene = new Scene(1, source);
  scene.topic.append(0, 10_000);
  const { consumer } = scene.consumer();
  const loop = consumer[Symbol.asyncIterator]();
  /** Messages that the member was sent and has not been given. */
  const ahead = () => scene.topic.partitions[0]!.lastPolled!.offset - consumer.partitions.get(0)!.deliveredOffset!;
  for (let count = 0; count < 5; count++) {
    await scene.next(loop, 1);
    await scene.time.advance(2_000);
    // One that lies ready, and one that was pushed behind it.
    expect(ahead()).toBeLessThanOrEqual(2);
  }
  let aheadMax = 0;
  for (let count = 0; count < 300; count++) {
    await scene.next(loop, 10);
    aheadMax = Math.max(aheadMax, ahead());
  }
  expect(aheadMax).toBeGreaterThan(200);
  expect(aheadMax).toBeLessThanOrEqual(1_000);
  await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
});

testOverSources(
  "takes a partition away that is given to another member at once: the rest is dropped, a handler is told",
  async (source) => {
    const scene = new Scene(2, source);
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
  },
);

testOverSources("comes back after a cut: joins, stores what was handled, goes on behind it", async (source) => {
  const scene = new Scene(1, source);
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

testOverSources("a connection that is lost while partitions are opened costs none of them", async (source) => {
  for (const options of [{ group: "group" }, { name: "audit" }]) {
    for (let cutMs = 0; cutMs < 20; cutMs++) {
      const scene = new Scene(2, source);
      for (const partitionId of [0, 1]) scene.topic.append(partitionId, 1);
      const { consumer, connection, events } = scene.consumer(options);
      const loop = consumer[Symbol.asyncIterator]();
      const first = scene.next(loop, 2);
      await scene.time.advance(cutMs);
      connection.cut();
      expect((await first).toSorted()).toEqual(["0/0/0", "0/1/0"]);
      // What was told of each is in turns, also where it could not be opened.
      for (const id of [0, 1]) {
        const told = events.filter((event) => "partitionIds" in event && event.partitionIds.includes(id));
        expect(kinds(told)).toEqual(told.map((_, index) => (index % 2 === 0 ? "assigned" : "lost")));
      }
      await scene.time.resultOf(consumer.close({ timeoutMs: 10 }));
    }
  }
});

testOverSources("gives up after half a minute without an answer, with the reason", async (source) => {
  const scene = new Scene(1, source);
  const { consumer, connection } = scene.consumer();
  connection.isDown = true;
  const loop = consumer[Symbol.asyncIterator]();
  expect(await scene.time.errorOf(loop.next(), 60_000)).toMatchObject({ errorName: "Disconnected" });
  expect(scene.time.nowMs()).toBeGreaterThan(30_000);
  await scene.time.resultOf(consumer.close());
  expect(scene.time.sleepersCount).toBe(0);
});

testOverSources(
  "stores where `new` begins: what is sent while nobody reads comes to the next member",
  async (source) => {
    const scene = new Scene(1, source);
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
  },
);

test("members to whom the server pushes ask for nothing at all, as long as nothing changes; a message and a joiner wake them", async () => {
  const scene = new Scene(2);
  const seen: string[] = [];
  const start = () => {
    const made = scene.consumer();
    made.connection.canPush = true;
    return { ...made, running: made.consumer.run(({ value }) => void seen.push(value)) };
  };
  const ana = start();
  await scene.time.advance(10_000);
  const before = [...ana.connection.counts];
  await scene.time.advance(60_000);
  expect([...ana.connection.counts]).toEqual(before);
  expect(ana.connection.counts.has("wait")).toBe(false);
  scene.topic.append(1, 1);
  await scene.time.advance(5);
  expect(seen).toEqual(["0/1/0"]);
  const ben = start();
  await scene.time.until("the handover", () => ben.consumer.partitions.size === 1, 4_000);
  expect([...ana.consumer.partitions.keys()]).toEqual([0]);
  scene.topic.append(1, 1);
  await scene.time.advance(20);
  expect(seen).toEqual(["0/1/0", "0/1/1"]);
  ana.connection.cut();
  scene.topic.append(0, 3);
  await scene.time.until("the way back", () => seen.length === 5, 10_000);
  await scene.time.resultOf(
    Promise.all([ana, ben].map(({ consumer, running }) => consumer.close().then(() => running))),
  );
});

test("members that wait ask for nothing but that, as long as nothing changes; a message and a joiner wake them", async () => {
  const scene = new Scene(2);
  const seen: string[] = [];
  const start = () => {
    const made = scene.consumer();
    made.connection.canWait = true;
    return { ...made, running: made.consumer.run(({ value }) => void seen.push(value)) };
  };
  const ana = start();
  await scene.time.advance(10_000);
  const before = new Map(ana.connection.counts);
  await scene.time.advance(60_000);
  const asked = [...ana.connection.counts].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  const { wait, ...others } = Object.fromEntries(asked.filter(([, count]) => count > 0));
  expect(others).toEqual({});
  expect(wait).toBeLessThanOrEqual(13);
  scene.topic.append(1, 1);
  await scene.time.advance(5);
  expect(seen).toEqual(["0/1/0"]);
  const ben = start();
  await scene.time.until("the handover", () => ben.consumer.partitions.size === 1, 4_000);
  expect([...ana.consumer.partitions.keys()]).toEqual([0]);
  scene.topic.append(1, 1);
  await scene.time.advance(20);
  expect(seen).toEqual(["0/1/0", "0/1/1"]);
  await scene.time.resultOf(
    Promise.all([ana, ben].map(({ consumer, running }) => consumer.close().then(() => running))),
  );
  expect(scene.time.sleepersCount).toBe(0);
});

test("where there is no room for subscriptions a consumer waits in polls, and subscribes when there is", async () => {
  for (const subscriptionsMax of [0, 1, 2]) {
    const scene = new Scene(2, "subscriptions");
    scene.topic.subscriptionsMax = subscriptionsMax;
    const seen: string[] = [];
    const { consumer, connection } = scene.consumer();
    const running = consumer.run(({ value }) => void seen.push(value));
    const asked = () => [...connection.counts.values()].reduce((sum, count) => sum + count, 0);
    await scene.time.advance(20_000);
    scene.topic.append(0, 1);
    scene.topic.append(1, 1);
    await scene.time.advance(150); // the longest pause between two polls
    expect(seen.toSorted()).toEqual(["0/0/0", "0/1/0"]);
    scene.topic.subscriptionsMax = 3; // two partitions, and one that follows the assignment
    await scene.time.advance(60_000); // it asks again in that time
    const before = asked();
    await scene.time.advance(60_000);
    expect(asked()).toBe(before);
    scene.topic.append(0, 1);
    scene.topic.append(1, 1);
    await scene.time.advance(5);
    expect(seen.slice(2).toSorted()).toEqual(["0/0/1", "0/1/1"]);
    await scene.time.resultOf(Promise.all([consumer.close(), running]));
  }
});

test("a consumer that finds no room asks for it twice a minute at most", async () => {
  const scene = new Scene(1, "subscriptions");
  scene.topic.subscriptionsMax = 0;
  const { consumer, connection } = scene.consumer();
  const running = consumer.run(() => undefined);
  await scene.time.advance(600_000);
  expect(connection.counts.get("follow")).toBeLessThanOrEqual(21);
  expect(connection.counts.get("follow")).toBeGreaterThanOrEqual(10);
  expect(connection.counts.get("subscribe") ?? 0).toBe(0); // where there is no room for the first there is none for the others
  await scene.time.resultOf(Promise.all([consumer.close(), running]));
  expect(scene.time.sleepersCount).toBe(0);
});

test("a consumer by name waits for all of its partitions, but for those that are paused", async () => {
  const scene = new Scene(3);
  scene.topic.append(1, 2);
  const seen: string[] = [];
  const { consumer, connection } = scene.consumer({ name: "audit" });
  connection.canWait = true;
  const running = consumer.run(({ value }) => void seen.push(value));
  await scene.time.until("the first ones", () => seen.length === 2);
  consumer.pause([0]);
  await scene.time.advance(5_000);
  const before = new Map(connection.counts);
  await scene.time.advance(50_000);
  const asked = [...connection.counts].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  const { wait, ...others } = Object.fromEntries(asked.filter(([, count]) => count > 0));
  expect(others.poll ?? 0).toBeLessThanOrEqual(2); // beside the look at the number of partitions
  expect(wait).toBeLessThanOrEqual(12);
  for (const partitionId of [0, 1, 2]) scene.topic.append(partitionId, 1);
  await scene.time.advance(8);
  expect(seen.slice(2).toSorted()).toEqual(["0/1/2", "0/2/0"]);
  consumer.resume([0]);
  await scene.time.advance(8);
  expect(seen.slice(4)).toEqual(["0/0/0"]);
  await scene.time.resultOf(consumer.close());
  await scene.time.resultOf(running);
});

test("a member to whom nothing belongs waits for a partition, and is woken when one comes", async () => {
  const scene = new Scene(1);
  const seen: string[] = [];
  const start = () => {
    const made = scene.consumer();
    made.connection.canWait = true;
    return { ...made, running: made.consumer.run(({ value }) => void seen.push(value)) };
  };
  const ana = start();
  await scene.time.until("the partition", () => ana.consumer.partitions.size === 1);
  const ben = start();
  await scene.time.advance(10_000);
  const before = new Map(ben.connection.counts);
  await scene.time.advance(60_000);
  const asked = [...ben.connection.counts].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  const { wait, ...others } = Object.fromEntries(asked.filter(([, count]) => count > 0));
  expect(others).toEqual({});
  expect(wait).toBeLessThanOrEqual(13);
  await scene.time.resultOf(ana.consumer.close().then(() => ana.running));
  await scene.time.until("the partition", () => ben.consumer.partitions.size === 1, 1_000);
  scene.topic.append(0, 1);
  await scene.time.advance(20);
  expect(seen).toEqual(["0/0/0"]);
  await scene.time.resultOf(ben.consumer.close().then(() => ben.running));
});
