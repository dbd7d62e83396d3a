// Users, permissions and tokens as JSON (spec HA 2.9, 2.10).
import { type Static, Type as t } from "@sinclair/typebox";
import type {
  GlobalPermissions,
  Permissions,
  StreamPermissions,
  TopicPermissions,
} from "../../../protocol/records/permissions.ts";
import type { TokenEntry } from "../../../protocol/records/token-entry.ts";
import type { UserDetails, UserHeader } from "../../../protocol/records/user-header.ts";
import type { AccessToken } from "../auth/access-tokens.ts";
import { u32Max } from "../identifiers.ts";
import { JsonShapeError } from "../json/reader.ts";
import { jsonInteger } from "../json/values.ts";
import { nullable, object, oneOfTexts, optional, timestamp, u32, u64 } from "./kinds.ts";
import { givenOptions, shownOptionsSchema } from "./options.ts";
import { noOptionsJson } from "./streams.ts";

const idKey = t.String({ pattern: "^(?:0|[1-9][0-9]{0,9})$" });

const topicPermissions = object({
  manage_topic: t.Boolean(),
  read_topic: t.Boolean(),
  poll_messages: t.Boolean(),
  send_messages: t.Boolean(),
});

const streamPermissions = object({
  manage_stream: t.Boolean(),
  read_stream: t.Boolean(),
  manage_topics: t.Boolean(),
  read_topics: t.Boolean(),
  poll_messages: t.Boolean(),
  send_messages: t.Boolean(),
  topics: optional(t.Record(idKey, topicPermissions, { additionalProperties: false })),
});

const permissions = object({
  global: object({
    manage_servers: t.Boolean(),
    read_servers: t.Boolean(),
    manage_users: t.Boolean(),
    read_users: t.Boolean(),
    manage_streams: t.Boolean(),
    read_streams: t.Boolean(),
    manage_topics: t.Boolean(),
    read_topics: t.Boolean(),
    poll_messages: t.Boolean(),
    send_messages: t.Boolean(),
  }),
  streams: optional(t.Record(idKey, streamPermissions, { additionalProperties: false })),
});

const status = oneOfTexts(["active", "inactive"]);
const userFields = {
  id: u32,
  created_at: timestamp,
  status,
  username: t.String(),
  options: t.Optional(shownOptionsSchema),
};

export const userHeaderSchema = t.Object(userFields);
export const userDetailsSchema = t.Object({ ...userFields, permissions: nullable(permissions) });
export const userParams = object({ user_id: t.String() });
export const createUserBody = object({
  username: t.String(),
  password: t.String(),
  status,
  permissions: optional(permissions),
  options: givenOptions,
});
export const updateUserBody = object({
  username: optional(t.String()),
  status: optional(status),
  options: givenOptions,
});
export const updatePermissionsBody = object({ permissions: optional(permissions) });
export const changePasswordBody = object({ current_password: t.String(), new_password: t.String() });
export const loginBody = object({
  username: t.String(),
  password: t.String(),
  version: optional(t.String()),
  context: optional(t.String()),
});

export const tokenBody = object({ token: t.String() });
export const tokenSchema = t.Object({ token: t.String() });
export const createTokenBody = object({ name: t.String(), expiry: u64 });
export const tokenEntrySchema = t.Object({ name: t.String(), expiry_at: nullable(timestamp) });
export const tokenParams = object({ name: t.String() });

export const identitySchema = t.Object({
  user_id: u32,
  access_token: t.Object({ token: t.String(), expiry: u64 }),
});

/** `isOf09`: for whom they are (spec P9 12). To clients of 0.8 every answer is as ever. */
export function userHeaderJson(user: UserHeader, isOf09: boolean) {
  return { ...userFieldsJson(user), ...noOptionsJson(isOf09) };
}

function userFieldsJson(user: UserHeader) {
  return {
    id: user.id,
    created_at: jsonInteger(user.createdAtMicros),
    status: user.status,
    username: user.username,
  };
}

export function userDetailsJson(user: UserDetails, isOf09: boolean) {
  return {
    ...userFieldsJson(user),
    permissions: user.permissions === undefined ? null : permissionsJson(user.permissions),
    ...noOptionsJson(isOf09),
  };
}

/** Never expires: null. */
export function tokenEntryJson({ name, expiryAtMicros }: TokenEntry) {
  return { name, expiry_at: expiryAtMicros === 0n ? null : jsonInteger(expiryAtMicros) };
}

/** The expiry of an access token is in seconds, unlike every other time (spec HA 1.6). */
export function identityJson({ userId, token, expirySeconds }: AccessToken) {
  return { user_id: userId, access_token: { token, expiry: expirySeconds } };
}

function globalJson(global: GlobalPermissions) {
  return {
    manage_servers: global.manageServers,
    read_servers: global.readServers,
    manage_users: global.manageUsers,
    read_users: global.readUsers,
    manage_streams: global.manageStreams,
    read_streams: global.readStreams,
    manage_topics: global.manageTopics,
    read_topics: global.readTopics,
    poll_messages: global.pollMessages,
    send_messages: global.sendMessages,
  };
}

function streamJson(stream: StreamPermissions) {
  return {
    manage_stream: stream.manageStream,
    read_stream: stream.readStream,
    manage_topics: stream.manageTopics,
    read_topics: stream.readTopics,
    poll_messages: stream.pollMessages,
    send_messages: stream.sendMessages,
    topics: mapJson(stream.topics, (topic) => [topic.topicId, topicJson(topic)]),
  };
}

function topicJson(topic: TopicPermissions) {
  return {
    manage_topic: topic.manageTopic,
    read_topic: topic.readTopic,
    poll_messages: topic.pollMessages,
    send_messages: topic.sendMessages,
  };
}

function permissionsJson({ global, streams }: Permissions) {
  return {
    global: globalJson(global),
    streams: mapJson(streams, (stream) => [stream.streamId, streamJson(stream)]),
  };
}

/** Keys that are numbers stand in ascending order in every JavaScript object. */
function mapJson<T, R>(entries: readonly T[], entryOf: (entry: T) => [number, R]): Record<string, R> | null {
  return entries.length === 0 ? null : Object.fromEntries(entries.map(entryOf));
}

/** Throws JsonShapeError for an id that is no unsigned 32-bit number. */
export function permissionsOf(body: Static<typeof permissions>): Permissions {
  const { global } = body;
  return {
    global: {
      manageServers: global.manage_servers,
      readServers: global.read_servers,
      manageUsers: global.manage_users,
      readUsers: global.read_users,
      manageStreams: global.manage_streams,
      readStreams: global.read_streams,
      manageTopics: global.manage_topics,
      readTopics: global.read_topics,
      pollMessages: global.poll_messages,
      sendMessages: global.send_messages,
    },
    streams: entriesOf(body.streams).map(([streamId, stream]) => ({
      streamId,
      manageStream: stream.manage_stream,
      readStream: stream.read_stream,
      manageTopics: stream.manage_topics,
      readTopics: stream.read_topics,
      pollMessages: stream.poll_messages,
      sendMessages: stream.send_messages,
      topics: entriesOf(stream.topics).map(([topicId, topic]) => ({
        topicId,
        manageTopic: topic.manage_topic,
        readTopic: topic.read_topic,
        pollMessages: topic.poll_messages,
        sendMessages: topic.send_messages,
      })),
    })),
  };
}

function entriesOf<T>(map: Readonly<Record<string, T>> | null | undefined): [number, T][] {
  const entries = Object.entries(map ?? {}).map(([key, value]): [number, T] => [Number(key), value]);
  if (entries.some(([id]) => id > u32Max)) throw new JsonShapeError("permissions: invalid id, expected u32");
  return entries.sort(([left], [right]) => left - right);
}
