// Shared by the metadata tests: random commands, and disks in memory with chosen content.
import fc from "fast-check";
import {
  planCreatePartitions,
  planCreateStream,
  planCreateTopic,
  planDeletePartitions,
  planDeleteStream,
  planDeleteTopic,
  planPurgeStream,
  planPurgeTopic,
  planUpdateStream,
  planUpdateTopic,
  type TopicDefaults,
} from "../../src/metadata/commands.ts";
import type { LoggedEvent, MembershipEvent, MetadataEvent } from "../../src/metadata/events.ts";
import { toPlainState } from "../../src/metadata/plain-state.ts";
import type { MetadataState } from "../../src/metadata/state.ts";
import type { Disk } from "../../src/platform/disk.ts";
import { SimDisk } from "../../src/platform/simulated/sim-disk.ts";
import { Simulation } from "../../src/platform/simulated/simulation.ts";
import { allPermissions } from "../../src/process/root-user.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import type { Identifier } from "../../src/protocol/identifier.ts";
import { u64Max } from "../../src/protocol/limits.ts";
import type { Permissions } from "../../src/protocol/records/permissions.ts";
import { noGlobalRights } from "../support/permissions.ts";

export const directory = "/data/metadata";

export const defaults: TopicDefaults = {
  messageExpiryMicros: 60_000_000n,
  maxTopicSizeBytes: u64Max,
  segmentSizeBytes: 1_073_741_824,
};

export function numeric(value: number): Identifier {
  return { kind: "numeric", value };
}

export function named(value: string): Identifier {
  return { kind: "string", value };
}

/** Code of the `IggyError` that `work` throws; 0 if it throws none. */
export function codeOf(work: () => unknown): number {
  try {
    work();
    return 0;
  } catch (error) {
    if (error instanceof IggyError) return error.code;
    throw error;
  }
}

export type Command = {
  readonly kind: (typeof commandKinds)[number];
  readonly stream: Identifier;
  readonly topic: Identifier;
  readonly name: string;
  readonly count: number;
  readonly maxTopicSizeBytes: bigint;
};

const commandKinds = [
  "createStream",
  "createStream",
  "updateStream",
  "deleteStream",
  "purgeStream",
  "createTopic",
  "createTopic",
  "createTopic",
  "updateTopic",
  "deleteTopic",
  "purgeTopic",
  "createPartitions",
  "deletePartitions",
] as const;

const nameArbitrary = fc.constantFrom("a", "b", "0", "1", "名前");
const identifierArbitrary = fc.oneof(fc.integer({ min: 0, max: 3 }).map(numeric), nameArbitrary.map(named));

/** Few names and ids, so that commands meet. */
export const commandsArbitrary: fc.Arbitrary<Command[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(...commandKinds),
    stream: identifierArbitrary,
    topic: identifierArbitrary,
    name: nameArbitrary,
    count: fc.constantFrom(0, 1, 2, 3, 1000, 1001),
    maxTopicSizeBytes: fc.constantFrom(0n, 10n, 1_073_741_824n, u64Max),
  }),
  { minLength: 1, maxLength: 40, size: "max" },
);

export function planCommand(state: MetadataState, command: Command, nowMicros: number): MetadataEvent {
  const settings = {
    ...command,
    compression: 1,
    messageExpiryMicros: 0n,
    replicationFactor: 0,
    partitionsCount: command.count,
  } as const;
  switch (command.kind) {
    case "createStream":
      return planCreateStream(state, command, nowMicros);
    case "updateStream":
      return planUpdateStream(state, command);
    case "deleteStream":
      return planDeleteStream(state, command);
    case "purgeStream":
      return planPurgeStream(state, command);
    case "createTopic":
      return planCreateTopic(state, settings, nowMicros, defaults);
    case "updateTopic":
      return planUpdateTopic(state, settings, defaults);
    case "deleteTopic":
      return planDeleteTopic(state, command);
    case "purgeTopic":
      return planPurgeTopic(state, command);
    case "createPartitions":
      return planCreatePartitions(state, command, nowMicros);
    case "deletePartitions":
      return planDeletePartitions(state, command);
  }
}

/** A topic of 3 partitions; ids and name are to be set. */
export const defaultTopic = {
  kind: "topicCreated",
  createdAtMicros: 1_750_000_000_000_000,
  partitionsCount: 3,
  compression: 1,
  messageExpiryMicros: u64Max,
  maxTopicSizeBytes: u64Max,
  replicationFactor: 1,
} as const;

const group = { streamId: 0, topicId: 0, groupId: 0 };

/** No right at all, but an entry for each of these streams, with entries for topics 0 and 1. */
export function emptyPermissions(...streamIds: number[]): Permissions {
  const topic = { manageTopic: false, readTopic: false, pollMessages: false, sendMessages: false };
  return {
    global: noGlobalRights,
    streams: streamIds.map((streamId) => ({
      streamId,
      manageStream: false,
      readStream: false,
      manageTopics: false,
      readTopics: false,
      pollMessages: false,
      sendMessages: false,
      topics: [
        { topicId: 0, ...topic },
        { topicId: 1, ...topic },
      ],
    })),
  };
}

/** One of each kind that is logged, in an order that applies. */
export const everyEvent: readonly LoggedEvent[] = [
  {
    kind: "userCreated",
    userId: 0,
    name: "iggy",
    passwordHash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
    status: 1,
    createdAtMicros: 1_750_000_000_000_001,
    permissions: allPermissions,
  },
  { kind: "streamCreated", streamId: 0, name: "orders", createdAtMicros: 1_750_000_000_000_000 },
  { kind: "streamUpdated", streamId: 0, name: "bestellungen" },
  {
    kind: "topicCreated",
    streamId: 0,
    topicId: 0,
    name: "eu",
    createdAtMicros: 9_007_199_254_740_991,
    partitionsCount: 3,
    compression: 1,
    messageExpiryMicros: u64Max,
    maxTopicSizeBytes: 10n,
    replicationFactor: 1,
  },
  {
    kind: "topicUpdated",
    streamId: 0,
    topicId: 0,
    name: "us",
    compression: 2,
    messageExpiryMicros: 5n,
    maxTopicSizeBytes: u64Max,
    replicationFactor: 255,
  },
  { kind: "partitionsCreated", streamId: 0, topicId: 0, count: 2, createdAtMicros: 1_750_000_000_000_002 },
  { kind: "partitionsDeleted", streamId: 0, topicId: 0, count: 1 },
  { kind: "groupCreated", streamId: 0, topicId: 0, groupId: 0, name: "billing" },
  {
    kind: "userCreated",
    userId: 1,
    name: "alice",
    passwordHash: "hash",
    status: 1,
    createdAtMicros: 1_750_000_000_000_003,
    permissions: null,
  },
  { kind: "userUpdated", userId: 1, name: "bob" },
  { kind: "userUpdated", userId: 1, status: 2 },
  { kind: "passwordChanged", userId: 1, passwordHash: "other" },
  { kind: "permissionsUpdated", userId: 1, permissions: emptyPermissions(0, 4_294_967_295) },
  { kind: "tokenCreated", userId: 1, name: "ci-token", tokenHash: "aa", expiryAtMicros: u64Max },
  { kind: "tokenCreated", userId: 1, name: "old", tokenHash: "bb", expiryAtMicros: 5n },
  { kind: "tokenCreated", userId: 1, name: "last", tokenHash: "cc", expiryAtMicros: 0n },
  { kind: "topicPurged", streamId: 0, topicId: 0 },
  { kind: "streamPurged", streamId: 0 },
  { kind: "tokenDeleted", userId: 1, name: "ci-token" },
  { kind: "tokensExpired", tokens: [{ userId: 1, name: "old" }] },
  { kind: "groupDeleted", streamId: 0, topicId: 0, groupId: 0 },
  { kind: "topicDeleted", streamId: 0, topicId: 0 },
  { kind: "streamDeleted", streamId: 0 },
  { kind: "userDeleted", userId: 1 },
];

/** How many of `everyEvent` come before the first that takes something away. */
export const buildingEventsCount = everyEvent.findIndex(({ kind }) => kind === "topicPurged");

/** One of each kind that is only applied, in an order that applies to the state after the building events. */
export const membershipEvents: readonly MembershipEvent[] = [
  { kind: "groupMemberJoined", ...group, clientId: 7, goneClientIds: [], joinedAtMicros: 1_750_000_000_000_004 },
  { kind: "groupMemberJoined", ...group, clientId: 4_294_967_295, goneClientIds: [], joinedAtMicros: 5 },
  {
    kind: "groupRevocationCompleted",
    ...group,
    partitionId: 3,
    sourceClientId: 7,
    targetClientId: 4_294_967_295,
    reason: "committed",
  },
  { kind: "groupMemberJoined", ...group, clientId: 9, goneClientIds: [7], joinedAtMicros: 6 },
  { kind: "groupMembersLeft", ...group, clientIds: [4_294_967_295] },
];

/** The state as comparable text; bigints and numbers stay different. */
export function textOf(state: MetadataState): string {
  return JSON.stringify(toPlainState(state), (_key, value) => (typeof value === "bigint" ? `${value}n` : value));
}

export function newDisk(seed = 1): SimDisk {
  return new SimDisk(new Simulation(seed));
}

export function readBytes(disk: Disk, path: string): Uint8Array {
  const file = disk.open(path, "read");
  const bytes = new Uint8Array(file.sizeBytes());
  file.read(bytes, 0);
  file.close();
  return bytes;
}

export function writeBytes(disk: Disk, path: string, bytes: Uint8Array): void {
  const file = disk.open(path, "create");
  file.truncate(0);
  file.write([bytes], 0);
  file.close();
}

/** A disk with exactly these files in the metadata directory. */
export function diskWith(files: Readonly<Record<string, Uint8Array>>): SimDisk {
  const disk = newDisk();
  disk.makeDirectory(directory);
  for (const [name, bytes] of Object.entries(files)) writeBytes(disk, `${directory}/${name}`, bytes);
  return disk;
}

/** The files of the metadata directory by name. */
export function filesOf(disk: Disk): Record<string, Uint8Array> {
  return Object.fromEntries(disk.list(directory).map((name) => [name, readBytes(disk, `${directory}/${name}`)]));
}
