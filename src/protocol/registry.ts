// Request and reply codec of every command. The server's command table and frame detection read it; a browser client
// imports the files of the commands that it uses instead.

import type { Codec } from "./codec.ts";
import type { CommandName } from "./codes.ts";
import { createConsumerGroupReplyCodec, createConsumerGroupRequestCodec } from "./group/create-consumer-group.ts";
import { deleteConsumerGroupReplyCodec, deleteConsumerGroupRequestCodec } from "./group/delete-consumer-group.ts";
import { getConsumerGroupReplyCodec, getConsumerGroupRequestCodec } from "./group/get-consumer-group.ts";
import { getConsumerGroupsReplyCodec, getConsumerGroupsRequestCodec } from "./group/get-consumer-groups.ts";
import { joinConsumerGroupReplyCodec, joinConsumerGroupRequestCodec } from "./group/join-consumer-group.ts";
import { leaveConsumerGroupReplyCodec, leaveConsumerGroupRequestCodec } from "./group/leave-consumer-group.ts";
import { flushUnsavedBufferReplyCodec, flushUnsavedBufferRequestCodec } from "./message/flush-unsaved-buffer.ts";
import { pollMessagesReplyCodec, pollMessagesRequestCodec } from "./message/poll-messages.ts";
import { sendMessagesReplyCodec, sendMessagesRequestCodec } from "./message/send-messages.ts";
import { deleteConsumerOffsetReplyCodec, deleteConsumerOffsetRequestCodec } from "./offset/delete-consumer-offset.ts";
import { getConsumerOffsetReplyCodec, getConsumerOffsetRequestCodec } from "./offset/get-consumer-offset.ts";
import { storeConsumerOffsetReplyCodec, storeConsumerOffsetRequestCodec } from "./offset/store-consumer-offset.ts";
import { createPartitionsReplyCodec, createPartitionsRequestCodec } from "./partition/create-partitions.ts";
import { deletePartitionsReplyCodec, deletePartitionsRequestCodec } from "./partition/delete-partitions.ts";
import { deleteSegmentsReplyCodec, deleteSegmentsRequestCodec } from "./segment/delete-segments.ts";
import { createStreamReplyCodec, createStreamRequestCodec } from "./stream/create-stream.ts";
import { deleteStreamReplyCodec, deleteStreamRequestCodec } from "./stream/delete-stream.ts";
import { getStreamReplyCodec, getStreamRequestCodec } from "./stream/get-stream.ts";
import { getStreamsReplyCodec, getStreamsRequestCodec } from "./stream/get-streams.ts";
import { purgeStreamReplyCodec, purgeStreamRequestCodec } from "./stream/purge-stream.ts";
import { updateStreamReplyCodec, updateStreamRequestCodec } from "./stream/update-stream.ts";
import { getClientReplyCodec, getClientRequestCodec } from "./system/get-client.ts";
import { getClientsReplyCodec, getClientsRequestCodec } from "./system/get-clients.ts";
import { getClusterMetadataReplyCodec, getClusterMetadataRequestCodec } from "./system/get-cluster-metadata.ts";
import { getMeReplyCodec, getMeRequestCodec } from "./system/get-me.ts";
import { getSnapshotReplyCodec, getSnapshotRequestCodec } from "./system/get-snapshot.ts";
import { getStatsReplyCodec, getStatsRequestCodec } from "./system/get-stats.ts";
import { pingReplyCodec, pingRequestCodec } from "./system/ping.ts";
import {
  createPersonalAccessTokenReplyCodec,
  createPersonalAccessTokenRequestCodec,
} from "./token/create-personal-access-token.ts";
import {
  deletePersonalAccessTokenReplyCodec,
  deletePersonalAccessTokenRequestCodec,
} from "./token/delete-personal-access-token.ts";
import {
  getPersonalAccessTokensReplyCodec,
  getPersonalAccessTokensRequestCodec,
} from "./token/get-personal-access-tokens.ts";
import {
  loginWithPersonalAccessTokenReplyCodec,
  loginWithPersonalAccessTokenRequestCodec,
} from "./token/login-with-personal-access-token.ts";
import { createTopicReplyCodec, createTopicRequestCodec } from "./topic/create-topic.ts";
import { deleteTopicReplyCodec, deleteTopicRequestCodec } from "./topic/delete-topic.ts";
import { getTopicReplyCodec, getTopicRequestCodec } from "./topic/get-topic.ts";
import { getTopicsReplyCodec, getTopicsRequestCodec } from "./topic/get-topics.ts";
import { purgeTopicReplyCodec, purgeTopicRequestCodec } from "./topic/purge-topic.ts";
import { updateTopicReplyCodec, updateTopicRequestCodec } from "./topic/update-topic.ts";
import { changePasswordReplyCodec, changePasswordRequestCodec } from "./user/change-password.ts";
import { createUserReplyCodec, createUserRequestCodec } from "./user/create-user.ts";
import { deleteUserReplyCodec, deleteUserRequestCodec } from "./user/delete-user.ts";
import { getUserReplyCodec, getUserRequestCodec } from "./user/get-user.ts";
import { getUsersReplyCodec, getUsersRequestCodec } from "./user/get-users.ts";
import { loginUserReplyCodec, loginUserRequestCodec } from "./user/login-user.ts";
import { logoutUserReplyCodec, logoutUserRequestCodec } from "./user/logout-user.ts";
import { updatePermissionsReplyCodec, updatePermissionsRequestCodec } from "./user/update-permissions.ts";
import { updateUserReplyCodec, updateUserRequestCodec } from "./user/update-user.ts";

/**
 * Codecs by command name. A missing object is an empty payload, which the caller recognises before it uses the reply
 * codec (spec BP 2.2).
 */
export const commandCodecs = {
  ping: { request: pingRequestCodec, reply: pingReplyCodec },
  getStats: { request: getStatsRequestCodec, reply: getStatsReplyCodec },
  getSnapshot: { request: getSnapshotRequestCodec, reply: getSnapshotReplyCodec },
  getClusterMetadata: { request: getClusterMetadataRequestCodec, reply: getClusterMetadataReplyCodec },
  getMe: { request: getMeRequestCodec, reply: getMeReplyCodec },
  getClient: { request: getClientRequestCodec, reply: getClientReplyCodec },
  getClients: { request: getClientsRequestCodec, reply: getClientsReplyCodec },
  getUser: { request: getUserRequestCodec, reply: getUserReplyCodec },
  getUsers: { request: getUsersRequestCodec, reply: getUsersReplyCodec },
  createUser: { request: createUserRequestCodec, reply: createUserReplyCodec },
  deleteUser: { request: deleteUserRequestCodec, reply: deleteUserReplyCodec },
  updateUser: { request: updateUserRequestCodec, reply: updateUserReplyCodec },
  updatePermissions: { request: updatePermissionsRequestCodec, reply: updatePermissionsReplyCodec },
  changePassword: { request: changePasswordRequestCodec, reply: changePasswordReplyCodec },
  loginUser: { request: loginUserRequestCodec, reply: loginUserReplyCodec },
  logoutUser: { request: logoutUserRequestCodec, reply: logoutUserReplyCodec },
  getPersonalAccessTokens: { request: getPersonalAccessTokensRequestCodec, reply: getPersonalAccessTokensReplyCodec },
  createPersonalAccessToken: {
    request: createPersonalAccessTokenRequestCodec,
    reply: createPersonalAccessTokenReplyCodec,
  },
  deletePersonalAccessToken: {
    request: deletePersonalAccessTokenRequestCodec,
    reply: deletePersonalAccessTokenReplyCodec,
  },
  loginWithPersonalAccessToken: {
    request: loginWithPersonalAccessTokenRequestCodec,
    reply: loginWithPersonalAccessTokenReplyCodec,
  },
  pollMessages: { request: pollMessagesRequestCodec, reply: pollMessagesReplyCodec },
  sendMessages: { request: sendMessagesRequestCodec, reply: sendMessagesReplyCodec },
  flushUnsavedBuffer: { request: flushUnsavedBufferRequestCodec, reply: flushUnsavedBufferReplyCodec },
  getConsumerOffset: { request: getConsumerOffsetRequestCodec, reply: getConsumerOffsetReplyCodec },
  storeConsumerOffset: { request: storeConsumerOffsetRequestCodec, reply: storeConsumerOffsetReplyCodec },
  deleteConsumerOffset: { request: deleteConsumerOffsetRequestCodec, reply: deleteConsumerOffsetReplyCodec },
  getStream: { request: getStreamRequestCodec, reply: getStreamReplyCodec },
  getStreams: { request: getStreamsRequestCodec, reply: getStreamsReplyCodec },
  createStream: { request: createStreamRequestCodec, reply: createStreamReplyCodec },
  deleteStream: { request: deleteStreamRequestCodec, reply: deleteStreamReplyCodec },
  updateStream: { request: updateStreamRequestCodec, reply: updateStreamReplyCodec },
  purgeStream: { request: purgeStreamRequestCodec, reply: purgeStreamReplyCodec },
  getTopic: { request: getTopicRequestCodec, reply: getTopicReplyCodec },
  getTopics: { request: getTopicsRequestCodec, reply: getTopicsReplyCodec },
  createTopic: { request: createTopicRequestCodec, reply: createTopicReplyCodec },
  deleteTopic: { request: deleteTopicRequestCodec, reply: deleteTopicReplyCodec },
  updateTopic: { request: updateTopicRequestCodec, reply: updateTopicReplyCodec },
  purgeTopic: { request: purgeTopicRequestCodec, reply: purgeTopicReplyCodec },
  createPartitions: { request: createPartitionsRequestCodec, reply: createPartitionsReplyCodec },
  deletePartitions: { request: deletePartitionsRequestCodec, reply: deletePartitionsReplyCodec },
  deleteSegments: { request: deleteSegmentsRequestCodec, reply: deleteSegmentsReplyCodec },
  getConsumerGroup: { request: getConsumerGroupRequestCodec, reply: getConsumerGroupReplyCodec },
  getConsumerGroups: { request: getConsumerGroupsRequestCodec, reply: getConsumerGroupsReplyCodec },
  createConsumerGroup: { request: createConsumerGroupRequestCodec, reply: createConsumerGroupReplyCodec },
  deleteConsumerGroup: { request: deleteConsumerGroupRequestCodec, reply: deleteConsumerGroupReplyCodec },
  joinConsumerGroup: { request: joinConsumerGroupRequestCodec, reply: joinConsumerGroupReplyCodec },
  leaveConsumerGroup: { request: leaveConsumerGroupRequestCodec, reply: leaveConsumerGroupReplyCodec },
} as const satisfies Record<CommandName, { request: Codec<unknown>; reply: Codec<unknown> }>;
