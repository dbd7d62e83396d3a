// Which partition a member of a group means, and what it is told where it means none.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { requireGroup, requireTopic } from "../../src/metadata/index.ts";
import type { Consumer } from "../../src/protocol/consumer.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { nameId, numericId } from "../../src/protocol/identifier.ts";
import { placeOfCommit, placeOfPoll, placeOfStored } from "../../src/server/consumers.ts";
import type { Session } from "../../src/server/index.ts";
import { startShards, type TestShards } from "../shard/setup.ts";
import { makeSession } from "./setup.ts";

const stream = nameId("orders");
const topic = nameId("paid");
const target = { stream, topic, group: nameId("billing") };
const settings = { compression: 1, messageExpiryMicros: 0n, maxTopicSizeBytes: 0n, replicationFactor: 1 } as const;
const billing: Consumer = { kind: "group", id: nameId("billing") };
const groupKey = { kind: "group", id: 0 } as const;
/** Of somebody else. */
const otherClientId = 99;

let running: TestShards;
/** Of client 5, logged in as root. */
let session: Session;

beforeEach(async () => {
  running = startShards();
  session = makeSession(0);
  const { shard } = running.shards[0];
  await shard.control({ kind: "createStream", request: { name: "orders" } });
  for (const name of ["paid", "open"]) {
    await shard.control({ kind: "createTopic", request: { stream, name, partitionsCount: 4, ...settings } });
  }
  await shard.control({ kind: "createGroup", request: { stream, topic, name: "billing" } });
});

afterEach(() => running.close());

const join = (clientId = session.clientId) =>
  running.shards[0].shard.control({ kind: "joinGroup", request: target, clientId });

/** The stream and the topic as a shard that is not shard 0 knows them. */
function known() {
  const { stream: theStream, topic: theTopic } = requireTopic(running.shards[1].state, stream, topic);
  return [theStream, theTopic] as const;
}

const poll = (partitionId?: number, consumer = billing) => placeOfPoll(session, { consumer, partitionId }, ...known());

const commit = (partitionId?: number, consumer = billing) =>
  placeOfCommit(session, { consumer, partitionId }, ...known());

const stored = (partitionId?: number, consumer = billing) => placeOfStored({ consumer, partitionId }, known()[1]);

const place = (partitionId: number) => ({ partitionId, consumer: groupKey, memberClientId: session.clientId });

function codeOf(work: () => unknown): number {
  try {
    work();
    return 0;
  } catch (error) {
    if (error instanceof IggyError) return error.code;
    throw error;
  }
}

/** The member's partitions as every shard sees them. */
function give(partitions: number[], pending: number[] = []): void {
  const member = requireGroup(running.shards[1].state, target).group.membersByClient.get(session.clientId)!;
  member.partitions.splice(0, member.partitions.length, ...partitions);
  const promise = { targetClientId: otherClientId, sinceMicros: 0 };
  const promises = pending.map((partitionId) => ({ partitionId, ...promise }));
  member.pendingRevocations.splice(0, member.pendingRevocations.length, ...promises);
}

describe("a poll", () => {
  test("without a partition goes round those of the member, acting as the client", async () => {
    await join();
    expect([poll(), poll(), poll(), poll(), poll()]).toEqual([0, 1, 2, 3, 0].map(place));
  });

  test("by the group's number means the same as by its name", async () => {
    await join();
    expect(poll(undefined, { kind: "group", id: numericId(0) })).toEqual(place(0));
    expect(poll()).toEqual(place(1));
  });

  test("without a partition passes those that wait to be moved; one that names such a one is served", async () => {
    await join();
    give([0, 1, 2], [2]);
    expect([poll(), poll(), poll()]).toEqual([0, 1, 0].map(place));
    expect(poll(2)).toEqual(place(2));
    give([0, 1], [0, 1]);
    expect(poll()).toBeUndefined();
  });

  test("takes its turn once, and one that names its partition takes none", async () => {
    await join();
    expect([poll(), poll(3), poll(0), poll()]).toEqual([0, 3, 0, 1].map(place));
  });

  // 2^20 partitions further on lies the next topic.
  test.each([1, 4, 2 ** 20, 2 ** 32 - 1])("of partition %d, which is not the member's, has nothing", async (id) => {
    await join();
    give([0]);
    expect(poll(id)).toBeUndefined();
    expect(commit()).toEqual(place(0)); // it does not count as the one polled last
  });

  test("of a client that is no member is 5006, of an unknown group 5000, of a stale client 30", async () => {
    await join(otherClientId);
    expect(codeOf(() => poll())).toBe(5006);
    expect(codeOf(() => poll(0))).toBe(5006);
    expect(codeOf(() => poll(0, { kind: "group", id: nameId("other") }))).toBe(5000);
    expect(codeOf(() => poll(0, { kind: "group", id: numericId(1) }))).toBe(5000);
    session.isRecordGone = true;
    expect(codeOf(() => poll())).toBe(30);
  });

  test("of a single consumer means partition 0 or the one named, and needs it to be there", () => {
    const consumer: Consumer = { kind: "consumer", id: numericId(7) };
    const single = { consumer: { kind: "consumer", id: 7 }, memberClientId: undefined } as const;
    expect(poll(undefined, consumer)).toEqual({ partitionId: 0, ...single });
    expect(poll(3, consumer)).toEqual({ partitionId: 3, ...single });
    expect(codeOf(() => poll(4, consumer))).toBe(3007);
    expect(codeOf(() => commit(2 ** 20, consumer))).toBe(3007);
  });
});

describe("a commit", () => {
  test("without a partition means the one polled last, not the next", async () => {
    await join();
    for (const partitionId of [0, 1, 2, 3, 0]) {
      expect(poll()).toEqual(place(partitionId));
      expect(commit()).toEqual(place(partitionId));
      expect(commit()).toEqual(place(partitionId));
    }
    poll(2);
    expect(commit()).toEqual(place(2));
  });

  test("without a partition stays with that partition when others come, go or wait", async () => {
    await join();
    poll();
    poll();
    expect(poll()).toEqual(place(2));
    give([2, 3]);
    expect(commit()).toEqual(place(2));
    give([0, 1, 2, 3], [3]);
    expect(commit()).toEqual(place(2));
    give([0, 2], [2]);
    expect(commit()).toEqual(place(2));
  });

  test("without a partition is refused when the one polled last has been moved: no other is meant", async () => {
    await join();
    poll();
    poll();
    give([0, 2, 3]);
    expect(codeOf(() => commit())).toBe(3022);
    expect(poll()).toEqual(place(3));
    expect(commit()).toEqual(place(3));
  });

  test("before the first poll means the one that it will be", async () => {
    await join();
    give([3, 1], [3]);
    expect(commit()).toEqual(place(1));
    expect(poll()).toEqual(place(1));
    give([]);
    session.groupTurns.clear();
    expect(codeOf(() => commit())).toBe(3022);
  });

  test.each([1, 4, 2 ** 20])("on partition %d, which is not the member's, is refused", async (id) => {
    await join();
    give([0]);
    expect(codeOf(() => commit(id))).toBe(3022);
    expect(commit(0)).toEqual(place(0));
  });

  test("of a client that is no member is 5006, of an unknown group 5000, of a stale client 30", async () => {
    expect(codeOf(() => commit(0))).toBe(5006);
    expect(codeOf(() => commit(0, { kind: "group", id: nameId("other") }))).toBe(5000);
    await join();
    session.isRecordGone = true;
    expect(codeOf(() => commit(0))).toBe(30);
  });
});

describe("a stored offset", () => {
  test("is asked for by anybody: partition 0 or the one named", () => {
    const asked = { consumer: groupKey, memberClientId: undefined };
    expect(stored()).toEqual({ partitionId: 0, ...asked });
    expect(stored(3)).toEqual({ partitionId: 3, ...asked });
  });

  test("of an unknown group or partition is none", () => {
    expect(stored(4)).toBeUndefined();
    expect(stored(2 ** 20)).toBeUndefined();
    expect(stored(0, { kind: "group", id: nameId("other") })).toBeUndefined();
    expect(stored(4, { kind: "consumer", id: numericId(7) })).toBeUndefined();
  });
});
