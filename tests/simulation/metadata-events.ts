/** Random metadata events that fit a given state. */
import { entriesById } from "../../src/metadata/catalog.ts";
import type { MetadataEvent, TopicCreated } from "../../src/metadata/events.ts";
import { peekId } from "../../src/metadata/id-allocator.ts";
import type { MetadataState, Stream, Topic } from "../../src/metadata/state.ts";
import type { Simulation } from "../../src/platform/simulated/simulation.ts";
import { noGlobalRights } from "../support/permissions.ts";

export function randomEvent(state: MetadataState, simulation: Simulation): MetadataEvent {
  const streams = entriesById(state.streams);
  const dice = simulation.between(0, 99);
  if (dice < 10) return userCreated(state, simulation);
  if (streams.length === 0 || dice < 25) {
    const streamId = peekId(state.streams.ids);
    return { kind: "streamCreated", streamId, name: uniqueName(simulation), createdAtMicros: micros(simulation) };
  }
  const stream = simulation.pick(streams);
  if (dice < 50) return streamEvent(stream, simulation);
  const topics = entriesById(stream.topics);
  return topics.length === 0
    ? topicCreated(stream, simulation)
    : topicEvent(stream, simulation.pick(topics), simulation);
}

function userCreated(state: MetadataState, simulation: Simulation): MetadataEvent {
  return {
    kind: "userCreated",
    userId: peekId(state.users.ids),
    name: uniqueName(simulation),
    passwordHash: `hash-${simulation.between(0, 1e6)}`,
    status: simulation.pick([1, 2]),
    createdAtMicros: micros(simulation),
    permissions: simulation.pick([
      null,
      {
        global: { ...noGlobalRights, manageServers: true },
        streams: [],
      },
    ]),
  };
}

function streamEvent({ id: streamId, ...stream }: Stream, simulation: Simulation): MetadataEvent {
  switch (simulation.pick(["create", "create", "create", "update", "delete", "purge"] as const)) {
    case "create":
      return topicCreated({ id: streamId, ...stream }, simulation);
    case "update":
      return { kind: "streamUpdated", streamId, name: simulation.chance(20) ? stream.name : uniqueName(simulation) };
    case "delete":
      return { kind: "streamDeleted", streamId };
    case "purge":
      return { kind: "streamPurged", streamId };
  }
}

function topicCreated(stream: Stream, simulation: Simulation): TopicCreated {
  return {
    kind: "topicCreated",
    streamId: stream.id,
    topicId: peekId(stream.topics.ids),
    createdAtMicros: micros(simulation),
    partitionsCount: simulation.between(0, 5),
    ...topicSettings(simulation),
  };
}

function topicEvent(stream: Stream, topic: Topic, simulation: Simulation): MetadataEvent {
  const ids = { streamId: stream.id, topicId: topic.id };
  switch (simulation.pick(["update", "delete", "purge", "grow", "grow", "shrink"] as const)) {
    case "update":
      return { kind: "topicUpdated", ...ids, ...topicSettings(simulation) };
    case "delete":
      return { kind: "topicDeleted", ...ids };
    case "purge":
      return { kind: "topicPurged", ...ids };
    case "shrink":
      if (topic.partitions.length > 0) {
        return { kind: "partitionsDeleted", ...ids, count: simulation.between(1, topic.partitions.length) };
      }
      return { kind: "topicPurged", ...ids };
    case "grow":
      return {
        kind: "partitionsCreated",
        ...ids,
        count: simulation.between(1, 4),
        createdAtMicros: micros(simulation),
      };
  }
}

function topicSettings(
  simulation: Simulation,
): Pick<TopicCreated, "name" | "compression" | "messageExpiryMicros" | "maxTopicSizeBytes" | "replicationFactor"> {
  return {
    name: uniqueName(simulation),
    compression: simulation.pick([1, 2]),
    messageExpiryMicros: simulation.pick([2n ** 64n - 1n, 1n, 3_600_000_000n]),
    maxTopicSizeBytes: simulation.pick([2n ** 64n - 1n, 1_000_000_000n]),
    replicationFactor: simulation.between(1, 255),
  };
}

function uniqueName(simulation: Simulation): string {
  return `name-${simulation.random.u32()}-${simulation.random.u32()}`;
}

/** Above 2^32 and below 2^53, like a real time. */
function micros(simulation: Simulation): number {
  return 1_700_000_000_000_000 + simulation.random.u32();
}
