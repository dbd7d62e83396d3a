// Permissions (spec BP 3.11). Flags are one byte each, not 0 = true.
//
//   global    10 flags, has_streams, then per stream: entry, more_streams
//   stream    id u32, 6 flags, has_topics, then per topic: entry, more_topics
//   topic     id u32, 4 flags
//
// "No streams" and "no topics" are the same as absent. Entries are read in any order, the last of a repeated id counts;
// values and bytes that come from here are in ascending id.

import { type Codec, recordCodec } from "../codec.ts";
import { IggyError } from "../errors.ts";
import { booleanCodec, flaggedCodec, u32Codec } from "../primitives.ts";

export type GlobalPermissions = {
  readonly manageServers: boolean;
  readonly readServers: boolean;
  readonly manageUsers: boolean;
  readonly readUsers: boolean;
  readonly manageStreams: boolean;
  readonly readStreams: boolean;
  readonly manageTopics: boolean;
  readonly readTopics: boolean;
  readonly pollMessages: boolean;
  readonly sendMessages: boolean;
};

export type TopicPermissions = {
  readonly topicId: number;
  readonly manageTopic: boolean;
  readonly readTopic: boolean;
  readonly pollMessages: boolean;
  readonly sendMessages: boolean;
};

export type StreamPermissions = {
  readonly streamId: number;
  readonly manageStream: boolean;
  readonly readStream: boolean;
  readonly manageTopics: boolean;
  readonly readTopics: boolean;
  readonly pollMessages: boolean;
  readonly sendMessages: boolean;
  readonly topics: readonly TopicPermissions[];
};

export type Permissions = {
  readonly global: GlobalPermissions;
  readonly streams: readonly StreamPermissions[];
};

export type GlobalFlag = keyof GlobalPermissions;
export type StreamFlag = Exclude<keyof StreamPermissions, "streamId" | "topics">;
export type TopicFlag = Exclude<keyof TopicPermissions, "topicId">;

/** In their order on the wire. */
export const globalFlags = [
  "manageServers",
  "readServers",
  "manageUsers",
  "readUsers",
  "manageStreams",
  "readStreams",
  "manageTopics",
  "readTopics",
  "pollMessages",
  "sendMessages",
] as const satisfies readonly GlobalFlag[];
export const streamFlags = [
  "manageStream",
  "readStream",
  "manageTopics",
  "readTopics",
  "pollMessages",
  "sendMessages",
] as const satisfies readonly StreamFlag[];
export const topicFlags = [
  "manageTopic",
  "readTopic",
  "pollMessages",
  "sendMessages",
] as const satisfies readonly TopicFlag[];

const globalCodec = recordCodec<GlobalPermissions>({
  manageServers: booleanCodec,
  readServers: booleanCodec,
  manageUsers: booleanCodec,
  readUsers: booleanCodec,
  manageStreams: booleanCodec,
  readStreams: booleanCodec,
  manageTopics: booleanCodec,
  readTopics: booleanCodec,
  pollMessages: booleanCodec,
  sendMessages: booleanCodec,
});

const topicCodec = recordCodec<TopicPermissions>({
  topicId: u32Codec,
  manageTopic: booleanCodec,
  readTopic: booleanCodec,
  pollMessages: booleanCodec,
  sendMessages: booleanCodec,
});

const streamCodec = recordCodec<StreamPermissions>({
  streamId: u32Codec,
  manageStream: booleanCodec,
  readStream: booleanCodec,
  manageTopics: booleanCodec,
  readTopics: booleanCodec,
  pollMessages: booleanCodec,
  sendMessages: booleanCodec,
  topics: chainCodec(topicCodec, (topic) => topic.topicId),
});

/** The block itself, without the length that stands before it in requests and replies. */
export const permissionsCodec: Codec<Permissions> = recordCodec<Permissions>({
  global: globalCodec,
  streams: chainCodec(streamCodec, (stream) => stream.streamId),
});

/** Entries with a flag byte before each and a zero byte after the last; an empty chain is one zero byte. */
function chainCodec<T>(item: Codec<T>, idOf: (entry: T) => number): Codec<readonly T[]> {
  const byId = (a: T, b: T) => idOf(a) - idOf(b);
  return {
    encode(writer, entries) {
      for (const entry of entries.toSorted(byId)) {
        writer.u8(1);
        item.encode(writer, entry);
      }
      writer.u8(0);
    },
    decode(reader) {
      const entries = new Map<number, T>();
      while (reader.u8() !== 0) {
        const entry = item.decode(reader);
        entries.set(idOf(entry), entry);
      }
      return [...entries.values()].sort(byId);
    },
  };
}

/** u32 length, then the block; a length that differs from the block is InvalidFormat (4) (spec BP 2.9). */
export const sizedPermissionsCodec: Codec<Permissions> = {
  encode(writer, permissions) {
    const lengthPosition = writer.position;
    writer.u32(0);
    permissionsCodec.encode(writer, permissions);
    writer.patchU32(lengthPosition, writer.position - lengthPosition - 4);
  },
  decode(reader) {
    const sizeBytes = reader.u32();
    const start = reader.position;
    const permissions = permissionsCodec.decode(reader);
    if (reader.position - start !== sizeBytes) throw new IggyError("InvalidFormat");
    return permissions;
  },
};

/** Optional permissions of a request: a flag byte, exactly 1 = present, then length and block (spec BP 4.3). */
export const optionalPermissionsCodec: Codec<Permissions | undefined> = flaggedCodec(sizedPermissionsCodec);
