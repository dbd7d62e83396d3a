// The commands as typed methods, over any way to exchange a payload for a reply. A missing object is an empty reply
// (spec BP 2.2), which these methods give as undefined.

import { type Codec, decode, encode } from "../protocol/codec.ts";
import { CommandCode } from "../protocol/codes.ts";
import type { Consumer } from "../protocol/consumer.ts";
import { IggyError } from "../protocol/errors.ts";
import { u64Max } from "../protocol/limits.ts";
import type { PolledMessages } from "../protocol/message/poll-messages.ts";
import { encodeSendMessages, type MessageToSend } from "../protocol/message/send-messages.ts";
import type { Partitioning } from "../protocol/partitioning.ts";
import type { PollingStrategy } from "../protocol/polling-strategy.ts";
import type { ClientDetails, ClientHeader } from "../protocol/records/client-header.ts";
import type { ClusterMetadata } from "../protocol/records/cluster-metadata.ts";
import type { ConsumerGroupDetails, ConsumerGroupHeader } from "../protocol/records/consumer-group.ts";
import type { ConsumerOffset } from "../protocol/records/consumer-offset.ts";
import { type Compression, CompressionCode } from "../protocol/records/enumerations.ts";
import type { Stats } from "../protocol/records/stats.ts";
import type { StreamDetails } from "../protocol/records/stream-details.ts";
import type { StreamHeader } from "../protocol/records/stream-header.ts";
import type { TopicDetails } from "../protocol/records/topic-details.ts";
import type { TopicHeader } from "../protocol/records/topic-header.ts";
import { commandCodecs } from "../protocol/registry.ts";
import { type IdentifierInput, identifierOf } from "./identifiers.ts";

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

export type ExchangeOptions = {
  /** Whether the request may be sent a second time when its reply was lost; if not given, that follows from its code. */
  readonly repeatable?: boolean;
};

type CodecPair<Request, Reply> = { readonly request: Codec<Request>; readonly reply: Codec<Reply> };

/** An empty reply is undefined. */
function optionalReply<Reply>(codec: Codec<Reply>): Codec<Reply | undefined> {
  return {
    encode: (writer, reply) => (reply === undefined ? undefined : codec.encode(writer, reply)),
    decode: (reader) => (reader.remaining === 0 ? undefined : codec.decode(reader)),
  };
}

function decodeReply<Reply>(codec: Codec<Reply>, payload: Uint8Array): Reply {
  try {
    return decode(codec, payload);
  } catch (cause) {
    // Not the codec's own InvalidCommand: that would read as if the server had refused the request.
    throw new IggyError("InvalidFormat", [], { cause });
  }
}

function topicFields(options: TopicOptions) {
  return {
    compressionCode: CompressionCode[options.compression ?? "none"],
    messageExpiryMicros: options.messageExpiryMicros ?? u64Max,
    maxTopicSizeBytes: options.maxTopicSizeBytes ?? u64Max,
    replicationFactor: options.replicationFactor ?? 1,
    name: options.name,
  };
}

function offsetFields(options: OffsetOptions) {
  const { consumer, partitionId } = options;
  return { consumer, stream: identifierOf(options.stream), topic: identifierOf(options.topic), partitionId };
}

export abstract class ClientCommands {
  /** Sends a payload and resolves with the reply's payload; rejects with the IggyError of the reply. */
  abstract exchange(
    code: number,
    payload: Uint8Array | readonly Uint8Array[],
    options?: ExchangeOptions,
  ): Promise<Uint8Array>;

  /** Any command by its code and codecs. A reply that does not decode is InvalidFormat (4) with the reason as `cause`. */
  async send<Request, Reply>(
    code: number,
    requestCodec: Codec<Request>,
    request: Request,
    replyCodec: Codec<Reply>,
    options?: ExchangeOptions,
  ): Promise<Reply> {
    return decodeReply(replyCodec, await this.exchange(code, encode(requestCodec, request), options));
  }

  #run<Request, Reply>(code: number, codecs: CodecPair<Request, Reply>, request: Request): Promise<Reply> {
    return this.send(code, codecs.request, request, codecs.reply);
  }

  #find<Request, Reply>(code: number, codecs: CodecPair<Request, Reply>, request: Request): Promise<Reply | undefined> {
    return this.send(code, codecs.request, request, optionalReply(codecs.reply));
  }

  ping(): Promise<void> {
    return this.#run(CommandCode.ping, commandCodecs.ping, undefined);
  }

  /** Logs in and resolves with the user's id. */
  async login(username: string, password: string): Promise<number> {
    const request = { username, password, version: undefined, context: undefined };
    return (await this.#run(CommandCode.loginUser, commandCodecs.loginUser, request)).userId;
  }

  /** Logs in with a personal access token and resolves with the user's id. */
  async loginWithToken(token: string): Promise<number> {
    const codecs = commandCodecs.loginWithPersonalAccessToken;
    return (await this.#run(CommandCode.loginWithPersonalAccessToken, codecs, { token })).userId;
  }

  logout(): Promise<void> {
    return this.#run(CommandCode.logoutUser, commandCodecs.logoutUser, undefined);
  }

  getMe(): Promise<ClientDetails> {
    return this.#run(CommandCode.getMe, commandCodecs.getMe, undefined);
  }

  getClients(): Promise<readonly ClientHeader[]> {
    return this.#run(CommandCode.getClients, commandCodecs.getClients, undefined);
  }

  getClient(clientId: number): Promise<ClientDetails | undefined> {
    return this.#find(CommandCode.getClient, commandCodecs.getClient, { clientId });
  }

  getStats(): Promise<Stats> {
    return this.#run(CommandCode.getStats, commandCodecs.getStats, undefined);
  }

  getClusterMetadata(): Promise<ClusterMetadata> {
    return this.#run(CommandCode.getClusterMetadata, commandCodecs.getClusterMetadata, undefined);
  }

  getStreams(): Promise<readonly StreamHeader[]> {
    return this.#run(CommandCode.getStreams, commandCodecs.getStreams, undefined);
  }

  getStream(stream: IdentifierInput): Promise<StreamDetails | undefined> {
    return this.#find(CommandCode.getStream, commandCodecs.getStream, { stream: identifierOf(stream) });
  }

  /** The text of a new token of the own user, which the server does not keep. `expiryMicros`: from now on; 0 = never. */
  async createPersonalAccessToken(name: string, expiryMicros: bigint): Promise<string> {
    const codecs = commandCodecs.createPersonalAccessToken;
    return (await this.#run(CommandCode.createPersonalAccessToken, codecs, { name, expiryMicros })).token;
  }

  createStream(name: string): Promise<StreamHeader> {
    return this.#run(CommandCode.createStream, commandCodecs.createStream, { name });
  }

  updateStream(stream: IdentifierInput, name: string): Promise<void> {
    return this.#run(CommandCode.updateStream, commandCodecs.updateStream, { stream: identifierOf(stream), name });
  }

  deleteStream(stream: IdentifierInput): Promise<void> {
    return this.#run(CommandCode.deleteStream, commandCodecs.deleteStream, { stream: identifierOf(stream) });
  }

  purgeStream(stream: IdentifierInput): Promise<void> {
    return this.#run(CommandCode.purgeStream, commandCodecs.purgeStream, { stream: identifierOf(stream) });
  }

  getTopics(stream: IdentifierInput): Promise<readonly TopicHeader[]> {
    return this.#run(CommandCode.getTopics, commandCodecs.getTopics, { stream: identifierOf(stream) });
  }

  getTopic(stream: IdentifierInput, topic: IdentifierInput): Promise<TopicDetails | undefined> {
    return this.#find(CommandCode.getTopic, commandCodecs.getTopic, topicTarget(stream, topic));
  }

  createTopic(
    stream: IdentifierInput,
    options: TopicOptions & { readonly partitionsCount: number },
  ): Promise<TopicDetails> {
    const { partitionsCount } = options;
    const request = { stream: identifierOf(stream), partitionsCount, ...topicFields(options) };
    return this.#run(CommandCode.createTopic, commandCodecs.createTopic, request);
  }

  updateTopic(stream: IdentifierInput, topic: IdentifierInput, options: TopicOptions): Promise<void> {
    const request = { ...topicTarget(stream, topic), ...topicFields(options) };
    return this.#run(CommandCode.updateTopic, commandCodecs.updateTopic, request);
  }

  deleteTopic(stream: IdentifierInput, topic: IdentifierInput): Promise<void> {
    return this.#run(CommandCode.deleteTopic, commandCodecs.deleteTopic, topicTarget(stream, topic));
  }

  purgeTopic(stream: IdentifierInput, topic: IdentifierInput): Promise<void> {
    return this.#run(CommandCode.purgeTopic, commandCodecs.purgeTopic, topicTarget(stream, topic));
  }

  createPartitions(stream: IdentifierInput, topic: IdentifierInput, partitionsCount: number): Promise<void> {
    const request = { ...topicTarget(stream, topic), partitionsCount };
    return this.#run(CommandCode.createPartitions, commandCodecs.createPartitions, request);
  }

  deletePartitions(stream: IdentifierInput, topic: IdentifierInput, partitionsCount: number): Promise<void> {
    const request = { ...topicTarget(stream, topic), partitionsCount };
    return this.#run(CommandCode.deletePartitions, commandCodecs.deletePartitions, request);
  }

  deleteSegments(
    stream: IdentifierInput,
    topic: IdentifierInput,
    partitionId: number,
    segmentsCount: number,
  ): Promise<void> {
    const request = { ...topicTarget(stream, topic), partitionId, segmentsCount };
    return this.#run(CommandCode.deleteSegments, commandCodecs.deleteSegments, request);
  }

  getConsumerGroups(stream: IdentifierInput, topic: IdentifierInput): Promise<readonly ConsumerGroupHeader[]> {
    return this.#run(CommandCode.getConsumerGroups, commandCodecs.getConsumerGroups, topicTarget(stream, topic));
  }

  getConsumerGroup(
    stream: IdentifierInput,
    topic: IdentifierInput,
    group: IdentifierInput,
  ): Promise<ConsumerGroupDetails | undefined> {
    return this.#find(CommandCode.getConsumerGroup, commandCodecs.getConsumerGroup, groupTarget(stream, topic, group));
  }

  createConsumerGroup(stream: IdentifierInput, topic: IdentifierInput, name: string): Promise<ConsumerGroupHeader> {
    const request = { ...topicTarget(stream, topic), name };
    return this.#run(CommandCode.createConsumerGroup, commandCodecs.createConsumerGroup, request);
  }

  deleteConsumerGroup(stream: IdentifierInput, topic: IdentifierInput, group: IdentifierInput): Promise<void> {
    const request = groupTarget(stream, topic, group);
    return this.#run(CommandCode.deleteConsumerGroup, commandCodecs.deleteConsumerGroup, request);
  }

  /** Membership belongs to the connection: after a reconnect the caller joins again. */
  joinConsumerGroup(stream: IdentifierInput, topic: IdentifierInput, group: IdentifierInput): Promise<void> {
    const request = groupTarget(stream, topic, group);
    return this.#run(CommandCode.joinConsumerGroup, commandCodecs.joinConsumerGroup, request);
  }

  leaveConsumerGroup(stream: IdentifierInput, topic: IdentifierInput, group: IdentifierInput): Promise<void> {
    const request = groupTarget(stream, topic, group);
    return this.#run(CommandCode.leaveConsumerGroup, commandCodecs.leaveConsumerGroup, request);
  }

  /** Appends a batch. If the connection is lost before the reply comes, the caller decides whether to send it again. */
  async sendMessages(options: SendOptions): Promise<void> {
    const payload = encodeSendMessages({
      ...topicTarget(options.stream, options.topic),
      partitioning: options.partitioning ?? { kind: "balanced" },
      messages: options.messages,
    });
    await this.exchange(CommandCode.sendMessages, payload);
  }

  /** Reads messages; payloads and headers are views of one reply. A poll that commits is not repeated by itself. */
  pollMessages(options: PollOptions): Promise<PolledMessages> {
    const { strategy, count, autoCommit = false } = options;
    const request = { ...offsetFields(options), strategy, count, autoCommit };
    const codecs = commandCodecs.pollMessages;
    return this.send(CommandCode.pollMessages, codecs.request, request, codecs.reply, { repeatable: !autoCommit });
  }

  flushUnsavedBuffer(
    stream: IdentifierInput,
    topic: IdentifierInput,
    partitionId: number,
    fsync: boolean,
  ): Promise<void> {
    const request = { ...topicTarget(stream, topic), partitionId, fsync };
    return this.#run(CommandCode.flushUnsavedBuffer, commandCodecs.flushUnsavedBuffer, request);
  }

  storeConsumerOffset(options: OffsetOptions & { readonly offset: bigint }): Promise<void> {
    const request = { ...offsetFields(options), offset: options.offset };
    return this.#run(CommandCode.storeConsumerOffset, commandCodecs.storeConsumerOffset, request);
  }

  getConsumerOffset(options: OffsetOptions): Promise<ConsumerOffset | undefined> {
    return this.#find(CommandCode.getConsumerOffset, commandCodecs.getConsumerOffset, offsetFields(options));
  }

  deleteConsumerOffset(options: OffsetOptions): Promise<void> {
    return this.#run(CommandCode.deleteConsumerOffset, commandCodecs.deleteConsumerOffset, offsetFields(options));
  }
}

function topicTarget(stream: IdentifierInput, topic: IdentifierInput) {
  return { stream: identifierOf(stream), topic: identifierOf(topic) };
}

function groupTarget(stream: IdentifierInput, topic: IdentifierInput, group: IdentifierInput) {
  return { ...topicTarget(stream, topic), group: identifierOf(group) };
}
