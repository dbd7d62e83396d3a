// The fence of members that choose their partitions themselves (spec P9 9.4), and hand-overs between members of both
// protocols (spec P9 9.5), over two shards: each partition is served to one member at a time.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { nameId } from "../../src/protocol/identifier.ts";
import type { PolledMessages } from "../../src/protocol/message/poll-messages.ts";
import { fencedPoll } from "../../src/server/index.ts";
import type { SpokenProtocol } from "../../src/server/session.ts";
import { ownerShardOf, partitionKeyOf } from "../../src/shard/index.ts";
import { append } from "../shard/append.ts";
import { startShards, type TestShard, type TestShards } from "../shard/setup.ts";
import { codeOf } from "../support/error-code.ts";
import { given, listsOf, Member, makeGroup, stream, topic } from "./members.ts";

let running: TestShards;
let shards: TestShards["shards"];

beforeEach(async () => {
  running = startShards();
  shards = running.shards;
  await makeGroup(running, 4);
  for (const partitionId of [0, 1, 2, 3]) await append(shards[0], keyOf(partitionId), [10, 20, 30]);
});

afterEach(() => running.close());

const keyOf = (partitionId: number) => partitionKeyOf(0, 0, partitionId);

/** Removes partitions until the last one, which a joiner is given, belongs to this shard. */
async function lastOf(shard: TestShard): Promise<number> {
  for (let partitionId = 3; ; partitionId--) {
    if (shards[ownerShardOf(keyOf(partitionId), 2)] === shard) return partitionId;
    await shards[0].shard.control({ kind: "deletePartitions", request: { stream, topic, count: 1 } });
  }
}

const before = (partitionId: number) => [0, 1, 2, 3].slice(0, partitionId);

const join = (shardId: 0 | 1, protocol: SpokenProtocol, clientId: number) =>
  new Member(shards[shardId], protocol, clientId).join();

function offsetsOf(polled: PolledMessages | "fenced"): number[] | "fenced" {
  return polled === "fenced" ? polled : polled.messages.map(({ offset }) => Number(offset));
}

/** All that was started is over: a report of an owner would have been carried out by now. */
async function staysGiven(lists: number[][]): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Bun.sleep(2);
  expect(shards.map(listsOf)).toEqual([lists, lists]);
}

test("a fenced poll is these 16 bytes (spec P9 15.4)", () => {
  expect(Buffer.from(fencedPoll).toString("hex")).toBe("ffffffff000000000000000000000000");
});

describe.each([0, 1] as const)("a member of 0.9 on shard %d", (shardId) => {
  test("is served its own partitions, and an empty one with its number", async () => {
    const member = await join(shardId, "0.9", 11);
    for (const partitionId of [0, 1, 2, 3]) {
      expect(offsetsOf(await member.poll(partitionId, { autoCommit: true }))).toEqual([0, 1, 2]);
      expect(await member.poll(partitionId)).toEqual({ partitionId, currentOffset: 2n, messages: [] });
    }
  });

  test("is fenced at what is not its own, where one of 0.8 gets nothing or an error", async () => {
    const [modern, old] = [new Member(shards[shardId], "0.9", 11), new Member(shards[shardId], "0.8", 12)];
    expect(await modern.poll(0)).toBe("fenced"); // not a member
    expect(await codeOf(old.poll(0))).toBe(5006);
    const unknown = { consumer: { kind: "group", id: nameId("none") } } as const;
    expect(await modern.poll(0, unknown)).toBe("fenced");
    expect(await codeOf(old.poll(0, unknown))).toBe(5000);
    await modern.join();
    await old.join();
    await given(running, [[0, 1, 2], [3]]);
    expect(await modern.poll(3)).toBe("fenced");
    expect(await modern.poll(4)).toBe("fenced"); // there is none
    expect(await modern.poll(2 ** 20)).toBe("fenced"); // the key of another topic's
    expect(offsetsOf(await old.poll(0))).toEqual([]);
    modern.session.isRecordGone = true;
    expect(await codeOf(modern.poll(0))).toBe(30);
  });

  test("is fenced at a partition that waits to be moved, which it may commit: that moves it", async () => {
    const source = await join(shardId, "0.9", 11);
    expect(offsetsOf(await source.poll(3))).toEqual([0, 1, 2]);
    const other = await join(shardId === 0 ? 1 : 0, "0.8", 12);
    await staysGiven([[0, 1, 2, 3], []]);
    expect(await source.poll(3)).toBe("fenced");
    expect(await source.poll(3, { autoCommit: true })).toBe("fenced");
    expect(await source.stored(3)).toBeUndefined();
    expect(offsetsOf(await other.poll(3))).toEqual([]);
    await source.store(3, 1);
    await staysGiven([[0, 1, 2, 3], []]);
    await source.store(3, 2);
    await given(running, [[0, 1, 2], [3]]);
    await append(shards[0], keyOf(3), [10]);
    expect(await source.poll(3)).toBe("fenced");
    expect(offsetsOf(await other.poll())).toEqual([3]);
  });

  test("gives a partition up at once when its polls commit", async () => {
    const source = await join(shardId, "0.9", 11);
    for (const partitionId of [0, 1, 2, 3]) await source.poll(partitionId, { count: 2, autoCommit: true });
    const other = await join(shardId, "0.9", 12);
    await given(running, [[0, 1, 2], [3]]);
    expect(await source.poll(3)).toBe("fenced");
    expect(offsetsOf(await other.poll(3))).toEqual([2]);
  });

  test("gives a partition up by the time-out when it never commits; its late commit is refused", async () => {
    const source = await join(shardId, "0.9", 11);
    await source.poll(3);
    const other = await join(shardId, "0.8", 12);
    await staysGiven([[0, 1, 2, 3], []]);
    await shards[0].shard.control({ kind: "timeOutRevocations", timeoutMicros: 0 });
    await given(running, [[0, 1, 2], [3]]);
    expect(await codeOf(source.store(3, 2))).toBe(20);
    expect(await source.poll(3)).toBe("fenced");
    expect(offsetsOf(await other.poll())).toEqual([0, 1, 2]);
  });

  test("may not commit what is not its own: 20, where one of 0.8 gets 3022 or 5006", async () => {
    const [modern, old] = [new Member(shards[shardId], "0.9", 11), new Member(shards[shardId], "0.8", 12)];
    for (const work of [(one: Member) => one.store(3, 0), (one: Member) => one.delete(3)]) {
      expect(await codeOf(work(modern))).toBe(20);
      expect(await codeOf(work(old))).toBe(5006);
    }
    await modern.join();
    await old.join();
    await given(running, [[0, 1, 2], [3]]);
    for (const partitionId of [3, 4, 2 ** 20]) {
      expect(await codeOf(modern.store(partitionId, 0))).toBe(20);
      expect(await codeOf(modern.delete(partitionId))).toBe(20);
    }
    expect(await codeOf(old.store(0, 0))).toBe(3022);
    expect(await codeOf(old.delete(0))).toBe(3022);
    expect(await codeOf(modern.store(0, 3))).toBe(4100); // beyond the end
    expect(await codeOf(modern.delete(0))).toBe(3021); // nothing stored
    await modern.store(0, 2);
    await modern.delete(0);
    expect(await modern.stored(0)).toBeUndefined();
  });

  test("that names no partition is served its turn, as one of 0.8", async () => {
    const member = await join(shardId, "0.9", 11);
    const polled = [];
    for (let turn = 0; turn < 5; turn++) polled.push((await member.poll()) as PolledMessages);
    expect(polled.map(({ partitionId }) => partitionId)).toEqual([0, 1, 2, 3, 0]);
  });
});

test("a member of 0.8 takes over from one of 0.9 that left, and the other way round", async () => {
  const first = await join(0, "0.9", 11);
  await first.poll(0, { autoCommit: true, count: 1 });
  await first.poll(1, { count: 1 }); // not committed: it comes again
  const second = await join(1, "0.8", 12);
  await given(running, [[0, 1, 2], [3]]);
  await first.leave();
  expect(await first.poll(0)).toBe("fenced");
  const seen: Record<number, number[] | "fenced"> = {};
  for (let turn = 0; turn < 4; turn++) {
    const polled = (await second.poll(undefined, { autoCommit: true, count: 2 })) as PolledMessages;
    seen[polled.partitionId] = offsetsOf(polled);
  }
  expect(seen).toEqual({ 0: [1, 2], 1: [0, 1], 2: [0, 1], 3: [0, 1] });
  const third = await join(0, "0.9", 13);
  await second.leave();
  expect(await third.sync()).toMatchObject({ partitionIds: [0, 1, 2, 3] });
  expect(offsetsOf(await third.poll(1))).toEqual([2]);
});

test("a member whose shard does not know of a move yet is fenced by the owner of the partition", async () => {
  // Shard 0 applies a change at once, shard 1 when it hears of it: so the owner is shard 0, and the member is on shard 1.
  const partitionId = await lastOf(shards[0]);
  const source = await join(1, "0.9", 11);
  expect(offsetsOf(await source.poll(partitionId))).toEqual([0, 1, 2]);
  const letGo = shards[0].hold("apply");
  const other = new Member(shards[0], "0.9", 12);
  const joined = other.join();
  expect(await source.sync()).toMatchObject({ partitionIds: [...before(partitionId), partitionId] }); // an older assignment
  expect(await source.poll(partitionId)).toBe("fenced");
  expect(await source.poll(partitionId, { autoCommit: true })).toBe("fenced");
  expect(await source.stored(partitionId)).toBeUndefined();
  letGo();
  await joined;
  await source.store(partitionId, 2);
  await given(running, [before(partitionId), [partitionId]]);
});

test.each([
  "0.8",
  "0.9",
] as const)("nothing is sent to a member of %s any more once the move of its partition is on its way", async (protocol) => {
  const partitionId = await lastOf(shards[1]);
  const source = await join(1, protocol, 11);
  const letGo = shards[1].hold("control"); // what the owner asks of shard 0
  await join(0, "0.8", 12);
  expect(shards[1].sent.some((message) => message.kind === "request" && message.name === "control")).toBe(true);
  // Nothing was polled, so the partition moves; a poll that comes now would be of messages that nobody can commit.
  const late = await source.poll(partitionId);
  expect(offsetsOf(late)).toEqual(protocol === "0.9" ? "fenced" : []);
  letGo();
  await given(running, [before(partitionId), [partitionId]]);
});
