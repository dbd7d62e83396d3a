/**
 * Everything that can happen to the metadata, as plain data. An event is logged, applied and sent to every shard; those
 * about the members of groups are not logged (spec SB 3.8), but take the same way otherwise. What varies from run to run
 * (ids, times, hashes, who is connected) is inside, so that `apply` needs no clock and no chance. To add one: a member here
 * and its rule in `apply*.ts`; the compiler points at the place.
 */
import type { Permissions } from "../protocol/records/permissions.ts";
import type { Compression, GroupKey, TokenOwner, UserStatus } from "./state.ts";
import type { TopicOptions } from "./topic-options.ts";

export type MetadataEvent = LoggedEvent | MembershipEvent;

export type LoggedEvent =
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
  | GroupCreated
  | GroupDeleted
  | UserCreated
  | UserUpdated
  | UserDeleted
  | PasswordChanged
  | PermissionsUpdated
  | TokenCreated
  | TokenDeleted
  | TokensExpired
  | RemovalsFinished;

/** Who is in a group ends with the process. */
export type MembershipEvent = GroupMemberJoined | GroupMembersLeft | GroupRevocationCompleted;

const membershipKinds = {
  groupMemberJoined: true,
  groupMembersLeft: true,
  groupRevocationCompleted: true,
} satisfies Record<MembershipEvent["kind"], true>;

/** Whether an event goes into the log, or is only applied. */
export function isLogged(event: MetadataEvent): event is LoggedEvent {
  return !Object.hasOwn(membershipKinds, event.kind);
}

export type StreamCreated = {
  readonly kind: "streamCreated";
  readonly streamId: number;
  readonly name: string;
  readonly createdAtMicros: number;
};

export type StreamUpdated = { readonly kind: "streamUpdated"; readonly streamId: number; readonly name: string };

/** What deletes or purges is remembered under this number until its files are gone; absent in logs of older versions. */
export type Remembered = { readonly removalId?: number };

/** What makes partitions: 96 random bits for the ids of their logs (`log-ids.ts`); absent in logs of older versions. */
export type WithLogBase = { readonly logBase?: string };

export type StreamDeleted = Remembered & { readonly kind: "streamDeleted"; readonly streamId: number };

/** The owners of the partitions drop their messages; the partitions begin a new log. */
export type StreamPurged = Remembered & WithLogBase & { readonly kind: "streamPurged"; readonly streamId: number };

export type TopicCreated = WithLogBase & {
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
  /** Absent: none was given, as by every client of 0.8. */
  readonly options?: TopicOptions;
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
  /** All that the topic has now; absent: as before. */
  readonly options?: TopicOptions;
};

export type TopicDeleted = Remembered & {
  readonly kind: "topicDeleted";
  readonly streamId: number;
  readonly topicId: number;
};

/** As `streamPurged`. */
export type TopicPurged = Remembered &
  WithLogBase & { readonly kind: "topicPurged"; readonly streamId: number; readonly topicId: number };

/** New ids follow the highest. */
export type PartitionsCreated = WithLogBase & {
  readonly kind: "partitionsCreated";
  readonly streamId: number;
  readonly topicId: number;
  readonly count: number;
  readonly createdAtMicros: number;
};

/** From the highest id down. */
export type PartitionsDeleted = Remembered & {
  readonly kind: "partitionsDeleted";
  readonly streamId: number;
  readonly topicId: number;
  readonly count: number;
};

export type GroupCreated = GroupKey & {
  readonly kind: "groupCreated";
  readonly name: string;
  /** Tells it from others that had or get its number: 24 hex digits; absent in logs of older versions. */
  readonly logId?: string;
};

/** Its members go with it. */
export type GroupDeleted = GroupKey & { readonly kind: "groupDeleted" };

export type GroupMemberJoined = GroupKey & {
  readonly kind: "groupMemberJoined";
  readonly clientId: number;
  /** Members that were found gone; they leave first. */
  readonly goneClientIds: readonly number[];
  readonly joinedAtMicros: number;
};

/** The partitions are given out anew among those who stay. */
export type GroupMembersLeft = GroupKey & {
  readonly kind: "groupMembersLeft";
  readonly clientIds: readonly number[];
};

/** A partition moves to the member it was promised to. */
export type GroupRevocationCompleted = GroupKey & {
  readonly kind: "groupRevocationCompleted";
  readonly partitionId: number;
  readonly sourceClientId: number;
  readonly targetClientId: number;
  /** `unread`: when the member joined nobody had messages to commit, so that the move is a part of the join. */
  readonly reason: RevocationReason;
};

export type RevocationReason = SettledReason | "timedOut";

/** Why a promised partition may move before its time is over: what its owner finds. */
export type SettledReason = "unread" | "committed";

export type UserCreated = {
  readonly kind: "userCreated";
  readonly userId: number;
  readonly name: string;
  readonly passwordHash: string;
  readonly status: UserStatus;
  readonly createdAtMicros: number;
  readonly permissions: Permissions | null;
};

/** What is absent stays. */
export type UserUpdated = {
  readonly kind: "userUpdated";
  readonly userId: number;
  readonly name?: string;
  readonly status?: UserStatus;
};

/** Its tokens go with it. */
export type UserDeleted = { readonly kind: "userDeleted"; readonly userId: number };

export type PasswordChanged = {
  readonly kind: "passwordChanged";
  readonly userId: number;
  readonly passwordHash: string;
  /** The HTTP access token of the one who asked; absent where no token of this user did, and in logs of older versions. */
  readonly keptAccessTokenId?: string;
};

export type PermissionsUpdated = {
  readonly kind: "permissionsUpdated";
  readonly userId: number;
  readonly permissions: Permissions | null;
};

export type TokenCreated = {
  readonly kind: "tokenCreated";
  readonly userId: number;
  readonly name: string;
  readonly tokenHash: string;
  /** 0: never. */
  readonly expiryAtMicros: bigint;
};

export type TokenDeleted = TokenOwner & { readonly kind: "tokenDeleted" };

/** What the cleaner found; the same effect as a deletion of each. */
export type TokensExpired = { readonly kind: "tokensExpired"; readonly tokens: readonly TokenOwner[] };

/** The files of these deletions and purges are gone: they need not be remembered any more. */
export type RemovalsFinished = { readonly kind: "removalsFinished"; readonly removalIds: readonly number[] };
