// The commands that connections, producers and consumers need themselves, each with its own codecs: a page that uses no others
// loads no others (methods.ts).

import { CommandCode } from "../../protocol/codes.ts";
import type { Consumer } from "../../protocol/consumer.ts";
import { ExtensionCode } from "../../protocol/extensions/codes.ts";
import { getFeaturesReplyCodec, getFeaturesRequestCodec } from "../../protocol/extensions/get-features.ts";
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
import type { TopicDetails } from "../../protocol/records/topic-details.ts";
import { pingReplyCodec, pingRequestCodec } from "../../protocol/system/ping.ts";
import {
  loginWithPersonalAccessTokenReplyCodec,
  loginWithPersonalAccessTokenRequestCodec,
} from "../../protocol/token/login-with-personal-access-token.ts";
import { getTopicReplyCodec, getTopicRequestCodec } from "../../protocol/topic/get-topic.ts";
import { loginUserReplyCodec, loginUserRequestCodec } from "../../protocol/user/login-user.ts";
import { command, type Exchange, find } from "./command.ts";

/** What the broker can do beyond 0.8, by the names of docs/protocol-extensions.md. */
export type Features = {
  readonly names: ReadonlySet<string>;
  readonly limits: ReadonlyMap<string, bigint>;
};

/** A topic in its stream. */
export type TopicPlace = { readonly stream: Identifier; readonly topic: Identifier };

/** A group of a topic. */
export type GroupPlace = TopicPlace & { readonly group: Identifier };

/** Whose offset it is, and of which partition. */
export type OffsetPlace = TopicPlace & { readonly consumer: Consumer; readonly partitionId: number | undefined };

export function ping(exchange: Exchange): Promise<void> {
  return command(exchange, CommandCode.ping, { request: pingRequestCodec, reply: pingReplyCodec }, undefined);
}

/** Logs in and resolves with the user's id. */
export async function login(exchange: Exchange, username: string, password: string): Promise<number> {
  const codecs = { request: loginUserRequestCodec, reply: loginUserReplyCodec };
  const request = { username, password, version: undefined, context: undefined };
  return (await command(exchange, CommandCode.loginUser, codecs, request)).userId;
}

/** Logs in with a personal access token and resolves with the user's id. */
export async function loginWithToken(exchange: Exchange, token: string): Promise<number> {
  const codecs = {
    request: loginWithPersonalAccessTokenRequestCodec,
    reply: loginWithPersonalAccessTokenReplyCodec,
  };
  return (await command(exchange, CommandCode.loginWithPersonalAccessToken, codecs, { token })).userId;
}

/** Asks what the broker can do; InvalidCommand (3) where it is another one. */
export async function features(exchange: Exchange): Promise<Features> {
  const codecs = { request: getFeaturesRequestCodec, reply: getFeaturesReplyCodec };
  const reply = await command(exchange, ExtensionCode.getFeatures, codecs, undefined);
  return { names: new Set(reply.features), limits: new Map(reply.limits.map(({ name, value }) => [name, value])) };
}

/** Undefined where there is no such topic. */
export function getTopic(exchange: Exchange, place: TopicPlace): Promise<TopicDetails | undefined> {
  return find(exchange, CommandCode.getTopic, { request: getTopicRequestCodec, reply: getTopicReplyCodec }, place);
}

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
