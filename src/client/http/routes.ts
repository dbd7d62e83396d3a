// Each command as a request of the HTTP API, and its reply out of the answer (spec HA 2). What has no route there needs a
// connection: groups' memberships, and who one is.

import type { Codec } from "../../protocol/codec.ts";
import type { CommandName } from "../../protocol/codes.ts";
import type { Consumer } from "../../protocol/consumer.ts";
import { IggyError } from "../../protocol/errors.ts";
import type { Identifier } from "../../protocol/identifier.ts";
import {
  compressionOf,
  type SnapshotCompressionCode,
  type SnapshotType,
  snapshotCompressionOf,
  snapshotTypeOf,
  userStatusOf,
} from "../../protocol/records/enumerations.ts";
import type { commandCodecs } from "../../protocol/registry.ts";
import { JsonObject } from "./json.ts";
import { idText, messageJson, partitioningJson, polledMessages } from "./messages.ts";
import * as records from "./records.ts";

type Codecs<Name extends CommandName> = (typeof commandCodecs)[Name];
type RequestOf<Name extends CommandName> = Codecs<Name>["request"] extends Codec<infer T> ? T : never;
type ReplyOf<Name extends CommandName> = Codecs<Name>["reply"] extends Codec<infer T> ? T : never;

/** One request of the API. */
export type HttpRequest = { readonly method: string; readonly path: string; readonly body?: object };

export type Route<Request, Reply> = {
  readonly request: (request: Request) => HttpRequest;
  /** Of the parsed answer; without it the answer has nothing to say. */
  readonly reply?: (json: unknown) => Reply;
  /** "Not found" is an empty reply, as in the binary protocol (spec BP 2.2). */
  readonly isSearch?: true;
  /** Where an answer may leave something out: what else is asked for, and the reply with it. */
  readonly more?: {
    readonly request: (request: Request, reply: Reply) => HttpRequest | undefined;
    readonly reply: (request: Request, reply: Reply, json: unknown) => Reply;
  };
};

type TopicTarget = { readonly stream: Identifier; readonly topic: Identifier };

const streamPath = (stream: Identifier): string => `/streams/${idText(stream)}`;
const topicPath = ({ stream, topic }: TopicTarget): string => `${streamPath(stream)}/topics/${idText(topic)}`;
const groupsPath = (target: TopicTarget): string => `${topicPath(target)}/consumer-groups`;
const userPath = (user: Identifier): string => `/users/${idText(user)}`;

const get = (path: string): HttpRequest => ({ method: "GET", path });
const remove = (path: string): HttpRequest => ({ method: "DELETE", path });
const post = (path: string, body: object): HttpRequest => ({ method: "POST", path, body });
const put = (path: string, body: object): HttpRequest => ({ method: "PUT", path, body });

/** An answer that is one object. */
const one =
  <Reply>(read: (json: JsonObject) => Reply) =>
  (json: unknown): Reply =>
    read(new JsonObject(json));

/** An answer that is a list. */
const many =
  <Reply>(read: (json: JsonObject) => Reply) =>
  (json: unknown): readonly Reply[] =>
    JsonObject.list(json).map(read);

/** HTTP knows no members of groups (spec HA 2.0). */
function consumerText({ kind, id }: Consumer): string {
  if (kind === "group") throw new IggyError("FeatureUnavailable");
  return idText(id);
}

/** In the body of a request a number is a number. */
function consumerValue({ kind, id }: Consumer): string | number {
  if (kind === "group") throw new IggyError("FeatureUnavailable");
  return id.value;
}

function topicBody(request: RequestOf<"updateTopic"> | RequestOf<"createTopic">): object {
  return {
    name: request.name,
    compression_algorithm: compressionOf(request.compressionCode),
    message_expiry: request.messageExpiryMicros,
    max_topic_size: request.maxTopicSizeBytes,
    replication_factor: request.replicationFactor,
  };
}

const pascalCase = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

function snapshotBody({ compressionCode, typeCodes }: RequestOf<"getSnapshot">): object {
  const compression = pascalCase(snapshotCompressionOf(compressionCode) satisfies keyof typeof SnapshotCompressionCode);
  return {
    compression,
    snapshot_types: typeCodes.map((code) => pascalCase(snapshotTypeOf(code) satisfies SnapshotType)),
  };
}

export const routes = {
  ping: { request: () => get("/ping") },
  getStats: { request: () => get("/stats"), reply: one(records.stats) },
  getClusterMetadata: { request: () => get("/cluster/metadata"), reply: one(records.clusterMetadata) },
  getClients: { request: () => get("/clients"), reply: many(records.clientHeader) },
  getClient: {
    request: ({ clientId }) => get(`/clients/${clientId}`),
    reply: one(records.clientDetails),
    isSearch: true,
  },
  getSnapshot: { request: (request) => post("/snapshot", snapshotBody(request)) },

  loginUser: {
    request: ({ username, password }) => post("/users/login", { username, password }),
    reply: one((json) => ({ userId: json.number("user_id") })),
  },
  loginWithPersonalAccessToken: {
    request: ({ token }) => post("/personal-access-tokens/login", { token }),
    reply: one((json) => ({ userId: json.number("user_id") })),
  },
  logoutUser: { request: () => remove("/users/logout") },
  getUsers: { request: () => get("/users"), reply: many(records.userHeader) },
  getUser: { request: ({ user }) => get(userPath(user)), reply: one(records.userDetails), isSearch: true },
  createUser: {
    request: ({ username, password, statusCode, permissions }) =>
      post("/users", {
        username,
        password,
        status: userStatusOf(statusCode),
        permissions: records.permissionsJson(permissions),
      }),
    reply: one(records.userDetails),
  },
  updateUser: {
    request: ({ user, username, statusCode }) =>
      put(userPath(user), {
        username: username ?? null,
        status: statusCode === undefined ? null : userStatusOf(statusCode),
      }),
  },
  deleteUser: { request: ({ user }) => remove(userPath(user)) },
  updatePermissions: {
    request: ({ user, permissions }) =>
      put(`${userPath(user)}/permissions`, { permissions: records.permissionsJson(permissions) }),
  },
  changePassword: {
    request: ({ user, currentPassword, newPassword }) =>
      put(`${userPath(user)}/password`, { current_password: currentPassword, new_password: newPassword }),
  },
  getPersonalAccessTokens: {
    request: () => get("/personal-access-tokens"),
    reply: many((json) => ({ name: json.text("name"), expiryAtMicros: json.bigintOrNull("expiry_at") ?? 0n })),
  },
  createPersonalAccessToken: {
    request: ({ name, expiryMicros }) => post("/personal-access-tokens", { name, expiry: expiryMicros }),
    reply: one((json) => ({ token: json.text("token") })),
  },
  deletePersonalAccessToken: { request: ({ name }) => remove(`/personal-access-tokens/${encodeURIComponent(name)}`) },

  getStreams: { request: () => get("/streams"), reply: many(records.streamHeader) },
  getStream: { request: ({ stream }) => get(streamPath(stream)), reply: one(records.streamDetails), isSearch: true },
  createStream: { request: ({ name }) => post("/streams", { name }), reply: one(records.streamHeader) },
  updateStream: { request: ({ stream, name }) => put(streamPath(stream), { name }) },
  deleteStream: { request: ({ stream }) => remove(streamPath(stream)) },
  purgeStream: { request: ({ stream }) => remove(`${streamPath(stream)}/purge`) },

  getTopics: { request: ({ stream }) => get(`${streamPath(stream)}/topics`), reply: many(records.topicHeader) },
  getTopic: { request: (target) => get(topicPath(target)), reply: one(records.topicDetails), isSearch: true },
  createTopic: {
    request: (request) =>
      post(`${streamPath(request.stream)}/topics`, {
        ...topicBody(request),
        partitions_count: request.partitionsCount,
      }),
    reply: one(records.topicDetails),
  },
  updateTopic: { request: (request) => put(topicPath(request), topicBody(request)) },
  deleteTopic: { request: (target) => remove(topicPath(target)) },
  purgeTopic: { request: (target) => remove(`${topicPath(target)}/purge`) },
  createPartitions: {
    request: (request) => post(`${topicPath(request)}/partitions`, { partitions_count: request.partitionsCount }),
  },
  deletePartitions: {
    request: (request) => remove(`${topicPath(request)}/partitions?partitions_count=${request.partitionsCount}`),
  },
  deleteSegments: {
    request: (request) =>
      remove(`${topicPath(request)}/partitions/${request.partitionId}?segments_count=${request.segmentsCount}`),
  },

  getConsumerGroups: { request: (target) => get(groupsPath(target)), reply: many(records.groupHeader) },
  getConsumerGroup: {
    request: (target) => get(`${groupsPath(target)}/${idText(target.group)}`),
    reply: one(records.groupDetails),
    isSearch: true,
  },
  createConsumerGroup: {
    request: (request) => post(groupsPath(request), { name: request.name }),
    reply: one(records.groupHeader),
  },
  deleteConsumerGroup: { request: (target) => remove(`${groupsPath(target)}/${idText(target.group)}`) },

  sendMessages: {
    request: (request) =>
      post(`${topicPath(request)}/messages`, {
        partitioning: partitioningJson(request.partitioning),
        messages: request.messages.map(messageJson),
      }),
  },
  pollMessages: {
    request: ({ consumer, partitionId = 0, strategy, count, autoCommit, ...target }) => {
      const who = `consumer_id=${consumerText(consumer)}&partition_id=${partitionId}`;
      const what = `kind=${strategy.kind}&value=${strategy.value}&count=${count}&auto_commit=${autoCommit}`;
      return get(`${topicPath(target)}/messages?${who}&${what}`);
    },
    reply: one(polledMessages),
    // To a poll that finds nothing the original answers with partition 0 and the offset 0, whatever was asked for, which would mean
    // that the partition was purged: the topic knows better.
    more: {
      request: (target, { currentOffset, messages }) =>
        currentOffset === 0n && messages.length === 0 ? get(topicPath(target)) : undefined,
      reply: ({ partitionId = 0 }, reply, json) => {
        const { partitions } = records.topicDetails(new JsonObject(json));
        const currentOffset = partitions.find(({ id }) => id === partitionId)?.currentOffset ?? 0n;
        return { ...reply, partitionId, currentOffset };
      },
    },
  },
  flushUnsavedBuffer: {
    request: ({ partitionId, fsync, ...target }) => get(`${topicPath(target)}/messages/flush/${partitionId}/${fsync}`),
  },
  storeConsumerOffset: {
    request: ({ consumer, partitionId, offset, ...target }) =>
      put(`${topicPath(target)}/consumer-offsets`, {
        consumer_id: consumerValue(consumer),
        partition_id: partitionId ?? null,
        offset,
      }),
  },
  getConsumerOffset: {
    request: ({ consumer, partitionId = 0, ...target }) =>
      get(`${topicPath(target)}/consumer-offsets?consumer_id=${consumerText(consumer)}&partition_id=${partitionId}`),
    reply: one((json) => ({
      partitionId: json.number("partition_id"),
      currentOffset: json.bigint("current_offset"),
      storedOffset: json.bigint("stored_offset"),
    })),
    isSearch: true,
  },
  deleteConsumerOffset: {
    request: ({ consumer, partitionId = 0, ...target }) =>
      remove(`${topicPath(target)}/consumer-offsets/${consumerText(consumer)}?partition_id=${partitionId}`),
  },
} satisfies { readonly [Name in CommandName]?: Route<RequestOf<Name>, ReplyOf<Name>> };
