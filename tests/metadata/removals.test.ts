import { describe, expect, test } from "bun:test";
import { apply } from "../../src/metadata/apply.ts";
import type { LoggedEvent } from "../../src/metadata/events.ts";
import { logIdOf } from "../../src/metadata/log-ids.ts";
import { fromPlainState, toPlainState } from "../../src/metadata/plain-state.ts";
import { isRemovedLog } from "../../src/metadata/removals.ts";
import { createState, type MetadataState } from "../../src/metadata/state.ts";
import { openLog } from "./log-support.ts";
import { newDisk } from "./support.ts";

const first = "0123456789abcdef00000000";
const second = "fedcba987654321000000000";
const place = (partitionId: number) => ({ streamId: 0, topicId: 3, partitionId });
const topic = { streamId: 0, topicId: 3 };
const settings = { compression: 1, messageExpiryMicros: 1n, maxTopicSizeBytes: 1n, replicationFactor: 1 } as const;
const streamCreated: LoggedEvent = { kind: "streamCreated", streamId: 0, name: "s", createdAtMicros: 1 };
const topicCreated = (logBase?: string): LoggedEvent => ({
  kind: "topicCreated",
  ...topic,
  name: "t",
  createdAtMicros: 1,
  partitionsCount: 2,
  ...settings,
  ...(logBase === undefined ? {} : { logBase }),
});

function stateAfter(...events: LoggedEvent[]): MetadataState {
  const state = createState();
  for (const event of events) apply(state, event);
  return state;
}

/** By partition, the id of its log as the metadata have it. */
function logsOf(state: MetadataState): (string | undefined)[] {
  return state.streams.byId
    .get(0)!
    .topics.byId.get(3)!
    .partitions.map(({ logBase }, partitionId) => logIdOf(logBase, 3, partitionId));
}

test("the id of a log is the base with topic and partition in its last 32 bits", () => {
  expect(logIdOf(first, 0, 0)).toBe(first);
  expect(logIdOf(first, 3, 1)).toBe("0123456789abcdef00300001");
  expect(logIdOf("0123456789abcdefffffffff", 4095, 2 ** 20 - 1)).toBe("0123456789abcdef00000000");
  expect(logIdOf(undefined, 3, 1)).toBeUndefined();
});

describe("what a deletion or purge ended", () => {
  test("is remembered by place and log id until it is finished, over a snapshot too", () => {
    const state = stateAfter(streamCreated, topicCreated(first));
    apply(state, { kind: "topicPurged", ...topic, logBase: second, removalId: 1 });
    expect(logsOf(state)).toEqual([logIdOf(second, 3, 0), logIdOf(second, 3, 1)]);
    expect(isRemovedLog(state, place(1), logIdOf(first, 3, 1))).toBe(true);
    expect(isRemovedLog(state, place(0), logIdOf(first, 3, 1))).toBe(false);
    expect(isRemovedLog(state, place(1), logIdOf(second, 3, 1))).toBe(false);
    expect(isRemovedLog(state, place(1), undefined)).toBe(false);
    expect(isRemovedLog({ ...state, removals: new Map() }, place(1), logIdOf(first, 3, 1))).toBe(false);

    const loaded = fromPlainState(toPlainState(state));
    expect(isRemovedLog(loaded, place(1), logIdOf(first, 3, 1))).toBe(true);
    expect(logsOf(loaded)).toEqual(logsOf(state));
    expect(loaded.partitionsCount).toBe(2);
    apply(loaded, { kind: "removalsFinished", removalIds: [1] });
    expect(isRemovedLog(loaded, place(1), logIdOf(first, 3, 1))).toBe(false);
    // A number is not given again to another removal, though nothing has it any more.
    expect(() => apply(loaded, { kind: "topicDeleted", ...topic, removalId: 1 })).toThrow("ascending");
  });

  test("covers what is deleted, and no more", () => {
    const grown: LoggedEvent = { kind: "partitionsCreated", ...topic, count: 2, createdAtMicros: 2, logBase: second };
    const state = stateAfter(streamCreated, topicCreated(first), grown);
    apply(state, { kind: "partitionsDeleted", ...topic, count: 3, removalId: 1 });
    expect(isRemovedLog(state, place(0), logIdOf(first, 3, 0))).toBe(false);
    expect(isRemovedLog(state, place(1), logIdOf(first, 3, 1))).toBe(true);
    expect(isRemovedLog(state, place(3), logIdOf(second, 3, 3))).toBe(true);
    apply(state, { kind: "streamDeleted", streamId: 0, removalId: 2 });
    expect(isRemovedLog(state, place(0), logIdOf(first, 3, 0))).toBe(true);
    expect(isRemovedLog(state, { ...place(0), streamId: 1 }, logIdOf(first, 3, 0))).toBe(false);
    expect([state.topicsCount, state.partitionsCount]).toEqual([0, 0]);
  });

  test("is known by its place alone where an older version made it, and not at all where one deleted it", () => {
    const state = stateAfter(streamCreated, topicCreated());
    apply(state, { kind: "topicPurged", ...topic });
    expect(logsOf(state)).toEqual([undefined, undefined]);
    expect(isRemovedLog(state, place(1), undefined)).toBe(false);
    apply(state, { kind: "topicDeleted", ...topic, removalId: 7 });
    expect(isRemovedLog(state, place(1), undefined)).toBe(true);
    expect(isRemovedLog(state, place(1), first)).toBe(false);
  });

  test("comes back with the log, with a snapshot of it and without", () => {
    for (const withSnapshot of [false, true]) {
      const disk = newDisk();
      const { log } = openLog(disk);
      for (const event of [streamCreated, topicCreated(first)]) log.append(event);
      log.append({ kind: "groupCreated", ...topic, groupId: 0, name: "g", logId: second });
      if (withSnapshot) log.snapshot();
      log.append({ kind: "partitionsDeleted", ...topic, count: 1, removalId: 1 });
      const { state } = openLog(disk);
      expect(state).toEqual(log.state);
      expect(isRemovedLog(state, place(1), logIdOf(first, 3, 1))).toBe(true);
      const found = state.streams.byId.get(0)!.topics.byId.get(3)!;
      expect(found.groups.byId.get(0)!.logId).toBe(second);
    }
  });
});
