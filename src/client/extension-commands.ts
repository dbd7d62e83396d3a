// Commands of our own, which only this broker answers (docs/protocol-extensions.md).

import { decode } from "../protocol/codec.ts";
import { ExtensionCode } from "../protocol/extensions/codes.ts";
import type { MemberAssignment } from "../protocol/extensions/join-with-assignment.ts";
import type { PartitionPosition, PollWaitingReply } from "../protocol/extensions/poll-waiting.ts";
import { extensionCodecs } from "../protocol/extensions/registry.ts";
import type { SendReceipt } from "../protocol/extensions/send-with-receipt.ts";
import { encodeSendMessages } from "../protocol/message/send-messages.ts";
import { ClientCommands, type PollOptions, type SendOptions } from "./client-commands.ts";
import { type IdentifierInput, identifierOf, topicTarget } from "./identifiers.ts";

/** What the broker can do beyond 0.8, by the names of docs/protocol-extensions.md. */
export type Features = {
  readonly names: ReadonlySet<string>;
  readonly limits: ReadonlyMap<string, bigint>;
};

export type WaitOptions = PollOptions & {
  readonly waitMs: number;
  /** Most bytes of messages, unless one has more; as many as a reply holds if not given. */
  readonly bytesMax?: number;
  /** Number of the assignment that the member knows; with another one it gets its partitions at once. */
  readonly knownAssignment?: bigint;
  /** Where a member that names no partition goes on in its own; the strategy says it of the others. */
  readonly positions?: readonly PartitionPosition[];
};

export abstract class ExtensionCommands extends ClientCommands {
  /** Asks what the broker can do; InvalidCommand (3) where it is another one. */
  async features(): Promise<Features> {
    const codecs = extensionCodecs.getFeatures;
    const { features, limits } = await this.send(ExtensionCode.getFeatures, codecs.request, undefined, codecs.reply, {
      repeatable: true,
    });
    return { names: new Set(features), limits: new Map(limits.map(({ name, value }) => [name, value])) };
  }

  /** As `sendMessages`; says where the messages are. */
  async sendWithReceipt(options: SendOptions): Promise<SendReceipt> {
    const payload = encodeSendMessages({
      ...topicTarget(options.stream, options.topic),
      partitioning: options.partitioning ?? { kind: "balanced" },
      messages: options.messages,
    });
    return decode(extensionCodecs.sendWithReceipt.reply, await this.exchange(ExtensionCode.sendWithReceipt, payload));
  }

  /** As `joinConsumerGroup`; says what the member may poll. */
  joinWithAssignment(
    stream: IdentifierInput,
    topic: IdentifierInput,
    group: IdentifierInput,
  ): Promise<MemberAssignment> {
    const request = { ...topicTarget(stream, topic), group: identifierOf(group) };
    return this.run(ExtensionCode.joinWithAssignment, extensionCodecs.joinWithAssignment, request);
  }

  /**
   * Reads messages, and waits up to `waitMs` where there are none. The next request of the connection ends the wait. A poll that
   * commits is not repeated by itself.
   */
  pollWaiting(options: WaitOptions): Promise<PollWaitingReply> {
    const { consumer, partitionId, strategy, count, autoCommit = false, waitMs } = options;
    const request = {
      consumer,
      ...topicTarget(options.stream, options.topic),
      partitionId,
      strategy,
      count,
      autoCommit,
      waitMs,
      bytesMax: options.bytesMax ?? 0,
      knownAssignment: options.knownAssignment ?? 0n,
      positions: options.positions ?? [],
    };
    const codecs = extensionCodecs.pollWaiting;
    const repeatable = { repeatable: !autoCommit };
    return this.send(ExtensionCode.pollWaiting, codecs.request, request, codecs.reply, repeatable);
  }
}
