// The consumer's commands over a connection.

import { encode } from "../../protocol/codec.ts";
import { CommandCode } from "../../protocol/codes.ts";
import type { Consumer } from "../../protocol/consumer.ts";
import { IggyError } from "../../protocol/errors.ts";
import { waitPartitionsMax } from "../../protocol/extensions/poll-waiting.ts";
import { pollMessagesRequestCodec } from "../../protocol/message/poll-messages.ts";
import type { PollingStrategy } from "../../protocol/polling-strategy.ts";
import { getTopic } from "../commands/basic.ts";
import type { Exchange } from "../commands/command.ts";
import {
  createConsumerGroup,
  deleteConsumerOffset,
  getConsumerOffset,
  joinConsumerGroup,
  leaveConsumerGroup,
  storeConsumerOffset,
} from "../commands/consuming.ts";
import { nameOfPlace } from "../commands/naming.ts";
import { type IdentifierInput, identifierOf } from "../identifiers.ts";
import { readPollReply } from "./batch-bytes.ts";
import type { ConsumerCommands, PollFrom, PollReply, PollRequest, PushCommands, Turn } from "./commands.ts";
import { type WaitingPlace, waitForMessages } from "./waiting-poll.ts";

/** No partition ever has this offset: to store it is refused, after the check whose partition it is (spec SB 4.8). */
const impossibleOffset = BigInt(Number.MAX_SAFE_INTEGER);

export interface ConsumerTarget {
  readonly stream: IdentifierInput;
  readonly topic: IdentifierInput;
  readonly consumer: Consumer;
}

/** What the server can do beyond Iggy 0.8. */
export interface ConsumerExtensions {
  /** Longest wait of a poll, 0 where the server has no polls that wait. */
  readonly waitMsMax: () => number;
  readonly canPush: () => boolean;
  readonly pushes: (place: WaitingPlace) => PushCommands;
}

/** Commands of one consumer; `close` is called when it ends. */
export function sessionCommands(
  exchange: Exchange,
  { stream, topic, consumer }: ConsumerTarget,
  close: () => void = () => undefined,
  extensions?: ConsumerExtensions,
): ConsumerCommands {
  const topicPlace = { stream: identifierOf(stream), topic: identifierOf(topic) };
  const place = { ...topicPlace, consumer };
  const group = { ...topicPlace, group: consumer.id };

  const exchangePoll = async (
    partitionId: number | undefined,
    strategy: PollingStrategy,
    count: number,
    autoCommit: boolean,
  ): Promise<PollReply> => {
    const request = { ...place, partitionId, strategy, count, autoCommit };
    const payload = encode(pollMessagesRequestCodec, request);
    return readPollReply(await exchange(CommandCode.pollMessages, payload, { repeatable: !autoCommit }));
  };

  return {
    poll: ({ partitionId, from, count, autoCommit }: PollRequest) =>
      exchangePoll(partitionId, strategyOf(from), count, autoCommit),
    get pushes() {
      return extensions?.canPush() ? () => extensions.pushes(place) : undefined;
    },
    waitForMessages(requests, waitMs, known) {
      const ms = Math.min(waitMs, extensions?.waitMsMax() ?? 0);
      if (ms <= 0 || (consumer.kind !== "group" && requests.length > waitPartitionsMax)) return undefined;
      return waitForMessages(exchange, place, requests, ms, known);
    },
    turn: (): Promise<Turn> => exchangePoll(undefined, { kind: "next", value: 0n }, 0, false),
    async isMine(partitionId) {
      try {
        await storeConsumerOffset(exchange, { ...place, partitionId, offset: impossibleOffset });
      } catch (error) {
        if (!(error instanceof IggyError)) throw error;
        // The second: a purge could not be done yet. Both come after the check.
        if (error.errorName === "InvalidOffset" || error.errorName === "CannotWriteToFile") return true;
        if (error.errorName === "NotResolvedConsumer") return false;
        throw error;
      }
      throw new IggyError("InvalidFormat", [], { cause: "the server stored an offset that no partition has" });
    },
    storeOffset: (partitionId, offset) =>
      storeConsumerOffset(exchange, { ...place, partitionId, offset: BigInt(offset) }),
    deleteOffset: (partitionId) => deleteConsumerOffset(exchange, { ...place, partitionId }),
    async storedOffset(partitionId) {
      const found = await getConsumerOffset(exchange, { ...place, partitionId });
      return found && Number(found.storedOffset);
    },
    async createGroup() {
      const { kind, value } = consumer.id;
      if (kind === "numeric") return; // a number is given by the server, so the group is there or not
      try {
        await createConsumerGroup(exchange, { ...topicPlace, name: value });
      } catch (error) {
        if (!(error instanceof IggyError && error.errorName === "ConsumerGroupNameAlreadyExists")) throw error;
      }
    },
    joinGroup: () => joinConsumerGroup(exchange, group),
    leaveGroup: () => leaveConsumerGroup(exchange, group),
    async partitionsCount() {
      const details = await getTopic(exchange, topicPlace);
      if (details === undefined) throw new IggyError("TopicIdNotFound", [nameOfPlace(topicPlace)]);
      return details.partitionsCount;
    },
    close,
  };
}

/** Where a poll begins, in the words of the protocol. */
export function strategyOf(from: PollFrom): PollingStrategy {
  return from.kind === "offset"
    ? { kind: "offset", value: BigInt(from.offset) }
    : { kind: "timestamp", value: from.timestampMicros };
}
