import { expect, test } from "bun:test";
import { codeOf } from "../support/error-code.ts";
import { onShards, textsOf } from "./support.ts";

onShards("offsets of a group", (server) => {
  test("are shared by its members: whoever comes next goes on where the last one stopped", async () => {
    const topic = await server().topic(2);
    for (const partitionId of [0, 1]) await topic.send(partitionId, 6);
    const ana = await topic.member();
    await topic.store(ana, 3, { partitionId: 0 });
    await topic.poll(ana, { partitionId: 1, count: 2, autoCommit: true });
    await topic.leave(ana);
    const ben = await topic.member();
    expect(textsOf(await topic.poll(ben, { partitionId: 0 }))).toEqual(["p0-4", "p0-5"]);
    expect(textsOf(await topic.poll(ben, { partitionId: 1 }))).toEqual(["p1-2", "p1-3", "p1-4", "p1-5"]);
    expect(await topic.stored(ben, { partitionId: 0 })).toBe(3);
  });

  test("stored without a partition are of the one polled last", async () => {
    const topic = await server().topic(3);
    for (const partitionId of [0, 1, 2]) await topic.send(partitionId, 5);
    const ana = await topic.member();
    for (const partitionId of [0, 1, 2]) {
      const polled = await topic.poll(ana, { count: partitionId + 1 });
      expect(polled.partitionId).toBe(partitionId);
      await topic.store(ana, partitionId);
    }
    const stored = async () => Promise.all([0, 1, 2].map((partitionId) => topic.stored(ana, { partitionId })));
    expect(await stored()).toEqual([0, 1, 2]);
    await topic.poll(ana, { partitionId: 1 });
    await topic.store(ana, 4);
    expect(await stored()).toEqual([0, 4, 2]);
    await topic.delete(ana);
    expect(await stored()).toEqual([0, undefined, 2]);
    expect(await codeOf(topic.delete(ana))).toBe(3021);
  });

  test("stored without a partition stay with the one polled last when another is moved away", async () => {
    const topic = await server().topic(4);
    for (const partitionId of [0, 1, 2, 3]) await topic.send(partitionId, 5);
    const ana = await topic.member();
    for (const partitionId of [0, 1, 2]) expect((await topic.poll(ana)).partitionId).toBe(partitionId);
    await topic.member();
    await topic.given([[0, 1, 2], [3]]);
    await topic.store(ana, 4);
    expect(await topic.stored(ana, { partitionId: 2 })).toBe(4);
    for (const partitionId of [0, 1, 3]) expect(await topic.stored(ana, { partitionId })).toBeUndefined();
  });

  test("stored without a partition are refused when the one polled last was moved: none is skipped elsewhere", async () => {
    const topic = await server().topic(3);
    for (const partitionId of [0, 1, 2]) await topic.send(partitionId, 5);
    const ana = await topic.member();
    const polls = [];
    for (let poll = 0; poll < 3; poll++) polls.push((await topic.poll(ana)).partitionId);
    expect(polls).toEqual([0, 1, 2]);
    await topic.member();
    await topic.admin.createPartitions(topic.stream, "eu", 1);
    expect(await topic.lists()).toEqual([
      [0, 2],
      [1, 3],
    ]);
    await topic.store(ana, 4);
    await topic.admin.deletePartitions(topic.stream, "eu", 2);
    expect(await topic.lists()).toEqual([[0], [1]]);
    expect(await codeOf(topic.store(ana, 4))).toBe(3022);
    expect(await codeOf(topic.delete(ana))).toBe(3022);
    for (const partitionId of [0, 1]) expect(await topic.stored(ana, { partitionId })).toBeUndefined();
  });

  test("are stored and deleted by the owner only (3022), by members only (5006), in a group that is there (5000)", async () => {
    const topic = await server().topic(2);
    for (const partitionId of [0, 1]) await topic.send(partitionId, 5);
    const ana = await topic.member();
    const ben = await topic.member();
    await topic.given([[0], [1]]);
    await topic.store(ben, 2, { partitionId: 1 });
    const idle = await topic.member();
    const guest = await server().connect();
    for (const partitionId of [1, 2, 2 ** 20]) {
      expect(await codeOf(topic.store(ana, 0, { partitionId }))).toBe(3022);
      expect(await codeOf(topic.delete(ana, { partitionId }))).toBe(3022);
    }
    expect(await codeOf(topic.store(idle, 0))).toBe(3022);
    expect(await codeOf(topic.delete(idle))).toBe(3022);
    expect(await codeOf(topic.store(guest, 0, { partitionId: 0 }))).toBe(5006);
    expect(await codeOf(topic.delete(guest, { partitionId: 0 }))).toBe(5006);
    expect(await codeOf(topic.store(ana, 0, { partitionId: 0, group: "other" }))).toBe(5000);
    expect(await codeOf(topic.delete(ana, { partitionId: 0, group: "other" }))).toBe(5000);
    expect(await topic.stored(guest, { partitionId: 1 })).toBe(2);
  });

  test("can be asked for by anybody; what is not there is an empty answer", async () => {
    const topic = await server().topic(2);
    for (const partitionId of [0, 1]) await topic.send(partitionId, 5);
    const ana = await topic.member();
    const guest = await server().connect();
    expect(await topic.stored(guest)).toBeUndefined();
    await topic.store(ana, 3, { partitionId: 0 });
    await topic.store(ana, 1, { partitionId: 1 });
    expect(await topic.stored(guest)).toBe(3);
    expect(await topic.stored(guest, { partitionId: 1, group: 0 })).toBe(1);
    expect(await topic.stored(guest, { partitionId: 2 })).toBeUndefined();
    expect(await topic.stored(guest, { group: "other" })).toBeUndefined();
  });

  test("are not those of the single consumer with the same name", async () => {
    const topic = await server().topic(1);
    await topic.send(0, 5);
    const ana = await topic.member();
    await topic.store(ana, 3, { partitionId: 0 });
    const place = { stream: topic.stream, topic: "eu", partitionId: 0 };
    for (const id of [{ kind: "string", value: "billing" } as const, { kind: "numeric", value: 0 } as const]) {
      const consumer = { kind: "consumer", id } as const;
      expect(await ana.getConsumerOffset({ consumer, ...place })).toBeUndefined();
      await ana.storeConsumerOffset({ consumer, ...place, offset: 1n });
    }
    expect(await topic.stored(ana)).toBe(3);
  });

  test("beyond the last message are 4100; going back delivers again", async () => {
    const topic = await server().topic(1);
    const ana = await topic.member();
    expect(await codeOf(topic.store(ana, 0, { partitionId: 0 }))).toBe(4100);
    await topic.send(0, 5);
    expect(await codeOf(topic.store(ana, 5, { partitionId: 0 }))).toBe(4100);
    await topic.store(ana, 4, { partitionId: 0 });
    expect(textsOf(await topic.poll(ana))).toEqual([]);
    await topic.store(ana, 1, { partitionId: 0 });
    expect(textsOf(await topic.poll(ana))).toEqual(["p0-2", "p0-3", "p0-4"]);
    await topic.delete(ana, { partitionId: 0 });
    expect(textsOf(await topic.poll(ana))).toHaveLength(5);
  });

  test("go with their group, and a purge takes them, but not the members", async () => {
    const topic = await server().topic(2);
    const { admin, stream } = topic;
    for (const partitionId of [0, 1]) await topic.send(partitionId, 5);
    const ana = await topic.member();
    for (const partitionId of [0, 1]) await topic.store(ana, 3, { partitionId });
    await admin.deleteConsumerGroup(stream, "eu", "billing");
    expect(await topic.stored(ana)).toBeUndefined();
    expect((await admin.createConsumerGroup(stream, "eu", "billing")).id).toBe(0);
    for (const partitionId of [0, 1]) expect(await topic.stored(ana, { partitionId })).toBeUndefined();

    await topic.join(ana);
    expect(textsOf(await topic.poll(ana, { autoCommit: true }))).toHaveLength(5);
    await admin.purgeTopic(stream, "eu");
    expect(await topic.stored(ana)).toBeUndefined();
    expect(await topic.lists()).toEqual([[0, 1]]);
    await topic.send(0, 2, "new");
    expect(textsOf(await topic.poll(ana, { partitionId: 0 }))).toEqual(["new-0", "new-1"]);
  });
});
