// The turn probe of a group's member on the real server (spec SB 6.3 to 6.5).
import { expect, test } from "bun:test";
import { GroupMember } from "../../../src/client/consumer/member.ts";
import { sessionCommands } from "../../../src/client/consumer/session-commands.ts";
import type { Client } from "../../../src/client/index.ts";
import { type GroupTopic, groupConsumer, onShards } from "../../groups/support.ts";

function probe(topic: GroupTopic, client: Client) {
  const { stream, topic: name } = topic;
  const commands = sessionCommands(client.exchange, { stream, topic: name, consumer: groupConsumer() });
  return { commands, member: new GroupMember(commands) };
}

const ids = (member: GroupMember) => [...member.partitions.keys()];
const nothingNew = { assigned: [], revoking: [], lost: [] };

onShards(
  "a member's turn probe",
  (server) => {
    test.each([1, 3, 6, 7])("finds all of %d partitions in one round, empty or not", async (count) => {
      const topic = await server().topic(count);
      for (let partitionId = 0; partitionId < count; partitionId += 2) await topic.send(partitionId, 2);
      const { member } = probe(topic, await topic.member());
      const all = Array.from({ length: count }, (_, id) => id);
      expect(await member.round()).toEqual({ assigned: all, revoking: [], lost: [] });
      for (let round = 0; round < 3; round++) expect(await member.round()).toEqual(nothingNew);
      expect(ids(member)).toEqual(all);
    });

    test("notes nothing as polled: a partition of which only turns were taken moves at once", async () => {
      const topic = await server().topic(2);
      await topic.send(1, 3);
      const { member } = probe(topic, await topic.member());
      await member.round();
      await member.round();
      await topic.member();
      await topic.given([[0], [1]]);
      expect(await member.round()).toEqual(nothingNew);
      expect(await member.round()).toEqual({ assigned: [], revoking: [], lost: [1] });
    });

    test("of a member to whom nothing belongs finds nothing, whether partition 0 is empty or not", async () => {
      const topic = await server().topic(1);
      await topic.member();
      const idle = await topic.member();
      const { member, commands } = probe(topic, idle);
      for (let round = 0; round < 2; round++) expect(await member.round()).toEqual(nothingNew);
      await topic.send(0, 3);
      expect(await commands.turn()).toMatchObject({ partitionId: 0, headOffset: 0 });
      expect(await member.round()).toEqual(nothingNew);
    });

    test("tells partition 0 without messages from nothing, and stores nothing for that", async () => {
      const topic = await server().topic(2);
      const { member, commands } = probe(topic, await topic.member());
      expect((await member.round()).assigned).toEqual([0, 1]);
      await topic.send(0, 1);
      expect([await commands.isMine(0), await commands.isMine(1), await commands.isMine(2)]).toEqual([
        true,
        true,
        false,
      ]);
      expect(await commands.storedOffset(0)).toBeUndefined();
    });

    test("sees a promise, the move after the commit, and what the other member gets", async () => {
      const topic = await server().topic(3);
      for (const partitionId of [0, 1, 2]) await topic.send(partitionId, 5);
      const { member, commands } = probe(topic, await topic.member());
      await member.round();
      const from = { kind: "offset", offset: 0 } as const;
      expect((await commands.poll({ partitionId: 2, from, count: 9, autoCommit: false })).messages.lastOffset).toBe(4);
      expect((await commands.poll({ partitionId: 1, from, count: 9, autoCommit: false })).messages.lastOffset).toBe(4);
      const other = probe(topic, await topic.member());
      expect(await other.member.round()).toEqual(nothingNew);
      expect(await member.round()).toEqual(nothingNew);
      expect(await member.round()).toEqual({ assigned: [], revoking: [2], lost: [] });
      expect(await member.round()).toEqual(nothingNew);
      await commands.storeOffset(2, 4);
      expect((await other.member.round()).assigned).toEqual([2]);
      expect(await member.round()).toEqual({ assigned: [], revoking: [], lost: [2] });
    });

    test("sees that a promise ended when the other member went away", async () => {
      const topic = await server().topic(2);
      for (const partitionId of [0, 1]) await topic.send(partitionId, 5);
      const { member, commands } = probe(topic, await topic.member());
      await member.round();
      for (const partitionId of [0, 1]) {
        await commands.poll({ partitionId, from: { kind: "offset", offset: 0 }, count: 9, autoCommit: false });
      }
      const target = await topic.member();
      await member.round();
      expect((await member.round()).revoking).toEqual([1]);
      await topic.leave(target);
      expect(await member.round()).toEqual({ assigned: [1], revoking: [], lost: [] });
    });

    test("tells a purge of partition 0 from its loss", async () => {
      const topic = await server().topic(2);
      for (const partitionId of [0, 1]) await topic.send(partitionId, 5);
      const { member, commands } = probe(topic, await topic.member());
      await member.round();
      await topic.admin.purgeTopic(topic.stream, "eu");
      const poll = (partitionId: number) =>
        commands.poll({ partitionId, from: { kind: "offset", offset: 4 }, count: 1, autoCommit: false });
      expect(await member.isRefusal(0, await poll(0))).toBe(false);
      expect(await member.isRefusal(1, await poll(1))).toBe(false);
      for (let round = 0; round < 3; round++) expect(await member.round()).toEqual(nothingNew);
      await topic.send(0, 5);
      await member.round();
      // Two members that are full of what they polled, one leaves: everything is given out anew.
      const others = [await topic.member(), await topic.member()];
      await topic.leave(others[0]!);
      const lists = await topic.lists();
      const seen = [await poll(0), await poll(1)];
      const gone = [await member.isRefusal(0, seen[0]!), await member.isRefusal(1, seen[1]!)];
      expect(gone).toEqual([0, 1].map((id) => !lists[0]!.includes(id)));
    });

    test("rejects with 5006 for a client that is no member", async () => {
      const topic = await server().topic(1);
      const { member } = probe(topic, await server().connect());
      await expect(member.round()).rejects.toMatchObject({ code: 5006 });
    });

    test.each([2, 3])("of %d members: together they have every partition, each one once", async (count) => {
      const topic = await server().topic(5);
      const members = [];
      for (let number = 0; number < count; number++) members.push(probe(topic, await topic.member()).member);
      const lists = await topic.lists();
      for (const [index, member] of members.entries()) {
        await member.round();
        expect(ids(member)).toEqual(lists[index]!);
      }
      expect(members.flatMap(ids).sort()).toEqual([0, 1, 2, 3, 4]);
    });
  },
  {},
  [2],
);
