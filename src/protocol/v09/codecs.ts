// Request and reply codec of every command of 0.9: where bodies have changed, those of this folder, else those of 0.8
// (spec P9 6). A missing object is an empty payload, as in 0.8. A register has no name and is read by register.ts.

import { type Codec, emptyCodec } from "../codec.ts";
import { pollMessagesRequestCodec } from "../message/poll-messages.ts";
import { commandCodecs } from "../registry.ts";
import { pollMessagesReplyCodec09, sendMessagesReplyCodec09, sendMessagesRequestCodec09 } from "./batch-record.ts";
import { describeOptionsReplyCodec, describeOptionsRequestCodec } from "./describe-options.ts";
import type { CommandName09 } from "./operations.ts";
import {
  streamDetailsCodec09,
  streamHeaderCodec09,
  streamsCodec09,
  topicDetailsCodec09,
  topicsCodec09,
  userDetailsCodec09,
  usersCodec09,
} from "./records.ts";
import {
  createStreamRequestCodec09,
  createTopicRequestCodec09,
  createUserRequestCodec09,
  deleteConsumerOffsetRequestCodec09,
  storeConsumerOffsetRequestCodec09,
  updateStreamRequestCodec09,
  updateTopicRequestCodec09,
  updateUserRequestCodec09,
} from "./requests.ts";
import { syncGroupReplyCodec, syncGroupRequestCodec } from "./sync-group.ts";

/** Commands whose request or reply differs from 0.8. */
const changed = {
  describeOptions: { request: describeOptionsRequestCodec, reply: describeOptionsReplyCodec },
  getUser: { request: commandCodecs.getUser.request, reply: userDetailsCodec09 },
  getUsers: { request: commandCodecs.getUsers.request, reply: usersCodec09 },
  createUser: { request: createUserRequestCodec09, reply: userDetailsCodec09 },
  updateUser: { request: updateUserRequestCodec09, reply: emptyCodec },
  pollMessages: { request: pollMessagesRequestCodec, reply: pollMessagesReplyCodec09 },
  sendMessages: { request: sendMessagesRequestCodec09, reply: sendMessagesReplyCodec09 },
  storeConsumerOffset: { request: storeConsumerOffsetRequestCodec09, reply: emptyCodec },
  deleteConsumerOffset: { request: deleteConsumerOffsetRequestCodec09, reply: emptyCodec },
  getStream: { request: commandCodecs.getStream.request, reply: streamDetailsCodec09 },
  getStreams: { request: commandCodecs.getStreams.request, reply: streamsCodec09 },
  createStream: { request: createStreamRequestCodec09, reply: streamHeaderCodec09 },
  updateStream: { request: updateStreamRequestCodec09, reply: emptyCodec },
  getTopic: { request: commandCodecs.getTopic.request, reply: topicDetailsCodec09 },
  getTopics: { request: commandCodecs.getTopics.request, reply: topicsCodec09 },
  createTopic: { request: createTopicRequestCodec09, reply: topicDetailsCodec09 },
  updateTopic: { request: updateTopicRequestCodec09, reply: emptyCodec },
  syncGroup: { request: syncGroupRequestCodec, reply: syncGroupReplyCodec },
} as const;

/** Codecs by command name. */
export const commandCodecs09 = { ...commandCodecs, ...changed } as const satisfies Record<
  CommandName09,
  { readonly request: Codec<unknown>; readonly reply: Codec<unknown> }
>;

/** The two codecs of a command; their types are those of its name. */
export function codecsOf09<N extends CommandName09>(name: N): (typeof commandCodecs09)[N] {
  return commandCodecs09[name];
}
