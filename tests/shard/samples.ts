// One message of every kind that shards exchange, with a value in every field.
import type { MetadataEvent } from "../../src/metadata/index.ts";
import type { ControlCommand } from "../../src/shard/index.ts";
import type { ReplyOf, RequestOf, ShardRequestKind } from "../../src/shard/messages.ts";
import { noGlobalRights } from "../support/permissions.ts";

const stream = { kind: "string", value: "orders" } as const;
const topic = { kind: "numeric", value: 7 } as const;
const settings = {
  name: "new",
  compression: 1,
  messageExpiryMicros: 2n ** 64n - 1n,
  maxTopicSizeBytes: 10n ** 12n,
  replicationFactor: 1,
} as const;
const ids = { streamId: 3, topicId: 7 };
const user = { kind: "string", value: "alice" } as const;
const group = { kind: "numeric", value: 2 } as const;
const owner = { userId: 1, name: "ci" };
const permissions = {
  global: { ...noGlobalRights, manageServers: true },
  streams: [],
};

export const sampleControlCommands: { readonly [K in ControlCommand["kind"]]: Extract<ControlCommand, { kind: K }> } = {
  createStream: { kind: "createStream", request: { name: "new" } },
  updateStream: { kind: "updateStream", request: { stream, name: "new" } },
  deleteStream: { kind: "deleteStream", request: { stream } },
  purgeStream: { kind: "purgeStream", request: { stream } },
  createTopic: { kind: "createTopic", request: { stream, partitionsCount: 4, ...settings } },
  updateTopic: { kind: "updateTopic", request: { stream, topic, ...settings } },
  deleteTopic: { kind: "deleteTopic", request: { stream, topic } },
  purgeTopic: { kind: "purgeTopic", request: { stream, topic } },
  createPartitions: { kind: "createPartitions", request: { stream, topic, count: 2 } },
  deletePartitions: { kind: "deletePartitions", request: { stream, topic, count: 2 } },
  createUser: { kind: "createUser", request: { name: "alice", passwordHash: "hash", status: 1, permissions } },
  updateUser: { kind: "updateUser", request: { user, name: "bob", status: 2 } },
  deleteUser: { kind: "deleteUser", request: { user } },
  updatePermissions: { kind: "updatePermissions", request: { user, permissions: null } },
  changePassword: {
    kind: "changePassword",
    request: { userId: 1, verifiedHash: "hash", passwordHash: "other", keptAccessTokenId: "jti" },
  },
  createToken: { kind: "createToken", request: { ...owner, tokenHash: "ab", expiryMicros: 2n ** 64n - 1n } },
  deleteToken: { kind: "deleteToken", request: owner },
  expireTokens: { kind: "expireTokens" },
  createGroup: { kind: "createGroup", request: { stream, topic, name: "workers" } },
  deleteGroup: { kind: "deleteGroup", request: { stream, topic, group } },
  joinGroup: { kind: "joinGroup", request: { stream, topic, group }, clientId: 4 },
  leaveGroup: { kind: "leaveGroup", request: { stream, topic, group }, clientId: 4 },
  clientGone: { kind: "clientGone", clientId: 4 },
  completeRevocation: {
    kind: "completeRevocation",
    reason: "committed",
    target: { ...ids, groupId: 2, partitionId: 1, sourceClientId: 4, targetClientId: 5, sinceMicros: 6 },
  },
  finishRemovals: { kind: "finishRemovals" },
  timeOutRevocations: { kind: "timeOutRevocations", timeoutMicros: 30_000_000 },
};

type EventSamples = { readonly [K in MetadataEvent["kind"]]: Extract<MetadataEvent, { kind: K }> };

const key = { ...ids, groupId: 2 };
const logId = "0123456789abcdef01234567";

export const sampleEvents: EventSamples = {
  groupCreated: { kind: "groupCreated", ...key, name: "workers", logId },
  groupDeleted: { kind: "groupDeleted", ...key },
  groupMemberJoined: { kind: "groupMemberJoined", ...key, clientId: 4, goneClientIds: [5], joinedAtMicros: 6 },
  groupMembersLeft: { kind: "groupMembersLeft", ...key, clientIds: [4, 5] },
  groupRevocationCompleted: {
    kind: "groupRevocationCompleted",
    ...key,
    partitionId: 1,
    sourceClientId: 4,
    targetClientId: 5,
    reason: "committed",
  },
  userUpdated: { kind: "userUpdated", userId: 1, name: "bob", status: 2 },
  userDeleted: { kind: "userDeleted", userId: 1 },
  passwordChanged: { kind: "passwordChanged", userId: 1, passwordHash: "other" },
  permissionsUpdated: { kind: "permissionsUpdated", userId: 1, permissions: null },
  tokenCreated: { kind: "tokenCreated", ...owner, tokenHash: "ab", expiryAtMicros: 2n ** 60n },
  tokenDeleted: { kind: "tokenDeleted", ...owner },
  tokensExpired: { kind: "tokensExpired", tokens: [owner] },
  removalsFinished: { kind: "removalsFinished", removalIds: [1, 3] },
  streamCreated: { kind: "streamCreated", streamId: 3, name: "orders", createdAtMicros: 1_700_000_000_000_001 },
  streamUpdated: { kind: "streamUpdated", streamId: 3, name: "other" },
  streamDeleted: { kind: "streamDeleted", streamId: 3, removalId: 4 },
  streamPurged: { kind: "streamPurged", streamId: 3, removalId: 5, logBase: logId },
  topicCreated: { kind: "topicCreated", ...ids, ...settings, createdAtMicros: 5, partitionsCount: 4, logBase: logId },
  topicUpdated: { kind: "topicUpdated", ...ids, ...settings },
  topicDeleted: { kind: "topicDeleted", ...ids, removalId: 6 },
  topicPurged: { kind: "topicPurged", ...ids, removalId: 7, logBase: logId },
  partitionsCreated: { kind: "partitionsCreated", ...ids, count: 2, createdAtMicros: 6, logBase: logId },
  partitionsDeleted: { kind: "partitionsDeleted", ...ids, count: 2, removalId: 8 },
  userCreated: {
    kind: "userCreated",
    userId: 1,
    name: "alice",
    passwordHash: "hash",
    status: 1,
    createdAtMicros: 7,
    permissions,
  },
};

const consumer = { kind: "group", id: 9 } as const;

const createdAtMicros = 1_700_000_000_000_000;

export const sampleRequests: { readonly [K in ShardRequestKind]: RequestOf<K> } = {
  append: {
    partitionKey: 2 ** 44 - 1,
    createdAtMicros,
    arenaShardId: 1,
    wantsOffset: true,
    large: new SharedArrayBuffer(8, { maxByteLength: 64 }),
    rowsPosition: 4096,
    messagesCount: 3,
    messagesPosition: 4144,
    messagesSizeBytes: 300,
  },
  read: {
    partitionKey: 5,
    createdAtMicros,
    from: { kind: "next", consumer },
    countMax: 100,
    autoCommit: true,
    consumer,
    memberClientId: 4,
  },
  offset: {
    partitionKey: 5,
    createdAtMicros,
    operation: "store",
    consumer,
    memberClientId: 4,
    offset: 2 ** 53 - 1,
  },
  oldestSegment: { partitionKey: 5, createdAtMicros, removeEndingAt: 40 },
  deleteSegments: { partitionKey: 5, createdAtMicros, count: 2 },
  flush: { partitionKey: 5, createdAtMicros, fsync: true },
  control: sampleControlCommands.createTopic,
  apply: sampleEvents.topicCreated,
  syncMetadata: undefined,
  backup: { action: "keep", pointId: "0123456789abcdef" },
  link: { directory: "local_data/streams/.backup/0123456789abcdef" },
  clients: undefined,
  disconnectClient: 7,
  makeRoom: "10.1.2.3",
  statistics: undefined,
  report: {
    kind: "offsets",
    question: {
      streamId: 1,
      topicId: 2,
      firstPartition: 0,
      endPartition: 1000,
      after: { kind: "consumer", id: 7 },
      countMax: 10,
    },
  },
};

export const sampleReplies: { readonly [K in ShardRequestKind]: ReplyOf<K> } = {
  append: undefined,
  read: {
    currentOffset: 41,
    messagesCount: 2,
    lastOffset: 41,
    epoch: 1,
    sizeBytes: 130,
    parts: [
      { kind: "file", fd: 12, position: 2 ** 40, sizeBytes: 65 },
      { kind: "bytes", bytes: new Uint8Array(65).fill(9) },
    ],
    leaseId: 4,
  },
  offset: { currentOffset: 41, storedOffset: 40 },
  oldestSegment: {
    isRemoved: true,
    oldest: { firstTimestampMicros: 1, lastTimestampMicros: 2, sizeBytes: 100, endOffset: 50 },
  },
  deleteSegments: 2,
  flush: undefined,
  control: sampleEvents.topicCreated,
  apply: undefined,
  syncMetadata: undefined,
  backup: {
    pointId: "0123456789abcdef",
    directory: "local_data/streams/.backup/0123456789abcdef",
    partitionsCount: 3,
    closedKeys: [4],
  },
  link: { partitionsCount: 3, closedKeys: [4] },
  disconnectClient: true,
  makeRoom: true,
  clients: [
    {
      clientId: 1,
      userId: undefined,
      transport: "tcp",
      address: "[::1]:5",
      consumerGroupsCount: 1,
      consumerGroups: [{ streamId: 1, topicId: 2, groupId: 3 }],
    },
  ],
  statistics: {
    shardId: 1,
    commands: [{ code: 101, counts: [1, 2, 3], totalMs: 4.5 }],
    samples: [{ key: "damagedMessages", labels: { shard: "1" }, value: 5 }],
    held: [{ partitionKey: 4097, kind: "group", id: 3, storedOffset: 7, segmentsCount: 2 }],
    deliveredMessages: 8,
    failedCommands: 9,
  },
  report: new Float64Array([1, 2, 3, 2 ** 50, 5]),
};
