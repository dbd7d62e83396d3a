import { expect, test } from "bun:test";
import type { Client } from "../../src/client/index.ts";
import { onShards } from "./support.ts";

onShards("partitions of a group", (server) => {
  // Spec SB 6.3: one partition for each joiner, from the end of the list of who has too many.
  const tables: { partitionsCount: number; joins: number[][]; afterLeave: number[] }[] = [
    { partitionsCount: 6, joins: [[6], [5, 1], [4, 1, 1], [3, 1, 1, 1]], afterLeave: [2, 2, 2] },
    { partitionsCount: 3, joins: [[3], [2, 1], [1, 1, 1], [1, 1, 1, 0]], afterLeave: [1, 1, 1] },
    { partitionsCount: 2, joins: [[2], [1, 1], [1, 1, 0]], afterLeave: [1, 1] },
    { partitionsCount: 1, joins: [[1], [1, 0]], afterLeave: [1] },
  ];
  test.each(tables)("$partitionsCount: each joiner takes one, a leave spreads them evenly", async ({
    partitionsCount,
    ...steps
  }) => {
    const topic = await server().topic(partitionsCount);
    let first: Client | undefined;
    let next = partitionsCount;
    const expected: number[][] = [Array.from({ length: partitionsCount }, (_, id) => id)];
    for (const [number, sizes] of steps.joins.entries()) {
      const member = await topic.member();
      first ??= member;
      if (number > 0) expected.push(sizes.at(-1) === 0 ? [] : [--next]);
      expected[0] = expected[0]!.filter((id) => id < next);
      expect(expected.map((list) => list.length)).toEqual(sizes);
      await topic.given(expected);
    }
    await topic.leave(first!);
    expect((await topic.lists()).map((list) => list.length)).toEqual(steps.afterLeave);
  });

  test("each belongs to exactly one member, however many come and go", async () => {
    const topic = await server().topic(20);
    const members = [];
    const check = async () => {
      const all = (await topic.lists()).flat().sort((a, b) => a - b);
      expect(all).toEqual(Array.from({ length: 20 }, (_, id) => id));
    };
    for (let number = 0; number < 9; number++) {
      members.push(await topic.member());
      await check();
    }
    for (const place of [4, 0, 6, 1]) {
      await topic.leave(members.splice(place, 1)[0]!);
      await check();
    }
    expect((await topic.lists()).map((list) => list.length)).toEqual([4, 4, 4, 4, 4]);
    members.push(await topic.member(), await topic.member());
    await check();
  });

  test("joins at the same time on different shards give each member what is its own", async () => {
    const topic = await server().topic(12);
    const clients = await Promise.all(Array.from({ length: 6 }, () => server().connect()));
    await Promise.all(clients.map((client) => topic.join(client)));
    await topic.given([[0, 1, 2, 3, 4, 5, 6], [11], [10], [9], [8], [7]]);
    await Promise.all(clients.slice(0, 3).map((client) => topic.leave(client)));
    expect(await topic.lists()).toEqual([
      [0, 3, 6, 9],
      [1, 4, 7, 10],
      [2, 5, 8, 11],
    ]);
  });

  test("joining twice is harmless", async () => {
    const topic = await server().topic(6);
    const ana = await topic.member();
    await topic.member();
    await topic.given([[0, 1, 2, 3, 4], [5]]);
    const before = await topic.details();
    await topic.join(ana);
    await topic.join(ana);
    expect(await topic.details()).toEqual(before!);
    expect((await ana.getMe()).consumerGroupsCount).toBe(1);
    await topic.leave(ana);
    expect((await ana.getMe()).consumerGroupsCount).toBe(0);
  });

  test("go to the idle member when another leaves, and to nobody when the last one does", async () => {
    const topic = await server().topic(1);
    const ana = await topic.member();
    const ben = await topic.member();
    expect(await topic.lists()).toEqual([[0], []]);
    await topic.leave(ana);
    expect(await topic.lists()).toEqual([[0]]);
    await topic.leave(ben);
    expect(await topic.details()).toMatchObject({ membersCount: 0, partitionsCount: 1, members: [] });
    await topic.member();
    expect(await topic.lists()).toEqual([[0]]);
  });

  test("member ids follow the highest, places in the list are used again", async () => {
    const topic = await server().topic(3);
    const members = [await topic.member(), await topic.member(), await topic.member()];
    const ids = async () => (await topic.details())!.members.map(({ id }) => id);
    expect(await ids()).toEqual([0, 1, 2]);
    await topic.leave(members[1]!);
    await topic.member();
    expect(await ids()).toEqual([0, 3, 2]);
    for (const client of [members[0]!, members[2]!]) await topic.leave(client);
    expect(await ids()).toEqual([3]);
    await topic.leave((await topic.member())!);
    expect(await ids()).toEqual([3]);
  });

  test("are given out anew when partitions are added or removed; none are left after the last", async () => {
    const topic = await server().topic(4);
    const { admin, stream } = topic;
    const ana = await topic.member();
    await topic.member();
    await topic.given([[0, 1, 2], [3]]);
    await admin.createPartitions(stream, "eu", 3);
    expect(await topic.lists()).toEqual([
      [0, 2, 4, 6],
      [1, 3, 5],
    ]);
    await topic.send(6, 2);
    expect((await topic.poll(ana, { partitionId: 6 })).messages).toHaveLength(2);
    await admin.deletePartitions(stream, "eu", 4);
    expect(await topic.lists()).toEqual([[0, 2], [1]]);
    expect((await topic.poll(ana, { partitionId: 6 })).messages).toEqual([]);
    await admin.deletePartitions(stream, "eu", 3);
    expect(await topic.details()).toMatchObject({ partitionsCount: 0, membersCount: 2 });
    expect(await topic.lists()).toEqual([[], []]);
    expect((await topic.poll(ana)).messages).toEqual([]);
    await admin.createPartitions(stream, "eu", 2);
    expect(await topic.lists()).toEqual([[0], [1]]);
  });

  test("a topic without partitions can have members, who get nothing", async () => {
    const topic = await server().topic(0);
    const ana = await topic.member();
    expect(await topic.lists()).toEqual([[]]);
    expect(await topic.poll(ana)).toMatchObject({ partitionId: 0, currentOffset: 0n, messages: [] });
  });
});
