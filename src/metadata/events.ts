/**
 * Everything that can happen to the metadata, as plain data. An event is logged, applied and sent to every shard. What
 * varies from run to run (ids, times, hashes) is inside, so that `apply` needs no clock and no chance. To add one: a member
 * here and its rule in `apply.ts`; the compiler points at the place.
 */
import type { PlainData } from "./plain-data.ts";
import type { Compression, UserStatus } from "./state.ts";

export type MetadataEvent =
  | StreamCreated
  | StreamUpdated
  | StreamDeleted
  | StreamPurged
  | TopicCreated
  | TopicUpdated
  | TopicDeleted
  | TopicPurged
  | PartitionsCreated
  | PartitionsDeleted
  | UserCreated;

export type StreamCreated = {
  readonly kind: "streamCreated";
  readonly streamId: number;
  readonly name: string;
  readonly createdAtMicros: number;
};

export type StreamUpdated = { readonly kind: "streamUpdated"; readonly streamId: number; readonly name: string };

export type StreamDeleted = { readonly kind: "streamDeleted"; readonly streamId: number };

/** Changes no metadata: the owners of the partitions drop their messages. */
export type StreamPurged = { readonly kind: "streamPurged"; readonly streamId: number };

export type TopicCreated = {
  readonly kind: "topicCreated";
  readonly streamId: number;
  readonly topicId: number;
  readonly name: string;
  readonly createdAtMicros: number;
  readonly partitionsCount: number;
  readonly compression: Compression;
  readonly messageExpiryMicros: bigint;
  readonly maxTopicSizeBytes: bigint;
  readonly replicationFactor: number;
};

export type TopicUpdated = {
  readonly kind: "topicUpdated";
  readonly streamId: number;
  readonly topicId: number;
  readonly name: string;
  readonly compression: Compression;
  readonly messageExpiryMicros: bigint;
  readonly maxTopicSizeBytes: bigint;
  readonly replicationFactor: number;
};

export type TopicDeleted = { readonly kind: "topicDeleted"; readonly streamId: number; readonly topicId: number };

/** Changes no metadata, like `streamPurged`. */
export type TopicPurged = { readonly kind: "topicPurged"; readonly streamId: number; readonly topicId: number };

/** New ids follow the highest. */
export type PartitionsCreated = {
  readonly kind: "partitionsCreated";
  readonly streamId: number;
  readonly topicId: number;
  readonly count: number;
  readonly createdAtMicros: number;
};

/** From the highest id down. */
export type PartitionsDeleted = {
  readonly kind: "partitionsDeleted";
  readonly streamId: number;
  readonly topicId: number;
  readonly count: number;
};

export type UserCreated = {
  readonly kind: "userCreated";
  readonly userId: number;
  readonly name: string;
  readonly passwordHash: string;
  readonly status: UserStatus;
  readonly createdAtMicros: number;
  readonly permissions: PlainData;
};
