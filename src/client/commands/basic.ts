// The commands that connections and producers need themselves, each with its own codecs: a page that uses no others loads no
// others (consuming.ts, methods.ts).

import { CommandCode } from "../../protocol/codes.ts";
import { ExtensionCode } from "../../protocol/extensions/codes.ts";
import { getFeaturesReplyCodec, getFeaturesRequestCodec } from "../../protocol/extensions/get-features.ts";
import type { Identifier } from "../../protocol/identifier.ts";
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
