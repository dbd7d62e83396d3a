// Random values of every record of the protocol, in the form that decoding gives (canonical: lists sorted where the codec
// sorts them, counts equal to their lists).

import fc from "fast-check";
import type { CommandName } from "../../src/protocol/codes.ts";
import type { Consumer } from "../../src/protocol/consumer.ts";
import type { Identifier } from "../../src/protocol/identifier.ts";
import type { Partitioning } from "../../src/protocol/partitioning.ts";
import { PollingKindCode } from "../../src/protocol/polling-strategy.ts";
import {
  CompressionCode,
  NodeRoleCode,
  NodeStatusCode,
  SnapshotCompressionCode,
  SnapshotTypeCode,
  TransportCode,
  UserStatusCode,
} from "../../src/protocol/records/enumerations.ts";

export const u8 = fc.integer({ min: 0, max: 0xff });
export const u16 = fc.integer({ min: 0, max: 0xffff });
export const u32 = fc.integer({ min: 0, max: 0xffffffff });
export const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
export const u128 = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n });
export const f32 = fc.float({ noNaN: true });

const wellFormed = (maxLength: number) => fc.string({ unit: "binary", maxLength: Math.floor(maxLength / 4) });
/** Text of at most `bytesMax` UTF-8 bytes. */
export const text = (bytesMax = 255) =>
  fc.oneof(wellFormed(bytesMax), fc.string({ unit: "grapheme-ascii", maxLength: bytesMax }));
export const name = text().filter((value) => value.length > 0);
export const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

export const identifier: fc.Arbitrary<Identifier> = fc.oneof(
  u32.map((value) => ({ kind: "numeric" as const, value })),
  name.map((value) => ({ kind: "string" as const, value })),
);

export const consumer: fc.Arbitrary<Consumer> = fc.record({
  kind: fc.constantFrom("consumer" as const, "group" as const),
  id: identifier,
});

export const partitioning: fc.Arbitrary<Partitioning> = fc.oneof(
  fc.constant({ kind: "balanced" as const }),
  u32.map((partitionId) => ({ kind: "partition" as const, partitionId })),
  bytes(255).map((key) => ({ kind: "key" as const, key })),
);

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const keyOf = <K extends string>(codes: Record<K, number>) => fc.constantFrom(...(Object.keys(codes) as K[]));
const codeOf = (codes: Record<string, number>) => fc.constantFrom(...Object.values(codes));
const snapshotTypeCodes = fc.oneof(
  fc.constant([SnapshotTypeCode.all]),
  fc
    .array(codeOf(SnapshotTypeCode), { maxLength: 255 })
    .map((codes) => codes.filter((code) => code !== SnapshotTypeCode.all)),
);
const flag = fc.boolean();
const few = { maxLength: 3 };
const byId =
  <K extends string>(key: K) =>
  (a: Record<K, number>, b: Record<K, number>) =>
    a[key] - b[key];

const topicPermissions = fc.record({
  topicId: u32,
  manageTopic: flag,
  readTopic: flag,
  pollMessages: flag,
  sendMessages: flag,
});
const streamPermissions = fc.record({
  streamId: u32,
  manageStream: flag,
  readStream: flag,
  manageTopics: flag,
  readTopics: flag,
  pollMessages: flag,
  sendMessages: flag,
  topics: fc
    .uniqueArray(topicPermissions, { ...few, selector: (topic) => topic.topicId })
    .map((topics) => topics.toSorted(byId("topicId"))),
});
export const permissions = fc.record({
  global: fc.record({
    manageServers: flag,
    readServers: flag,
    manageUsers: flag,
    readUsers: flag,
    manageStreams: flag,
    readStreams: flag,
    manageTopics: flag,
    readTopics: flag,
    pollMessages: flag,
    sendMessages: flag,
  }),
  streams: fc
    .uniqueArray(streamPermissions, { ...few, selector: (stream) => stream.streamId })
    .map((streams) => streams.toSorted(byId("streamId"))),
});

const streamHeader = fc.record({
  id: u32,
  createdAtMicros: u64,
  topicsCount: u32,
  sizeBytes: u64,
  messagesCount: u64,
  name,
});
const topicHeader = fc.record({
  id: u32,
  createdAtMicros: u64,
  partitionsCount: u32,
  messageExpiryMicros: u64,
  compression: keyOf(CompressionCode),
  maxTopicSizeBytes: u64,
  replicationFactor: u8,
  sizeBytes: u64,
  messagesCount: u64,
  name,
});
const partitionRecord = fc.record({
  id: u32,
  createdAtMicros: u64,
  segmentsCount: u32,
  currentOffset: u64,
  sizeBytes: u64,
  messagesCount: u64,
});
const streamDetails = fc
  .tuple(streamHeader, fc.array(topicHeader, few))
  .map(([header, topics]) => ({ ...header, topicsCount: topics.length, topics }));
const topicDetails = fc
  .tuple(topicHeader, fc.array(partitionRecord, few))
  .map(([header, partitions]) => ({ ...header, partitionsCount: partitions.length, partitions }));
const groupHeader = fc.record({ id: u32, partitionsCount: u32, membersCount: u32, name });
const groupDetails = fc
  .tuple(groupHeader, fc.array(fc.record({ id: u32, partitions: fc.array(u32, few) }), few))
  .map(([header, members]) => ({ ...header, membersCount: members.length, members }));
const clientHeader = fc.record({
  clientId: u32,
  userId: optional(fc.integer({ min: 0, max: 2 ** 32 - 2 })),
  transport: keyOf(TransportCode),
  address: text(),
  consumerGroupsCount: u32,
});
const clientDetails = fc
  .tuple(clientHeader, fc.array(fc.record({ streamId: u32, topicId: u32, groupId: u32 }), few))
  .map(([header, consumerGroups]) => ({ ...header, consumerGroupsCount: consumerGroups.length, consumerGroups }));
const userHeader = fc.record({ id: u32, createdAtMicros: u64, status: keyOf(UserStatusCode), username: name });
const userDetails = fc
  .tuple(userHeader, optional(permissions))
  .map(([header, granted]) => ({ ...header, permissions: granted }));
const stats = fc.record({
  processId: u32,
  cpuUsagePercent: f32,
  totalCpuUsagePercent: f32,
  memoryUsageBytes: u64,
  totalMemoryBytes: u64,
  availableMemoryBytes: u64,
  runTimeMicros: u64,
  startTimeMicros: u64,
  readBytes: u64,
  writtenBytes: u64,
  messagesSizeBytes: u64,
  streamsCount: u32,
  topicsCount: u32,
  partitionsCount: u32,
  segmentsCount: u32,
  messagesCount: u64,
  clientsCount: u32,
  consumerGroupsCount: u32,
  hostname: text(),
  osName: text(),
  osVersion: text(),
  kernelVersion: text(),
  serverVersion: text(),
  serverSemver: u32,
  cacheMetrics: fc.array(
    fc.record({ streamId: u32, topicId: u32, partitionId: u32, hits: u64, misses: u64, hitRatio: f32 }),
    few,
  ),
  threadsCount: u32,
  freeDiskSpaceBytes: u64,
  totalDiskSpaceBytes: u64,
});
const clusterMetadata = fc.record({
  name: text(),
  nodes: fc.array(
    fc.record({
      name: text(),
      ip: text(),
      tcpPort: u16,
      quicPort: u16,
      httpPort: u16,
      websocketPort: u16,
      role: keyOf(NodeRoleCode),
      status: keyOf(NodeStatusCode),
    }),
    few,
  ),
});
const polledMessages = fc.record({
  partitionId: u32,
  currentOffset: u64,
  messages: fc.array(
    fc.record({
      checksum: u64,
      id: u128,
      offset: u64,
      timestampMicros: u64,
      originTimestampMicros: u64,
      reserved: u64,
      payload: bytes(40),
      userHeaders: bytes(40),
    }),
    few,
  ),
});

const nothing = fc.constant(undefined);
const streamTarget = fc.record({ stream: identifier });
const topicTarget = fc.record({ stream: identifier, topic: identifier });
const groupTarget = fc.record({ stream: identifier, topic: identifier, group: identifier });
const userTarget = fc.record({ user: identifier });
const partitionsRequest = fc.record({ stream: identifier, topic: identifier, partitionsCount: u32 });
const offsetTarget = { consumer, stream: identifier, topic: identifier, partitionId: optional(u32) };
const topicSettings = {
  compressionCode: codeOf(CompressionCode),
  messageExpiryMicros: u64,
  maxTopicSizeBytes: u64,
  replicationFactor: u8,
  name,
};
const absentIfEmpty = text().map((value) => value || undefined);

/** Requests and replies of every command. */
export const commandValues: Record<CommandName, { request: fc.Arbitrary<unknown>; reply: fc.Arbitrary<unknown> }> = {
  ping: { request: nothing, reply: nothing },
  getStats: { request: nothing, reply: stats },
  getSnapshot: {
    request: fc.record({ compressionCode: codeOf(SnapshotCompressionCode), typeCodes: snapshotTypeCodes }),
    reply: bytes(100),
  },
  getClusterMetadata: { request: nothing, reply: clusterMetadata },
  getMe: { request: nothing, reply: clientDetails },
  getClient: { request: fc.record({ clientId: u32 }), reply: clientDetails },
  getClients: { request: nothing, reply: fc.array(clientHeader, few) },
  getUser: { request: userTarget, reply: userDetails },
  getUsers: { request: nothing, reply: fc.array(userHeader, few) },
  createUser: {
    request: fc.record({
      username: name,
      password: text(),
      statusCode: codeOf(UserStatusCode),
      permissions: optional(permissions),
    }),
    reply: userDetails,
  },
  deleteUser: { request: userTarget, reply: nothing },
  updateUser: {
    request: fc.record({ user: identifier, username: optional(name), statusCode: optional(codeOf(UserStatusCode)) }),
    reply: nothing,
  },
  updatePermissions: {
    request: fc.record({ user: identifier, permissions: optional(permissions) }),
    reply: nothing,
  },
  changePassword: {
    request: fc.record({ user: identifier, currentPassword: text(), newPassword: text() }),
    reply: nothing,
  },
  loginUser: {
    request: fc.record({ username: name, password: text(), version: absentIfEmpty, context: absentIfEmpty }),
    reply: fc.record({ userId: u32 }),
  },
  logoutUser: { request: nothing, reply: nothing },
  getPersonalAccessTokens: { request: nothing, reply: fc.array(fc.record({ name, expiryAtMicros: u64 }), few) },
  createPersonalAccessToken: {
    request: fc.record({ name, expiryMicros: u64 }),
    reply: fc.record({ token: text() }),
  },
  deletePersonalAccessToken: { request: fc.record({ name }), reply: nothing },
  loginWithPersonalAccessToken: { request: fc.record({ token: name }), reply: fc.record({ userId: u32 }) },
  pollMessages: {
    request: fc.record({
      ...offsetTarget,
      strategy: fc.record({ kind: keyOf(PollingKindCode), value: u64 }),
      count: u32,
      autoCommit: flag,
    }),
    reply: polledMessages,
  },
  sendMessages: {
    request: fc.record({
      stream: identifier,
      topic: identifier,
      partitioning,
      messages: fc.array(
        fc.record({ id: u128, payload: bytes(40), userHeaders: bytes(40), originTimestampMicros: u64 }),
        few,
      ),
    }),
    reply: nothing,
  },
  flushUnsavedBuffer: {
    request: fc.record({ stream: identifier, topic: identifier, partitionId: u32, fsync: flag }),
    reply: nothing,
  },
  getConsumerOffset: {
    request: fc.record(offsetTarget),
    reply: fc.record({ partitionId: u32, currentOffset: u64, storedOffset: u64 }),
  },
  storeConsumerOffset: { request: fc.record({ ...offsetTarget, offset: u64 }), reply: nothing },
  deleteConsumerOffset: { request: fc.record(offsetTarget), reply: nothing },
  getStream: { request: streamTarget, reply: streamDetails },
  getStreams: { request: nothing, reply: fc.array(streamHeader, few) },
  createStream: { request: fc.record({ name }), reply: streamHeader },
  deleteStream: { request: streamTarget, reply: nothing },
  updateStream: { request: fc.record({ stream: identifier, name }), reply: nothing },
  purgeStream: { request: streamTarget, reply: nothing },
  getTopic: { request: topicTarget, reply: topicDetails },
  getTopics: { request: streamTarget, reply: fc.array(topicHeader, few) },
  createTopic: {
    request: fc.record({ stream: identifier, partitionsCount: u32, ...topicSettings }),
    reply: topicDetails,
  },
  deleteTopic: { request: topicTarget, reply: nothing },
  updateTopic: { request: fc.record({ stream: identifier, topic: identifier, ...topicSettings }), reply: nothing },
  purgeTopic: { request: topicTarget, reply: nothing },
  createPartitions: { request: partitionsRequest, reply: nothing },
  deletePartitions: { request: partitionsRequest, reply: nothing },
  deleteSegments: {
    request: fc.record({ stream: identifier, topic: identifier, partitionId: u32, segmentsCount: u32 }),
    reply: nothing,
  },
  getConsumerGroup: { request: groupTarget, reply: groupDetails },
  getConsumerGroups: { request: topicTarget, reply: fc.array(groupHeader, few) },
  createConsumerGroup: { request: fc.record({ stream: identifier, topic: identifier, name }), reply: groupHeader },
  deleteConsumerGroup: { request: groupTarget, reply: nothing },
  joinConsumerGroup: { request: groupTarget, reply: nothing },
  leaveConsumerGroup: { request: groupTarget, reply: nothing },
};
