/**
 * What the broker knows besides messages: streams, topics, partitions, users. Every shard holds a copy; only `apply`
 * changes one. Plain data (objects, arrays, maps, bigints): `structuredClone` hands a whole copy to another shard.
 */
import type { Identifier } from "../protocol/identifier.ts";
import { type Catalog, createCatalog, findEntry, type Named, rebuildIds } from "./catalog.ts";
import type { PlainData } from "./plain-data.ts";

export interface MetadataState {
  readonly streams: Catalog<Stream>;
  readonly users: Catalog<User>;
}

export interface Stream extends Named {
  readonly createdAtMicros: number;
  readonly topics: Catalog<Topic>;
}

export interface Topic extends Named {
  readonly createdAtMicros: number;
  /** The array index is the partition id. */
  readonly partitions: Partition[];
  compression: Compression;
  /** Resolved wire number: never 0 (server default); 2^64 - 1 = never. */
  messageExpiryMicros: bigint;
  /** Resolved wire number: never 0 (server default); 2^64 - 1 = unlimited. */
  maxTopicSizeBytes: bigint;
  /** 1 to 255. */
  replicationFactor: number;
}

export interface Partition {
  readonly createdAtMicros: number;
}

/** 1 none, 2 gzip (spec BP 3.22). */
export type Compression = 1 | 2;

export interface User extends Named {
  /** PHC string. */
  passwordHash: string;
  status: UserStatus;
  readonly createdAtMicros: number;
  /** Null: no rights beyond authentication (spec SB 7.1). */
  permissions: PlainData;
}

/** 1 active, 2 inactive (spec BP 3.22). */
export type UserStatus = 1 | 2;

/** The key of a partition holds 12 bits for each of stream and topic id and 20 for the partition id (spec SB 2.2). */
export const streamsMax = 4096;
export const topicsPerStreamMax = 4096;
export const partitionsPerTopicMax = 1_000_000;

/** Nothing created yet, not even the root user. */
export function createState(): MetadataState {
  return { streams: createCatalog(), users: createCatalog() };
}

export function findStream(state: MetadataState, identifier: Identifier): Stream | undefined {
  return findEntry(state.streams, identifier);
}

export function findTopic(stream: Stream, identifier: Identifier): Topic | undefined {
  return findEntry(stream.topics, identifier);
}

export function findPartition(topic: Topic, partitionId: number): Partition | undefined {
  return topic.partitions[partitionId];
}

export function findUser(state: MetadataState, identifier: Identifier): User | undefined {
  return findEntry(state.users, identifier);
}

/** Once after loading: forgets the order in which ids were freed, as every restart does (spec SB 3.8). */
export function rebuildAllIds(state: MetadataState): void {
  rebuildIds(state.streams);
  rebuildIds(state.users);
  for (const stream of state.streams.byId.values()) rebuildIds(stream.topics);
}
