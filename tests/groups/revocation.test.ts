// A partition that is promised to a joiner stays with its old member until that one has committed what it polled.
import { expect, test } from "bun:test";
import type { Client } from "../../src/client/index.ts";
import { codeOf } from "../support/error-code.ts";
import { type GroupServer, type GroupTopic, onShards, textsOf } from "./support.ts";

interface Held {
  readonly topic: GroupTopic;
  /** Has polled partitions 1 and 2 of three and committed nothing. */
  readonly source: Client;
  /** Has joined second: partition 2 is promised to it. */
  readonly target: Client;
}

const held = [[0, 1, 2], []];

/** A topic of three partitions with five messages each, and a promise that waits. */
async function hold(server: GroupServer): Promise<Held> {
  const topic = await server.topic(3);
  for (const partitionId of [0, 1, 2]) await topic.send(partitionId, 5);
  const source = await topic.member();
  for (const partitionId of [1, 2]) expect((await topic.poll(source, { partitionId })).messages).toHaveLength(5);
  const target = await topic.member();
  await topic.staysGiven(held);
  return { topic, source, target };
}

onShards("a partition that was promised", (server) => {
  test("moves at once when the group never polled it", async () => {
    const topic = await server().topic(3);
    for (const partitionId of [0, 1, 2]) await topic.send(partitionId, 5);
    const source = await topic.member();
    await topic.poll(source, { partitionId: 0 });
    const target = await topic.member();
    await topic.given([[0, 1], [2]]);
    expect(textsOf(await topic.poll(target))).toEqual(["p2-0", "p2-1", "p2-2", "p2-3", "p2-4"]);
  });

  test("moves at once when everything polled is committed", async () => {
    const topic = await server().topic(3);
    await topic.send(2, 5);
    const source = await topic.member();
    await topic.poll(source, { partitionId: 2, count: 3 });
    await topic.store(source, 2, { partitionId: 2 });
    const target = await topic.member();
    await topic.given([[0, 1], [2]]);
    expect(textsOf(await topic.poll(target))).toEqual(["p2-3", "p2-4"]);
  });

  test("moves at once when polls found nothing in it", async () => {
    const topic = await server().topic(2);
    const source = await topic.member();
    for (let poll = 0; poll < 4; poll++) await topic.poll(source);
    await topic.member();
    await topic.given([[0], [1]]);
  });

  test("is served to its old member when that one names it, passed by its turns, and not yet the new member's", async () => {
    const { topic, source, target } = await hold(server());
    expect(textsOf(await topic.poll(source, { partitionId: 2, count: 1 }))).toEqual(["p2-0"]);
    const turns = [];
    for (let poll = 0; poll < 4; poll++) turns.push((await topic.poll(source)).partitionId);
    expect(turns).toEqual([0, 1, 0, 1]);
    for (const partition of [{ partitionId: 2 }, {}]) {
      expect(await topic.poll(target, partition)).toMatchObject({ partitionId: 0, currentOffset: 0n, messages: [] });
    }
    expect(await codeOf(topic.store(target, 4, { partitionId: 2 }))).toBe(3022);
    await topic.staysGiven(held);
  });

  test("moves when its old member stores the offset of the last message that it got, not before", async () => {
    const { topic, source, target } = await hold(server());
    await topic.store(source, 3, { partitionId: 2 });
    await topic.store(source, 4, { partitionId: 1 });
    await topic.staysGiven(held);
    await topic.store(source, 4, { partitionId: 2 });
    await topic.given([[0, 1], [2]]);
    await topic.send(2, 2, "later");
    expect(textsOf(await topic.poll(target))).toEqual(["later-0", "later-1"]);
  });

  test("moves when its old member polls with auto-commit", async () => {
    const { topic, source } = await hold(server());
    const last = await topic.poll(source, { partitionId: 2, autoCommit: true });
    expect(textsOf(last)).toHaveLength(5);
    await topic.given([[0, 1], [2]]);
  });

  test("is no longer its old member's after the move: a late commit is refused and changes nothing", async () => {
    const { topic, source, target } = await hold(server());
    await topic.store(source, 4, { partitionId: 2 });
    await topic.given([[0, 1], [2]]);
    await topic.send(2, 2);
    await topic.poll(target, { autoCommit: true });
    expect(await codeOf(topic.store(source, 4, { partitionId: 2 }))).toBe(3022);
    expect(await codeOf(topic.delete(source, { partitionId: 2 }))).toBe(3022);
    expect((await topic.poll(source, { partitionId: 2 })).messages).toEqual([]);
    expect(await topic.stored(source, { partitionId: 2 })).toBe(6);
  });

  test("is given out anew when its old member leaves; what that one did not commit comes again", async () => {
    const { topic, source, target } = await hold(server());
    await topic.leave(source);
    expect(await topic.lists()).toEqual([[0, 1, 2]]);
    expect(textsOf(await topic.poll(target, { partitionId: 2 }))).toHaveLength(5);
    expect(await codeOf(topic.store(source, 4, { partitionId: 2 }))).toBe(5006);
  });

  test("is given out anew when its old member's connection is cut", async () => {
    const { topic, source, target } = await hold(server());
    source.close();
    await topic.given([[0, 1, 2]]);
    expect(textsOf(await topic.poll(target, { partitionId: 2 }))).toHaveLength(5);
  });

  test("stays when the new member leaves: the promise is gone with it", async () => {
    const { topic, source, target } = await hold(server());
    await topic.leave(target);
    expect(await topic.lists()).toEqual([[0, 1, 2]]);
    await topic.store(source, 4, { partitionId: 2 });
    await topic.staysGiven([[0, 1, 2]]);
    const turns = [];
    for (let poll = 0; poll < 3; poll++) turns.push((await topic.poll(source)).partitionId);
    expect(new Set(turns)).toEqual(new Set([0, 1, 2]));
  });

  test("is promised anew to whoever takes the place of the one it was promised to", async () => {
    const { topic, source, target } = await hold(server());
    target.close();
    await topic.given([[0, 1, 2]]);
    const other = await topic.member();
    await topic.staysGiven(held);
    await topic.store(source, 4, { partitionId: 2 });
    await topic.given([[0, 1], [2]]);
    expect((await topic.poll(other)).partitionId).toBe(2);
  });

  test("two members wait for one each", async () => {
    const { topic, source } = await hold(server());
    await topic.member();
    await topic.staysGiven([[0, 1, 2], [], []]);
    await topic.store(source, 4, { partitionId: 1 });
    await topic.given([[0, 2], [], [1]]);
    await topic.store(source, 4, { partitionId: 2 });
    await topic.given([[0], [2], [1]]);
  });

  test("does not wait for what a member polled that has left", async () => {
    const { topic, source, target } = await hold(server());
    await topic.leave(source);
    await topic.member();
    await topic.given([[2], [0, 1]]); // in the place of the one that left
    expect((await topic.poll(target, { partitionId: 1 })).messages).toHaveLength(5);
  });

  test("does not wait for what another member polled, to whom it no longer belongs", async () => {
    const topic = await server().topic(4);
    const source = await topic.member();
    for (const partitionId of [0, 1, 2, 3]) {
      await topic.send(partitionId, 5);
      await topic.poll(source, { partitionId });
    }
    await topic.member();
    const third = await topic.member();
    await topic.staysGiven([[0, 1, 2, 3], [], []]);
    await topic.leave(third);
    expect(await topic.lists()).toEqual([
      [0, 2],
      [1, 3],
    ]);
    await topic.join(third);
    await topic.given([[0, 2], [1], [3]]);
    expect((await topic.poll(third)).messages).toHaveLength(5);
    expect(await codeOf(topic.store(source, 4, { partitionId: 3 }))).toBe(3022);
  });

  test("is given out anew when partitions are added or removed", async () => {
    const { topic, source } = await hold(server());
    await topic.admin.createPartitions(topic.stream, "eu", 1);
    expect(await topic.lists()).toEqual([
      [0, 2],
      [1, 3],
    ]);
    await topic.store(source, 4, { partitionId: 2 });
    await topic.staysGiven([
      [0, 2],
      [1, 3],
    ]);
    expect(await codeOf(topic.store(source, 4, { partitionId: 1 }))).toBe(3022);
    await topic.admin.deletePartitions(topic.stream, "eu", 2);
    expect(await topic.lists()).toEqual([[0], [1]]);
  });

  test.each([
    "topic",
    "stream",
  ] as const)("moves when the %s is purged: there is nothing left to commit", async (what) => {
    const { topic, source, target } = await hold(server());
    if (what === "topic") await topic.admin.purgeTopic(topic.stream, "eu");
    else await topic.admin.purgeStream(topic.stream);
    await topic.given([[0, 1], [2]]);
    await topic.send(2, 1, "new");
    expect(textsOf(await topic.poll(target))).toEqual(["new-0"]);
    expect(await codeOf(topic.store(source, 0, { partitionId: 2 }))).toBe(3022);
  });
});

onShards(
  "a promise that waits too long",
  (server) => {
    test("is kept by force, with a warning; what was not committed comes again", async () => {
      const topic = await server().topic(3);
      await topic.send(2, 5);
      const source = await topic.member();
      await topic.poll(source, { partitionId: 2, count: 4 });
      await topic.store(source, 1, { partitionId: 2 });
      const target = await topic.member();
      await topic.given([[0, 1], [2]]);
      expect(await codeOf(topic.store(source, 3, { partitionId: 2 }))).toBe(3022);
      expect(textsOf(await topic.poll(target))).toEqual(["p2-2", "p2-3", "p2-4"]);
      await server().server.logged(/ WARN .*partitions were taken from members that did not commit in time/);
    });

    test("in several groups and topics at once", async () => {
      const topics = [await server().topic(2), await server().topic(2)];
      for (const topic of topics) {
        await topic.send(1, 1);
        await topic.admin.createConsumerGroup(topic.stream, "eu", "audit");
        for (const group of ["billing", "audit"]) {
          await topic.poll(await topic.member(group), { partitionId: 1, group });
          await topic.member(group);
        }
      }
      for (const topic of topics) {
        for (const group of ["billing", "audit"]) await topic.given([[0], [1]], group);
      }
    });
  },
  {
    env: {
      IGGY_CONSUMER_GROUP_REBALANCING_TIMEOUT: "300ms",
      IGGY_CONSUMER_GROUP_REBALANCING_CHECK_INTERVAL: "50ms",
    },
  },
);
