/** Commands for the metadata of a whole broker that can be carried out, over so few names that they come again and again. */
import type { MetadataState, Stream, Topic } from "../../src/metadata/index.ts";
import type { Simulation } from "../../src/platform/simulated/simulation.ts";
import type { ControlCommand } from "../../src/shard/index.ts";

const settings = { compression: 1, messageExpiryMicros: 0n, maxTopicSizeBytes: 0n, replicationFactor: 1 } as const;

const persisted = { durability: "persisted", consumer_offset_durability: "persisted" } as const;

export interface NamedCommand {
  /** Of the stream or user: other names are not concerned. */
  readonly name: string;
  readonly command: ControlCommand;
}

export function randomCommand(state: MetadataState, simulation: Simulation): NamedCommand {
  if (simulation.chance(15)) return userCommand(state, simulation);
  const name = simulation.pick(["a", "b", "c"]);
  const stream = [...state.streams.byId.values()].find((other) => other.name === name);
  const command = stream === undefined ? createStream(name) : streamCommand(stream, simulation);
  return { name: `stream ${name}`, command };
}

/** Purges a stream, where there is one. */
export function randomPurge(state: MetadataState, simulation: Simulation): NamedCommand | undefined {
  const streams = [...state.streams.byId.values()];
  if (streams.length === 0) return undefined;
  return purgeOf(simulation.pick(streams).name);
}

export function purgeOf(streamName: string): NamedCommand {
  return { name: `stream ${streamName}`, command: { kind: "purgeStream", request: { stream: named(streamName) } } };
}

export function deletionOf(streamName: string): NamedCommand {
  return { name: `stream ${streamName}`, command: { kind: "deleteStream", request: { stream: named(streamName) } } };
}

/** Deletes the last partition of a topic and makes it again, where there is one: its files may still be in the way. */
export function partitionAgain(state: MetadataState, simulation: Simulation): NamedCommand[] {
  const targets = [...state.streams.byId.values()].flatMap((stream) =>
    [...stream.topics.byId.values()]
      .filter(({ partitions }) => partitions.length > 0)
      .map((topic) => ({ stream: named(stream.name), topic: named(topic.name), count: 1 })),
  );
  if (targets.length === 0) return [];
  const request = simulation.pick(targets);
  const kinds = ["deletePartitions", "createPartitions"] as const;
  return kinds.map((kind) => ({ name: `stream ${request.stream.value}`, command: { kind, request } }));
}

function userCommand(state: MetadataState, simulation: Simulation): NamedCommand {
  const name = simulation.pick(["ann", "bob"]);
  const isThere = [...state.users.byId.values()].some((user) => user.name === name);
  const command: ControlCommand = isThere
    ? { kind: "deleteUser", request: { user: named(name) } }
    : { kind: "createUser", request: { name, passwordHash: "", status: 1, permissions: null } };
  return { name: `user ${name}`, command };
}

function createStream(name: string): ControlCommand {
  return { kind: "createStream", request: { name } };
}

function streamCommand(found: Stream, simulation: Simulation): ControlCommand {
  const stream = named(found.name);
  const dice = simulation.between(0, 99);
  if (dice < 6) return { kind: "deleteStream", request: { stream } };
  if (dice < 10) return { kind: "purgeStream", request: { stream } };
  const name = simulation.pick(["x", "y"]);
  const topic = [...found.topics.byId.values()].find((other) => other.name === name);
  if (topic !== undefined) return topicCommand(found, topic, simulation);
  const partitionsCount = simulation.pick([1, 1, 2]);
  const options = simulation.chance(40) ? persisted : {};
  return { kind: "createTopic", request: { stream, name, partitionsCount, ...settings, options } };
}

function topicCommand(stream: Stream, topic: Topic, simulation: Simulation): ControlCommand {
  const target = { stream: named(stream.name), topic: named(topic.name) };
  const dice = simulation.between(0, 99);
  if (dice < 25) return { kind: "deleteTopic", request: target };
  if (dice < 40) return { kind: "purgeTopic", request: target };
  if (dice < 50 && topic.partitions.length < 4) return { kind: "createPartitions", request: { ...target, count: 1 } };
  if (dice < 60 && topic.partitions.length > 1) return { kind: "deletePartitions", request: { ...target, count: 1 } };
  const name = simulation.pick(["g", "h"]);
  const isThere = [...topic.groups.byId.values()].some((group) => group.name === name);
  return isThere
    ? { kind: "deleteGroup", request: { ...target, group: named(name) } }
    : { kind: "createGroup", request: { ...target, name } };
}

function named(value: string): { readonly kind: "string"; readonly value: string } {
  return { kind: "string", value };
}
