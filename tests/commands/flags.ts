// Permissions for tests: every flag is written out by name, all others are false.
import type {
  GlobalPermissions,
  Permissions,
  StreamPermissions,
  TopicPermissions,
} from "../../src/protocol/records/permissions.ts";

export type GlobalFlag = keyof GlobalPermissions;
export type StreamFlag = Exclude<keyof StreamPermissions, "streamId" | "topics">;
export type TopicFlag = Exclude<keyof TopicPermissions, "topicId">;

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

export function topicRights(topicId: number, ...flags: readonly TopicFlag[]): TopicPermissions {
  return {
    topicId,
    manageTopic: flags.includes("manageTopic"),
    readTopic: flags.includes("readTopic"),
    pollMessages: flags.includes("pollMessages"),
    sendMessages: flags.includes("sendMessages"),
  };
}

export function streamRights(
  streamId: number,
  flags: readonly StreamFlag[],
  topics: readonly TopicPermissions[] = [],
): StreamPermissions {
  return {
    streamId,
    manageStream: flags.includes("manageStream"),
    readStream: flags.includes("readStream"),
    manageTopics: flags.includes("manageTopics"),
    readTopics: flags.includes("readTopics"),
    pollMessages: flags.includes("pollMessages"),
    sendMessages: flags.includes("sendMessages"),
    topics,
  };
}

export function permissions(flags: readonly GlobalFlag[], streams: readonly StreamPermissions[] = []): Permissions {
  return {
    global: {
      manageServers: flags.includes("manageServers"),
      readServers: flags.includes("readServers"),
      manageUsers: flags.includes("manageUsers"),
      readUsers: flags.includes("readUsers"),
      manageStreams: flags.includes("manageStreams"),
      readStreams: flags.includes("readStreams"),
      manageTopics: flags.includes("manageTopics"),
      readTopics: flags.includes("readTopics"),
      pollMessages: flags.includes("pollMessages"),
      sendMessages: flags.includes("sendMessages"),
    },
    streams,
  };
}
