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
import { type Rule, type Rules, requireTopicEntry } from "./rules.ts";
import { type MetadataState, type Partition, partitionsPerTopicMax, streamsMax, topicsPerStreamMax } from "./state.ts";

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

  streamDeleted(state, { streamId }) {
    const stream = requireEntry(state.streams, streamId);
    return () => {
      for (const topic of stream.topics.byId.values()) forgetGroups(state, streamId, topic);
      removeEntry(state.streams, stream);
      forgetPermissions(state, streamId);
    };
  },

  streamPurged(state, { streamId }) {
    requireEntry(state.streams, streamId);
    return noChange;
  },

  topicCreated(state, event) {
    const { streamId, topicId: id, name, createdAtMicros, partitionsCount } = event;
    const { topics } = requireEntry(state.streams, streamId);
    assertIdFree(topics, id);
    assertNameFree(topics, name);
    assert(id < topicsPerStreamMax, "a topic id fits the partition key", { id });
    assertPartitionsCount(partitionsCount);
    assertResolved(event);
    return () =>
      addEntry(topics, {
        id,
        name,
        createdAtMicros,
        partitions: createPartitions(partitionsCount, createdAtMicros),
        groups: createCatalog(),
        compression: event.compression,
        messageExpiryMicros: event.messageExpiryMicros,
        maxTopicSizeBytes: event.maxTopicSizeBytes,
        replicationFactor: event.replicationFactor,
      });
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
    };
  },

  topicDeleted(state, event) {
    const { stream, topic } = requireTopicEntry(state, event);
    return () => {
      forgetGroups(state, stream.id, topic);
      removeEntry(stream.topics, topic);
      forgetPermissions(state, stream.id, topic.id);
    };
  },

  topicPurged(state, event) {
    requireTopicEntry(state, event);
    return noChange;
  },

  partitionsCreated(state, event) {
    const { topic } = requireTopicEntry(state, event);
    const { partitions } = topic;
    assert(event.count > 0, "partitions are created at least one at a time", { count: event.count });
    assertPartitionsCount(partitions.length + event.count);
    return () => {
      for (const partition of createPartitions(event.count, event.createdAtMicros)) partitions.push(partition);
      rebalanceGroups(topic);
    };
  },

  partitionsDeleted(state, event) {
    const { topic } = requireTopicEntry(state, event);
    const { partitions } = topic;
    const { count } = event;
    assert(count > 0 && count <= partitions.length, "deleted partitions exist", { count, existing: partitions.length });
    return () => {
      partitions.length -= count;
      rebalanceGroups(topic);
    };
  },
};

function noChange(): void {}

function createPartitions(count: number, createdAtMicros: number): Partition[] {
  return Array.from({ length: count }, () => ({ createdAtMicros }));
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
