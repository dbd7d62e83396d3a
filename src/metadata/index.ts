/** What other layers may use of the metadata. */
export { apply } from "./apply.ts";
export { type Catalog, entriesById, type Named } from "./catalog.ts";
export { type MetadataCipher, MetadataKeyError } from "./cipher.ts";
export {
  type PartitionsRequest,
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
  requireCreatedPartitionsCount,
  requireDeletedPartitionsCount,
  requireTopicPartitionsCount,
  type StreamTarget,
  type TopicChange,
  type TopicDefaults,
  type TopicSettings,
  type TopicTarget,
} from "./commands.ts";
export { describeDamage, isLockedOut, type MetadataDamage, type MetadataRepair } from "./damage.ts";
export {
  isLogged,
  type LoggedEvent,
  type MembershipEvent,
  type MetadataEvent,
  type PasswordChanged,
  type RevocationReason,
  type SettledReason,
} from "./events.ts";
export { metadataPaths } from "./files.ts";
export {
  mayPollPartition,
  memberOf,
  ownsPartition,
  pendingRevocationOf,
  pollablePartitions,
} from "./group-assignment.ts";
export {
  type GroupTarget,
  pendingRevocations,
  pendingRevocationsOf,
  planClientGone,
  planCompleteRevocation,
  planCreateGroup,
  planDeleteGroup,
  planJoinGroup,
  planLeaveGroup,
  planTimedOutRevocations,
  type RevocationTarget,
} from "./group-commands.ts";
export { peekId } from "./id-allocator.ts";
export { LimitReached, type MetadataLimits, requireWithinLimits } from "./limits.ts";
export { MetadataLog, type MetadataLogOptions } from "./log.ts";
export { logIdBytes, logIdOf } from "./log-ids.ts";
export { requireGroup, requireStream, requireTopic, requireUser } from "./lookups.ts";
export { packState, unpackState } from "./packed-state.ts";
export { isAllowed, isAllowedSomewhere, MissingRight, requireAllowed } from "./permissions.ts";
export { makesPersisted } from "./persisted.ts";
export type { PlainData } from "./plain-data.ts";
export { isRemovedLog, nextRemovalId, planRemovalsFinished } from "./removals.ts";
export { DataVersionError } from "./snapshot.ts";
export {
  type Compression,
  type ConsumerGroup,
  createState,
  findGroup,
  findPartition,
  findStream,
  findToken,
  findTopic,
  findUser,
  type GroupKey,
  type GroupMember,
  type MetadataState,
  type Partition,
  type PendingRevocation,
  partitionsMax,
  type Removal,
  rootUserId,
  type Stream,
  streamsMax,
  type Token,
  type TokenOwner,
  type Topic,
  topicsMax,
  topicsPerStreamMax,
  type User,
  type UserStatus,
  usersMax,
} from "./state.ts";
export {
  isTokenExpired,
  type NewToken,
  planCreateToken,
  planDeleteToken,
  planExpireTokens,
  requireTokenName,
  tokensOf,
} from "./token-commands.ts";
export {
  areOffsetsPersisted,
  describeTopicOptions,
  isPersisted,
  isTopicOptionKey,
  noTopicOptions,
  shownOptions,
  storageOptionsOf,
  type TopicOptionDefaults,
  type TopicOptionKey,
  type TopicOptions,
  type TopicOptionValue,
  topicOptionTable,
} from "./topic-options.ts";
export {
  type NewUser,
  planChangePassword,
  planCreateUser,
  planDeleteUser,
  planUpdatePermissions,
  planUpdateUser,
  requirePassword,
  requireUserName,
  type UserChange,
  type UserTarget,
} from "./user-commands.ts";
export { findLoggedIn, loginOf, type UserLogin } from "./user-logins.ts";
