// A member of a group that waits for all of its partitions, wherever they lie: messages, positions, handovers, and what ends a wait.
import { describe, expect, test } from "bun:test";
import type { Client, WaitOptions } from "../../src/client/index.ts";
import { type GroupTopic, groupConsumer, onShards, textsOf } from "../groups/support.ts";
import { waitingCount } from "./support.ts";

const noPartition = 2 ** 32 - 1;

function wait(topic: GroupTopic, client: Client, changes: Partial<WaitOptions> = {}) {
  return client.pollWaiting({
    consumer: groupConsumer(),
    stream: topic.stream,
    topic: topic.topic,
    strategy: { kind: "next", value: 0n },
    count: 100,
    waitMs: 30_000,
    ...changes,
  });
}

/** A new member, and what it got. */
async function join(topic: GroupTopic) {
  const client = await topic.server.connect();
  return { client, assignment: await client.joinWithAssignment(topic.stream, topic.topic, "billing") };
}

onShards("a member that waits for its partitions", (server) => {
  const waiting = (count: number) => waitingCount(server().server, count);

  test("knows from its join what it has", async () => {
    const topic = await server().topic(3);
    const { client, assignment } = await join(topic);
    expect(assignment.partitionIds).toEqual([0, 1, 2]);
    expect(assignment.assignmentNumber).toBeGreaterThan(0n);
    // Again is the same.
    expect(await client.joinWithAssignment(topic.stream, topic.topic, "billing")).toEqual(assignment);
  });

  test("is answered by whichever partition gets a message, which the answer names", async () => {
    const topic = await server().topic(4);
    const { client, assignment } = await join(topic);
    for (const partitionId of [2, 0, 3, 1]) {
      const polled = wait(topic, client, { autoCommit: true, knownAssignment: assignment.assignmentNumber });
      await waiting(4);
      await topic.send(partitionId, 2);
      const reply = await polled;
      expect(reply).toMatchObject({ ending: "messages", assignmentNumber: assignment.assignmentNumber });
      expect(reply.partitionIds).toBeUndefined(); // it knows them
      expect(reply.polled.partitionId).toBe(partitionId);
      expect(textsOf(reply.polled)).toEqual([`p${partitionId}-0`, `p${partitionId}-1`]);
    }
    await waiting(0);
  });

  test("gets what is there of each in turn, and then waits", async () => {
    const topic = await server().topic(3);
    const { client } = await join(topic);
    for (const partitionId of [0, 1, 2]) await topic.send(partitionId, 1);
    const seen: number[] = [];
    for (let round = 0; round < 3; round++) {
      const { polled, partitionIds } = await wait(topic, client, { autoCommit: true });
      expect(partitionIds).toEqual([0, 1, 2]);
      seen.push(polled.partitionId);
    }
    expect(seen.sort()).toEqual([0, 1, 2]);
    const last = await wait(topic, client, { waitMs: 60 });
    expect(last).toMatchObject({ ending: "timeOver", polled: { partitionId: noPartition, messages: [] } });
  });

  test("goes on at its own positions, not at the stored offsets", async () => {
    const topic = await server().topic(2);
    const { client } = await join(topic);
    await topic.send(0, 3);
    await topic.send(1, 3);
    const positions = [
      { partitionId: 0, offset: 3n },
      { partitionId: 1, offset: 2n },
    ];
    const first = await wait(topic, client, { positions });
    expect(first.polled.partitionId).toBe(1);
    expect(textsOf(first.polled)).toEqual(["p1-2"]);
    const second = wait(topic, client, { positions: [positions[0]!, { partitionId: 1, offset: 3n }] });
    await waiting(2);
    await topic.send(0, 1, "late");
    expect(textsOf((await second).polled)).toEqual(["late-0"]);
    // A position that only a purge leaves so far ahead.
    const third = await wait(topic, client, {
      positions: [
        { partitionId: 0, offset: 100n },
        { partitionId: 1, offset: 3n },
      ],
    });
    expect(third).toMatchObject({ ending: "offsetsReset", polled: { partitionId: 0, currentOffset: 3n } });
  });

  test("is told at once when another member joins, and both get their messages", async () => {
    const topic = await server().topic(2);
    const { client: first, assignment } = await join(topic);
    const polled = wait(topic, first, { knownAssignment: assignment.assignmentNumber });
    await waiting(2);
    const { client: second } = await join(topic);
    const reply = await polled;
    expect(reply.ending).toBe("assignmentChanged");
    expect(reply.assignmentNumber).not.toBe(assignment.assignmentNumber);
    expect(reply.partitionIds).toHaveLength(1);
    await topic.given([[0], [1]]);
    const waits = [wait(topic, first, { autoCommit: true }), wait(topic, second, { autoCommit: true })];
    await waiting(2);
    await topic.send(0, 1);
    await topic.send(1, 1);
    const replies = await Promise.all(waits);
    expect(replies.map(({ polled: { partitionId } }) => partitionId)).toEqual([0, 1]);
  });

  test("with messages to commit keeps its partition until then; who waits for it is told when it moves", async () => {
    const topic = await server().topic(2);
    const { client: first } = await join(topic);
    await topic.send(0, 1);
    await topic.send(1, 1);
    for (let round = 0; round < 2; round++) await wait(topic, first);
    const { client: second, assignment } = await join(topic);
    expect(assignment.partitionIds).toEqual([]);
    const idle = wait(topic, second, { knownAssignment: assignment.assignmentNumber });
    await waiting(1);
    await topic.store(first, 0, { partitionId: 1 });
    const told = await idle;
    expect(told).toMatchObject({ ending: "assignmentChanged", partitionIds: [1] });
    // The old member learns it with its next poll, without waiting.
    const known = assignment.assignmentNumber;
    await topic.store(first, 0, { partitionId: 0 });
    expect(await wait(topic, first, { knownAssignment: known })).toMatchObject({
      ending: "assignmentChanged",
      partitionIds: [0],
    });
  });

  test("a partition by its number: its own waits, another's is answered at once", async () => {
    const topic = await server().topic(2);
    const { client: first } = await join(topic);
    const { client: second } = await join(topic);
    await topic.given([[0], [1]]);
    expect(await wait(topic, second, { partitionId: 0 })).toMatchObject({
      ending: "assignmentChanged",
      partitionIds: [1],
    });
    expect((await wait(topic, second, { partitionId: 9 })).ending).toBe("assignmentChanged");
    const own = wait(topic, first, { partitionId: 0 });
    await waiting(1);
    await topic.send(1, 1);
    await topic.send(0, 1);
    expect(textsOf((await own).polled)).toEqual(["p0-0"]);
  });

  test("when a member leaves, its partitions come to the one that waits", async () => {
    const topic = await server().topic(2);
    const { client: first } = await join(topic);
    const { client: second } = await join(topic);
    await topic.given([[0], [1]]);
    await topic.send(1, 1);
    const polled = wait(topic, first);
    await waiting(1);
    second.close();
    expect(await polled).toMatchObject({ ending: "assignmentChanged", partitionIds: [0, 1] });
    expect(textsOf((await wait(topic, first)).polled)).toEqual(["p1-0"]);
  });

  test("new partitions, a deleted group and a deleted topic end the wait", async () => {
    const topic = await server().topic(1);
    const { client } = await join(topic);
    const outcomeOf = (polled: ReturnType<typeof wait>) =>
      polled.then(
        ({ ending, partitionIds }) => ({ ending, partitionIds }),
        (error: { code: number }) => error.code,
      );
    let outcome = outcomeOf(wait(topic, client));
    await waiting(1);
    await topic.admin.createPartitions(topic.stream, topic.topic, 1);
    expect(await outcome).toEqual({ ending: "assignmentChanged", partitionIds: [0, 1] });
    outcome = outcomeOf(wait(topic, client));
    await waiting(2);
    await topic.admin.deleteConsumerGroup(topic.stream, topic.topic, "billing");
    expect(await outcome).toBe(5000);
    await topic.admin.createConsumerGroup(topic.stream, topic.topic, "billing");
    await topic.join(client);
    outcome = outcomeOf(wait(topic, client));
    await waiting(2);
    await topic.admin.deleteTopic(topic.stream, topic.topic);
    expect(await outcome).toBe(2010);
    await waiting(0);
  });

  test("its own leave and its commits come behind the wait and are not held up", async () => {
    const topic = await server().topic(2);
    const { client } = await join(topic);
    await topic.send(0, 2);
    await wait(topic, client);
    const polled = wait(topic, client, { positions: [{ partitionId: 0, offset: 2n }] });
    await waiting(2);
    await topic.store(client, 1, { partitionId: 0 });
    expect((await polled).ending).toBe("overtaken");
    expect(await topic.stored(client, { partitionId: 0 })).toBe(1);
    const last = wait(topic, client);
    await waiting(2);
    await topic.leave(client);
    expect((await last).ending).toBe("overtaken");
    await waiting(0);
  });

  test("many members that come and go leave nothing behind, and every message is read once", async () => {
    const topic = await server().topic(6);
    const count = 60;
    const seen: string[] = [];
    let isOver = false;
    const work = async (rounds: number): Promise<void> => {
      const { client } = await join(topic);
      for (let round = 0; round < rounds && !isOver; round++) {
        const { polled } = await wait(topic, client, { autoCommit: true, waitMs: 500, count: 3 });
        seen.push(...textsOf(polled));
      }
      client.close();
    };
    const members = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!isOver) await work(5);
      }),
    );
    for (let index = 0; index < count; index++) await topic.send(index % 6, 1, `m${index}`);
    const deadlineMs = performance.now() + 60_000;
    while (new Set(seen).size < count && performance.now() < deadlineMs) await Bun.sleep(20);
    isOver = true;
    await members;
    expect(new Set(seen).size).toBe(count);
    expect(seen).toHaveLength(count);
    await waiting(0);
  });
});

describe("over WebSocket too", () => {
  onShards("a member over WebSocket", (server) => {
    test("waits for all of its partitions", async () => {
      const topic = await server().topic(2);
      const { server: running } = server();
      const client = await running.connect({ transport: "websocket", port: running.portOf("websocket") });
      await client.joinWithAssignment(topic.stream, topic.topic, "billing");
      for (const partitionId of [1, 0]) {
        const polled = wait(topic, client, { autoCommit: true });
        await waitingCount(running, 2);
        await topic.send(partitionId, 1);
        expect(textsOf((await polled).polled)).toEqual([`p${partitionId}-0`]);
      }
      client.close();
    });
  });
});
