// The commands behind the methods of a client, one row for each: its code, its codecs from the command table of the protocol, and
// how arguments become a request. Loaded with the first command that a program calls by name: a page that only sends and
// receives does without.

import { decode } from "../../protocol/codec.ts";
import { CommandCode } from "../../protocol/codes.ts";
import { ExtensionCode } from "../../protocol/extensions/codes.ts";
import { extensionCodecs } from "../../protocol/extensions/registry.ts";
import { u64Max } from "../../protocol/limits.ts";
import { encodeSendMessages } from "../../protocol/message/send-messages.ts";
import {
  CompressionCode,
  SnapshotCompressionCode,
  SnapshotTypeCode,
  UserStatusCode,
} from "../../protocol/records/enumerations.ts";
import type { TopicDetails } from "../../protocol/records/topic-details.ts";
import { commandCodecs } from "../../protocol/registry.ts";
import type { SnapshotOptions } from "../../protocol/system/get-snapshot.ts";
import { type IdentifierInput, identifierOf, topicTarget } from "../identifiers.ts";
import * as basic from "./basic.ts";
import { type CodecPair, command, type Exchange, find } from "./command.ts";
import type { Commands, OffsetOptions, PollOptions, SendOptions, TopicOptions } from "./commands.ts";
import * as consuming from "./consuming.ts";
import { naming } from "./naming.ts";

/** Names of the methods. */
export type MethodName = Exclude<keyof Commands, "exchange">;

type Method<Name extends MethodName> = (
  exchange: Exchange,
  ...values: Parameters<Commands[Name]>
) => ReturnType<Commands[Name]>;

/** A command whose reply is what its codec gives. */
function plain<Values extends readonly unknown[], Request, Reply>(
  code: number,
  codecs: CodecPair<Request, Reply>,
  requestOf: (...values: Values) => Request,
): (exchange: Exchange, ...values: Values) => Promise<Reply> {
  return (exchange, ...values) => command(exchange, code, codecs, requestOf(...values));
}

/** A command that looks for something. */
function search<Values extends readonly unknown[], Request, Reply>(
  code: number,
  codecs: CodecPair<Request, Reply>,
  requestOf: (...values: Values) => Request,
): (exchange: Exchange, ...values: Values) => Promise<Reply | undefined> {
  return (exchange, ...values) => find(exchange, code, codecs, requestOf(...values));
}

const nothing = (): undefined => undefined;
const streamTarget = (stream: IdentifierInput) => ({ stream: identifierOf(stream) });
const userTarget = (user: IdentifierInput) => ({ user: identifierOf(user) });

function groupTarget(stream: IdentifierInput, topic: IdentifierInput, group: IdentifierInput) {
  return { ...topicTarget(stream, topic), group: identifierOf(group) };
}

function countTarget(stream: IdentifierInput, topic: IdentifierInput, partitionsCount: number) {
  return { ...topicTarget(stream, topic), partitionsCount };
}

function pointTarget(pointId: string) {
  return { pointId };
}

function offsetTarget({ stream, topic, consumer, partitionId }: OffsetOptions) {
  return { consumer, ...topicTarget(stream, topic), partitionId };
}

function pollRequest(options: PollOptions) {
  const { strategy, count, autoCommit = false } = options;
  return { ...offsetTarget(options), strategy, count, autoCommit };
}

function sendPayload({ stream, topic, partitioning = { kind: "balanced" }, messages }: SendOptions): Uint8Array {
  return encodeSendMessages({ ...topicTarget(stream, topic), partitioning, messages });
}

/** What is not given is as it is now, or the default. */
function topicFields(options: Partial<TopicOptions>, current?: TopicDetails) {
  return {
    compressionCode: CompressionCode[options.compression ?? current?.compression ?? "none"],
    messageExpiryMicros: options.messageExpiryMicros ?? current?.messageExpiryMicros ?? u64Max,
    maxTopicSizeBytes: options.maxTopicSizeBytes ?? current?.maxTopicSizeBytes ?? u64Max,
    replicationFactor: options.replicationFactor ?? current?.replicationFactor ?? 1,
    name: options.name ?? current?.name ?? "unknown",
  };
}

const topicOptionNames = [
  "name",
  "compression",
  "messageExpiryMicros",
  "maxTopicSizeBytes",
  "replicationFactor",
] as const;

export const methods: { readonly [Name in MethodName]: Method<Name> } = {
  ping: basic.ping,
  getMe: plain(CommandCode.getMe, commandCodecs.getMe, nothing),
  getClients: plain(CommandCode.getClients, commandCodecs.getClients, nothing),
  getClient: search(CommandCode.getClient, commandCodecs.getClient, (clientId: number) => ({ clientId })),
  getStats: plain(CommandCode.getStats, commandCodecs.getStats, nothing),
  getClusterMetadata: plain(CommandCode.getClusterMetadata, commandCodecs.getClusterMetadata, nothing),
  getSnapshot: plain(
    CommandCode.getSnapshot,
    commandCodecs.getSnapshot,
    ({ compression = "deflated", types = ["all"] }: Partial<SnapshotOptions> = {}) => ({
      compressionCode: SnapshotCompressionCode[compression],
      typeCodes: types.map((type) => SnapshotTypeCode[type]),
    }),
  ),
  features: basic.features,
  beginBackup: plain(ExtensionCode.beginBackup, extensionCodecs.beginBackup, nothing),
  keepBackup: plain(ExtensionCode.keepBackup, extensionCodecs.keepBackup, pointTarget),
  endBackup: plain(ExtensionCode.endBackup, extensionCodecs.endBackup, pointTarget),

  login: basic.login,
  logout: plain(CommandCode.logoutUser, commandCodecs.logoutUser, nothing),
  getUser: search(CommandCode.getUser, commandCodecs.getUser, userTarget),
  getUsers: plain(CommandCode.getUsers, commandCodecs.getUsers, nothing),
  createUser: plain(
    CommandCode.createUser,
    commandCodecs.createUser,
    ({ username, password, status = "active", permissions }) => ({
      username,
      password,
      statusCode: UserStatusCode[status],
      permissions,
    }),
  ),
  updateUser: plain(CommandCode.updateUser, commandCodecs.updateUser, (user, { username, status }) => ({
    ...userTarget(user),
    username,
    statusCode: status && UserStatusCode[status],
  })),
  deleteUser: plain(CommandCode.deleteUser, commandCodecs.deleteUser, userTarget),
  updatePermissions: plain(CommandCode.updatePermissions, commandCodecs.updatePermissions, (user, permissions) => ({
    ...userTarget(user),
    permissions,
  })),
  changePassword: plain(
    CommandCode.changePassword,
    commandCodecs.changePassword,
    (user, currentPassword, newPassword) => ({ ...userTarget(user), currentPassword, newPassword }),
  ),

  loginWithToken: basic.loginWithToken,
  getPersonalAccessTokens: plain(CommandCode.getPersonalAccessTokens, commandCodecs.getPersonalAccessTokens, nothing),
  async createPersonalAccessToken(exchange, name, expiryMicros) {
    const request = { name, expiryMicros };
    const codecs = commandCodecs.createPersonalAccessToken;
    return (await command(exchange, CommandCode.createPersonalAccessToken, codecs, request)).token;
  },
  deletePersonalAccessToken: plain(
    CommandCode.deletePersonalAccessToken,
    commandCodecs.deletePersonalAccessToken,
    (name: string) => ({ name }),
  ),

  getStreams: plain(CommandCode.getStreams, commandCodecs.getStreams, nothing),
  getStream: search(CommandCode.getStream, commandCodecs.getStream, streamTarget),
  createStream: plain(CommandCode.createStream, commandCodecs.createStream, (name: string) => ({ name })),
  updateStream: plain(CommandCode.updateStream, commandCodecs.updateStream, (stream, name) => ({
    ...streamTarget(stream),
    name,
  })),
  deleteStream: plain(CommandCode.deleteStream, commandCodecs.deleteStream, streamTarget),
  purgeStream: plain(CommandCode.purgeStream, commandCodecs.purgeStream, streamTarget),

  getTopics: plain(CommandCode.getTopics, commandCodecs.getTopics, streamTarget),
  getTopic: search(CommandCode.getTopic, commandCodecs.getTopic, topicTarget),
  createTopic: plain(CommandCode.createTopic, commandCodecs.createTopic, (stream, options) => ({
    ...streamTarget(stream),
    partitionsCount: options.partitionsCount,
    ...topicFields(options),
  })),
  async updateTopic(exchange, stream, topic, changes) {
    const isWhole = topicOptionNames.every((name) => changes[name] !== undefined);
    const target = topicTarget(stream, topic);
    // Of a topic that is not there the server says so.
    const current = isWhole ? undefined : await basic.getTopic(exchange, target);
    const request = { ...target, ...topicFields(changes, current) };
    return command(exchange, CommandCode.updateTopic, commandCodecs.updateTopic, request);
  },
  deleteTopic: plain(CommandCode.deleteTopic, commandCodecs.deleteTopic, topicTarget),
  purgeTopic: plain(CommandCode.purgeTopic, commandCodecs.purgeTopic, topicTarget),
  createPartitions: plain(CommandCode.createPartitions, commandCodecs.createPartitions, countTarget),
  deletePartitions: plain(CommandCode.deletePartitions, commandCodecs.deletePartitions, countTarget),
  deleteSegments: plain(
    CommandCode.deleteSegments,
    commandCodecs.deleteSegments,
    (stream, topic, partitionId, segmentsCount) => ({ ...topicTarget(stream, topic), partitionId, segmentsCount }),
  ),

  getConsumerGroups: plain(CommandCode.getConsumerGroups, commandCodecs.getConsumerGroups, topicTarget),
  getConsumerGroup: search(CommandCode.getConsumerGroup, commandCodecs.getConsumerGroup, groupTarget),
  createConsumerGroup: (exchange, stream, topic, name) =>
    consuming.createConsumerGroup(exchange, { ...topicTarget(stream, topic), name }),
  deleteConsumerGroup: plain(CommandCode.deleteConsumerGroup, commandCodecs.deleteConsumerGroup, groupTarget),
  joinConsumerGroup: plain(CommandCode.joinConsumerGroup, commandCodecs.joinConsumerGroup, groupTarget),
  joinWithAssignment: plain(ExtensionCode.joinWithAssignment, extensionCodecs.joinWithAssignment, groupTarget),
  leaveConsumerGroup: plain(CommandCode.leaveConsumerGroup, commandCodecs.leaveConsumerGroup, groupTarget),

  async sendMessages(exchange, options) {
    await naming(exchange(CommandCode.sendMessages, sendPayload(options)), topicTarget(options.stream, options.topic));
  },
  async sendWithReceipt(exchange, options) {
    const sent = exchange(ExtensionCode.sendWithReceipt, sendPayload(options));
    const reply = await naming(sent, topicTarget(options.stream, options.topic));
    return decode(extensionCodecs.sendWithReceipt.reply, reply);
  },
  async pollMessages(exchange, options) {
    const request = pollRequest(options);
    const repeatable = { repeatable: !request.autoCommit };
    return command(exchange, CommandCode.pollMessages, commandCodecs.pollMessages, request, repeatable);
  },
  async pollWaiting(exchange, options) {
    const { waitMs, bytesMax = 0, knownAssignment = 0n, positions = [] } = options;
    const request = { ...pollRequest(options), waitMs, bytesMax, knownAssignment, positions };
    const repeatable = { repeatable: !request.autoCommit };
    return command(exchange, ExtensionCode.pollWaiting, extensionCodecs.pollWaiting, request, repeatable);
  },
  flushUnsavedBuffer: plain(
    CommandCode.flushUnsavedBuffer,
    commandCodecs.flushUnsavedBuffer,
    (stream, topic, partitionId, fsync) => ({ ...topicTarget(stream, topic), partitionId, fsync }),
  ),
  async storeConsumerOffset(exchange, options) {
    return consuming.storeConsumerOffset(exchange, { ...offsetTarget(options), offset: options.offset });
  },
  async getConsumerOffset(exchange, options) {
    return consuming.getConsumerOffset(exchange, offsetTarget(options));
  },
  async deleteConsumerOffset(exchange, options) {
    return consuming.deleteConsumerOffset(exchange, offsetTarget(options));
  },
};
