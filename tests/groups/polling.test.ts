import { expect, test } from "bun:test";
import { codeOf } from "../support/error-code.ts";
import { nothing, onShards, textsOf } from "./support.ts";

onShards("polls of a group", (server) => {
  test("go round the member's partitions, also past empty ones", async () => {
    const topic = await server().topic(3);
    await topic.send(1, 4);
    const ana = await topic.member();
    const seen = [];
    for (let poll = 0; poll < 6; poll++) {
      const polled = await topic.poll(ana, { count: 3, autoCommit: true });
      seen.push([polled.partitionId, textsOf(polled)]);
    }
    expect(seen).toEqual([
      [0, []],
      [1, ["p1-0", "p1-1", "p1-2"]],
      [2, []],
      [0, []],
      [1, ["p1-3"]],
      [2, []],
    ]);
  });

  test("of two members have turns of their own", async () => {
    const topic = await server().topic(4);
    const ana = await topic.member();
    const ben = await topic.member();
    await topic.leave(ana);
    await topic.join(ana);
    await topic.given([[3], [0, 1, 2]]);
    const partitionOf = async (client: typeof ana) => (await topic.poll(client)).partitionId;
    expect([await partitionOf(ben), await partitionOf(ana), await partitionOf(ben)]).toEqual([0, 3, 1]);
    expect([await partitionOf(ana), await partitionOf(ben), await partitionOf(ben)]).toEqual([3, 2, 0]);
  });

  test("begin anew after leaving and joining", async () => {
    const topic = await server().topic(3);
    const ana = await topic.member();
    for (const partitionId of [0, 1]) expect((await topic.poll(ana)).partitionId).toBe(partitionId);
    await topic.leave(ana);
    await topic.join(ana);
    expect((await topic.poll(ana)).partitionId).toBe(0);
  });

  test("that name a partition take no turn", async () => {
    const topic = await server().topic(3);
    const ana = await topic.member();
    const seen = [];
    for (const partition of [{}, { partitionId: 2 }, { partitionId: 0 }, {}, { partitionId: 1 }, {}]) {
      seen.push((await topic.poll(ana, partition)).partitionId);
    }
    expect(seen).toEqual([0, 2, 0, 1, 1, 2]);
  });

  test("of what is another member's, or of a partition that is not there, have nothing and are no error", async () => {
    const topic = await server().topic(2);
    for (const partitionId of [0, 1]) await topic.send(partitionId, 3);
    const ana = await topic.member();
    const ben = await topic.member();
    await topic.given([[0], [1]]);
    expect(await topic.poll(ana, { partitionId: 1 })).toEqual(nothing);
    expect(await topic.poll(ben, { partitionId: 0, autoCommit: true })).toEqual(nothing);
    for (const partitionId of [2, 2 ** 20, 2 ** 32 - 1]) {
      expect(await topic.poll(ana, { partitionId })).toEqual(nothing);
    }
    expect(await topic.stored(ana)).toBeUndefined();
  });

  test("of a member that owns nothing have nothing", async () => {
    const topic = await server().topic(1);
    await topic.send(0, 3);
    await topic.member();
    const idle = await topic.member();
    for (let poll = 0; poll < 3; poll++) expect(await topic.poll(idle)).toEqual(nothing);
    expect(await topic.stored(idle)).toBeUndefined();
    expect(await topic.lists()).toEqual([[0], []]);
  });

  test("need membership (5006), the group (5000), the topic (2010) and the stream (1009)", async () => {
    const topic = await server().topic(2);
    await topic.member();
    const guest = await server().connect();
    for (const partition of [{}, { partitionId: 0 }]) {
      expect(await codeOf(topic.poll(guest, partition))).toBe(5006);
      expect(await codeOf(topic.poll(guest, { ...partition, group: "other" }))).toBe(5000);
      expect(await codeOf(topic.poll(guest, { ...partition, group: 1 }))).toBe(5000);
    }
    await topic.join(guest);
    await topic.leave(guest);
    expect(await codeOf(topic.poll(guest))).toBe(5006);
    expect(await codeOf(topic.leave(guest))).toBe(5006);
    expect(await codeOf(topic.join(guest, "other"))).toBe(5000);
    expect(await codeOf(guest.joinConsumerGroup(topic.stream, "us", "billing"))).toBe(2010);
    expect(await codeOf(guest.joinConsumerGroup("nowhere", "eu", "billing"))).toBe(1009);
  });

  test("by the group's number are those by its name", async () => {
    const topic = await server().topic(2);
    const ana = await topic.member(0);
    expect((await topic.poll(ana, { group: 0 })).partitionId).toBe(0);
    expect((await topic.poll(ana)).partitionId).toBe(1);
  });

  test("give each message to one member, and all of them in the order of their partition", async () => {
    const topic = await server().topic(6);
    for (let partitionId = 0; partitionId < 6; partitionId++) await topic.send(partitionId, 50);
    const members = [await topic.member(), await topic.member(), await topic.member()];
    await topic.given([[0, 1, 2, 3], [5], [4]]);
    const seen: string[] = [];
    for (let round = 0; round < 40 && seen.length < 300; round++) {
      for (const member of members) seen.push(...textsOf(await topic.poll(member, { count: 7, autoCommit: true })));
    }
    for (let partitionId = 0; partitionId < 6; partitionId++) {
      const own = seen.filter((text) => text.startsWith(`p${partitionId}-`));
      expect(own).toEqual(Array.from({ length: 50 }, (_, index) => `p${partitionId}-${index}`));
    }
  });

  test("of several groups on a topic do not disturb each other: each group gets everything", async () => {
    const topic = await server().topic(2);
    await topic.admin.createConsumerGroup(topic.stream, "eu", "audit");
    for (const partitionId of [0, 1]) await topic.send(partitionId, 3);
    const ana = await topic.member();
    const ben = await topic.member();
    const audit = await topic.member("audit");
    await topic.join(ana, "audit");
    await topic.given([[0], [1]]);
    await topic.given([[0], [1]], "audit");
    const all = ["p0-0", "p0-1", "p0-2", "p1-0", "p1-1", "p1-2"];
    const billing = [await topic.poll(ana, { autoCommit: true }), await topic.poll(ben, { autoCommit: true })];
    expect(billing.flatMap(textsOf)).toEqual(all);
    expect(await topic.stored(ana, { group: "audit" })).toBeUndefined();
    const group = "audit";
    const audited = [await topic.poll(audit, { group }), await topic.poll(ana, { group })];
    expect(audited.flatMap(textsOf)).toEqual(all);
    await topic.leave(ana);
    expect(await topic.lists()).toEqual([[0, 1]]);
    expect(await topic.lists("audit")).toEqual([[0], [1]]);
  });

  test("read what the strategy says, not only what comes next", async () => {
    const topic = await server().topic(1);
    await topic.send(0, 10);
    const ana = await topic.member();
    await topic.poll(ana, { count: 5, autoCommit: true });
    const read = async (kind: "first" | "last" | "offset", value = 0n) => {
      const consumer = { kind: "group", id: { kind: "string", value: "billing" } } as const;
      const strategy = { kind, value };
      return textsOf(await ana.pollMessages({ consumer, stream: topic.stream, topic: "eu", strategy, count: 2 }));
    };
    expect(await read("first")).toEqual(["p0-0", "p0-1"]);
    expect(await read("last")).toEqual(["p0-8", "p0-9"]);
    expect(await read("offset", 3n)).toEqual(["p0-3", "p0-4"]);
    expect(textsOf(await topic.poll(ana, { count: 2 }))).toEqual(["p0-5", "p0-6"]);
  });
});
