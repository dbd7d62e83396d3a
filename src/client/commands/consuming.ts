// The commands that consumers need themselves, each with its own codecs. Loaded with the first consumer or reader.

import { CommandCode } from "../../protocol/codes.ts";
import type { Consumer } from "../../protocol/consumer.ts";
import {
  createConsumerGroupReplyCodec,
  createConsumerGroupRequestCodec,
} from "../../protocol/group/create-consumer-group.ts";
import {
  joinConsumerGroupReplyCodec,
  joinConsumerGroupRequestCodec,
} from "../../protocol/group/join-consumer-group.ts";
import {
  leaveConsumerGroupReplyCodec,
  leaveConsumerGroupRequestCodec,
} from "../../protocol/group/leave-consumer-group.ts";
import type { Identifier } from "../../protocol/identifier.ts";
import {
  deleteConsumerOffsetReplyCodec,
  deleteConsumerOffsetRequestCodec,
} from "../../protocol/offset/delete-consumer-offset.ts";
import {
  getConsumerOffsetReplyCodec,
  getConsumerOffsetRequestCodec,
} from "../../protocol/offset/get-consumer-offset.ts";
import {
  storeConsumerOffsetReplyCodec,
  storeConsumerOffsetRequestCodec,
} from "../../protocol/offset/store-consumer-offset.ts";
import type { ConsumerGroupHeader } from "../../protocol/records/consumer-group.ts";
import type { ConsumerOffset } from "../../protocol/records/consumer-offset.ts";
import type { TopicPlace } from "./basic.ts";
import { command, type Exchange, find } from "./command.ts";

/** A group of a topic. */
export type GroupPlace = TopicPlace & { readonly group: Identifier };

/** Whose offset it is, and of which partition. */
export type OffsetPlace = TopicPlace & { readonly consumer: Consumer; readonly partitionId: number | undefined };

export function createConsumerGroup(
  exchange: Exchange,
  request: TopicPlace & { readonly name: string },
): Promise<ConsumerGroupHeader> {
  const codecs = { request: createConsumerGroupRequestCodec, reply: createConsumerGroupReplyCodec };
  return command(exchange, CommandCode.createConsumerGroup, codecs, request);
}

/** Membership belongs to the connection: after a reconnect the caller joins again. */
export function joinConsumerGroup(exchange: Exchange, place: GroupPlace): Promise<void> {
  const codecs = { request: joinConsumerGroupRequestCodec, reply: joinConsumerGroupReplyCodec };
  return command(exchange, CommandCode.joinConsumerGroup, codecs, place);
}

export function leaveConsumerGroup(exchange: Exchange, place: GroupPlace): Promise<void> {
  const codecs = { request: leaveConsumerGroupRequestCodec, reply: leaveConsumerGroupReplyCodec };
  return command(exchange, CommandCode.leaveConsumerGroup, codecs, place);
}

export function storeConsumerOffset(
  exchange: Exchange,
  request: OffsetPlace & { readonly offset: bigint },
): Promise<void> {
  const codecs = { request: storeConsumerOffsetRequestCodec, reply: storeConsumerOffsetReplyCodec };
  return command(exchange, CommandCode.storeConsumerOffset, codecs, request);
}

/** Undefined where nothing is stored. */
export function getConsumerOffset(exchange: Exchange, place: OffsetPlace): Promise<ConsumerOffset | undefined> {
  const codecs = { request: getConsumerOffsetRequestCodec, reply: getConsumerOffsetReplyCodec };
  return find(exchange, CommandCode.getConsumerOffset, codecs, place);
}

/** ConsumerOffsetNotFound where nothing is stored. */
export function deleteConsumerOffset(exchange: Exchange, place: OffsetPlace): Promise<void> {
  const codecs = { request: deleteConsumerOffsetRequestCodec, reply: deleteConsumerOffsetReplyCodec };
  return command(exchange, CommandCode.deleteConsumerOffset, codecs, place);
}
