// All commands as typed methods. Here: messages and offsets (spec BP 4.5, 4.6); the other subjects are in the classes below.

import { CommandCode } from "../protocol/codes.ts";
import type { Consumer } from "../protocol/consumer.ts";
import type { PolledMessages } from "../protocol/message/poll-messages.ts";
import { encodeSendMessages, type MessageToSend } from "../protocol/message/send-messages.ts";
import type { Partitioning } from "../protocol/partitioning.ts";
import type { PollingStrategy } from "../protocol/polling-strategy.ts";
import type { ConsumerOffset } from "../protocol/records/consumer-offset.ts";
import { commandCodecs } from "../protocol/registry.ts";
import { GroupCommands } from "./group-commands.ts";
import { type IdentifierInput, identifierOf, topicTarget } from "./identifiers.ts";

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

function offsetFields(options: OffsetOptions) {
  const { consumer, partitionId } = options;
  return { consumer, stream: identifierOf(options.stream), topic: identifierOf(options.topic), partitionId };
}

export abstract class ClientCommands extends GroupCommands {
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
    return this.run(CommandCode.flushUnsavedBuffer, commandCodecs.flushUnsavedBuffer, request);
  }

  storeConsumerOffset(options: OffsetOptions & { readonly offset: bigint }): Promise<void> {
    const request = { ...offsetFields(options), offset: options.offset };
    return this.run(CommandCode.storeConsumerOffset, commandCodecs.storeConsumerOffset, request);
  }

  getConsumerOffset(options: OffsetOptions): Promise<ConsumerOffset | undefined> {
    return this.find(CommandCode.getConsumerOffset, commandCodecs.getConsumerOffset, offsetFields(options));
  }

  deleteConsumerOffset(options: OffsetOptions): Promise<void> {
    return this.run(CommandCode.deleteConsumerOffset, commandCodecs.deleteConsumerOffset, offsetFields(options));
  }
}
