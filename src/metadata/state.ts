/**
 * What the broker knows besides messages: streams, topics, partitions, consumer groups, users, tokens. Every shard holds a
 * copy; only `apply` changes one. Plain data (objects, arrays, maps, bigints): `structuredClone` hands a whole copy to
 * another shard. The members of groups are part of it and replicated with it, but never on disk (spec SB 6.1).
 */
import type { Identifier } from "../protocol/identifier.ts";
import type { Permissions } from "../protocol/records/permissions.ts";
import { type Catalog, createCatalog, findEntry, type Named, rebuildIds } from "./catalog.ts";
import type { IdAllocator } from "./id-allocator.ts";
import type { TopicOptions } from "./topic-options.ts";

export interface MetadataState {
  readonly streams: Catalog<Stream>;
  readonly users: Catalog<User>;
  /** Every token of every user by its hash. */
  readonly tokensByHash: Map<string, TokenOwner>;
  /** The groups that a client is a member of, in the order in which it joined. */
  readonly groupsByClient: Map<number, GroupKey[]>;
  /** Deletions and purges whose files may still be there, by their number, in the order in which they came. */
  readonly removals: Map<number, Removal>;
  lastRemovalId: number;
  /** Of all streams together. */
  topicsCount: number;
  partitionsCount: number;
  /**
   * Metadata is lost, and nobody knows whose rights went with it: until the operator has looked, nobody but root logs in
   * (`damage.ts`). Set when the metadata is opened, and not part of a snapshot.
   */
  areUsersLocked: boolean;
}

export interface Stream extends Named {
  readonly createdAtMicros: number;
  readonly topics: Catalog<Topic>;
}

export interface Topic extends Named {
  readonly createdAtMicros: number;
  /** The array index is the partition id. */
  readonly partitions: Partition[];
  readonly groups: Catalog<ConsumerGroup>;
  compression: Compression;
  /** Resolved wire number: never 0 (server default); 2^64 - 1 = never. */
  messageExpiryMicros: bigint;
  /** Resolved wire number: never 0 (server default); 2^64 - 1 = unlimited. */
  maxTopicSizeBytes: bigint;
  /** 1 to 255. */
  replicationFactor: number;
  /** What a client of 0.9 gave; the settings above are in force, whatever stands here. */
  options: TopicOptions;
}

/** Never changed: those that were created together share one object. */
export interface Partition {
  readonly createdAtMicros: number;
  /** Of its creation or last purge (`log-ids.ts`); undefined where an older version made it. */
  readonly logBase: string | undefined;
}

/** A deletion or purge (`removals.ts`). */
export interface Removal {
  readonly removalId: number;
  readonly streamId: number;
  /** Absent: the whole stream. */
  readonly topicId?: number;
  /** Partitions from this one on; 0 for all of a topic, and of a stream. */
  readonly firstPartitionId: number;
  /** The logs that ended, by topic. */
  readonly logs: readonly RemovedLogs[];
}

export interface RemovedLogs {
  readonly topicId: number;
  /** Each once; null: of partitions that an older version made. */
  readonly logBases: readonly (string | null)[];
}

/** 1 none, 2 gzip (spec BP 3.22). */
export type Compression = 1 | 2;

/** Shares the partitions of its topic among its members: each partition belongs to exactly one while there is any. */
export interface ConsumerGroup extends Named {
  /** Tells it from others that had or get its number; undefined where an older version made it. */
  readonly logId: string | undefined;
  /** In ascending slot. */
  readonly members: GroupMember[];
  readonly membersByClient: Map<number, GroupMember>;
  readonly slots: IdAllocator;
  /**
   * How often its partitions were given out differently (spec P9 9.2): 0 before the first member, 1 after it has joined. Lost
   * with the members at a restart: clients only compare it with the one before.
   */
  generation: number;
}

export interface GroupMember {
  /** Place in the order in which partitions are given out; a freed one is used again (spec SB 6.2). */
  readonly slot: number;
  /** What clients see: one more than the highest when it joined. */
  readonly memberId: number;
  readonly clientId: number;
  /** Partition ids in the order in which they were given; polls go round them. */
  readonly partitions: number[];
  /** Partitions of this member that move as soon as their messages are committed (spec SB 6.5). */
  readonly pendingRevocations: PendingRevocation[];
}

export interface PendingRevocation {
  readonly partitionId: number;
  readonly targetClientId: number;
  readonly sinceMicros: number;
}

export interface GroupKey {
  readonly streamId: number;
  readonly topicId: number;
  readonly groupId: number;
}

export interface User extends Named {
  /** PHC string. */
  passwordHash: string;
  status: UserStatus;
  readonly createdAtMicros: number;
  /** Null: no rights beyond authentication (spec SB 7.1). */
  permissions: Permissions | null;
  readonly tokensByName: Map<string, Token>;
  /** Raised by a new password and by a deactivation: what logged in under a lower one is logged in no more (`user-logins.ts`). */
  credentialsVersion: number;
  /** The HTTP access token that asked for the last new password; it alone outlives it. */
  keptAccessTokenId: string | null;
}

/** 1 active, 2 inactive (spec BP 3.22). */
export type UserStatus = 1 | 2;
export const activeStatus = 1;
export const inactiveStatus = 2;

/** Personal access token: only the hash of the text that the client holds (spec SB 7.5). */
export interface Token {
  readonly name: string;
  /** BLAKE3 in hex. */
  readonly tokenHash: string;
  /** 0: never. */
  readonly expiryAtMicros: bigint;
}

export interface TokenOwner {
  readonly userId: number;
  readonly name: string;
}

/** Cannot be deleted, and its permissions cannot be changed (spec SB 1.7). */
export const rootUserId = 0;

/** The key of a partition holds 12 bits for each of stream and topic id and 20 for the partition id (spec SB 2.2). */
export const streamsMax = 4096;
export const topicsPerStreamMax = 4096;
export const partitionsPerTopicMax = 1_000_000;

/** All that can exist at the same time: every one has its place in memory that the shards share. */
export const partitionsMax = 1_048_576;
export const topicsMax = 1_048_576;

/** The original counts ids up to 2^32 - 1, more than any memory holds; a user takes about 1 KB on each shard. */
export const usersMax = 1_000_000;

/** Nothing created yet, not even the root user. */
export function createState(): MetadataState {
  return {
    streams: createCatalog(),
    users: createCatalog(),
    tokensByHash: new Map(),
    groupsByClient: new Map(),
    removals: new Map(),
    lastRemovalId: 0,
    topicsCount: 0,
    partitionsCount: 0,
    areUsersLocked: false,
  };
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

export function findGroup(topic: Topic, identifier: Identifier): ConsumerGroup | undefined {
  return findEntry(topic.groups, identifier);
}

/** A name made of digits is a name, also at a login (unlike in the original; spec SB 13, trap 44). */
export function findUser(state: MetadataState, identifier: Identifier): User | undefined {
  return findEntry(state.users, identifier);
}

/** Whose token it is, expired or not. */
export function findToken(
  state: MetadataState,
  tokenHash: string,
): { readonly user: User; readonly token: Token } | undefined {
  const owner = state.tokensByHash.get(tokenHash);
  if (owner === undefined) return undefined;
  const user = state.users.byId.get(owner.userId);
  const token = user?.tokensByName.get(owner.name);
  return user === undefined || token === undefined ? undefined : { user, token };
}

/** Once after loading: forgets the order in which ids were freed, as every restart does (spec SB 3.8). */
export function rebuildAllIds(state: MetadataState): void {
  rebuildIds(state.streams);
  rebuildIds(state.users);
  for (const stream of state.streams.byId.values()) {
    rebuildIds(stream.topics);
    for (const topic of stream.topics.byId.values()) rebuildIds(topic.groups);
  }
}
