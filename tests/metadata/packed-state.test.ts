import { expect, test } from "bun:test";
import fc from "fast-check";
import { apply } from "../../src/metadata/apply.ts";
import { createState, packState, unpackState } from "../../src/metadata/index.ts";
import { fromPlainState, toPlainState } from "../../src/metadata/plain-state.ts";
import { u64Max } from "../../src/protocol/limits.ts";
import { play, stepsArbitrary } from "./everything.ts";

test("what is unpacked on another thread is all that was packed, members of groups and the lock of users included", () => {
  fc.assert(
    fc.property(stepsArbitrary, fc.boolean(), (steps, areUsersLocked) => {
      const state = createState();
      play(state, steps, () => {});
      state.areUsersLocked = areUsersLocked;
      const copy = unpackState(packState(state));
      expect(copy).toEqual(state);
      expect(copy.streams).not.toBe(state.streams);
    }),
    { numRuns: 100 },
  );
});

test("partitions of one creation share one object, whichever way the state came about", () => {
  const state = createState();
  apply(state, { kind: "streamCreated", streamId: 0, name: "s", createdAtMicros: 1 });
  apply(state, {
    kind: "topicCreated",
    streamId: 0,
    topicId: 0,
    name: "t",
    createdAtMicros: 5,
    partitionsCount: 100,
    compression: 1,
    messageExpiryMicros: u64Max,
    maxTopicSizeBytes: u64Max,
    replicationFactor: 1,
    logBase: "a".repeat(24),
  });
  apply(state, { kind: "partitionsCreated", streamId: 0, topicId: 0, count: 50, createdAtMicros: 6 });
  for (const each of [state, unpackState(packState(state)), fromPlainState(toPlainState(state))]) {
    const { partitions } = each.streams.byId.get(0)!.topics.byId.get(0)!;
    expect(partitions).toHaveLength(150);
    expect(new Set(partitions).size).toBe(2);
  }
});
