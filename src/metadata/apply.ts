/**
 * The metadata state machine: state + event → next state, with no clock, no chance and no I/O, so that every shard and every
 * restart arrives at the same state. A rule first asserts what the event takes for granted, then returns the change; the
 * log asks for the change before it writes, so that an event that cannot be applied is never logged.
 */
import { assert } from "../platform/assert.ts";
import { forgetGroups, groupRules, rebalanceGroups } from "./apply-groups.ts";
import { forgetPermissions, userRules } from "./apply-users.ts";
import {
  addEntry,
  assertIdFree,
  assertNameFree,
  createCatalog,
  removeEntry,
  renameEntry,
  requireEntry,
} from "./catalog.ts";
import type { MetadataEvent } from "./events.ts";
import { assertRemovalId, rememberRemoval, removedLogsOf } from "./removals.ts";
import { type Rule, type Rules, requireTopicEntry } from "./rules.ts";
import {
  type MetadataState,
  type Partition,
  partitionsPerTopicMax,
  type Removal,
  type RemovedLogs,
  streamsMax,
  type Topic,
  topicsPerStreamMax,
} from "./state.ts";
import { noTopicOptions } from "./topic-options.ts";

/** Changes `state`. Throws `AssertionError`, with the state untouched, if the event does not fit it. */
export function apply(state: MetadataState, event: MetadataEvent): void {
  prepare(state, event)();
}

/** The change that `event` makes, to be run before the state changes otherwise. Throws `AssertionError` as `apply` does. */
export function prepare(state: MetadataState, event: MetadataEvent): () => void {
  assert(Object.hasOwn(rules, event.kind), "the kind of an event is known", { kind: event.kind });
  const rule = rules[event.kind] as Rule<MetadataEvent>;
  return rule(state, event);
}

const rules: Rules<MetadataEvent["kind"]> = {
  ...userRules,
  ...groupRules,

  streamCreated(state, { streamId: id, name, createdAtMicros }) {
    assertIdFree(state.streams, id);
    assertNameFree(state.streams, name);
    assert(id < streamsMax, "a stream id fits the partition key", { id });
    return () => addEntry(state.streams, { id, name, createdAtMicros, topics: createCatalog() });
  },

  streamUpdated(state, { streamId, name }) {
    const stream = requireEntry(state.streams, streamId);
    assertNameFree(state.streams, name, streamId);
    return () => renameEntry(state.streams, stream, name);
  },

  streamDeleted(state, { streamId, removalId }) {
    const stream = requireEntry(state.streams, streamId);
    const removal = removalOf(state, removalId, { streamId, firstPartitionId: 0 });
    return () => {
      const topics = [...stream.topics.byId.values()];
      removal?.(topics.map((topic) => removedLogsOf(topic)));
      for (const topic of topics) forgetGroups(state, streamId, topic);
      for (const topic of topics) uncount(state, topic);
      removeEntry(state.streams, stream);
      forgetPermissions(state, streamId);
    };
  },

  streamPurged(state, { streamId, removalId, logBase }) {
    const { topics } = requireEntry(state.streams, streamId);
    const removal = removalOf(state, removalId, { streamId, firstPartitionId: 0 });
    return () => {
      const all = [...topics.byId.values()];
      removal?.(all.map((topic) => removedLogsOf(topic)));
      for (const topic of all) startLogs(topic, logBase);
    };
  },

  topicCreated(state, event) {
    const { streamId, topicId: id, name, createdAtMicros, partitionsCount } = event;
    const { topics } = requireEntry(state.streams, streamId);
    assertIdFree(topics, id);
    assertNameFree(topics, name);
    assert(id < topicsPerStreamMax, "a topic id fits the partition key", { id });
    assertPartitionsCount(partitionsCount);
    assertResolved(event);
    return () => {
      state.topicsCount++;
      state.partitionsCount += partitionsCount;
      addEntry(topics, {
        id,
        name,
        createdAtMicros,
        partitions: createPartitions(event, partitionsCount),
        groups: createCatalog(),
        compression: event.compression,
        messageExpiryMicros: event.messageExpiryMicros,
        maxTopicSizeBytes: event.maxTopicSizeBytes,
        replicationFactor: event.replicationFactor,
        options: event.options ?? noTopicOptions,
      });
    };
  },

  topicUpdated(state, event) {
    const { stream, topic } = requireTopicEntry(state, event);
    assertNameFree(stream.topics, event.name, topic.id);
    assertResolved(event);
    return () => {
      renameEntry(stream.topics, topic, event.name);
      topic.compression = event.compression;
      topic.messageExpiryMicros = event.messageExpiryMicros;
      topic.maxTopicSizeBytes = event.maxTopicSizeBytes;
      topic.replicationFactor = event.replicationFactor;
      topic.options = event.options ?? topic.options;
    };
  },

  topicDeleted(state, event) {
    const { stream, topic } = requireTopicEntry(state, event);
    const place = { streamId: stream.id, topicId: topic.id, firstPartitionId: 0 };
    const removal = removalOf(state, event.removalId, place);
    return () => {
      removal?.([removedLogsOf(topic)]);
      forgetGroups(state, stream.id, topic);
      uncount(state, topic);
      removeEntry(stream.topics, topic);
      forgetPermissions(state, stream.id, topic.id);
    };
  },

  topicPurged(state, event) {
    const { stream, topic } = requireTopicEntry(state, event);
    const place = { streamId: stream.id, topicId: topic.id, firstPartitionId: 0 };
    const removal = removalOf(state, event.removalId, place);
    return () => {
      removal?.([removedLogsOf(topic)]);
      startLogs(topic, event.logBase);
    };
  },

  partitionsCreated(state, event) {
    const { topic } = requireTopicEntry(state, event);
    const { partitions } = topic;
    assert(event.count > 0, "partitions are created at least one at a time", { count: event.count });
    assertPartitionsCount(partitions.length + event.count);
    return () => {
      for (const partition of createPartitions(event, event.count)) partitions.push(partition);
      state.partitionsCount += event.count;
      rebalanceGroups(topic);
    };
  },

  partitionsDeleted(state, event) {
    const { stream, topic } = requireTopicEntry(state, event);
    const { partitions } = topic;
    const { count } = event;
    assert(count > 0 && count <= partitions.length, "deleted partitions exist", { count, existing: partitions.length });
    const place = { streamId: stream.id, topicId: topic.id, firstPartitionId: partitions.length - count };
    const removal = removalOf(state, event.removalId, place);
    return () => {
      removal?.([removedLogsOf(topic, partitions.slice(-count))]);
      partitions.length -= count;
      state.partitionsCount -= count;
      rebalanceGroups(topic);
    };
  },

  removalsFinished(state, { removalIds }) {
    for (const removalId of removalIds) {
      assert(state.removals.has(removalId), "what is forgotten was remembered", { removalId });
    }
    return () => {
      for (const removalId of removalIds) state.removals.delete(removalId);
    };
  },
};

/** Remembers, once it is called with the logs that end, what is deleted at a place. Undefined: nothing is to be remembered. */
function removalOf(
  state: MetadataState,
  removalId: number | undefined,
  place: Omit<Removal, "removalId" | "logs">,
): ((logs: readonly RemovedLogs[]) => void) | undefined {
  if (removalId === undefined) return undefined;
  assertRemovalId(state, removalId);
  return (logs) => rememberRemoval(state, { removalId, ...place, logs });
}

function createPartitions(
  { createdAtMicros, logBase }: { readonly createdAtMicros: number; readonly logBase?: string },
  count: number,
): Partition[] {
  // One object for all of them: it never changes, and there may be very many.
  return Array<Partition>(count).fill({ createdAtMicros, logBase });
}

/** After a purge. One of an older version had no ids. */
function startLogs({ partitions }: Topic, logBase: string | undefined): void {
  if (logBase === undefined) return;
  let last: Partition | undefined;
  for (const [id, { createdAtMicros }] of partitions.entries()) {
    if (last?.createdAtMicros !== createdAtMicros) last = { createdAtMicros, logBase };
    partitions[id] = last;
  }
}

function uncount(state: MetadataState, topic: Topic): void {
  state.topicsCount--;
  state.partitionsCount -= topic.partitions.length;
}

function assertPartitionsCount(count: number): void {
  const fits = Number.isInteger(count) && count >= 0 && count <= partitionsPerTopicMax;
  assert(fits, "partition ids fit the partition key", { count });
}

/** "Server default" is resolved before the event is made, or the topic would change its meaning (spec SB 3.8). */
function assertResolved(event: {
  readonly messageExpiryMicros: bigint;
  readonly maxTopicSizeBytes: bigint;
  readonly replicationFactor: number;
}): void {
  const { messageExpiryMicros, maxTopicSizeBytes, replicationFactor } = event;
  assert(
    messageExpiryMicros > 0n && maxTopicSizeBytes > 0n && replicationFactor > 0,
    "a logged topic has no defaults",
    {
      messageExpiryMicros,
      maxTopicSizeBytes,
      replicationFactor,
    },
  );
}
