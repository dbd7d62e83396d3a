// Topics with their partitions and segments (spec BP 4.8).

import { CommandCode } from "../protocol/codes.ts";
import { u64Max } from "../protocol/limits.ts";
import { type Compression, CompressionCode } from "../protocol/records/enumerations.ts";
import type { TopicDetails } from "../protocol/records/topic-details.ts";
import type { TopicHeader } from "../protocol/records/topic-header.ts";
import { commandCodecs } from "../protocol/registry.ts";
import { type IdentifierInput, identifierOf, topicTarget } from "./identifiers.ts";
import { StreamCommands } from "./stream-commands.ts";

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

const optionNames = ["name", "compression", "messageExpiryMicros", "maxTopicSizeBytes", "replicationFactor"] as const;

function isWhole(options: Partial<TopicOptions>): boolean {
  return optionNames.every((name) => options[name] !== undefined);
}

export abstract class TopicCommands extends StreamCommands {
  getTopics(stream: IdentifierInput): Promise<readonly TopicHeader[]> {
    return this.run(CommandCode.getTopics, commandCodecs.getTopics, { stream: identifierOf(stream) });
  }

  getTopic(stream: IdentifierInput, topic: IdentifierInput): Promise<TopicDetails | undefined> {
    return this.find(CommandCode.getTopic, commandCodecs.getTopic, topicTarget(stream, topic));
  }

  createTopic(
    stream: IdentifierInput,
    options: TopicOptions & { readonly partitionsCount: number },
  ): Promise<TopicDetails> {
    const { partitionsCount } = options;
    const request = { stream: identifierOf(stream), partitionsCount, ...topicFields(options) };
    return this.run(CommandCode.createTopic, commandCodecs.createTopic, request);
  }

  /**
   * Changes what is given and leaves the rest: the request has everything, so what is not given is read before. Somebody who
   * changes the same topic between the two is overwritten.
   */
  async updateTopic(stream: IdentifierInput, topic: IdentifierInput, changes: Partial<TopicOptions>): Promise<void> {
    // Of a topic that is not there the server says so.
    const current = isWhole(changes) ? undefined : await this.getTopic(stream, topic);
    const request = { ...topicTarget(stream, topic), ...topicFields(changes, current) };
    return this.run(CommandCode.updateTopic, commandCodecs.updateTopic, request);
  }

  deleteTopic(stream: IdentifierInput, topic: IdentifierInput): Promise<void> {
    return this.run(CommandCode.deleteTopic, commandCodecs.deleteTopic, topicTarget(stream, topic));
  }

  purgeTopic(stream: IdentifierInput, topic: IdentifierInput): Promise<void> {
    return this.run(CommandCode.purgeTopic, commandCodecs.purgeTopic, topicTarget(stream, topic));
  }

  createPartitions(stream: IdentifierInput, topic: IdentifierInput, partitionsCount: number): Promise<void> {
    const request = { ...topicTarget(stream, topic), partitionsCount };
    return this.run(CommandCode.createPartitions, commandCodecs.createPartitions, request);
  }

  deletePartitions(stream: IdentifierInput, topic: IdentifierInput, partitionsCount: number): Promise<void> {
    const request = { ...topicTarget(stream, topic), partitionsCount };
    return this.run(CommandCode.deletePartitions, commandCodecs.deletePartitions, request);
  }

  deleteSegments(
    stream: IdentifierInput,
    topic: IdentifierInput,
    partitionId: number,
    segmentsCount: number,
  ): Promise<void> {
    const request = { ...topicTarget(stream, topic), partitionId, segmentsCount };
    return this.run(CommandCode.deleteSegments, commandCodecs.deleteSegments, request);
  }
}
