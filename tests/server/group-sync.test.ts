// The sync of a group (spec P9 9.2): what a member may poll, and the generation of the assignment, on either of two shards.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { nameId } from "../../src/protocol/identifier.ts";
import { syncGroup } from "../../src/server/commands/group-sync.ts";
import { setUser } from "../../src/server/session.ts";
import { partitionKeyOf } from "../../src/shard/index.ts";
import { append } from "../shard/append.ts";
import { startShards, type TestShards } from "../shard/setup.ts";
import { codeOf } from "../support/error-code.ts";
import { given, Member, makeGroup, target } from "./members.ts";
import { makeContext } from "./setup.ts";

let running: TestShards;
let shards: TestShards["shards"];

beforeEach(async () => {
  running = startShards();
  shards = running.shards;
  await makeGroup(running, 4);
});

afterEach(() => running.close());

test.each([0, 1] as const)("tells a member on shard %d what is its own, and that it changed", async (shardId) => {
  const first = await new Member(shards[shardId], "0.9", 11).join();
  expect(await first.sync()).toEqual({ generation: 1n, partitionIds: [0, 1, 2, 3] });
  expect(await first.sync()).toEqual({ generation: 1n, partitionIds: [0, 1, 2, 3] });
  const second = await new Member(shards[1 - shardId]!, "0.8", 12).join();
  await given(running, [[0, 1, 2], [3]]);
  // The move is a part of the join.
  expect(await first.sync()).toEqual({ generation: 2n, partitionIds: [0, 1, 2] });
  expect(await second.sync()).toEqual({ generation: 2n, partitionIds: [3] });
  await second.leave();
  expect(await first.sync()).toEqual({ generation: 3n, partitionIds: [0, 1, 2, 3] });
  expect(await second.sync()).toBeUndefined();
});

test("leaves out what waits to be moved, and tells a member without partitions that it has none", async () => {
  await append(shards[0], partitionKeyOf(0, 0, 3), [10]);
  const first = await new Member(shards[0], "0.9", 11).join();
  await first.poll(3);
  const second = await new Member(shards[1], "0.9", 12).join();
  expect(await first.sync()).toEqual({ generation: 2n, partitionIds: [0, 1, 2] });
  expect(await second.sync()).toEqual({ generation: 2n, partitionIds: [] });
  await first.store(3, 0);
  expect(await first.sync()).toEqual({ generation: 3n, partitionIds: [0, 1, 2] });
  expect(await second.sync()).toEqual({ generation: 3n, partitionIds: [3] });
});

test("is empty for who is not a member, any more or yet, and where something is missing", async () => {
  const member = new Member(shards[1], "0.9", 11);
  expect(await member.sync()).toBeUndefined();
  await member.join();
  const context = makeContext(shards[1]);
  for (const missing of ["stream", "topic", "group"]) {
    const request = { ...target, [missing]: nameId("none") };
    expect(await syncGroup(context, member.session, request)).toBeUndefined();
  }
  member.session.isRecordGone = true;
  expect(await member.sync()).toBeUndefined();
});

test("asks for the right to read the topic", async () => {
  const member = await new Member(shards[0], "0.9", 11).join();
  setUser(member.session, undefined);
  expect(await codeOf(member.sync())).toBe(41);
});

test("gives a list of its own: what it holds does not change under the hands of who writes it", async () => {
  const member = await new Member(shards[0], "0.9", 11).join();
  const assignment = await member.sync();
  await new Member(shards[0], "0.9", 12).join();
  await given(running, [[0, 1, 2], [3]]);
  expect(assignment?.partitionIds).toEqual([0, 1, 2, 3]);
});
