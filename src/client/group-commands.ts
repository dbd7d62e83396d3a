// Consumer groups (spec BP 4.9).

import { CommandCode } from "../protocol/codes.ts";
import type { ConsumerGroupDetails, ConsumerGroupHeader } from "../protocol/records/consumer-group.ts";
import { commandCodecs } from "../protocol/registry.ts";
import { type IdentifierInput, identifierOf, topicTarget } from "./identifiers.ts";
import { TopicCommands } from "./topic-commands.ts";

export abstract class GroupCommands extends TopicCommands {
  getConsumerGroups(stream: IdentifierInput, topic: IdentifierInput): Promise<readonly ConsumerGroupHeader[]> {
    return this.run(CommandCode.getConsumerGroups, commandCodecs.getConsumerGroups, topicTarget(stream, topic));
  }

  getConsumerGroup(
    stream: IdentifierInput,
    topic: IdentifierInput,
    group: IdentifierInput,
  ): Promise<ConsumerGroupDetails | undefined> {
    return this.find(CommandCode.getConsumerGroup, commandCodecs.getConsumerGroup, groupTarget(stream, topic, group));
  }

  createConsumerGroup(stream: IdentifierInput, topic: IdentifierInput, name: string): Promise<ConsumerGroupHeader> {
    const request = { ...topicTarget(stream, topic), name };
    return this.run(CommandCode.createConsumerGroup, commandCodecs.createConsumerGroup, request);
  }

  deleteConsumerGroup(stream: IdentifierInput, topic: IdentifierInput, group: IdentifierInput): Promise<void> {
    const request = groupTarget(stream, topic, group);
    return this.run(CommandCode.deleteConsumerGroup, commandCodecs.deleteConsumerGroup, request);
  }

  /** Membership belongs to the connection: after a reconnect the caller joins again. */
  joinConsumerGroup(stream: IdentifierInput, topic: IdentifierInput, group: IdentifierInput): Promise<void> {
    const request = groupTarget(stream, topic, group);
    return this.run(CommandCode.joinConsumerGroup, commandCodecs.joinConsumerGroup, request);
  }

  leaveConsumerGroup(stream: IdentifierInput, topic: IdentifierInput, group: IdentifierInput): Promise<void> {
    const request = groupTarget(stream, topic, group);
    return this.run(CommandCode.leaveConsumerGroup, commandCodecs.leaveConsumerGroup, request);
  }
}

function groupTarget(stream: IdentifierInput, topic: IdentifierInput, group: IdentifierInput) {
  return { ...topicTarget(stream, topic), group: identifierOf(group) };
}
