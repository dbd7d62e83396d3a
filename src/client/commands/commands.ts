// Every command as a method: what a client has beside its topics. Rejections are IggyErrors of the server, a ConnectionLostError
// where no reply came, a TypeError for arguments that make no sense.

import type { Consumer } from "../../protocol/consumer.ts";
import type { BackupPointReply } from "../../protocol/extensions/backup.ts";
import type { MemberAssignment } from "../../protocol/extensions/join-with-assignment.ts";
import type { PartitionPosition, PollWaitingReply } from "../../protocol/extensions/poll-waiting.ts";
import type { SendReceipt } from "../../protocol/extensions/send-with-receipt.ts";
import type { PolledMessages } from "../../protocol/message/poll-messages.ts";
import type { MessageToSend } from "../../protocol/message/send-messages.ts";
import type { Partitioning } from "../../protocol/partitioning.ts";
import type { PollingStrategy } from "../../protocol/polling-strategy.ts";
import type { ClientDetails, ClientHeader } from "../../protocol/records/client-header.ts";
import type { ClusterMetadata } from "../../protocol/records/cluster-metadata.ts";
import type { ConsumerGroupDetails, ConsumerGroupHeader } from "../../protocol/records/consumer-group.ts";
import type { ConsumerOffset } from "../../protocol/records/consumer-offset.ts";
import type { Compression, UserStatus } from "../../protocol/records/enumerations.ts";
import type { Permissions } from "../../protocol/records/permissions.ts";
import type { Stats } from "../../protocol/records/stats.ts";
import type { StreamDetails } from "../../protocol/records/stream-details.ts";
import type { StreamHeader } from "../../protocol/records/stream-header.ts";
import type { TokenEntry } from "../../protocol/records/token-entry.ts";
import type { TopicDetails } from "../../protocol/records/topic-details.ts";
import type { TopicHeader } from "../../protocol/records/topic-header.ts";
import type { UserDetails, UserHeader } from "../../protocol/records/user-header.ts";
import type { SnapshotOptions } from "../../protocol/system/get-snapshot.ts";
import type { IdentifierInput } from "../identifiers.ts";
import type { Features } from "./basic.ts";
import type { Exchange } from "./command.ts";

/** A new user: active and without any right if not told otherwise. */
export type CreateUserOptions = {
  readonly username: string;
  readonly password: string;
  readonly status?: UserStatus;
  readonly permissions?: Permissions;
};

/** What is to change; the rest stays. */
export type UpdateUserOptions = { readonly username?: string; readonly status?: UserStatus };

/** What a topic is made of; everything but the name has a default. */
export type TopicOptions = {
  readonly name: string;
  readonly compression?: Compression;
  /** 0 = the server's default, 2^64 - 1 = never; never if not given. */
  readonly messageExpiryMicros?: bigint;
  /** 0 = the server's default, 2^64 - 1 = unlimited; unlimited if not given. */
  readonly maxTopicSizeBytes?: bigint;
  readonly replicationFactor?: number;
};

export type SendOptions = {
  readonly stream: IdentifierInput;
  readonly topic: IdentifierInput;
  /** Balanced if not given. */
  readonly partitioning?: Partitioning;
  readonly messages: readonly MessageToSend[];
};

/** Whose offset it is, and of which partition; without a partition the server takes the first or the group's own one. */
export type OffsetOptions = {
  readonly consumer: Consumer;
  readonly stream: IdentifierInput;
  readonly topic: IdentifierInput;
  readonly partitionId?: number;
};

export type PollOptions = OffsetOptions & {
  readonly strategy: PollingStrategy;
  readonly count: number;
  readonly autoCommit?: boolean;
};

export type WaitOptions = PollOptions & {
  readonly waitMs: number;
  /** Most bytes of messages, unless one has more; as many as a reply holds if not given. */
  readonly bytesMax?: number;
  /** Number of the assignment that the member knows; with another one it gets its partitions at once. */
  readonly knownAssignment?: bigint;
  /**
   * Without a partition: where a member goes on in its own, as the strategy says it of the others; of a single consumer which
   * partitions it reads, each from there.
   */
  readonly positions?: readonly PartitionPosition[];
};

export interface Commands {
  /** Any command by its code, with a payload that is encoded already; resolves with the reply's payload. */
  readonly exchange: Exchange;

  // The server (spec BP 4.2).

  ping(): Promise<void>;
  getMe(): Promise<ClientDetails>;
  getClients(): Promise<readonly ClientHeader[]>;
  getClient(clientId: number): Promise<ClientDetails | undefined>;
  getStats(): Promise<Stats>;
  getClusterMetadata(): Promise<ClusterMetadata>;
  /**
   * A ZIP archive with one text for each type, which tells about the machine, the configuration and the log; `deflated`
   * and `["all"]` if not given. The bytes are a view of the reply. Unauthorized (41) without the right for it,
   * InvalidCommand (3) for "all" beside another type, SnapshotFileCompletionFailed (9000).
   */
  getSnapshot(options?: Partial<SnapshotOptions>): Promise<Uint8Array>;
  /** Asks what the broker can do beyond 0.8; InvalidCommand (3) where it is another one. */
  features(): Promise<Features>;

  /**
   * Makes a point for a backup on the machine of the broker: a directory to copy, which says of each file how much of it counts.
   * Unauthorized (41) without the right to manage servers; SnapshotFileCompletionFailed (9000).
   */
  beginBackup(): Promise<BackupPointReply>;
  /** To be called at least once a minute while the point is copied; ResourceNotFound (20) where it is gone. */
  keepBackup(pointId: string): Promise<void>;
  /** The point is copied, or not wanted any more. */
  endBackup(pointId: string): Promise<void>;

  // Logins, users and their rights (spec BP 4.3). What another user has or may do needs the right to read or manage users,
  // else Unauthorized (41); user names have 3 to 50 bytes, passwords 3 to 100.

  /** Logs in and resolves with the user's id. A reconnect, and other connections of the client, do it the same way from then on. */
  login(username: string, password: string): Promise<number>;
  /** Logs out; after it a reconnect does not log in again. */
  logout(): Promise<void>;
  /**
   * A user with its permissions, `undefined` if there is none. The own user needs no right. Unauthorized (41) for another
   * one without the right to read users, by number also for one that does not exist.
   */
  getUser(user: IdentifierInput): Promise<UserDetails | undefined>;
  /** All users, without their permissions. Unauthorized (41). */
  getUsers(): Promise<readonly UserHeader[]>;
  /** Unauthorized (41), InvalidUsername (43), InvalidPassword (44), UserAlreadyExists (46), UsersLimitReached (55). */
  createUser(options: CreateUserOptions): Promise<UserDetails>;
  /**
   * Renames a user or changes its status; an inactive one cannot log in. A reconnect logs in with what the own user is called by
   * then. Unauthorized (41), InvalidUsername (43), ResourceNotFound (20) for an unknown user, UserAlreadyExists (46) for a name
   * that is taken.
   */
  updateUser(user: IdentifierInput, options: UpdateUserOptions): Promise<void>;
  /** Unauthorized (41), ResourceNotFound (20), CannotDeleteUser (48) for the root user. */
  deleteUser(user: IdentifierInput): Promise<void>;
  /**
   * Replaces all permissions; `undefined` takes every right away. Unauthorized (41), ResourceNotFound (20),
   * CannotChangePermissions (49) for the root user.
   */
  updatePermissions(user: IdentifierInput, permissions: Permissions | undefined): Promise<void>;
  /**
   * The current password is that of `user`, also where an administrator changes it; a reconnect logs in with the new one of the own
   * user. InvalidPassword (44), ResourceNotFound (20), Unauthorized (41) for another user, InvalidCredentials (42) if the current
   * one is wrong.
   */
  changePassword(user: IdentifierInput, currentPassword: string, newPassword: string): Promise<void>;

  // Personal access tokens, each of the user who is logged in (spec BP 4.4).

  /** Logs in with a personal access token and resolves with the user's id. */
  loginWithToken(token: string): Promise<number>;
  /** Names and ends of the own tokens; `expiryAtMicros`: since the epoch, 0 = never. */
  getPersonalAccessTokens(): Promise<readonly TokenEntry[]>;
  /**
   * The text of a new token of the own user, which the server does not keep. `name`: 3 to 30 bytes; `expiryMicros`: from
   * now on, 0 = never. InvalidPersonalAccessTokenName (50), PersonalAccessTokenAlreadyExists (51),
   * PersonalAccessTokensLimitReached (52).
   */
  createPersonalAccessToken(name: string, expiryMicros: bigint): Promise<string>;
  /** ResourceNotFound (20) if the own user has no token of that name. */
  deletePersonalAccessToken(name: string): Promise<void>;

  // Streams (spec BP 4.7).

  getStreams(): Promise<readonly StreamHeader[]>;
  getStream(stream: IdentifierInput): Promise<StreamDetails | undefined>;
  createStream(name: string): Promise<StreamHeader>;
  updateStream(stream: IdentifierInput, name: string): Promise<void>;
  deleteStream(stream: IdentifierInput): Promise<void>;
  purgeStream(stream: IdentifierInput): Promise<void>;

  // Topics with their partitions and segments (spec BP 4.8).

  getTopics(stream: IdentifierInput): Promise<readonly TopicHeader[]>;
  getTopic(stream: IdentifierInput, topic: IdentifierInput): Promise<TopicDetails | undefined>;
  createTopic(
    stream: IdentifierInput,
    options: TopicOptions & { readonly partitionsCount: number },
  ): Promise<TopicDetails>;
  /**
   * Changes what is given and leaves the rest: the request has everything, so what is not given is read before. Somebody who
   * changes the same topic between the two is overwritten.
   */
  updateTopic(stream: IdentifierInput, topic: IdentifierInput, changes: Partial<TopicOptions>): Promise<void>;
  deleteTopic(stream: IdentifierInput, topic: IdentifierInput): Promise<void>;
  purgeTopic(stream: IdentifierInput, topic: IdentifierInput): Promise<void>;
  createPartitions(stream: IdentifierInput, topic: IdentifierInput, partitionsCount: number): Promise<void>;
  deletePartitions(stream: IdentifierInput, topic: IdentifierInput, partitionsCount: number): Promise<void>;
  deleteSegments(
    stream: IdentifierInput,
    topic: IdentifierInput,
    partitionId: number,
    segmentsCount: number,
  ): Promise<void>;

  // Consumer groups (spec BP 4.9).

  getConsumerGroups(stream: IdentifierInput, topic: IdentifierInput): Promise<readonly ConsumerGroupHeader[]>;
  getConsumerGroup(
    stream: IdentifierInput,
    topic: IdentifierInput,
    group: IdentifierInput,
  ): Promise<ConsumerGroupDetails | undefined>;
  createConsumerGroup(stream: IdentifierInput, topic: IdentifierInput, name: string): Promise<ConsumerGroupHeader>;
  deleteConsumerGroup(stream: IdentifierInput, topic: IdentifierInput, group: IdentifierInput): Promise<void>;
  /** Membership belongs to the connection: after a reconnect the caller joins again. */
  joinConsumerGroup(stream: IdentifierInput, topic: IdentifierInput, group: IdentifierInput): Promise<void>;
  /** As `joinConsumerGroup`; says what the member may poll, where the broker can. */
  joinWithAssignment(
    stream: IdentifierInput,
    topic: IdentifierInput,
    group: IdentifierInput,
  ): Promise<MemberAssignment>;
  leaveConsumerGroup(stream: IdentifierInput, topic: IdentifierInput, group: IdentifierInput): Promise<void>;

  // Messages and offsets (spec BP 4.5, 4.6).

  /** Appends a batch. If the connection is lost before the reply comes, the caller decides whether to send it again. */
  sendMessages(options: SendOptions): Promise<void>;
  /** As `sendMessages`; says where the messages are, where the broker can. */
  sendWithReceipt(options: SendOptions): Promise<SendReceipt>;
  /** Reads messages; payloads and headers are views of one reply. A poll that commits is not repeated by itself. */
  pollMessages(options: PollOptions): Promise<PolledMessages>;
  /**
   * Reads messages, and waits up to `waitMs` where there are none, where the broker can. The next request of the connection ends
   * the wait. A poll that commits is not repeated by itself.
   */
  pollWaiting(options: WaitOptions): Promise<PollWaitingReply>;
  flushUnsavedBuffer(
    stream: IdentifierInput,
    topic: IdentifierInput,
    partitionId: number,
    fsync: boolean,
  ): Promise<void>;
  storeConsumerOffset(options: OffsetOptions & { readonly offset: bigint }): Promise<void>;
  /** Undefined if none is stored. */
  getConsumerOffset(options: OffsetOptions): Promise<ConsumerOffset | undefined>;
  deleteConsumerOffset(options: OffsetOptions): Promise<void>;
}
